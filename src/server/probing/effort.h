// Whether we had the CPU to do our part: the adapter's loop and one prober process, over a span
// that begins when a check's time does. It tells `starved` from `timeout`.
#pragma once

#include "server/probing/platform.h"

enum { EFFORT_PERIOD_MS = 50 }; // between two looks

// Part of its owner's object.
struct effort {
    struct instant since;
    struct instant last_look;
    struct cpu_time at_start; // of the process
    int64_t stalled_ns;       // the loop did not turn
    int64_t frozen_ns;        // the process was ready to run and did not get to
    int64_t absent_ns;        // the process had not come so far as to take its call
    int64_t unable_ns;        // likewise, or it was stopped
    bool was_absent;          // at the last look
    bool was_unable;          // likewise
    bool was_ready;           // likewise
    bool deaf;                // at the last look: stopped, or ready to run and does not get to
    int64_t was_used_ns;      // what the process had had of the CPU by then
    bool resting;             // nobody looks every so often any more
};

// A new span has begun, just now or while the process was started, which may have stalled, too. The
// process is NULL if there is none, here and below.
void effort_begin(struct effort *effort, struct platform *platform,
                  const struct prober_process *process, struct instant since);

// To be called every EFFORT_PERIOD_MS while the span lasts.
void effort_look(struct effort *effort, struct platform *platform,
                 const struct prober_process *process);

// From now on effort_look is called only when somebody wants to know, so that the loop does not
// turn in between is no stall any more. Who calls it more often than every EFFORT_PERIOD_MS then
// sees nothing new.
void effort_rest(struct effort *effort);

// True if an answer of the server would not have been heard lately, as of the last look.
bool effort_is_deaf(const struct effort *effort);

// True if for more than half of a span of this length the prober waited for a CPU, or the loop did
// not turn.
bool effort_lacks_cpu(const struct effort *effort, struct platform *platform,
                      const struct prober_process *process, struct duration span);

// True if it was so, or if the process was only on its way for as long: then we, not the server,
// may be why there is no answer.
bool effort_is_starved(const struct effort *effort, struct platform *platform,
                       const struct prober_process *process, struct duration span);

// True if it lacked the CPU, or the process could not ask, for so long.
bool effort_is_wanting(const struct effort *effort, struct platform *platform,
                       const struct prober_process *process, struct duration span);
