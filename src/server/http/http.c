// See http.h. libmicrohttpd runs in external epoll mode on our one thread. Two things it does not
// do are done here: a deadline for a request's whole header (its own starts again with each byte),
// and making room when the connections run out: those that have been idle longest are shut down, so
// that nobody who only holds connections shuts a prober out.
#include "server/http/http.h"

#include "common/memory.h"
#include "server/base/container_of.h"
#include "server/base/deadline.h"
#include "server/base/log.h"
#include "server/config/certificate.h"
#include "server/http/header.h"
#include "server/http/prebuilt.h"
#include "server/http/proxy_header.h"

#include <assert.h>
#include <microhttpd.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    HEADER_LIMIT_MS = 5000, // from connecting to the end of the first request
    IDLE_LIMIT_MS = 60000,  // from an answer to the end of the next request
    CONNECTIONS_MAX = 8192,
    CONNECTIONS_SPARE = 16,    // kept free by shutting idle ones down, ...
    IDLE_LEAST_MS = 100,       // ... which have had this long to send a request
    DETAILS_PART = 8,          // of them all is theirs, where details have a listener of their own
    DESCRIPTORS_RESERVED = 64, // for all that is no connection, and no agent check
    MEMORY_PER_CONNECTION = 8192,
    CROWD = 64,            // as many connections leave memory behind that is worth giving back
    RUNS_AT_ONCE = 8,      // of MHD_run before the loop gets its turn
    FRUITLESS_MOST = 4,    // runs in a row that it may ask for although they come to nothing, ...
    FRUITLESS_WAIT_MS = 20 // ... and what it waits after them
};

struct http {
    uv_loop_t *loop;
    struct service *service;
    enum listener listener;
    struct MHD_Daemon *daemon;
    uv_prepare_t prepare;
    uv_poll_t poll;                // the daemon's epoll descriptor
    uv_timer_t again;              // the daemon has more to do now
    uv_timer_t crowded;            // there may be one to shut down then
    struct deadline_queue headers; // of connections that have not yet sent a request
    struct deadline_queue idle;    // of those that have
    unsigned connections, connections_max;
    unsigned connections_most; // at one time, since memory was given back
    struct handles handles;
    bool tls;
    struct prebuilt_table prebuilt;
    bool progress;      // since the last MHD_run began: something was read, answered or closed
    bool changed;       // and others than the daemon have to do with it
    unsigned fruitless; // runs of it in a row that came to nothing
};

struct connection {
    struct deadline_entry deadline;
    struct http *http;
    struct MHD_Connection *mhd;
    struct deadline_queue *queue; // where the deadline is armed
    int socket;
    struct certificate *certificate; // held; NULL: plain text
    struct request *request;         // that is read or answered; NULL: none
    bool proxied;                    // a header of the PROXY protocol came first
    bool begun;                      // libmicrohttpd has shown the request once
    bool asked;                      // for the answer
    bool suspended;                  // until the answer is there
    bool usual;                      // another request for the same may have the same response
    struct MHD_Response *response;   // NULL until answered, and once it has been sent on its way
};

// --- connections and their deadlines

static struct connection *http_connection_of(struct MHD_Connection *connection)
{
    return MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
}

static void http_set_deadline(struct connection *connection, struct deadline_queue *queue)
{
    deadline_disarm(connection->queue, &connection->deadline);
    connection->queue = queue;
    deadline_arm(queue, &connection->deadline);
}

// The daemon sees the end of the stream on its next run and closes; but not of a connection whose
// buffer is full of what is no request, which with MHD_USE_TURBO it does not watch: for that one a
// time limit, of a second, the least there is.
static void http_shut_down(struct deadline_queue *queue, struct deadline_entry *entry)
{
    (void)queue;
    const struct connection *connection = CONTAINER_OF(entry, struct connection, deadline);
    (void)shutdown(connection->socket, SHUT_RDWR);
    (void)MHD_set_connection_option(connection->mhd, MHD_CONNECTION_OPTION_TIMEOUT, 1U);
}

static void http_on_crowded(uv_timer_t *timer);

// Shuts down the first connection of the queue. False if it has not been idle for long enough yet.
static bool http_shut_first(struct http *http, struct deadline_queue *queue)
{
    struct deadline_entry *first = deadline_first(queue);
    if (first == NULL)
        return false;
    int64_t least_ms = IDLE_LEAST_MS - queue->length.ms;
    struct instant due = instant_add(first->at, (struct duration){.ms = least_ms});
    if (instant_before(instant_now(), due)) {
        deadline_start_timer(&http->crowded, due, http_on_crowded);
        return false;
    }
    deadline_disarm(queue, first);
    http_shut_down(queue, first);
    return true;
}

