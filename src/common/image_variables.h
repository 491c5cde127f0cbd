// The variables with which the official database images are set up (POSTGRES_USER,
// MYSQL_PASSWORD_FILE, ...), so that one Secret can serve both containers.
#pragma once

#include "common/target.h"

// Fills engine, user, password or password_file, and database from the environment. `found` is
// false if it has no such variable. False, with the variable's name in the error, for two that
// contradict each other, or a file that cannot be read.
bool image_variables_load(struct target *target, bool *found, struct error *error)
    __attribute__((warn_unused_result));

// The files that it reads; returns how many there are.
size_t image_variables_files(const char *paths[TARGET_FILES_MAX]);
