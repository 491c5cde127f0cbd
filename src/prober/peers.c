// The driver of the prober of peers: its servers are the adapters of other database servers. A
// session is a batch: the first run asks all peers at once, and each further one tells of the same
// answers. There is nobody to log in to.
//
// Which peers there are: a single place is a name of them all, so each of its addresses is a peer.
// Of several places each is one peer, wherever it answers.
#include "client/client.h"
#include "common/inquiry.h"
#include "common/memory.h"
#include "common/text.h"
#include "prober/driver.h"
#include "prober/lookup.h"
#include "prober/peer_ask.h"
#include "prober/peer_files.h"
#include "prober/peer_memory.h"
#include "prober/thread.h"

#include <arpa/inet.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    // Of the time that a run has: what the names may take, and what is left for the reply.
    LOOKUP_PERCENT = 40,
    REPLY_PERCENT = 10
};

struct peer {
    char name[PEER_NAME_ROOM]; // host or address, and port
    const struct place *place;
    const struct addrinfo *addresses; // tried in their order; NULL: none is known
    bool first_only;                  // ... but the first of them alone
    const char *problem;              // why there is none
    struct trust *trust;
    struct instant deadline;
    pthread_t thread;
    bool asked; // there is a thread
    struct peer_heard heard;
    struct peer_state state;
};

static struct peer_memory peers_memory; // longer than a session

struct session {
    bool gathered;
    struct inquiry inquiry;
    struct lookup *lookups[INQUIRY_PLACES_MAX];
    struct peer peers[PEERS_MAX];
    size_t count;
    bool too_many;
    bool no_primary; // it is known of this server itself that it is no primary
};

// --- who there is

static void peers_name(struct peer *peer, const char *host)
{
    bool bare = strchr(host, ':') != NULL; // an address of IPv6
    (void)snprintf(peer->name, sizeof peer->name, "%s%s%s:%u", bare ? "[" : "", host,
                   bare ? "]" : "", (unsigned)peer->place->port);
}

static struct peer *peers_add(struct session *session, const struct place *place)
{
    if (session->count == PEERS_MAX) {
        session->too_many = true;
        return NULL;
    }
    struct peer *peer = &session->peers[session->count++];
    *peer = (struct peer){.place = place};
    peers_name(peer, place->host);
    return peer;
}

static void peers_name_by_address(struct peer *peer)
{
    char host[INET6_ADDRSTRLEN];
    if (getnameinfo(peer->addresses->ai_addr, peer->addresses->ai_addrlen, host, sizeof host, NULL,
                    0, NI_NUMERICHOST) == 0)
        peers_name(peer, host);
}

// Each peer has an address of the same family as all: of IPv4, if there is one.
static void peers_add_each(struct session *session, const struct addrinfo *found)
{
    int family = AF_INET6;
    for (const struct addrinfo *it = found; it != NULL; it = it->ai_next)
        family = it->ai_family == AF_INET ? AF_INET : family;
    for (; found != NULL; found = found->ai_next) {
        struct peer *peer =
            found->ai_family == family ? peers_add(session, &session->inquiry.places[0]) : NULL;
        if (peer == NULL)
            continue;
        peer->addresses = found;
        peer->first_only = true;
        peers_name_by_address(peer);
    }
}

static void peers_add_place(struct session *session, size_t index)
{
    const char *why = "";
    const struct addrinfo *found = lookup_found(session->lookups[index], &why);
    if (found != NULL && session->inquiry.count == 1) {
        peers_add_each(session, found);
        return;
    }
    struct peer *peer = peers_add(session, &session->inquiry.places[index]);
    if (peer == NULL)
        return;
    peer->addresses = found;
    peer->problem = why;
}

static void peers_find(struct session *session, struct instant deadline)
{
    const struct inquiry *inquiry = &session->inquiry;
    for (size_t i = 0; i < inquiry->count; i++)
        session->lookups[i] = lookup_begin(inquiry->places[i].host, inquiry->places[i].port);
    lookup_wait(session->lookups, inquiry->count, deadline);
    for (size_t i = 0; i < inquiry->count; i++)
        peers_add_place(session, i);
}

// --- what they say

static void *peers_run(void *argument)
{
    struct peer *peer = argument;
    const struct addrinfo *address = peer->addresses;
    do {
        peer_forget(&peer->heard);
        const struct peer_asking asking = {
            .address = address->ai_addr,
            .length = address->ai_addrlen,
            .tls = {.wanted = peer->place->tls, .trust = peer->trust, .name = peer->place->host},
            .deadline = peer->deadline};
        peer->heard = peer_ask(&asking);
        address = peer->first_only ? NULL : address->ai_next;
    } while (!peer->heard.whole && address != NULL);
    return NULL;
}

