// Whether something is still the same: FNV-1a of 64 bits, which tells mistakes and edits apart and
// withstands nobody who means harm. http://www.isthe.com/chongo/tech/comp/fnv/
#pragma once

#include <stddef.h>
#include <stdint.h>

#define DIGEST_EMPTY UINT64_C(0xcbf29ce484222325)

// The digest of what came before and these bytes.
uint64_t digest_add(uint64_t digest, const void *bytes, size_t length);

// Likewise with a string's length and bytes; NULL differs from "".
uint64_t digest_add_string(uint64_t digest, const char *string);
