// What a probe means for its check.
#pragma once

#include "server/check/streaks.h"

enum verdict {
    VERDICT_PASS,
    VERDICT_WARN,
    VERDICT_FAIL,
    VERDICT_UNKNOWN, // the adapter's own fault, or not run yet: nothing is known of the server
    VERDICT_SKIPPED,
    VERDICT_COUNT // not a verdict
};

const char *verdict_name(enum verdict verdict);

enum { REASON_MAX = 192 };

struct judgement {
    enum verdict verdict;
    enum outcome outcome;    // as probed, or failed, no_row, config where the rows decide
    char reason[REASON_MAX]; // what was seen: "lag_seconds 45 > 30"; "" if the outcome says all
};

// Judges one kept row by the check's rules on columns: pass, warn, fail, skipped, or unknown where
// a rule does not fit.
enum verdict judge_row(const struct check *check, const struct result *result, uint32_t row,
                       const struct params *overrides, const struct streaks *streaks);

// Judges what a probe ended in; result is NULL unless outcome is OUTCOME_OK. Pure. Any `fail` rule
// that holds decides before any `warn`; a fault of the check's own rules (a column that is not
// there, a type that does not fit) before both, for then nothing was judged. Where rules look at
// each row the worst decides, a `skip` leaves its row out, and a pass wants all rows to be kept.
// A rule that ends in `for` has its effect once it has held for so long, as `streaks` say of this
// result (NULL: nothing is known); until then one that would fail warns, and one that would warn
// passes. `overrides` are a request's values for params of the check; NULL: the defaults hold. Such
// a value has no past: its rule has its effect at once.
struct judgement judge(const struct check *check, enum outcome outcome, const struct result *result,
                       const struct params *overrides, const struct streaks *streaks);

// Judges a result as it arrives, of a run that has ended then, and adds it to the streaks.
struct judgement judge_next(const struct check *check, enum outcome outcome,
                            const struct result *result, struct instant ended,
                            struct streaks *streaks);

// Turns a pass into a warning: such a user gets into a full server, so its success proves less than
// it should.
void judgement_warn_of_superuser(struct judgement *judgement);
