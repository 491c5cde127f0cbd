// See library_path.h.
#include "server/base/library_path.h"

#include "common/program_path.h"

#include <unistd.h>

void library_path(char *path, size_t capacity)
{
    program_path_from_here(DBHEALTH_LIBRARY, path, capacity);
    if (access(path, R_OK) != 0)
        program_path_from_here("checks", path, capacity);
}
