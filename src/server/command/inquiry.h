// A question of a command to the running adapter, whose settings it has: over HTTP, with one
// deadline.
#pragma once

#include "common/instant.h"
#include "server/config/settings.h"

// The whole answer. Emptied by inquiry_clear.
struct inquiry {
    unsigned long status;
    const char *body;
    size_t length; // of the body
    char *bytes;   // that came; the body is in them
};

enum inquiry_end {
    INQUIRY_ANSWERED, // with whatever status
    INQUIRY_FAILED,   // nobody answers, or not in full and in time
    INQUIRY_WRONG     // it cannot be asked so
};

// Asks for a path. What the main port does not tell (403) is asked where the details are, if there
// is such a place, with the adapter's own certificate. The error says why there is no answer, and
// what is wrong.
enum inquiry_end inquiry_ask(const struct settings *settings, const char *path,
                             struct duration timeout, struct inquiry *inquiry, struct error *error)
    __attribute__((warn_unused_result));

void inquiry_clear(struct inquiry *inquiry);
