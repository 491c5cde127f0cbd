// See supervisor.h. What it says is taken from the loop alone, one message a turn, so that nobody's
// state changes under him. What we say it takes at once as a rule; a request to kill that it does
// not take stays with the child, for a later turn. That we listen is told once more with the next
// request for a prober.
#include "server/probing/supervisor.h"

#include "common/memory.h"

#include <assert.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

LIST_HEAD(child_list, child);

struct supervisor {
    uv_poll_t poll;
    struct child_list children; // that have not ended
    unsigned awaited;           // how many of these
    uint32_t last_id;
    int listening[LISTENERS];
    bool listening_untold; // for want of the kernel's memory
    struct process_times times;
    supervisor_signalled *signalled;
    void *context;
};

// --- what it says

static struct process_times supervisor_take_times(struct control *message)
{
    struct process_times times = {.schedstat = message->files[CONTROL_FILE_SCHEDSTAT],
                                  .stat = message->files[CONTROL_FILE_STAT]};
    message->files[CONTROL_FILE_SCHEDSTAT] = message->files[CONTROL_FILE_STAT] = -1;
    return times;
}

static struct child *supervisor_find_child(const struct supervisor *supervisor, uint32_t id)
{
    struct child *child;
    LIST_FOREACH(child, &supervisor->children, link)
    {
        if (child->id == id)
            return child;
    }
    return NULL;
}

static void supervisor_take_start(struct child *child, struct control *message)
{
    int error = message->number;
    if (error != 0)
        supervisor_forget(child);
    child->events->started(child, error, supervisor_take_times(message));
}

static void supervisor_take_end(struct child *child, int status)
{
    supervisor_forget(child);
    child->events->ended(child, status);
}

static void supervisor_take(struct supervisor *supervisor, struct control *message)
{
    struct child *child = supervisor_find_child(supervisor, message->id);
    if (message->verb == CONTROL_SIGNAL)
        supervisor->signalled(supervisor->context, message->number);
    else if (message->verb == CONTROL_STARTED && child != NULL)
        supervisor_take_start(child, message);
    else if (message->verb == CONTROL_ENDED && child != NULL)
        supervisor_take_end(child, message->number);
    control_close_files(message);
}

// --- what we say

static bool supervisor_send(const struct control *message)
{
    return control_send(CONTROL_SOCKET, message) == CONTROL_SENT;
}

// True if it has been asked to; it has ended if it cannot be asked.
static bool supervisor_ask_to_kill(struct child *child)
{
    struct control request = control_of(CONTROL_KILL, child->id, 0);
    child->kill = control_send(CONTROL_SOCKET, &request) == CONTROL_FULL;
    return !child->kill;
}

static void supervisor_on_ready(uv_poll_t *poll, int status, int events);

static void supervisor_listen(struct supervisor *supervisor, bool untold)
{
    int events = UV_READABLE | UV_DISCONNECT | (untold ? UV_WRITABLE : 0);
    int failed = uv_poll_start(&supervisor->poll, events, supervisor_on_ready);
    assert(failed == 0);
}

static void supervisor_ask_again(struct supervisor *supervisor)
{
    struct child *child;
    bool untold = false;
    LIST_FOREACH(child, &supervisor->children, link)
    untold |= child->kill && !supervisor_ask_to_kill(child);
    supervisor_listen(supervisor, untold);
}

// Without it nobody would start a prober, or end one.
static void supervisor_on_ready(uv_poll_t *poll, int status, int events)
{
    struct supervisor *supervisor = poll->data;
    struct control message;
    (void)status;
    if (events & UV_WRITABLE)
        supervisor_ask_again(supervisor);
    switch (control_receive(CONTROL_SOCKET, CONTROL_OF_SUPERVISOR, &message)) {
    case CONTROL_TAKEN:
        supervisor_take(supervisor, &message);
        break;
    case CONTROL_NONE:
        break;
    case CONTROL_OVER:
    case CONTROL_BROKEN:
        _exit(EXIT_FAILURE);
    }
}

// --- life

// It may have died before PR_SET_PDEATHSIG took effect.
static bool supervisor_is_there(void)
{
    struct pollfd other = {.fd = CONTROL_SOCKET, .events = POLLRDHUP};
    return poll(&other, 1, 0) == 0 || (other.revents & (POLLRDHUP | POLLHUP | POLLNVAL)) == 0;
}

