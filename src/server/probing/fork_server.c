// See fork_server.h. In dbhealthd; what happens at the other end stands in prober/fork_server.c.
// One heap object an incarnation of the process, freed when its last handle is closed. It makes one
// child at a time; other births wait here, so that they can go to the next incarnation.
//
// The decision to question: the control socket of one that has been killed is read to its end. Its
// child answers for itself, perhaps later than that, and must be reaped. Only the end of the
// control socket says that there is none.
//
// Where the kernel has no way to make a child ours (gVisor, qemu's user mode), the program is
// started anew for each prober, by ourselves: that is slower, and a prober is there at once.
#include "server/probing/fork_server.h"

#include "common/handover.h"
#include "common/instant.h"
#include "common/memory.h"
#include "server/base/container_of.h"
#include "server/base/deadline.h"
#include "server/base/handles.h"
#include "server/base/log.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    UNENDED_MS = 1000, // after SIGKILL, by when any process ends that can
    START_MS = 5000 // by when one that is slow to start, as from a cold disk, has begun to answer
};

TAILQ_HEAD(birth_list, birth);
LIST_HEAD(incarnation_list, incarnation);

struct fork_server {
    uv_loop_t *loop;
    char *program;
    unsigned holders;
    bool execs;                  // each prober; there is no current incarnation any more
    struct incarnation *current; // NULL: none is up
    struct incarnation_list all;
    struct birth_list waiting;
};

struct incarnation {
    LIST_ENTRY(incarnation) link;
    struct fork_server *server; // NULL: it has been freed
    uv_process_t child;
    uv_poll_t poll;
    uv_timer_t patience; // with its start, or with its end
    struct handles handles;
    char *program;
    struct birth *birth; // under way
    int control;         // -1: closed
    int schedstat;
    struct cpu_time cpu; // when last looked at
    struct instant started;
    bool answered; // ever
    bool expected; // its end
    bool ended;
    char how[64]; // once it has ended
};

// --- CPU time

static struct cpu_time fork_server_cpu_of(struct incarnation *incarnation)
{
    (void)cpu_time_read(incarnation->schedstat, &incarnation->cpu);
    return incarnation->cpu;
}

static void fork_server_join(struct birth *birth, struct incarnation *incarnation)
{
    birth->by = incarnation;
    birth->before = fork_server_cpu_of(incarnation);
}

static void fork_server_leave(struct birth *birth)
{
    birth->spent = birth_cpu(birth);
    birth->by = NULL;
}

struct cpu_time birth_cpu(const struct birth *birth)
{
    if (birth->by == NULL)
        return birth->spent;
    return cpu_time_add(birth->spent,
                        cpu_time_subtract(fork_server_cpu_of(birth->by), birth->before));
}

bool birth_is_ready(const struct birth *birth)
{
    return birth->by != NULL && !birth->by->ended && cpu_is_wanted(birth->by->child.pid);
}

// --- the end of an incarnation

static void fork_server_on_closed(struct handles *handles)
{
    struct incarnation *incarnation = CONTAINER_OF(handles, struct incarnation, handles);
    if (incarnation->schedstat >= 0)
        close(incarnation->schedstat);
    free(incarnation->program);
    free(incarnation);
}

static void fork_server_close_control(struct incarnation *incarnation)
{
    if (incarnation->control < 0)
        return;
    handles_close(&incarnation->handles, &incarnation->poll);
    close(incarnation->control);
    incarnation->control = -1;
}

static void fork_server_close_all(struct incarnation *incarnation)
{
    fork_server_close_control(incarnation);
    handles_close(&incarnation->handles, &incarnation->child);
    handles_close(&incarnation->handles, &incarnation->patience);
}

// No more births for this one.
static void fork_server_retire(struct incarnation *incarnation)
{
    struct fork_server *server = incarnation->server;
    struct birth *birth;
    if (server == NULL || server->current != incarnation)
        return;
    server->current = NULL;
    TAILQ_FOREACH(birth, &server->waiting, link)
        fork_server_leave(birth);
}

// It is still reaped when it ends, but the loop's end does not wait for it any longer.
static void fork_server_on_unended(uv_timer_t *timer)
{
    struct incarnation *incarnation = timer->data;
    uv_unref((uv_handle_t *)&incarnation->child);
    uv_unref((uv_handle_t *)&incarnation->poll);
}

static void fork_server_kill_incarnation(struct incarnation *incarnation)
{
    fork_server_retire(incarnation);
    if (!incarnation->ended)
        (void)uv_process_kill(&incarnation->child, SIGKILL);
    (void)uv_timer_start(&incarnation->patience, fork_server_on_unended, UNENDED_MS, 0);
}

static struct birth *fork_server_take_birth(struct incarnation *incarnation)
{
    struct birth *birth = incarnation->birth;
    incarnation->birth = NULL;
    if (birth != NULL)
        fork_server_leave(birth);
    return birth;
}

