// See job.h.
#include "server/probing/job.h"

#include "server/probing/backoff.h"

#include <assert.h>

void job_note_silence(struct job *job, struct instant began, struct instant now)
{
    if (job->silences++ == 0)
        job->silent_since = began;
    job->held_until = instant_add(now, backoff_wait(&backoff_unanswered_run, job->silences));
}

void job_note_answer(struct job *job)
{
    job->silences = 0;
}

bool job_is_held(const struct job *job, struct instant now)
{
    return job->silences > 0 && instant_before(now, job->held_until);
}

struct duration job_silence(const struct job *job, struct instant now)
{
    return instant_since(job->silent_since, now);
}

void jobs_init(struct jobs *jobs)
{
    *jobs = (struct jobs){0};
    TAILQ_INIT(&jobs->queue);
    TAILQ_INIT(&jobs->batch);
}

static bool job_goes_before(const struct job *one, const struct job *other)
{
    return one->requested != other->requested ? one->requested : one->arrival < other->arrival;
}

// Before nothing up to `behind`, unless that is NULL.
static void job_list_add(struct job_list *list, struct job *job, const struct job *behind)
{
    struct job *before = TAILQ_LAST(list, job_list);
    while (before != NULL && before != behind && job_goes_before(job, before))
        before = TAILQ_PREV(before, job_list, link);
    if (before != NULL)
        TAILQ_INSERT_AFTER(list, before, job, link);
    else
        TAILQ_INSERT_HEAD(list, job, link);
}

static struct job_list *jobs_list_of(struct jobs *jobs, enum job_place place)
{
    if (place == JOB_IDLE)
        return NULL;
    return place == JOB_QUEUED ? &jobs->queue : &jobs->batch;
}

static void jobs_forget(struct jobs *jobs, struct job *job)
{
    job->requested = job->in_doubt = false;
    if (job == jobs->timed)
        jobs->timed = NULL;
    if (job == jobs->running)
        jobs->running = NULL;
}

void jobs_place(struct jobs *jobs, struct job *job, enum job_place place)
{
    struct job_list *from = jobs_list_of(jobs, job->place);
    struct job_list *to = jobs_list_of(jobs, place);
    assert(place == JOB_IDLE || job != jobs->running);
    if (from == NULL)
        job->arrival = jobs->arrivals++;
    else
        TAILQ_REMOVE(from, job, link);
    if (to != NULL)
        job_list_add(to, job, to == &jobs->batch ? jobs->running : NULL);
    else
        jobs_forget(jobs, job);
    job->place = place;
}

void jobs_want(struct jobs *jobs, struct job *job, bool requested)
{
    job->requested |= requested;
    if (job != jobs->running)
        jobs_place(jobs, job, job->place == JOB_IDLE ? JOB_QUEUED : job->place);
}

void jobs_release(struct jobs *jobs, struct job *job)
{
    if (!job->requested)
        return;
    job->requested = false;
    if (job != jobs->running)
        jobs_place(jobs, job, job->place);
}

struct job *jobs_first(const struct jobs *jobs)
{
    return TAILQ_FIRST(&jobs->batch);
}

struct job *jobs_take_first(struct jobs *jobs)
{
    struct job *job = jobs_first(jobs);
    jobs_place(jobs, job, JOB_IDLE);
    return job;
}

bool jobs_has_others(const struct jobs *jobs)
{
    return TAILQ_NEXT(jobs_first(jobs), link) != NULL || !TAILQ_EMPTY(&jobs->queue);
}

bool jobs_keep_requests_waiting(const struct jobs *jobs)
{
    const struct job *next = jobs_first(jobs);
    const struct job *queued = TAILQ_FIRST(&jobs->queue);
    return next != NULL && !next->requested && queued != NULL && queued->requested;
}

void jobs_fill_batch(struct jobs *jobs)
{
    while (!TAILQ_EMPTY(&jobs->queue))
        jobs_place(jobs, TAILQ_FIRST(&jobs->queue), JOB_IN_BATCH);
}

void jobs_empty_batch(struct jobs *jobs)
{
    while (!TAILQ_EMPTY(&jobs->batch))
        jobs_place(jobs, TAILQ_FIRST(&jobs->batch), JOB_QUEUED);
}

void jobs_gather(struct jobs *jobs)
{
    struct job *job;
    jobs_empty_batch(jobs);
    TAILQ_FOREACH(job, &jobs->queue, link)
        job->requested = false;
    jobs_fill_batch(jobs);
}
