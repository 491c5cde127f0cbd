// What another adapter says of one of its endpoints: its JSON document, of which a few members
// matter here. What it says is not trusted. Pure.
#pragma once

#include "common/error.h"
#include "common/inquiry.h"

#include <stddef.h>

struct peer_answer {
    char instance[INSTANCE_LENGTH + 1]; // "": it does not say who it is, as an older version
    bool holds; // a check of the endpoint passes and none fails, draining or not
    bool draining;
    double since_seconds; // for how long it has been so; below 0: it does not say
};

// Reads an answer. A status of 404 is one, too: there the endpoint has no check, and so does not
// hold. False, with the reason, for what no adapter says.
bool peer_answer_read(unsigned status, const char *body, size_t length, struct peer_answer *answer,
                      struct error *error) __attribute__((warn_unused_result));