static void http_make_room(struct http *http)
{
    unsigned shut = 0;
    while (http->connections - shut + CONNECTIONS_SPARE >= http->connections_max &&
           (http_shut_first(http, &http->idle) || http_shut_first(http, &http->headers)))
        shut++;
}

static void http_on_crowded(uv_timer_t *timer)
{
    http_make_room(timer->data);
}

// Gives back what a crowd has needed, once most of it has left.
static void http_tidy_after_crowd(struct http *http)
{
    if (http->connections_most < CROWD || http->connections > http->connections_most / 4)
        return;
    http->connections_most = http->connections;
    memory_trim();
}

static void http_end_request(struct connection *connection)
{
    if (connection->response != NULL)
        MHD_destroy_response(connection->response);
    request_free(connection->request);
    connection->response = NULL;
    connection->request = NULL;
    connection->begun = connection->asked = connection->suspended = connection->usual = false;
}

// True if the main listener tells no details.
static bool http_is_split(const struct http *http)
{
    return http->service->config->settings.details_listen[0] != '\0';
}

static void *http_session_of(struct MHD_Connection *mhd)
{
    return MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_GNUTLS_SESSION)->tls_session;
}

// A listener for details has nothing for who shows no certificate; on one for all, health is open.
static void http_begin_tls(struct connection *connection, struct MHD_Connection *mhd)
{
    const struct http *http = connection->http;
    connection->certificate = certificate_hold(http->service->config->certificate);
    certificate_give(connection->certificate, http_session_of(mhd));
    bool details = http->listener == LISTENER_DETAILS;
    if (details || !http_is_split(http))
        certificate_ask_client(connection->certificate, http_session_of(mhd), details);
}

static void http_on_connection(void *context, struct MHD_Connection *mhd, void **own,
                               enum MHD_ConnectionNotificationCode code)
{
    struct http *http = context;
    if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
        struct connection *closed = *own;
        deadline_disarm(closed->queue, &closed->deadline);
        // At its limit the daemon looks for newcomers in its next run only.
        http->progress = true;
        http->changed |= http->connections == http->connections_max;
        http->connections--;
        http_end_request(closed);
        certificate_release(closed->certificate);
        free(closed);
        http_tidy_after_crowd(http);
        return;
    }
    struct connection *connection = memory_new(sizeof *connection);
    connection->http = http;
    connection->mhd = mhd;
    connection->queue = &http->headers;
    connection->socket =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
    connection->proxied = proxy_header_take(connection->socket);
    *own = connection;
    if (http->tls)
        http_begin_tls(connection, mhd);
    http->connections++;
    if (http->connections > http->connections_most)
        http->connections_most = http->connections;
    deadline_arm(&http->headers, &connection->deadline);
}

// --- requests

static void http_on_answered(struct request *request);

// The first that is known of a request: its target, before it is decoded where it lies. Of a
// request that turns out to be malformed libmicrohttpd (0.9.75) may forget to tell the end.
static void *http_on_target(void *context, const char *target, struct MHD_Connection *mhd)
{
    const struct http *http = context;
    struct connection *connection = http_connection_of(mhd);
    http_end_request(connection);
    connection->request = request_new(http->service, target, connection, http_on_answered);
    bool known = http->tls && certificate_knows_client(http_session_of(mhd));
    connection->request->may_have_details =
        service_tells_details(http->service, http->listener, known);
    return connection;
}

static void http_on_completed(void *context, struct MHD_Connection *mhd, void **own,
                              enum MHD_RequestTerminationCode code)
{
    (void)context, (void)code;
    http_end_request(http_connection_of(mhd));
    *own = NULL;
}

static void http_add_header(struct MHD_Response *response, const char *name, const char *value)
{
    enum MHD_Result added = MHD_add_response_header(response, name, value);
    assert(added == MHD_YES);
}

