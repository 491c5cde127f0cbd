// Rounds of checks: one for `check`, and until a signal comes for `check --watch`.
#pragma once

#include "server/command/runner.h"

struct rounds_options {
    struct duration interval; // from the start of a round to that of the next; 0: there is one
    bool json;
};

// Runs these checks (indices into the configuration's) and prints what they found: a table, or
// JSON. With an interval: on a terminal the table again and again over the last one, elsewhere a
// line for each check that becomes something else, or one of JSON for each round. Runs the runner
// to its end; returns the exit status of the last round that came to its end.
int rounds_run(struct runner *runner, const size_t *checks, size_t count,
               struct rounds_options options);
