// Whether we had the CPU to do our part: the adapter's loop and one prober process, over a span
// that begins when a check's time does. It tells `starved` from `timeout`.
//
// The loop's stalls show in looks that come too late. Of the process the kernel counts how long it
// has waited for a CPU (/proc/PID/schedstat), but a wait only when it has ended, and none for a
// process that is stopped now and then. So one that is ready at two looks has waited for all that
// it has not run in between. What the kernel counts belongs to the span: a span begins when the
// process has just run, or is not ready, so that no wait goes on which began before it.
#pragma once

#include "common/outcome.h"
#include "server/probing/platform.h"

enum { EFFORT_PERIOD_MS = 50 }; // between two looks

// Of the gaps between two looks those that were lost as a whole, and of the others what the process
// has waited for a CPU.
struct effort_sum {
    int64_t lost_ns;
    int64_t overlap_ns; // in these the process waited, too
    int64_t frozen_ns;  // in others, as far as looks have shown
};

// Part of its owner's object.
struct effort {
    struct platform *platform;
    const struct prober_process *process; // NULL: there is none
    struct instant since;
    struct instant last_look;
    struct cpu_time at_start; // of the process
    struct cpu_time by_then;  // likewise, at the last look
    struct effort_sum stalls; // the loop did not turn
    struct effort_sum lapses; // likewise, or the process could not have asked
    int64_t absent_ns;        // the process had not come so far as to take its call
    bool was_absent;          // at the last look
    bool was_unable;          // likewise
    bool was_ready;           // likewise
    bool deaf;                // likewise: it would not have heard an answer
    bool resting;             // nobody looks every so often any more
};

// A new span has begun, just now or while the process was started, which may have stalled, too. The
// process is NULL if there is none; while the span lasts it must live, or be lost.
void effort_begin(struct effort *effort, struct platform *platform,
                  const struct prober_process *process, struct instant since);

// There is no process any more.
void effort_lose_process(struct effort *effort);

// To be called every EFFORT_PERIOD_MS while the span lasts.
void effort_look(struct effort *effort);

// The process has just replied: it waits for us. If it is found ready next, it has become so since.
void effort_hear(struct effort *effort);

// The span is over: from now on effort_look is called only when somebody wants to know, so that the
// loop does not turn in between is no stall any more. Who calls it more often than every
// EFFORT_PERIOD_MS then sees nothing new.
void effort_rest(struct effort *effort);

// True if an answer of the server would not have been heard lately, as of the last look: the
// process cannot have asked, is stopped, or is ready to run and has had less than half of a CPU
// since the look before, in which it was ready, too, or which is long ago. One that waits for the
// server is not ready. Another look, EFFORT_PERIOD_MS after the last, tells whether it goes on: the
// server may have answered just now.
bool effort_is_deaf(const struct effort *effort);

// True if for more than half of a span of this length the prober waited for a CPU, or the loop did
// not turn.
bool effort_lacks_cpu(const struct effort *effort, struct duration span);

// True if it was so, or if the process was only on its way for as long: then we, not the server,
// may be why there is no answer.
bool effort_is_starved(const struct effort *effort, struct duration span);

// True if for more than half of a span it lacked the CPU, or the process could not ask or hear.
bool effort_is_wanting(const struct effort *effort, struct duration span);

// What it means that there is no answer yet, after so long: OUTCOME_TIMEOUT if the server has been
// asked and it is not for us; OUTCOME_STARVED if it may be, also if there may be an answer for
// which the process lacks the CPU just now; OUTCOME_CRASHED if the process cannot have asked by
// now, or could not for more than half of the time, for want of the CPU, too.
enum outcome effort_judge(const struct effort *effort, struct duration span);

// Likewise when nobody has looked for a while, and it was `known` to be this: nothing has changed
// since, unless we would not hear an answer now.
enum outcome effort_judge_now(struct effort *effort, enum outcome known);
