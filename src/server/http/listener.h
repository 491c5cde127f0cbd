// The listening socket.
#pragma once

#include "common/error.h"

// Opens a non-blocking TCP socket that listens on an address as address.h has it; without one, on
// all of both families, or of IPv4 where there is no IPv6. Port 0: any free one. Returns the
// descriptor, or -1 with the reason.
int listener_open(const char *text, struct error *error);

// Has one listen that another process has left, which may have shut it down.
bool listener_go_on(int socket, struct error *error) __attribute__((warn_unused_result));

// The port that the socket listens on.
unsigned listener_port(int socket);
