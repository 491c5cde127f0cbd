// Where the check library is that was installed with the programs.
#pragma once

#include <stddef.h>

// Where the installed library lies, seen from the program's folder, or checks in it (a build
// folder).
void library_path(char *path, size_t capacity);
