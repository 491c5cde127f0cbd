// A request's values for params: one is taken only if it is of the default's type and finite, and
// it comes back the same from what people are shown of it; what is refused is told by the param's
// name. A check is judged by the request's value, and by its own where there is none. What is taken
// for a number of bytes is one that a param takes, too.
//
// Input: a line NAME = DEFAULT, a line with the request's value, a line with a value to judge.
#include "fuzz.h"

#include "server/check/alias.h"
#include "server/check/rule.h"
#include "server/check/verdict.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void must_be_of_type(const struct literal *literal, enum literal_type type)
{
    MUST(literal->type == type);
    MUST(literal->text != NULL);
    MUST((literal->string != NULL) == (type == LITERAL_STRING || type == LITERAL_TIME));
    MUST(isfinite(literal->number));
}

static void must_come_back(const struct param *param, const struct param *given)
{
    struct params again = {0};
    struct error error;
    MUST(params_override(&again, param, given->value.text, &error));
    MUST(again.items[0].value.number == given->value.number);
    MUST_EQUAL(again.items[0].value.string, given->value.string);
    params_clear(&again);
}

// "seen == $param" on the value with which a request overrides it.
static void must_count(const struct params *params, const struct params *overrides,
                       const struct result *result)
{
    struct rule rule;
    struct error error;
    size_t offset;
    struct check check = {.params = *params, .rules = &rule, .rule_count = 1};
    struct written text = {0};
    write_format(&text, "seen != $%s", params->items[0].name);
    MUST(rule_parse(text.bytes, RULE_FAIL, params, &rule, &offset, &error));
    struct judgement own = judge(&check, OUTCOME_OK, result, NULL, NULL);
    struct judgement same = judge(&check, OUTCOME_OK, result, params, NULL);
    struct judgement given = judge(&check, OUTCOME_OK, result, overrides, NULL);
    MUST(is_fit_line(own.reason) && is_fit_line(given.reason));
    MUST(own.verdict == same.verdict);
    MUST_EQUAL(own.reason, same.reason);
    MUST((own.outcome == OUTCOME_CONFIG) == (given.outcome == OUTCOME_CONFIG));
    rule_clear(&rule);
    free(text.bytes);
}

static void override(const struct params *params, const char *text, const struct result *result)
{
    const struct param *param = &params->items[0];
    struct params overrides = {0};
    struct error error;
    if (params_override(&overrides, param, text, &error)) {
        MUST_EQUAL(overrides.items[0].name, param->name);
        must_be_of_type(&overrides.items[0].value, param->value.type);
        must_come_back(param, &overrides.items[0]);
        must_count(params, &overrides, result);
    } else {
        must_be_told(&error);
        MUST(strncmp(error.text, param->name, strnlen(param->name, 40)) == 0);
        MUST(param->value.type != LITERAL_STRING);
    }
    params_clear(&overrides);
}

static void try_bytes(const char *text)
{
    static char name[] = "max_lag_bytes";
    const struct param param = {.name = name, .value = {.type = LITERAL_NUMBER}};
    struct params overrides = {0};
    struct error error;
    char number[ALIAS_NUMBER_MAX];
    if (!alias_parse_bytes(text, number))
        return;
    MUST(number[0] != '\0' && number[strspn(number, "0123456789")] == '\0');
    MUST(params_override(&overrides, &param, number, &error));
    params_clear(&overrides);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct input input = input_of(bytes, length);
    struct params params = {0};
    struct error error;
    char *name = take_line(&input);
    char *text = take_line(&input);
    struct result *result = take_result(&input);
    char *equals = strchr(name, '=');
    try_bytes(text);
    if (equals != NULL) {
        *equals = '\0';
        if (params_add(&params, name, equals + 1, &error)) {
            must_be_of_type(&params.items[0].value, params.items[0].value.type);
            override(&params, text, result);
        } else {
            must_be_told(&error);
        }
    }
    params_clear(&params);
    result_free(result);
    free(name);
    free(text);
    return 0;
}
