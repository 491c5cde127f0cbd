// Reading the configuration anew, on SIGHUP and when its files change, while requests go on.
#pragma once

#include "server/answer/answer.h"

struct reload;

// From now on reloads what changes into the service, which must outlive it and be complete when the
// loop runs. To be called before the configuration is read for the first time.
struct reload *reload_start(uv_loop_t *loop, struct service *service,
                            const struct settings *settings);

// Logs what is doubtful in a configuration that is taken; that of the start does not come through here.
void reload_log_warnings(const struct config *config);

// Freed by the loop later.
void reload_end(struct reload *reload);
