// See listener.h. Opened by us rather than by libmicrohttpd for an error that says what is wrong,
// for both families with a fallback, and for a backlog that takes a burst of probes.
#include "server/http/listener.h"

#include "server/base/address.h"

#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 4096 };

// Leaves errno as it was, for the fallback's decision.
static int listener_fail(int socket, const char *what, struct error *error)
{
    int cause = errno;
    (void)error_set(error, "%s: %s", what, strerror(cause));
    if (socket >= 0)
        close(socket);
    errno = cause;
    return -1;
}

static int listener_open_at(int family, const struct sockaddr *address, socklen_t length,
                            struct error *error)
{
    static const int on = 1, off = 0;
    int opened = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (opened < 0)
        return listener_fail(opened, "no socket", error);
    (void)setsockopt(opened, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (family == AF_INET6)
        (void)setsockopt(opened, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    if (bind(opened, address, length) != 0)
        return listener_fail(opened, "cannot bind", error);
    if (listen(opened, BACKLOG) != 0)
        return listener_fail(opened, "cannot listen", error);
    return opened;
}

// Without IPv6, on IPv4 alone.
static int listener_open_any(const struct address *address, struct error *error)
{
    struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = address->socket.v6.sin6_port};
    int opened = listener_open_at(AF_INET6, &address->socket.plain, address->length, error);
    if (opened < 0 && errno != EADDRINUSE && errno != EACCES)
        opened = listener_open_at(AF_INET, (const struct sockaddr *)&four, sizeof four, error);
    return opened;
}

// Port 0: any free one.
static int listener_open(const char *text, struct error *error)
{
    struct address address;
    if (!address_parse(text, &address, error))
        return -1;
    if (address.any)
        return listener_open_any(&address, error);
    return listener_open_at(address.socket.plain.sa_family, &address.socket.plain, address.length,
                            error);
}

// Another process has left the socket, which may have shut it down.
static bool listener_go_on(int socket, struct error *error)
{
    return listen(socket, BACKLOG) == 0 ||
           error_set(error, "cannot go on listening: %s", strerror(errno));
}

// Where a listener is, by which variable.
struct place {
    const char *variable, *address;
};

// The system would say no more than that the address is in use.
static bool listener_refuse_same(const struct place *place, const struct place *other,
                                 struct error *error)
{
    struct address here, there;
    struct error none;
    if (!address_parse(place->address, &here, &none) ||
        !address_parse(other->address, &there, &none) || !address_collides(&here, &there))
        return true;
    return error_set(error, "%s: '%.100s' collides with '%.100s' of %s, expected another port",
                     place->variable, place->address, other->address, other->variable);
}

// The socket that is there already, or a new one.
static int listener_open_or_go_on(const struct place *place, int there, struct error *error)
{
    if (there >= 0)
        return listener_go_on(there, error) ? there : -1;
    int listening = listener_open(place->address, error);
    if (listening < 0)
        (void)error_prefix(error, "%s: '%.100s'", place->variable, place->address);
    return listening;
}

bool listeners_open(const struct settings *settings, const int there[LISTENERS],
                    int listening[LISTENERS], struct error *error)
{
    const struct place places[LISTENERS] = {
        [LISTENER_MAIN] = {"DBHEALTH_LISTEN", settings->listen},
        [LISTENER_DETAILS] = {"DBHEALTH_DETAILS_LISTEN", settings->details_listen},
        [LISTENER_AGENT] = {"DBHEALTH_AGENT_LISTEN", settings->agent_listen}};
    for (size_t i = 0; i < LISTENERS; i++) {
        listening[i] = -1;
        if (i != LISTENER_MAIN && places[i].address[0] == '\0')
            continue;
        for (size_t j = 0; j < i; j++) {
            if (!listener_refuse_same(&places[i], &places[j], error))
                return false;
        }
        listening[i] = listener_open_or_go_on(&places[i], there[i], error);
        if (listening[i] < 0)
            return false;
    }
    return true;
}

unsigned listener_port(int socket)
{
    struct sockaddr_storage bound;
    socklen_t length = sizeof bound;
    char port[8] = "0";
    if (getsockname(socket, (struct sockaddr *)&bound, &length) == 0)
        (void)getnameinfo((const struct sockaddr *)&bound, length, NULL, 0, port, sizeof port,
                          NI_NUMERICSERV);
    return (unsigned)strtoul(port, NULL, 10);
}
