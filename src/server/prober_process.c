// See prober_process.h. One heap object an incarnation, freed when its last handle is closed: an
// event that comes late finds an object whose owner is NULL, never the next incarnation's.
#include "server/prober_process.h"

#include "common/memory.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    CHILD_SOCKET = 3, // the descriptor that a prober program finds its socket at
    UNENDED_MAX = 4,  // of an owner's, killed or told to end: no more are started beside so many
    UNENDED_MS = 1000 // after SIGKILL, by when any process ends that can
};

struct prober_process {
    uv_process_t child;
    uv_poll_t poll;
    uv_timer_t grace;
    int socket;
    int schedstat; // -1: not to be had
    unsigned open_handles;
    bool reaped; // its process id may be another's by now
    const struct prober_process_events *events;
    void *owner;            // NULL: no more events
    const void *started_by; // its owner at first, only to tell it from others
};

static void on_closed(uv_handle_t *handle)
{
    struct prober_process *process = handle->data;
    if (--process->open_handles > 0)
        return;
    if (process->schedstat >= 0)
        close(process->schedstat);
    free(process);
}

static void close_handle(void *handle)
{
    uv_handle_t *closing = handle;
    if (!uv_is_closing(closing))
        uv_close(closing, on_closed);
}

static void close_socket(struct prober_process *process)
{
    if (process->socket < 0)
        return;
    close_handle(&process->poll);
    close(process->socket);
    process->socket = -1;
}

// It is still reaped when it ends, but the loop's end does not wait for it any longer.
static void on_unended(uv_timer_t *timer)
{
    struct prober_process *process = timer->data;
    uv_unref((uv_handle_t *)&process->child);
}

static void kill_child(struct prober_process *process)
{
    if (process->reaped)
        return;
    (void)uv_process_kill(&process->child, SIGKILL);
    if (!uv_is_closing((uv_handle_t *)&process->grace))
        (void)uv_timer_start(&process->grace, on_unended, UNENDED_MS, 0);
}

static void tell_death(struct prober_process *process, const char *how)
{
    void *owner = process->owner;
    process->owner = NULL;
    if (owner != NULL)
        process->events->died(owner, how);
}

static void on_exit_of(uv_process_t *child, int64_t status, int signal)
{
    struct prober_process *process = child->data;
    char how[64];
    process->reaped = true;
    if (process->owner != NULL)
        prober_process_receive(process);
    if (signal != 0)
        (void)snprintf(how, sizeof how, "ended by signal %d", signal);
    else
        (void)snprintf(how, sizeof how, "exited with status %lld", (long long)status);
    tell_death(process, how);
    close_socket(process);
    close_handle(&process->child);
    close_handle(&process->grace);
}

// One message. False once there is nothing to read now.
static bool receive_one(struct prober_process *process)
{
    unsigned char bytes[WIRE_MAX];
    struct reply reply;
    ssize_t length = recv(process->socket, bytes, sizeof bytes, MSG_DONTWAIT);
    if (length < 0 && (errno == EINTR || errno == EAGAIN))
        return errno == EINTR;
    if (length <= 0) {
        // The prober's end is closed. Its exit, told or forced, reports the death.
        (void)uv_poll_stop(&process->poll);
        kill_child(process);
        return false;
    }
    if (!reply_decode(bytes, (size_t)length, &reply)) {
        kill_child(process);
        tell_death(process, "sent a message that is no reply");
        return false;
    }
    process->events->replied(process->owner, &reply);
    reply_free(&reply);
    return true;
}

void prober_process_receive(struct prober_process *process)
{
    while (process->owner != NULL && process->socket >= 0 && receive_one(process))
        continue;
}

// One message a turn, for a call has one reply and a second look would find nothing. The loop comes
// back for what is left.
static void on_readable(uv_poll_t *poll, int status, int events)
{
    struct prober_process *process = poll->data;
    (void)status;
    (void)events;
    if (process->owner != NULL)
        (void)receive_one(process);
}

static void on_grace_over(uv_timer_t *timer)
{
    kill_child(timer->data);
}

static int spawn(uv_loop_t *loop, struct prober_process *process, const char *program, int socket)
{
    char *name = memory_string(program);
    char *arguments[] = {name, NULL};
    uv_stdio_container_t stdio[] = {
        {.flags = UV_IGNORE},
        {.flags = UV_IGNORE},
        {.flags = UV_INHERIT_FD, .data.fd = STDERR_FILENO},
        [CHILD_SOCKET] = {.flags = UV_INHERIT_FD, .data.fd = socket},
    };
    uv_process_options_t options = {.file = program,
                                    .args = arguments,
                                    .stdio = stdio,
                                    .stdio_count = sizeof stdio / sizeof *stdio,
                                    .exit_cb = on_exit_of};
    // Debian's libpq loads GnuTLS for LDAP, which it is never asked for: 70 kB and 7 % of the start.
    (void)setenv("GNUTLS_NO_IMPLICIT_INIT", "1", 1);
    int failed = uv_spawn(loop, &process->child, &options);
    free(name);
    return failed;
}

