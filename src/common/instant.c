// Instants and durations; the only place that asks the operating system for the time of deadlines
// and ages. CLOCK_BOOTTIME rather than CLOCK_MONOTONIC: a verdict taken before the machine slept
// must count as old when it wakes up.
#include "common/instant.h"

#include <assert.h>
#include <time.h>

enum { NS_PER_MS = 1000000 };

struct instant instant_now(void)
{
    struct timespec now;
    int failed = clock_gettime(CLOCK_BOOTTIME, &now);
    assert(failed == 0);
    return (struct instant){.ns = (int64_t)now.tv_sec * 1000 * NS_PER_MS + now.tv_nsec};
}

struct instant instant_add(struct instant start, struct duration length)
{
    return (struct instant){.ns = start.ns + length.ms * NS_PER_MS};
}

bool instant_before(struct instant a, struct instant b)
{
    return a.ns < b.ns;
}

struct duration instant_left(struct instant deadline, struct instant now)
{
    if (deadline.ns <= now.ns)
        return (struct duration){.ms = 0};
    return (struct duration){.ms = (deadline.ns - now.ns + NS_PER_MS - 1) / NS_PER_MS};
}

struct duration instant_since(struct instant start, struct instant now)
{
    if (now.ns <= start.ns)
        return (struct duration){.ms = 0};
    return (struct duration){.ms = (now.ns - start.ns) / NS_PER_MS};
}
