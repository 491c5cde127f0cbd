// A question of a command to the running adapter, whose settings it has: over HTTP, with one
// deadline.
#pragma once

#include "common/instant.h"
#include "server/config/settings.h"

// The whole answer. Emptied by adapter_answer_clear.
struct adapter_answer {
    unsigned long status;
    const char *body;
    size_t length; // of the body
    char *bytes;   // that came; the body is in them
};

enum adapter_end {
    ADAPTER_ANSWERED, // with whatever status
    ADAPTER_FAILED,   // nobody answers, or not in full and in time
    ADAPTER_WRONG     // it cannot be asked so
};

// Asks for a path. What the main port does not tell (403) is asked where the details are, if there
// is such a place, with the adapter's own certificate. The error says why there is no answer, and
// what is wrong.
enum adapter_end adapter_ask(const struct settings *settings, const char *path,
                             struct duration timeout, struct adapter_answer *answer,
                             struct error *error) __attribute__((warn_unused_result));

void adapter_answer_clear(struct adapter_answer *answer);
