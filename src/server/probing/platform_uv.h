// The platform of the program: libuv's loop, the machine's clock, real processes.
#pragma once

#include "server/probing/platform.h"
#include "server/probing/supervisor.h"

// Lives as long as the loop runs.
struct platform_uv {
    struct platform platform;
    struct supervisor *supervisor; // of the processes
    uv_timer_t timer;
    uv_prepare_t prepare;
};

// On the supervisor's loop.
void platform_uv_open(struct platform_uv *uv, struct supervisor *supervisor);

// After scheduler_end; the object stays until the loop has closed the two handles.
void platform_uv_close(struct platform_uv *uv);
