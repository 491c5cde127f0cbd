// `check --watch`: the checks in rounds, until a signal ends them.
#pragma once

#include "server/command/runner.h"

struct rounds_options {
    struct duration interval; // from the start of a round to that of the next
    bool json;                // each round is a line of JSON
};

// Runs these checks (indices into the configuration's) and shows them: on a terminal as a table
// that is redrawn in place, elsewhere as a line for each check that becomes something else. Runs
// the runner to its end; returns the exit status of the last round that came to its end.
int rounds_run(struct runner *runner, const size_t *checks, size_t count,
               struct rounds_options options);

// The exit status that these views come to.
int rounds_status(const struct runner *runner, const struct check_view *views, size_t count);

// Prints the JSON document of the views; compact: on one line.
void rounds_print_json(const struct runner *runner, const struct check_view *views, size_t count,
                       bool compact);
