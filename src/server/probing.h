// Configuration, scheduler and loop without HTTP: what the commands that probe for themselves share.
#pragma once

#include "server/scheduler.h"

// Lives on the stack of a command.
struct probing {
    uv_loop_t loop;
    uv_prepare_t prepare;
    struct config *config;
    struct scheduler *scheduler;
    bool ending;
};

// Loads the configuration (taking the settings over) and gets ready; nothing is probed yet. With a
// problem in it, each is printed to stderr.
void probing_start(struct probing *probing, struct settings *settings);

// Runs the loop until probing_end has been called and all is closed.
void probing_run(struct probing *probing);

// Has the loop end the probers politely when it comes round. From anywhere.
void probing_end(struct probing *probing);

// Frees the configuration. After probing_run.
void probing_free(struct probing *probing);
