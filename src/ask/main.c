// dbhealthd-ask [--port 8080] [PATH]: what the *database's* container runs as its liveness probe.
// It asks the adapter of its Pod, on 127.0.0.1, and ends with 1 only if the adapter answered and
// said dead. So an adapter that is not there, hangs or talks nonsense takes no database with it;
// nor does a mistake in the command line. What it prints, Kubernetes shows with the event.
//
// It runs among whatever the database's image has in it, so it is one static file, looks up no
// name, reads no file, and waits for nothing beyond its deadline.
#include "client/http_answer.h"
#include "common/instant.h"
#include "common/output.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { STATUS_NOT_DEAD = 0, STATUS_DEAD = 1 };
enum {
    PORT = 8080,
    LIMIT_MS = 5000, // the adapter answers within 0.9 s unless told otherwise
    PATH_MOST = 1000,
    ANSWER_MOST = 64 * 1024,
    SHOWN_MOST = 4096 // more than an event has room for, and not more than a pipe takes at once
};

struct question {
    uint16_t port;
    const char *path;
};

// An answer as it comes.
struct received {
    char bytes[ANSWER_MOST];
    size_t length;
    enum http_answer_kind kind;
    bool ended; // by the other side
};

// In one piece, if there is room for it. What steers a terminal is shown as a question mark.
static void main_say(char *words, size_t length)
{
    struct output out = output_open(STDOUT_FILENO);
    for (size_t i = 0; i < length; i++) {
        if ((unsigned char)words[i] < ' ' && words[i] != '\n')
            words[i] = '?';
    }
    (void)output_line(&out, words, length);
    output_close(&out);
}

// Why nothing is known of the database, which is no fault of its.
static int main_shrug(const struct question *question, const char *why)
{
    char words[256];
    int length = snprintf(words, sizeof words, "nothing known: 127.0.0.1:%u: %s\n",
                          (unsigned)question->port, why);
    main_say(words, (size_t)length);
    return STATUS_NOT_DEAD;
}

static bool main_is_ready(int connection, short events, struct instant deadline)
{
    struct pollfd it = {.fd = connection, .events = events};
    int found;
    do {
        found = poll(&it, 1, (int)instant_left(deadline, instant_now()).ms);
    } while (found < 0 && errno == EINTR);
    return found > 0;
}

// Connected, or -1 with errno.
static int main_connect(uint16_t port, struct instant deadline)
{
    const struct sockaddr_in address = {.sin_family = AF_INET,
                                        .sin_port = htons(port),
                                        .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
    int error = ETIMEDOUT;
    socklen_t length = sizeof error;
    int connection = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (connection < 0)
        return -1;
    if (connect(connection, (const struct sockaddr *)&address, sizeof address) == 0)
        return connection;
    if (errno != EINPROGRESS)
        error = errno;
    else if (main_is_ready(connection, POLLOUT, deadline))
        (void)getsockopt(connection, SOL_SOCKET, SO_ERROR, &error, &length);
    if (error == 0)
        return connection;
    close(connection);
    errno = error;
    return -1;
}

// It fits into any socket's buffer; if it cannot be sent, no answer comes.
static void main_send(int connection, const char *path)
{
    char request[PATH_MOST + 64];
    int length = snprintf(request, sizeof request, "GET %s HTTP/1.0\r\n\r\n", path);
    (void)send(connection, request, (size_t)length, MSG_NOSIGNAL);
}

static void main_receive(int connection, struct instant deadline, struct received *received,
                         struct http_answer *answer)
{
    while (received->kind == HTTP_ANSWER_PART && received->length < sizeof received->bytes &&
           main_is_ready(connection, POLLIN, deadline)) {
        ssize_t got = recv(connection, received->bytes + received->length,
                           sizeof received->bytes - received->length, 0);
        received->ended = got == 0 || (got < 0 && errno != EINTR && errno != EAGAIN);
        if (received->ended)
            return;
        received->length += got > 0 ? (size_t)got : 0;
        received->kind = http_answer_read(received->bytes, received->length, answer);
    }
}

static int main_judge(const struct http_answer *answer)
{
    char words[SHOWN_MOST];
    bool dead = http_answer_says_dead(answer);
    bool known = dead || answer->status == 200;
    bool ended = answer->length > 0 && answer->body[answer->length - 1] == '\n';
    int length =
        snprintf(words, sizeof words, "%s%u %.*s%s", known ? "" : "nothing known: ", answer->status,
                 (int)answer->length, answer->body, ended ? "" : "\n");
    main_say(words, (size_t)length < sizeof words ? (size_t)length : sizeof words - 1);
    return dead ? STATUS_DEAD : STATUS_NOT_DEAD;
}

// What came in place of a whole answer.
static const char *main_describe(const struct received *received)
{
    if (received->kind == HTTP_ANSWER_STRANGE)
        return "what answers is no adapter, or serves HTTPS";
    if (!received->ended)
        return "no whole answer came";
    return received->length > 0 ? "the answer broke off" : "no answer; does it serve HTTPS?";
}

static int main_ask(const struct question *question)
{
    static struct received received;
    struct http_answer answer = {.status = 0};
    const struct instant deadline = instant_add(instant_now(), (struct duration){LIMIT_MS});
    int connection = main_connect(question->port, deadline);
    if (connection < 0)
        return main_shrug(question, strerror(errno));
    main_send(connection, question->path);
    main_receive(connection, deadline, &received, &answer);
    close(connection);
    if (received.kind == HTTP_ANSWER_WHOLE)
        return main_judge(&answer);
    return main_shrug(question, main_describe(&received));
}

static bool main_read_port(const char *text, uint16_t *port)
{
    char *end;
    errno = 0;
    unsigned long number = strtoul(text, &end, 10);
    *port = (uint16_t)number;
    return text[0] >= '1' && text[0] <= '9' && *end == '\0' && errno == 0 && number <= UINT16_MAX;
}

// Of the path only what could end the request's first line is refused.
static bool main_read_path(const char *text, const char **path)
{
    *path = text;
    return text[0] == '/' && strlen(text) <= PATH_MOST && strpbrk(text, " \t\r\n") == NULL;
}

static bool main_read_arguments(int count, char **arguments, struct question *question)
{
    *question = (struct question){.port = PORT, .path = "/healthz"};
    int next = count > 2 && strcmp(arguments[1], "--port") == 0 ? 3 : 1;
    if (next == 3 && !main_read_port(arguments[2], &question->port))
        return false;
    if (next >= count)
        return true;
    return next + 1 == count && main_read_path(arguments[next], &question->path);
}

int main(int count, char **arguments)
{
    struct question question;
    (void)signal(SIGPIPE, SIG_IGN); // a death by it would count as the database's
    if (main_read_arguments(count, arguments, &question))
        return main_ask(&question);
    char usage[] = "nothing known: usage: dbhealthd-ask [--port 8080] [/healthz]\n";
    main_say(usage, sizeof usage - 1);
    return STATUS_NOT_DEAD;
}
