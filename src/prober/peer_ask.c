// See peer_ask.h. Two questions, each on a connection of its own: the adapter answers both from its
// cache, or from one batch.
#include "prober/peer_ask.h"

#include "common/memory.h"
#include "common/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ANSWER_MAX = 32 * 1024, ANSWER_FIRST = 4 * 1024, NOT_FOUND = 404 };

// An answer as it comes.
struct received {
    char *bytes;
    size_t length, capacity;
};

static bool peer_ask_receive(struct client *client, struct received *received)
{
    if (received->length == received->capacity) {
        received->capacity = received->capacity > 0 ? 2 * received->capacity : ANSWER_FIRST;
        received->bytes = memory_grow(received->bytes, received->capacity);
    }
    ssize_t got = client_receive(client, received->bytes + received->length,
                                 received->capacity - received->length);
    received->length += got > 0 ? (size_t)got : 0;
    return got > 0;
}

static bool peer_ask_read(struct client *client, struct received *received,
                          struct http_answer *answer, struct error *error)
{
    enum http_answer_kind kind = HTTP_ANSWER_PART;
    while (kind == HTTP_ANSWER_PART && received->length < ANSWER_MAX &&
           peer_ask_receive(client, received))
        kind = http_answer_read(received->bytes, received->length, answer);
    if (kind == HTTP_ANSWER_WHOLE)
        return true;
    if (kind == HTTP_ANSWER_STRANGE)
        return error_set(error,
                         "what answers is no adapter, or speaks the other of HTTP and HTTPS");
    if (received->length >= ANSWER_MAX)
        return error_set(error, "its answer is above %d KiB", ANSWER_MAX / 1024);
    if (client_is_late(client))
        return error_set(error, "no answer in time");
    return error_set(error, received->length > 0 ? "its answer broke off"
                                                 : "no answer; does it serve HTTPS?");
}

static bool peer_ask_for(const struct peer_asking *asking, const char *endpoint,
                         struct peer_reply *reply, struct error *error)
{
    char request[128];
    struct received received = {.bytes = NULL};
    struct client *client =
        client_open(asking->address, asking->length, &asking->tls, asking->deadline, error);
    if (client == NULL)
        return false;
    int length =
        snprintf(request, sizeof request, "GET /%s?format=json HTTP/1.0\r\n\r\n", endpoint);
    client_send(client, request, (size_t)length);
    bool told = peer_ask_read(client, &received, &reply->http, error);
    client_close(client);
    reply->bytes = received.bytes;
    return told;
}

struct peer_heard peer_ask(const struct peer_asking *asking)
{
    struct peer_heard heard = {.whole = false};
    struct error error;
    struct instant began = instant_now();
    heard.whole = peer_ask_for(asking, "primary", &heard.primary, &error) &&
                  peer_ask_for(asking, "replica", &heard.replica, &error);
    if (!heard.whole) {
        struct text problem = text_in(heard.problem, sizeof heard.problem);
        text_add(&problem, error.text);
    }
    heard.latency_seconds = (double)(instant_now().ns - began.ns) / 1e9;
    return heard;
}

void peer_forget(struct peer_heard *heard)
{
    free(heard->primary.bytes);
    free(heard->replica.bytes);
    *heard = (struct peer_heard){.whole = false};
}

// --- what they say

static bool peer_ask_take(const struct peer_reply *reply, struct peer_answer *answer,
                          struct error *error)
{
    const struct http_answer *http = &reply->http;
    return peer_answer_read(http->status, http->body, http->length, answer, error);
}

static void peer_ask_fill(struct peer_state *state, const struct peer_answer *primary,
                          const struct peer_answer *replica)
{
    const struct peer_answer *role = primary->holds ? primary : replica;
    state->reachable = true;
    state->primary = primary->holds;
    state->replica = replica->holds;
    state->draining = primary->draining || replica->draining;
    state->since_seconds = primary->holds || replica->holds ? role->since_seconds : -1;
    memcpy(state->instance, primary->instance[0] != '\0' ? primary->instance : replica->instance,
           sizeof state->instance);
}

// One that says nothing of a role may be any server of HTTP; and of two, what one says of the other
// role is not known.
static bool peer_ask_is_one(const struct peer_heard *heard, const struct peer_answer *primary,
                            const struct peer_answer *replica, struct error *error)
{
    const char *one = primary->instance, *other = replica->instance;
    if (heard->primary.http.status == NOT_FOUND && heard->replica.http.status == NOT_FOUND)
        return error_set(error, "it has neither /primary nor /replica");
    if (one[0] != '\0' && other[0] != '\0' && strcmp(one, other) != 0)
        return error_set(error, "two adapters answer by turns: expected a name of one, or of all, "
                                "and no balancer's");
    return true;
}

struct peer_state peer_understand(const struct peer_heard *heard)
{
    struct peer_state state = {.since_seconds = -1, .latency_seconds = heard->latency_seconds};
    struct peer_answer primary, replica;
    struct error error;
    struct text problem = text_in(state.problem, sizeof state.problem);
    if (!heard->whole)
        text_add(&problem, heard->problem);
    else if (peer_ask_take(&heard->primary, &primary, &error) &&
             peer_ask_take(&heard->replica, &replica, &error) &&
             peer_ask_is_one(heard, &primary, &replica, &error))
        peer_ask_fill(&state, &primary, &replica);
    else
        text_add(&problem, error.text);
    return state;
}
