// One incarnation of a prober program: its process, its socket, its end. Knows the wire's framing
// and nothing of what the verbs are for.
#pragma once

#include "common/error.h"
#include "common/wire.h"

#include <uv.h>

struct prober_process;

// What the owner is told, from the loop. None comes after prober_process_kill or _end.
struct prober_process_events {
    // A well-formed reply; what it owns is freed after the call unless taken (set to NULL).
    void (*replied)(void *owner, struct reply *reply);
    // The process has ended, or sent something that is no reply; `how` is for the log. The object
    // frees itself after the call.
    void (*died)(void *owner, const char *how);
};

// Starts the program; NULL if that fails, or if too many that the same owner started have been killed
// and not ended. The object belongs to the loop: it lives until the process has been reaped and its
// handles are closed.
struct prober_process *prober_process_start(uv_loop_t *loop, const char *program,
                                            const struct prober_process_events *events, void *owner,
                                            struct error *error);

// Sends a call. False if the process no longer takes any: kill it.
bool prober_process_send(struct prober_process *process, const struct call *call)
    __attribute__((warn_unused_result));

// Reads what has been sent already, without waiting; `replied` or `died` may be called.
void prober_process_receive(struct prober_process *process);

// SIGKILL, and no more events.
void prober_process_kill(struct prober_process *process);

// Closes the socket, so that the prober says goodbye to the server and exits; SIGKILL if it has not
// within the grace. No more events.
void prober_process_end(struct prober_process *process, struct duration grace);

// For when the loop has nothing else to do: frees what is left of processes that SIGKILL has not ended.
void prober_process_forget_unended(uv_loop_t *loop);

// A process's time since it started, from /proc/PID/schedstat; zeros if the kernel does not tell.
struct cpu_time {
    int64_t used_ns;   // on a CPU
    int64_t waited_ns; // ready to run without getting one; a wait counts when it has ended
};

struct cpu_time prober_process_cpu(const struct prober_process *process);

// True if the process is on a CPU or waits for one at this moment: it does not wait for the server.
bool prober_process_is_ready(const struct prober_process *process);
