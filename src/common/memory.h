// Allocation that succeeds or ends the process: the amounts are a few KiB, and an adapter that
// cannot have them cannot answer either. Everything is freed with free().
#pragma once

#include <stddef.h>

// size zeroed bytes.
void *memory_new(size_t size) __attribute__((returns_nonnull, warn_unused_result));

// As realloc.
void *memory_grow(void *block, size_t size) __attribute__((returns_nonnull, warn_unused_result));

// A copy of length bytes with a NUL after them.
char *memory_copy(const char *bytes, size_t length)
    __attribute__((returns_nonnull, warn_unused_result));

// A copy of a string.
char *memory_string(const char *string) __attribute__((returns_nonnull, warn_unused_result));

// Gives freed memory back to the system, which free() alone may not do; after many allocations have
// been freed. Takes a fraction of a millisecond.
void memory_trim(void);
