// What one probe ended in. The enum and the table in outcome.c are the only places where an outcome
// is added; parser, log, bodies, wire and README walk the table.
#pragma once

#include <stdbool.h>

enum outcome {
    OUTCOME_OK,
    OUTCOME_FAILED, // judged from the rows, never over the wire
    OUTCOME_NO_ROW, // likewise
    OUTCOME_NOT_ACCEPTING,
    OUTCOME_TERMINATED,
    OUTCOME_DENIED,
    OUTCOME_SATURATED,
    OUTCOME_QUOTA,
    OUTCOME_QUERY_TIMEOUT,
    OUTCOME_MISSING,
    OUTCOME_SERVER_ERROR,
    OUTCOME_TLS,
    OUTCOME_REFUSED,
    OUTCOME_UNREACHABLE,
    OUTCOME_TIMEOUT,
    OUTCOME_LOST,
    OUTCOME_CRASHED,
    OUTCOME_CONFIG,
    OUTCOME_TOO_LARGE,
    OUTCOME_STARVED,
    OUTCOME_UNKNOWN,
    OUTCOME_SKIPPED,
    OUTCOME_COUNT // not an outcome
};

// Who spoke last. It decides what /healthz may conclude.
enum outcome_group {
    GROUP_ANSWERED, // the server said something, so it is alive
    GROUP_SILENT,   // the server said nothing
    GROUP_OWN,      // the fault is the adapter's or its configuration's: nothing is known
    GROUP_NONE      // not run on purpose
};

struct outcome_info {
    const char *code; // as shown in logs, bodies and metrics, and named in `tolerate`
    enum outcome_group group;
    bool judged;          // from rows, by the adapter; no driver reports it
    const char *sentence; // what happened and whose fault it is
    const char *advice;   // what to do about it; "" for nothing
};

// The row of the table; never NULL.
const struct outcome_info *outcome_info(enum outcome outcome);

// The outcome with this code. False if there is none.
bool outcome_from_code(const char *code, enum outcome *outcome) __attribute__((warn_unused_result));

// True for what a driver may report over the wire.
bool outcome_is_reportable(enum outcome outcome);

// A set of outcomes, one bit each.
struct outcome_set {
    unsigned bits;
};

bool outcome_set_has(struct outcome_set set, enum outcome outcome);

// Adds the outcome with this code, or all that the group `answered` or `silent` stands for (every
// outcome of it but ok and the judged ones). False if the word names neither, or one that cannot be
// tolerated (ok, skipped, the adapter's own).
bool outcome_set_add(struct outcome_set *set, const char *word) __attribute__((warn_unused_result));
