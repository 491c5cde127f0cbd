// See answers.h. Readiness, liveness and every group that check files name: the checks that the
// request asks for, judged with its own values for params, and the verdict of all.
#include "server/answer/answers.h"

#include "common/memory.h"
#include "server/check/alias.h"
#include "server/report/document.h"

#include <stdlib.h>
#include <string.h>

// --- the answer

// `exclude` names that are no check of the endpoint, as the Kubernetes API server warns of them.
static struct words answer_endpoint_find_not_excluded(const struct request *request)
{
    const struct words *exclude = &request->route.exclude;
    struct words unmatched = {0};
    for (size_t i = 0; i < exclude->count; i++) {
        bool matched = false;
        for (size_t j = 0; j < request->endpoint->count; j++) {
            size_t check = request->endpoint->checks[j];
            matched |= strcmp(request->config->checks[check]->name, exclude->items[i]) == 0;
        }
        if (!matched && is_name(exclude->items[i]))
            words_add(&unmatched, exclude->items[i], strlen(exclude->items[i]));
    }
    return unmatched;
}

static void answer_endpoint_reply(struct request *request, const struct report *report, int64_t age)
{
    unsigned status = request_status(request, report);
    struct body body;
    if (request->agent) {
        request_reply_agent(request, status, report);
        return;
    }
    if (request_wants_json(request)) {
        body_open(&body);
        struct writer writer = {.out = body.file};
        document_write(&writer, report);
        request_reply_json(request, status, &body, age);
        return;
    }
    if (status == 200 && !request->route.verbose) {
        request_reply_words(request, status, "ok", age);
        return;
    }
    body_open(&body);
    if (request->may_have_details)
        report_text(body.file, report);
    else
        report_names(body.file, report);
    request_reply_body(request, status, NULL, &body, age);
}

// For this request alone, with its own values for params.
static void answer_endpoint_judge_anew(const struct request *request, struct check_view *views,
                                       size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct check_view *view = &views[i];
        if (view->result == NULL || request->overrides.count == 0)
            continue;
        view->judgement =
            judge(view->check, OUTCOME_OK, view->result, &request->overrides, view->streaks);
        if (view->superuser)
            judgement_warn_of_superuser(&view->judgement);
    }
}

static struct instant answer_endpoint_earlier(struct instant a, struct instant b)
{
    return instant_before(a, b) ? a : b;
}

// The same request has the same answer until something becomes known, a result is too old, or the
// oldest is a second older; but none that tells of a configuration which another has replaced.
static struct validity answer_endpoint_validity_of(const struct request *request,
                                                   const struct report *report, int64_t age)
{
    const struct service *service = request->service;
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
    if (request->config != service->config || report->count == 0 ||
        (report->rule->unknown_fails_at_first && report->circumstances.young))
        return (struct validity){0};
    return validity;
}

static void answer_endpoint_on_views(void *context, struct check_view *views, size_t count)
{
    struct request *request = context;
    const struct route *route = &request->route;
    const struct endpoint_rule *rule = request->endpoint->rule;
    struct words unmatched = answer_endpoint_find_not_excluded(request);
    answer_endpoint_judge_anew(request, views, count);
    struct report report = {.name = request->endpoint->name,
                            .rule = rule,
                            .views = views,
                            .count = count,
                            .circumstances = service_circumstances(request->service),
                            .not_excluded = &unmatched,
                            .overrides = &request->overrides,
                            .history = route->history,
                            .moment = moment_now()};
    int64_t age = request_age(views, count);
    if (!request_wants_json(request)) // which tells the time
        request->answer.validity = answer_endpoint_validity_of(request, &report, age);
    report.circumstances.no_endpoint = route->check[0] != '\0';
    if (report.circumstances.no_endpoint)
        report.circumstances.draining = false; // one check: nothing but that check fails it
    report.shows_drain = report.circumstances.draining && rule->draining_fails;
    report.circumstances.draining &= !request->agent; // which is told of the drain beside the rest
    report.passes = endpoint_passes(rule, views, NULL, count, &report.circumstances) &&
                    !(count == 0 && route->exclude.count > 0);
    report.warns = report.passes && endpoint_warns(views, NULL, count);
    report.shows_warning = report.warns && route->warn_status != 200;
    answer_endpoint_reply(request, &report, age);
    words_free(&unmatched);
}

