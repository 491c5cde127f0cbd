// See verdict.h. The only place where outcomes become verdicts; endpoint.c says what a verdict does
// to an endpoint. An outcome of the adapter's own is `unknown` and never `fail`: that is what keeps
// our faults from killing a database.
#include "server/check/verdict.h"

#include "server/check/labels.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HELD_MAX = 48 }; // bytes of " for 8 s of 20 s"

const char *verdict_name(enum verdict verdict)
{
    static const char *const names[VERDICT_COUNT] = {"pass", "warn", "fail", "unknown", "skipped"};
    assert(verdict < VERDICT_COUNT);
    return names[verdict];
}

// What is judged, and by what.
struct judging {
    const struct check *check;
    const struct result *result;
    const struct params *overrides;
    const struct streaks *streaks;
};

static enum verdict verdict_of(const struct check *check, enum outcome outcome)
{
    if (outcome == OUTCOME_OK)
        return VERDICT_PASS;
    if (outcome_info(outcome)->group == GROUP_OWN)
        return VERDICT_UNKNOWN;
    if (outcome_info(outcome)->group == GROUP_NONE)
        return VERDICT_SKIPPED;
    return outcome_set_has(check->tolerate, outcome) ? VERDICT_WARN : VERDICT_FAIL;
}

// What rules can come to, by weight: a reason is replaced only by one that matters more. Pending is
// what holds, but not yet for as long as its `for` says.
enum weight {
    WEIGHT_NONE,
    WEIGHT_PENDING_WARN,
    WEIGHT_WARN,
    WEIGHT_PENDING_FAIL,
    WEIGHT_FAIL,
    WEIGHT_SKIP,
    WEIGHT_UNFIT
};

// The findings of all rules, the weightiest kept.
struct weighing {
    enum weight weight;
    bool no_row, rows_ruled;
    struct judgement *judgement;
};

static bool verdict_waits(const struct judging *judging, const struct rule *rule)
{
    return rule->hold.ms > 0 && !check_is_overridden(rule, judging->overrides);
}

static struct duration verdict_held(const struct judging *judging, const struct rule *rule)
{
    if (judging->streaks == NULL)
        return (struct duration){0};
    return streaks_held(judging->streaks, (size_t)(rule - judging->check->rules));
}

// Of a rule that holds.
static enum weight verdict_weight_if_held(const struct judging *judging, const struct rule *rule)
{
    static const enum weight of_effects[] = {
        [RULE_FAIL] = WEIGHT_FAIL, [RULE_WARN] = WEIGHT_WARN, [RULE_SKIP] = WEIGHT_SKIP};
    static const enum weight pending[] = {
        [RULE_FAIL] = WEIGHT_PENDING_FAIL, [RULE_WARN] = WEIGHT_PENDING_WARN};
    bool is_pending =
        verdict_waits(judging, rule) && verdict_held(judging, rule).ms < rule->hold.ms;
    return is_pending ? pending[rule->effect] : of_effects[rule->effect];
}

static enum weight verdict_weight_of(const struct judging *judging, const struct rule *rule,
                                     enum rule_finding finding)
{
    if (finding == RULE_UNFIT)
        return WEIGHT_UNFIT;
    return finding == RULE_HOLDS ? verdict_weight_if_held(judging, rule) : WEIGHT_NONE;
}

// Adds " for 8 s of 20 s", or " for 21 s" once it counts; for which what was seen makes room.
static void verdict_tell_held(struct duration held, struct duration hold, char *reason)
{
    bool whole = hold.ms % 1000 == 0;
    long long unit = whole ? 1000 : 1;
    const char *name = whole ? "s" : "ms";
    struct text why = {.bytes = reason, .capacity = REASON_MAX};
    why.length = text_valid_length(reason, strnlen(reason, REASON_MAX - HELD_MAX));
    text_addf(&why, " for %lld %s", (long long)held.ms / unit, name);
    if (held.ms < hold.ms)
        text_addf(&why, " of %lld %s", (long long)hold.ms / unit, name);
}

