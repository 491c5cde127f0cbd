// See tls_client.h.
#include "server/command/tls_client.h"

#include "common/memory.h"

#include <gnutls/gnutls.h>
#include <stdlib.h>

struct tls_client {
    gnutls_session_t session;
    gnutls_certificate_credentials_t credentials;
};

struct tls_client *tls_client_start(int socket, struct error *error)
{
    struct tls_client *client = memory_new(sizeof *client);
    int failed = gnutls_init(&client->session, GNUTLS_CLIENT | GNUTLS_NO_SIGNAL);
    if (failed == 0)
        failed = gnutls_certificate_allocate_credentials(&client->credentials);
    if (failed == 0)
        failed = gnutls_set_default_priority(client->session);
    if (failed == 0)
        failed =
            gnutls_credentials_set(client->session, GNUTLS_CRD_CERTIFICATE, client->credentials);
    if (failed == 0) {
        gnutls_transport_set_int(client->session, socket);
        do {
            failed = gnutls_handshake(client->session);
        } while (failed == GNUTLS_E_INTERRUPTED);
    }
    if (failed == 0)
        return client;
    (void)error_set(error, "no TLS connection to the adapter: %s", gnutls_strerror(failed));
    tls_client_free(client);
    return NULL;
}

void tls_client_send(struct tls_client *client, const char *bytes, size_t length)
{
    (void)gnutls_record_send(client->session, bytes, length);
}

ssize_t tls_client_receive(struct tls_client *client, char *bytes, size_t capacity)
{
    return gnutls_record_recv(client->session, bytes, capacity);
}

void tls_client_free(struct tls_client *client)
{
    if (client == NULL)
        return;
    if (client->session != NULL)
        gnutls_deinit(client->session);
    if (client->credentials != NULL)
        gnutls_certificate_free_credentials(client->credentials);
    free(client);
}
