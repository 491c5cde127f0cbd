// What the kernel tells of another process's share of the CPU.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

// A process's time since it started, from /proc/PID/schedstat; zeros if the kernel does not tell.
struct cpu_time {
    int64_t used_ns;   // on a CPU
    int64_t waited_ns; // ready to run without getting one; a wait counts when it has ended
};

struct cpu_time cpu_time_add(struct cpu_time a, struct cpu_time b);
struct cpu_time cpu_time_subtract(struct cpu_time a, struct cpu_time b);

// A descriptor to read a process's time from, for close(); -1 if it is not to be had.
int cpu_time_open(pid_t pid);

// False, with the time as it was, if the descriptor is -1 or the process has been reaped.
bool cpu_time_read(int schedstat, struct cpu_time *time);

// True if the process is on a CPU or waits for one at this moment.
bool cpu_is_wanted(pid_t pid);

// True if the process has been stopped, by a signal or a debugger.
bool cpu_is_withheld(pid_t pid);
