// See orphans.h. libuv reaps the processes that it started, and prober_process.c the probers, each
// by its id, and must not find one of them gone; so they are left to them. That is done after all
// handlers of a SIGCHLD, theirs among them, have run: a process of ours that is still there has
// died since, and another SIGCHLD comes. While a prober's id is not known yet, any may be its.
#include "server/probing/orphans.h"

#include "server/probing/prober_process.h"

#include <assert.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/wait.h>

struct search {
    pid_t pid;
    bool found;
};

static void orphans_compare(uv_handle_t *handle, void *context)
{
    struct search *search = context;
    if (handle->type == UV_PROCESS && uv_process_get_pid((uv_process_t *)handle) == search->pid)
        search->found = true;
}

static bool orphans_is_ours(uv_loop_t *loop, pid_t pid)
{
    struct search search = {.pid = pid};
    uv_walk(loop, orphans_compare, &search);
    return search.found || prober_process_has_id(loop, pid);
}

// The process id of a child that has ended, which stays as it is; 0 if there is none.
static pid_t orphans_find_dead(void)
{
    siginfo_t info = {0};
    if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) != 0)
        return 0;
    return info.si_pid;
}

static void orphans_on_after_signals(uv_check_t *check)
{
    pid_t pid;
    if (prober_process_awaits_id(check->loop))
        return; // the loop comes by again when it is known
    (void)uv_check_stop(check);
    while ((pid = orphans_find_dead()) != 0 && !orphans_is_ours(check->loop, pid))
        (void)waitpid(pid, NULL, 0);
}

static void orphans_on_died(uv_signal_t *died, int number)
{
    struct orphans *orphans = died->data;
    (void)number;
    (void)uv_check_start(&orphans->after_signals, orphans_on_after_signals);
}

void orphans_start(struct orphans *orphans, uv_loop_t *loop)
{
    int failed = uv_signal_init(loop, &orphans->died);
    failed |= uv_check_init(loop, &orphans->after_signals);
    orphans->died.data = orphans;
    failed |= uv_signal_start(&orphans->died, orphans_on_died, SIGCHLD);
    assert(failed == 0);
}

void orphans_end(struct orphans *orphans)
{
    uv_close((uv_handle_t *)&orphans->died, NULL);
    uv_close((uv_handle_t *)&orphans->after_signals, NULL);
}
