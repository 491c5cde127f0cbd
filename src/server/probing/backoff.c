// See backoff.h. k8s/README.md states the schedules of logins, checks/README.md that of
// unanswered runs.
#include "server/probing/backoff.h"

const struct backoff backoff_pending_open = {.first_ms = 10000, .most_ms = 60000};
const struct backoff backoff_refused_secret = {.first_ms = 2000, .most_ms = 60000};
const struct backoff backoff_failed_start = {.first_ms = 100, .most_ms = 10000};
const struct backoff backoff_unanswered_run = {.first_ms = 1000, .most_ms = 30000};

struct duration backoff_wait(const struct backoff *backoff, unsigned tries)
{
    int64_t wait = tries > 0 ? backoff->first_ms : 0;
    for (unsigned i = 1; i < tries && wait < backoff->most_ms; i++)
        wait *= 2;
    return (struct duration){.ms = wait < backoff->most_ms ? wait : backoff->most_ms};
}
