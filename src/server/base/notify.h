// Tells the service manager how we are, where it asks for that: datagrams to the socket that
// NOTIFY_SOCKET names (sd_notify(3), which has this protocol for all to use).
#pragma once

#include "common/instant.h"

// The socket, connected, for as long as the process; -1: nobody asks, or it cannot be reached.
int notify_open(void);

// Sends a state, like "READY=1"; never waits, and does nothing without a socket.
void notify_tell(int socket, const char *state);

// How often "WATCHDOG=1" is to be told: half the time after which the manager acts
// (sd_watchdog_enabled(3)); 0 ms: it is not.
struct duration notify_watchdog(void);
