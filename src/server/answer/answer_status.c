// See answers.h. All there is to know, as the JSON document.
#include "server/answer/answers.h"

#include "server/answer/overview.h"
#include "server/base/wall_time.h"
#include "server/report/report.h"

static json_t *answer_status_json_of_configuration(const struct service *service)
{
    const char *warning = service_configuration_warning(service);
    char read[WALL_TIME_MAX];
    wall_time_format_ms(service->statistics->reloads.last_success_ms, read, sizeof read);
    return json_pack("{s:s, s:s*, s:s}", "status", warning == NULL ? "pass" : "warn", "output",
                     warning, "time", read);
}

// Its own word is that of /readyz.
static void answer_status_show_status(struct request *request, const struct overview *overview)
{
    const struct config *config = overview->config;
    struct report report = {.name = "status",
                            .rule = endpoint_rule("readyz"),
                            .views = overview->views,
                            .count = overview->count,
                            .circumstances = overview->circumstances,
                            .passes = overview->ready,
                            .shows_drain = overview->circumstances.draining};
    json_t *object = report_json(&report);
    json_t *endpoints = json_object();
    for (size_t i = 0; i < config->endpoint_count; i++)
        (void)json_object_set_new(endpoints, config->endpoints[i].name,
                                  json_string(overview->passes[i] ? "pass" : "fail"));
    (void)json_object_set_new(object, "endpoints", endpoints);
    (void)json_object_set_new(object, "configuration",
                              answer_status_json_of_configuration(request->service));
    request_reply_json(request, 200, object, overview->age);
}

void answer_status(struct request *request)
{
    overview_ask(request, answer_status_show_status);
}
