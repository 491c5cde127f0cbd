// dbhealthd install FOLDER: copies dbhealthd-ask, for an init container that has nothing but this
// image, into a volume that it shares with the database's container. What is there by that name is
// replaced as a whole: who runs the old one meanwhile goes on with it.
#include "server/command/command.h"

#include "common/program_path.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

static const char program[] = "dbhealthd-ask";

// For whatever user the database runs as.
enum { MODE = 0755 };

static bool command_install_copy(int from, int to)
{
    struct stat status;
    if (fstat(from, &status) != 0)
        return false;
    for (off_t left = status.st_size; left > 0;) {
        ssize_t copied = sendfile(to, from, NULL, (size_t)left);
        if (copied < 0 && errno == EINTR)
            continue;
        if (copied <= 0)
            return false;
        left -= copied;
    }
    return fchmod(to, MODE) == 0;
}

// Closed in any case, for close() may be what tells that the volume is full.
static bool command_install_fill(const char *source, int to)
{
    int from = open(source, O_RDONLY | O_CLOEXEC);
    bool well = from >= 0 && command_install_copy(from, to);
    int error = errno;
    if (from >= 0)
        close(from);
    if (close(to) != 0 && well)
        return false;
    errno = error;
    return well;
}

static int command_install_refuse(const char *path, const char *why)
{
    return command_refuse("install: %s: %s", path, why);
}

// Some runtimes take a probe that cannot be started for one that failed, and end the database.
static bool command_install_can_run_from(const char *folder)
{
    struct statvfs status;
    return statvfs(folder, &status) != 0 || (status.f_flag & ST_NOEXEC) == 0;
}

static int command_install_into(const char *folder)
{
    char source[PATH_MAX], target[PATH_MAX], fresh[PATH_MAX];
    program_path(program, source, sizeof source);
    if (snprintf(target, sizeof target, "%s/%s", folder, program) >= (int)sizeof target ||
        snprintf(fresh, sizeof fresh, "%s/.%s.XXXXXX", folder, program) >= (int)sizeof fresh)
        return command_install_refuse(folder, strerror(ENAMETOOLONG));
    if (!command_install_can_run_from(folder))
        return command_install_refuse(folder, "mounted noexec, so no probe could be run from it");
    int to = mkostemp(fresh, O_CLOEXEC);
    if (to < 0)
        return command_install_refuse(folder, strerror(errno));
    if (command_install_fill(source, to) && rename(fresh, target) == 0)
        return STATUS_WELL;
    int error = errno;
    (void)unlink(fresh);
    return command_install_refuse(target, strerror(error));
}

int command_install(int argc, char **argv)
{
    struct command_line line;
    if (!command_line_load(&line, argc, argv, NULL, 0, 1, 1))
        return STATUS_USAGE;
    int status = command_install_into(line.words.items[0]);
    command_line_clear(&line);
    return status;
}
