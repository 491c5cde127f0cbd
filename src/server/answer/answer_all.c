// See answers.h. What shows all checks at once to programs: /status and /metrics.
#include "server/answer/answers.h"

#include "server/answer/overview.h"
#include "server/base/log.h"
#include "server/base/wall_time.h"
#include "server/report/report.h"

static const char metrics_type[] = "text/plain; version=0.0.4; charset=utf-8";

// --- /status

static json_t *answer_all_json_of_configuration(const struct service *service)
{
    const char *warning = configuration_warning(service);
    char read[WALL_TIME_MAX];
    wall_time_format_ms(service->statistics->reloads.last_success_ms, read, sizeof read);
    return json_pack("{s:s, s:s*, s:s}", "status", warning == NULL ? "pass" : "warn", "output",
                     warning, "time", read);
}

// Its own word is that of /readyz.
static void answer_all_show_status(const struct inquiry *inquiry, const struct overview *overview)
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
    (void)json_object_set_new(object, "configuration",
                              answer_all_json_of_configuration(inquiry->service));
    reply_json(inquiry, 200, object, age_of(overview->views, overview->count));
}

void answer_status(const struct inquiry *inquiry)
{
    overview_ask(inquiry, answer_all_show_status);
}

// --- /metrics

static void answer_all_show_metrics(const struct inquiry *inquiry, const struct overview *overview)
{
    const struct service *service = inquiry->service;
    struct metrics metrics = {.config = overview->config,
                              .views = overview->views,
                              .passes = overview->passes,
                              .probers = overview->probers,
                              .prober_count = overview->prober_count,
                              .statistics = service->statistics,
                              .flavor = flavor_name(overview->server.flavor),
                              .version = overview->server.version,
                              .draining = overview->circumstances.draining,
                              .log_lines_dropped = log_lines_dropped(),
                              .usage = usage_now(),
                              .now = instant_now()};
    struct page page;
    page_open(&page);
    metrics_write(page.file, &metrics);
    reply_page(inquiry, 200, metrics_type, &page, age_of(overview->views, overview->count));
}

void answer_metrics(const struct inquiry *inquiry)
{
    overview_ask(inquiry, answer_all_show_metrics);
}
