// Small files read as a whole.
#pragma once

#include "common/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum file_reading {
    FILE_READ,
    FILE_NOT_OPENED, // errno says why
    FILE_NOT_READ,   // errno says why
    FILE_IRREGULAR,  // a folder, a FIFO, a device
    FILE_TOO_LONG
};

// Reads all of a regular file of at most limit bytes. They are the caller's, and have a NUL after
// them. Of a file that is not taken, what has been read is wiped, and both are left alone.
enum file_reading file_take(const char *path, size_t limit, char **bytes, size_t *length)
    __attribute__((warn_unused_result));

// The same with words for what went wrong, which do not name the file.
bool file_read(const char *path, size_t limit, char **bytes, size_t *length, struct error *error)
    __attribute__((warn_unused_result));

// Adds to a digest what the kernel says of a file's present state: which file it is, its size and
// its times. Not its bytes: the digest of a secret may be known to all. Nothing if there is none.
uint64_t file_add_state(uint64_t digest, const char *path);
