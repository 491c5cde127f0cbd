// From a route to a status and a body.
#pragma once

#include "server/answer/route.h"
#include "server/probing/scheduler.h"

// What answers are made from; owned by serve.c, which swaps and changes it.
struct service {
    struct config *config;
    struct scheduler *scheduler;   // NULL: the adapter is ending, and nothing more is probed
    struct statistics *statistics; // outlives both
    struct instant started;        // of listening
    bool draining;                 // SIGTERM has come
};

enum method { METHOD_GET, METHOD_HEAD, METHOD_OPTIONS, METHOD_OTHER };

// What is asked; lives until the answer is ready.
struct request_facts {
    enum method method;
    const struct route *route;
    bool json; // the client wants application/health+json
    bool page; // it wants the status page
};

// How long an answer is the one to the very same request. All zeros: for one request only.
struct validity {
    struct instant until; // its Age is right and all results that it uses are young enough
    uint64_t changes;     // of the scheduler: nothing has become known since
    bool draining;        // it was given while that was so
    size_t checks;        // how many results it uses
    struct endpoint_statistics *counts; // where it is counted
};

struct answer {
    unsigned status;  // of HTTP
    const char *type; // of the body: static
    char *body;       // owned by who gets the answer
    size_t length;
    bool allow;         // say which methods there are
    int64_t age;        // whole seconds, of the oldest result used; -1: none was used
    const char *policy; // the page's Content-Security-Policy, for the time of the call; else NULL
    struct validity validity;
};

// Told once, possibly from within answer_ask, and by the deadline at the latest.
typedef void answer_ready(void *context, struct answer *answer);

// True if an answer of this status, to the same request, may be given once more; it is counted then
// like any other.
bool answer_again(struct service *service, const struct validity *validity, unsigned status);

// Answers a request.
void answer_ask(struct service *service, const struct request_facts *facts, answer_ready *ready,
                void *context);
