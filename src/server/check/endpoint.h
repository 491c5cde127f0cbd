// Endpoints: what a set of verdicts says to whoever asks. Pure.
#pragma once

#include "server/check/rows.h"
#include "server/check/statistics.h"
#include "server/check/verdict.h"

// How an endpoint treats what is neither pass nor fail. One row of the table in endpoint.c.
struct endpoint_rule {
    const char *name;            // NULL: any name that a check file gives
    bool ends_container;         // who asks for it ends a container where it fails
    bool unknown_fails;          // a verdict that is unknown fails it
    bool unknown_fails_at_first; // ... only while the adapter is young
    bool draining_fails;
    bool empty_fails; // nothing configured, or all of it skipped, fails it
};

// The rule for an endpoint of this name; never NULL.
const struct endpoint_rule *endpoint_rule(const char *name);

// The endpoint whose checks the one of this name has too, as soon as it has one of its own; NULL
// for most.
const char *endpoint_includes(const char *name);

// The names that are there whatever the check files say, in a fixed order; NULL past the last.
const char *endpoint_builtin(size_t index);

// A check as one answer shows it.
struct check_view {
    const struct check *check;
    struct judgement judgement;
    bool dated;                    // from a result; else nothing was known
    struct instant started;        // of the run that the judgement is from, if dated
    struct instant fresh_until;    // the result may be served until then, if dated
    struct duration took;          // how long it took, if dated
    const char *message;           // the server's or driver's words, not for bodies; "" if none
    bool superuser;                // the probe user is one, so a pass is a warning
    const struct result *result;   // what it was judged from, if its check has params; else NULL
    const struct result *numbers;  // what of the first row is numbers; NULL: nothing
    const struct result *seen;     // what its rules look at there; NULL: nothing
    const struct rows *rows;       // of a check that looks at each, instead of numbers and seen
    const struct streaks *streaks; // as of the result, if dated; NULL: nothing is known
    const struct check_statistics *statistics;
};

// What holds for the adapter as a whole when the answer is given.
struct circumstances {
    bool draining;
    int64_t draining_since_ms; // Unix time, to tell; 0: not known
    bool young;                // the listener is up for less than 5 s
    bool no_endpoint;          // asked are checks by their names, and they are all that counts
};

// True if this verdict fails an endpoint with this rule.
bool verdict_fails(enum verdict verdict, const struct endpoint_rule *rule,
                   const struct circumstances *circumstances);

// True if the endpoint passes on `count` checks: those of the views with these indices, or, if
// checks is NULL, the first.
bool endpoint_passes(const struct endpoint_rule *rule, const struct check_view *views,
                     const size_t *checks, size_t count, const struct circumstances *circumstances);

// True if one of those checks warns: what an endpoint that passes has to add.
bool endpoint_warns(const struct check_view *views, const size_t *checks, size_t count);
