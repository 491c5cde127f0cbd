// What answers are made from, and what holds for the adapter as a whole.
#pragma once

#include "common/control.h"
#include "common/sandbox.h"
#include "server/probing/scheduler.h"

// Owned by serve.c, which swaps and changes its parts.
struct service {
    struct config *config;
    struct scheduler *scheduler;   // NULL: the adapter is ending, and nothing more is probed
    struct statistics *statistics; // outlives both
    struct instant started;        // of listening
    int64_t draining_since_ms;     // SIGTERM came then, in Unix time; 0: it has not
    struct sandbox sandbox;        // that we are in
};

enum { AGENT_CLIENTS_MAX = 256 }; // agent checks at one time, for which HTTP leaves room

// True while a signal or the drain file asks load balancers to look away.
bool service_is_draining(const struct service *service);

// When the drain file was made, in Unix time in milliseconds; 0 if it is not there.
int64_t service_drain_file_since_ms(const struct service *service);

// What holds for the adapter now.
struct circumstances service_circumstances(const struct service *service);

// True if more may be told at the listener than a status, and `ok` or the names of checks that
// fail. The one place where that is decided. A client is known by its certificate.
bool service_tells_details(const struct service *service, enum listener listener, bool known);

// What is wrong with the configuration, where the log says the most; NULL: nothing.
const char *service_configuration_warning(const struct service *service);
