// Where the files that belong to this program are: beside it, so that a build folder, an
// installation and an image all work as they lie.
#pragma once

#include <stddef.h>

// The path of a program in the folder of the running one; "" if the folder cannot be told.
void program_path(const char *program, char *path, size_t capacity);

// The folder of the installed check library: ../share/dbhealthd/checks from the program's folder,
// or checks in it (a build folder).
void library_path(char *path, size_t capacity);
