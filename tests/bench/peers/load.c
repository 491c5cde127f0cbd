// Loads an HTTP server on loopback from one thread: each of its connections sends the next request
// as soon as the answer before is complete, so that all programs are asked in the same way, with an
// exact count of requests and every latency known.
//
//   load PORT CONNECTIONS REQUESTS SECONDS keep|close TARGET STATUS
//
// Ends after so many requests or seconds, whichever comes first; 0 means no limit. With "close"
// each request has a connection of its own, as a kubelet's has, and is over when the server has
// closed; its latency runs from before connect() to the end of the body. Any answer but a whole one
// with STATUS is wrong. Prints one line of JSON.
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { EVENTS_AT_ONCE = 256, SHOWN_MOST = 1000 };

struct client {
    int socket;
    int64_t began;   // ns
    size_t received; // bytes of the answer
    bool complete;   // and the end of the stream is awaited
    char answer[4096];
};

struct load {
    struct sockaddr_in server;
    int epoll;
    bool keep;
    long wanted; // requests; 0: no limit
    int64_t until;
    char request[512];
    size_t request_length;
    char first_line[16];
    long begun, done, wrong;
    unsigned open;
    uint32_t *latencies; // us
    size_t latencies_room;
};

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static int64_t now(void)
{
    struct timespec time;
    (void)clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * INT64_C(1000000000) + time.tv_nsec;
}

static void note_latency(struct load *load, int64_t nanoseconds)
{
    if ((size_t)load->done == load->latencies_room) {
        load->latencies_room = load->latencies_room > 0 ? 2 * load->latencies_room : 1 << 16;
        size_t size = load->latencies_room * sizeof *load->latencies;
        uint32_t *latencies = realloc(load->latencies, size);
        if (latencies == NULL)
            die("realloc");
        load->latencies = latencies;
    }
    load->latencies[load->done] = (uint32_t)(nanoseconds / 1000);
}

// The length of the answer, once its header is there; 0 until then.
static size_t answer_length(const struct client *client)
{
    const char *end = strstr(client->answer, "\r\n\r\n");
    const char *length = strcasestr(client->answer, "\r\nContent-Length: ");
    if (end == NULL || length == NULL)
        return 0;
    return (size_t)(end + 4 - client->answer) + strtoul(length + 18, NULL, 10);
}

static void connect_to(const struct load *load, struct client *client)
{
    client->socket = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (client->socket < 0)
        die("socket");
    // Blocking: on loopback it takes no time, unless the server's backlog is full.
    if (connect(client->socket, (const struct sockaddr *)&load->server, sizeof load->server) != 0)
        die("connect");
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};
    if (epoll_ctl(load->epoll, EPOLL_CTL_ADD, client->socket, &event) != 0)
        die("epoll_ctl");
}

static void hang_up(struct load *load, struct client *client)
{
    close(client->socket);
    client->socket = -1;
    load->open--;
}

static bool may_begin(const struct load *load, int64_t time)
{
    return (load->wanted == 0 || load->begun < load->wanted) &&
           (load->until == 0 || time < load->until);
}

// Sends the client's next request, or hangs up if there is none.
static void begin(struct load *load, struct client *client)
{
    int64_t time = now();
    if (!may_begin(load, time)) {
        if (client->socket >= 0)
            hang_up(load, client);
        return;
    }
    load->begun++;
    client->began = time;
    client->received = 0;
    client->complete = false;
    if (client->socket < 0) {
        connect_to(load, client);
        load->open++;
    }
    if (send(client->socket, load->request, load->request_length, MSG_NOSIGNAL) !=
        (ssize_t)load->request_length)
        die("send");
}

static void complete(struct load *load, struct client *client)
{
    client->complete = true;
    note_latency(load, now() - client->began);
    load->done++;
    if (strncmp(client->answer, load->first_line, strlen(load->first_line)) != 0)
        load->wrong++;
}

static void at_end(struct load *load, struct client *client)
{
    if (!client->complete) {
        complete(load, client);
        load->wrong++;
    }
    hang_up(load, client);
    begin(load, client);
}

static void on_readable(struct load *load, struct client *client)
{
    size_t room = sizeof client->answer - 1 - client->received;
    ssize_t count = recv(client->socket, client->answer + client->received, room, MSG_DONTWAIT);
    if (count < 0 && errno == EAGAIN)
        return;
    if (count <= 0) {
        at_end(load, client);
        return;
    }
    client->received += (size_t)count;
    client->answer[client->received] = '\0';
    size_t length = answer_length(client);
    if (client->complete || length == 0 || client->received < length)
        return;
    complete(load, client);
    if (load->keep)
        begin(load, client);
}

static void run(struct load *load)
{
    struct epoll_event events[EVENTS_AT_ONCE];
    while (load->open > 0) {
        int count = epoll_wait(load->epoll, events, EVENTS_AT_ONCE, -1);
        for (int i = 0; i < count; i++)
            on_readable(load, events[i].data.ptr);
    }
}

static int compare(const void *left, const void *right)
{
    uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
    return (a > b) - (a < b);
}

static unsigned part(const struct load *load, double part)
{
    return load->done > 0 ? load->latencies[(size_t)(part * (double)(load->done - 1))] : 0;
}

static void print_latencies(const struct load *load)
{
    printf(", \"latencies_us\": [");
    for (long i = 0; i < load->done; i++)
        printf("%s%u", i > 0 ? ", " : "", load->latencies[i]);
    printf("]");
}

// All latencies too, if they are few.
static void print(const struct load *load, double seconds)
{
    qsort(load->latencies, (size_t)load->done, sizeof *load->latencies, compare);
    printf("{\"requests\": %ld, \"wrong\": %ld, \"seconds\": %.6f, \"p50_us\": %u, "
           "\"p99_us\": %u",
           load->done, load->wrong, seconds, part(load, 0.5), part(load, 0.99));
    if (load->done <= SHOWN_MOST)
        print_latencies(load);
    printf("}\n");
}

static void write_request(struct load *load, const char *target)
{
    int length = snprintf(load->request, sizeof load->request,
                          "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: kube-probe/1.36\r\n"
                          "Accept: */*\r\n%s\r\n",
                          target, load->keep ? "" : "Connection: close\r\n");
    load->request_length = (size_t)length;
}

static struct load load_of(char **words)
{
    struct load load = {.server.sin_family = AF_INET,
                        .server.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                        .server.sin_port = htons((uint16_t)strtoul(words[0], NULL, 10)),
                        .epoll = epoll_create1(EPOLL_CLOEXEC),
                        .wanted = strtol(words[2], NULL, 10),
                        .keep = strcmp(words[4], "keep") == 0};
    write_request(&load, words[5]);
    (void)snprintf(load.first_line, sizeof load.first_line, "HTTP/1.1 %.3s", words[6]);
    double limit = strtod(words[3], NULL);
    load.until = limit > 0 ? now() + (int64_t)(limit * 1e9) : 0;
    return load;
}

int main(int count, char **arguments)
{
    if (count != 8) {
        (void)fprintf(stderr, "see the top of load.c\n");
        return 2;
    }
    struct load load = load_of(arguments + 1);
    size_t clients_count = strtoul(arguments[2], NULL, 10);
    struct client *clients = calloc(clients_count, sizeof *clients);
    if (clients == NULL)
        die("calloc");
    int64_t began = now();
    for (size_t i = 0; i < clients_count; i++) {
        clients[i].socket = -1;
        begin(&load, &clients[i]);
    }
    run(&load);
    print(&load, (double)(now() - began) / 1e9);
    free(clients);
    free(load.latencies);
    return load.wrong > 0;
}
