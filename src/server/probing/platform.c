// See platform.h.
#include "server/probing/platform.h"

struct platform platform_with(const struct platform_functions *functions)
{
    return (struct platform){.functions = functions, .wakes_at = {.ns = INT64_MAX}};
}

struct instant platform_now(struct platform *platform)
{
    return platform->functions->now(platform);
}

// Tells the implementation of another first alarm: once, for all that happens while some ring.
static void platform_wake(struct platform *platform)
{
    struct instant next = alarms_next(&platform->alarms);
    if (platform->ringing || next.ns == platform->wakes_at.ns)
        return;
    platform->wakes_at = next;
    platform->functions->wake_at(platform, next);
}

void platform_set_alarm(struct platform *platform, struct alarm *alarm, struct instant at)
{
    alarms_set(&platform->alarms, alarm, at);
    platform_wake(platform);
}

void platform_clear_alarm(struct platform *platform, struct alarm *alarm)
{
    alarms_clear(&platform->alarms, alarm);
    platform_wake(platform);
}

void platform_ring(struct platform *platform)
{
    struct instant now = platform_now(platform);
    struct alarm *due;
    platform->ringing = true;
    while ((due = alarms_take_due(&platform->alarms, now)) != NULL)
        due->ring(due);
    platform->ringing = false;
    platform->wakes_at.ns = INT64_MAX; // it has come, perhaps too early
    platform_wake(platform);
}

void platform_call_before_wait(struct platform *platform, void (*before_wait)(void *context),
                               void *context)
{
    platform->before_wait = before_wait;
    platform->context = context;
}

void platform_before_wait(struct platform *platform)
{
    if (platform->before_wait != NULL)
        platform->before_wait(platform->context);
}