static void init_handles(uv_loop_t *loop, struct prober_process *process)
{
    process->child.data = process->poll.data = process->grace.data = process;
    int failed = uv_timer_init(loop, &process->grace);
    assert(failed == 0);
    failed = uv_poll_init_socket(loop, &process->poll, process->socket);
    assert(failed == 0);
    failed = uv_poll_start(&process->poll, UV_READABLE | UV_DISCONNECT, on_readable);
    assert(failed == 0);
    process->open_handles = 3;
}

struct census {
    const void *owner;
    unsigned unended;
};

static void count(uv_handle_t *handle, void *context)
{
    struct census *census = context;
    if (handle->type != UV_PROCESS || uv_is_closing(handle))
        return;
    const struct prober_process *process = handle->data;
    census->unended += process->started_by == census->owner;
}

// SIGKILL does not end a process that waits in the kernel for something, like a file of a server
// that is gone, and each holds memory that is counted as ours.
static bool too_many_have_not_ended(uv_loop_t *loop, const void *owner)
{
    struct census census = {.owner = owner};
    uv_walk(loop, count, &census);
    return census.unended >= UNENDED_MAX;
}

static int open_schedstat(int pid)
{
    char path[64];
    (void)snprintf(path, sizeof path, "/proc/%d/schedstat", pid);
    return open(path, O_RDONLY | O_CLOEXEC);
}

struct prober_process *prober_process_start(uv_loop_t *loop, const char *program,
                                            const struct prober_process_events *events, void *owner,
                                            struct error *error)
{
    int sockets[2];
    if (too_many_have_not_ended(loop, owner)) {
        (void)error_set(error, "%d earlier ones have been killed and do not end", UNENDED_MAX);
        return NULL;
    }
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) != 0) {
        (void)error_set(error, "no socket for a prober: %s", strerror(errno));
        return NULL;
    }
    struct prober_process *process = memory_new(sizeof *process);
    *process = (struct prober_process){.socket = sockets[0],
                                       .schedstat = -1,
                                       .events = events,
                                       .owner = owner,
                                       .started_by = owner};
    init_handles(loop, process);
    int failed = spawn(loop, process, program, sockets[1]);
    close(sockets[1]);
    if (failed != 0) {
        (void)error_set(error, "cannot start %.300s: %s", program, uv_strerror(failed));
        close_socket(process);
        close_handle(&process->child);
        close_handle(&process->grace);
        return NULL;
    }
    process->schedstat = open_schedstat(process->child.pid);
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

void prober_process_kill(struct prober_process *process)
{
    process->owner = NULL;
    close_socket(process);
    kill_child(process);
}

void prober_process_end(struct prober_process *process, struct duration grace)
{
    process->owner = NULL;
    close_socket(process);
    if (!uv_is_closing((uv_handle_t *)&process->grace))
        (void)uv_timer_start(&process->grace, on_grace_over, (uint64_t)grace.ms, 0);
}

static void forget(uv_handle_t *handle, void *context)
{
    (void)context;
    if (handle->type != UV_PROCESS)
        return;
    struct prober_process *process = handle->data;
    close_handle(&process->child);
    close_handle(&process->grace);
}

void prober_process_forget_unended(uv_loop_t *loop)
{
    uv_walk(loop, forget, NULL);
    (void)uv_run(loop, UV_RUN_DEFAULT);
}

struct cpu_time prober_process_cpu(const struct prober_process *process)
{
    char text[128];
    ssize_t length = -1;
    if (process->schedstat >= 0)
        length = pread(process->schedstat, text, sizeof text - 1, 0);
    if (length <= 0)
        return (struct cpu_time){0};
    text[length] = '\0';
    char *rest;
    int64_t used = strtoll(text, &rest, 10); // "ns on a CPU, ns waiting for one, slices"
    return (struct cpu_time){.used_ns = used, .waited_ns = strtoll(rest, NULL, 10)};
}

// The state is the letter after the name in parentheses: proc(5).
bool prober_process_is_ready(const struct prober_process *process)
{
    char path[64];
    char text[512];
    (void)snprintf(path, sizeof path, "/proc/%d/stat", process->child.pid);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return false;
    ssize_t length = read(file, text, sizeof text - 1);
    close(file);
    if (length <= 0)
        return false;
    text[length] = '\0';
    const char *end = strrchr(text, ')');
    return end != NULL && end[1] == ' ' && end[2] == 'R';
}
