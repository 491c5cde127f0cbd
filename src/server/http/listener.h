// The listening socket.
#pragma once

#include "common/error.h"

// Opens a non-blocking TCP socket that listens on "ADDRESS:PORT", "[IPV6]:PORT" or ":PORT", which
// means all addresses of both families, or of IPv4 where there is no IPv6. Port 0: any free one.
// Returns the descriptor, or -1 with the reason.
int listener_open(const char *address, struct error *error);

// The port that the socket listens on.
unsigned listener_port(int socket);
