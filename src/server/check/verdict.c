// See verdict.h. The only place where outcomes become verdicts; endpoint.c says what a verdict does
// to an endpoint. An outcome of the adapter's own is `unknown` and never `fail`: that is what keeps
// our faults from killing a database.
#include "server/check/verdict.h"

#include <assert.h>
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
                          const struct literal *literal, const struct result *result)
{
    char reason[REASON_MAX];
    struct text why = text_in(reason, sizeof reason);
    enum rule_finding finding = rule_judge(rule, literal, result, &why);
    enum weight weight = verdict_weight_of(finding, rule->effect);
    if (weight > weighing->weight) {
        weighing->weight = weight;
        memcpy(weighing->judgement->reason, reason, sizeof reason);
    }
    weighing->no_row |= finding == RULE_NO_ROW;
    weighing->rows_ruled |= rule->column == NULL;
}

static enum outcome verdict_outcome_of(const struct weighing *weighing)
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
        return weighing->no_row && !weighing->rows_ruled ? OUTCOME_NO_ROW : OUTCOME_OK;
    }
    abort();
}

static void verdict_judge_by_rules(const struct check *check, const struct result *result,
                                   const struct params *overrides, struct judgement *judgement)
{
    struct weighing weighing = {.judgement = judgement};
    for (size_t i = 0; i < check->rule_count; i++)
        verdict_weigh(&weighing, &check->rules[i], check_limit(check, &check->rules[i], overrides),
                      result);
    judgement->outcome = verdict_outcome_of(&weighing);
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
        judgement->outcome = OUTCOME_NO_ROW;
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
