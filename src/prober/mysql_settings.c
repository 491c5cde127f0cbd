// See mysql_settings.h. A row is here because a default of the server, or its init_connect, can set
// the variable so that an answer changes or is held up; and because a session may set it without a
// privilege. wait_timeout is not: who ends idle sessions may end ours. Nor is optimizer_switch: it
// may keep the server from a fault. tests/integration/test_settings_of_others.py tries all others;
// what it finds that cannot be here is in checks/README.md.
#include "prober/mysql_settings.h"

#include <stddef.h>
#include <stdlib.h>

// When names changed, and when what they stand for came.
enum {
    MYSQL_TRANSACTION = 50720,
    MARIADB_TRANSACTION = 110101,
    MYSQL_READ_ONLY = 50605,
    MARIADB_READ_ONLY = 100001,
    MYSQL_LIMIT = 50708
};

static const struct row {
    enum flavor flavor;          // FLAVOR_UNKNOWN: of both
    unsigned long since, before; // 0: all that are supported, and newer ones
    const char *assignment;
} rows[] = {
    {FLAVOR_UNKNOWN, 0, 0, "autocommit = 1"},
    {FLAVOR_UNKNOWN, 0, 0, "sql_mode = 'STRICT_TRANS_TABLES,NO_ENGINE_SUBSTITUTION'"},
    {FLAVOR_UNKNOWN, 0, 0, "sql_select_limit = 18446744073709551615"},
    {FLAVOR_UNKNOWN, 0, 0, "sql_big_selects = 1"},
    {FLAVOR_UNKNOWN, 0, 0, "sql_safe_updates = 0"},
    {FLAVOR_UNKNOWN, 0, 0, "sql_auto_is_null = 0"},
    {FLAVOR_UNKNOWN, 0, 0, "completion_type = 0"},
    {FLAVOR_UNKNOWN, 0, 0, "character_set_client = utf8mb4"},
    {FLAVOR_UNKNOWN, 0, 0, "character_set_results = utf8mb4"},
    {FLAVOR_UNKNOWN, 0, 0, "collation_connection = utf8mb4_general_ci"},
    {FLAVOR_UNKNOWN, 0, 0, "time_zone = '+00:00'"},
    {FLAVOR_UNKNOWN, 0, 0, "lc_time_names = 'en_US'"},
    {FLAVOR_UNKNOWN, 0, 0, "default_week_format = 0"},
    {FLAVOR_UNKNOWN, 0, 0, "div_precision_increment = 4"},
    {FLAVOR_UNKNOWN, 0, 0, "group_concat_max_len = 1048576"},
    {FLAVOR_UNKNOWN, 0, 0, "max_sort_length = 1024"},
    {FLAVOR_MARIADB, 0, MARIADB_TRANSACTION, "tx_isolation = 'REPEATABLE-READ'"},
    {FLAVOR_MARIADB, MARIADB_TRANSACTION, 0, "transaction_isolation = 'REPEATABLE-READ'"},
    {FLAVOR_MARIADB, 0, 0, "old_mode = ''"},
    {FLAVOR_MARIADB, 0, 0, "query_cache_type = 0"},
    {FLAVOR_MARIADB, 0, 0, "default_regex_flags = ''"},
    {FLAVOR_MARIADB, 0, 0, "max_recursive_iterations = 4294967295"},
    {FLAVOR_MARIADB, 0, 0, "max_session_mem_used = 9223372036854775807"},
    {FLAVOR_MARIADB, 0, 0, "tmp_disk_table_size = 18446744073709551615"},
    {FLAVOR_MARIADB, 110501, 0, "max_tmp_session_space_usage = 1099511627776"},
    {FLAVOR_MARIADB, 0, 0, "system_versioning_asof = DEFAULT"},
    {FLAVOR_MARIADB, 0, 0, "wsrep_sync_wait = 0"},
    {FLAVOR_MARIADB, 0, 0, "wsrep_dirty_reads = 0"},
    {FLAVOR_MYSQL, 0, MYSQL_TRANSACTION, "tx_isolation = 'REPEATABLE-READ'"},
    {FLAVOR_MYSQL, MYSQL_TRANSACTION, 0, "transaction_isolation = 'REPEATABLE-READ'"},
    {FLAVOR_MYSQL, 80003, 0, "information_schema_stats_expiry = 0"}, // else up to a day old
    {FLAVOR_MYSQL, 80003, 0, "cte_max_recursion_depth = 4294967295"},
    {FLAVOR_MYSQL, 80014, 0, "group_replication_consistency = 'EVENTUAL'"},
};

enum { ROWS = sizeof rows / sizeof *rows };

static bool mysql_settings_has(const struct row *row, enum flavor flavor, unsigned long version)
{
    return (row->flavor == FLAVOR_UNKNOWN || row->flavor == flavor) && version >= row->since &&
           (row->before == 0 || version < row->before);
}

unsigned long mysql_setting_version(const char *text)
{
    unsigned long version = 0;
    for (unsigned part = 0; part < 3; part++) {
        char *end;
        unsigned long number = strtoul(text, &end, 10);
        version = version * 100 + (number < 100 ? number : 99);
        text = *end == '.' ? end + 1 : "";
    }
    return version;
}

const char *mysql_setting_next(size_t *at, enum flavor flavor, unsigned long version)
{
    while (*at < ROWS) {
        const struct row *row = &rows[(*at)++];
        if (mysql_settings_has(row, flavor, version))
            return row->assignment;
    }
    return NULL;
}

const char *mysql_setting_read_only(enum flavor flavor, unsigned long version)
{
    unsigned long renamed = flavor == FLAVOR_MARIADB ? MARIADB_TRANSACTION : MYSQL_TRANSACTION;
    return version < renamed ? "tx_read_only" : "transaction_read_only";
}

bool mysql_setting_has_limit(unsigned long version)
{
    return version >= MYSQL_LIMIT;
}

bool mysql_setting_is_too_old(enum flavor flavor, unsigned long version)
{
    return version < (flavor == FLAVOR_MARIADB ? MARIADB_READ_ONLY : MYSQL_READ_ONLY);
}
