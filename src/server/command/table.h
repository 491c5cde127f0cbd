// The table of `check`: a line a check, for a pipe as it is, for a window cut to its size. Pure.
#pragma once

#include "server/check/endpoint.h"

#include <stdio.h>

// Lives for one call; points to what others own.
struct table {
    const struct check_view *views;
    size_t count;
    const struct instant *changed; // when each became something else, 0: not yet; NULL: no column
    bool coloured;
    size_t width;  // of the window; 0: lines are as long as they are
    size_t height; // lines there is room for; 0: any number. What is well is left out first
};

// Writes it with its head; a line that is too long for the window goes on below itself.
void table_print(FILE *out, const struct table *table, struct instant now);
