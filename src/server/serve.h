// The daemon: everything put together, from the first listening to the goodbye.
#pragma once

#include "server/config/settings.h"

// Serves until a signal ends it. Takes the settings over. Returns the exit status: 0, or 2 when it
// cannot listen.
int serve(struct settings *settings);
