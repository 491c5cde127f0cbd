// Lines to a standard descriptor that never wait for its reader, whatever it is and whoever else
// writes to it.
#pragma once

#include "common/instant.h"

#include <stdbool.h>
#include <stddef.h>

enum output_kind {
    OUTPUT_SHARED, // a write to it is broken off after a moment
    OUTPUT_OWN,    // a description of ours, which does not block
    OUTPUT_FILE,   // which nobody has to read
    OUTPUT_SOCKET  // asked not to block each time
};

struct output {
    int descriptor;
    enum output_kind kind;
    bool cut;             // the latest line was
    struct instant again; // until then OUTPUT_SHARED is let alone
};

// What a standard descriptor is before anything is known of it.
struct output output_shared(int standard);

// The best that can be had for a standard descriptor, to be closed with output_close. For what
// stays OUTPUT_SHARED, lines come from the main thread, and SIGALRM and ITIMER_REAL are output's.
struct output output_open(int standard);

void output_close(struct output *output);

// Writes a line of at most PIPE_BUF (4 KiB) bytes, its end included. False if there is no room for
// all of it; of what is cut the next line is kept apart.
bool output_line(struct output *output, const char *line, size_t length);
