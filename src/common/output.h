// Lines to a standard descriptor that never block, whatever it is and whoever else writes to it.
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum output_kind {
    OUTPUT_SHARED, // written to if it is said to have room
    OUTPUT_OWN,    // a description of ours, which does not block
    OUTPUT_SOCKET  // asked not to block each time
};

struct output {
    int descriptor;
    enum output_kind kind;
    bool cut; // the latest line was
};

// What a standard descriptor is before anything is known of it.
struct output output_shared(int standard);

// The best that can be had for a standard descriptor, to be closed with output_close.
struct output output_open(int standard);

void output_close(struct output *output);

// Writes a line of at most PIPE_BUF (4 KiB) bytes, its end included. False if there is no room for
// all of it; of what is cut the next line is kept apart.
bool output_line(struct output *output, const char *line, size_t length);