static void fork_server_tell_born(struct birth *birth, pid_t pid)
{
    close(birth->socket);
    birth->events->born(birth, pid);
}

static void fork_server_tell_failed(struct birth *birth, const char *how)
{
    close(birth->socket);
    birth->events->failed(birth, how);
}

static void fork_server_fail(struct incarnation *incarnation, const char *how)
{
    struct birth *birth = fork_server_take_birth(incarnation);
    if (birth != NULL)
        fork_server_tell_failed(birth, how);
}

static void fork_server_pump(struct fork_server *server);

// Once it has ended, and nothing more can come from a child of its.
static void fork_server_finish(struct incarnation *incarnation)
{
    struct fork_server *server = incarnation->server;
    fork_server_close_all(incarnation);
    if (server != NULL) {
        LIST_REMOVE(incarnation, link);
        fork_server_hold(server);
    }
    fork_server_fail(incarnation, incarnation->how);
    if (server == NULL)
        return;
    fork_server_pump(server);
    fork_server_release(server);
}

// --- answers

// Of processes or memory: who starts the program anew would have none, either.
static bool fork_server_is_shortage(int error)
{
    return error == EAGAIN || error == ENOMEM;
}

// The birth goes back, to be made another way. The answer may be one of an earlier incarnation.
static void fork_server_exec_from_now_on(struct fork_server *server, struct birth *birth, int error)
{
    if (!server->execs)
        LOG_EVENT(LOG_WARN, "probers cannot be forked", LOG_TEXT("how", strerror(error)));
    server->execs = true;
    fork_server_renew(server);
    birth->server = server;
    TAILQ_INSERT_HEAD(&server->waiting, birth, link);
    fork_server_pump(server);
}

static void fork_server_on_answer(struct incarnation *incarnation,
                                  const struct handover_answer *answer)
{
    struct birth *birth = fork_server_take_birth(incarnation);
    incarnation->answered = true;
    char how[400];
    (void)snprintf(how, sizeof how, "cannot start %.300s: %s", incarnation->program,
                   strerror(answer->error));
    if (answer->pid > 0)
        fork_server_tell_born(birth, answer->pid);
    else if (incarnation->server == NULL || fork_server_is_shortage(answer->error))
        fork_server_tell_failed(birth, how);
    else
        fork_server_exec_from_now_on(incarnation->server, birth, answer->error);
    bool retired = incarnation->server == NULL || incarnation->server->current != incarnation;
    if (retired)
        fork_server_kill_incarnation(incarnation);
    else
        fork_server_pump(incarnation->server);
}

// False once there is nothing to read now.
static bool fork_server_read_one(struct incarnation *incarnation)
{
    struct handover_answer answer;
    enum handover_reading reading = handover_read(incarnation->control, &answer);
    if (reading == READING_ANSWER && incarnation->birth == NULL)
        reading = READING_BROKEN;
    if (reading == READING_ANSWER)
        fork_server_on_answer(incarnation, &answer);
    if (reading == READING_BROKEN || reading == READING_OVER) {
        fork_server_close_control(incarnation);
        fork_server_kill_incarnation(incarnation);
    }
    if (reading == READING_BROKEN)
        fork_server_fail(incarnation, "sent a message that is no reply");
    return reading == READING_ANSWER;
}

static void fork_server_read_all(struct incarnation *incarnation)
{
    while (incarnation->control >= 0 && fork_server_read_one(incarnation))
        continue;
}

static void fork_server_finish_if_over(struct incarnation *incarnation)
{
    bool more = incarnation->birth != NULL && incarnation->control >= 0;
    if (incarnation->ended && !more)
        fork_server_finish(incarnation);
}

static void fork_server_on_readable(uv_poll_t *poll, int status, int events)
{
    struct incarnation *incarnation = poll->data;
    (void)status;
    (void)events;
    fork_server_read_all(incarnation);
    fork_server_finish_if_over(incarnation);
}

static void fork_server_on_exit_of(uv_process_t *child, int64_t status, int signal)
{
    struct incarnation *incarnation = child->data;
    if (signal != 0)
        (void)snprintf(incarnation->how, sizeof incarnation->how, "ended by signal %d", signal);
    else
        (void)snprintf(incarnation->how, sizeof incarnation->how, "exited with status %lld",
                       (long long)status);
    incarnation->ended = true;
    fork_server_retire(incarnation);
    fork_server_read_all(incarnation);
    if (!incarnation->expected && incarnation->birth == NULL)
        LOG_EVENT(LOG_WARN, "fork server ended", LOG_TEXT("how", incarnation->how));
    fork_server_finish_if_over(incarnation);
}

// --- the start of an incarnation

