// dbhealthd: the parent of all the others. What does not probe needs none: then this program
// becomes the server, whose the commands are.
#include "common/program_path.h"
#include "supervisor/mask.h"
#include "supervisor/supervise.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { STATUS_USAGE = 2, STATUS_OF_SIGNAL = 128 };

static int main_refuse(const char *what, int error)
{
    (void)fprintf(stderr, "dbhealthd: %s: %s\n", what, strerror(error));
    return STATUS_USAGE;
}

// A standard descriptor that is closed would be taken by the next socket, which the log or a table
// would then be written to. The lowest free one is what open() gives.
static bool main_have_standard_descriptors(void)
{
    int opened;
    do {
        opened = open("/dev/null", O_RDWR);
    } while (opened >= 0 && opened <= STDERR_FILENO);
    return opened >= 0 && close(opened) == 0;
}

static bool main_is_any(const char *word, const char *const *words)
{
    for (; *words != NULL; words++) {
        if (strcmp(word, *words) == 0)
            return true;
    }
    return false;
}

// No command: a flag comes first, or nothing.
static bool main_serves(const char *command)
{
    static const char *const others[] = {"--help", "--settings", "--version", NULL};
    return command == NULL || (command[0] == '-' && !main_is_any(command, others));
}

static bool main_probes(const char *command)
{
    static const char *const probing[] = {"check", "wait", NULL};
    return main_serves(command) || main_is_any(command, probing);
}

// As the server did; a signal that cannot end us, as in process 1, becomes a status.
static int main_end_like(int status)
{
    if (WIFEXITED(status))
        return WEXITSTATUS(status);
    int number = WTERMSIG(status);
    sigset_t it;
    (void)sigemptyset(&it);
    (void)sigaddset(&it, number);
    (void)signal(number, SIG_DFL);
    (void)raise(number);
    (void)sigprocmask(SIG_UNBLOCK, &it, NULL);
    return STATUS_OF_SIGNAL + number;
}

// Else who has taken the server over would have others asked by a prober that nobody needs.
static bool main_asks_peers(char *const *arguments)
{
    static const char flag[] = "--peers";
    bool asks = getenv("DBHEALTH_PEERS") != NULL;
    for (; *arguments != NULL; arguments++)
        asks |= strncmp(*arguments, flag, strlen(flag)) == 0;
    return asks;
}

int main(int count, char *arguments[])
{
    static char server[PATH_MAX], postgres[PATH_MAX], mysql[PATH_MAX], peers[PATH_MAX];
    const char *command = count > 1 ? arguments[1] : NULL;
    if (!main_have_standard_descriptors())
        return main_refuse("/dev/null", errno);
    program_path("dbhealthd-server", server, sizeof server);
    program_path(program_of_prober(ENGINE_POSTGRES), postgres, sizeof postgres);
    program_path(program_of_prober(ENGINE_MYSQL), mysql, sizeof mysql);
    program_path(program_of_prober(ENGINE_PEERS), peers, sizeof peers);
    if (count > 0)
        arguments[0] = server;
    if (!main_probes(command)) {
        (void)execv(server, arguments);
        return main_refuse("cannot start dbhealthd-server", errno);
    }
    (void)prctl(PR_SET_DUMPABLE, 0); // there are passwords in the environment
    static struct plan plan;         // for as long as the process
    plan = (struct plan){.server = server,
                         .postgres = postgres,
                         .mysql = mysql,
                         .peers = main_asks_peers(arguments) ? peers : NULL,
                         .arguments = arguments,
                         .environment = mask_environment(),
                         .serves = main_serves(command)};
    return main_end_like(supervise(&plan));
}
