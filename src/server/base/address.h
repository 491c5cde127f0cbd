// Where dbhealthd listens, as DBHEALTH_LISTEN says it.
#pragma once

#include "common/error.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>

struct address {
    bool any; // of both families: no address is given, and `socket` is IPv6's of them all
    union {
        struct sockaddr plain;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } socket;
    socklen_t length; // of socket
};

// Parses "ADDRESS:PORT", "[IPV6]:PORT" or ":PORT". The address is a number: a name would have to be
// looked up, and that can block.
bool address_parse(const char *text, struct address *address, struct error *error)
    __attribute__((warn_unused_result));

// True if nobody could listen at both: the same port, unless it is 0, of addresses of which one is,
// or covers, the other.
bool address_collides(const struct address *one, const struct address *other);

// Where on this machine to ask who listens there: on loopback, if it is all addresses.
struct address address_to_ask(const struct address *listening);
