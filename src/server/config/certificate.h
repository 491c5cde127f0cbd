// The certificate that the listeners show, with its key, and whose clients are known.
// Reference-counted: a handshake under way keeps the one that it began with while the configuration
// goes on to another.
#pragma once

#include "common/error.h"

#include <stdbool.h>
#include <stdint.h>

struct certificate;

// Reads a chain, its own certificate first, and the key that fits it, both PEM (RFC 7468). NULL,
// with the reason and the variable that is to blame, if they cannot be served with. The caller has
// the first reference.
struct certificate *certificate_load(const char *chain_path, const char *key_path,
                                     struct error *error);

// Makes one that nobody has signed, with a key of its own.
struct certificate *certificate_make(void) __attribute__((returns_nonnull));

// When one expires that is made now, both in seconds since 1970: in ten years, or as late as a
// time_t of so many bits can say.
int64_t certificate_own_expiry(int64_t now, unsigned time_bits);

// Has it know the clients with a certificate of the authorities in a file (PEM). False, with the
// reason and the variable, if there are none; then it knows itself alone, as it always does: who
// has its key is the adapter's own command.
bool certificate_know_clients(struct certificate *certificate, const char *path,
                              struct error *error) __attribute__((warn_unused_result));

struct certificate *certificate_hold(struct certificate *certificate);

// Gives a reference back; the last one frees the object. NULL is fine.
void certificate_release(struct certificate *certificate);

// True if both know the same clients and show the same chain, or none that anybody has given; NULL
// equals NULL alone.
bool certificate_equal(const struct certificate *one, const struct certificate *other);

// When it expires, in seconds since 1970.
int64_t certificate_expiry(const struct certificate *certificate);

// What libmicrohttpd is started with: TLS 1.2 and newer, and a
// gnutls_certificate_retrieve_function2 that gives a session the certificate ... (GnuTLS's header
// has a `params` that is not ours, so its types stay out of this one.)
extern const char certificate_priorities[];
extern void (*const certificate_callback)(void);

// ... that it was told here; hold it as long as the session, a gnutls_session_t, is there.
void certificate_give(struct certificate *certificate, void *session);

// Has the session, before its handshake, ask for the certificate of a client, if any are to be
// known. One that is not known is refused then, with an alert that says why; so is who shows none,
// if it is demanded.
void certificate_ask_client(const struct certificate *certificate, void *session, bool demanded);

// True if the client has shown a certificate that is known.
bool certificate_knows_client(void *session);
