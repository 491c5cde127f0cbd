// Wake-ups at instants, each a call that comes once. All of them are in one heap, so that whoever
// waits for the first needs one timer. Pure: the caller brings the time.
#pragma once

#include "common/instant.h"

#include <stddef.h>

// Part of its owner's object, who sets `ring` and zeroes the rest before its first use.
struct alarm {
    void (*ring)(struct alarm *alarm); // the alarm is not set any more by then
    struct instant at;
    uint64_t order; // of two for the same instant, the one that was set first rings first
    size_t place;   // in the heap, from 1; 0: it is not set
};

// Starts as {0}.
struct alarms {
    struct alarm **heap;
    size_t count, capacity;
    uint64_t order;
};

// Sets it, anew if it was set.
void alarms_set(struct alarms *alarms, struct alarm *alarm, struct instant at);

// Nothing happens if it is not set.
void alarms_clear(struct alarms *alarms, struct alarm *alarm);

bool alarm_is_set(const struct alarm *alarm);

// When the first one is to ring; INT64_MAX if none is set.
struct instant alarms_next(const struct alarms *alarms);

// Takes out the first that is due; NULL if none is.
struct alarm *alarms_take_due(struct alarms *alarms, struct instant now);

// Forgets those that are set.
void alarms_free(struct alarms *alarms);
