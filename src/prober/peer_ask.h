// Asks one other adapter what its server is. Blocks until that is known or the deadline has come.
#pragma once

#include "client/client.h"
#include "prober/peer_answer.h"

enum { PEER_PROBLEM_MAX = 160 };

struct peer_asking {
    const struct sockaddr *address;
    socklen_t length;
    struct client_tls tls;
    struct instant deadline;
};

// What is known of a peer. Where it was not reached all is false but the problem.
struct peer_state {
    char instance[INSTANCE_LENGTH + 1]; // "": it does not say who it is
    bool reachable;                     // it gave both answers
    bool primary, replica;
    bool draining;
    double since_seconds;           // for how long it has had its role; below 0: that is not known
    double latency_seconds;         // until both answers were there
    char problem[PEER_PROBLEM_MAX]; // why it was not reached; ""
};

struct peer_state peer_ask(const struct peer_asking *asking);
