// The names of a result's rows: its text columns, in their order. Pure.
#pragma once

#include "server/check/check.h"

enum { LABELS_MAX = 8 };

// Which columns name the rows.
struct labels {
    uint32_t columns[LABELS_MAX];
    uint32_t count; // 0: no column is text
};

// Those that hold text, or a type of the server's own, in some row. Not what a `fail` or `warn` of
// the check looks at, nor what it names as a metric, as long as others are left.
struct labels labels_of(const struct check *check, const struct result *result);

// Appends a row's name, like "app, orders", shortened; of one that has none "row 3".
void labels_add_name(const struct labels *labels, const struct result *result, uint32_t row,
                     struct text *text);
