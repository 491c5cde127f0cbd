// HTTP on the loop: libmicrohttpd's daemon, its connections and their deadlines.
#pragma once

#include "server/answer/answer.h"

#include <uv.h>

struct http;

// Serves on a listening socket, which it takes over, as what this listener is for. Each has as many
// connections as are its own. NULL, with the reason, if the daemon cannot be started. The service
// must outlive it.
struct http *http_start(uv_loop_t *loop, enum listener listener, int listening,
                        struct service *service, struct error *error);

// Stops listening, sends what has been answered and closes. Every request must have been answered.
// Freed by the loop later.
void http_end(struct http *http);
