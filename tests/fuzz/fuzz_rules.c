// See fuzz_rules.h.
#include "fuzz_rules.h"

static const char *const comparisons[] = {[RULE_EQ] = "==", [RULE_NE] = "!=", [RULE_LT] = "<",
                                          [RULE_LE] = "<=", [RULE_GT] = ">",  [RULE_GE] = ">="};

void write_literal(struct written *written, const struct literal *literal)
{
    if (literal->type == LITERAL_STRING || literal->type == LITERAL_TIME)
        write_quoted(written, literal->string, '\'');
    else
        write_format(written, "%s", literal->text);
}

void write_rule(struct written *written, const struct rule *rule)
{
    if (rule->column == NULL)
        write_format(written, "rows");
    else
        write_quoted(written, rule->column, '"');
    write_format(written, " %s ", comparisons[rule->comparison]);
    if (rule->param != NULL)
        write_format(written, "$%s", rule->param);
    else
        write_literal(written, &rule->literal);
    if (rule->hold.ms > 0)
        write_format(written, " for %lldms", (long long)rule->hold.ms);
}

void write_bound(struct written *written, const struct version_bound *bound)
{
    write_format(written, "%s ", comparisons[bound->comparison]);
    for (size_t i = 0; i < bound->count; i++)
        write_format(written, "%s%u", i > 0 ? "." : "", bound->parts[i]);
}

void write_range(struct written *written, const struct server_range *range)
{
    if (range->flavors != 0)
        write_format(written, "-- flavor:");
    for (unsigned i = 0; i < FLAVOR_COUNT; i++) {
        if ((range->flavors >> i & 1U) != 0)
            write_format(written, " %s", flavor_name((enum flavor)i));
    }
    write_format(written, range->flavors != 0 ? "\n" : "");
    if (range->bound_count == 0)
        return;
    write_format(written, "-- server-version: ");
    for (size_t i = 0; i < range->bound_count; i++) {
        write_format(written, i > 0 ? ", " : "");
        write_bound(written, &range->bounds[i]);
    }
    write_format(written, "\n");
}

enum rule_comparison opposite_of(enum rule_comparison comparison)
{
    static const enum rule_comparison opposites[] = {
        [RULE_EQ] = RULE_NE, [RULE_NE] = RULE_EQ, [RULE_LT] = RULE_GE,
        [RULE_GE] = RULE_LT, [RULE_GT] = RULE_LE, [RULE_LE] = RULE_GT};
    return opposites[comparison];
}
