// See supervise.h. One loop that waits for signals and for the server's word, and does at once what
// these ask for. It must not fail, for all the others end with it: after the start it allocates
// nothing, and takes nothing that the server says on trust. It waits for nothing else, but for the
// disk: posix_spawn() returns once the program has been read.
//
// Signals go to the server as messages, and are ignored by it as signals: so one that is sent to
// all processes of a terminal or a service is heard once.
//
// The decision to question: a server is started anew only if one has listened, for only then others
// rely on it. What keeps the first from that (wrong usage, a port that is taken) is for a person to
// read; and a command that does not serve has nobody to come back for.
#include "supervisor/supervise.h"

#include "common/control.h"
#include "common/instant.h"
#include "common/output.h"
#include "common/target.h"
#include "supervisor/probers.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    REQUESTS_MOST = 1000, // taken in a turn: more than fit into the socket
    GRACE_MS = 1000,      // for probers whose server has ended: idle ones leave by themselves
    UNENDED_MS = 1000,    // after SIGKILL, by when any process ends that can
    RESTART_FIRST_MS = 1000,
    RESTART_MOST_MS = 30000,
    NOW_MS = 5000,       // in which a server that is to end now can
    GOOD_LIFE_MS = 60000 // a server that lived so long is no sign of trouble any more
};

struct supervisor {
    const struct plan *plan;
    struct probers probers;
    sigset_t mask;            // that we were started with
    int signals;              // signalfd(2)
    bool listened;            // a server has told of it, ever: others rely on one
    int listening[LISTENERS]; // that it told of; -1: none, or it could not be taken
    int control;              // our end of the server's; -1: there is none
    pid_t server;             // 0: there is none
    bool serves;              // this one has told of its listening
    struct instant began;     // the server
    struct instant again;     // when to start another; 0: not
    struct instant kill;      // when to kill the probers that have no server; 0: not
    struct instant no_later;  // than that it is to end; 0: not so
    struct instant leave;     // when to wait no longer for those that are left; 0: not
    uint64_t signalled;       // to be told, a bit each
    bool untold;              // the server took not all that is to be told
    bool ending;              // a signal asks for that
    bool suspending;          // as a terminal asks for it ...
    bool suspended;           // ... and as the server has, from then until it goes on
    unsigned crashes;         // ever
    unsigned crashes_in_a_row;
    int status; // of the latest server
    bool over;
};

enum { STATUS_USAGE = 2 }; // as the server has it

static const int ends[] = {SIGINT, SIGTERM};

// --- signals

