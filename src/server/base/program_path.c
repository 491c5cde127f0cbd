// See program_path.h. dbhealthd only.
#include "server/base/program_path.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void program_path_in_own_folder(const char *name, char *path, size_t capacity)
{
    char self[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    path[0] = '\0';
    if (length <= 0)
        return;
    self[length] = '\0';
    *strrchr(self, '/') = '\0';
    if (snprintf(path, capacity, "%s/%s", self, name) >= (int)capacity)
        path[0] = '\0';
}

void program_path(const char *program, char *path, size_t capacity)
{
    program_path_in_own_folder(program, path, capacity);
}

void library_path(char *path, size_t capacity)
{
    program_path_in_own_folder(DBHEALTH_LIBRARY, path, capacity);
    if (access(path, R_OK) != 0)
        program_path_in_own_folder("checks", path, capacity);
}
