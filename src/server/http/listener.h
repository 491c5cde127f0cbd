// The listening sockets.
#pragma once

#include "common/control.h"
#include "server/config/settings.h"

// Opens a non-blocking TCP socket for each listener that the settings want, or goes on with the one
// that is there; -1 for another. Of an address as address.h has it; without one, of all of both
// families, or of IPv4 where there is no IPv6. False, with the variable and the reason, if one
// cannot be had.
bool listeners_open(const struct settings *settings, const int there[LISTENERS],
                    int listening[LISTENERS], struct error *error)
    __attribute__((warn_unused_result));

// The port that the socket listens on.
unsigned listener_port(int socket);
