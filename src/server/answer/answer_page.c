// See answers.h. The page at "/": it shows every check, and has the status that /readyz has.
#include "server/answer/answers.h"

#include "server/answer/overview.h"
#include "server/base/wall_time.h"
#include "server/report/report_html.h"

static void answer_page_show_page(const struct inquiry *inquiry, const struct overview *overview)
{
    const struct service *service = inquiry->service;
    const struct config *config = overview->config;
    const struct endpoint *readyz = config_endpoint(config, "readyz");
    struct instant now = instant_now();
    struct status_page status = {.config = config,
                                 .views = overview->views,
                                 .passes = overview->passes,
                                 .circumstances = overview->circumstances,
                                 .probers = overview->probers,
                                 .prober_count = overview->prober_count,
                                 .statistics = service->statistics,
                                 .flavor = flavor_name(overview->server.flavor),
                                 .version = overview->server.version,
                                 .configuration_warning = configuration_warning(service),
                                 .moment = {.now = now, .unix_ms = wall_time_ms(now)}};
    struct page page;
    page_open(&page);
    report_html(page.file, &status);
    reply_html(inquiry, overview->passes[readyz - config->endpoints] ? 200 : 503, &page,
               age_of(overview->views, overview->count));
}

// What may be asked for of /readyz's text, and has no page.
static bool answer_page_refuse_query(const struct route *route, struct error *error)
{
    if (route->param_names.count > 0)
        return route_refuse_param(route->param_names.items[0], error);
    return route->exclude.count == 0 || error_set(error, "the page leaves no check out");
}

void answer_page(const struct inquiry *inquiry)
{
    struct error error;
    if (!answer_page_refuse_query(inquiry->facts->route, &error))
        reply_error(inquiry, 400, &error);
    else
        overview_ask(inquiry, answer_page_show_page);
}
