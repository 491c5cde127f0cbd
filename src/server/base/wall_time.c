// See wall_time.h. An instant has no date; it is told by its distance from now.
#include "server/base/wall_time.h"

#include <stdio.h>
#include <time.h>

struct moment moment_now(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (struct moment){.now = instant_now(),
                           .unix_ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000};
}

int64_t moment_unix_ms(const struct moment *moment, struct instant instant)
{
    return moment->unix_ms - (moment->now.ns - instant.ns) / 1000000;
}

int64_t wall_time_ms(struct instant instant)
{
    struct moment moment = moment_now();
    return moment_unix_ms(&moment, instant);
}

void wall_time_format_ms(int64_t unix_ms, char *text, size_t capacity)
{
    struct tm utc;
    char seconds[32];
    time_t then = (time_t)(unix_ms / 1000);
    (void)gmtime_r(&then, &utc);
    (void)strftime(seconds, sizeof seconds, "%Y-%m-%dT%H:%M:%S", &utc);
    (void)snprintf(text, capacity, "%s.%03dZ", seconds, (int)(unix_ms % 1000));
}

void wall_time_format(struct instant instant, char *text, size_t capacity)
{
    wall_time_format_ms(wall_time_ms(instant), text, capacity);
}
