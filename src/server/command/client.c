// See client.h. The socket never blocks: client_wait is all that waits, and it knows the deadline.
// A time limit of the socket's own would begin anew with each byte that comes.
#include "server/command/client.h"

#include "common/memory.h"

#include <errno.h>
#include <gnutls/gnutls.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct client {
    int socket;
    struct instant deadline;
    gnutls_session_t session; // NULL: plain text
    gnutls_certificate_credentials_t credentials;
};

bool client_is_late(const struct client *client)
{
    return instant_left(client->deadline, instant_now()).ms == 0;
}

// Waits until the socket is ready for these events. False, with errno, if the deadline comes first.
static bool client_wait(const struct client *client, int events)
{
    struct pollfd socket = {.fd = client->socket, .events = (short)events};
    int ready;
    do {
        ready = poll(&socket, 1, (int)instant_left(client->deadline, instant_now()).ms);
    } while (ready < 0 && errno == EINTR);
    if (ready == 0)
        errno = ETIMEDOUT;
    return ready > 0;
}

static bool client_connect(struct client *client, const struct address *address,
                           struct error *error)
{
    client->socket =
        socket(address->socket.plain.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    bool connected = client->socket >= 0 &&
                     connect(client->socket, &address->socket.plain, address->length) == 0;
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

static bool client_start_tls(struct client *client, struct error *error)
{
    int failed = gnutls_certificate_allocate_credentials(&client->credentials);
    if (failed == 0)
        failed = gnutls_init(&client->session, GNUTLS_CLIENT | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL);
    if (failed == 0)
        failed = gnutls_set_default_priority(client->session);
    if (failed == 0)
        failed =
            gnutls_credentials_set(client->session, GNUTLS_CRD_CERTIFICATE, client->credentials);
    if (failed == 0) {
        gnutls_transport_set_int(client->session, client->socket);
        failed = client_shake_hands(client);
    }
    return failed == 0 ||
           error_set(error, "no TLS connection to the adapter: %s", gnutls_strerror(failed));
}

struct client *client_open(const struct address *address, bool tls, struct instant deadline,
                           struct error *error)
{
    struct client *client = memory_new(sizeof *client);
    client->deadline = deadline;
    if (client_connect(client, address, error) && (!tls || client_start_tls(client, error)))
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
    if (client->credentials != NULL)
        gnutls_certificate_free_credentials(client->credentials);
    if (client->socket >= 0)
        close(client->socket);
    free(client);
}
