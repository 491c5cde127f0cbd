// Check files: `-- key: value` lines, then one SQL statement. The keys are one table in
// check_file.c.
#pragma once

#include "common/target.h"
#include "server/check/check.h"

// What a check has if its file does not say, and the bound that all must keep.
struct check_defaults {
    struct duration timeout;
    struct duration cache;
    struct duration deadline; // of a request: a timeout above it needs `every`
    enum engine engine;       // that the check will run on; ENGINE_NONE: not known
};

// The length of a check's name in its file's name, which ends in ".sql"; 0 for a file that is none:
// hidden, or of another kind.
size_t check_file_stem_length(const char *file);

// Parses length bytes of text. Always returns a check, owned by the caller: with a fault in the
// file, check->broken says "place:line:column: what was expected", and as much of the rest as could
// be read stands, so that the endpoints it belongs to can tell.
struct check *check_file_parse(const char *name, const char *place, const char *text, size_t length,
                               const struct check_defaults *defaults)
    __attribute__((returns_nonnull));

// Reads the file at place and parses it; a file that cannot be read is a broken check.
struct check *check_file_load(const char *name, const char *place,
                              const struct check_defaults *defaults)
    __attribute__((returns_nonnull));

// Writes the keys, space-separated: for messages, and for the test that holds checks/README.md to
// them.
void check_file_keys(char *text, size_t capacity);
