// Everything that configuration decides, as one immutable object: settings, checks, endpoints.
// Requests hold a reference; a reload makes another and swaps one pointer.
#pragma once

#include "common/target.h"
#include "server/check/check.h"
#include "server/check/endpoint.h"
#include "server/config/settings.h"

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
    enum engine engine;     // ENGINE_NONE: the URL does not tell
    bool console;           // the URL names PgBouncer's own database
    uint64_t target_digest; // of server and database; the engine alone if the URL is wrong
    char target[256];       // the database URL without its secrets, for people
    struct check **checks;  // by name
    size_t check_count;
    struct endpoint *endpoints;
    size_t endpoint_count;
    struct words probers;            // the names that checks give
    struct certificate *certificate; // the listener's; NULL: it speaks plain text
    char *target_problem;            // what is wrong with the database URL; NULL: nothing
    struct words problems;           // all that is wrong, each with its place; serving goes on
    size_t common_problems;          // the first of these belong to no check
    struct words left_out;           // check files that the settings disable
    // No problems. Names in the settings that nothing has: a setting may serve several engines, but
    // a misspelled one does nothing. And secrets among the checks.
    struct words warnings;
};

// Reads the database URL and the check files, and takes the settings over (they are emptied).
// Never fails: what is wrong is in `problems`, and in checks that are broken. In place of a
// certificate that cannot be served with there is one of its own making. A problem that
// belongs to no check makes a broken check of its own, `configuration`, in readyz, healthz and
// startupz. The caller has the first reference.
struct config *config_load(struct settings *settings) __attribute__((returns_nonnull));

// What is between two configurations; emptied by config_changes_clear.
struct config_changes {
    struct words added, changed, removed; // names of checks
    bool certificate;
    bool target;           // another server, database or user, or the URL became right or wrong
    struct words problems; // that the later one has and the earlier has not: a check that was
                           // broken already may be broken in another way
};

// Compares the two, and has the earlier one's own checks in the place of equal ones of the later,
// which nobody else must have seen yet.
struct config_changes config_succeed(struct config *later, const struct config *earlier);

// True if there are any, problems aside.
bool config_changes_any(const struct config_changes *changes);

void config_changes_clear(struct config_changes *changes);

struct config *config_hold(struct config *config);

// Gives a reference back; the last one frees the object.
void config_release(struct config *config);

// The index of the check of this name; check_count if there is none.
size_t config_find_check(const struct config *config, const char *name);

// The endpoint of this name, else the one that other tools call so (see alias.h); NULL if there is
// none.
const struct endpoint *config_endpoint(const struct config *config, const char *name);
