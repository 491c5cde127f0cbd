// Which files the server may still read once it is sandboxed: those of its configuration, in the
// versions that a reload will find as well.
#pragma once

#include "server/config/settings.h"

// Folders and files, for words_free.
struct words readable_paths(const struct settings *settings);

// Adds a warning for each secret of the probe user that lies among checks, where the server can
// read it.
void readable_find_doubts(const struct settings *settings, struct words *warnings);
