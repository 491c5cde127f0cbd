// A connection to an adapter, in plain text or TLS, with one deadline for all that is done with it:
// of `dbhealthd get` to its own, of the prober of peers to others.
#pragma once

#include "common/error.h"
#include "common/instant.h"

#include <sys/socket.h>
#include <sys/types.h>

struct client;

// Whose signature on a certificate is believed; for many connections at once.
struct trust;

// The authorities in a file (PEM), or those of the system for NULL. NULL, with the reason, if there
// are none.
struct trust *trust_new(const char *authorities, struct error *error);

void trust_free(struct trust *trust); // NULL is fine

// How to speak.
struct client_tls {
    bool wanted;         // else plain text
    struct trust *trust; // NULL: nothing is verified
    const char *name;    // whom the certificate must name: a host, or an address as text
    // If nothing is verified, files to show to who asks for a certificate of ours. NULL: none.
    const char *certificate, *key;
};

// Connects. NULL, with the reason, if that fails or the deadline comes first.
struct client *client_open(const struct sockaddr *address, socklen_t length,
                           const struct client_tls *tls, struct instant deadline,
                           struct error *error);

// Sends a few KiB. If they cannot be sent, nothing will come.
void client_send(struct client *client, const char *bytes, size_t length);

// As recv: 0 or less at the end, or once the deadline has come.
ssize_t client_receive(struct client *client, char *bytes, size_t capacity);

// True once the deadline has come.
bool client_is_late(const struct client *client);

// NULL is fine.
void client_close(struct client *client);