// Makes the response; takes the answer's body over.
static struct MHD_Response *http_respond(struct answer *answer)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(answer->length, answer->body, MHD_RESPMEM_MUST_FREE);
    if (response == NULL)
        abort();
    answer->body = NULL;
    http_add_header(response, "Content-Type", answer->type);
    http_add_header(response, "Cache-Control", "no-store");
    http_add_header(response, "X-Content-Type-Options", "nosniff");
    if (answer->status == MHD_HTTP_METHOD_NOT_ALLOWED)
        http_add_header(response, "Allow", "GET, HEAD, OPTIONS");
    if (answer->warns)
        http_add_header(response, "x-envoy-degraded", "true"); // Envoy looks whether it is there
    if (answer->policy != NULL)
        http_add_header(response, "Content-Security-Policy", answer->policy);
    if (answer->age >= 0) {
        char age[24];
        (void)snprintf(age, sizeof age, "%lld", (long long)answer->age);
        http_add_header(response, "Age", age);
    }
    return response;
}

// Keeps the loop from waiting before the daemon's next run.
static void http_run_again(struct http *http);

static void http_on_answered(struct request *request)
{
    struct connection *connection = request->asker;
    connection->response = http_respond(&request->answer);
    connection->http->progress = connection->http->changed = true;
    if (connection->suspended) {
        MHD_resume_connection(connection->mhd);
        http_run_again(connection->http);
    }
    connection->suspended = false;
}

static enum method http_method_of(const char *name)
{
    static const struct {
        const char *name;
        enum method method;
    } methods[] = {{MHD_HTTP_METHOD_GET, METHOD_GET},
                   {MHD_HTTP_METHOD_HEAD, METHOD_HEAD},
                   {MHD_HTTP_METHOD_OPTIONS, METHOD_OPTIONS}};
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        if (strcmp(methods[i].name, name) == 0)
            return methods[i].method;
    }
    return METHOD_OTHER;
}

static enum MHD_Result http_on_header(void *context, enum MHD_ValueKind kind, const char *name,
                                      const char *value)
{
    (void)kind;
    header_add(context, name, value);
    return MHD_YES;
}

// Lines of one name are one list (RFC 9110, section 5.3).
static enum MHD_Result http_on_accept(void *context, enum MHD_ValueKind kind, const char *name,
                                      const char *value)
{
    struct text *accept = context;
    (void)kind;
    if (strcasecmp(name, MHD_HTTP_HEADER_ACCEPT) != 0 || value == NULL)
        return MHD_YES;
    text_add(accept, accept->length > 0 ? ", " : "");
    text_add(accept, value);
    return MHD_YES;
}

// The response to a usual request that may be given again; NULL: the request has been handed on.
static const struct prebuilt *http_begin_answer(struct connection *connection, enum method method)
{
    struct http *http = connection->http;
    const struct prebuilt *prebuilt = NULL;
    connection->asked = true;
    http->progress = true;
    connection->usual &= method != METHOD_OTHER;
    if (connection->usual)
        prebuilt = prebuilt_take(&http->prebuilt, connection->request);
    if (prebuilt == NULL) {
        char bytes[MEMORY_PER_CONNECTION]; // more than all header lines have
        struct text accept = text_in(bytes, sizeof bytes);
        (void)MHD_get_connection_values(connection->mhd, MHD_HEADER_KIND, http_on_accept, &accept);
        deadline_disarm(connection->queue, &connection->deadline);
        http->changed = true;
        request_parse(connection->request, method, accept.bytes);
        answer_request(connection->request);
    }
    return prebuilt;
}

static enum MHD_Result http_send(struct connection *connection, unsigned status,
                                 struct MHD_Response *response)
{
    http_set_deadline(connection, &connection->http->idle);
    return MHD_queue_response(connection->mhd, status, response);
}

static enum MHD_Result http_send_own(struct connection *connection)
{
    const struct request *request = connection->request;
    enum MHD_Result queued = http_send(connection, request->answer.status, connection->response);
    if (connection->usual) {
        prebuilt_keep(&connection->http->prebuilt, request, connection->response);
        connection->response = NULL;
    }
    return queued;
}

// Answered before a body is read, which ends the connection.
static enum MHD_Result http_refuse(struct connection *connection, enum method method,
                                   const char *words)
{
    connection->http->progress = true;
    request_parse(connection->request, method, NULL);
    request_reply_words(connection->request, MHD_HTTP_BAD_REQUEST, words, -1);
    return http_send_own(connection);
}

// The header is there, and nothing of a body.
static enum MHD_Result http_on_whole_header(struct connection *connection, const char *method,
                                            const char *version)
{
    struct header header = {0};
    connection->begun = true;
    (void)MHD_get_connection_values(connection->mhd, MHD_HEADER_KIND, http_on_header, &header);
    header_end(&header, version);
    connection->usual = !header.choosy;
    if (connection->proxied)
        header.fault = "a PROXY header came first: have the load balancer send none to this port\n";
    if (header.fault != NULL)
        return http_refuse(connection, http_method_of(method), header.fault);
    return MHD_YES;
}

