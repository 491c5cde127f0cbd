// See prober_process.h. One heap object an incarnation, freed when its last handle is closed: an
// event that comes late finds an object whose owner is NULL, never the next incarnation's.
#include "server/probing/prober_process.h"

#include "common/memory.h"
#include "common/program_path.h"
#include "server/base/container_of.h"
#include "server/base/handles.h"

#include <assert.h>
#include <errno.h>
#include <linux/sockios.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    UNENDED_MAX = 4,  // of an owner's, killed or told to end: no more are started beside so many
    UNENDED_MS = 1000 // after SIGKILL, by when any process ends that can
};

struct prober_process {
    struct child child;
    uv_poll_t poll;
    uv_timer_t grace;
    enum engine engine;
    int socket; // -1: closed
    struct process_times times;
    struct cpu_time before; // what the supervisor had used when it was asked; once the process is
                            // there: what it used for that
    struct handles handles;
    bool started; // it is there
    bool replied; // ever
    bool closed;  // it has closed its end, as by its death
    const struct prober_process_events *events;
    void *owner;            // NULL: no more events
    const void *started_by; // its owner at first, only to tell it from others
};

static void prober_process_on_closed(struct handles *handles)
{
    struct prober_process *process = CONTAINER_OF(handles, struct prober_process, handles);
    process_times_close(&process->times);
    free(process);
}

static void prober_process_close_socket(struct prober_process *process)
{
    if (process->socket < 0)
        return;
    handles_close(&process->handles, &process->poll);
    close(process->socket);
    process->socket = -1;
}

static void prober_process_close_all(struct prober_process *process)
{
    supervisor_forget(&process->child);
    prober_process_close_socket(process);
    handles_close(&process->handles, &process->grace);
}

// It is still told when it ends, but the loop's end does not wait for that any longer.
static void prober_process_on_unended(uv_timer_t *timer)
{
    struct prober_process *process = timer->data;
    supervisor_wait_no_more(&process->child);
}

static void prober_process_kill_child(struct prober_process *process)
{
    if (process->child.supervisor == NULL)
        return;
    supervisor_kill(&process->child);
    (void)uv_timer_start(&process->grace, prober_process_on_unended, UNENDED_MS, 0);
}

static void prober_process_tell_death(struct prober_process *process, const char *how)
{
    void *owner = process->owner;
    process->owner = NULL;
    if (owner != NULL)
        process->events->died(owner, how);
}

static struct cpu_time prober_process_supervisor_cpu(const struct prober_process *process)
{
    struct cpu_time cpu = {0};
    if (process->child.supervisor != NULL)
        (void)cpu_time_read(supervisor_times(process->child.supervisor), &cpu);
    return cpu;
}

// Until it is there, what the supervisor does may be for it.
static struct cpu_time prober_process_cpu_before(const struct prober_process *process)
{
    return cpu_time_subtract(prober_process_supervisor_cpu(process), process->before);
}

static void prober_process_on_started(struct child *child, int error, struct process_times times)
{
    struct prober_process *process = CONTAINER_OF(child, struct prober_process, child);
    char how[128];
    process->started = error == 0;
    if (process->started) {
        process->before = prober_process_cpu_before(process);
        process->times = times;
        return;
    }
    (void)snprintf(how, sizeof how, "cannot start %s: %s", program_of_prober(process->engine),
                   strerror(error));
    prober_process_tell_death(process, how);
    prober_process_close_all(process);
}

static void prober_process_on_ended(struct child *child, int status)
{
    struct prober_process *process = CONTAINER_OF(child, struct prober_process, child);
    char how[64];
    if (WIFSIGNALED(status))
        (void)snprintf(how, sizeof how, "ended by signal %d", WTERMSIG(status));
    else
        (void)snprintf(how, sizeof how, "exited with status %d", WEXITSTATUS(status));
    if (process->owner != NULL)
        prober_process_receive(process);
    prober_process_tell_death(process, status == 0 ? NULL : how);
    prober_process_close_all(process);
}

// One message. False once there is nothing to read now.
static bool prober_process_receive_one(struct prober_process *process)
{
    unsigned char bytes[WIRE_MAX];
    struct reply reply;
    ssize_t length = recv(process->socket, bytes, sizeof bytes, MSG_DONTWAIT);
    if (length < 0 && (errno == EINTR || errno == EAGAIN))
        return errno == EINTR;
    if (length <= 0) {
        // The prober's end is closed. Its exit, told or forced, reports the death.
        process->closed = true;
        (void)uv_poll_stop(&process->poll);
        prober_process_kill_child(process);
        return false;
    }
    if (!reply_decode(bytes, (size_t)length, &reply)) {
        (void)uv_poll_stop(&process->poll);
        prober_process_kill_child(process);
        prober_process_tell_death(process, "sent a message that is no reply");
        return false;
    }
    process->replied = true;
    process->events->replied(process->owner, &reply);
    reply_free(&reply);
    return true;
}

void prober_process_receive(struct prober_process *process)
{
    while (process->owner != NULL && process->socket >= 0 && prober_process_receive_one(process))
        continue;
}

