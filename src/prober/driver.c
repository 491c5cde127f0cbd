// What the drivers share: see driver.h. Both engines fail to connect in the same ways, and both
// have words of a server to hand on.
#include "prober/driver.h"

#include "common/text.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

void reply_set(struct reply *reply, enum outcome outcome, const char *code, const char *message)
{
    reply->outcome = outcome;
    (void)snprintf(reply->code, sizeof reply->code, "%s", code != NULL ? code : "");
    struct text text = text_in(reply->message, sizeof reply->message);
    text_add_foreign(&text, message, strlen(message));
}

// What only reads leaves nothing behind, but by functions. Those that do are known by their names,
// unless another one calls them; a statement that is taken for one of these costs a round trip.
bool call_leaves_traces(const struct call *call)
{
    static const char *const reading[] = {"SELECT", "WITH", "SHOW", "VALUES", "TABLE", "EXPLAIN"};
    static const char *const leaving[] = {"lock", "set_config", ":="};
    bool leaves = !call->read_only;
    for (size_t i = 0; i < sizeof leaving / sizeof *leaving; i++)
        leaves |= strcasestr(call->sql, leaving[i]) != NULL;
    bool reads = false;
    for (size_t i = 0; i < sizeof reading / sizeof *reading; i++)
        reads |= strncasecmp(call->sql, reading[i], strlen(reading[i])) == 0;
    return !call->last && (leaves || !reads);
}

enum outcome outcome_of_connect(int error)
{
    switch (error) {
    case ECONNREFUSED:
    case ENOENT: // no Unix socket
        return OUTCOME_REFUSED;
    case EACCES: // a Unix socket that we may not use, or a rule of this machine's firewall
    case EPERM:
    case EMFILE:
    case ENFILE:
    case EADDRNOTAVAIL: // no local port is left
    case ENOBUFS:
    case ENOMEM:
        return OUTCOME_CONFIG;
    case ECONNRESET: // accepted, and dropped before we knew
    case EPIPE:
        return OUTCOME_LOST;
    default:
        return OUTCOME_UNREACHABLE;
    }
}

// EAI_AGAIN comes of a name service that refuses, and of one that gave no answer, after the library
// has asked it a few times; then nothing is known yet.
struct addrinfo *resolve_host(const char *host, struct reply *reply)
{
    static const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *addresses;
    struct instant began;
    int failed;
    do {
        began = instant_now();
        failed = getaddrinfo(host, NULL, &hints, &addresses);
    } while (failed == EAI_AGAIN && instant_since(began, instant_now()).ms >= DRIVER_CONNECT_MS);
    if (failed == 0)
        return addresses;
    const char *reason = failed == EAI_SYSTEM ? strerror(errno) : gai_strerror(failed);
    reply_set(reply, OUTCOME_UNREACHABLE, NULL, reason);
    return NULL;
}

void reply_set_write_seconds(struct reply *reply, const struct call *call, struct instant began)
{
    struct result *result = reply->result;
    uint32_t column;
    char digits[32];
    if (call->read_only || reply->outcome != OUTCOME_OK || result->kept_rows == 0 ||
        !result_find_column(result, "write_seconds", &column) ||
        result_value(result, 0, column).type != VALUE_NULL)
        return;
    int64_t us = (instant_now().ns - began.ns) / 1000;
    (void)snprintf(digits, sizeof digits, "%lld.%06lld", (long long)us / 1000000,
                   (long long)us % 1000000);
    result->cut |= !result_set_number(result, 0, column, digits);
}

void reply_set_server(struct reply *reply, enum flavor flavor, const char *version, size_t length)
{
    struct text text = text_in(reply->version, sizeof reply->version);
    text_add_foreign(&text, version, length);
    reply->flavor = flavor;
}
