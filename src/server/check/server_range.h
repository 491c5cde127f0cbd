// The servers that a check is meant for: products and versions. Pure.
#pragma once

#include "common/text.h"
#include "common/wire.h"
#include "server/base/words.h"
#include "server/check/rule.h"

// Servers by product and version.
struct server_range {
    unsigned flavors; // one bit for each enum flavor; 0: all
    struct version_bound {
        enum rule_comparison comparison;
        unsigned parts[3]; // only the first `count` are compared
        size_t count;
    } bounds[2]; // all must hold
    size_t bound_count;
};

// The product's name; NULL for FLAVOR_UNKNOWN.
const char *flavor_name(enum flavor flavor);

// Adds the products named in words: postgres, mysql, mariadb, pgbouncer.
bool range_add_flavors(struct server_range *range, const struct words *words, struct error *error)
    __attribute__((warn_unused_result));

// Adds bounds like ">= 14" or ">= 10.5, < 11".
bool range_add_versions(struct server_range *range, const char *text, struct error *error)
    __attribute__((warn_unused_result));

// True if a server that names its version like this is meant. A version that begins with no number
// is not within any bound.
bool range_has(const struct server_range *range, enum flavor flavor, const char *version);

// Says why a server is not meant: "it is for mariadb" or "it is for server-version >= 13, and this
// is 12.22".
void range_explain(const struct server_range *range, enum flavor flavor, const char *version,
                   struct text *text);
