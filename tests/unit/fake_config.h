// Checks and configurations that come from no file.
#pragma once

#include "server/config/config.h"

// A check of the prober "main" and the endpoint readyz, or of the prober and endpoint given, with
// its name for its SQL. Times are in milliseconds. May be changed before it is used.
struct check *fake_check(const char *name, int64_t timeout, int64_t cache);
struct check *fake_check_of(const char *name, const char *prober, const char *endpoint,
                            int64_t timeout, int64_t cache);

// A configuration of these checks, which are in the order of their names; takes their references
// over. The target's digest is 1.
struct config *fake_config(struct check *const *checks, size_t count);
