// All that scheduler and prober need of the world: the time, wake-ups, and prober processes. libuv
// gives it to them in the program (platform_uv.h), virtual time in the tests. So they have neither
// a clock nor a loop of their own, and what they decide can be shown for any order of events.
#pragma once

#include "common/error.h"
#include "common/target.h"
#include "common/wire.h"
#include "server/probing/alarm.h"
#include "server/probing/cpu_time.h"

struct platform;

// One incarnation of a prober program; the platform's.
struct prober_process;

// What the owner of a process is told, but from within no call of its own, except for `receive`.
// None comes after `kill` or `end`.
struct prober_process_events {
    // A well-formed reply; what it owns is freed after the call unless taken (set to NULL).
    void (*replied)(void *owner, struct reply *reply);
    // The process has ended, or sent something that is no reply; `how` is for the log. It is gone.
    // NULL: it has left, of its own accord and well.
    void (*died)(void *owner, const char *how);
};

struct platform_functions {
    // The time, read afresh.
    struct instant (*now)(struct platform *platform);

    // From now on platform_ring is to be called at this instant, and at none that was named before;
    // INT64_MAX: not at all. It may be called at other times as well.
    void (*wake_at)(struct platform *platform, struct instant at);

    // Has a process of the engine's program made; NULL if it cannot be started. It takes calls at
    // once, though it may be there only later, or never: then it `died`.
    struct prober_process *(*start)(struct platform *platform, enum engine engine,
                                    const struct prober_process_events *events, void *owner,
                                    struct error *error);

    // Sends a call. False if the process no longer takes any: kill it.
    bool (*send)(struct prober_process *process, const struct call *call);

    // Reads what has been sent already, without waiting; `replied` or `died` may be called.
    void (*receive)(struct prober_process *process);

    // True once it has come so far as to take a call.
    bool (*has_asked)(const struct prober_process *process);

    // True if its silence may be the server's: it has asked, and is not stopped.
    bool (*asks)(const struct prober_process *process);

    // What it has had of the CPU since it was started.
    struct cpu_time (*cpu)(const struct prober_process *process);

    // True if it is on a CPU or waits for one at this moment: it does not wait for the server.
    bool (*is_ready)(const struct prober_process *process);

    // Ends it now.
    void (*kill)(struct prober_process *process);

    // Has it say goodbye to the server and end; killed if it has not within the grace.
    void (*end)(struct prober_process *process, struct duration grace);
};

// Made by an implementation, as part of its own object.
struct platform {
    const struct platform_functions *functions;
    struct alarms alarms;
    struct instant wakes_at; // what wake_at was told last
    bool ringing;
    char sandbox[SANDBOX_TEXT_MAX];     // that the server is in, as sandbox_describe has it
    void (*before_wait)(void *context); // NULL: nothing to do
    void *context;
};

// With no alarm set.
struct platform platform_with(const struct platform_functions *functions);

// The time, read afresh.
struct instant platform_now(struct platform *platform);

// Rings an alarm at this instant, or as soon as it can be when that has passed; never within the
// call.
void platform_set_alarm(struct platform *platform, struct alarm *alarm, struct instant at);

// Nothing happens if it is not set.
void platform_clear_alarm(struct platform *platform, struct alarm *alarm);

// From now on this is called whenever all has been done that there was to do, before waiting for
// more: what fell due at one moment is known together by then. NULL: nothing is.
void platform_call_before_wait(struct platform *platform, void (*before_wait)(void *context),
                               void *context);

// For the implementation. Rings all alarms that are due.
void platform_ring(struct platform *platform);

// Likewise. Before it waits.
void platform_before_wait(struct platform *platform);