// One message a turn, for a call has one reply and a second look would find nothing. The loop comes
// back for what is left.
static void prober_process_on_readable(uv_poll_t *poll, int status, int events)
{
    struct prober_process *process = poll->data;
    (void)status;
    (void)events;
    if (process->owner != NULL)
        (void)prober_process_receive_one(process);
}

static void prober_process_on_grace_over(uv_timer_t *timer)
{
    prober_process_kill_child(timer->data);
}

static void prober_process_init_handles(uv_loop_t *loop, struct prober_process *process)
{
    process->poll.data = process->grace.data = process;
    int failed = uv_timer_init(loop, &process->grace);
    assert(failed == 0);
    failed = uv_poll_init_socket(loop, &process->poll, process->socket);
    assert(failed == 0);
    failed = uv_poll_start(&process->poll, UV_READABLE | UV_DISCONNECT, prober_process_on_readable);
    assert(failed == 0);
    process->handles = (struct handles){.open = 2, .all_closed = prober_process_on_closed};
}

// --- all of a supervisor's

static const struct child_events child_events = {.started = prober_process_on_started,
                                                 .ended = prober_process_on_ended};

// SIGKILL does not end a process that waits in the kernel for something, like a file of a server
// that is gone, and each holds memory that is counted as ours.
static bool prober_process_too_many_have_not_ended(const struct supervisor *supervisor,
                                                   const void *owner)
{
    unsigned count = 0;
    struct child *child = supervisor_first(supervisor);
    for (; child != NULL; child = supervisor_next(child))
        count += CONTAINER_OF(child, struct prober_process, child)->started_by == owner;
    return count >= UNENDED_MAX;
}

void prober_process_forget_unended(struct supervisor *supervisor)
{
    struct child *child;
    while ((child = supervisor_first(supervisor)) != NULL)
        prober_process_close_all(CONTAINER_OF(child, struct prober_process, child));
}

// --- from outside

// Its socket for us; a prober with the other end has been asked for. -1 if that cannot be.
static int prober_process_ask(struct prober_process *process, struct supervisor *supervisor,
                              struct error *error)
{
    int sockets[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) != 0) {
        (void)error_set(error, "no socket for a prober: %s", strerror(errno));
        return -1;
    }
    bool asked = supervisor_start(supervisor, &process->child, process->engine, sockets[1],
                                  &child_events, error);
    close(sockets[1]);
    if (asked)
        return sockets[0];
    close(sockets[0]);
    return -1;
}

struct prober_process *prober_process_start(struct supervisor *supervisor, enum engine engine,
                                            const struct prober_process_events *events, void *owner,
                                            struct error *error)
{
    if (prober_process_too_many_have_not_ended(supervisor, owner)) {
        (void)error_set(error, "%d earlier ones have been killed and do not end", UNENDED_MAX);
        return NULL;
    }
    struct prober_process *process = memory_new(sizeof *process);
    *process = (struct prober_process){.engine = engine,
                                       .times = process_times_none,
                                       .events = events,
                                       .owner = owner,
                                       .started_by = owner};
    process->socket = prober_process_ask(process, supervisor, error);
    if (process->socket < 0) {
        free(process);
        return NULL;
    }
    process->before = prober_process_supervisor_cpu(process);
    prober_process_init_handles(supervisor_loop(supervisor), process);
    return process;
}

bool prober_process_send(struct prober_process *process, const struct call *call)
{
    unsigned char bytes[WIRE_MAX];
    size_t length = call_encode(call, bytes);
    assert(length > 0); // a check file's statement is bounded
    if (process->socket < 0)
        return false;
    if (send(process->socket, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)length)
        return true;
    return errno == EPIPE && !process->started; // the supervisor will say why it is not there
}

// What the other end has not read counts as ours: ioctl_tty(2), and af_unix.c for this kind of
// socket.
static bool prober_process_has_taken_call(const struct prober_process *process)
{
    int unread;
    return process->socket >= 0 && (ioctl(process->socket, SIOCOUTQ, &unread) != 0 || unread == 0);
}

bool prober_process_has_asked(const struct prober_process *process)
{
    return process->replied || (process->started && prober_process_has_taken_call(process));
}

bool prober_process_asks(const struct prober_process *process)
{
    return !process->closed && prober_process_has_asked(process) &&
           !cpu_is_withheld(&process->times);
}

void prober_process_kill(struct prober_process *process)
{
    process->owner = NULL;
    prober_process_close_socket(process);
    prober_process_kill_child(process);
}

void prober_process_end(struct prober_process *process, struct duration grace)
{
    process->owner = NULL;
    prober_process_close_socket(process);
    if (process->child.supervisor != NULL)
        (void)uv_timer_start(&process->grace, prober_process_on_grace_over, (uint64_t)grace.ms, 0);
}

struct cpu_time prober_process_cpu(const struct prober_process *process)
{
    struct cpu_time own = {0};
    if (!process->started)
        return prober_process_cpu_before(process);
    (void)cpu_time_read(&process->times, &own);
    return cpu_time_add(process->before, own);
}

bool prober_process_is_ready(const struct prober_process *process)
{
    if (process->started)
        return cpu_is_wanted(&process->times);
    return process->child.supervisor != NULL &&
           cpu_is_wanted(supervisor_times(process->child.supervisor));
}
