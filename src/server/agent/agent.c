// See agent.h. A client sends the target of a request without its first '/', which `agent-send` of
// HAProxy has; one without it sends nothing and waits. A line that is late would come to a client
// that has been answered for another endpoint, as for readiness where it asks who is primary: so
// silence is long before it counts as the empty line.
//
// The decision to question: the answer is given by one write that may not wait. It is shorter than
// any socket's buffer, and a client that closes without reading it is not missed.
#include "server/agent/agent.h"

#include "common/memory.h"
#include "server/base/container_of.h"
#include "server/base/deadline.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum {
    LINE_ROOM = 1024,   // bytes of a line
    SILENCE_MS = 500,   // from connecting to what is the line then, if no line end has come
    IDLE_LEAST_MS = 100 // is anyone's before he has to make room
};

struct agent {
    uv_loop_t *loop;
    struct service *service;
    uv_tcp_t listener;
    uv_timer_t crowded;            // there may be one to close then
    struct deadline_queue silence; // of clients that have not sent a line
    unsigned clients;
    bool newcomer;          // waits until another has gone
    struct handles handles; // clients' among them
};

struct client {
    struct deadline_entry deadline;
    struct agent *agent;
    uv_tcp_t stream;
    struct request *request; // NULL: the line has not come
    size_t length;
    char line[1 + LINE_ROOM + 1]; // begins with a '/' that is ours
};

// --- the end of a client

static void agent_on_client(uv_stream_t *listener, int status);

static void agent_on_closed(uv_handle_t *stream)
{
    struct client *client = CONTAINER_OF(stream, struct client, stream);
    struct agent *agent = client->agent;
    request_free(client->request);
    free(client);
    agent->clients--;
    if (agent->newcomer && !uv_is_closing((uv_handle_t *)&agent->listener)) {
        agent->newcomer = false;
        agent_on_client((uv_stream_t *)&agent->listener, 0);
    }
    if (--agent->handles.open == 0)
        agent->handles.all_closed(&agent->handles);
}

static void agent_close(struct client *client)
{
    deadline_disarm(&client->agent->silence, &client->deadline);
    if (!uv_is_closing((uv_handle_t *)&client->stream))
        uv_close((uv_handle_t *)&client->stream, agent_on_closed);
}

static int agent_socket(const struct client *client)
{
    uv_os_fd_t socket;
    int failed = uv_fileno((const uv_handle_t *)&client->stream, &socket);
    assert(failed == 0);
    return socket;
}

// What is left unread when a socket is closed takes back what was written to it.
static void agent_read_rest(const struct client *client)
{
    char rest[4 * LINE_ROOM];
    (void)recv(agent_socket(client), rest, sizeof rest, MSG_DONTWAIT);
}

static void agent_on_answered(struct request *request)
{
    struct client *client = request->asker;
    const struct answer *answer = &request->answer;
    uv_buf_t line = uv_buf_init(answer->body, (unsigned)answer->length);
    (void)uv_try_write((uv_stream_t *)&client->stream, &line, 1);
    agent_read_rest(client);
    agent_close(client);
}

// --- its line

// What came after the end of the line is nothing. A '/' of the client's own is as good as ours.
static const char *agent_target(struct client *client)
{
    char *line = client->line + 1;
    line[client->length] = '\0';
    line[strcspn(line, "\r\n")] = '\0';
    return line[0] == '/' ? line : client->line;
}

static bool agent_has_line(const struct client *client)
{
    const char *line = client->line + 1;
    return memchr(line, '\n', client->length) != NULL || memchr(line, '\r', client->length) != NULL;
}

static void agent_take_line(struct client *client)
{
    struct agent *agent = client->agent;
    bool cut = client->length == LINE_ROOM && !agent_has_line(client);
    deadline_disarm(&agent->silence, &client->deadline);
    (void)uv_read_stop((uv_stream_t *)&client->stream);
    client->request = request_new(agent->service, agent_target(client), client, agent_on_answered);
    client->request->may_have_details =
        service_tells_details(agent->service, LISTENER_AGENT, false);
    request_parse_line(client->request);
    if (cut)
        request_reply_words(client->request, 400, "the line is too long", -1);
    else
        answer_request(client->request);
}

