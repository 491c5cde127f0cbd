// Rules and ranges of servers written as a check file has them.
#pragma once

#include "fuzz.h"

#include "server/check/rule.h"
#include "server/check/server_range.h"

void write_literal(struct written *written, const struct literal *literal);

void write_rule(struct written *written, const struct rule *rule);

// One bound, like ">= 10.5".
void write_bound(struct written *written, const struct version_bound *bound);

// The lines of the keys flavor and server-version.
void write_range(struct written *written, const struct server_range *range);

// The comparison that holds exactly where this one does not.
enum rule_comparison opposite_of(enum rule_comparison comparison);
