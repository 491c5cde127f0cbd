// Waits between tries of the same thing: each is twice as long as the one before, up to a most.
// Pure.
#pragma once

#include "common/instant.h"

struct backoff {
    int64_t first_ms;
    int64_t most_ms;
};

// A login that the server leaves unanswered: how long an attempt may pend before another takes its
// place. Each may leave a session in the server that is still logging in.
extern const struct backoff backoff_pending_open;

// A secret that the server refuses: an account may be locked by too many failed logins, and an
// administrator who mends it at the server should not have to wait for long.
extern const struct backoff backoff_refused_secret;

// A prober that crashed or could not be started, from the second time in a row on.
extern const struct backoff backoff_failed_start;

// A check whose run got no answer: it has to be killed for another, which leaves the server a
// session that ends only when it notices.
extern const struct backoff backoff_unanswered_run;

// How long to wait after so many tries in a row that came to nothing; not at all after none.
struct duration backoff_wait(const struct backoff *backoff, unsigned tries);
