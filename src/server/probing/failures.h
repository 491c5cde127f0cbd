// How often in a row a prober's process has failed, or could not be started: when another may be,
// and when that cannot help. Pure.
#pragma once

#include "common/instant.h"

#include <stdbool.h>

// Part of the prober; zero-initialised.
struct failures {
    unsigned in_a_row;
    struct instant first, last; // of these
    struct instant not_before;  // no start before this
};

// Another one. Returns for how long no process may be started.
struct duration failures_note(struct failures *failures, struct instant now);

// A process has proved to work.
void failures_end(struct failures *failures);

bool failures_allow_start(const struct failures *failures, struct instant now);

// There were 5 or more in a row, over at least 30 s.
bool failures_are_hopeless(const struct failures *failures);
