// Reading the configuration: at the start, and anew on SIGHUP and when its files change, while
// requests go on.
#pragma once

#include "server/check/statistics.h"
#include "server/config/config.h"

#include <uv.h>

struct reload;

// Gets a configuration that takes the place of the running one. It is the caller's: hold it to keep
// it.
typedef void reload_taken(void *context, struct config *config);

// Reads the configuration, taking the settings over; from now on what changes is read anew and
// given to `taken`. Logs what came of it and counts it in statistics, which must outlive it.
struct reload *reload_start(uv_loop_t *loop, struct settings *settings,
                            struct reload_statistics *statistics, reload_taken *taken,
                            void *context);

// The running configuration: the one read at the start, or the latest that `taken` got.
struct config *reload_running(const struct reload *reload);

// Logs what is wrong and what is doubtful in the running configuration; for the start.
void reload_log_problems(const struct reload *reload);

// Reads all anew at once, as SIGHUP asks for.
void reload_now(struct reload *reload);

// Freed by the loop later. If the file system does not answer, the process exits with 0 a moment
// after, when all else has ended.
void reload_end(struct reload *reload);
