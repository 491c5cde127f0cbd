// See overview.h.
#include "server/answer/overview.h"

#include "common/memory.h"

#include <stdlib.h>

// What is asked for, until it is there.
struct overview_query {
    struct request *request;
    size_t *order; // in which the checks were asked for
    overview_shower *show;
};

// All checks, those of /readyz first.
static size_t *overview_order_of(const struct config *config)
{
    const struct endpoint *readyz = config_endpoint(config, "readyz");
    size_t *order = memory_new((config->check_count + 1) * sizeof *order);
    bool *placed = memory_new(config->check_count + 1);
    size_t count = 0;
    for (size_t i = 0; i < readyz->count; i++) {
        order[count++] = readyz->checks[i];
        placed[readyz->checks[i]] = true;
    }
    for (size_t i = 0; i < config->check_count; i++) {
        if (!placed[i])
            order[count++] = i;
    }
    free(placed);
    return order;
}

// The caller's; whether each endpoint passes.
static bool *overview_passes(const struct config *config, const struct report *report)
{
    bool *passes = memory_new(config->endpoint_count + 1);
    for (size_t i = 0; i < config->endpoint_count; i++) {
        const struct endpoint *endpoint = &config->endpoints[i];
        passes[i] = endpoint_passes(endpoint->rule, report->views, endpoint->checks,
                                    endpoint->count, &report->circumstances);
    }
    return passes;
}

static struct server_view overview_server(const struct config *config,
                                          const struct scheduler *scheduler)
{
    struct server_seen seen = scheduler_server(scheduler);
    return (struct server_view){
        .engine = config->engine, .flavor = flavor_name(seen.flavor), .version = seen.version};
}

// The caller's.
static struct prober_view *overview_probers(const struct scheduler *scheduler)
{
    size_t count = scheduler_prober_count(scheduler);
    struct prober_view *views = memory_new((count + 1) * sizeof *views);
    for (size_t i = 0; i < count; i++) {
        const struct prober *prober = scheduler_prober(scheduler, i);
        views[i] = (struct prober_view){.statistics = prober_statistics(prober),
                                        .open_pending = prober_is_pending(prober),
                                        .beyond_help = prober_is_beyond_help(prober),
                                        .sandbox = prober_sandbox(prober)};
    }
    return views;
}

static void overview_show(const struct overview_query *query, const struct check_view *views,
                          size_t count)
{
    struct request *request = query->request;
    const struct service *service = request->service;
    const struct config *config = request->config;
    struct circumstances circumstances = service_circumstances(service);
    struct overview overview = {
        .report = {.name = "status",
                   .rule = endpoint_rule("readyz"),
                   .views = views,
                   .count = count,
                   .circumstances = circumstances,
                   .shows_drain = circumstances.draining,
                   .history = request->route.history,
                   .moment = moment_now()},
        .server = overview_server(config, service->scheduler),
        .adapter = {.config = config,
                    .statistics = service->statistics,
                    .configuration_warning = service_configuration_warning(service),
                    .sandbox = &service->sandbox,
                    .prober_count = scheduler_prober_count(service->scheduler)},
        .age = request_age(views, count)};
    bool *passes = overview_passes(config, &overview.report);
    struct prober_view *probers = overview_probers(service->scheduler);
    const struct endpoint *readyz = config_endpoint(config, "readyz");
    overview.report.passes = passes[readyz - config->endpoints];
    overview.report.warns =
        overview.report.passes && endpoint_warns(views, readyz->checks, readyz->count);
    overview.report.server = &overview.server;
    overview.report.adapter = &overview.adapter;
    overview.adapter.passes = passes;
    overview.adapter.probers = probers;
    query->show(request, &overview);
    free(probers);
    free(passes);
}

static void overview_on_views(void *context, struct check_view *views, size_t count)
{
    struct overview_query *query = context;
    struct check_view *sorted = memory_new((count + 1) * sizeof *sorted);
    for (size_t i = 0; i < count; i++)
        sorted[query->order[i]] = views[i];
    overview_show(query, sorted, count);
    free(sorted);
    free(query->order);
    free(query);
}

void overview_ask(struct request *request, overview_shower *show)
{
    request_hold_config(request);
    const struct config *config = request->config;
    struct overview_query *query = memory_new(sizeof *query);
    *query = (struct overview_query){
        .request = request, .order = overview_order_of(config), .show = show};
    scheduler_ask(request->service->scheduler, query->order, config->check_count, overview_on_views,
                  query);
}
