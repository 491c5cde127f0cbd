// See fork_server.h. This process has run the driver's setup and nothing else: it has no session,
// reads no secret and hears nothing from the network. What its children share with it is memory
// that need not be made anew, and the time of linking that need not be spent anew.
//
// The decision to question: a child is dbhealthd's own, by CLONE_PARENT, and not ours. So dbhealthd
// reaps it and kills it by its id, it dies with dbhealthd, and our end is none of its business.
// What stands in for Linux in some sandboxes and emulators refuses that, or makes the child ours.
#include "prober/fork_server.h"

#include "common/handover.h"
#include "common/memory.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

// What glibc's fork() does beyond this matters to threads, to robust mutexes and to atfork
// handlers, and there are none here. OpenSSL asks for the process id before it gives random bytes,
// and seeds its generator anew in a child.
static long fork_server_fork_for_parent(void)
{
    const unsigned long flags = CLONE_PARENT | SIGCHLD;
#if defined(__s390x__) || defined(__s390__)
    return syscall(SYS_clone, 0UL, flags, 0UL, 0UL, 0UL);
#elif defined(__ia64__) || defined(__sparc__)
#error "clone() has other arguments, or another result, here: see clone(2)"
#else
    return syscall(SYS_clone, flags, 0UL, 0UL, 0UL, 0UL);
#endif
}

// The child itself answers, so that its id cannot be lost with us. A fork clears PR_SET_PDEATHSIG.
static enum fork_server_end fork_server_become_prober(int socket, pid_t dbhealthd)
{
    const struct handover_answer born = {.pid = getpid()}, not_its_child = {.error = ECHILD};
    bool mortal = prctl(PR_SET_PDEATHSIG, SIGKILL) == 0;
    bool its_child = getppid() == dbhealthd;
    if (!handover_answer(PROBER_SOCKET, its_child ? born : not_its_child) || !its_child)
        return FORK_SERVER_OVER;
    if (!mortal || dup2(socket, PROBER_SOCKET) < 0) // which closes the control socket
        return FORK_SERVER_BROKEN;
    close(socket);
    return FORK_SERVER_CHILD;
}

enum fork_server_end fork_server_run(void)
{
    const pid_t dbhealthd = getppid();
    memory_trim(); // each child would have a copy of what is free
    for (;;) {
        int socket;
        enum handover handover = handover_take(PROBER_SOCKET, &socket);
        if (handover != HANDOVER_TAKEN)
            return handover == HANDOVER_OVER ? FORK_SERVER_OVER : FORK_SERVER_BROKEN;
        long child = fork_server_fork_for_parent();
        if (child == 0)
            return fork_server_become_prober(socket, dbhealthd);
        struct handover_answer none = {.error = errno};
        if (child < 0 && !handover_answer(PROBER_SOCKET, none))
            return FORK_SERVER_OVER;
        close(socket);
    }
}
