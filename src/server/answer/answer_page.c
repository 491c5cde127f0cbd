// See answers.h. The page at "/": it shows every check, and has the status that /readyz has.
#include "server/answer/answers.h"

#include "server/answer/overview.h"
#include "server/base/wall_time.h"
#include "server/report/page_policy.h"
#include "server/report/report_html.h"

static void answer_page_show(struct request *request, const struct overview *overview)
{
    const struct service *service = request->service;
    struct instant now = instant_now();
    struct status_page status = {.config = overview->config,
                                 .views = overview->views,
                                 .passes = overview->passes,
                                 .circumstances = overview->circumstances,
                                 .probers = overview->probers,
                                 .prober_count = overview->prober_count,
                                 .statistics = service->statistics,
                                 .flavor = flavor_name(overview->server.flavor),
                                 .version = overview->server.version,
                                 .configuration_warning = service_configuration_warning(service),
                                 .moment = {.now = now, .unix_ms = wall_time_ms(now)}};
    static char policy[PAGE_POLICY_MAX];
    struct body body;
    body_open(&body);
    report_html(body.file, &status);
    page_policy(policy, sizeof policy);
    request->answer.policy = policy;
    request_reply_body(request, overview->ready ? 200 : 503, media_content_type(MEDIA_HTML), &body,
                       overview->age);
}

// What may be asked for of /readyz's text, and has no page.
static bool answer_page_refuse_query(const struct route *route, struct error *error)
{
    if (route->param_names.count > 0)
        return route_refuse_param(route->param_names.items[0], error);
    return route->exclude.count == 0 || error_set(error, "the page leaves no check out");
}

void answer_page(struct request *request)
{
    struct error error;
    if (!answer_page_refuse_query(&request->route, &error))
        request_reply_error(request, 400, &error);
    else
        overview_ask(request, answer_page_show);
}
