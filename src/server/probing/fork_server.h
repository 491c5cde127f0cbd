// What all probers of one program come from: a process that has the program's libraries loaded, and
// forks. It is started at the first need, and again after its end, at the next. Where the kernel
// cannot do that, the program is started once for each prober.
#pragma once

#include "common/error.h"
#include "server/probing/cpu_time.h"

#include <sys/queue.h>
#include <uv.h>

struct fork_server;

// Made with one holder, and freed, with its process killed, when the last one has released it. All
// that were asked for must have been given up by then. Nothing is started yet.
struct fork_server *fork_server_new(uv_loop_t *loop, const char *program);
struct fork_server *fork_server_hold(struct fork_server *server);
void fork_server_release(struct fork_server *server);

uv_loop_t *fork_server_loop(const struct fork_server *server);

// The making of one process; part of its owner's object. All fields are the fork server's.
struct birth {
    TAILQ_ENTRY(birth) link;
    const struct birth_events *events;
    struct fork_server *server; // while it waits to be asked for
    struct incarnation *by;     // the process whose work for it counts; NULL: none (any more)
    int socket;                 // until there is an event
    pid_t pid;                  // if the process is there at once; 0: see birth_events
    struct cpu_time before;     // what `by` had used when it began to count
    struct cpu_time spent;      // by those before `by`
};

// Either comes once, from the loop, unless the birth was called off.
struct birth_events {
    // The process is there: our child, for us to reap. It may have ended by now.
    void (*born)(struct birth *birth, pid_t pid);
    // There is none and will be none; `how` is for the log.
    void (*failed)(struct birth *birth, const char *how);
};

// Has a process made whose socket is this one, which is taken over. It may be there at once: then
// its id is in birth->pid, and no event comes. False, with the socket closed, if the program cannot
// be started.
bool fork_server_bear(struct fork_server *server, struct birth *birth, int socket,
                      const struct birth_events *events, struct error *error)
    __attribute__((warn_unused_result));

// Takes back what is not under way yet; there will be no event. False if it is under way.
bool fork_server_call_off(struct birth *birth) __attribute__((warn_unused_result));

// Reads what has been answered already, without waiting: it may be `born` or `failed` within the
// call.
void fork_server_look(struct birth *birth);

// Of one under way that takes too long: kills the process that should make it, unless that has only
// just been started. If its child is there nevertheless, it is `born`, else `failed`; that may be
// from within the call.
void fork_server_give_up(struct birth *birth);

// The next birth is another process's, with a memory layout and stack canary of its own.
void fork_server_renew(struct fork_server *server);

// What the making has taken so far; no more once there was an event.
struct cpu_time birth_cpu(const struct birth *birth);

// True if who makes it is on a CPU or waits for one at this moment.
bool birth_is_ready(const struct birth *birth);

// For when the loop has nothing else to do: closes the handles of processes that SIGKILL has not
// ended.
void fork_server_forget_unended(uv_loop_t *loop);
