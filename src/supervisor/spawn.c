// See spawn.h. What is ignored here is ignored there, from the first moment on.
#include "supervisor/spawn.h"

#include "common/control.h"

#include <assert.h>
#include <fcntl.h>
#include <spawn.h>
#include <unistd.h>

static_assert((int)PROBER_SOCKET == (int)CONTROL_SOCKET, "the same for both");

static int spawn_arrange(const struct program *program, posix_spawn_file_actions_t *actions)
{
    int error = 0;
    if (program->quiet)
        error = posix_spawn_file_actions_addopen(actions, STDIN_FILENO, "/dev/null", O_RDWR, 0);
    if (error == 0 && program->quiet)
        error = posix_spawn_file_actions_adddup2(actions, STDIN_FILENO, STDOUT_FILENO);
    if (error == 0)
        error = posix_spawn_file_actions_adddup2(actions, program->socket, PROBER_SOCKET);
    return error;
}

int spawn(const struct program *program, pid_t *pid)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    (void)posix_spawn_file_actions_init(&actions);
    (void)posix_spawnattr_init(&attributes);
    (void)posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
    (void)posix_spawnattr_setsigmask(&attributes, program->mask);
    int error = spawn_arrange(program, &actions);
    if (error == 0)
        error = posix_spawn(pid, program->path, &actions, &attributes, program->arguments,
                            program->environment);
    (void)posix_spawnattr_destroy(&attributes);
    (void)posix_spawn_file_actions_destroy(&actions);
    return error;
}
