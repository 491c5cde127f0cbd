// A request's target taken apart. Pure.
#pragma once

#include "server/base/words.h"

enum route_kind {
    ROUTE_ENDPOINT, // endpoint, and check if not ""
    ROUTE_LIVEZ,
    ROUTE_STATUS,  // all checks, whatever they say
    ROUTE_METRICS, // the same, for Prometheus
    ROUTE_FILE,    // of the page: endpoint is its name
    ROUTE_NOWHERE, // nothing can be there
    ROUTE_BAD      // a bad target or query: error says what
};

// What the query asks for.
enum format { FORMAT_UNSAID, FORMAT_TEXT, FORMAT_JSON, FORMAT_HTML };

// Filled by route_parse, emptied by route_clear.
struct route {
    enum route_kind kind;
    char endpoint[NAME_MAX_LENGTH + 1]; // "/" stands for readyz
    char check[NAME_MAX_LENGTH + 1];    // "": the whole endpoint
    bool verbose;
    bool history;
    bool root;                 // the path is "/", which has a page
    enum format format;        // FORMAT_HTML only of the root
    unsigned warn_status;      // of HTTP, for who passes with a warning
    struct words exclude;      // names of checks to leave out
    struct words param_names;  // the query's other keys, which may be params of checks, ...
    struct words param_values; // ... and their values
    struct error error;
};

// Parses the target as it came (RFC 9112, section 3.2; origin or absolute form). Each path has some
// of the query's keys `verbose` and `history`, with any value or none, `exclude=a,b`, which may
// repeat, `format=json`, `text` or `html`, and `warn=` with a status of HTTP. What monitors add to
// get around caches is ignored. Where checks are asked, every other key is taken for a param's
// name, and given once.
void route_parse(const char *target, struct route *route);

// Refuses a key that the path's query does not have, or that is no param of a check that is asked
// for, and says which it has; returns false.
bool route_refuse_key(const struct route *route, const char *key, struct error *error);

void route_clear(struct route *route);
