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

const char *verdict_name(enum verdict verdict)
{
    static const char *const names[VERDICT_COUNT] = {"pass", "warn", "fail", "unknown", "skipped"};
    assert(verdict < VERDICT_COUNT);
    return names[verdict];
}

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

// What rules can come to, by weight: a reason is replaced only by one that matters more.
enum weight { WEIGHT_NONE, WEIGHT_WARN, WEIGHT_FAIL, WEIGHT_SKIP, WEIGHT_UNFIT };

// The findings of all rules, the weightiest kept.
struct weighing {
    enum weight weight;
    bool no_row, rows_ruled;
    struct judgement *judgement;
};

static enum weight verdict_weight_of(enum rule_finding finding, enum rule_effect effect)
{
    static const enum weight of_effects[] = {
        [RULE_FAIL] = WEIGHT_FAIL, [RULE_WARN] = WEIGHT_WARN, [RULE_SKIP] = WEIGHT_SKIP};
    if (finding == RULE_UNFIT)
        return WEIGHT_UNFIT;
    return finding == RULE_HOLDS ? of_effects[effect] : WEIGHT_NONE;
}

static void verdict_weigh(struct weighing *weighing, const struct rule *rule,
                          const struct literal *literal, const struct result *result, uint32_t row)
{
    char reason[REASON_MAX];
    struct text why = text_in(reason, sizeof reason);
    enum rule_finding finding = rule_judge_row(rule, literal, result, row, &why);
    enum weight weight = verdict_weight_of(finding, rule->effect);
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
    case WEIGHT_WARN:
    case WEIGHT_NONE:
        return weighing->no_row && !weighing->rows_ruled && !check->passes_empty ? OUTCOME_NO_ROW
                                                                                 : OUTCOME_OK;
    }
    abort();
}

enum subjects { SUBJECT_ROWS = 1, SUBJECT_COLUMNS = 2 };

// The rules of a check on columns of one row, on the number of rows, or both.
static void verdict_weigh_rules(const struct check *check, const struct result *result,
                                const struct params *overrides, unsigned subjects, uint32_t row,
                                struct weighing *weighing)
{
    for (size_t i = 0; i < check->rule_count; i++) {
        const struct rule *rule = &check->rules[i];
        if ((subjects & (rule->column == NULL ? SUBJECT_ROWS : SUBJECT_COLUMNS)) != 0)
            verdict_weigh(weighing, rule, check_limit(check, rule, overrides), result, row);
    }
}

// A row that a rule leaves out is left out whatever it holds: there a rule may not fit.
static bool verdict_leaves_out(const struct check *check, const struct result *result,
                               const struct params *overrides, uint32_t row,
                               struct weighing *weighing)
{
    for (size_t i = 0; i < check->rule_count; i++) {
        const struct rule *rule = &check->rules[i];
        if (rule->effect == RULE_SKIP && rule->column != NULL)
            verdict_weigh(weighing, rule, check_limit(check, rule, overrides), result, row);
    }
    return weighing->weight == WEIGHT_SKIP;
}

static void verdict_weigh_row(const struct check *check, const struct result *result,
                              const struct params *overrides, uint32_t row,
                              struct weighing *weighing)
{
    if (!verdict_leaves_out(check, result, overrides, row, weighing))
        verdict_weigh_rules(check, result, overrides, SUBJECT_COLUMNS, row, weighing);
}

enum verdict judge_row(const struct check *check, const struct result *result, uint32_t row,
                       const struct params *overrides)
{
    static const enum verdict of_weights[] = {[WEIGHT_NONE] = VERDICT_PASS,
                                              [WEIGHT_WARN] = VERDICT_WARN,
                                              [WEIGHT_FAIL] = VERDICT_FAIL,
                                              [WEIGHT_SKIP] = VERDICT_SKIPPED,
                                              [WEIGHT_UNFIT] = VERDICT_UNKNOWN};
    struct judgement judgement;
    struct weighing weighing = {.judgement = &judgement};
    verdict_weigh_row(check, result, overrides, row, &weighing);
    return of_weights[weighing.weight];
}

// What the rows came to: how many to each weight, and the first of each with its reason.
struct tally {
    uint32_t counts[WEIGHT_UNFIT + 1];
    uint32_t first[WEIGHT_UNFIT + 1];
    char reasons[WEIGHT_UNFIT + 1][REASON_MAX];
};

