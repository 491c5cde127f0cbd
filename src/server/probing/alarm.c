// See alarm.h. A binary heap; an alarm knows its place in it, so that it can be taken back.
#include "server/probing/alarm.h"

#include "common/memory.h"

#include <stdlib.h>

static bool alarm_is_before(const struct alarm *one, const struct alarm *other)
{
    return one->at.ns != other->at.ns ? one->at.ns < other->at.ns : one->order < other->order;
}

static void alarm_put(struct alarms *alarms, struct alarm *alarm, size_t place)
{
    alarms->heap[place - 1] = alarm;
    alarm->place = place;
}

// Puts it at this place, or above it.
static void alarm_rise(struct alarms *alarms, struct alarm *alarm, size_t place)
{
    while (place > 1 && alarm_is_before(alarm, alarms->heap[place / 2 - 1])) {
        alarm_put(alarms, alarms->heap[place / 2 - 1], place);
        place /= 2;
    }
    alarm_put(alarms, alarm, place);
}

// Puts it at this place, or below it.
static void alarm_sink(struct alarms *alarms, struct alarm *alarm, size_t place)
{
    for (;;) {
        size_t child = 2 * place;
        if (child < alarms->count && alarm_is_before(alarms->heap[child], alarms->heap[child - 1]))
            child++;
        if (child > alarms->count || alarm_is_before(alarm, alarms->heap[child - 1]))
            break;
        alarm_put(alarms, alarms->heap[child - 1], place);
        place = child;
    }
    alarm_put(alarms, alarm, place);
}

void alarms_set(struct alarms *alarms, struct alarm *alarm, struct instant at)
{
    alarms_clear(alarms, alarm);
    if (alarms->count == alarms->capacity) {
        alarms->capacity = 2 * alarms->capacity + 16;
        alarms->heap = memory_grow(alarms->heap, alarms->capacity * sizeof(struct alarm *));
    }
    alarm->at = at;
    alarm->order = alarms->order++;
    alarm_rise(alarms, alarm, ++alarms->count);
}

void alarms_clear(struct alarms *alarms, struct alarm *alarm)
{
    if (alarm->place == 0)
        return;
    struct alarm *last = alarms->heap[--alarms->count];
    if (last != alarm && alarm_is_before(last, alarm))
        alarm_rise(alarms, last, alarm->place);
    else if (last != alarm)
        alarm_sink(alarms, last, alarm->place);
    alarm->place = 0;
}

bool alarm_is_set(const struct alarm *alarm)
{
    return alarm->place > 0;
}

struct instant alarms_next(const struct alarms *alarms)
{
    return alarms->count > 0 ? alarms->heap[0]->at : (struct instant){.ns = INT64_MAX};
}

struct alarm *alarms_take_due(struct alarms *alarms, struct instant now)
{
    if (instant_before(now, alarms_next(alarms)))
        return NULL;
    struct alarm *first = alarms->heap[0];
    alarms_clear(alarms, first);
    return first;
}

void alarms_free(struct alarms *alarms)
{
    free(alarms->heap);
    *alarms = (struct alarms){0};
}
