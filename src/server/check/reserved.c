// See reserved.h. Kept beside the endpoints, below HTTP: the parser of check files refuses what the
// router answers, and must not know the router.
#include "server/check/reserved.h"

#include <string.h>
#include <strings.h>

static const char *const names[RESERVED_COUNT] = {
    [RESERVED_LIVEZ] = "livez",     [RESERVED_METRICS] = "metrics", [RESERVED_STATUS] = "status",
    [RESERVED_NONE] = "none",       [RESERVED_EXCLUDE] = "exclude", [RESERVED_FORMAT] = "format",
    [RESERVED_HISTORY] = "history", [RESERVED_VERBOSE] = "verbose", [RESERVED_WARN] = "warn",
};

// What monitors and their users add to a URL so that no cache answers for us, beside names that
// begin with '_' (jQuery's) and bare times (UptimeRobot's).
static const char *const cache_busters[] = {
    "cache-buster", "cache_bust", "cache_buster", "cachebust", "cachebuster",
    "cb",           "no_cache",   "nocache",      "rand",      "random",
    "rnd",          "t",          "timestamp",    "ts",        "uptime_kuma_cachebuster",
};

enum { FIRST_PATH = RESERVED_LIVEZ, PAST_PATHS = RESERVED_NONE, FIRST_KEY = RESERVED_EXCLUDE };

static enum reserved reserved_find(unsigned first, unsigned past, const char *name)
{
    for (unsigned i = first; i < past; i++) {
        if (strcmp(names[i], name) == 0)
            return (enum reserved)i;
    }
    return RESERVED_COUNT;
}

enum reserved reserved_path(const char *name)
{
    return reserved_find(FIRST_PATH, PAST_PATHS, name);
}

const char *reserved_path_name(size_t index)
{
    return index < PAST_PATHS - FIRST_PATH ? names[FIRST_PATH + index] : NULL;
}

enum reserved reserved_key(const char *name)
{
    return reserved_find(FIRST_KEY, RESERVED_COUNT, name);
}

bool reserved_from_endpoints(const char *name)
{
    return reserved_find(FIRST_PATH, FIRST_KEY, name) != RESERVED_COUNT;
}

bool reserved_cache_buster(const char *name)
{
    bool found = name[0] == '_' || (name[0] != '\0' && name[strspn(name, "0123456789")] == '\0');
    for (size_t i = 0; i < sizeof cache_busters / sizeof *cache_busters; i++)
        found |= strcasecmp(name, cache_busters[i]) == 0;
    return found;
}
