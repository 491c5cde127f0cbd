// Time in two types that cannot be mixed: a point in time and a length of time.
#pragma once

#include <stdbool.h>
#include <stdint.h>

// A point on CLOCK_BOOTTIME (time asleep counts, so a result never seems younger than it is).
// The clock is one for all processes of a machine: an instant may cross the wire.
struct instant {
    int64_t ns;
};

// A length of time in milliseconds. Never negative where it is configured.
struct duration {
    int64_t ms;
};

// The clock, read afresh: never a cached value.
struct instant instant_now(void);

struct instant instant_add(struct instant start, struct duration length);

bool instant_before(struct instant a, struct instant b);

// How long it is from now to the deadline, rounded up so that a remainder below the unit is not
// "no limit"; 0 once the deadline has come.
struct duration instant_left(struct instant deadline, struct instant now);

// How long ago start was, rounded down; 0 if it lies in the future.
struct duration instant_since(struct instant start, struct instant now);
