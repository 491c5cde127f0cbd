// See endpoint.h. The table is where liveness and readiness part: liveness fails only on what a
// server did or left undone, readiness on everything that is not known to be well. An endpoint with
// its own manners is added here; one with readyz's manners needs no more than a check file.
#include "server/check/endpoint.h"

#include <string.h>

static const struct endpoint_rule rules[] = {
    // name, ends a container, unknown fails, at first, draining fails, empty fails
    {"healthz", true, false, false, false, false},
    {"startupz", true, false, true, false, false},
    {"readyz", false, true, false, true, true},
    {NULL, false, true, false, true, true},
};

enum { RULE_COUNT = sizeof rules / sizeof *rules };

const struct endpoint_rule *endpoint_rule(const char *name)
{
    const struct endpoint_rule *rule = rules;
    while (rule->name != NULL && strcmp(rule->name, name) != 0)
        rule++;
    return rule;
}

const char *endpoint_includes(const char *name)
{
    return strcmp(name, "sole-primary") == 0 ? "primary" : NULL;
}

const char *endpoint_builtin(size_t index)
{
    return index < RULE_COUNT ? rules[index].name : NULL;
}

bool verdict_fails(enum verdict verdict, const struct endpoint_rule *rule,
                   const struct circumstances *circumstances)
{
    if (verdict == VERDICT_UNKNOWN)
        return rule->unknown_fails || (rule->unknown_fails_at_first && circumstances->young);
    return verdict == VERDICT_FAIL;
}

// What others say makes no server fit for anything: it can only be in the way.
bool endpoint_passes(const struct endpoint_rule *rule, const struct check_view *views,
                     const size_t *checks, size_t count, const struct circumstances *circumstances)
{
    bool empty = true;
    bool passes = !(rule->draining_fails && circumstances->draining);
    for (size_t i = 0; i < count; i++) {
        const struct check_view *view = &views[checks != NULL ? checks[i] : i];
        enum verdict verdict = view->judgement.verdict;
        empty &= verdict == VERDICT_SKIPPED || (view->check->peers && !circumstances->no_endpoint);
        passes &= !verdict_fails(verdict, rule, circumstances);
    }
    return passes && !(empty && rule->empty_fails);
}

bool endpoint_warns(const struct check_view *views, const size_t *checks, size_t count)
{
    bool warns = false;
    for (size_t i = 0; i < count; i++)
        warns |= views[checks != NULL ? checks[i] : i].judgement.verdict == VERDICT_WARN;
    return warns;
}
