// See history.h. A minute without a result of its own has the verdict of the result before, as long
// as that one was served: a check with a period of an hour has no gaps. What nobody asked for has.
#include "server/check/history.h"

#define NS_PER_MINUTE INT64_C(60000000000)

enum { NS_PER_US = 1000, NS_PER_S = 1000000000, NOTHING = 0 };

static const uint32_t took_most_us = 3600U * 1000 * 1000;

static int64_t history_minute_of(struct instant instant)
{
    return instant.ns / NS_PER_MINUTE;
}

static uint8_t *history_place_of(struct history *history, int64_t minute)
{
    return &history->minutes[minute % HISTORY_MINUTES];
}

static uint8_t history_worse(uint8_t one, uint8_t other)
{
    static const uint8_t badness[] = {
        [NOTHING] = 0,          [1 + VERDICT_SKIPPED] = 1, [1 + VERDICT_PASS] = 2,
        [1 + VERDICT_WARN] = 3, [1 + VERDICT_UNKNOWN] = 4, [1 + VERDICT_FAIL] = 5};
    return badness[one] > badness[other] ? one : other;
}

// What the latest result makes of a minute after its own.
static uint8_t history_held_in(const struct history *history, int64_t minute)
{
    const struct past_result *latest = history_result(history, 0);
    bool held = latest != NULL && history->held_until.ns > minute * NS_PER_MINUTE;
    return held ? (uint8_t)(1 + latest->verdict) : NOTHING;
}

static void history_go_to_minute(struct history *history, int64_t minute)
{
    int64_t oldest = minute - HISTORY_MINUTES + 1;
    for (int64_t i = history->minute < oldest ? oldest : history->minute + 1; i <= minute; i++)
        *history_place_of(history, i) = history_held_in(history, i);
    if (minute > history->minute)
        history->minute = minute;
}

static void history_keep_result(struct history *history, const struct arrival *arrival)
{
    int64_t took_us = arrival->took_ns / NS_PER_US;
    if (arrival->took_ns > 0 && took_us == 0)
        took_us = 1;
    history->results[history->next] =
        (struct past_result){.came_s = (uint32_t)(arrival->came.ns / NS_PER_S),
                             .took_us = took_us < took_most_us ? (uint32_t)took_us : took_most_us,
                             .verdict = (uint8_t)arrival->judgement.verdict,
                             .outcome = (uint8_t)arrival->judgement.outcome};
    history->next = (uint8_t)((history->next + 1) % HISTORY_RESULTS);
    if (history->count < HISTORY_RESULTS)
        history->count++;
}

void history_add(struct history *history, const struct arrival *arrival)
{
    const struct past_result *latest = history_result(history, 0);
    bool first = latest == NULL;
    int64_t minute = history_minute_of(arrival->came);
    if (first || latest->verdict != arrival->judgement.verdict) {
        history->since = arrival->came;
        history->changed = !first;
    }
    history_go_to_minute(history, minute);
    if (minute > history->minute - HISTORY_MINUTES) {
        uint8_t *place = history_place_of(history, minute);
        *place = history_worse(*place, (uint8_t)(1 + arrival->judgement.verdict));
    }
    history_keep_result(history, arrival);
    history->held_until = arrival->held_until;
}

const struct past_result *history_result(const struct history *history, size_t back)
{
    if (back >= history->count)
        return NULL;
    size_t after = (size_t)history->next + HISTORY_RESULTS;
    return &history->results[(after - 1 - back) % HISTORY_RESULTS];
}

enum verdict history_minute(const struct history *history, unsigned back, struct instant now)
{
    int64_t minute = history_minute_of(now) - back;
    uint8_t kept = NOTHING;
    if (minute > history->minute)
        kept = history_held_in(history, minute);
    else if (minute > history->minute - HISTORY_MINUTES && minute >= 0)
        kept = history->minutes[minute % HISTORY_MINUTES];
    return kept == NOTHING ? VERDICT_COUNT : (enum verdict)(kept - 1);
}

struct instant history_minute_start(unsigned back, struct instant now)
{
    return (struct instant){.ns = (history_minute_of(now) - back) * NS_PER_MINUTE};
}
