// See prober_process.h. One heap object an incarnation, freed when its last handle is closed: an
// event that comes late finds an object whose owner is NULL, never the next incarnation's.
//
// The process is our child, but libuv did not start it, so it is reaped here. Its id is known only
// once it has been made: a kill that comes earlier is carried out then.
#include "server/probing/prober_process.h"

#include "common/memory.h"
#include "server/base/container_of.h"
#include "server/base/handles.h"

#include <assert.h>
#include <errno.h>
#include <linux/sockios.h>
#include <signal.h>
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
    uv_signal_t child; // SIGCHLD; closed once the process has been reaped
    uv_poll_t poll;
    uv_timer_t grace;
    struct fork_server *server; // while there is an owner
    struct birth birth;
    pid_t pid;  // 0: not known yet
    int socket; // -1: closed
    int schedstat;
    struct handles handles;
    bool replied; // ever
    bool killed;  // or to be, once it is there
    bool reaped;  // its process id may be another's by now
    const struct prober_process_events *events;
    void *owner;            // NULL: no more events
    const void *started_by; // its owner at first, only to tell it from others
};

static void prober_process_on_closed(struct handles *handles)
{
    struct prober_process *process = CONTAINER_OF(handles, struct prober_process, handles);
    if (process->schedstat >= 0)
        close(process->schedstat);
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

// It is still reaped when it ends, but the loop's end does not wait for it any longer.
static void prober_process_on_unended(uv_timer_t *timer)
{
    struct prober_process *process = timer->data;
    uv_unref((uv_handle_t *)&process->child);
}

static void prober_process_close_all(struct prober_process *process)
{
    process->reaped = true;
    prober_process_close_socket(process);
    handles_close(&process->handles, &process->child);
    handles_close(&process->handles, &process->grace);
}

static void prober_process_kill_child(struct prober_process *process)
{
    process->killed = true;
    if (process->reaped)
        return;
    if (process->pid > 0) {
        (void)kill(process->pid, SIGKILL);
    } else if (fork_server_call_off(&process->birth)) {
        prober_process_close_all(process);
        return;
    } else {
        fork_server_give_up(&process->birth); // which may end it
    }
    if (!process->reaped)
        (void)uv_timer_start(&process->grace, prober_process_on_unended, UNENDED_MS, 0);
}

static void prober_process_tell_death(struct prober_process *process, const char *how)
{
    void *owner = process->owner;
    process->owner = NULL;
    if (owner != NULL)
        process->events->died(owner, how);
}

static void prober_process_report_end(struct prober_process *process, const char *how)
{
    process->reaped = true;
    if (process->owner != NULL)
        prober_process_receive(process);
    prober_process_tell_death(process, how);
    prober_process_close_all(process);
}

// A crash may be somebody's try at the memory layout or the stack canary, which the next prober
// would have too. What nobody but the kernel or an administrator sends is none.
static bool prober_process_is_crash(int status)
{
    return WIFSIGNALED(status) && WTERMSIG(status) != SIGKILL;
}

static void prober_process_reap(struct prober_process *process)
{
    char how[64];
    int status = 0;
    pid_t found = waitpid(process->pid, &status, WNOHANG);
    if (found == 0)
        return;
    if (process->owner != NULL && prober_process_is_crash(status))
        fork_server_renew(process->server);
    if (found < 0)
        (void)snprintf(how, sizeof how, "ended");
    else if (WIFSIGNALED(status))
        (void)snprintf(how, sizeof how, "ended by signal %d", WTERMSIG(status));
    else
        (void)snprintf(how, sizeof how, "exited with status %d", WEXITSTATUS(status));
    prober_process_report_end(process, how);
}

static void prober_process_on_child(uv_signal_t *child, int number)
{
    struct prober_process *process = child->data;
    (void)number;
    if (process->pid > 0 && !process->reaped)
        prober_process_reap(process);
}

static void prober_process_take_id(struct prober_process *process, pid_t pid)
{
    process->pid = pid;
    process->schedstat = cpu_time_open(pid);
}

// The SIGCHLD of its end may have come before.
static void prober_process_on_born(struct birth *birth, pid_t pid)
{
    struct prober_process *process = CONTAINER_OF(birth, struct prober_process, birth);
    prober_process_take_id(process, pid);
    if (process->killed)
        prober_process_kill_child(process);
    prober_process_reap(process);
}

static void prober_process_on_not_born(struct birth *birth, const char *how)
{
    prober_process_report_end(CONTAINER_OF(birth, struct prober_process, birth), how);
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
    fork_server_look(&process->birth);
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
    process->child.data = process->poll.data = process->grace.data = process;
    int failed = uv_timer_init(loop, &process->grace);
    assert(failed == 0);
    failed = uv_signal_init(loop, &process->child);
    assert(failed == 0);
    failed = uv_signal_start(&process->child, prober_process_on_child, SIGCHLD);
    assert(failed == 0);
    failed = uv_poll_init_socket(loop, &process->poll, process->socket);
    assert(failed == 0);
    failed = uv_poll_start(&process->poll, UV_READABLE | UV_DISCONNECT, prober_process_on_readable);
    assert(failed == 0);
    process->handles = (struct handles){.open = 3, .all_closed = prober_process_on_closed};
}

// --- all of a loop's

// The object of a handle, or NULL if the handle is none of a process that has not been reaped.
static struct prober_process *prober_process_of_handle(const uv_handle_t *handle)
{
    bool is_one = handle->type == UV_SIGNAL && !uv_is_closing(handle) &&
                  ((const uv_signal_t *)handle)->signal_cb == prober_process_on_child;
    return is_one ? handle->data : NULL;
}

struct census {
    const void *owner;
    pid_t pid;
    unsigned of_owner;
    unsigned of_pid;
};

static void prober_process_count(uv_handle_t *handle, void *context)
{
    struct census *census = context;
    const struct prober_process *process = prober_process_of_handle(handle);
    if (process == NULL)
        return;
    census->of_owner += process->started_by == census->owner;
    census->of_pid += process->pid == census->pid;
}

bool prober_process_has_id(uv_loop_t *loop, pid_t pid)
{
    struct census census = {.pid = pid};
    uv_walk(loop, prober_process_count, &census);
    return census.of_pid > 0;
}

bool prober_process_awaits_id(uv_loop_t *loop)
{
    return prober_process_has_id(loop, 0);
}

// SIGKILL does not end a process that waits in the kernel for something, like a file of a server
// that is gone, and each holds memory that is counted as ours.
static bool prober_process_too_many_have_not_ended(uv_loop_t *loop, const void *owner)
{
    struct census census = {.owner = owner};
    uv_walk(loop, prober_process_count, &census);
    return census.of_owner >= UNENDED_MAX;
}

static void prober_process_forget(uv_handle_t *handle, void *context)
{
    struct prober_process *process = prober_process_of_handle(handle);
    (void)context;
    if (process != NULL)
        prober_process_close_all(process);
}

void prober_process_forget_unended(uv_loop_t *loop)
{
    uv_walk(loop, prober_process_forget, NULL);
    fork_server_forget_unended(loop);
    (void)uv_run(loop, UV_RUN_DEFAULT);
}

// --- from outside

struct prober_process *prober_process_start(struct fork_server *server,
                                            const struct prober_process_events *events, void *owner,
                                            struct error *error)
{
    static const struct birth_events birth_events = {.born = prober_process_on_born,
                                                     .failed = prober_process_on_not_born};
    int sockets[2];
    uv_loop_t *loop = fork_server_loop(server);
    if (prober_process_too_many_have_not_ended(loop, owner)) {
        (void)error_set(error, "%d earlier ones have been killed and do not end", UNENDED_MAX);
        return NULL;
    }
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) != 0) {
        (void)error_set(error, "no socket for a prober: %s", strerror(errno));
        return NULL;
    }
    struct prober_process *process = memory_new(sizeof *process);
    *process = (struct prober_process){.server = server,
                                       .socket = sockets[0],
                                       .schedstat = -1,
                                       .events = events,
                                       .owner = owner,
                                       .started_by = owner};
    prober_process_init_handles(loop, process);
    if (!fork_server_bear(server, &process->birth, sockets[1], &birth_events, error)) {
        prober_process_close_all(process);
        return NULL;
    }
    if (process->birth.pid > 0)
        prober_process_take_id(process, process->birth.pid);
    return process;
}