// Called with the header, with each piece of a body, at the end of the request, and again when a
// suspended connection has been resumed. Answering in the first call would end keep-alive.
static enum MHD_Result http_on_request(void *context, struct MHD_Connection *mhd, const char *url,
                                       const char *method, const char *version, const char *upload,
                                       size_t *upload_size, void **own)
{
    (void)context, (void)url, (void)upload;
    struct connection *connection = *own;
    if (!connection->begun)
        return http_on_whole_header(connection, method, version);
    if (*upload_size > 0) {
        *upload_size = 0; // a body means nothing here; the header's deadline bounds it
        connection->http->progress = true;
        return MHD_YES;
    }
    const struct prebuilt *prebuilt = NULL;
    if (!connection->asked)
        prebuilt = http_begin_answer(connection, http_method_of(method));
    if (prebuilt != NULL)
        return http_send(connection, prebuilt->status, prebuilt->response);
    if (connection->response != NULL)
        return http_send_own(connection);
    connection->suspended = true;
    MHD_suspend_connection(mhd);
    return MHD_YES;
}

// --- the daemon on the loop

static void __attribute__((format(printf, 2, 0)))
http_on_daemon_log(void *context, const char *format, va_list arguments)
{
    (void)context;
    char words[256];
    char clean[256];
    (void)vsnprintf(words, sizeof words, format, arguments);
    struct text text = text_in(clean, sizeof clean);
    text_add_foreign(&text, words, strlen(words));
    LOG_EVENT(LOG_DEBUG, "http", LOG_TEXT("message", clean));
}

static void http_on_poll(uv_poll_t *poll, int status, int events)
{
    (void)poll, (void)status, (void)events; // http_before_wait does the work
}

static void http_on_again(uv_timer_t *timer)
{
    (void)timer; // likewise
}

// libmicrohttpd (0.9.75) asks for another run at once, and again, while a handshake waits for its
// client or its buffer is full of what it can't take: a few such clients would cost a CPU. What
// arrives wakes us anyway, so after some runs that came to nothing it has to wait for the next.
static bool http_must_wait(struct http *http)
{
    http->fruitless = http->progress ? 0 : http->fruitless + 1;
    return http->fruitless > FRUITLESS_MOST;
}

// Does all that can be done now; the only caller of MHD_run. True if something may have changed for
// others meanwhile: answers were given or asked for, or connections were closed.
static bool http_run(struct http *http)
{
    MHD_UNSIGNED_LONG_LONG timeout = 0;
    bool changed = false;
    for (unsigned runs = 0; runs < RUNS_AT_ONCE && timeout == 0; runs++) {
        http->progress = http->changed = false;
        (void)MHD_run(http->daemon);
        // Not sooner: in mid-run a connection may be closed without our knowing.
        http_make_room(http);
        changed |= http->changed;
        if (MHD_get_timeout(http->daemon, &timeout) != MHD_YES) {
            (void)uv_timer_stop(&http->again);
            http->fruitless = 0;
            return changed;
        }
        if (http_must_wait(http) && timeout == 0)
            timeout = FRUITLESS_WAIT_MS;
    }
    (void)uv_timer_start(&http->again, http_on_again, timeout, 0);
    return changed;
}

static void http_run_again(struct http *http)
{
    (void)uv_timer_start(&http->again, http_on_again, 0, 0);
}

// What others have to do with gets its turn, and the loop comes back here without a wait. So a
// flood of requests keeps neither timers nor probers and signals waiting.
static void http_before_wait(uv_prepare_t *prepare)
{
    struct http *http = prepare->data;
    if (http_run(http))
        http_run_again(http);
}

