// See answers.h. Readiness, liveness and every group that check files name: the checks that the
// request asks for, judged with its own values for params, and the verdict of all.
#include "server/answer/answers.h"

#include "common/memory.h"
#include "server/report/report.h"

#include <stdlib.h>
#include <string.h>

// A request for checks, until their views are there.
struct asking {
    struct inquiry inquiry;
    struct config *config; // held: what the request began with is what it ends with
    const struct endpoint *endpoint;
    struct params overrides; // the request's values for params
};

// --- the answer

// `exclude` names that are no check of the endpoint, as the Kubernetes API server warns of them.
static struct words answer_endpoint_find_not_excluded(const struct asking *asking)
{
    const struct words *exclude = &asking->inquiry.facts->route->exclude;
    struct words unmatched = {0};
    for (size_t i = 0; i < exclude->count; i++) {
        bool matched = false;
        for (size_t j = 0; j < asking->endpoint->count; j++) {
            size_t check = asking->endpoint->checks[j];
            matched |= strcmp(asking->config->checks[check]->name, exclude->items[i]) == 0;
        }
        if (!matched && is_name(exclude->items[i]))
            words_add(&unmatched, exclude->items[i], strlen(exclude->items[i]));
    }
    return unmatched;
}

static void answer_endpoint_reply_report(const struct inquiry *inquiry, const struct report *report,
                                         int64_t age)
{
    unsigned status = report->passes ? 200 : 503;
    struct page page;
    if (inquiry->facts->json) {
        reply_json(inquiry, status, report_json(report), age);
        return;
    }
    if (report->passes && !inquiry->facts->route->verbose) {
        reply_words(inquiry, status, "ok", age);
        return;
    }
    page_open(&page);
    report_text(page.file, report);
    reply_page(inquiry, status, NULL, &page, age);
}

// For this request alone, with its own values for params.
static void answer_endpoint_judge_anew(const struct asking *asking, struct check_view *views,
                                       size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct check_view *view = &views[i];
        if (view->result == NULL || asking->overrides.count == 0)
            continue;
        view->judgement = judge(view->check, OUTCOME_OK, view->result, &asking->overrides);
        if (view->superuser)
            judgement_warn_of_superuser(&view->judgement);
    }
}

static struct instant answer_endpoint_earlier(struct instant a, struct instant b)
{
    return instant_before(a, b) ? a : b;
}

// The same request has the same answer until something becomes known, a result is too old, or the
// oldest is a second older.
static struct validity answer_endpoint_validity_of(const struct service *service,
                                                   const struct report *report, int64_t age)
{
    struct validity validity = {.until = {.ns = INT64_MAX},
                                .changes = scheduler_changes(service->scheduler),
                                .draining = report->circumstances.draining,
                                .checks = report->count};
    for (size_t i = 0; i < report->count; i++) {
        const struct check_view *view = &report->views[i];
        struct duration next_age = {.ms = (age + 1) * 1000};
        validity.until = answer_endpoint_earlier(validity.until, view->fresh_until);
        validity.until =
            answer_endpoint_earlier(validity.until, instant_add(view->started, next_age));
        if (!view->dated)
            return (struct validity){0};
    }
    if (report->count == 0 || (report->rule->unknown_fails_at_first && report->circumstances.young))
        return (struct validity){0};
    return validity;
}

static void answer_endpoint_show_endpoint(const struct asking *asking, struct check_view *views,
                                          size_t count)
{
    const struct route *route = asking->inquiry.facts->route;
    const struct endpoint *endpoint = asking->endpoint;
    struct inquiry inquiry = asking->inquiry;
    struct words unmatched = answer_endpoint_find_not_excluded(asking);
    answer_endpoint_judge_anew(asking, views, count);
    struct report report = {.name = endpoint->name,
                            .rule = endpoint->rule,
                            .views = views,
                            .count = count,
                            .circumstances = circumstances_of(inquiry.service),
                            .not_excluded = &unmatched};
    int64_t age = age_of(views, count);
    if (!inquiry.facts->json) // which tells the time
        inquiry.validity = answer_endpoint_validity_of(inquiry.service, &report, age);
    if (route->check[0] != '\0')
        report.circumstances.draining = false; // one check: nothing but that check fails it
    report.shows_drain = report.circumstances.draining && endpoint->rule->draining_fails;
    report.passes = endpoint_passes(endpoint->rule, views, count, &report.circumstances) &&
                    !(count == 0 && route->exclude.count > 0);
    answer_endpoint_reply_report(&inquiry, &report, age);
    words_free(&unmatched);
}

// --- asking

static void answer_endpoint_end(struct asking *asking)
{
    config_release(asking->config);
    params_clear(&asking->overrides);
    free(asking);
}

static void answer_endpoint_on_views(void *context, struct check_view *views, size_t count)
{
    struct asking *asking = context;
    answer_endpoint_show_endpoint(asking, views, count);
    answer_endpoint_end(asking);
}

static void answer_endpoint_drop(struct asking *asking, unsigned status, const struct error *error)
{
    reply_error(&asking->inquiry, status, error);
    answer_endpoint_end(asking);
}

// The checks that the route asks for; false if it names one that the endpoint does not have.
static bool answer_endpoint_select_checks(const struct asking *asking, size_t *checks,
                                          size_t *count)
{
    const struct route *route = asking->inquiry.facts->route;
    bool found = route->check[0] == '\0';
    *count = 0;
    for (size_t i = 0; i < asking->endpoint->count; i++) {
        size_t check = asking->endpoint->checks[i];
        const char *name = asking->config->checks[check]->name;
        bool asked = route->check[0] == '\0' || strcmp(route->check, name) == 0;
        found |= asked;
        if (asked && !words_have(&route->exclude, name))
            checks[(*count)++] = check;
    }
    return found;
}

static const struct param *answer_endpoint_find_param(const struct asking *asking,
                                                      const size_t *checks, size_t count,
                                                      const char *name)
{
    const struct param *param = NULL;
    for (size_t i = 0; i < count && param == NULL; i++)
        param = params_find(&asking->config->checks[checks[i]]->params, name);
    return param;
}

static bool answer_endpoint_take_overrides(struct asking *asking, const size_t *checks,
                                           size_t count, struct error *error)
{
    const struct route *route = asking->inquiry.facts->route;
    for (size_t i = 0; i < route->param_names.count; i++) {
        const char *name = route->param_names.items[i];
        const struct param *param = answer_endpoint_find_param(asking, checks, count, name);
        if (param == NULL)
            return route_refuse_param(name, error);
        if (!params_override(&asking->overrides, param, route->param_values.items[i], error))
            return false;
    }
    return true;
}

static void answer_endpoint_ask(struct asking *asking)
{
    struct error error;
    size_t count;
    size_t *checks = memory_new((asking->endpoint->count + 1) * sizeof *checks);
    if (!answer_endpoint_select_checks(asking, checks, &count)) {
        (void)error_set(&error, "no such check");
        answer_endpoint_drop(asking, 404, &error);
    } else if (!answer_endpoint_take_overrides(asking, checks, count, &error)) {
        answer_endpoint_drop(asking, 400, &error);
    } else {
        scheduler_ask(asking->inquiry.service->scheduler, checks, count, answer_endpoint_on_views,
                      asking);
    }
    free(checks);
}

void answer_endpoint(const struct inquiry *inquiry, const struct endpoint *endpoint)
{
    struct asking *asking = memory_new(sizeof *asking);
    *asking = (struct asking){
        .inquiry = *inquiry, .config = config_hold(inquiry->service->config), .endpoint = endpoint};
    answer_endpoint_ask(asking);
}
