// From a route to a status and a body.
#pragma once

#include "server/route.h"
#include "server/scheduler.h"

// What answers are made from; owned by serve.c, which swaps and changes it.
struct service {
    struct config *config;
    struct scheduler *scheduler; // NULL: the adapter is ending, and nothing more is probed
    struct instant started;      // of listening
    bool draining;               // SIGTERM has come
};

enum method { METHOD_GET, METHOD_HEAD, METHOD_OPTIONS, METHOD_OTHER };

struct answer {
    unsigned status; // of HTTP
    char *body;      // owned by who gets the answer
    size_t length;
    bool allow;  // say which methods there are
    int64_t age; // whole seconds, of the oldest result used; -1: none was used
};

// Told once, possibly from within answer_ask, and by the deadline at the latest.
typedef void answer_ready(void *context, struct answer *answer);

// Answers a request. The route must live until `ready` is called.
void answer_ask(struct service *service, enum method method, const struct route *route,
                answer_ready *ready, void *context);
