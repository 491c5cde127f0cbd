// dbhealthd get PATH: asks a running adapter and prints the body, for a container's HEALTHCHECK with
// no curl in the image. HTTP/1.0, so that the answer ends where the connection does.
#include "server/command.h"
#include "server/settings.h"

#include "common/memory.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ANSWER_MAX = 1024 * 1024, PATIENCE_S = 5 };

// Where the adapter can be reached that listens like this: an address of all is asked on loopback.
static bool resolve(const char *listen, struct addrinfo **found, struct error *error)
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

static int connect_to(const struct addrinfo *address, struct error *error)
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
static char *read_answer(int connection)
{
    char *answer = memory_new(ANSWER_MAX + 1);
    size_t length = 0;
    ssize_t got;
    while (length < ANSWER_MAX &&
           (got = recv(connection, answer + length, ANSWER_MAX - length, 0)) > 0)
        length += (size_t)got;
    return answer;
}

static int print_answer(const char *answer)
{
    const char *body = strstr(answer, "\r\n\r\n");
    unsigned status = 0;
    if (sscanf(answer, "HTTP/1.%*u %u", &status) != 1 || body == NULL) {
        (void)command_refuse("the adapter gave no answer");
        return STATUS_UNWELL;
    }
    body += strlen("\r\n\r\n");
    size_t length = strlen(body);
    printf("%s%s", body, length > 0 && body[length - 1] == '\n' ? "" : "\n");
    return status == 200 ? STATUS_WELL : STATUS_UNWELL;
}

static int get(const char *listen, const char *path, struct error *error)
{
    struct addrinfo *address;
    char request[2048];
    if (!resolve(listen, &address, error))
        return STATUS_USAGE;
    int connection = connect_to(address, error);
    freeaddrinfo(address);
    if (connection < 0)
        return STATUS_UNWELL;
    int length = snprintf(request, sizeof request, "GET %s%s HTTP/1.0\r\n\r\n",
                          path[0] == '/' ? "" : "/", path);
    int status = STATUS_USAGE;
    if (length >= (int)sizeof request || strpbrk(path, " \r\n") != NULL) {
        (void)error_set(error, "get: expected a path like /livez");
    } else if (send(connection, request, (size_t)length, MSG_NOSIGNAL) == length) {
        char *answer = read_answer(connection);
        status = print_answer(answer);
        free(answer);
    }
    close(connection);
    return status;
}

int command_get(int argc, char **argv)
{
    struct error error = {.text = ""};
    struct command_line line;
    if (!command_line_load(&line, argc, argv, NULL, 0, 1, 1))
        return STATUS_USAGE;
    int status = get(line.settings.listen, line.words.items[0], &error);
    if (error.text[0] != '\0')
        (void)command_refuse("%s", error.text);
    command_line_clear(&line);
    return status;
}
