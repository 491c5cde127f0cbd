// See adapter.h. HTTP/1.0, so that the answer ends where the connection does; and nothing is told
// of it before all of it is there, for a part of an answer must not look like one. Over TLS it
// verifies nothing: it asks its own container, by an address that no certificate need name.
#include "server/command/adapter.h"

#include "client/client.h"
#include "server/base/address.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PIECE = 16 * 1024, MOST_MIB = 64, MOST = MOST_MIB * 1024 * 1024, NOT_TOLD = 403 };

// An answer as it came.
struct received {
    char *bytes; // NUL-terminated
    size_t length;
    bool late; // the deadline ended it
};

static bool adapter_write_request(const char *path, char *request, size_t capacity,
                                  struct error *error)
{
    int length =
        snprintf(request, capacity, "GET %s%s HTTP/1.0\r\n\r\n", path[0] == '/' ? "" : "/", path);
    if (length >= (int)capacity || strpbrk(path, " \r\n") != NULL)
        return error_set(error, "get: expected a path like /livez");
    return true;
}

static struct received adapter_receive(struct client *client)
{
    struct received received = {.bytes = NULL};
    char piece[PIECE];
    ssize_t got;
    FILE *out = open_memstream(&received.bytes, &received.length);
    if (out == NULL)
        abort();
    do {
        got = client_receive(client, piece, sizeof piece);
        if (got > 0)
            (void)fwrite(piece, 1, (size_t)got, out);
    } while (got > 0 && ftell(out) < MOST);
    (void)fclose(out);
    received.late = client_is_late(client);
    return received;
}

// The adapter's answers all have a Content-Length.
static bool adapter_parse(const struct received *received, struct adapter_answer *answer,
                          struct error *error)
{
    static const char version[] = "HTTP/1.", name[] = "\r\nContent-Length:", end[] = "\r\n\r\n";
    const char *status = strchr(received->bytes, ' ');
    const char *field = strcasestr(received->bytes, name);
    answer->bytes = received->bytes;
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

static bool adapter_exchange(struct client *client, const char *request, struct duration timeout,
                             struct adapter_answer *answer, struct error *error)
{
    client_send(client, request, strlen(request));
    struct received received = adapter_receive(client);
    if (adapter_parse(&received, answer, error))
        return true;
    if (received.late) {
        char within[32];
        format_duration(timeout, within, sizeof within);
        (void)error_set(error, "the adapter gave no whole answer within %s", within);
    }
    return false;
}

// What a question takes along, wherever it is asked.
struct question {
    const struct settings *settings;
    char request[2048];
    struct duration timeout;
    struct instant deadline;
};

static enum adapter_end adapter_ask_at(const struct question *question, const char *variable,
                                       const char *listen, struct adapter_answer *answer,
                                       struct error *error)
{
    const struct settings *settings = question->settings;
    const struct client_tls tls = {.wanted = settings_want_tls(settings),
                                   .certificate = settings->tls_cert,
                                   .key = settings->tls_key};
    struct address listening;
    if (!address_parse(listen, &listening, error)) {
        (void)error_prefix(error, "%s: '%.100s'", variable, listen);
        return ADAPTER_WRONG;
    }
    const struct address address = address_to_ask(&listening);
    struct client *client =
        client_open(&address.socket.plain, address.length, &tls, question->deadline, error);
    bool answered = client != NULL &&
                    adapter_exchange(client, question->request, question->timeout, answer, error);
    client_close(client);
    return answered ? ADAPTER_ANSWERED : ADAPTER_FAILED;
}

enum adapter_end adapter_ask(const struct settings *settings, const char *path,
                             struct duration timeout, struct adapter_answer *answer,
                             struct error *error)
{
    struct question question = {
        .settings = settings, .timeout = timeout, .deadline = instant_add(instant_now(), timeout)};
    *answer = (struct adapter_answer){.bytes = NULL};
    if (!adapter_write_request(path, question.request, sizeof question.request, error))
        return ADAPTER_WRONG;
    enum adapter_end end =
        adapter_ask_at(&question, "DBHEALTH_LISTEN", settings->listen, answer, error);
    if (end != ADAPTER_ANSWERED || answer->status != NOT_TOLD ||
        settings->details_listen[0] == '\0')
        return end;
    adapter_answer_clear(answer);
    return adapter_ask_at(&question, "DBHEALTH_DETAILS_LISTEN", settings->details_listen, answer,
                          error);
}

void adapter_answer_clear(struct adapter_answer *answer)
{
    free(answer->bytes);
    *answer = (struct adapter_answer){.bytes = NULL};
}