static void peers_ask(struct session *session, struct trust *trust, struct instant deadline)
{
    for (size_t i = 0; i < session->count; i++) {
        struct peer *peer = &session->peers[i];
        peer->trust = trust;
        peer->deadline = deadline;
        peer->asked =
            peer->addresses != NULL && thread_start(&peer->thread, peers_run, &session->peers[i]);
        if (peer->asked)
            continue;
        struct text problem = text_in(peer->heard.problem, sizeof peer->heard.problem);
        text_add(&problem, peer->addresses == NULL ? peer->problem : "no thread to ask it");
    }
    for (size_t i = 0; i < session->count; i++) {
        if (session->peers[i].asked)
            (void)pthread_join(session->peers[i].thread, NULL);
    }
}

// When all threads have ended, see peer_understand.
static void peers_understand(struct session *session)
{
    for (size_t i = 0; i < session->count; i++) {
        session->peers[i].state = peer_understand(&session->peers[i].heard);
        peer_forget(&session->peers[i].heard);
    }
}

static bool peers_is_oneself(const struct session *session, const struct peer *peer)
{
    return strcmp(peer->state.instance, session->inquiry.instance) == 0;
}

// Oneself, and who has been met under another address, is no peer.
static bool peers_counts(const struct session *session, size_t index)
{
    const char *instance = session->peers[index].state.instance;
    bool counts = !peers_is_oneself(session, &session->peers[index]);
    for (size_t i = 0; i < index && instance[0] != '\0'; i++)
        counts &= strcmp(instance, session->peers[i].state.instance) != 0;
    return counts;
}

static void peers_drop_doubles(struct session *session)
{
    size_t kept = 0;
    bool counts[PEERS_MAX];
    for (size_t i = 0; i < session->count; i++) {
        const struct peer *peer = &session->peers[i];
        counts[i] = peers_counts(session, i);
        session->no_primary |= peers_is_oneself(session, peer) && !peer->state.primary;
    }
    for (size_t i = 0; i < session->count; i++) {
        if (counts[i])
            session->peers[kept++] = session->peers[i];
    }
    session->count = kept;
}

static void peers_note_heard(const struct session *session)
{
    for (size_t i = 0; i < session->count; i++) {
        if (session->peers[i].state.reachable)
            peer_memory_note(&peers_memory, session->peers[i].name, instant_now());
    }
}

static struct instant peers_share(struct instant now, struct instant end, int percent)
{
    return instant_add(now, (struct duration){instant_left(end, now).ms * percent / 100});
}

static bool peers_want_trust(const struct inquiry *inquiry)
{
    bool wants = false;
    for (size_t i = 0; i < inquiry->count; i++)
        wants |= inquiry->places[i].tls;
    return wants;
}

static bool peers_gather(struct session *session, const struct call *call, struct error *error)
{
    struct instant now = instant_now();
    const char *file = session->inquiry.authorities;
    struct trust *trust = NULL;
    if (peers_want_trust(&session->inquiry) &&
        (trust = trust_new(file[0] != '\0' ? file : NULL, error)) == NULL)
        return error_prefix(error, "DBHEALTH_PEERS_CA");
    peers_find(session, peers_share(now, call->deadline, LOOKUP_PERCENT));
    if (!session->too_many)
        peers_ask(session, trust, peers_share(now, call->deadline, 100 - REPLY_PERCENT));
    trust_free(trust);
    peers_understand(session);
    peers_drop_doubles(session);
    peers_note_heard(session);
    session->gathered = true;
    return true;
}

// --- rows

// Both take writes, for all that is known.
static bool peers_is_rival(const struct session *session, const struct peer *peer)
{
    return peer->state.primary && !session->no_primary;
}

static void peers_add_text(struct result *result, const char *text)
{
    (void)result_add_value(result, VALUE_STRING, text, strlen(text));
}

static void peers_add_boolean(struct result *result, bool is_true)
{
    const char *text = is_true ? "true" : "false";
    (void)result_add_value(result, VALUE_BOOLEAN, text, strlen(text));
}

// NULL for what is below 0.
static void peers_add_number(struct result *result, double number)
{
    char digits[32];
    int length = snprintf(digits, sizeof digits, "%.3f", number);
    if (number < 0)
        (void)result_add_value(result, VALUE_NULL, "", 0);
    else
        (void)result_add_value(result, VALUE_NUMBER, digits, (size_t)length);
}