static bool supervise_is_ignored(int number)
{
    struct sigaction action;
    return sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

// What whoever started a command has it ignore (nohup, a shell's background) stays ignored; one
// that serves is no job of a shell's, and hears all. What we hear from now on is ignored by our
// children from their first moment on.
static void supervise_hear(sigset_t *heard, int number, bool serves)
{
    if (supervise_is_ignored(number) && !serves)
        return;
    (void)sigaddset(heard, number);
    (void)signal(number, SIG_IGN); // a blocked signal is not thrown away for that
}

static bool supervise_open_signals(struct supervisor *supervisor)
{
    sigset_t heard, blocked;
    (void)sigemptyset(&heard);
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        supervise_hear(&heard, ends[i], supervisor->plan->serves);
    supervise_hear(&heard, SIGHUP, supervisor->plan->serves);
    (void)signal(SIGCHLD, SIG_DFL); // else our children would be reaped behind our back
    (void)sigaddset(&heard, SIGCHLD);
    (void)sigaddset(&heard, SIGTSTP);
    blocked = heard;
    (void)sigaddset(&blocked, SIGPIPE);
    (void)sigprocmask(SIG_BLOCK, &blocked, &supervisor->mask);
    supervisor->signals = signalfd(-1, &heard, SFD_NONBLOCK | SFD_CLOEXEC);
    return supervisor->signals >= 0;
}

// A terminal asks all its processes to stop; who asks us alone means the server, too.
static void supervise_begin_to_suspend(struct supervisor *supervisor, bool from_terminal)
{
    supervisor->suspending = true;
    if (!from_terminal && supervisor->server > 0)
        (void)kill(supervisor->server, SIGTSTP);
}

// The server may take its time after the first SIGTERM, but after no other. One that hangs would
// have us deaf to all.
static void supervise_take_end(struct supervisor *supervisor, int number)
{
    if (number == SIGHUP && supervisor->plan->serves)
        return;
    bool now = number != SIGTERM || supervisor->ending;
    supervisor->ending = true;
    if (now && supervisor->no_later.ns == 0)
        supervisor->no_later = instant_add(instant_now(), (struct duration){.ms = NOW_MS});
}

static void supervise_take_signal(struct supervisor *supervisor,
                                  const struct signalfd_siginfo *taken)
{
    int number = (int)taken->ssi_signo;
    if (number == SIGCHLD)
        return; // who has ended is asked for anyway
    if (number == SIGTSTP) {
        supervise_begin_to_suspend(supervisor, taken->ssi_code == SI_KERNEL);
        return;
    }
    supervisor->signalled |= UINT64_C(1) << number;
    supervise_take_end(supervisor, number);
}

static void supervise_take_signals(struct supervisor *supervisor)
{
    struct signalfd_siginfo taken;
    while (read(supervisor->signals, &taken, sizeof taken) == (ssize_t)sizeof taken)
        supervise_take_signal(supervisor, &taken);
}

// As the server has, which first left the terminal as it was. Who has us go on may mean us alone.
static void supervise_suspend(struct supervisor *supervisor)
{
    sigset_t suspend;
    supervisor->suspending = supervisor->suspended = false;
    (void)sigemptyset(&suspend);
    (void)sigaddset(&suspend, SIGTSTP);
    (void)raise(SIGTSTP);
    (void)sigprocmask(SIG_UNBLOCK, &suspend, NULL); // here we stop
    (void)kill(supervisor->server, SIGCONT);
    (void)sigprocmask(SIG_BLOCK, &suspend, NULL);
}

// --- telling the server

static bool supervise_tell_signals(struct supervisor *supervisor)
{
    for (int number = 1; supervisor->signalled != 0; number++) {
        uint64_t bit = UINT64_C(1) << number;
        struct control message = control_of(CONTROL_SIGNAL, 0, number);
        if (!(supervisor->signalled & bit))
            continue;
        if (control_send(supervisor->control, &message) == CONTROL_FULL)
            return false;
        supervisor->signalled &= ~bit;
    }
    return true;
}

static void supervise_tell(struct supervisor *supervisor)
{
    if (supervisor->control >= 0)
        supervisor->untold = !supervise_tell_signals(supervisor) ||
                             !probers_tell(&supervisor->probers, supervisor->control);
}

// What a new server has to know. There is room for one message.
static void supervise_tell_first(const struct supervisor *supervisor, int control)
{
    struct control message = control_of(CONTROL_BEGIN, supervisor->crashes,
                                        supervisor->crashes > 0 ? supervisor->status : 0);
    memcpy(&message.files[CONTROL_FILE_SOCKET], supervisor->listening,
           sizeof supervisor->listening);
    message.files[CONTROL_FILE_SCHEDSTAT] = open("/proc/self/schedstat", O_RDONLY | O_CLOEXEC);
    message.files[CONTROL_FILE_STAT] = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
    (void)control_send(control, &message);
    for (size_t i = 0; i < LISTENERS; i++)
        message.files[CONTROL_FILE_SOCKET + i] = -1; // they stay open
    control_close_files(&message);
}

// --- the server's life

static int supervise_start_server(struct supervisor *supervisor)
{
    int sockets[2];
    supervisor->began = instant_now();
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) != 0)
        return errno;
    const struct program program = {.path = supervisor->plan->server,
                                    .arguments = supervisor->plan->arguments,
                                    .environment = supervisor->plan->environment,
                                    .mask = &supervisor->mask,
                                    .socket = sockets[1]};
    supervise_tell_first(supervisor, sockets[0]);
    int error = spawn(&program, &supervisor->server);
    close(sockets[1]);
    if (error != 0) {
        close(sockets[0]);
        supervisor->server = 0;
        return error;
    }
    supervisor->control = sockets[0];
    return 0;
}

static struct duration supervise_next_wait(struct supervisor *supervisor)
{
    int64_t wait = RESTART_FIRST_MS;
    if (instant_since(supervisor->began, instant_now()).ms >= GOOD_LIFE_MS)
        supervisor->crashes_in_a_row = 0;
    if (supervisor->crashes_in_a_row++ == 0)
        return (struct duration){0};
    for (unsigned i = 2; i < supervisor->crashes_in_a_row && wait < RESTART_MOST_MS; i++)
        wait *= 2;
    return (struct duration){.ms = wait < RESTART_MOST_MS ? wait : RESTART_MOST_MS};
}

