// A check and its latest result, as an answer shows them.
#pragma once

#include "fuzz.h"

#include "common/wire.h"
#include "server/endpoint.h"

struct fuzz_view {
    struct check_view view; // points to the rest
    struct check *check;
    struct reply reply;
    struct result *numbers; // NULL: none
};

// Takes a check file up to a NUL, and then the message of a prober's reply.
void view_begin(struct fuzz_view *made, struct input *input);
void view_end(struct fuzz_view *made);
