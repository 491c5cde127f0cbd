// All that /metrics shows, in Prometheus' text format 0.0.4.
// https://prometheus.io/docs/instrumenting/exposition_formats/
#pragma once

#include "server/base/usage.h"
#include "server/report/report.h"

#include <stdio.h>

// Lives for one answer; points to what others own.
struct metrics {
    const struct config *config;
    const struct check_view *views; // of the configuration's checks, in its order
    const bool *passes;             // of its endpoints, in its order
    const struct prober_view *probers;
    size_t prober_count;
    struct statistics *statistics;
    const char *flavor;  // of the server; NULL: not known yet
    const char *version; // of the server
    bool draining;
    uint64_t log_lines_dropped;
    struct usage usage;
    struct instant now;
};

struct samples;

// What all samples of one name have in common; also for the test that holds the manual to it.
struct metric_family {
    const char *name;
    const char *type;
    const char *label, *second_label; // "": none
    const char *help;
    void (*write)(struct samples *samples, const struct metrics *metrics);
    size_t offset; // of what `write` takes where it serves several
};

// NULL past the last.
const struct metric_family *metrics_family(size_t index);

// Writes them all: equal input gives equal text.
void metrics_write(FILE *body, const struct metrics *metrics);
