// The least that an HTTP server on libmicrohttpd can do: one response, made once, for every
// request, with the body and headers of the adapter's plain answer. What the adapter costs above
// this is its own doing.
//
//   bare_http PORT external|thread [turbo]
//
// libmicrohttpd's epoll is run from a loop of ours (external), as the adapter does, or from a thread
// of its own. The answer is queued in the handler's second call: in the first it would end
// keep-alive. Runs until it is killed.
#include <arpa/inet.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

static enum MHD_Result on_request(void *response, struct MHD_Connection *connection,
                                  const char *url, const char *method, const char *version,
                                  const char *upload, size_t *upload_size, void **seen)
{
    (void)url, (void)method, (void)version, (void)upload, (void)upload_size;
    if (*seen == NULL) {
        *seen = response;
        return MHD_YES;
    }
    return MHD_queue_response(connection, MHD_HTTP_OK, response);
}

static struct MHD_Response *prebuilt(void)
{
    static char body[] = "ok\n";
    struct MHD_Response *response =
        MHD_create_response_from_buffer(strlen(body), body, MHD_RESPMEM_PERSISTENT);
    (void)MHD_add_response_header(response, "Content-Type", "text/plain; charset=utf-8");
    (void)MHD_add_response_header(response, "Cache-Control", "no-store");
    (void)MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    (void)MHD_add_response_header(response, "Age", "0");
    return response;
}

static void loop(struct MHD_Daemon *daemon)
{
    int epoll = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
    int outer = epoll_create1(0); // the daemon's own is emptied by MHD_run alone
    struct epoll_event event = {.events = EPOLLIN};
    (void)epoll_ctl(outer, EPOLL_CTL_ADD, epoll, &event);
    for (;;) {
        MHD_UNSIGNED_LONG_LONG timeout = 0;
        (void)MHD_run(daemon);
        int wait = MHD_get_timeout(daemon, &timeout) == MHD_YES ? (int)timeout : -1;
        if (wait != 0)
            (void)epoll_wait(outer, &event, 1, wait);
    }
}

int main(int count, char **arguments)
{
    if (count < 3) {
        (void)fprintf(stderr, "usage: bare_http PORT external|thread [turbo]\n");
        return 2;
    }
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)strtoul(arguments[1], NULL, 10)),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    unsigned flags = MHD_USE_EPOLL | MHD_USE_ERROR_LOG;
    if (strcmp(arguments[2], "thread") == 0)
        flags |= MHD_USE_INTERNAL_POLLING_THREAD;
    if (count > 3)
        flags |= MHD_USE_TURBO;
    struct MHD_Daemon *daemon = MHD_start_daemon(
        flags, 0, NULL, NULL, on_request, prebuilt(), MHD_OPTION_SOCK_ADDR, &address,
        MHD_OPTION_CONNECTION_LIMIT, 8192U, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)8192,
        MHD_OPTION_LISTEN_BACKLOG_SIZE, 4096U, MHD_OPTION_END);
    if (daemon == NULL)
        return 1;
    if ((flags & MHD_USE_INTERNAL_POLLING_THREAD) == 0)
        loop(daemon);
    for (;;)
        (void)pause();
}