// --- what is asked for

// The checks that the route asks for; false if it names one that the endpoint does not have.
static bool answer_endpoint_select_checks(const struct request *request, size_t *checks,
                                          size_t *count)
{
    const struct route *route = &request->route;
    bool found = route->check[0] == '\0';
    *count = 0;
    for (size_t i = 0; i < request->endpoint->count; i++) {
        size_t check = request->endpoint->checks[i];
        const char *name = request->config->checks[check]->name;
        bool asked = route->check[0] == '\0' || strcmp(route->check, name) == 0;
        found |= asked;
        if (asked && !words_have(&route->exclude, name))
            checks[(*count)++] = check;
    }
    return found;
}

static const struct param *answer_endpoint_find_param(const struct request *request,
                                                      const size_t *checks, size_t count,
                                                      const char *name)
{
    const struct param *param = NULL;
    for (size_t i = 0; i < count && param == NULL; i++)
        param = params_find(&request->config->checks[checks[i]]->params, name);
    return param;
}

// A name that no check here has may be another tool's for one that it has.
static bool answer_endpoint_take_override(struct request *request, const size_t *checks,
                                          size_t count, size_t index, struct error *error)
{
    const struct route *route = &request->route;
    const char *name = route->param_names.items[index], *value = route->param_values.items[index];
    const char *meant = alias_of_param(name);
    const struct param *param = answer_endpoint_find_param(request, checks, count, name);
    char bytes[ALIAS_NUMBER_MAX];
    if (param == NULL && meant != NULL) {
        param = answer_endpoint_find_param(request, checks, count, meant);
        if (param != NULL && !alias_parse_bytes(value, bytes))
            return error_set(error, "%s: expected bytes, like 1048576 or 10MB", name);
        value = bytes;
    }
    if (param == NULL)
        return route_refuse_key(route, name, error);
    if (params_find(&request->overrides, param->name) != NULL)
        return error_set(error, "%s is given a second time", param->name);
    return params_override(&request->overrides, param, value, error);
}

static bool answer_endpoint_take_overrides(struct request *request, const size_t *checks,
                                           size_t count, struct error *error)
{
    for (size_t i = 0; i < request->route.param_names.count; i++) {
        if (!answer_endpoint_take_override(request, checks, count, i, error))
            return false;
    }
    return true;
}

// What a check tolerates is a warning, as a wrong password, and no restart helps there.
static bool answer_endpoint_refuses_warn(const struct request *request, struct error *error)
{
    if (!request->endpoint->rule->ends_container || request->route.warn_status == 200)
        return false;
    (void)error_set(error, "warn: not for %s, whose failure ends a container, and no warning is to",
                    request->endpoint->name);
    return true;
}

static void answer_endpoint_ask(struct request *request)
{
    struct error error;
    size_t count;
    size_t *checks = memory_new((request->endpoint->count + 1) * sizeof *checks);
    if (!answer_endpoint_select_checks(request, checks, &count))
        request_reply_words(request, 404, "no such check\n", -1);
    else if (answer_endpoint_refuses_warn(request, &error) ||
             !answer_endpoint_take_overrides(request, checks, count, &error))
        request_reply_error(request, 400, &error);
    else
        scheduler_ask(request->service->scheduler, checks, count, answer_endpoint_on_views,
                      request);
    free(checks);
}

void answer_endpoint(struct request *request)
{
    request_hold_config(request);
    request->endpoint = config_endpoint(request->config, request->route.endpoint);
    if (request->endpoint == NULL)
        request_reply_words(request, 404, "no such endpoint\n", -1);
    else
        answer_endpoint_ask(request);
}
