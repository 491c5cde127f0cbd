// The probers that have been started for a server and not yet ended, and what it has not been told
// of them yet.
#pragma once

#include "supervisor/spawn.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    PROBERS_MOST = 512, // a server that wants more has been taken over
    PROBERS_PLACES      // with one for what is to be told of the next that it wants
};

struct prober {
    bool there;  // else the place is free
    bool told;   // that it has been started, or not
    uint32_t id; // 0: of a server that has ended
    pid_t pid;   // 0: it has ended, or could not be started
    int error;   // not 0: the latter
    int status;  // once it has ended
};

// Begins as zeros.
struct probers {
    struct prober places[PROBERS_PLACES];
};

// Starts the program for the server that calls it by this number, or keeps in mind why not: EMFILE
// if its socket is none, or if there are too many, which one at a time can be told of.
void probers_start(struct probers *probers, uint32_t id, const struct program *program);

// SIGKILL; nothing happens if there is none of this number.
void probers_kill(const struct probers *probers, uint32_t id);

// Takes note that the process has ended, if it is one of these.
void probers_end(struct probers *probers, pid_t pid, int status);

// Tells the server at the other end of the socket what it does not know yet, and forgets those that
// have ended. False if the socket did not take all.
bool probers_tell(struct probers *probers, int control) __attribute__((warn_unused_result));

// The server has ended: nobody is to be told of those that are there.
void probers_orphan(struct probers *probers);

void probers_kill_orphans(const struct probers *probers);

bool probers_have_any(const struct probers *probers);
