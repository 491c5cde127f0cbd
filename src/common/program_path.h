// Where the files that belong to this program are: beside it, so that a build folder, an
// installation and an image all work as they lie.
#pragma once

#include "common/target.h"

#include <stddef.h>

// The path of what has this name, seen from the folder of the running program; "" if the folder
// cannot be told.
void program_path(const char *name, char *path, size_t capacity);

// The program that probes servers of this engine.
const char *program_of_prober(enum engine engine);
