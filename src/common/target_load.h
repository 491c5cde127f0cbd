// Where the target comes from: the environment and its files. The server, whose environment has
// *** for each secret, loads it at the start for the engine and for errors; each prober loads it
// anew at every open, so that a rotated secret just works.
#pragma once

#include "common/target.h"

extern const char target_url_variable[];
extern const char target_problem_variable[]; // what is wrong with a URL that is not passed on

// Reads DATABASE_URL or DATABASE_URL_FILE, else the official images' variables, and the name in
// DATABASE_PASSWORD_FILE without opening that file. On false the error names the variable and what
// was expected.
bool target_load(struct target *target, struct error *error) __attribute__((warn_unused_result));

// Reads the password file, if there is one, into target->password; it wins over the URL's. One
// trailing newline is dropped.
bool target_load_password(struct target *target, struct error *error)
    __attribute__((warn_unused_result));

// The files that target_load reads, for who watches them; returns how many there are.
size_t target_load_files(const char *paths[TARGET_FILES_MAX]);
