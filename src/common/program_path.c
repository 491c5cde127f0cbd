// See program_path.h.
#include "common/program_path.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

void program_path_from_here(const char *where, char *path, size_t capacity)
{
    char self[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    path[0] = '\0';
    if (length <= 0)
        return;
    self[length] = '\0';
    *strrchr(self, '/') = '\0';
    if (snprintf(path, capacity, "%s/%s", self, where) >= (int)capacity)
        path[0] = '\0';
}

void program_path(const char *name, char *path, size_t capacity)
{
    char installed[PATH_MAX];
    (void)snprintf(installed, sizeof installed, DBHEALTH_PROGRAMS "/%s", name);
    program_path_from_here(installed, path, capacity);
    if (access(path, X_OK) != 0)
        program_path_from_here(name, path, capacity);
}

const char *program_of_prober(enum engine engine)
{
    if (engine == ENGINE_PEERS)
        return "dbhealthd-peers";
    return engine == ENGINE_POSTGRES ? "dbhealthd-postgres" : "dbhealthd-mysql";
}