static void peers_add_count(struct result *result, size_t count)
{
    char digits[32];
    int length = snprintf(digits, sizeof digits, "%zu", count);
    (void)result_add_value(result, VALUE_NUMBER, digits, (size_t)length);
}

static void peers_add_columns(struct result *result, const char *const *names)
{
    for (; *names != NULL; names++)
        result_add_column(result, *names);
}

static void peers_add_rows(const struct session *session, struct result *result)
{
    static const char *const names[] = {
        "peer",     "problem",       "reachable",       "primary",       "rival", "replica",
        "draining", "since_seconds", "latency_seconds", "heard_seconds", NULL};
    peers_add_columns(result, names);
    for (size_t i = 0; i < session->count; i++) {
        const struct peer *peer = &session->peers[i];
        peers_add_text(result, peer->name);
        peers_add_text(result, peer->state.problem);
        peers_add_boolean(result, peer->state.reachable);
        peers_add_boolean(result, peer->state.primary);
        peers_add_boolean(result, peers_is_rival(session, peer));
        peers_add_boolean(result, peer->state.replica);
        peers_add_boolean(result, peer->state.draining);
        peers_add_number(result, peer->state.since_seconds);
        peers_add_number(result, peer->state.latency_seconds);
        peers_add_number(result, peer_memory_age(&peers_memory, peer->name, instant_now()));
    }
    result->row_count = session->count;
}

static void peers_add_totals(const struct session *session, struct result *result)
{
    static const char *const names[] = {
        "peers", "reachable", "other_primaries", "rivals", "replicas", "share", NULL};
    size_t reachable = 0, primaries = 0, rivals = 0, replicas = 0;
    for (size_t i = 0; i < session->count; i++) {
        reachable += session->peers[i].state.reachable;
        primaries += session->peers[i].state.primary;
        rivals += peers_is_rival(session, &session->peers[i]);
        replicas += session->peers[i].state.replica;
    }
    peers_add_columns(result, names);
    peers_add_count(result, session->count);
    peers_add_count(result, reachable);
    peers_add_count(result, primaries);
    peers_add_count(result, rivals);
    peers_add_count(result, replicas);
    peers_add_number(result, (double)(reachable + 1) / (double)(session->count + 1));
    result->row_count = 1;
}

// --- the driver

// One heap for all threads: each would take a part of what little memory there may be.
static void peers_setup(void)
{
    (void)mallopt(M_ARENA_MAX, 1);
}

static struct session *peers_open(const struct target *target, const struct call *call,
                                  struct reply *reply)
{
    (void)target;
    (void)call;
    reply->outcome = OUTCOME_OK;
    return memory_new(sizeof(struct session));
}

static bool peers_are_few(const struct session *session, struct error *error)
{
    return !session->too_many ||
           error_set(error, "DBHEALTH_PEERS: it names more than %d adapters", INQUIRY_PLACES_MAX);
}

static void peers_run_call(struct session *session, const struct call *call, struct reply *reply)
{
    struct inquiry inquiry;
    struct error error;
    if (!inquiry_read(call->sql, &inquiry)) {
        reply_set(reply, OUTCOME_CONFIG, NULL, "DBHEALTH_PEERS cannot be read");
        return;
    }
    bool each = inquiry.each;
    peer_files_narrow(inquiry.authorities);
    if (!session->gathered)
        session->inquiry = inquiry;
    if ((!session->gathered && !peers_gather(session, call, &error)) ||
        !peers_are_few(session, &error)) {
        reply_set(reply, OUTCOME_CONFIG, NULL, error.text);
        return;
    }
    reply->outcome = OUTCOME_OK;
    reply->result = result_new();
    if (each)
        peers_add_rows(session, reply->result);
    else
        peers_add_totals(session, reply->result);
}

static void peers_close(struct session *session)
{
    for (size_t i = 0; i < INQUIRY_PLACES_MAX; i++)
        lookup_release(session->lookups[i]);
    free(session);
}

// A thread for each peer at a time: it is looked up, or asked.
const struct driver driver = {.engine = ENGINE_PEERS,
                              .stacks = PEERS_MAX * THREAD_STACK,
                              .setup = peers_setup,
                              .open = peers_open,
                              .run = peers_run_call,
                              .close = peers_close,
                              .is_spent = peer_files_are_lost};