static int fork_server_spawn(struct incarnation *incarnation, uv_loop_t *loop, int socket)
{
    char *arguments[] = {incarnation->program, NULL};
    uv_stdio_container_t stdio[] = {
        {.flags = UV_IGNORE},
        {.flags = UV_IGNORE},
        {.flags = UV_INHERIT_FD, .data.fd = STDERR_FILENO},
        [PROBER_SOCKET] = {.flags = UV_INHERIT_FD, .data.fd = socket},
    };
    uv_process_options_t options = {.file = incarnation->program,
                                    .args = arguments,
                                    .stdio = stdio,
                                    .stdio_count = sizeof stdio / sizeof *stdio,
                                    .exit_cb = fork_server_on_exit_of};
    return uv_spawn(loop, &incarnation->child, &options);
}

static struct incarnation *fork_server_new_incarnation(struct fork_server *server, int control)
{
    struct incarnation *incarnation = memory_new(sizeof *incarnation);
    incarnation->program = memory_string(server->program);
    incarnation->control = control;
    incarnation->schedstat = -1;
    incarnation->started = instant_now();
    incarnation->child.data = incarnation->poll.data = incarnation->patience.data = incarnation;
    int failed = uv_timer_init(server->loop, &incarnation->patience);
    assert(failed == 0);
    failed = uv_poll_init_socket(server->loop, &incarnation->poll, control);
    assert(failed == 0);
    failed =
        uv_poll_start(&incarnation->poll, UV_READABLE | UV_DISCONNECT, fork_server_on_readable);
    assert(failed == 0);
    incarnation->handles = (struct handles){.open = 3, .all_closed = fork_server_on_closed};
    return incarnation;
}

static struct incarnation *fork_server_start(struct fork_server *server, struct error *error)
{
    int sockets[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) != 0) {
        (void)error_set(error, "no socket for the fork server: %s", strerror(errno));
        return NULL;
    }
    struct incarnation *incarnation = fork_server_new_incarnation(server, sockets[0]);
    int failed = fork_server_spawn(incarnation, server->loop, sockets[1]);
    close(sockets[1]);
    if (failed != 0) {
        (void)error_set(error, "cannot start %.300s: %s", server->program, uv_strerror(failed));
        fork_server_close_all(incarnation);
        return NULL;
    }
    incarnation->schedstat = cpu_time_open(incarnation->child.pid);
    return incarnation;
}

// The one that is up, or another; NULL if none can be started.
static struct incarnation *fork_server_have_one(struct fork_server *server, struct error *error)
{
    if (server->current != NULL)
        return server->current;
    struct incarnation *incarnation = fork_server_start(server, error);
    if (incarnation == NULL)
        return NULL;
    incarnation->server = server;
    LIST_INSERT_HEAD(&server->all, incarnation, link);
    server->current = incarnation;
    struct birth *birth;
    TAILQ_FOREACH(birth, &server->waiting, link)
        fork_server_join(birth, incarnation);
    return incarnation;
}

// --- births

static struct birth *fork_server_take_waiting(struct birth *birth)
{
    TAILQ_REMOVE(&birth->server->waiting, birth, link);
    birth->server = NULL;
    return birth;
}

// If it takes none, it has ended, or must.
static void fork_server_ask(struct incarnation *incarnation, struct birth *birth)
{
    bool asked = handover_ask(incarnation->control, birth->socket);
    incarnation->birth = birth;
    if (!asked)
        fork_server_kill_incarnation(incarnation);
}

// Starts the program as one prober, by its argument. Returns its id; 0 if it cannot be started.
static pid_t fork_server_exec_prober(const struct fork_server *server, int socket,
                                     struct error *error)
{
    char argument[] = "prober";
    char *arguments[] = {server->program, argument, NULL};
    posix_spawn_file_actions_t actions;
    pid_t pid;
    int failed = posix_spawn_file_actions_init(&actions);
    assert(failed == 0); // that is memory
    failed = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDWR, 0);
    failed |= posix_spawn_file_actions_adddup2(&actions, STDIN_FILENO, STDOUT_FILENO);
    failed |= posix_spawn_file_actions_adddup2(&actions, socket, PROBER_SOCKET);
    assert(failed == 0);
    failed = posix_spawn(&pid, server->program, &actions, NULL, arguments, environ);
    (void)posix_spawn_file_actions_destroy(&actions);
    if (failed == 0)
        return pid;
    (void)error_set(error, "cannot start %.300s: %s", server->program, strerror(failed));
    return 0;
}

static void fork_server_exec_first(struct fork_server *server)
{
    struct error error;
    struct birth *birth = fork_server_take_waiting(TAILQ_FIRST(&server->waiting));
    pid_t pid = fork_server_exec_prober(server, birth->socket, &error);
    if (pid > 0)
        fork_server_tell_born(birth, pid);
    else
        fork_server_tell_failed(birth, error.text);
}