// The next server tells of it in the log, where it is wanted, once it serves. For one that did not
// come so far nobody else speaks.
static void supervise_say_crash(const struct supervisor *supervisor, const char *how,
                                struct duration wait)
{
    struct output output = output_open(STDERR_FILENO);
    char line[256];
    int length =
        snprintf(line, sizeof line, "dbhealthd: %s %s; next try in %lld s\n",
                 strrchr(supervisor->plan->server, '/') + 1, how, (long long)wait.ms / 1000);
    (void)output_line(&output, line, (size_t)length);
    output_close(&output);
}

static void supervise_restart_later(struct supervisor *supervisor, const char *how)
{
    struct duration wait = supervise_next_wait(supervisor);
    supervisor->crashes++;
    supervisor->again = instant_add(instant_now(), wait);
    if (!supervisor->serves)
        supervise_say_crash(supervisor, how, wait);
    supervisor->serves = false;
}

static void supervise_take_requests(struct supervisor *supervisor);

static void supervise_on_server_ended(struct supervisor *supervisor, int status)
{
    supervisor->server = 0;
    supervisor->status = status;
    supervisor->suspended = false;
    supervisor->untold = false;
    supervise_take_requests(supervisor); // it may have told of its listening last
    if (supervisor->control >= 0)
        close(supervisor->control);
    supervisor->control = -1;
    probers_orphan(&supervisor->probers);
    supervisor->kill = instant_add(instant_now(), (struct duration){.ms = GRACE_MS});
    supervisor->leave = instant_add(supervisor->kill, (struct duration){.ms = UNENDED_MS});
    bool well = WIFEXITED(status) && WEXITSTATUS(status) == 0;
    supervisor->over = well || supervisor->ending || !supervisor->listened;
    if (!supervisor->over)
        supervise_restart_later(supervisor, "ended before it served");
}

// SIGSTOP was meant for the server alone: the terminal's may have come to nothing, as in a process
// group that no shell looks after.
static void supervise_on_stop_or_continue(struct supervisor *supervisor, pid_t pid, int status)
{
    if (pid == supervisor->server)
        supervisor->suspended = WIFSTOPPED(status) && WSTOPSIG(status) == SIGTSTP;
}

// The server's stop may be known before the terminal's signal to us is: either waits for the other.
static void supervise_reap(struct supervisor *supervisor)
{
    int status;
    pid_t pid;
    while ((pid = waitpid(-1, &status, WNOHANG | WUNTRACED | WCONTINUED)) > 0) {
        if (WIFSTOPPED(status) || WIFCONTINUED(status))
            supervise_on_stop_or_continue(supervisor, pid, status);
        else if (pid == supervisor->server)
            supervise_on_server_ended(supervisor, status);
        else
            probers_end(&supervisor->probers, pid, status); // or process 1 inherited it
    }
    if (supervisor->suspending && supervisor->suspended)
        supervise_suspend(supervisor);
}

// --- the server's word

static void supervise_start_prober(struct supervisor *supervisor, const struct control *request)
{
    const struct plan *plan = supervisor->plan;
    bool peers = request->number == ENGINE_PEERS;
    const char *database = request->number == ENGINE_POSTGRES ? plan->postgres : plan->mysql;
    const char *path = peers ? plan->peers : database;
    char *const arguments[] = {(char *)(uintptr_t)path, NULL};
    const struct program program = {.path = path,
                                    .arguments = arguments,
                                    .environment = peers ? plan->environment : environ,
                                    .mask = &supervisor->mask,
                                    .socket =
                                        path != NULL ? request->files[CONTROL_FILE_SOCKET] : -1,
                                    .quiet = true};
    probers_start(&supervisor->probers, request->id, &program);
}

// Without a descriptor left it takes none: then the next server has to listen anew.
static void supervise_take_listening(struct supervisor *supervisor, struct control *request)
{
    supervisor->serves = supervisor->listened = true;
    if (supervisor->listening[LISTENER_MAIN] >= 0)
        return;
    for (size_t i = 0; i < LISTENERS; i++) {
        supervisor->listening[i] = request->files[CONTROL_FILE_SOCKET + i];
        request->files[CONTROL_FILE_SOCKET + i] = -1;
    }
}