static enum rule_finding verdict_ask(const struct judging *judging, const struct rule *rule,
                                     uint32_t row, char *reason)
{
    struct text why = text_in(reason, REASON_MAX);
    const struct literal *limit = check_limit(judging->check, rule, judging->overrides);
    enum rule_finding finding = rule_judge_row(rule, limit, judging->result, row, &why);
    if (finding == RULE_HOLDS && verdict_waits(judging, rule))
        verdict_tell_held(verdict_held(judging, rule), rule->hold, reason);
    return finding;
}

static void verdict_weigh(const struct judging *judging, const struct rule *rule, uint32_t row,
                          struct weighing *weighing)
{
    char reason[REASON_MAX];
    enum rule_finding finding = verdict_ask(judging, rule, row, reason);
    enum weight weight = verdict_weight_of(judging, rule, finding);
    if (weight > weighing->weight) {
        weighing->weight = weight;
        memcpy(weighing->judgement->reason, reason, sizeof reason);
    }
    weighing->no_row |= finding == RULE_NO_ROW;
    weighing->rows_ruled |= rule->column == NULL;
}

static enum outcome verdict_outcome_of(const struct check *check, const struct weighing *weighing)
{
    switch (weighing->weight) {
    case WEIGHT_UNFIT:
        return OUTCOME_CONFIG;
    case WEIGHT_SKIP:
        return OUTCOME_SKIPPED;
    case WEIGHT_FAIL:
        return OUTCOME_FAILED;
    case WEIGHT_PENDING_FAIL:
    case WEIGHT_WARN:
    case WEIGHT_PENDING_WARN:
    case WEIGHT_NONE:
        return weighing->no_row && !weighing->rows_ruled && !check->passes_empty ? OUTCOME_NO_ROW
                                                                                 : OUTCOME_OK;
    }
    abort();
}

enum subjects { SUBJECT_ROWS = 1, SUBJECT_COLUMNS = 2 };

// The rules of a check on columns of one row, on the number of rows, or both.
static void verdict_weigh_rules(const struct judging *judging, unsigned subjects, uint32_t row,
                                struct weighing *weighing)
{
    for (size_t i = 0; i < judging->check->rule_count; i++) {
        const struct rule *rule = &judging->check->rules[i];
        if ((subjects & (rule->column == NULL ? SUBJECT_ROWS : SUBJECT_COLUMNS)) != 0)
            verdict_weigh(judging, rule, row, weighing);
    }
}

// A row that a rule leaves out is left out whatever it holds: there a rule may not fit.
static bool verdict_leaves_out(const struct judging *judging, uint32_t row,
                               struct weighing *weighing)
{
    for (size_t i = 0; i < judging->check->rule_count; i++) {
        const struct rule *rule = &judging->check->rules[i];
        if (rule->effect == RULE_SKIP && rule->column != NULL)
            verdict_weigh(judging, rule, row, weighing);
    }
    return weighing->weight == WEIGHT_SKIP;
}

static void verdict_weigh_row(const struct judging *judging, uint32_t row,
                              struct weighing *weighing)
{
    if (!verdict_leaves_out(judging, row, weighing))
        verdict_weigh_rules(judging, SUBJECT_COLUMNS, row, weighing);
}

enum verdict judge_row(const struct check *check, const struct result *result, uint32_t row,
                       const struct params *overrides, const struct streaks *streaks)
{
    static const enum verdict of_weights[] = {
        [WEIGHT_NONE] = VERDICT_PASS,    [WEIGHT_PENDING_WARN] = VERDICT_PASS,
        [WEIGHT_WARN] = VERDICT_WARN,    [WEIGHT_PENDING_FAIL] = VERDICT_WARN,
        [WEIGHT_FAIL] = VERDICT_FAIL,    [WEIGHT_SKIP] = VERDICT_SKIPPED,
        [WEIGHT_UNFIT] = VERDICT_UNKNOWN};
    const struct judging judging = {check, result, overrides, streaks};
    struct judgement judgement;
    struct weighing weighing = {.judgement = &judgement};
    verdict_weigh_row(&judging, row, &weighing);
    return of_weights[weighing.weight];
}