// False once a birth is under way.
static bool fork_server_pump_one(struct fork_server *server)
{
    struct error error;
    if (server->execs) {
        fork_server_exec_first(server);
        return true;
    }
    struct incarnation *incarnation = fork_server_have_one(server, &error);
    struct birth *birth = TAILQ_FIRST(&server->waiting);
    if (incarnation == NULL)
        fork_server_tell_failed(fork_server_take_waiting(birth), error.text);
    else if (incarnation->birth == NULL)
        fork_server_ask(incarnation, fork_server_take_waiting(birth));
    return incarnation == NULL;
}

// Has the first that waits made, if none is under way.
static void fork_server_pump(struct fork_server *server)
{
    while (!TAILQ_EMPTY(&server->waiting) && fork_server_pump_one(server))
        continue;
}

// By exec, at once.
static bool fork_server_bear_now(struct fork_server *server, struct birth *birth, int socket,
                                 struct error *error)
{
    *birth = (struct birth){.pid = fork_server_exec_prober(server, socket, error)};
    close(socket);
    return birth->pid > 0;
}

bool fork_server_bear(struct fork_server *server, struct birth *birth, int socket,
                      const struct birth_events *events, struct error *error)
{
    if (server->execs)
        return fork_server_bear_now(server, birth, socket, error);
    struct incarnation *incarnation = fork_server_have_one(server, error);
    if (incarnation == NULL) {
        close(socket);
        return false;
    }
    *birth = (struct birth){.events = events, .server = server, .socket = socket};
    fork_server_join(birth, incarnation);
    TAILQ_INSERT_TAIL(&server->waiting, birth, link);
    if (incarnation->birth == NULL)
        fork_server_ask(incarnation, fork_server_take_waiting(TAILQ_FIRST(&server->waiting)));
    return true;
}

bool fork_server_call_off(struct birth *birth)
{
    if (birth->server == NULL)
        return false;
    fork_server_leave(birth);
    close(fork_server_take_waiting(birth)->socket);
    return true;
}

void fork_server_look(struct birth *birth)
{
    struct incarnation *incarnation = birth->by;
    if (incarnation == NULL)
        return;
    fork_server_read_all(incarnation);
    fork_server_finish_if_over(incarnation);
}

static void fork_server_give_incarnation_up(struct incarnation *incarnation)
{
    incarnation->expected = true;
    fork_server_kill_incarnation(incarnation);
    fork_server_finish_if_over(incarnation);
}

static void fork_server_on_start_over(uv_timer_t *timer)
{
    struct incarnation *incarnation = timer->data;
    if (!incarnation->answered)
        fork_server_give_incarnation_up(incarnation);
}

void fork_server_give_up(struct birth *birth)
{
    fork_server_look(birth); // an answer that is there counts
    struct incarnation *incarnation = birth->by;
    if (incarnation == NULL)
        return;
    struct instant start_over =
        instant_add(incarnation->started, (struct duration){.ms = START_MS});
    if (incarnation->answered || !instant_before(instant_now(), start_over))
        fork_server_give_incarnation_up(incarnation);
    else
        deadline_start_timer(&incarnation->patience, start_over, fork_server_on_start_over);
}

void fork_server_renew(struct fork_server *server)
{
    struct incarnation *incarnation = server->current;
    if (incarnation == NULL)
        return;
    incarnation->expected = true;
    fork_server_retire(incarnation);
    if (incarnation->birth == NULL)
        fork_server_kill_incarnation(incarnation);
}

// --- life

struct fork_server *fork_server_new(uv_loop_t *loop, const char *program)
{
    struct fork_server *server = memory_new(sizeof *server);
    server->loop = loop;
    server->program = memory_string(program);
    server->holders = 1;
    TAILQ_INIT(&server->waiting);
    LIST_INIT(&server->all);
    return server;
}

struct fork_server *fork_server_hold(struct fork_server *server)
{
    server->holders++;
    return server;
}

void fork_server_release(struct fork_server *server)
{
    struct incarnation *incarnation;
    if (--server->holders > 0)
        return;
    assert(TAILQ_EMPTY(&server->waiting));
    while ((incarnation = LIST_FIRST(&server->all)) != NULL) {
        incarnation->expected = true;
        fork_server_kill_incarnation(incarnation);
        LIST_REMOVE(incarnation, link);
        incarnation->server = NULL;
    }
    free(server->program);
    free(server);
}

uv_loop_t *fork_server_loop(const struct fork_server *server)
{
    return server->loop;
}

static void fork_server_forget(uv_handle_t *handle, void *context)
{
    (void)context;
    if (handle->type == UV_PROCESS && !uv_is_closing(handle))
        fork_server_close_all(handle->data);
}

void fork_server_forget_unended(uv_loop_t *loop)
{
    uv_walk(loop, fork_server_forget, NULL);
}
