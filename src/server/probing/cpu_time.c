// See cpu_time.h. In dbhealthd, of its probers and the fork server.
#include "server/probing/cpu_time.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

int cpu_time_open(pid_t pid)
{
    char path[64];
    (void)snprintf(path, sizeof path, "/proc/%d/schedstat", pid);
    return open(path, O_RDONLY | O_CLOEXEC);
}

bool cpu_time_read(int schedstat, struct cpu_time *time)
{
    char text[128];
    ssize_t length = schedstat < 0 ? -1 : pread(schedstat, text, sizeof text - 1, 0);
    if (length <= 0)
        return false;
    text[length] = '\0';
    char *rest;
    time->used_ns = strtoll(text, &rest, 10); // "ns on a CPU, ns waiting for one, slices"
    time->waited_ns = strtoll(rest, NULL, 10);
    return true;
}

// The letter after the name in parentheses: proc(5). 0 if there is no such process.
static char cpu_time_state_of(pid_t pid)
{
    char path[64];
    char text[512];
    (void)snprintf(path, sizeof path, "/proc/%d/stat", pid);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return 0;
    ssize_t length = read(file, text, sizeof text - 1);
    close(file);
    if (length <= 0)
        return 0;
    text[length] = '\0';
    const char *end = strrchr(text, ')');
    return end != NULL && end[1] == ' ' ? end[2] : 0;
}

bool cpu_is_wanted(pid_t pid)
{
    return cpu_time_state_of(pid) == 'R';
}

bool cpu_is_withheld(pid_t pid)
{
    char state = cpu_time_state_of(pid);
    return state == 'T' || state == 't';
}
