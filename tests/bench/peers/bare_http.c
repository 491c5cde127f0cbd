// The least that an HTTP server on libmicrohttpd can do: one response, made once, for every
// request, with the body and headers of the adapter's plain answer. What the adapter costs above
// this is its own doing.
//
//   bare_http PORT
//
// Configured as it was cheapest: epoll in a thread of the library's own, and MHD_USE_TURBO; an
// epoll loop of ours around it, as the adapter has, costs the same with kept connections and up to
// a tenth more without. The answer is queued in the handler's second call: in the first it would
// end keep-alive. Runs until it is killed.
#include <arpa/inet.h>
#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>
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
    static char body[] = "ok";
    struct MHD_Response *response =
        MHD_create_response_from_buffer(strlen(body), body, MHD_RESPMEM_PERSISTENT);
    (void)MHD_add_response_header(response, "Content-Type", "text/plain; charset=utf-8");
    (void)MHD_add_response_header(response, "Cache-Control", "no-store");
    (void)MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    (void)MHD_add_response_header(response, "Age", "0");
    return response;
}

int main(int count, char **arguments)
{
    if (count != 2)
        return 2;
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)strtoul(arguments[1], NULL, 10)),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct MHD_Daemon *daemon =
        MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_TURBO | MHD_USE_ERROR_LOG, 0, NULL,
                         NULL, on_request, prebuilt(), MHD_OPTION_SOCK_ADDR, &address,
                         MHD_OPTION_CONNECTION_LIMIT, 8192U, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
                         (size_t)8192, MHD_OPTION_LISTEN_BACKLOG_SIZE, 4096U, MHD_OPTION_END);
    if (daemon == NULL)
        return 1;
    for (;;)
        (void)pause();
}
