// What is shown of the rows of a check that looks at each: their names, their numbers and what its
// rules look at. Pure.
#pragma once

#include "server/check/labels.h"
#include "server/check/streaks.h"

enum {
    ROWS_SHOWN = 100,     // of a result; those that fail come before those that warn, and these
                          // before others
    ROWS_LABEL_MAX = 128, // bytes of a label's value; the rest is cut
};

// Made by rows_of, freed by rows_free.
struct rows {
    struct result *kept;  // the labels' columns, clean, then the others; row_count is the query's
    uint32_t label_count; // 0: rows have no names
    uint64_t left_out;    // rows that are not here, but for those that a rule leaves out
};

// NULL if the check looks at the first row only, or there is no result. The streaks are as of it.
struct rows *rows_of(const struct check *check, const struct result *result,
                     const struct streaks *streaks);

void rows_free(struct rows *rows); // NULL is fine

// The name of a kept row, as reasons have it.
void rows_add_name(const struct rows *rows, uint32_t row, struct text *text);

// A number of a kept row as Prometheus can read it, if it is one and the check wants it as a
// metric; else NULL. Text that is a number counts.
const char *rows_metric(const struct check *check, const struct rows *rows, uint32_t row,
                        uint32_t column);
