// A peer: a bare libmicrohttpd program that asks the database at each request, on one connection
// that it keeps, or on a fresh one, with nothing between the two. Configured as bare_http.c.
//
//   bare_database PORT kept|fresh
#include "database.h"

#include <microhttpd.h>
#include <netinet/in.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

struct server {
    struct database *database; // NULL: a fresh one for each request
    struct MHD_Response *response;
};

static void ask_afresh(void)
{
    struct database *database = database_open();
    database_ask(database);
    database_close(database);
}

// The second call: libmicrohttpd 0.9.75 closes a connection that is answered in the first.
static enum MHD_Result answer(void *context, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *body,
                              size_t *body_size, void **seen)
{
    static char yes;
    struct server *server = context;
    (void)url;
    (void)method;
    (void)version;
    (void)body;
    (void)body_size;
    if (*seen == NULL) {
        *seen = &yes;
        return MHD_YES;
    }
    if (server->database != NULL)
        database_ask(server->database);
    else
        ask_afresh();
    return MHD_queue_response(connection, MHD_HTTP_OK, server->response);
}

int main(int count, char **words)
{
    static char body[] = "ok";
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (count != 3)
        return EXIT_FAILURE;
    address.sin_port = htons((uint16_t)strtoul(words[1], NULL, 10));
    struct server server = {
        .database = strcmp(words[2], "kept") == 0 ? database_open() : NULL,
        .response = MHD_create_response_from_buffer(sizeof body - 1, body, MHD_RESPMEM_PERSISTENT),
    };
    struct MHD_Daemon *daemon =
        MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_TURBO, 0, NULL, NULL, answer,
                         &server, MHD_OPTION_SOCK_ADDR, &address, MHD_OPTION_END);
    if (daemon == NULL || server.response == NULL)
        return EXIT_FAILURE;
    (void)pause();
    return EXIT_SUCCESS;
}
