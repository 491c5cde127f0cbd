// Which files the server may still read once it is sandboxed: those of its configuration, in the
// versions that a reload will find as well.
#pragma once

#include "server/config/settings.h"

// Folders and files, for words_free.
struct words readable_paths(const struct settings *settings);
