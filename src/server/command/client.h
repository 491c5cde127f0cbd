// A connection of `dbhealthd get` to the adapter, in plain text or TLS, with one deadline for all
// that is done with it. Over TLS nothing is verified.
#pragma once

#include "common/instant.h"
#include "server/base/address.h"

#include <sys/types.h>

struct client;

// Connects. NULL, with the reason, if that fails or the deadline comes first.
struct client *client_open(const struct address *address, bool tls, struct instant deadline,
                           struct error *error);

// Sends a few KiB. If they cannot be sent, nothing will come.
void client_send(struct client *client, const char *bytes, size_t length);

// As recv: 0 or less at the end, or once the deadline has come.
ssize_t client_receive(struct client *client, char *bytes, size_t capacity);

// True once the deadline has come.
bool client_is_late(const struct client *client);

// NULL is fine.
void client_close(struct client *client);
