// Asks one other adapter what its server is, and understands what it says.
#pragma once

#include "client/client.h"
#include "client/http_answer.h"
#include "prober/peer_answer.h"

enum { PEER_PROBLEM_MAX = 160 };

struct peer_asking {
    const struct sockaddr *address;
    socklen_t length;
    struct client_tls tls;
    struct instant deadline;
};

// An answer, whose body nobody has looked into.
struct peer_reply {
    char *bytes; // owned
    struct http_answer http;
};

// What came of asking a peer.
struct peer_heard {
    struct peer_reply primary, replica; // to the questions for these
    bool whole;                         // both came
    double latency_seconds;             // until then
    char problem[PEER_PROBLEM_MAX];     // why they did not; ""
};

// Blocks until both answers are there or the deadline has come. What is heard is the caller's to
// forget.
struct peer_heard peer_ask(const struct peer_asking *asking);

void peer_forget(struct peer_heard *heard);

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

// Takes the answers apart. They are a stranger's: what he says may take 80 times its length of
// memory, so one is taken apart at a time, when no thread is there that could lack it.
struct peer_state peer_understand(const struct peer_heard *heard);
