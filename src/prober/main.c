// The verb loop of a prober program. One process serves one connection to one database server: it
// waits on its socket for a call, lets the driver do it with blocking library calls, and sends the
// reply. It owns the session and the last login that worked, knows nothing of checks, and logs
// nothing: what is to be said goes into a reply, for dbhealthd to log.
//
// There are no timeouts here. Whatever blocks, blocks; dbhealthd answers its own clients and has
// this process killed when it loses patience.
#include "common/control.h"
#include "common/memory.h"
#include "common/sandbox.h"
#include "common/sanitized.h"
#include "common/wire.h"
#include "prober/driver.h"
#include "prober/login.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

struct state {
    struct session *session; // NULL: none is open
    struct login login;
    struct sandbox sandbox; // that this process is in
};

// A Ctrl-C in a terminal goes to every process of the group, and some supervisors send SIGTERM to
// all of them. dbhealthd decides when to end, and it still needs us then, to say goodbye to the
// server; we end when its end of the socket closes. A SIGHUP meant for its configuration must not
// end us either. A Ctrl-Z stops dbhealthd, and we wait; whoever has it go on may reach it alone.
// The libraries' writes to a dead connection are errors, not signals.
static void main_ignore_signals(void)
{
    static const int ignored[] = {SIGINT, SIGTERM, SIGHUP, SIGTSTP, SIGPIPE};
    for (size_t i = 0; i < sizeof ignored / sizeof *ignored; i++)
        (void)signal(ignored[i], SIG_IGN);
    sigset_t none;
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

// What a server may make the client library hold: notices, settings, columns and rows without end.
// A session over TLS takes 1.2 MB, one that verifies against all of a system's authorities 2.1, and
// the largest row that a driver takes 3 more. Three probers with that much fit into the 32 MiB that
// the manifests give to dbhealthd and all its probers; beyond it allocations fail.
static bool main_bound_memory(void)
{
    enum { DATA_MAX = 8 * 1024 * 1024 };
    const rlim_t most = DATA_MAX + driver.stacks;
    struct rlimit data;
    if (SANITIZED) // the shadow would count as ours
        return true;
    if (getrlimit(RLIMIT_DATA, &data) != 0)
        return false;
    if (data.rlim_max > most)
        data.rlim_max = most;
    if (data.rlim_cur > data.rlim_max)
        data.rlim_cur = data.rlim_max;
    return setrlimit(RLIMIT_DATA, &data) == 0;
}

// Dies with dbhealthd, gains no privileges, and shows its memory to nobody, for a password is in
// it: neither by a core nor in /proc.
static bool main_confine(void)
{
    static const struct rlimit no_core = {0, 0};
    return prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_DUMPABLE, 0) == 0 && setrlimit(RLIMIT_CORE, &no_core) == 0 &&
           main_bound_memory();
}

// Whoever takes us over must neither write into the log nor read the terminal that it may be. Until
// now it was there for what the loader says; standard input is /dev/null.
static void main_leave_log(void)
{
    if (!SANITIZED)
        (void)dup2(STDIN_FILENO, STDERR_FILENO);
}

// The supervisor may have died before PR_SET_PDEATHSIG took effect. Then nobody would ever end a
// login that hangs.
static bool main_peer_has_gone(void)
{
    struct pollfd peer = {.fd = PROBER_SOCKET, .events = POLLRDHUP};
    return poll(&peer, 1, 0) != 0 && (peer.revents & (POLLRDHUP | POLLHUP));
}

static void main_close_session(struct session **session)
{
    if (*session != NULL)
        driver.close(*session);
    *session = NULL;
}

// Nothing is attempted without a session, so nothing is known of the server: config, not lost.
static void main_run_statement(struct session *session, const struct call *call,
                               struct reply *reply)
{
    if (session != NULL)
        driver.run(session, call, reply);
    else
        reply_set(reply, OUTCOME_CONFIG, NULL, "no connection is open: run came before open");
}

static void main_answer(struct state *state, const struct call *call, struct reply *reply)
{
    switch (call->verb) {
    case VERB_OPEN:
        main_close_session(&state->session);
        state->session = login_open(&state->login, call, reply);
        sandbox_describe(&state->sandbox, reply->sandbox);
        return;
    case VERB_RUN:
        main_run_statement(state->session, call, reply);
        return;
    case VERB_CLOSE:
        main_close_session(&state->session);
        return;
    }
    abort();
}

static ssize_t main_receive(unsigned char *message)
{
    for (;;) {
        ssize_t length =
            recv(PROBER_SOCKET, message, WIRE_MAX, MSG_TRUNC); // a longer one tells its length
        if (length >= 0 || errno != EINTR)
            return length;
    }
}

static bool main_send_reply(const struct reply *reply, unsigned char *message)
{
    size_t length = reply_encode(reply, message);
    for (;;) {
        ssize_t sent = send(PROBER_SOCKET, message, length, MSG_NOSIGNAL);
        if (sent >= 0 || errno != EINTR)
            return sent == (ssize_t)length;
    }
}

// Serves until dbhealthd closes its end. False if it sends what is not a call, or is no socket. The
// reply is written over the call, for the call's SQL is needed no longer.
static bool main_serve(struct state *state, unsigned char *message)
{
    for (;;) {
        struct call call;
        ssize_t length = main_receive(message);
        if (length == 0 || (length < 0 && errno == ECONNRESET)) // with a reply unread
            return true;
        if (length < 0)
            return false;
        if (length > WIRE_MAX || !call_decode(message, (size_t)length, &call))
            return false;
        struct reply reply = {.sequence = call.sequence, .verb = call.verb, .outcome = OUTCOME_OK};
        main_answer(state, &call, &reply);
        bool sent = main_send_reply(&reply, message);
        reply_free(&reply);
        if (!sent)
            return true;
        if (call.verb == VERB_RUN && call.last) { // after the reply, for someone waits for that
            main_close_session(&state->session);
            if (driver.is_spent != NULL && driver.is_spent())
                return true;
        }
    }
}

static int main_be_prober(void)
{
    struct state state = {.sandbox = sandbox_enter(SANDBOX_PROBER, NULL, 0)};
    unsigned char *message = memory_new(WIRE_MAX);
    bool served = main_serve(&state, message);
    main_close_session(&state.session);
    login_forget(&state.login);
    free(message);
    return served ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(void)
{
    main_ignore_signals();
    if (!main_confine())
        return EXIT_FAILURE;
    if (main_peer_has_gone())
        return EXIT_SUCCESS;
    driver.setup();
    main_leave_log();
    return main_be_prober();
}
