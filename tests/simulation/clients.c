// Clients: each asks once for an endpoint, for all checks, or for one check alone.
#include "simulation.h"

#include "common/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { REMEMBERED = 1000 }; // answered requests, for who would answer one twice

static void client_add_all(struct request *request, const struct config *config)
{
    for (size_t i = 0; i < config->check_count; i++) {
        if (!config->checks[i]->peers)
            request->checks[request->count++] = i;
    }
}

static void client_add_check(struct request *request, const struct config *config)
{
    char name[NAME_ROOM];
    (void)snprintf(name, sizeof name, "c%lld", (long long)request->what - WHAT_CHECK);
    for (size_t i = 0; i < config->check_count; i++) {
        if (strcmp(config->checks[i]->name, name) == 0)
            request->checks[request->count++] = i;
    }
}

static void client_choose_checks(struct request *request)
{
    static const char *const names[] = {"healthz", "readyz", "startupz"};
    const struct config *config = request->config;
    request->name = request->what == WHAT_PEERS ? "sole-primary"
                    : request->what < WHAT_ALL  ? names[request->what]
                                                : "readyz";
    if (request->what == WHAT_ALL)
        client_add_all(request, config);
    else if (request->what >= WHAT_CHECK && request->what < WHAT_PEERS)
        client_add_check(request, config);
    const struct endpoint *endpoint = config_endpoint(config, request->name);
    request->rule = endpoint->rule;
    bool all = request->what < WHAT_ALL || request->what == WHAT_PEERS;
    for (size_t i = 0; all && i < endpoint->count; i++)
        request->checks[request->count++] = endpoint->checks[i];
}

static void client_forget(struct simulation *simulation, struct request *request)
{
    TAILQ_REMOVE(&simulation->answered, request, entry);
    simulation->answered_count--;
    free(request);
}

static void client_on_views(void *context, struct check_view *views, size_t count)
{
    struct request *request = context;
    struct simulation *simulation = request->simulation;
    if (request->answered) {
        promise_broken(simulation, "every request is answered once", "request %llu is twice",
                       (unsigned long long)request->number);
        return;
    }
    request->answered = true;
    simulation->answered_at = simulation->now;
    TAILQ_REMOVE(&simulation->requests, request, entry);
    TAILQ_INSERT_TAIL(&simulation->answered, request, entry);
    if (request->what != WHAT_PEERS)
        promise_on_answer(request, views, count);
    else
        promise_on_answer_of_peers(request, views, count);
    config_release(request->config);
    if (++simulation->answered_count > REMEMBERED)
        client_forget(simulation, TAILQ_FIRST(&simulation->answered));
}

void client_ask(struct simulation *simulation, int64_t what)
{
    struct adapter *adapter = &simulation->adapter;
    if (adapter->scheduler == NULL)
        return;
    struct request *request = memory_new(sizeof *request);
    *request = (struct request){.simulation = simulation,
                                .number = ++simulation->request_count,
                                .what = what,
                                .asked = simulation->now,
                                .config = config_hold(adapter->config)};
    client_choose_checks(request);
    TAILQ_INSERT_TAIL(&simulation->requests, request, entry);
    if (what != WHAT_PEERS)
        promise_on_ask(simulation, request);
    adapter->asked += request->count;
    scheduler_ask(adapter->scheduler, request->checks, request->count, client_on_views, request);
}

void client_free_all(struct simulation *simulation)
{
    struct request *request = TAILQ_FIRST(&simulation->answered);
    while (request != NULL) {
        struct request *next = TAILQ_NEXT(request, entry);
        client_forget(simulation, request);
        request = next;
    }
}
