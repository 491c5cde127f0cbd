// Our end of the supervisor, which is our parent: it starts and kills probers for us, tells how
// they end, and passes on the signals that it gets. None of its processes is known here by its id.
#pragma once

#include "common/control.h"
#include "common/error.h"
#include "common/target.h"
#include "server/probing/cpu_time.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <uv.h>

struct supervisor;

// What it said first.
struct beginning {
    uint32_t crashes;         // of servers before this one
    int status;               // of the latest of these, as of wait(2); 0: there was none
    int listening[LISTENERS]; // the sockets that one of them listened on; -1: none
};

// Finds the supervisor, once. From here on we end with it, and signals are its to tell. False if
// we were not started by one.
bool supervisor_find(struct supervisor **supervisor, struct beginning *beginning,
                     struct error *error) __attribute__((warn_unused_result));

typedef void supervisor_signalled(void *context, int number);

// Listens to it from now on. A signal that came before is told, too.
void supervisor_attach(struct supervisor *supervisor, uv_loop_t *loop,
                       supervisor_signalled *signalled, void *context);

// Has it keep the sockets that are there, so that a server after this one can go on with them. They
// stay open while probers are started.
void supervisor_tell_listening(struct supervisor *supervisor, const int listening[LISTENERS]);

// A process that it has or will have; part of its owner's object. All fields are the supervisor's.
struct child {
    LIST_ENTRY(child) link;
    const struct child_events *events;
    struct supervisor *supervisor;
    uint32_t id;
    bool awaited; // the loop goes on for it
    bool kill;    // it has yet to be asked to
};

// From the loop.
struct child_events {
    // Once: it is there, or will never be, for this errno; then nothing more comes. The times are
    // taken over.
    void (*started)(struct child *child, int error, struct process_times times);
    // Last of all, with its status as of wait(2).
    void (*ended)(struct child *child, int status);
};

// Asks for a prober for this engine whose socket is this one, which stays the caller's. False if it
// cannot be asked for; then there is no child.
bool supervisor_start(struct supervisor *supervisor, struct child *child, enum engine engine,
                      int socket, const struct child_events *events, struct error *error)
    __attribute__((warn_unused_result));

// SIGKILL. What must be told of it is told all the same.
void supervisor_kill(struct child *child);

// The loop may end without it; it is still told of while the loop goes on.
void supervisor_wait_no_more(struct child *child);

// The first of those that have not ended, and the one after it; NULL: none.
struct child *supervisor_first(const struct supervisor *supervisor);
struct child *supervisor_next(const struct child *child);

// The child's object goes: nothing more is told of it.
void supervisor_forget(struct child *child);

uv_loop_t *supervisor_loop(const struct supervisor *supervisor);

// Of the supervisor itself.
const struct process_times *supervisor_times(const struct supervisor *supervisor);

// Closes the handle; the loop frees the object. There must be no child left.
void supervisor_detach(struct supervisor *supervisor);
