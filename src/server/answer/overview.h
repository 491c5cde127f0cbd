// All checks and endpoints as of one moment: what /status, /metrics and the page show.
#pragma once

#include "server/answer/request.h"
#include "server/report/report.h"

// Lives for one answer.
struct overview {
    struct report report;        // of all checks; its own word is that of /readyz
    struct server_view server;   // as the prober saw it that has looked last
    struct adapter_view adapter; // its probers in the scheduler's order
    int64_t age;                 // of the oldest result, as in struct answer
};

typedef void overview_shower(struct request *request, const struct overview *overview);

// Asks for every check that is due, waits to the deadline like everyone, and then has what there is
// shown. The checks of /readyz come first, so that the others are in the way of none of them.
void overview_ask(struct request *request, overview_shower *show);
