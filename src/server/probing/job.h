// Checks that are to be run, in their prober's hands: those of the batch under way, and those that
// wait for the next. Pure.
#pragma once

#include "server/check/check.h"

#include <sys/queue.h>

enum job_place {
    JOB_IDLE,
    JOB_QUEUED,  // for the next batch
    JOB_IN_BATCH // under way
};

// Part of the object that has the check. All but `check` is the prober's.
struct job {
    TAILQ_ENTRY(job) link;
    const struct check *check; // sound, immutable while the job is not idle
    enum job_place place;
    bool requested;    // a request waits for it
    bool in_doubt;     // it is told what is known after another look
    uint64_t told;     // how often it has been told something
    uint64_t arrival;  // the number under which it came
    unsigned silences; // runs in a row that got no answer; the fields below hold if there were any
    struct instant silent_since; // the start of the first run of these
    struct instant held_until;   // no run before this
};

// A run of it, begun then, has got no answer by now. A kill leaves the server with a session that
// ends only when the server notices: so it is held back, ever longer.
void job_note_silence(struct job *job, struct instant began, struct instant now);

// A run has been answered, and the next one need not be held back.
void job_note_answer(struct job *job);

// Whether it may not run yet.
bool job_is_held(const struct job *job, struct instant now);

// For how long its runs have got no answer, if any has not.
struct duration job_silence(const struct job *job, struct instant now);

TAILQ_HEAD(job_list, job);

// In both lists what requests wait for goes first, then who came first; but who runs stays first in
// the batch. Part of the prober.
struct jobs {
    struct job_list queue;
    struct job_list batch;
    const struct job *running; // the first of the batch, while its run is unanswered; or NULL
    const struct job *timed;   // whose time runs; NULL: it has been dropped since, or none does
    uint64_t arrivals;         // how many jobs have come
};

void jobs_init(struct jobs *jobs);

// The only function that takes a job from one place to another, or to where it belongs now in the
// same. An idle one is no longer requested, in doubt, running or timed.
void jobs_place(struct jobs *jobs, struct job *job, enum job_place place);

// It is wanted for the next batch; or it stays where it is, but goes before those that no request
// waits for.
void jobs_want(struct jobs *jobs, struct job *job, bool requested);

// No request waits for it any more.
void jobs_release(struct jobs *jobs, struct job *job);

// The first of the batch; NULL if that is empty.
struct job *jobs_first(const struct jobs *jobs);

// Likewise, but there must be one, and it is idle then.
struct job *jobs_take_first(struct jobs *jobs);

// Whether there are others than the first of the batch.
bool jobs_has_others(const struct jobs *jobs);

// A request has come to wait for others than those of the batch.
bool jobs_keep_requests_waiting(const struct jobs *jobs);

// All that is queued goes into the batch.
void jobs_fill_batch(struct jobs *jobs);

// And back. None may be running.
void jobs_empty_batch(struct jobs *jobs);

// As jobs_fill_batch, but all are in the order in which they came, for each will be told, and no
// request waits then.
void jobs_gather(struct jobs *jobs);
