// A check: one SQL file, as parsed. Immutable once its configuration is complete.
#pragma once

#include "common/instant.h"
#include "common/outcome.h"
#include "server/base/words.h"
#include "server/check/rule.h"
#include "server/check/server_range.h"

// The name of the one prober of checks whose source is peers, and of no other.
extern const char check_prober_of_peers[];

// Made by check_file_parse and config.c. Reference-counted: a check that a reload has found
// unchanged goes on in the next configuration, and with it what is known of it.
struct check {
    unsigned references;
    uint64_t digest;         // of the file's text
    char *name;              // the file's stem
    char *place;             // the file's path, for messages
    char *broken;            // why it cannot run, with the place; NULL: it can
    char *description;       // NULL: none
    struct words endpoints;  // empty: `endpoints: none`
    bool peers;              // its source is what the adapters of other servers say, not SQL
    char *prober;            // name of the prober that runs it
    struct duration timeout; // of one run; at least 1 ms
    struct duration cache;   // how old a result may be and still be served
    struct duration every;   // period of background runs; 0: none
    struct params params;
    struct rule *rules;
    size_t rule_count;
    struct outcome_set tolerate; // these make a warning instead of a failure
    bool skips_missing;          // skipped where what the statement names is not there
    struct server_range range;   // the servers it is meant for
    bool metrics;                // its numeric columns are metrics ...
    struct words metric_columns; // ... these of them; empty: all
    bool each_row;               // rules look at each row of a result; else at the first
    bool passes_empty;           // no row is a pass
    bool log_rows;               // each row of a result is logged
    bool enabled;                // without being named in DBHEALTH_ENABLE
    struct words grants;         // statements that make its probe user able to run it
    bool writes;                 // not in a read-only transaction
    char *sql;                   // one statement, or, as text, an inquiry; "" if broken
};

// True if both come from the same place and say the same.
bool check_equal(const struct check *one, const struct check *other);

// What a rule of the check compares with: its own literal, or the value in force of its param,
// which is the request's (`overrides`; NULL: it has none) before the check's own.
const struct literal *check_limit(const struct check *check, const struct rule *rule,
                                  const struct params *overrides);

// True if the request has a value of its own for the rule's param. Such a value has no past: a
// rule's `for` does not count.
bool check_is_overridden(const struct rule *rule, const struct params *overrides);

struct check *check_hold(struct check *check);

// Gives a reference back; the last one frees the object. NULL is fine.
void check_free(struct check *check);