bool supervisor_find(struct supervisor **supervisor, struct beginning *beginning,
                     struct error *error)
{
    struct control message;
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    enum control_receiving receiving =
        control_receive(CONTROL_SOCKET, CONTROL_OF_SUPERVISOR, &message);
    bool found = receiving == CONTROL_TAKEN && message.verb == CONTROL_BEGIN;
    if (!found || !supervisor_is_there())
        return error_set(error, "this program is dbhealthd's to start, expected its socket");
    *supervisor = memory_new(sizeof **supervisor);
    LIST_INIT(&(*supervisor)->children);
    (*supervisor)->times = supervisor_take_times(&message);
    *beginning = (struct beginning){.crashes = message.id, .status = message.number};
    memcpy(beginning->listening, &message.files[CONTROL_FILE_SOCKET], sizeof beginning->listening);
    return true;
}

void supervisor_attach(struct supervisor *supervisor, uv_loop_t *loop,
                       supervisor_signalled *signalled, void *context)
{
    supervisor->signalled = signalled;
    supervisor->context = context;
    supervisor->poll.data = supervisor;
    int failed = uv_poll_init(loop, &supervisor->poll, CONTROL_SOCKET);
    assert(failed == 0);
    supervisor_listen(supervisor, false);
    uv_unref((uv_handle_t *)&supervisor->poll); // it holds no end up
}

static void supervisor_send_listening(struct supervisor *supervisor)
{
    struct control message = control_of(CONTROL_LISTENING, 0, 0);
    memcpy(&message.files[CONTROL_FILE_SOCKET], supervisor->listening,
           sizeof supervisor->listening);
    supervisor->listening_untold = !supervisor_send(&message);
}

void supervisor_tell_listening(struct supervisor *supervisor, const int listening[LISTENERS])
{
    memcpy(supervisor->listening, listening, sizeof supervisor->listening);
    supervisor_send_listening(supervisor);
}

static void supervisor_on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

void supervisor_detach(struct supervisor *supervisor)
{
    assert(LIST_EMPTY(&supervisor->children));
    process_times_close(&supervisor->times);
    uv_close((uv_handle_t *)&supervisor->poll, supervisor_on_closed);
}

uv_loop_t *supervisor_loop(const struct supervisor *supervisor)
{
    return supervisor->poll.loop;
}

const struct process_times *supervisor_times(const struct supervisor *supervisor)
{
    return &supervisor->times;
}

// --- children

bool supervisor_start(struct supervisor *supervisor, struct child *child, enum engine engine,
                      int socket, const struct child_events *events, struct error *error)
{
    if (supervisor->listening_untold)
        supervisor_send_listening(supervisor);
    if (++supervisor->last_id == 0) // which is none
        supervisor->last_id = 1;
    struct control request = control_of(CONTROL_START, supervisor->last_id, (int32_t)engine);
    request.files[CONTROL_FILE_SOCKET] = socket;
    if (!supervisor_send(&request))
        return error_set(error, "the supervisor takes no requests");
    *child = (struct child){
        .events = events, .supervisor = supervisor, .id = supervisor->last_id, .awaited = true};
    LIST_INSERT_HEAD(&supervisor->children, child, link);
    if (supervisor->awaited++ == 0)
        uv_ref((uv_handle_t *)&supervisor->poll);
    return true;
}

void supervisor_kill(struct child *child)
{
    if (child->supervisor != NULL && !supervisor_ask_to_kill(child))
        supervisor_listen(child->supervisor, true);
}

void supervisor_wait_no_more(struct child *child)
{
    if (!child->awaited)
        return;
    child->awaited = false;
    if (--child->supervisor->awaited == 0)
        uv_unref((uv_handle_t *)&child->supervisor->poll);
}

void supervisor_forget(struct child *child)
{
    if (child->supervisor == NULL)
        return;
    supervisor_wait_no_more(child);
    LIST_REMOVE(child, link);
    child->supervisor = NULL;
}

struct child *supervisor_first(const struct supervisor *supervisor)
{
    return LIST_FIRST(&supervisor->children);
}

struct child *supervisor_next(const struct child *child)
{
    return LIST_NEXT(child, link);
}
