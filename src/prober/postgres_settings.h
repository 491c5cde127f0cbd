// What a transaction on Postgres is told before a check's statement, so that no setting of somebody
// else's decides a verdict. A pure table: see postgres_settings.c to add a row.
#pragma once

#include <stddef.h>

// The next statement for a server of this version, as PQserverVersion() has it; NULL after the
// last. `at` begins at 0.
const char *postgres_setting_next(size_t *at, int version);
