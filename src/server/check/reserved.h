// Names that mean something of their own in a path or a query, so that no check file can give them
// to an endpoint or a param. One table; a name is added here and where it is answered.
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum reserved {
    // Paths that are no endpoint of checks.
    RESERVED_LIVEZ,
    RESERVED_METRICS,
    RESERVED_STATUS,
    // What a check file says that belongs to no endpoint.
    RESERVED_NONE,
    // Keys of every query.
    RESERVED_EXCLUDE,
    RESERVED_FORMAT,
    RESERVED_HISTORY,
    RESERVED_VERBOSE,
    RESERVED_WARN,
    RESERVED_COUNT // not reserved
};

// The name in a path that is no endpoint of checks; RESERVED_COUNT if it is none of these.
enum reserved reserved_path(const char *name);

// Those names, in a fixed order; NULL past the last.
const char *reserved_path_name(size_t index);

// The key of every query; RESERVED_COUNT if it is none.
enum reserved reserved_key(const char *name);

// True if no endpoint of a check file can have this name.
bool reserved_from_endpoints(const char *name);

// True of a query's name that means nothing but that no cache shall answer: it is ignored wherever
// it stands, so that no param can have it.
bool reserved_cache_buster(const char *name);
