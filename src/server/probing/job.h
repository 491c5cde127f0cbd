// A check that is to be run, in its prober's hands.
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

TAILQ_HEAD(job_list, job);

// Puts the job where it belongs: what requests wait for goes first, then who came first. It goes
// before nothing up to `behind`, unless that is NULL.
void job_list_add(struct job_list *list, struct job *job, const struct job *behind);
