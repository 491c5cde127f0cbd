// What probers report.
#pragma once

#include "fuzz.h"

#include "common/wire.h"

// Takes a reply: a byte for the verb, a byte for what is no text, a line each with the outcome's
// code (ok if it is none), a code, a message and a version, and, if a run was ok, a result (see
// take_result). To be freed with reply_free.
void take_reply(struct input *input, struct reply *reply);
