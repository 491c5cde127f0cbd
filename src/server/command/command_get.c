// dbhealthd get PATH: asks a running adapter and prints the body, for a container's HEALTHCHECK
// with no curl in the image. HTTP/1.0, so that the answer ends where the connection does. Over TLS
// it verifies nothing: it asks its own container, by an address that no certificate need name.
#include "server/command/command.h"
#include "server/command/tls_client.h"
#include "server/config/settings.h"

#include "common/memory.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ANSWER_MAX = 1024 * 1024, PATIENCE_S = 5 };

// Where the adapter can be reached that listens like this: an address of all is asked on loopback.
static bool command_get_resolve(const char *listen, struct addrinfo **found, struct error *error)
{
    static const struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
                                          .ai_socktype = SOCK_STREAM};
    char host[64] = "127.0.0.1";
    const char *colon = strrchr(listen, ':');
    if (colon == NULL)
        return error_set(error, "DBHEALTH_LISTEN: expected ADDRESS:PORT or :PORT");
    bool bracketed = listen[0] == '[';
    size_t length = (size_t)(colon - listen);
    if (length > 0)
        (void)snprintf(host, sizeof host, "%.*s", (int)(length - (bracketed ? 2 : 0)),
                       listen + bracketed);
    if (strcmp(host, "0.0.0.0") == 0)
        (void)snprintf(host, sizeof host, "127.0.0.1");
    if (strcmp(host, "::") == 0)
        (void)snprintf(host, sizeof host, "::1");
    if (getaddrinfo(host, colon + 1, &hints, found) != 0)
        return error_set(error, "DBHEALTH_LISTEN: expected a numeric address and a port");
    return true;
}

static int command_get_connect_to(const struct addrinfo *address, struct error *error)
{
    static const struct timeval patience = {.tv_sec = PATIENCE_S};
    int opened = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    (void)setsockopt(opened, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    (void)setsockopt(opened, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    if (connect(opened, address->ai_addr, address->ai_addrlen) == 0)
        return opened;
    (void)error_set(error, "no adapter answers: %s", strerror(errno));
    if (opened >= 0)
        close(opened);
    return -1;
}

// Reads to the end of the connection; what comes is never more than a few KiB.
static char *command_get_read_answer(int connection, struct tls_client *tls)
{
    char *answer = memory_new(ANSWER_MAX + 1);
    size_t length = 0;
    ssize_t got;
    do {
        size_t room = ANSWER_MAX - length;
        got = tls != NULL ? tls_client_receive(tls, answer + length, room)
                          : recv(connection, answer + length, room, 0);
        length += got > 0 ? (size_t)got : 0;
    } while (got > 0 && length < ANSWER_MAX);
    return answer;
}

// "HTTP/1.1 503 Service Unavailable" into 503; 0 if it is no status line.
static unsigned long command_get_status_of(const char *answer)
{
    const char *space = strchr(answer, ' ');
    bool http = strncmp(answer, "HTTP/1.", strlen("HTTP/1.")) == 0;
    return http && space != NULL ? strtoul(space, NULL, 10) : 0;
}

static int command_get_print_answer(const char *answer)
{
    const char *body = strstr(answer, "\r\n\r\n");
    unsigned long status = command_get_status_of(answer);
    if (status == 0 || body == NULL) {
        (void)command_refuse("the adapter gave no answer");
        return STATUS_UNWELL;
    }
    body += strlen("\r\n\r\n");
    size_t length = strlen(body);
    printf("%s%s", body, length > 0 && body[length - 1] == '\n' ? "" : "\n");
    return status == 200 ? STATUS_WELL : STATUS_UNWELL;
}

// One that cannot be sent has no answer, which is said then.
static int command_get_ask(int connection, bool https, const char *request, struct error *error)
{
    struct tls_client *tls = NULL;
    if (https && (tls = tls_client_start(connection, error)) == NULL)
        return STATUS_UNWELL;
    if (tls != NULL)
        tls_client_send(tls, request, strlen(request));
    else
        (void)send(connection, request, strlen(request), MSG_NOSIGNAL);
    char *answer = command_get_read_answer(connection, tls);
    int status = command_get_print_answer(answer);
    free(answer);
    tls_client_free(tls);
    return status;
}

static int command_get_get(const struct settings *settings, const char *path, struct error *error)
{
    struct addrinfo *address = NULL;
    char request[2048];
    int length = snprintf(request, sizeof request, "GET %s%s HTTP/1.0\r\n\r\n",
                          path[0] == '/' ? "" : "/", path);
    if (length >= (int)sizeof request || strpbrk(path, " \r\n") != NULL) {
        (void)error_set(error, "get: expected a path like /livez");
        return STATUS_USAGE;
    }
    if (!command_get_resolve(settings->listen, &address, error))
        return STATUS_USAGE;
    assert(address != NULL); // getaddrinfo's promise
    int connection = command_get_connect_to(address, error);
    freeaddrinfo(address);
    if (connection < 0)
        return STATUS_UNWELL;
    int status = command_get_ask(connection, settings_want_tls(settings), request, error);
    close(connection);
    return status;
}

int command_get(int argc, char **argv)
{
    struct error error = {.text = ""};
    struct command_line line;
    if (!command_line_load(&line, argc, argv, NULL, 0, 1, 1))
        return STATUS_USAGE;
    int status = command_get_get(&line.settings, line.words.items[0], &error);
    if (error.text[0] != '\0')
        (void)command_refuse("%s", error.text);
    command_line_clear(&line);
    return status;
}
