// All checks and endpoints as of one moment: what /status, /metrics and the page show.
#pragma once

#include "server/answer/reply.h"
#include "server/report/metrics.h"

// Lives for one answer.
struct overview {
    const struct config *config;
    const struct check_view *views; // of its checks
    size_t count;
    struct circumstances circumstances;
    const bool *passes;                // of its endpoints
    struct server_seen server;         // as the prober saw it that has looked last
    const struct prober_view *probers; // in the scheduler's order
    size_t prober_count;
};

typedef void overview_shower(const struct inquiry *inquiry, const struct overview *overview);

// Asks for every check that is due, waits to the deadline like everyone, and then has what there is
// shown. The checks of /readyz come first, so that the others are in the way of none of them.
void overview_ask(const struct inquiry *inquiry, overview_shower *show);
