// The kinds of answers; answer.c chooses among them. Each replies once, at once or when the checks
// that it asks for are there.
#pragma once

#include "server/answer/reply.h"

// An endpoint of checks, or one check of it.
void answer_endpoint(const struct inquiry *inquiry, const struct endpoint *endpoint);

// The adapter itself.
void answer_livez(const struct inquiry *inquiry);

// All checks and endpoints as JSON; the status of HTTP is 200 whatever they say.
void answer_status(const struct inquiry *inquiry);

// Likewise, for Prometheus.
void answer_metrics(const struct inquiry *inquiry);

// Likewise, as a page for people; the status is that of /readyz.
void answer_page(const struct inquiry *inquiry);