// What the rows came to: how many to each weight, and the first of each with its reason.
struct tally {
    uint32_t counts[WEIGHT_UNFIT + 1];
    uint32_t first[WEIGHT_UNFIT + 1];
    char reasons[WEIGHT_UNFIT + 1][REASON_MAX];
};

static void verdict_tally(const struct judging *judging, struct tally *tally)
{
    for (uint32_t row = 0; row < judging->result->kept_rows; row++) {
        struct judgement judgement = {.reason = ""};
        struct weighing weighing = {.judgement = &judgement};
        verdict_weigh_row(judging, row, &weighing);
        if (tally->counts[weighing.weight]++ > 0)
            continue;
        tally->first[weighing.weight] = row;
        memcpy(tally->reasons[weighing.weight], judgement.reason, sizeof judgement.reason);
    }
}

// "app: size_bytes 12 > 9, and 3 more"
static void verdict_name_row(const struct judging *judging, const struct tally *tally,
                             enum weight weight, char *reason)
{
    char more[24] = "";
    struct labels labels = labels_of(judging->check, judging->result);
    if (tally->counts[weight] > 1)
        (void)snprintf(more, sizeof more, ", and %u more", tally->counts[weight] - 1);
    struct text text = text_in(reason, REASON_MAX - strlen(more));
    labels_add_name(&labels, judging->result, tally->first[weight], &text);
    text_addf(&text, ": %s", tally->reasons[weight]);
    text = (struct text){.bytes = reason, .capacity = REASON_MAX, .length = text.length};
    text_add(&text, more);
}

// The worst of the rows that are not left out; all are left out if none is there otherwise.
static enum weight verdict_worst(const struct tally *tally, const struct result *result)
{
    if (tally->counts[WEIGHT_UNFIT] > 0)
        return WEIGHT_UNFIT;
    for (int weight = WEIGHT_FAIL; weight > WEIGHT_NONE; weight--) {
        if (tally->counts[weight] > 0)
            return (enum weight)weight;
    }
    bool all_left_out = result->kept_rows > 0 && tally->counts[WEIGHT_SKIP] == result->row_count;
    return all_left_out ? WEIGHT_SKIP : WEIGHT_NONE;
}

// Whether a row that is not here could be worse.
static bool verdict_may_be_worse(const struct judging *judging, enum weight weight)
{
    const struct check *check = judging->check;
    bool may = false;
    for (size_t i = 0; i < check->rule_count; i++)
        may |= check->rules[i].column != NULL && check->rules[i].effect != RULE_SKIP &&
               verdict_weight_if_held(judging, &check->rules[i]) > weight;
    return may && judging->result->row_count > judging->result->kept_rows;
}

static void verdict_weigh_rows(const struct judging *judging, struct weighing *weighing)
{
    struct tally tally = {.counts = {0}};
    verdict_tally(judging, &tally);
    enum weight worst = verdict_worst(&tally, judging->result);
    if (worst > weighing->weight) {
        weighing->weight = worst;
        verdict_name_row(judging, &tally, worst, weighing->judgement->reason);
    }
}

// Without a row the rules are asked as of a first one.
static void verdict_judge_by_rules(const struct judging *judging, struct judgement *judgement)
{
    const struct check *check = judging->check;
    const struct result *result = judging->result;
    struct weighing weighing = {.judgement = judgement};
    bool each = check->each_row && result->kept_rows > 0;
    unsigned subjects = each ? SUBJECT_ROWS : SUBJECT_ROWS | SUBJECT_COLUMNS;
    verdict_weigh_rules(judging, subjects, 0, &weighing);
    if (each)
        verdict_weigh_rows(judging, &weighing);
    judgement->outcome = verdict_outcome_of(check, &weighing);
    if (check->each_row && verdict_may_be_worse(judging, weighing.weight)) {
        judgement->outcome = OUTCOME_TOO_LARGE;
        (void)snprintf(judgement->reason, sizeof judgement->reason,
                       "%" PRIu32 " of %" PRIu64 " rows could be judged", result->kept_rows,
                       result->row_count);
    }
    judgement->verdict = verdict_of(check, judgement->outcome);
    bool warns = weighing.weight == WEIGHT_WARN || weighing.weight == WEIGHT_PENDING_FAIL;
    if (judgement->verdict == VERDICT_PASS && warns)
        judgement->verdict = VERDICT_WARN;
}

