// See answers.h. What shows all checks at once, /status and /metrics: both ask for what is due, wait
// to the deadline like everyone, and then show what there is.
#include "server/answers.h"

#include "common/memory.h"
#include "server/log.h"
#include "server/report.h"
#include "server/report_metrics.h"
#include "server/wall_time.h"

#include <stdlib.h>

static const char metrics_type[] = "text/plain; version=0.0.4; charset=utf-8";

// All checks and endpoints, as of one moment.
struct overview {
    const struct config *config;
    const struct check_view *views; // of its checks
    size_t count;
    struct circumstances circumstances;
    bool *passes; // of its endpoints
};

typedef void shower(const struct inquiry *inquiry, const struct overview *overview);

// A request for all checks, until their views are there.
struct asking {
    struct inquiry inquiry;
    struct config *config; // held: what the request began with is what it ends with
    shower *show;
};

static bool passes_now(const struct endpoint *endpoint, const struct overview *overview)
{
    struct check_view *own = memory_new((endpoint->count + 1) * sizeof *own);
    for (size_t i = 0; i < endpoint->count; i++)
        own[i] = overview->views[endpoint->checks[i]];
    bool passes = endpoint_passes(endpoint->rule, own, endpoint->count, &overview->circumstances);
    free(own);
    return passes;
}

static void on_views(void *context, struct check_view *views, size_t count)
{
    struct asking *asking = context;
    const struct config *config = asking->config;
    struct overview overview = {.config = config,
                                .views = views,
                                .count = count,
                                .circumstances = circumstances_of(asking->inquiry.service),
                                .passes = memory_new(config->endpoint_count + 1)};
    for (size_t i = 0; i < config->endpoint_count; i++)
        overview.passes[i] = passes_now(&config->endpoints[i], &overview);
    asking->show(&asking->inquiry, &overview);
    free(overview.passes);
    config_release(asking->config);
    free(asking);
}

static void ask_all(const struct inquiry *inquiry, shower *show)
{
    struct asking *asking = memory_new(sizeof *asking);
    *asking = (struct asking){
        .inquiry = *inquiry, .config = config_hold(inquiry->service->config), .show = show};
    size_t count = asking->config->check_count;
    size_t *checks = memory_new((count + 1) * sizeof *checks);
    for (size_t i = 0; i < count; i++)
        checks[i] = i;
    scheduler_ask(inquiry->service->scheduler, checks, count, on_views, asking);
    free(checks);
}

// --- /status

static json_t *json_of_configuration(const struct service *service)
{
    const char *warning = configuration_warning(service);
    char read[WALL_TIME_MAX];
    wall_time_format_ms(service->statistics->reloads.last_success_ms, read, sizeof read);
    return json_pack("{s:s, s:s*, s:s}", "status", warning == NULL ? "pass" : "warn", "output",
                     warning, "time", read);
}

// Its own word is that of /readyz.
static void show_status(const struct inquiry *inquiry, const struct overview *overview)
{
    const struct config *config = overview->config;
    const struct endpoint *readyz = config_endpoint(config, "readyz");
    struct report report = {.name = "status",
                            .rule = readyz->rule,
                            .views = overview->views,
                            .count = overview->count,
                            .circumstances = overview->circumstances,
                            .passes = overview->passes[readyz - config->endpoints],
                            .shows_drain = overview->circumstances.draining};
    json_t *object = report_json(&report);
    json_t *endpoints = json_object();
    for (size_t i = 0; i < config->endpoint_count; i++)
        (void)json_object_set_new(endpoints, config->endpoints[i].name,
                                  json_string(overview->passes[i] ? "pass" : "fail"));
    (void)json_object_set_new(object, "endpoints", endpoints);
    (void)json_object_set_new(object, "configuration", json_of_configuration(inquiry->service));
    reply_json(inquiry, 200, object, age_of(overview->views, overview->count));
}

void answer_status(const struct inquiry *inquiry)
{
    ask_all(inquiry, show_status);
}

// --- /metrics

// The server as the prober saw it that has looked last.
static struct server_seen server_of(const struct scheduler *scheduler)
{
    struct server_seen latest = {.flavor = FLAVOR_UNKNOWN};
    for (size_t i = 0; i < scheduler_prober_count(scheduler); i++) {
        struct server_seen seen = prober_server(scheduler_prober(scheduler, i));
        if (instant_before(latest.opened, seen.opened))
            latest = seen;
    }
    return latest;
}

static struct prober_view *view_probers(const struct scheduler *scheduler)
{
    size_t count = scheduler_prober_count(scheduler);
    struct prober_view *views = memory_new((count + 1) * sizeof *views);
    for (size_t i = 0; i < count; i++) {
        const struct prober *prober = scheduler_prober(scheduler, i);
        views[i] = (struct prober_view){.statistics = prober_statistics(prober),
                                        .open_pending = prober_is_pending(prober)};
    }
    return views;
}

static void show_metrics(const struct inquiry *inquiry, const struct overview *overview)
{
    const struct service *service = inquiry->service;
    struct server_seen server = server_of(service->scheduler);
    struct prober_view *probers = view_probers(service->scheduler);
    struct metrics metrics = {.config = overview->config,
                              .views = overview->views,
                              .passes = overview->passes,
                              .probers = probers,
                              .prober_count = scheduler_prober_count(service->scheduler),
                              .statistics = service->statistics,
                              .flavor = flavor_name(server.flavor),
                              .version = server.version,
                              .draining = overview->circumstances.draining,
                              .log_lines_dropped = log_lines_dropped(),
                              .usage = usage_now(),
                              .now = instant_now()};
    struct page page;
    page_open(&page);
    report_metrics(page.file, &metrics);
    free(probers);
    reply_page(inquiry, 200, metrics_type, &page, age_of(overview->views, overview->count));
}

void answer_metrics(const struct inquiry *inquiry)
{
    ask_all(inquiry, show_metrics);
}
