// See streaks.h. Only results count, by the time at which their runs ended: between two of them
// nothing is assumed and no clock runs, so a rule that is looked at once a minute fails for 20 s at
// the second result, as an alert of Prometheus would. A result at which it did not hold, or which
// says nothing of it (an error, a fault of ours, a skipped run), ends the row.
#include "server/check/streaks.h"

#include "common/memory.h"

#include <string.h>

struct streaks *streaks_new(const struct check *check)
{
    return memory_new(sizeof(struct streaks) + check->rule_count * sizeof(struct instant));
}

static bool streaks_same_subject(const struct rule *one, const struct rule *other)
{
    if (one->column == NULL || other->column == NULL)
        return one->column == other->column;
    return strcmp(one->column, other->column) == 0;
}

// What is compared, with what, to which effect and for how long.
static bool streaks_same_rule(const struct check *check, size_t rule, const struct check *before,
                              size_t earlier)
{
    const struct rule *one = &check->rules[rule], *other = &before->rules[earlier];
    const struct literal *limit = check_limit(check, one, NULL);
    const struct literal *limit_before = check_limit(before, other, NULL);
    return one->effect == other->effect && one->comparison == other->comparison &&
           one->hold.ms == other->hold.ms && streaks_same_subject(one, other) &&
           limit->type == limit_before->type && strcmp(limit->text, limit_before->text) == 0;
}

void streaks_take_over(struct streaks *streaks, const struct check *check,
                       const struct streaks *earlier, const struct check *before)
{
    for (size_t i = 0; i < check->rule_count; i++) {
        for (size_t j = 0; j < before->rule_count; j++) {
            if (streaks_same_rule(check, i, before, j))
                streaks->since[i] = earlier->since[j];
        }
    }
}

void streaks_add(struct streaks *streaks, size_t rule, bool it_holds)
{
    if (!it_holds)
        streaks->since[rule] = (struct instant){0};
    else if (streaks->since[rule].ns == 0)
        streaks->since[rule] = streaks->latest;
}

struct duration streaks_held(const struct streaks *streaks, size_t rule)
{
    struct instant since = streaks->since[rule];
    return since.ns > 0 ? instant_since(since, streaks->latest) : (struct duration){0};
}
