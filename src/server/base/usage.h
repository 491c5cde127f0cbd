// What this process costs, as the system counts it. The probers are processes of their own and not
// in it.
#pragma once

#include <stdint.h>

struct usage {
    int64_t cpu_us; // user and system, since the start
    uint64_t resident_bytes;
    uint64_t virtual_bytes;
    uint64_t open_descriptors;
    uint64_t most_descriptors;
};

// As of now; 0 for what the system does not tell.
struct usage usage_now(void);
