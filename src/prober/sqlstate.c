// The table from SQLSTATE to outcome, for dbhealthd-postgres. Codes and their meaning are those of
// the server's own list, src/backend/utils/errcodes.txt, also at
// https://www.postgresql.org/docs/current/errcodes-appendix.html
//
// The code alone decides, never the text: messages are translated and reworded. Where one code has
// two meanings the stage tells them apart, and where it can't (53300 is a full server, a full
// database and a full role) the row names the one that matters most.
#include "prober/sqlstate.h"

#include <stddef.h>
#include <string.h>

enum stage { ANY_TIME, AT_LOGIN, IN_RUN };

// The first row that fits decides. A code of two characters is a class.
static const struct {
    const char *code;
    enum stage stage;
    enum outcome outcome;
} rows[] = {
    {"57P03", ANY_TIME, OUTCOME_NOT_ACCEPTING}, // cannot_connect_now
    {"57P01", ANY_TIME, OUTCOME_TERMINATED},    // admin_shutdown: also pg_terminate_backend()
    {"57P02", ANY_TIME, OUTCOME_TERMINATED},    // crash_shutdown: another session has crashed
    {"57P04", ANY_TIME, OUTCOME_TERMINATED},    // database_dropped
    {"57P05", ANY_TIME, OUTCOME_TERMINATED},    // idle_session_timeout
    {"25P03", ANY_TIME, OUTCOME_TERMINATED},    // idle_in_transaction_session_timeout
    {"25P04", ANY_TIME, OUTCOME_TERMINATED},    // transaction_timeout, from 17 on
    {"28", ANY_TIME, OUTCOME_DENIED},           // invalid authorization, pg_hba.conf
    {"3D000", AT_LOGIN, OUTCOME_DENIED},        // invalid_catalog_name: no such database
    {"42501", AT_LOGIN, OUTCOME_DENIED},        // insufficient_privilege: CONNECT not granted
    {"55000", AT_LOGIN, OUTCOME_DENIED},        // database does not allow connections
    {"53300", ANY_TIME, OUTCOME_SATURATED},     // too_many_connections
    {"53200", AT_LOGIN, OUTCOME_SATURATED},     // out_of_memory: no room for one more session
    {"3D000", IN_RUN, OUTCOME_MISSING},         // the same, of one that a statement names
    {"3F000", IN_RUN, OUTCOME_MISSING},         // invalid_schema_name
    {"42P01", IN_RUN, OUTCOME_MISSING},         // undefined_table: a view, a sequence, too
    {"42703", IN_RUN, OUTCOME_MISSING},         // undefined_column
    {"42704", IN_RUN, OUTCOME_MISSING},         // undefined_object: a setting, a role, a type ...
    {"42883", IN_RUN, OUTCOME_MISSING},         // undefined_function: an operator, too
    {"57014", ANY_TIME, OUTCOME_QUERY_TIMEOUT}, // query_canceled: statement_timeout
    {"55P03", ANY_TIME, OUTCOME_QUERY_TIMEOUT}, // lock_not_available: lock_timeout
};

bool sqlstate_is_valid(const char *code)
{
    return strlen(code) == SQLSTATE_LENGTH &&
           strspn(code, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") == SQLSTATE_LENGTH;
}

enum outcome sqlstate_outcome(const char *code, bool at_login)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        bool fits = strncmp(rows[i].code, code, strlen(rows[i].code)) == 0;
        if (fits && rows[i].stage != (at_login ? IN_RUN : AT_LOGIN))
            return rows[i].outcome;
    }
    return OUTCOME_SERVER_ERROR;
}
