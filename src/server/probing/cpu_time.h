// What the kernel tells of another process's share of the CPU.
#pragma once

#include <stdbool.h>
#include <stdint.h>

// A process's time since it started; zeros if the kernel does not tell.
struct cpu_time {
    int64_t used_ns;   // on a CPU
    int64_t waited_ns; // ready to run without getting one; a wait counts when it has ended
};

struct cpu_time cpu_time_add(struct cpu_time a, struct cpu_time b);
struct cpu_time cpu_time_subtract(struct cpu_time a, struct cpu_time b);

// Open files of /proc/PID, see proc(5); -1: not to be had. They belong to that process alone: once
// it has been reaped nothing is to be read there any more.
struct process_times {
    int schedstat;
    int stat;
};

extern const struct process_times process_times_none;

void process_times_close(struct process_times *times);

// False, with the time as it was, if it is not to be had.
bool cpu_time_read(const struct process_times *times, struct cpu_time *time);

// True if the process is on a CPU or waits for one at this moment.
bool cpu_is_wanted(const struct process_times *times);

// True if the process has been stopped, by a signal or a debugger.
bool cpu_is_withheld(const struct process_times *times);
