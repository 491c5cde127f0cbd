// Looks up names side by side, with a limit that the C library's own lookup does not have.
#pragma once

#include "common/instant.h"

#include <netdb.h>
#include <stddef.h>

struct lookup;

// Begins to look up a name or an address as text, or joins a lookup of the same that was begun
// earlier and has not ended. NULL if there can be no thread for it.
struct lookup *lookup_begin(const char *host, unsigned port);

// Waits until all have ended, or the deadline has come. NULLs are passed over.
void lookup_wait(struct lookup *const *lookups, size_t count, struct instant deadline);

// What was found, or NULL with the reason in *why, which is static. Lives as long as the lookup.
const struct addrinfo *lookup_found(struct lookup *lookup, const char **why);

// Gives it back; one that has not ended is freed when it does. NULL is fine.
void lookup_release(struct lookup *lookup);
