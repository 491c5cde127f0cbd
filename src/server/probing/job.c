// See job.h.
#include "server/probing/job.h"

static bool job_goes_before(const struct job *one, const struct job *other)
{
    return one->requested != other->requested ? one->requested : one->arrival < other->arrival;
}

void job_list_add(struct job_list *list, struct job *job, const struct job *behind)
{
    struct job *before = TAILQ_LAST(list, job_list);
    while (before != NULL && before != behind && job_goes_before(job, before))
        before = TAILQ_PREV(before, job_list, link);
    if (before != NULL)
        TAILQ_INSERT_AFTER(list, before, job, link);
    else
        TAILQ_INSERT_HEAD(list, job, link);
}