bool prober_process_send(struct prober_process *process, const struct call *call)
{
    unsigned char bytes[WIRE_MAX];
    size_t length = call_encode(call, bytes);
    assert(length > 0); // a check file's statement is bounded
    if (process->socket < 0)
        return false;
    return send(process->socket, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)length;
}

// What the other end has not read counts as ours: ioctl_tty(2), and af_unix.c for this kind of
// socket.
static bool prober_process_has_taken_call(const struct prober_process *process)
{
    int unread;
    if (process->replied)
        return true;
    return process->socket >= 0 && (ioctl(process->socket, SIOCOUTQ, &unread) != 0 || unread == 0);
}

bool prober_process_asks(const struct prober_process *process)
{
    return process->pid > 0 && prober_process_has_taken_call(process) &&
           !cpu_is_withheld(process->pid);
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
    if (process->reaped)
        return;
    if (process->pid == 0 && fork_server_call_off(&process->birth))
        prober_process_close_all(process);
    else
        (void)uv_timer_start(&process->grace, prober_process_on_grace_over, (uint64_t)grace.ms, 0);
}

struct cpu_time prober_process_cpu(const struct prober_process *process)
{
    struct cpu_time own = {0};
    (void)cpu_time_read(process->schedstat, &own);
    return cpu_time_add(birth_cpu(&process->birth), own);
}

bool prober_process_is_ready(const struct prober_process *process)
{
    return process->pid > 0 ? cpu_is_wanted(process->pid) : birth_is_ready(&process->birth);
}
