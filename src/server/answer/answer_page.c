// See answers.h. The page at "/": it shows every check, and has the status that /readyz has.
#include "server/answer/answers.h"

#include "server/answer/overview.h"
#include "server/base/wall_time.h"
#include "server/report/page_policy.h"
#include "server/report/report_html.h"

static void answer_page_show(struct request *request, const struct overview *overview)
{
    const struct adapter_view *adapter = &overview->adapter;
    struct status_page status = {.config = adapter->config,
                                 .views = overview->report.views,
                                 .passes = adapter->passes,
                                 .circumstances = overview->report.circumstances,
                                 .probers = adapter->probers,
                                 .prober_count = adapter->prober_count,
                                 .statistics = adapter->statistics,
                                 .flavor = overview->server.flavor,
                                 .version = overview->server.version,
                                 .configuration_warning = adapter->configuration_warning,
                                 .moment = overview->report.moment};
    static char policy[PAGE_POLICY_MAX];
    struct body body;
    body_open(&body);
    report_html(body.file, &status);
    page_policy(policy, sizeof policy);
    request->answer.policy = policy;
    request_reply_body(request, overview->report.passes ? 200 : 503, media_content_type(MEDIA_HTML),
                       &body, overview->age);
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
