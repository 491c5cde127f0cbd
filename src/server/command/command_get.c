// dbhealthd get [--timeout 2s] PATH: asks a running adapter and prints the body, for a container's
// HEALTHCHECK or a load balancer's script with no curl in the image. HTTP/1.0, so that the answer
// ends where the connection does; and nothing of it is printed before all of it is there, for a
// part of an answer must not look like one. Over TLS it verifies nothing: it asks its own
// container, by an address that no certificate need name.
#include "client/client.h"
#include "server/base/address.h"
#include "server/command/command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PIECE = 16 * 1024, MOST_MIB = 64, MOST = MOST_MIB * 1024 * 1024 };

// An answer as it came.
struct received {
    char *bytes; // NUL-terminated
    size_t length;
    bool late; // the deadline ended it
};

// ... and what it says. The body points into it.
struct answer {
    unsigned long status;
    const char *body;
    size_t length; // of the body
};

static bool command_get_write_request(const char *path, char *request, size_t capacity,
                                      struct error *error)
{
    int length =
        snprintf(request, capacity, "GET %s%s HTTP/1.0\r\n\r\n", path[0] == '/' ? "" : "/", path);
    if (length >= (int)capacity || strpbrk(path, " \r\n") != NULL)
        return error_set(error, "get: expected a path like /livez");
    return true;
}

static void command_get_receive(struct client *client, struct received *received)
{
    char piece[PIECE];
    ssize_t got;
    FILE *out = open_memstream(&received->bytes, &received->length);
    if (out == NULL)
        abort();
    do {
        got = client_receive(client, piece, sizeof piece);
        if (got > 0)
            (void)fwrite(piece, 1, (size_t)got, out);
    } while (got > 0 && ftell(out) < MOST);
    (void)fclose(out);
    received->late = client_is_late(client);
}

// The adapter's answers all have a Content-Length.
static bool command_get_parse(const struct received *received, struct answer *answer,
                              struct error *error)
{
    static const char version[] = "HTTP/1.", name[] = "\r\nContent-Length:", end[] = "\r\n\r\n";
    const char *status = strchr(received->bytes, ' ');
    const char *field = strcasestr(received->bytes, name);
    answer->body = strstr(received->bytes, end);
    if (strncmp(received->bytes, version, strlen(version)) != 0 || answer->body == NULL)
        return error_set(error, "the adapter gave no answer");
    if (field == NULL || field > answer->body)
        return error_set(error, "the answer has no Content-Length");
    answer->status = status != NULL ? strtoul(status, NULL, 10) : 0;
    answer->length = strtoul(field + strlen(name), NULL, 10);
    answer->body += strlen(end);
    size_t came = received->length - (size_t)(answer->body - received->bytes);
    if (came < answer->length && received->length >= MOST)
        return error_set(error, "the answer is above %d MiB", MOST_MIB);
    return came >= answer->length ||
           error_set(error, "the answer ends after %zu of %zu bytes", came, answer->length);
}

static int command_get_print(const struct answer *answer)
{
    bool ended = answer->length > 0 && answer->body[answer->length - 1] == '\n';
    (void)fwrite(answer->body, 1, answer->length, stdout);
    (void)fputs(ended ? "" : "\n", stdout);
    return answer->status == 200 ? STATUS_WELL : STATUS_UNWELL;
}

static int command_get_ask(struct client *client, const char *request, struct duration timeout,
                           struct error *error)
{
    struct received received = {.bytes = NULL};
    struct answer answer = {0};
    int status = STATUS_UNWELL;
    client_send(client, request, strlen(request));
    command_get_receive(client, &received);
    if (command_get_parse(&received, &answer, error)) {
        status = command_get_print(&answer);
    } else if (received.late) {
        char within[32];
        format_duration(timeout, within, sizeof within);
        (void)error_set(error, "the adapter gave no whole answer within %s", within);
    }
    free(received.bytes);
    return status;
}

static int command_get_run(const struct settings *settings, const char *path,
                           struct duration timeout, struct error *error)
{
    char request[2048];
    struct address listening;
    if (!command_get_write_request(path, request, sizeof request, error))
        return STATUS_USAGE;
    if (!address_parse(settings->listen, &listening, error)) {
        (void)error_prefix(error, "DBHEALTH_LISTEN: '%.100s'", settings->listen);
        return STATUS_USAGE;
    }
    const struct address address = address_to_ask(&listening);
    const struct client_tls tls = {.wanted = settings_want_tls(settings)};
    struct client *client = client_open(&address.socket.plain, address.length, &tls,
                                        instant_add(instant_now(), timeout), error);
    int status = client != NULL ? command_get_ask(client, request, timeout, error) : STATUS_UNWELL;
    client_close(client);
    return status;
}

int command_get(int argc, char **argv)
{
    struct error error = {.text = ""};
    struct duration timeout;
    // Twice what an answer takes at most by default, and less than Docker's and HAProxy's scripts
    // may take.
    const char *text = "2s";
    const struct extra_flag extra[] = {{"timeout", &text, NULL}};
    struct command_line line;
    if (!command_line_load(&line, argc, argv, extra, 1, 1, 1))
        return STATUS_USAGE;
    int status = command_parse_duration("timeout", text, 1, &timeout, &error)
                     ? command_get_run(&line.settings, line.words.items[0], timeout, &error)
                     : STATUS_USAGE;
    if (error.text[0] != '\0')
        (void)command_refuse("%s", error.text);
    command_line_clear(&line);
    return status;
}
