// A check and its latest result, as an answer shows them.
#pragma once

#include "fuzz.h"

#include "common/wire.h"
#include "server/check/endpoint.h"

struct fuzz_view {
    struct check_view view; // points to the rest
    struct check *check;
    struct reply reply;
    struct result *numbers; // NULL: none
    struct result *seen;    // NULL: none
    struct rows *rows;      // NULL: none
    struct streaks *streaks;
};

// Takes a check file up to a NUL, and then a prober's reply (see fuzz_replies.h).
void view_begin(struct fuzz_view *made, struct input *input);
void view_end(struct fuzz_view *made);
