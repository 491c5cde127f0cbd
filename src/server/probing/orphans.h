// Reaps children that nobody here waits for. As process 1 we owe that to those whose parents have
// died, as when a command that was run in the container leaves something behind. And a prober may
// be killed by others before it has told its id.
#pragma once

#include <uv.h>

// Part of its owner's object, which stays until the loop has closed the handles.
struct orphans {
    uv_signal_t died;
    uv_check_t after_signals;
};

void orphans_start(struct orphans *orphans, uv_loop_t *loop);

// Closes the handles.
void orphans_end(struct orphans *orphans);