// As many connections as descriptors allow, up to the maximum, for all listeners.
static unsigned http_connection_limit(const struct service *service)
{
    bool agents = service->config->settings.agent_listen[0] != '\0';
    const rlim_t reserved = DESCRIPTORS_RESERVED + (agents ? AGENT_CLIENTS_MAX : 0);
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return CONNECTIONS_MAX / 8;
    rlim_t wanted = CONNECTIONS_MAX + reserved;
    if (limit.rlim_cur < wanted && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
    if (limit.rlim_cur >= wanted)
        return CONNECTIONS_MAX;
    if (limit.rlim_cur > 4 * reserved)
        return (unsigned)(limit.rlim_cur - reserved);
    return (unsigned)limit.rlim_cur / 2;
}

// Of these so many are the listener's: one that is full takes none from another.
static unsigned http_share(const struct http *http, unsigned connections)
{
    unsigned details = connections / DETAILS_PART;
    if (!http_is_split(http))
        return connections;
    return http->listener == LISTENER_DETAILS ? details : connections - details;
}

static struct MHD_Daemon *http_start_daemon(struct http *http, int listening)
{
    unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG;
    flags |= http->tls ? MHD_USE_TLS : MHD_USE_TURBO;
    struct MHD_OptionItem options[] = {
        {MHD_OPTION_LISTEN_SOCKET, listening, NULL},
        {MHD_OPTION_CONNECTION_LIMIT, (intptr_t)http->connections_max, NULL},
        // What neither refuses is for header.c. Strict, 0.9.75 would tell its 400 twice; in
        // between, 1.x would redirect.
        {MHD_OPTION_STRICT_FOR_CLIENT, strncmp(MHD_get_version(), "0.", 2) == 0 ? -1 : 1, NULL},
        {MHD_OPTION_END, 0, NULL},
    };
    return MHD_start_daemon(
        flags, 0, NULL, NULL, http_on_request, http, MHD_OPTION_EXTERNAL_LOGGER, http_on_daemon_log,
        http, MHD_OPTION_ARRAY, options, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)MEMORY_PER_CONNECTION, MHD_OPTION_URI_LOG_CALLBACK, http_on_target, http,
        MHD_OPTION_NOTIFY_COMPLETED, http_on_completed, NULL, MHD_OPTION_NOTIFY_CONNECTION,
        http_on_connection, http, http->tls ? MHD_OPTION_HTTPS_PRIORITIES : MHD_OPTION_END,
        certificate_priorities, MHD_OPTION_HTTPS_CERT_CALLBACK, certificate_callback,
        MHD_OPTION_END);
}

static void http_on_closed(struct handles *handles)
{
    free(CONTAINER_OF(handles, struct http, handles));
}

static void http_watch_daemon(struct http *http)
{
    int epoll = MHD_get_daemon_info(http->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
    int failed = uv_poll_init(http->loop, &http->poll, epoll);
    assert(failed == 0);
    failed = uv_timer_init(http->loop, &http->again);
    failed |= uv_timer_init(http->loop, &http->crowded);
    failed |= uv_prepare_init(http->loop, &http->prepare);
    failed |= uv_prepare_start(&http->prepare, http_before_wait);
    assert(failed == 0);
    http->poll.data = http->again.data = http->crowded.data = http->prepare.data = http;
    failed = uv_poll_start(&http->poll, UV_READABLE, http_on_poll);
    assert(failed == 0);
    deadline_queue_open(&http->headers, http->loop, (struct duration){.ms = HEADER_LIMIT_MS},
                        http_shut_down);
    deadline_queue_open(&http->idle, http->loop, (struct duration){.ms = IDLE_LIMIT_MS},
                        http_shut_down);
    http->handles = (struct handles){.open = 6, .all_closed = http_on_closed};
}

struct http *http_start(uv_loop_t *loop, enum listener listener, int listening,
                        struct service *service, struct error *error)
{
    struct http *http = memory_new(sizeof *http);
    http->loop = loop;
    http->service = service;
    http->listener = listener;
    http->connections_max = http_share(http, http_connection_limit(service));
    http->tls = service->config->certificate != NULL;
    http->daemon = http_start_daemon(http, listening);
    if (http->daemon == NULL) {
        (void)error_set(error, "cannot start the HTTP server");
        free(http);
        return NULL;
    }
    proxy_header_await(listening);
    http_watch_daemon(http);
    return http;
}

void http_end(struct http *http)
{
    MHD_socket listening = MHD_quiesce_daemon(http->daemon);
    (void)http_run(http);
    handles_close(&http->handles, &http->prepare);
    handles_close(&http->handles, &http->poll);
    handles_close(&http->handles, &http->again);
    handles_close(&http->handles, &http->crowded);
    MHD_stop_daemon(http->daemon);
    prebuilt_clear(&http->prebuilt);
    if (listening != MHD_INVALID_SOCKET)
        close(listening);
    deadline_queue_close(&http->headers, &http->handles);
    deadline_queue_close(&http->idle, &http->handles);
}
