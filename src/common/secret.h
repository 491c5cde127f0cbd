// Files that hold a URL or a password.
#pragma once

#include "common/error.h"

#include <stdbool.h>

enum { SECRET_MAX = 8192 }; // bytes

// Reads the text of a regular file of at most SECRET_MAX bytes without a NUL, and drops one
// trailing newline. The text is the caller's, to be ended with secret_wipe. The error quotes the
// path only.
bool secret_read(const char *path, char **text, struct error *error)
    __attribute__((warn_unused_result));

// Overwrites and frees a string and sets it to NULL; NULL is fine.
void secret_wipe(char **string);
