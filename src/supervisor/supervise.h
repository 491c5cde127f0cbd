// The supervisor's work: one server at a time, its probers, and their ends.
#pragma once

#include <stdbool.h>

// What is to be started, known before anything is.
struct plan {
    const char *server;           // paths of programs
    const char *postgres, *mysql; // probers ...
    const char *peers;            // ... and the one that gets the server's environment, or NULL
    char **arguments;             // of the server
    char **environment;           // of the server
    bool serves;                  // it is no command that ends by itself: SIGHUP is no end to it
};

// Runs the server until it is over. Returns its wait status, to end in the same way.
int supervise(const struct plan *plan);
