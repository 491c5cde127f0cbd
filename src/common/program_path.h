// Where the files that belong to this program are, seen from its own place, so that a build folder,
// an installation and an image all work as they lie.
#pragma once

#include "common/target.h"

#include <stddef.h>

// The path of what lies there, seen from the folder of the running program; "" if the folder cannot
// be told.
void program_path_from_here(const char *where, char *path, size_t capacity);

// The path of another of our programs: where it is installed, or beside this one (as in a build
// folder, and as all lie that people do not call).
void program_path(const char *name, char *path, size_t capacity);

// The program that probes servers of this engine.
const char *program_of_prober(enum engine engine);