static bool verdict_is_truthy(const struct value *value)
{
    if (value->type == VALUE_NULL)
        return false;
    if (value->type == VALUE_STRING)
        return true;
    long double number = value_number(value);
    return number != 0 && !isnan(number);
}

// With no rule, the first column of the first row must be there and not NULL, false or 0.
static void verdict_judge_by_first_value(const struct check *check, const struct result *result,
                                         struct judgement *judgement)
{
    if (result->kept_rows == 0 || result->column_count == 0) {
        judgement->outcome = check->passes_empty ? OUTCOME_OK : OUTCOME_NO_ROW;
    } else {
        struct value value = result_value(result, 0, 0);
        if (!verdict_is_truthy(&value)) {
            judgement->outcome = OUTCOME_FAILED;
            struct text why = text_in(judgement->reason, sizeof judgement->reason);
            text_add_foreign(&why, result_column(result, 0), strlen(result_column(result, 0)));
            text_add(&why, " is ");
            if (value.type == VALUE_NULL)
                text_add(&why, "null");
            else
                text_add_foreign(&why, value.text, value.length);
        }
    }
    judgement->verdict = verdict_of(check, judgement->outcome);
}

static struct judgement verdict_skip_missing(void)
{
    struct judgement judgement = {.outcome = OUTCOME_SKIPPED, .verdict = VERDICT_SKIPPED};
    (void)snprintf(judgement.reason, sizeof judgement.reason, "%s",
                   outcome_info(OUTCOME_MISSING)->sentence);
    return judgement;
}

struct judgement judge(const struct check *check, enum outcome outcome, const struct result *result,
                       const struct params *overrides, const struct streaks *streaks)
{
    const struct judging judging = {check, result, overrides, streaks};
    struct judgement judgement = {.outcome = outcome, .verdict = verdict_of(check, outcome)};
    if (outcome == OUTCOME_MISSING && check->skips_missing)
        return verdict_skip_missing();
    if (outcome != OUTCOME_OK)
        return judgement;
    assert(result != NULL);
    if (check->rule_count > 0)
        verdict_judge_by_rules(&judging, &judgement);
    else if (check->endpoints.count > 0)
        verdict_judge_by_first_value(check, result, &judgement);
    return judgement;
}

// With `rows: each` a rule holds as long as it does for any row that is not left out.
static bool verdict_rule_holds(const struct judging *judging, const struct rule *rule)
{
    const struct check *check = judging->check;
    bool each = check->each_row && rule->column != NULL;
    uint32_t rows = each ? judging->result->kept_rows : 1;
    char reason[REASON_MAX];
    for (uint32_t row = 0; row < rows; row++) {
        struct judgement unused;
        struct weighing weighing = {.judgement = &unused};
        bool left_out = each && verdict_leaves_out(judging, row, &weighing);
        if (!left_out && verdict_ask(judging, rule, row, reason) == RULE_HOLDS)
            return true;
    }
    return false;
}

struct judgement judge_next(const struct check *check, enum outcome outcome,
                            const struct result *result, struct instant ended,
                            struct streaks *streaks)
{
    const struct judging judging = {check, result, NULL, streaks};
    streaks->latest = ended;
    struct judgement judgement = judge(check, outcome, result, NULL, streaks);
    bool judged = outcome == OUTCOME_OK && judgement.outcome != OUTCOME_SKIPPED &&
                  judgement.outcome != OUTCOME_CONFIG;
    for (size_t i = 0; i < check->rule_count; i++) {
        const struct rule *rule = &check->rules[i];
        streaks_add(streaks, i, judged && rule->hold.ms > 0 && verdict_rule_holds(&judging, rule));
    }
    return judgement;
}

void judgement_warn_of_superuser(struct judgement *judgement)
{
    if (judgement->verdict != VERDICT_PASS)
        return;
    judgement->verdict = VERDICT_WARN;
    (void)snprintf(judgement->reason, sizeof judgement->reason,
                   "the probe user is a superuser, whom a full server still lets in");
}
