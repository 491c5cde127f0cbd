// See address.h.
#include "server/base/address.h"

#include <netdb.h>
#include <stdlib.h>
#include <string.h>

enum { HOST_ROOM = 64 }; // an IPv6 address and the interface that it is of

static bool address_is_port(const char *text)
{
    size_t digits = strspn(text, "0123456789");
    return digits > 0 && digits <= 5 && text[digits] == '\0' && strtoul(text, NULL, 10) <= 65535;
}

static bool address_take(const char *host, const char *port, struct address *address,
                         struct error *error)
{
    static const struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
                                          .ai_socktype = SOCK_STREAM};
    struct addrinfo *found;
    if (getaddrinfo(host, port, &hints, &found) != 0)
        return error_set(error, "expected a numeric address before the port");
    memcpy(&address->socket, found->ai_addr, found->ai_addrlen);
    address->length = found->ai_addrlen;
    freeaddrinfo(found);
    return true;
}

// ADDRESS ":" PORT, where an ADDRESS with colons may stand in brackets, and none is any.
bool address_parse(const char *text, struct address *address, struct error *error)
{
    char host[HOST_ROOM] = "::";
    const char *colon = strrchr(text, ':');
    size_t length = colon != NULL ? (size_t)(colon - text) : 0;
    if (colon == NULL || !address_is_port(colon + 1) || length >= sizeof host)
        return error_set(error, "expected ADDRESS:PORT or :PORT");
    *address = (struct address){.any = length == 0};
    if (length > 0) {
        bool bracketed = text[0] == '[' && text[length - 1] == ']';
        length -= bracketed ? 2 : 0;
        memcpy(host, text + bracketed, length);
        host[length] = '\0';
    }
    return address_take(host, colon + 1, address, error);
}

static bool address_is_v4(const struct address *address)
{
    return address->socket.plain.sa_family == AF_INET;
}

static in_port_t address_port(const struct address *address)
{
    return address_is_v4(address) ? address->socket.v4.sin_port : address->socket.v6.sin6_port;
}

// True if it is all addresses of IPv4, or of both families.
static bool address_is_unspecified(const struct address *address)
{
    if (address_is_v4(address))
        return address->socket.v4.sin_addr.s_addr == htonl(INADDR_ANY);
    return IN6_IS_ADDR_UNSPECIFIED(&address->socket.v6.sin6_addr);
}

static bool address_covers(const struct address *one, const struct address *other)
{
    if (address_is_unspecified(one))
        return !address_is_v4(one) || address_is_v4(other);
    if (address_is_v4(one) || address_is_v4(other))
        return address_is_v4(one) && address_is_v4(other) &&
               one->socket.v4.sin_addr.s_addr == other->socket.v4.sin_addr.s_addr;
    return memcmp(&one->socket.v6.sin6_addr, &other->socket.v6.sin6_addr,
                  sizeof one->socket.v6.sin6_addr) == 0;
}

bool address_collides(const struct address *one, const struct address *other)
{
    return address_port(one) != 0 && address_port(one) == address_port(other) &&
           (address_covers(one, other) || address_covers(other, one));
}

struct address address_to_ask(const struct address *listening)
{
    struct address asked = *listening;
    bool v4 = address_is_v4(listening);
    if (listening->any) {
        asked = (struct address){.length = sizeof asked.socket.v4};
        asked.socket.v4.sin_family = AF_INET;
        asked.socket.v4.sin_port = listening->socket.v6.sin6_port;
    }
    if (listening->any || (v4 && asked.socket.v4.sin_addr.s_addr == htonl(INADDR_ANY)))
        asked.socket.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    else if (!v4 && IN6_IS_ADDR_UNSPECIFIED(&asked.socket.v6.sin6_addr))
        asked.socket.v6.sin6_addr = in6addr_loopback;
    return asked;
}
