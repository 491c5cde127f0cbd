// See failures.h. The first failure costs no wait: a process that was killed once is started anew
// for the next check.
#include "server/probing/failures.h"

#include "server/probing/backoff.h"

enum { HOPELESS_COUNT = 5, HOPELESS_MS = 30000 };

struct duration failures_note(struct failures *failures, struct instant now)
{
    struct duration wait = backoff_wait(&backoff_failed_start, failures->in_a_row);
    if (failures->in_a_row++ == 0)
        failures->first = now;
    failures->last = now;
    failures->not_before = instant_add(now, wait);
    return wait;
}

void failures_end(struct failures *failures)
{
    failures->in_a_row = 0;
}

bool failures_allow_start(const struct failures *failures, struct instant now)
{
    return !instant_before(now, failures->not_before);
}

bool failures_are_hopeless(const struct failures *failures)
{
    return failures->in_a_row >= HOPELESS_COUNT &&
           instant_since(failures->first, failures->last).ms >= HOPELESS_MS;
}
