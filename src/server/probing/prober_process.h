// One incarnation of a prober program: its process, its socket, its end. Knows the wire's framing
// and nothing of what the verbs are for.
#pragma once

#include "server/probing/platform.h"
#include "server/probing/supervisor.h"

// Has the program for this engine started; NULL if that cannot be asked for, or if too many that
// the same owner started have been killed and not ended. It takes calls at once, though it may be
// there only later, or never: then it `died`. The object belongs to the loop: it lives until the
// process has ended and its handles are closed.
struct prober_process *prober_process_start(struct supervisor *supervisor, enum engine engine,
                                            const struct prober_process_events *events, void *owner,
                                            struct error *error);

// Sends a call. False if the process no longer takes any: kill it. One that could not be started
// takes any, for the supervisor is about to say why: then it `died`.
bool prober_process_send(struct prober_process *process, const struct call *call)
    __attribute__((warn_unused_result));

// True once it has come so far as to take a call. One that has replied before may have taken none
// since because of a goodbye that hangs.
bool prober_process_has_asked(const struct prober_process *process);

// True if its silence may be the server's: it has asked, and is not stopped.
bool prober_process_asks(const struct prober_process *process);

// Reads what has been sent already, without waiting; `replied` or `died` may be called.
void prober_process_receive(struct prober_process *process);

// SIGKILL, and no more events.
void prober_process_kill(struct prober_process *process);

// Closes the socket, so that the prober says goodbye to the server and exits; SIGKILL if it has not
// within the grace. No more events.
void prober_process_end(struct prober_process *process, struct duration grace);

// For when the loop has nothing else to do: frees what is left of processes that SIGKILL has not
// ended.
void prober_process_forget_unended(struct supervisor *supervisor);

// Since it was started: its own time, and before that the time of who starts it.
struct cpu_time prober_process_cpu(const struct prober_process *process);

// True if the process, or who starts it, is on a CPU or waits for one at this moment: it does not
// wait for the server.
bool prober_process_is_ready(const struct prober_process *process);
