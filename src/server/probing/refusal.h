// A secret that the server has refused: since when, and when a prober may show it again. One for
// all probers of a server, so that it sees the secret as seldom as if there were one. Pure: the
// caller brings the time. dbhealthd knows a secret by a number only, see struct reply.
#pragma once

#include "common/instant.h"
#include "common/text.h"
#include "common/wire.h"

struct refusal {
    unsigned holders;
    uint64_t secret;      // 0: none is refused
    struct instant since; // the first refusal in a row, of whichever secret
    struct instant noted; // the latest
    struct instant next;  // not shown before this
    unsigned tries;       // of this secret
    enum outcome outcome; // of the latest: OUTCOME_DENIED, or what may be something else
    char code[REPLY_CODE_MAX];
    char message[REPLY_MESSAGE_MAX]; // the driver's words
};

// Made with one holder, and freed when the last one has released it.
struct refusal *refusal_new(void);
struct refusal *refusal_hold(struct refusal *refusal);
void refusal_release(struct refusal *refusal);

// What an open that begins now must not show; 0: nothing. Once the time for another try has come,
// one caller is told 0 and the others go on waiting.
uint64_t refusal_withhold(struct refusal *refusal, struct instant now);

// Takes note of what came of an open, which began at `opened`, for the secret.
void refusal_take(struct refusal *refusal, const struct reply *reply, struct instant opened,
                  struct instant now);

// The outcome of an open that withheld the secret, for which the server would have gone on.
enum outcome refusal_outcome(const struct refusal *refusal);

// "for 12.3 s; next try in 4.0 s".
void refusal_describe(const struct refusal *refusal, struct instant now, struct text *text);
