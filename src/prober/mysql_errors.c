// The tables from error number to outcome, for dbhealthd-mysql. Names and numbers are those of
// MySQL's and MariaDB's mysqld_error.h and of Connector/C's errmsg.h. One table for what both
// products mean alike and one for each, for from 1900 and from 3000 on the same number means
// different things: 4031 is an idle session's end in MySQL, a trigger's mistake in MariaDB.
//
// The number alone decides, never the text, with three exceptions at the end of this file: what
// the library gives as text only, in sentences of its own that no server and no language alters.
#include "prober/mysql_errors.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum stage { ANY_TIME, AT_LOGIN, IN_RUN };

struct row {
    unsigned number;
    enum stage stage;
    enum outcome outcome;
};

// The first row that fits decides.
static const struct row both[] = {
    {1053, AT_LOGIN, OUTCOME_NOT_ACCEPTING}, // ER_SERVER_SHUTDOWN: new sessions are turned away
    {3032, ANY_TIME, OUTCOME_NOT_ACCEPTING}, // ER_SERVER_OFFLINE_MODE
    {1053, ANY_TIME, OUTCOME_TERMINATED},    // ER_SERVER_SHUTDOWN: also MySQL's KILL of a session
    {1152, ANY_TIME, OUTCOME_TERMINATED},    // ER_ABORTING_CONNECTION
    {1184, ANY_TIME, OUTCOME_TERMINATED},    // ER_NEW_ABORTING_CONNECTION
    {1044, ANY_TIME, OUTCOME_DENIED},        // ER_DBACCESS_DENIED_ERROR
    {1045, ANY_TIME, OUTCOME_DENIED},        // ER_ACCESS_DENIED_ERROR
    {1049, AT_LOGIN, OUTCOME_DENIED},        // ER_BAD_DB_ERROR
    {1129, ANY_TIME, OUTCOME_DENIED},        // ER_HOST_IS_BLOCKED
    {1130, ANY_TIME, OUTCOME_DENIED},        // ER_HOST_NOT_PRIVILEGED
    {1251, ANY_TIME, OUTCOME_DENIED},        // ER_NOT_SUPPORTED_AUTH_MODE
    {1275, ANY_TIME, OUTCOME_DENIED},        // ER_SERVER_IS_IN_SECURE_AUTH_MODE
    {1524, ANY_TIME, OUTCOME_DENIED},        // ER_PLUGIN_IS_NOT_LOADED
    {1698, ANY_TIME, OUTCOME_DENIED},        // ER_ACCESS_DENIED_NO_PASSWORD_ERROR
    {1820, ANY_TIME, OUTCOME_DENIED},        // ER_MUST_CHANGE_PASSWORD
    {1862, ANY_TIME, OUTCOME_DENIED},        // ER_MUST_CHANGE_PASSWORD_LOGIN
    {2049, ANY_TIME, OUTCOME_DENIED},        // CR_SECURE_AUTH
    {2059, ANY_TIME, OUTCOME_DENIED},        // CR_AUTH_PLUGIN_CANNOT_LOAD
    {2061, ANY_TIME, OUTCOME_DENIED},        // CR_AUTH_PLUGIN_ERR
    {5010, ANY_TIME, OUTCOME_DENIED},        // CR_PLUGIN_NOT_ALLOWED: it would show the password
    {1040, ANY_TIME, OUTCOME_SATURATED},     // ER_CON_COUNT_ERROR
    {1041, ANY_TIME, OUTCOME_SATURATED},     // ER_OUT_OF_RESOURCES
    {1135, ANY_TIME, OUTCOME_SATURATED},     // ER_CANT_CREATE_THREAD
    {1203, ANY_TIME, OUTCOME_QUOTA},         // ER_TOO_MANY_USER_CONNECTIONS
    {1226, ANY_TIME, OUTCOME_QUOTA},         // ER_USER_LIMIT_REACHED
    {1205, ANY_TIME, OUTCOME_QUERY_TIMEOUT}, // ER_LOCK_WAIT_TIMEOUT
    {1317, ANY_TIME, OUTCOME_QUERY_TIMEOUT}, // ER_QUERY_INTERRUPTED
    {1049, IN_RUN, OUTCOME_MISSING},         // ER_BAD_DB_ERROR: one that a statement names
    {1054, IN_RUN, OUTCOME_MISSING},         // ER_BAD_FIELD_ERROR: a column
    {1109, IN_RUN, OUTCOME_MISSING},         // ER_UNKNOWN_TABLE: of information_schema
    {1115, IN_RUN, OUTCOME_MISSING},         // ER_UNKNOWN_CHARACTER_SET
    {1146, IN_RUN, OUTCOME_MISSING},         // ER_NO_SUCH_TABLE: a view, too
    {1176, IN_RUN, OUTCOME_MISSING},         // ER_KEY_DOES_NOT_EXIST: an index
    {1193, IN_RUN, OUTCOME_MISSING},         // ER_UNKNOWN_SYSTEM_VARIABLE
    {1273, IN_RUN, OUTCOME_MISSING},         // ER_UNKNOWN_COLLATION
    {1286, IN_RUN, OUTCOME_MISSING},         // ER_UNKNOWN_STORAGE_ENGINE
    {1305, IN_RUN, OUTCOME_MISSING},         // ER_SP_DOES_NOT_EXIST: a function, a procedure
    {2002, ANY_TIME, OUTCOME_UNREACHABLE},   // CR_CONNECTION_ERROR, unless errno says more
    {2003, ANY_TIME, OUTCOME_UNREACHABLE},   // CR_CONN_HOST_ERROR, likewise
    {2005, ANY_TIME, OUTCOME_UNREACHABLE},   // CR_UNKNOWN_HOST
    {2006, ANY_TIME, OUTCOME_LOST},          // CR_SERVER_GONE_ERROR
    {2008, ANY_TIME, OUTCOME_TOO_LARGE},     // CR_OUT_OF_MEMORY
    {2013, ANY_TIME, OUTCOME_LOST},          // CR_SERVER_LOST
    {2020, AT_LOGIN, OUTCOME_SERVER_ERROR},  // CR_NET_PACKET_TOO_LARGE: not MySQL
    {2020, ANY_TIME, OUTCOME_TOO_LARGE},     // the same: a row
    {2026, AT_LOGIN, OUTCOME_TLS},           // CR_SSL_CONNECTION_ERROR: the handshake
    {2026, ANY_TIME, OUTCOME_LOST},          // the same of a connection that broke under TLS
};