static void agent_on_room(uv_handle_t *stream, size_t wanted, uv_buf_t *room)
{
    struct client *client = CONTAINER_OF(stream, struct client, stream);
    (void)wanted;
    *room = uv_buf_init(client->line + 1 + client->length, (unsigned)(LINE_ROOM - client->length));
}

static void agent_on_read(uv_stream_t *stream, ssize_t length, const uv_buf_t *buffer)
{
    struct client *client = CONTAINER_OF(stream, struct client, stream);
    (void)buffer;
    if (length < 0 && length != UV_EOF) {
        agent_close(client);
        return;
    }
    client->length += length > 0 ? (size_t)length : 0;
    if (length == UV_EOF || client->length == LINE_ROOM || agent_has_line(client))
        agent_take_line(client);
}

// It may have come while we were held up.
static void agent_on_silence(struct deadline_queue *queue, struct deadline_entry *entry)
{
    struct client *client = CONTAINER_OF(entry, struct client, deadline);
    (void)queue;
    ssize_t length = recv(agent_socket(client), client->line + 1 + client->length,
                          LINE_ROOM - client->length, MSG_DONTWAIT);
    client->length += length > 0 ? (size_t)length : 0;
    agent_take_line(client);
}

// --- its beginning

static void agent_on_crowded(uv_timer_t *timer);

// The one that has been silent for longest goes, but not before it had time to say something.
static void agent_make_room(struct agent *agent)
{
    struct deadline_entry *first = deadline_first(&agent->silence);
    if (agent->clients < AGENT_CLIENTS_MAX || first == NULL)
        return;
    struct instant due =
        instant_add(first->at, (struct duration){.ms = IDLE_LEAST_MS - SILENCE_MS});
    if (instant_before(instant_now(), due))
        deadline_start_timer(&agent->crowded, due, agent_on_crowded);
    else
        agent_close(CONTAINER_OF(first, struct client, deadline));
}

static void agent_on_crowded(uv_timer_t *timer)
{
    struct agent *agent = timer->data;
    if (agent->newcomer)
        agent_make_room(agent);
}

// One that is not accepted keeps libuv from taking more, until another has gone.
static void agent_on_client(uv_stream_t *listener, int status)
{
    struct agent *agent = listener->data;
    if (status != 0)
        return;
    if (agent->clients == AGENT_CLIENTS_MAX) {
        agent->newcomer = true;
        agent_make_room(agent);
        return;
    }
    struct client *client = memory_new(sizeof *client);
    client->agent = agent;
    client->line[0] = '/';
    agent->clients++;
    agent->handles.open++;
    int failed = uv_tcp_init(agent->loop, &client->stream);
    assert(failed == 0);
    deadline_arm(&agent->silence, &client->deadline);
    if (uv_accept(listener, (uv_stream_t *)&client->stream) != 0 ||
        uv_read_start((uv_stream_t *)&client->stream, agent_on_room, agent_on_read) != 0)
        agent_close(client);
}

// --- all of it

static void agent_on_all_closed(struct handles *handles)
{
    free(CONTAINER_OF(handles, struct agent, handles));
}

struct agent *agent_start(uv_loop_t *loop, int listening, struct service *service)
{
    struct agent *agent = memory_new(sizeof *agent);
    agent->loop = loop;
    agent->service = service;
    agent->handles = (struct handles){.open = 3, .all_closed = agent_on_all_closed};
    deadline_queue_open(&agent->silence, loop, (struct duration){.ms = SILENCE_MS},
                        agent_on_silence);
    int failed = uv_timer_init(loop, &agent->crowded);
    failed |= uv_tcp_init(loop, &agent->listener);
    failed |= uv_tcp_open(&agent->listener, listening);
    failed |= uv_listen((uv_stream_t *)&agent->listener, SOMAXCONN, agent_on_client);
    assert(failed == 0);
    agent->crowded.data = agent->listener.data = agent;
    return agent;
}

void agent_end(struct agent *agent)
{
    struct deadline_entry *first;
    if (agent == NULL)
        return;
    while ((first = deadline_first(&agent->silence)) != NULL)
        agent_close(CONTAINER_OF(first, struct client, deadline));
    handles_close(&agent->handles, &agent->listener);
    handles_close(&agent->handles, &agent->crowded);
    deadline_queue_close(&agent->silence, &agent->handles);
}
