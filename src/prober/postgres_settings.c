// See postgres_settings.h. A row is here because a role, a database or the whole server can have
// another default, or an application has left it so on a pooled connection; because that would
// change an answer or hold it up; and because an ordinary user may set it. Limits of a run are not:
// they are the driver's. tests/integration/test_settings_of_others.py tries all others; what it
// finds that cannot be here is in checks/README.md.
#include "prober/postgres_settings.h"

#include <stdbool.h>

static const struct row {
    const char *statement;
    int since, before; // 0: all that are supported, and newer ones. A fix may bring a setting.
} rows[] = {
    {"SET LOCAL transaction_timeout = 0", 170000, 0},
    {"SET LOCAL idle_in_transaction_session_timeout = '10s'", 0, 0}, // our prober has stopped
    {"SET LOCAL exit_on_error = off", 0, 0},
    {"SET LOCAL client_min_messages = warning", 0, 0}, // one says why a session ends
    {"SET LOCAL quote_all_identifiers = off", 0, 0},
    {"SET LOCAL search_path = pg_catalog, pg_temp", 0, 0},
    {"SET LOCAL restrict_nonsystem_relation_kind = ''", 120020, 130000},
    {"SET LOCAL restrict_nonsystem_relation_kind = ''", 130016, 140000},
    {"SET LOCAL restrict_nonsystem_relation_kind = ''", 140013, 150000},
    {"SET LOCAL restrict_nonsystem_relation_kind = ''", 150008, 160000},
    {"SET LOCAL restrict_nonsystem_relation_kind = ''", 160004, 0},
    {"SET LOCAL row_security = on", 0, 0},
    {"SET LOCAL geqo = off", 0, 0}, // plans by chance
    // JIT costs more than any check, and a session that is kept grows with each run. Parallel
    // workers are the applications'.
    {"SET LOCAL jit = off", 110000, 0},
    {"SET LOCAL max_parallel_workers_per_gather = 0", 0, 0},
    {"SET LOCAL standard_conforming_strings = on", 0, 0},
    {"SET LOCAL transform_null_equals = off", 0, 0},
    {"SET LOCAL array_nulls = on", 0, 0},
    {"SET LOCAL xmloption = content", 0, 0},
    {"SET LOCAL TimeZone = 'UTC'", 0, 0},
    {"SET LOCAL DateStyle = 'ISO, MDY'", 0, 0},
    {"SET LOCAL IntervalStyle = postgres", 0, 0},
    {"SET LOCAL extra_float_digits = 1", 0, 0},
    {"SET LOCAL bytea_output = hex", 0, 0},
    {"SET LOCAL xmlbinary = base64", 0, 0},
    {"SET LOCAL lc_monetary = 'C'", 0, 0},
    {"SET LOCAL lc_numeric = 'C'", 0, 0},
    {"SET LOCAL lc_time = 'C'", 0, 0},
};

enum { ROWS = sizeof rows / sizeof *rows };

static bool postgres_settings_has(const struct row *row, int version)
{
    return version >= row->since && (row->before == 0 || version < row->before);
}

const char *postgres_setting_next(size_t *at, int version)
{
    while (*at < ROWS) {
        const struct row *row = &rows[(*at)++];
        if (postgres_settings_has(row, version))
            return row->statement;
    }
    return NULL;
}