static const struct row mysql_only[] = {
    {3169, ANY_TIME, OUTCOME_TERMINATED},    // ER_SESSION_WAS_KILLED
    {4031, ANY_TIME, OUTCOME_TERMINATED},    // ER_CLIENT_INTERACTION_TIMEOUT
    {3118, ANY_TIME, OUTCOME_DENIED},        // ER_ACCOUNT_HAS_BEEN_LOCKED
    {3159, ANY_TIME, OUTCOME_TLS},           // ER_SECURE_TRANSPORT_REQUIRED
    {3955, ANY_TIME, OUTCOME_DENIED},        // ER_USER_ACCESS_DENIED_FOR_USER_ACCOUNT_BLOCKED...
    {3024, ANY_TIME, OUTCOME_QUERY_TIMEOUT}, // ER_QUERY_TIMEOUT
    {3074, IN_RUN, OUTCOME_MISSING},         // ER_REPLICA_CHANNEL_DOES_NOT_EXIST
};

static const struct row mariadb_only[] = {
    {1927, ANY_TIME, OUTCOME_TERMINATED},    // ER_CONNECTION_KILLED
    {4150, ANY_TIME, OUTCOME_DENIED},        // ER_USER_IS_BLOCKED
    {4151, ANY_TIME, OUTCOME_DENIED},        // ER_ACCOUNT_HAS_BEEN_LOCKED
    {1969, ANY_TIME, OUTCOME_QUERY_TIMEOUT}, // ER_STATEMENT_TIMEOUT
    {1617, IN_RUN, OUTCOME_MISSING},         // WARN_NO_MASTER_INFO: of this name
    {4091, IN_RUN, OUTCOME_MISSING},         // ER_UNKNOWN_SEQUENCES
};

struct table {
    enum flavor flavor; // FLAVOR_UNKNOWN: of both
    const struct row *rows;
    size_t count;
};

static const struct table tables[] = {
    {FLAVOR_UNKNOWN, both, sizeof both / sizeof *both},
    {FLAVOR_MYSQL, mysql_only, sizeof mysql_only / sizeof *mysql_only},
    {FLAVOR_MARIADB, mariadb_only, sizeof mariadb_only / sizeof *mariadb_only},
};

static const struct row *mysql_errors_find_row(const struct table *table, unsigned number,
                                               bool at_login)
{
    for (size_t i = 0; i < table->count; i++) {
        const struct row *row = &table->rows[i];
        if (row->number == number && row->stage != (at_login ? IN_RUN : AT_LOGIN))
            return row;
    }
    return NULL;
}

enum outcome mysql_error_outcome(unsigned number, enum flavor flavor, bool at_login)
{
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        const struct table *table = &tables[i];
        bool fits =
            table->flavor == FLAVOR_UNKNOWN || flavor == FLAVOR_UNKNOWN || table->flavor == flavor;
        const struct row *row = fits ? mysql_errors_find_row(table, number, at_login) : NULL;
        if (row != NULL)
            return row->outcome;
    }
    return OUTCOME_SERVER_ERROR;
}

// ER_ACCESS_DENIED_ERROR, ER_ACCESS_DENIED_NO_PASSWORD_ERROR, and what MySQL and MariaDB say of an
// account with too many failed logins.
bool mysql_error_refuses_secret(unsigned number)
{
    return number == 1045 || number == 1698 || number == 3955 || number == 4150;
}

// "Received error packet before completion of TLS handshake. The authenticity of the following
// error cannot be verified: 1040 - Too many connections": number 2002, whatever the server's was.
// Some releases of 3.3 and 3.4 say so.
bool mysql_error_unwrap(const char *message, unsigned *number)
{
    static const char start[] = "Received error packet before completion of TLS handshake.";
    static const char before[] = "cannot be verified: ";
    if (strncmp(message, start, strlen(start)) != 0)
        return false;
    const char *at = strstr(message, before);
    unsigned long found = at != NULL ? strtoul(at + strlen(before), NULL, 10) : 0;
    if (found == 0 || found > UINT16_MAX)
        return false;
    *number = (unsigned)found;
    return true;
}

// "Lost connection to server at 'reading initial communication packet', system error: 0".
bool mysql_error_is_before_greeting(const char *message)
{
    return strstr(message, "'reading initial communication packet'") != NULL;
}

// "Can't connect to server on '127.0.0.1' (111)": the number in the last parentheses.
int mysql_error_errno(const char *message)
{
    const char *at = strrchr(message, '(');
    if (at == NULL)
        return 0;
    char *end;
    long number = strtol(at + 1, &end, 10);
    return end > at + 1 && strcmp(end, ")") == 0 && number > 0 && number < 4096 ? (int)number : 0;
}
