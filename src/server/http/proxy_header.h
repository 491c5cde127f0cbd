// The header of the PROXY protocol (haproxy.org, proxy-protocol.txt), which a load balancer may
// send ahead of all else on a connection, its health checks' too.
#pragma once

#include <stdbool.h>
#include <stddef.h>

// The length of the header, of version 1 or 2, that the bytes begin with; 0: none, or not all of
// it.
size_t proxy_header_length(const void *bytes, size_t count);

// Has a listening socket give connections out once something has come on them, or a second later,
// so that proxy_header_take finds it.
void proxy_header_await(int listening);

// Takes the header that came first on a connection, so that what follows can be read. False: there
// is none.
bool proxy_header_take(int socket);
