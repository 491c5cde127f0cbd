// Dates and times in ISO form, as the servers write them in the sessions that we make ours, and as
// rules have them. Pure.
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct iso_time {
    bool of_day;      // a time without a date, or MySQL's TIME; else a date, perhaps with a time
    long long second; // grows with time; two of one kind compare by it and then by the next
    long nanosecond;
};

// Parses all of text: `YYYY-MM-DD`, with ` HH:MM`, `:SS` and a fraction behind it if liked (a T for
// the blank, `Z` or `+00` at the end, for all of it is in UTC); `HH:MM`, likewise; `infinity` or
// `-infinity`. Of servers also a sign before hours, years of more digits, ` BC`, and zeros for what
// is no date.
bool iso_time_parse(const char *text, size_t length, struct iso_time *time)
    __attribute__((warn_unused_result));

// Below, at or above 0, as of strcmp. Both are of one kind.
int iso_time_compare(const struct iso_time *one, const struct iso_time *other);