static void verdict_tally(const struct check *check, const struct result *result,
                          const struct params *overrides, struct tally *tally)
{
    for (uint32_t row = 0; row < result->kept_rows; row++) {
        struct judgement judgement = {.reason = ""};
        struct weighing weighing = {.judgement = &judgement};
        verdict_weigh_row(check, result, overrides, row, &weighing);
        if (tally->counts[weighing.weight]++ > 0)
            continue;
        tally->first[weighing.weight] = row;
        memcpy(tally->reasons[weighing.weight], judgement.reason, sizeof judgement.reason);
    }
}

// "app: size_bytes 12 > 9, and 3 more"
static void verdict_name_row(const struct check *check, const struct result *result,
                             const struct tally *tally, enum weight weight, char *reason)
{
    char more[24] = "";
    struct labels labels = labels_of(check, result);
    if (tally->counts[weight] > 1)
        (void)snprintf(more, sizeof more, ", and %u more", tally->counts[weight] - 1);
    struct text text = text_in(reason, REASON_MAX - strlen(more));
    labels_add_name(&labels, result, tally->first[weight], &text);
    text_addf(&text, ": %s", tally->reasons[weight]);
    text = (struct text){.bytes = reason, .capacity = REASON_MAX, .length = text.length};
    text_add(&text, more);
}

// The worst of the rows that are not left out; all are left out if none is there otherwise.
static enum weight verdict_worst(const struct tally *tally, const struct result *result)
{
    if (tally->counts[WEIGHT_UNFIT] > 0)
        return WEIGHT_UNFIT;
    if (tally->counts[WEIGHT_FAIL] > 0)
        return WEIGHT_FAIL;
    if (tally->counts[WEIGHT_WARN] > 0)
        return WEIGHT_WARN;
    bool all_left_out = result->kept_rows > 0 && tally->counts[WEIGHT_SKIP] == result->row_count;
    return all_left_out ? WEIGHT_SKIP : WEIGHT_NONE;
}

// Whether a row that is not here could be worse.
static bool verdict_may_be_worse(const struct check *check, const struct result *result,
                                 enum weight weight)
{
    bool may = false;
    for (size_t i = 0; i < check->rule_count; i++)
        may |= check->rules[i].column != NULL &&
               verdict_weight_of(RULE_HOLDS, check->rules[i].effect) > weight &&
               check->rules[i].effect != RULE_SKIP;
    return may && result->row_count > result->kept_rows;
}

static void verdict_weigh_rows(const struct check *check, const struct result *result,
                               const struct params *overrides, struct weighing *weighing)
{
    struct tally tally = {.counts = {0}};
    verdict_tally(check, result, overrides, &tally);
    enum weight worst = verdict_worst(&tally, result);
    if (worst > weighing->weight) {
        weighing->weight = worst;
        verdict_name_row(check, result, &tally, worst, weighing->judgement->reason);
    }
}

// Without a row the rules are asked as of a first one.
static void verdict_judge_by_rules(const struct check *check, const struct result *result,
                                   const struct params *overrides, struct judgement *judgement)
{
    struct weighing weighing = {.judgement = judgement};
    bool each = check->each_row && result->kept_rows > 0;
    unsigned subjects = each ? SUBJECT_ROWS : SUBJECT_ROWS | SUBJECT_COLUMNS;
    verdict_weigh_rules(check, result, overrides, subjects, 0, &weighing);
    if (each)
        verdict_weigh_rows(check, result, overrides, &weighing);
    judgement->outcome = verdict_outcome_of(check, &weighing);
    if (check->each_row && verdict_may_be_worse(check, result, weighing.weight)) {
        judgement->outcome = OUTCOME_TOO_LARGE;
        (void)snprintf(judgement->reason, sizeof judgement->reason,
                       "%" PRIu32 " of %" PRIu64 " rows could be judged", result->kept_rows,
                       result->row_count);
    }
    judgement->verdict = verdict_of(check, judgement->outcome);
    if (judgement->verdict == VERDICT_PASS && weighing.weight == WEIGHT_WARN)
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
                       const struct params *overrides)
{
    struct judgement judgement = {.outcome = outcome, .verdict = verdict_of(check, outcome)};
    if (outcome == OUTCOME_MISSING && check->skips_missing)
        return verdict_skip_missing();
    if (outcome != OUTCOME_OK)
        return judgement;
    assert(result != NULL);
    if (check->rule_count > 0)
        verdict_judge_by_rules(check, result, overrides, &judgement);
    else if (check->endpoints.count > 0)
        verdict_judge_by_first_value(check, result, &judgement);
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
