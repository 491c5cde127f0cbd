// Reading the configuration anew, on SIGHUP and when its files change, while requests go on.
#pragma once

#include "server/answer.h"

struct reload;

// From now on reloads what changes into the service, which must outlive it and be complete when the
// loop runs. To be called before the configuration is read for the first time.
struct reload *reload_start(uv_loop_t *loop, struct service *service,
                            const struct settings *settings);

// Freed by the loop later.
void reload_end(struct reload *reload);
