// See listener.h. Opened by us rather than by libmicrohttpd for an error that says what is wrong,
// for both families with a fallback, and for a backlog that takes a burst of probes.
#include "server/http/listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdbool.h>
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

static int listener_open_any(const char *port, struct error *error)
{
    struct sockaddr_in6 both = {.sin6_family = AF_INET6, .sin6_addr = in6addr_any};
    struct sockaddr_in four = {.sin_family = AF_INET};
    both.sin6_port = four.sin_port = htons((uint16_t)strtoul(port, NULL, 10));
    int opened = listener_open_at(AF_INET6, (const struct sockaddr *)&both, sizeof both, error);
    if (opened < 0 && errno != EADDRINUSE && errno != EACCES)
        opened = listener_open_at(AF_INET, (const struct sockaddr *)&four, sizeof four, error);
    return opened;
}

static bool listener_is_port(const char *text)
{
    size_t digits = strspn(text, "0123456789");
    return digits > 0 && digits <= 5 && text[digits] == '\0' && strtoul(text, NULL, 10) <= 65535;
}

// Numeric addresses only: a name would have to be looked up, and that can block.
static int listener_open_address(const char *host, const char *port, struct error *error)
{
    struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
                             .ai_socktype = SOCK_STREAM};
    struct addrinfo *found;
    if (getaddrinfo(host, port, &hints, &found) != 0) {
        (void)error_set(error, "expected a numeric address before the port");
        return -1;
    }
    int opened = listener_open_at(found->ai_family, found->ai_addr, found->ai_addrlen, error);
    freeaddrinfo(found);
    return opened;
}

int listener_open(const char *address, struct error *error)
{
    char host[64] = "";
    const char *colon = strrchr(address, ':');
    size_t length = colon != NULL ? (size_t)(colon - address) : 0;
    if (colon == NULL || !listener_is_port(colon + 1) || length >= sizeof host) {
        (void)error_set(error, "expected ADDRESS:PORT or :PORT");
        return -1;
    }
    if (length == 0)
        return listener_open_any(colon + 1, error);
    bool bracketed = address[0] == '[' && address[length - 1] == ']';
    memcpy(host, address + bracketed, length - (bracketed ? 2 : 0));
    return listener_open_address(host, colon + 1, error);
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
