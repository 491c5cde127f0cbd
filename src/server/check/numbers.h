// What a check saw in its first row, for answers. Pure.
#pragma once

#include "server/check/check.h"

// A new result of one row with the columns that are numbers or booleans, or text that counts as a
// number; NULL if there are none. Names are clean and differ, the first of several of one name
// counts, and none is empty. Values are text that Prometheus can read, with the server's own
// digits; booleans are 1 and 0. NULL, NaN and what was cut are left out: they say nothing.
struct result *numbers_of(const struct check *check, const struct result *result);

// Whether text in this column, where it is a number, counts as one: a rule compares it with a
// number, or `metrics` names it.
bool numbers_has_text(const struct check *check, const char *column);

// A number, boolean or text that is a number as Prometheus can read it; NULL: it is none to show.
const char *numbers_text(const struct value *value);

// True if `metrics` of the check wants a number of this name as a metric.
bool numbers_is_metric(const struct check *check, const char *column);

enum { SEEN_MAX = 64 }; // bytes of a value

// A new result of one row with the columns that the check's rules name, as far as they are not
// longer than SEEN_MAX, for the document; row_count is the query's. Texts are clean. NULL if it has
// no rule, or there is nothing.
struct result *seen_of(const struct check *check, const struct result *result);