static void supervise_take(struct supervisor *supervisor, struct control *request)
{
    if (request->verb == CONTROL_LISTENING)
        supervise_take_listening(supervisor, request);
    else if (request->verb == CONTROL_KILL)
        probers_kill(&supervisor->probers, request->id);
    else if (supervisor->server > 0)
        supervise_start_prober(supervisor, request);
    control_close_files(request);
}

// A server that says what makes no sense, or nothing any more, or does not end, is of no use.
static void supervise_end_server(const struct supervisor *supervisor)
{
    if (supervisor->server > 0)
        (void)kill(supervisor->server, SIGKILL);
}

// Neither more than it has been told of, nor without end: others have something to say, too.
static void supervise_take_requests(struct supervisor *supervisor)
{
    struct control request;
    enum control_receiving receiving = CONTROL_TAKEN;
    for (int i = 0; i < REQUESTS_MOST && receiving == CONTROL_TAKEN; i++) {
        if (supervisor->control < 0 || supervisor->untold)
            return;
        receiving = control_receive(supervisor->control, CONTROL_OF_SERVER, &request);
        if (receiving == CONTROL_TAKEN)
            supervise_take(supervisor, &request);
        supervise_tell(supervisor);
    }
    if (receiving == CONTROL_TAKEN || receiving == CONTROL_NONE)
        return;
    close(supervisor->control);
    supervisor->control = -1;
    supervise_end_server(supervisor);
}

// --- the loop

static bool supervise_has_come(struct instant instant)
{
    return instant.ns != 0 && !instant_before(instant_now(), instant);
}

static void supervise_on_time(struct supervisor *supervisor)
{
    if (supervise_has_come(supervisor->kill)) {
        probers_kill_orphans(&supervisor->probers);
        supervisor->kill = (struct instant){0};
    }
    if (supervise_has_come(supervisor->no_later)) {
        supervise_end_server(supervisor);
        supervisor->no_later = (struct instant){0};
    }
    if (supervisor->over || !supervise_has_come(supervisor->again))
        return;
    supervisor->again = (struct instant){0};
    char how[128];
    int error = supervise_start_server(supervisor);
    if (error == 0)
        return;
    (void)snprintf(how, sizeof how, "cannot be started (%s)", strerror(error));
    supervise_restart_later(supervisor, how);
}

static int supervise_timeout(const struct supervisor *supervisor)
{
    const struct instant instants[] = {supervisor->kill, supervisor->no_later,
                                       supervisor->over ? supervisor->leave : supervisor->again};
    int64_t timeout = -1;
    for (size_t i = 0; i < sizeof instants / sizeof *instants; i++) {
        int64_t left = instant_left(instants[i], instant_now()).ms;
        if (instants[i].ns != 0 && (timeout < 0 || left < timeout))
            timeout = left;
    }
    return (int)timeout;
}

static void supervise_wait(const struct supervisor *supervisor)
{
    short events = (short)(supervisor->untold ? POLLOUT : POLLIN);
    struct pollfd polled[] = {{.fd = supervisor->signals, .events = POLLIN},
                              {.fd = supervisor->control, .events = events}};
    (void)poll(polled, sizeof polled / sizeof *polled, supervise_timeout(supervisor));
}

static void supervise_turn(struct supervisor *supervisor)
{
    supervise_tell(supervisor);
    supervise_wait(supervisor);
    supervise_take_signals(supervisor);
    supervise_take_requests(supervisor);
    supervise_reap(supervisor);
    supervise_on_time(supervisor);
    supervisor->over |= supervisor->server == 0 && supervisor->ending; // between two of them
}

// The last server has ended; probers may be left that it did not wait for.
static void supervise_outlive_probers(struct supervisor *supervisor)
{
    while (probers_have_any(&supervisor->probers) && !supervise_has_come(supervisor->leave))
        supervise_turn(supervisor);
}

int supervise(const struct plan *plan)
{
    static struct supervisor supervisor = {.control = -1};
    supervisor.plan = plan;
    for (size_t i = 0; i < LISTENERS; i++)
        supervisor.listening[i] = -1;
    int error = supervise_open_signals(&supervisor) ? 0 : errno;
    if (error == 0)
        error = supervise_start_server(&supervisor);
    if (error != 0) {
        (void)fprintf(stderr, "dbhealthd: cannot start %s: %s\n", plan->server, strerror(error));
        return W_EXITCODE(STATUS_USAGE, 0);
    }
    while (!supervisor.over)
        supervise_turn(&supervisor);
    supervise_outlive_probers(&supervisor);
    return supervisor.status;
}
