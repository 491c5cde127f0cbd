// Everything that configuration decides, as one immutable object: settings, checks, endpoints.
// Requests and batches hold a reference; a reload would swap one pointer.
#pragma once

#include "common/target.h"
#include "server/check.h"
#include "server/endpoint.h"
#include "server/settings.h"

struct endpoint {
    char *name;
    const struct endpoint_rule *rule;
    size_t *checks; // indices into config->checks
    size_t count;
};

struct certificate;

struct config {
    unsigned references;
    struct settings settings;
    enum engine engine;    // ENGINE_NONE: the URL does not tell
    char target[256];      // the database URL without its secrets, for people
    struct check **checks; // by name
    size_t check_count;
    struct endpoint *endpoints;
    size_t endpoint_count;
    struct words probers;            // the names that checks give
    struct certificate *certificate; // the listener's; NULL: it speaks plain text
    char *target_problem;            // what is wrong with the database URL; NULL: nothing
    struct words problems;           // all that is wrong, each with its place; serving goes on
};

// Reads the database URL and the check files, and takes the settings over (they are emptied).
// Never fails: what is wrong is in `problems`, and in checks that are broken. In place of a
// certificate that cannot be served with there is one of its own making. A problem that
// belongs to no check makes a broken check of its own, `configuration`, in readyz, healthz and
// startupz. The caller has the first reference.
struct config *config_load(struct settings *settings) __attribute__((returns_nonnull));

struct config *config_hold(struct config *config);

// Gives a reference back; the last one frees the object.
void config_release(struct config *config);

// NULL if there is none of this name.
const struct endpoint *config_endpoint(const struct config *config, const char *name);
