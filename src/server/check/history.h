// What became of a check lately: its last results one by one, and the worst verdict of each minute
// of the last hour. Bounded, about 0.8 KB a check, and filled once a result: no request costs
// anything. Pure.
#pragma once

#include "server/check/verdict.h"

enum { HISTORY_RESULTS = 60, HISTORY_MINUTES = 60 };

struct past_result {
    uint32_t came_s;  // when it was there, in seconds of the clock of instants
    uint32_t took_us; // at most an hour; 0: it is from no run
    uint8_t verdict;  // enum verdict
    uint8_t outcome;  // enum outcome
};

// Starts as {0}. Private but for `since` and `changed`.
struct history {
    struct past_result results[HISTORY_RESULTS]; // a ring
    uint8_t minutes[HISTORY_MINUTES];            // a ring too: a verdict and 1, or 0 for none
    uint8_t count, next;                         // of results
    int64_t minute;                              // the latest that has its place in minutes
    struct instant held_until;                   // how long the latest result is served
    struct instant since;                        // when the verdict became what it is; 0: never
    bool changed;                                // it was another before that
};

// A result as it arrives.
struct arrival {
    struct instant came;
    int64_t took_ns; // 0: it is from no run
    struct judgement judgement;
    struct instant held_until; // it may be served until then
};

void history_add(struct history *history, const struct arrival *arrival);

// The result before so many others, 0 for the latest; NULL: not known any more.
const struct past_result *history_result(const struct history *history, size_t back);

// The worst verdict of the minute so many before the one that now is in; VERDICT_COUNT if there was
// neither a result in it nor an earlier one that still held. A failure is the worst, then what is
// unknown, a warning, a pass.
enum verdict history_minute(const struct history *history, unsigned back, struct instant now);

// When the minute so many before began.
struct instant history_minute_start(unsigned back, struct instant now);
