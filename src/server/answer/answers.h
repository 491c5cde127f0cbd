// The kinds of answers; answer.c chooses among them. Each answers the request once, at once or when
// the checks that it asks for are there.
#pragma once

#include "server/answer/request.h"

// An endpoint of checks, or one check of it.
void answer_endpoint(struct request *request);

// The adapter itself.
void answer_livez(struct request *request);

// All checks and endpoints as JSON; the status of HTTP is 200 whatever they say.
void answer_status(struct request *request);

// Likewise, for Prometheus.
void answer_metrics(struct request *request);

// Likewise, as a page for people; the status is that of /readyz.
void answer_page(struct request *request);

// A file that the page loads.
void answer_file(struct request *request);
