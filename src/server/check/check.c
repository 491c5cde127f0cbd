// See check.h.
#include "server/check/check.h"

#include <stdlib.h>
#include <string.h>

const char check_prober_of_peers[] = "peers";

static bool check_same_text(const char *one, const char *other)
{
    return one == NULL || other == NULL ? one == other : strcmp(one, other) == 0;
}

// What the environment has put into the text stays the same for all the process's life. Why a check
// is broken may lie outside of its text.
bool check_equal(const struct check *one, const struct check *other)
{
    return one->digest == other->digest && check_same_text(one->name, other->name) &&
           check_same_text(one->place, other->place) && check_same_text(one->broken, other->broken);
}

const struct literal *check_limit(const struct check *check, const struct rule *rule,
                                  const struct params *overrides)
{
    if (rule->param == NULL)
        return &rule->literal;
    const struct param *param = overrides != NULL ? params_find(overrides, rule->param) : NULL;
    if (param == NULL)
        param = params_find(&check->params, rule->param);
    return &param->value; // the parser has seen to it that there is one
}

bool check_is_overridden(const struct rule *rule, const struct params *overrides)
{
    return rule->param != NULL && overrides != NULL && params_find(overrides, rule->param) != NULL;
}

struct check *check_hold(struct check *check)
{
    check->references++;
    return check;
}

void check_free(struct check *check)
{
    if (check == NULL || --check->references > 0)
        return;
    for (size_t i = 0; i < check->rule_count; i++)
        rule_clear(&check->rules[i]);
    free(check->rules);
    params_clear(&check->params);
    words_free(&check->endpoints);
    words_free(&check->metric_columns);
    words_free(&check->grants);
    free(check->name);
    free(check->place);
    free(check->broken);
    free(check->description);
    free(check->prober);
    free(check->sql);
    free(check);
}
