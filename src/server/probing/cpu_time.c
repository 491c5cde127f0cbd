// See cpu_time.h. The supervisor opens these files of its children and of itself, for us to read.
#include "server/probing/cpu_time.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const struct process_times process_times_none = {.schedstat = -1, .stat = -1};

struct cpu_time cpu_time_add(struct cpu_time a, struct cpu_time b)
{
    return (struct cpu_time){.used_ns = a.used_ns + b.used_ns,
                             .waited_ns = a.waited_ns + b.waited_ns};
}

struct cpu_time cpu_time_subtract(struct cpu_time a, struct cpu_time b)
{
    return (struct cpu_time){.used_ns = a.used_ns - b.used_ns,
                             .waited_ns = a.waited_ns - b.waited_ns};
}

void process_times_close(struct process_times *times)
{
    if (times->schedstat >= 0)
        close(times->schedstat);
    if (times->stat >= 0)
        close(times->stat);
    *times = process_times_none;
}

// Anew from the start. False if there is nothing to read.
static bool cpu_time_read_file(int file, char *text, size_t capacity)
{
    ssize_t length = file < 0 ? -1 : pread(file, text, capacity - 1, 0);
    if (length <= 0)
        return false;
    text[length] = '\0';
    return true;
}

bool cpu_time_read(const struct process_times *times, struct cpu_time *time)
{
    char text[128], *rest;
    if (!cpu_time_read_file(times->schedstat, text, sizeof text))
        return false;
    time->used_ns = strtoll(text, &rest, 10); // "ns on a CPU, ns waiting for one, slices"
    time->waited_ns = strtoll(rest, NULL, 10);
    return true;
}

// The letter after the name in parentheses. 0 if there is no such process.
static char cpu_time_state_of(const struct process_times *times)
{
    char text[512];
    if (!cpu_time_read_file(times->stat, text, sizeof text))
        return 0;
    const char *end = strrchr(text, ')');
    return end != NULL && end[1] == ' ' ? end[2] : 0;
}

bool cpu_is_wanted(const struct process_times *times)
{
    return cpu_time_state_of(times) == 'R';
}

bool cpu_is_withheld(const struct process_times *times)
{
    char state = cpu_time_state_of(times);
    return state == 'T' || state == 't';
}
