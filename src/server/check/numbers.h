// What a check saw, in numbers: those columns of its first row that /metrics shows. Pure.
#pragma once

#include "server/check/check.h"

// A new result of one row with the columns that are numbers or booleans and that the check's
// `metrics` wants; NULL if there are none. Names are clean and differ, the first of several of one
// name counts. Values are text that Prometheus can read, with the server's own digits; booleans are
// 1 and 0. NULL, NaN and what was cut are left out: they say nothing.
struct result *numbers_of(const struct check *check, const struct result *result);

// A new result of one row with the columns that the check's rules name, as far as they are numbers,
// booleans or NULL, for the page; row_count is the query's. NULL if it has no rule, or there is
// nothing.
struct result *seen_of(const struct check *check, const struct result *result);
