// See wall_time.h. An instant has no date; it is told by its distance from now.
#include "server/wall_time.h"

#include <stdio.h>
#include <time.h>

void wall_time_format(struct instant instant, char *text, size_t capacity)
{
    struct timespec now;
    struct tm utc;
    char seconds[32];
    (void)clock_gettime(CLOCK_REALTIME, &now);
    int64_t age_ms = instant_since(instant, instant_now()).ms;
    int64_t then_ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000 - age_ms;
    time_t then = (time_t)(then_ms / 1000);
    (void)gmtime_r(&then, &utc);
    (void)strftime(seconds, sizeof seconds, "%Y-%m-%dT%H:%M:%S", &utc);
    (void)snprintf(text, capacity, "%s.%03dZ", seconds, (int)(then_ms % 1000));
}
