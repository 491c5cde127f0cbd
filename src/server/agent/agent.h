// HAProxy's agent checks (its manual, "agent-check") on the loop: a line from each client, and a
// line for it. What that says is the answer's to decide; see server/report/report.h.
#pragma once

#include "server/answer/answer.h"

#include <uv.h>

struct agent;

// Answers on a listening socket, which it takes over. The service must outlive it.
struct agent *agent_start(uv_loop_t *loop, int listening, struct service *service)
    __attribute__((returns_nonnull));

// Stops listening, and closes. Every request must have been answered. Freed by the loop later; NULL
// is fine.
void agent_end(struct agent *agent);
