// All checks and endpoints as of one moment: what /status, /metrics and the page show.
#pragma once

#include "server/answer/request.h"
#include "server/report/metrics.h"

// Lives for one answer.
struct overview {
    const struct config *config;
    const struct check_view *views; // of its checks
    size_t count;
    struct circumstances circumstances;
    const bool *passes;                // of its endpoints
    bool ready;                        // of these: /readyz
    struct server_seen server;         // as the prober saw it that has looked last
    const struct prober_view *probers; // in the scheduler's order
    size_t prober_count;
    int64_t age; // of the oldest result, as in struct answer
};

typedef void overview_shower(struct request *request, const struct overview *overview);

// Asks for every check that is due, waits to the deadline like everyone, and then has what there is
// shown. The checks of /readyz come first, so that the others are in the way of none of them.
void overview_ask(struct request *request, overview_shower *show);
