// See client.h. The socket never blocks: client_wait is all that waits, and it knows the deadline.
// A time limit of the socket's own would begin anew with each byte that comes.
#include "client/client.h"

#include "common/memory.h"

#include <arpa/inet.h>
#include <errno.h>
#include <gnutls/gnutls.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct trust {
    gnutls_certificate_credentials_t credentials;
};

struct client {
    int socket;
    struct instant deadline;
    gnutls_session_t session; // NULL: plain text
    struct trust *none;       // where nothing is verified
};

// --- whom to believe

static struct trust *client_trust_nobody(void)
{
    struct trust *trust = memory_new(sizeof *trust);
    if (gnutls_certificate_allocate_credentials(&trust->credentials) != 0)
        abort();
    return trust;
}

struct trust *trust_new(const char *authorities, struct error *error)
{
    struct trust *trust = client_trust_nobody();
    int found = authorities == NULL ? gnutls_certificate_set_x509_system_trust(trust->credentials)
                                    : gnutls_certificate_set_x509_trust_file(
                                          trust->credentials, authorities, GNUTLS_X509_FMT_PEM);
    if (found > 0)
        return trust;
    (void)error_set(error, "%.200s: no certificate of an authority%s%s",
                    authorities != NULL ? authorities : "this system", found < 0 ? ": " : "",
                    found < 0 ? gnutls_strerror(found) : "");
    trust_free(trust);
    return NULL;
}

void trust_free(struct trust *trust)
{
    if (trust != NULL)
        gnutls_certificate_free_credentials(trust->credentials);
    free(trust);
}

// --- a connection

bool client_is_late(const struct client *client)
{
    return instant_left(client->deadline, instant_now()).ms == 0;
}

// Waits until the socket is ready for these events. False, with errno, if the deadline comes first,
// or has come: TLS may ask for more and more from one who sends without end.
static bool client_wait(const struct client *client, int events)
{
    struct pollfd socket = {.fd = client->socket, .events = (short)events};
    int ready;
    do {
        int left = (int)instant_left(client->deadline, instant_now()).ms;
        ready = left > 0 ? poll(&socket, 1, left) : 0;
    } while (ready < 0 && errno == EINTR);
    if (ready == 0)
        errno = ETIMEDOUT;
    return ready > 0;
}

static bool client_connect(struct client *client, const struct sockaddr *address, socklen_t length,
                           struct error *error)
{
    client->socket = socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    bool connected = client->socket >= 0 && connect(client->socket, address, length) == 0;
    if (!connected && errno == EINPROGRESS && client_wait(client, POLLOUT)) {
        int failure = 0;
        socklen_t size = sizeof failure;
        (void)getsockopt(client->socket, SOL_SOCKET, SO_ERROR, &failure, &size);
        errno = failure;
        connected = failure == 0;
    }
    return connected || error_set(error, "no adapter answers: %s", strerror(errno));
}

// True if a call that came to this result is to be repeated after a wait.
static bool client_is_blocked(const struct client *client, ssize_t result)
{
    if (client->session != NULL)
        return result == GNUTLS_E_AGAIN || result == GNUTLS_E_INTERRUPTED;
    return result < 0 && (errno == EAGAIN || errno == EINTR);
}

static int client_shake_hands(struct client *client)
{
    int result, events;
    do {
        result = gnutls_handshake(client->session);
        events = gnutls_record_get_direction(client->session) == 0 ? POLLIN : POLLOUT;
    } while (client_is_blocked(client, result) && client_wait(client, events));
    return client_is_blocked(client, result) ? GNUTLS_E_TIMEDOUT : result;
}

// A number is no name to be told to the other end (RFC 6066, 3).
static int client_name_server(struct client *client, const char *name)
{
    unsigned char address[sizeof(struct in6_addr)];
    if (inet_pton(AF_INET, name, address) == 1 || inet_pton(AF_INET6, name, address) == 1)
        return 0;
    return gnutls_server_name_set(client->session, GNUTLS_NAME_DNS, name, strlen(name));
}

static int client_trust(struct client *client, const struct client_tls *tls)
{
    struct trust *trust = tls->trust;
    if (trust == NULL)
        trust = client->none = client_trust_nobody();
    if (tls->trust == NULL && tls->certificate != NULL)
        (void)gnutls_certificate_set_x509_key_file(trust->credentials, tls->certificate, tls->key,
                                                   GNUTLS_X509_FMT_PEM);
    int failed =
        gnutls_credentials_set(client->session, GNUTLS_CRD_CERTIFICATE, trust->credentials);
    if (failed != 0 || tls->trust == NULL)
        return failed;
    gnutls_session_set_verify_cert(client->session, tls->name, 0);
    return client_name_server(client, tls->name);
}

static bool client_start_tls(struct client *client, const struct client_tls *tls,
                             struct error *error)
{
    int failed = gnutls_init(&client->session, GNUTLS_CLIENT | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL);
    if (failed == 0)
        failed = gnutls_set_default_priority(client->session);
    if (failed == 0)
        failed = client_trust(client, tls);
    if (failed == 0) {
        gnutls_transport_set_int(client->session, client->socket);
        failed = client_shake_hands(client);
    }
    return failed == 0 ||
           error_set(error, "no TLS connection to the adapter: %s", gnutls_strerror(failed));
}

struct client *client_open(const struct sockaddr *address, socklen_t length,
                           const struct client_tls *tls, struct instant deadline,
                           struct error *error)
{
    struct client *client = memory_new(sizeof *client);
    client->deadline = deadline;
    if (client_connect(client, address, length, error) &&
        (!tls->wanted || client_start_tls(client, tls, error)))
        return client;
    client_close(client);
    return NULL;
}

void client_send(struct client *client, const char *bytes, size_t length)
{
    ssize_t sent;
    do {
        sent = client->session != NULL ? gnutls_record_send(client->session, bytes, length)
                                       : send(client->socket, bytes, length, MSG_NOSIGNAL);
    } while (client_is_blocked(client, sent) && client_wait(client, POLLOUT));
}

ssize_t client_receive(struct client *client, char *bytes, size_t capacity)
{
    ssize_t got;
    do {
        got = client->session != NULL ? gnutls_record_recv(client->session, bytes, capacity)
                                      : recv(client->socket, bytes, capacity, 0);
    } while (client_is_blocked(client, got) && client_wait(client, POLLIN));
    return client_is_late(client) ? -1 : got;
}

void client_close(struct client *client)
{
    if (client == NULL)
        return;
    if (client->session != NULL)
        gnutls_deinit(client->session);
    trust_free(client->none);
    if (client->socket >= 0)
        close(client->socket);
    free(client);
}
