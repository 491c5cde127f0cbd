// TLS on a connected, blocking socket, without verification: for `dbhealthd get`.
#pragma once

#include "common/error.h"

#include <stddef.h>
#include <sys/types.h>

struct tls_client;

// Shakes hands, within the socket's own time limits. NULL, with the reason, if that fails.
struct tls_client *tls_client_start(int socket, struct error *error);

void tls_client_send(struct tls_client *client, const char *bytes, size_t length);

// As recv: 0 or less at the end.
ssize_t tls_client_receive(struct tls_client *client, char *bytes, size_t capacity);

// Leaves the socket open. NULL is fine.
void tls_client_free(struct tls_client *client);
