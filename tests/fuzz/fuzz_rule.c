// Rules on results: a rule that parses comes back the same when it is written out; where one holds
// that can be known, its opposite does not; and the reason is a line of text, there if there is
// something to be said.
//
// Input: a character for the effect, a line NAME = DEFAULT for a param, a line with a rule, then a
// result (see take_result).
#include "fuzz.h"
#include "fuzz_rules.h"

#include "server/check/verdict.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct literal *literal_of(const struct rule *rule, const struct params *params)
{
    return rule->param != NULL ? &params_find(params, rule->param)->value : &rule->literal;
}

// Judges, and says in *why what was seen.
static enum rule_finding judge_rule(const struct rule *rule, const struct params *params,
                                    const struct result *result, char *why, size_t capacity)
{
    struct text text = text_in(why, capacity);
    enum rule_finding finding = rule_judge(rule, literal_of(rule, params), result, &text);
    bool says = finding == RULE_HOLDS || finding == RULE_UNFIT;
    MUST(is_fit_line(why));
    MUST(says == (why[0] != '\0'));
    return finding;
}

static void must_come_back(const struct rule *rule, const struct params *params,
                           const struct result *result)
{
    struct written text = {0};
    struct written again = {0};
    struct rule other;
    struct error error;
    size_t offset;
    char why[REASON_MAX], other_why[REASON_MAX];
    write_rule(&text, rule);
    MUST(rule_parse(text.bytes, rule->effect, params, &other, &offset, &error));
    write_rule(&again, &other);
    MUST_EQUAL(text.bytes, again.bytes);
    MUST(rule->param != NULL || rule->literal.number == other.literal.number);
    MUST(rule->hold.ms == other.hold.ms && (rule->hold.ms == 0 || rule->effect != RULE_SKIP));
    MUST(judge_rule(rule, params, result, why, sizeof why) ==
         judge_rule(&other, params, result, other_why, sizeof other_why));
    MUST_EQUAL(why, other_why);
    rule_clear(&other);
    free(text.bytes);
    free(again.bytes);
}

// NULL and NaN, of which nothing is known, make a rule hold whatever its operator; but for one that
// skips, which they never make hold.
static bool is_known(const struct rule *rule, const struct literal *literal,
                     const struct result *result)
{
    uint32_t column;
    if (rule->column == NULL || literal->type == LITERAL_NULL)
        return true;
    if (!result_find_column(result, rule->column, &column))
        return true;
    struct value value = result_value(result, 0, column);
    bool string = literal->type == LITERAL_STRING || literal->type == LITERAL_TIME;
    bool number = value.type == VALUE_NUMBER && !string;
    return value.type != VALUE_NULL && !(number && isnan(value_number(&value)));
}

static void must_have_an_opposite(const struct rule *rule, const struct params *params,
                                  const struct result *result)
{
    struct rule opposite = *rule;
    bool skips = rule->effect == RULE_SKIP;
    char why[REASON_MAX];
    opposite.comparison = opposite_of(rule->comparison);
    enum rule_finding finding = judge_rule(rule, params, result, why, sizeof why);
    enum rule_finding other = judge_rule(&opposite, params, result, why, sizeof why);
    if (finding == RULE_UNFIT || finding == RULE_NO_ROW)
        MUST(other == finding);
    else if (is_known(rule, literal_of(rule, params), result))
        MUST(other == (finding == RULE_HOLDS ? RULE_HOLDS_NOT : RULE_HOLDS));
    else
        MUST(finding == other && finding == (skips ? RULE_HOLDS_NOT : RULE_HOLDS));
}

// A threshold that is infinite would never be reached, or always.
static void must_be_finite(const struct literal *literal)
{
    MUST(isfinite(literal->number));
}

static void try_rule(const char *text, enum rule_effect effect, const struct params *params,
                     const struct result *result)
{
    struct rule rule;
    struct error error;
    size_t offset;
    bool parsed = rule_parse(text, effect, params, &rule, &offset, &error);
    MUST(offset <= strlen(text));
    if (!parsed) {
        must_be_told(&error);
        MUST(rule.column == NULL && rule.param == NULL && rule.literal.text == NULL);
        return;
    }
    must_be_finite(literal_of(&rule, params));
    must_come_back(&rule, params, result);
    must_have_an_opposite(&rule, params, result);
    rule_clear(&rule);
}

static void add_param(struct params *params, char *line)
{
    struct error error;
    char *equals = strchr(line, '=');
    if (equals == NULL)
        return;
    *equals = '\0';
    line[strcspn(line, " ")] = '\0';
    if (!params_add(params, line, equals + 1, &error)) {
        must_be_told(&error);
        params_clear(params);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct input input = input_of(bytes, length);
    struct params params = {0};
    enum rule_effect effect = take_byte(&input) % 2 == 0 ? RULE_FAIL : RULE_SKIP;
    char *param = take_line(&input);
    char *rule = take_line(&input);
    struct result *result = take_result(&input);
    add_param(&params, param);
    try_rule(rule, effect, &params, result);
    params_clear(&params);
    result_free(result);
    free(param);
    free(rule);
    return 0;
}
