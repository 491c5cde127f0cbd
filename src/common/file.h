// Small files read as a whole.
#pragma once

#include "common/error.h"

#include <stdbool.h>
#include <stddef.h>

// Reads a regular file of at most limit bytes; they are the caller's and have a NUL after them. The
// error does not name the file.
bool file_read(const char *path, size_t limit, char **bytes, size_t *length, struct error *error)
    __attribute__((warn_unused_result));
