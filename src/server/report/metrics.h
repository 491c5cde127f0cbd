// All that /metrics shows, in Prometheus' text format 0.0.4.
// https://prometheus.io/docs/instrumenting/exposition_formats/
#pragma once

#include "server/base/usage.h"
#include "server/report/report.h"

#include <stdio.h>

// Lives for one answer; points to what others own.
struct metrics {
    const struct report *report;   // of all checks, with server and adapter
    struct statistics *statistics; // the adapter's, to count in
    uint64_t log_lines_dropped;
    struct usage usage;
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
