// How the supervisor starts a program.
#pragma once

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

struct program {
    const char *path;
    char *const *arguments;
    char *const *environment;
    const sigset_t *mask; // of signals
    int socket;           // which it finds at its descriptor 3
    bool quiet;           // it has /dev/null for standard input and output
};

// Returns an errno; 0: it has been started.
int spawn(const struct program *program, pid_t *pid) __attribute__((warn_unused_result));
