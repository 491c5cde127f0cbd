// What a session on MySQL or MariaDB is told as soon as it is there, so that no setting of somebody
// else's decides a verdict. A pure table: see mysql_settings.c to add a row.
#pragma once

#include "common/wire.h"

#include <stdbool.h>

// "10.11.6-MariaDB" as 101106 and "9.7.4" as 90704, whatever a server may call itself.
// Connector/C's own function reads past the end of what has no two points.
unsigned long mysql_setting_version(const char *text);

// The next assignment for a server of this version; NULL after the last. `at` begins at 0.
const char *mysql_setting_next(size_t *at, enum flavor flavor, unsigned long version);

// The variable that makes transactions read-only.
const char *mysql_setting_read_only(enum flavor flavor, unsigned long version);

// True if MySQL of this version can end a statement at a limit.
bool mysql_setting_has_limit(unsigned long version);

// True if a server is so old that no transaction of it can be made read-only.
bool mysql_setting_is_too_old(enum flavor flavor, unsigned long version);
