// See answer.h. Runs between HTTP, which knows no checks, and the scheduler, which knows no HTTP.
#include "server/answer.h"

#include "common/memory.h"
#include "server/report.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { YOUNG_MS = 5000 };

static const char text_type[] = "text/plain; charset=utf-8";
static const char health_type[] = "application/health+json";

// A request for checks, until their views are there.
struct asking {
    struct service *service;
    struct config *config; // held: what the request began with is what it ends with
    const struct request_facts *facts;
    const struct endpoint *endpoint; // NULL: all checks, for /status
    struct params overrides;         // the request's values for params
    answer_ready *ready;
    void *context;
};

// --- bodies

static void reply(unsigned status, const char *type, char *body, size_t length, int64_t age,
                  answer_ready *ready, void *context)
{
    struct answer answer = {.status = status,
                            .type = type,
                            .body = body,
                            .length = length,
                            .allow = status == 405,
                            .age = age};
    ready(context, &answer);
}

static void reply_words(unsigned status, const char *words, answer_ready *ready, void *context)
{
    reply(status, text_type, memory_string(words), strlen(words), -1, ready, context);
}

static void reply_error(unsigned status, const struct error *error, answer_ready *ready,
                        void *context)
{
    char words[sizeof error->text + 2];
    (void)snprintf(words, sizeof words, "%s\n", error->text);
    reply_words(status, words, ready, context);
}

static void reply_json(unsigned status, json_t *object, int64_t age, answer_ready *ready,
                       void *context)
{
    size_t length;
    char *body = report_json_text(object, &length);
    reply(status, health_type, body, length, age, ready, context);
}

static FILE *open_body(char **body, size_t *length)
{
    FILE *file = open_memstream(body, length);
    if (file == NULL)
        abort();
    return file;
}

// --- endpoints

static struct circumstances circumstances_of(const struct service *service)
{
    const char *drain_file = service->config->settings.drain_file;
    bool file = drain_file[0] != '\0' && access(drain_file, F_OK) == 0;
    bool young = instant_since(service->started, instant_now()).ms < YOUNG_MS;
    return (struct circumstances){.draining = service->draining || file, .young = young};
}

static int64_t age_of(const struct check_view *views, size_t count)
{
    struct instant now = instant_now();
    int64_t age = -1;
    for (size_t i = 0; i < count; i++) {
        int64_t seconds = views[i].dated ? instant_since(views[i].started, now).ms / 1000 : -1;
        age = seconds > age ? seconds : age;
    }
    return age;
}

// `exclude` names that are no check of the endpoint, as the Kubernetes API server warns of them.
static struct words find_not_excluded(const struct asking *asking)
{
    const struct words *exclude = &asking->facts->route->exclude;
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

static void reply_report(const struct asking *asking, const struct report *report, int64_t age)
{
    unsigned status = report->passes ? 200 : 503;
    char *body;
    size_t length;
    if (asking->facts->json) {
        reply_json(status, report_json(report), age, asking->ready, asking->context);
        return;
    }
    if (report->passes && !asking->facts->route->verbose) {
        reply(status, text_type, memory_string("ok"), strlen("ok"), age, asking->ready,
              asking->context);
        return;
    }
    FILE *file = open_body(&body, &length);
    report_text(file, report);
    fclose(file);
    reply(status, text_type, body, length, age, asking->ready, asking->context);
}

// For this request alone, with its own values for params.
static void judge_anew(const struct asking *asking, struct check_view *views, size_t count)
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

static void answer_endpoint(const struct asking *asking, struct check_view *views, size_t count)
{
    const struct route *route = asking->facts->route;
    const struct endpoint *endpoint = asking->endpoint;
    struct words unmatched = find_not_excluded(asking);
    judge_anew(asking, views, count);
    struct report report = {.name = endpoint->name,
                            .rule = endpoint->rule,
                            .views = views,
                            .count = count,
                            .circumstances = circumstances_of(asking->service),
                            .not_excluded = &unmatched};
    if (route->check[0] != '\0')
        report.circumstances.draining = false; // one check: nothing but that check fails it
    report.shows_drain = report.circumstances.draining && endpoint->rule->draining_fails;
    report.passes = endpoint_passes(endpoint->rule, views, count, &report.circumstances) &&
                    !(count == 0 && route->exclude.count > 0);
    reply_report(asking, &report, age_of(views, count));
    words_free(&unmatched);
}

// --- /status

static bool passes_now(const struct endpoint *endpoint, const struct check_view *views,
                       const struct circumstances *circumstances)
{
    struct check_view *own = memory_new((endpoint->count + 1) * sizeof *own);
    for (size_t i = 0; i < endpoint->count; i++)
        own[i] = views[endpoint->checks[i]];
    bool passes = endpoint_passes(endpoint->rule, own, endpoint->count, circumstances);
    free(own);
    return passes;
}

// Everything that is known; the status is that of /readyz, the HTTP status 200.
static void answer_status(const struct asking *asking, const struct check_view *views, size_t count)
{
    const struct endpoint *readyz = config_endpoint(asking->config, "readyz");
    struct circumstances circumstances = circumstances_of(asking->service);
    struct report report = {.name = "status",
                            .rule = readyz->rule,
                            .views = views,
                            .count = count,
                            .circumstances = circumstances,
                            .passes = passes_now(readyz, views, &circumstances),
                            .shows_drain = circumstances.draining};
    json_t *object = report_json(&report);
    json_t *endpoints = json_object();
    for (size_t i = 0; i < asking->config->endpoint_count; i++) {
        const struct endpoint *endpoint = &asking->config->endpoints[i];
        bool passes = passes_now(endpoint, views, &circumstances);
        (void)json_object_set_new(endpoints, endpoint->name, json_string(passes ? "pass" : "fail"));
    }
    (void)json_object_set_new(object, "endpoints", endpoints);
    reply_json(200, object, age_of(views, count), asking->ready, asking->context);
}

// --- asking

static void free_asking(struct asking *asking)
{
    config_release(asking->config);
    params_clear(&asking->overrides);
    free(asking);
}

static void on_views(void *context, struct check_view *views, size_t count)
{
    struct asking *asking = context;
    if (asking->endpoint != NULL)
        answer_endpoint(asking, views, count);
    else
        answer_status(asking, views, count);
    free_asking(asking);
}

static struct asking *new_asking(struct service *service, const struct request_facts *facts,
                                 const struct endpoint *endpoint, answer_ready *ready,
                                 void *context)
{
    struct asking *asking = memory_new(sizeof *asking);
    *asking = (struct asking){.service = service,
                              .config = config_hold(service->config),
                              .facts = facts,
                              .endpoint = endpoint,
                              .ready = ready,
                              .context = context};
    return asking;
}

static void drop_asking(struct asking *asking, unsigned status, const struct error *error)
{
    reply_error(status, error, asking->ready, asking->context);
    free_asking(asking);
}

// The checks that the route asks for; false if it names one that the endpoint does not have.
static bool select_checks(const struct asking *asking, size_t *checks, size_t *count)
{
    const struct route *route = asking->facts->route;
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

static const struct param *find_param(const struct asking *asking, const size_t *checks,
                                      size_t count, const char *name)
{
    const struct param *param = NULL;
    for (size_t i = 0; i < count && param == NULL; i++)
        param = params_find(&asking->config->checks[checks[i]]->params, name);
    return param;
}

static bool refuse_param(const char *name, struct error *error)
{
    char clean[64];
    struct text text = text_in(clean, sizeof clean);
    text_add_foreign(&text, name, strlen(name));
    return error_set(error,
                     "unknown parameter '%s' in the query, expected verbose, format=json, "
                     "exclude=NAME,... or a param of a check here",
                     clean);
}

static bool take_overrides(struct asking *asking, const size_t *checks, size_t count,
                           struct error *error)
{
    const struct route *route = asking->facts->route;
    for (size_t i = 0; i < route->param_names.count; i++) {
        const char *name = route->param_names.items[i];
        const struct param *param = find_param(asking, checks, count, name);
        if (param == NULL)
            return refuse_param(name, error);
        if (!params_override(&asking->overrides, param, route->param_values.items[i], error))
            return false;
    }
    return true;
}

static void ask_endpoint(struct asking *asking)
{
    struct error error;
    size_t count;
    size_t *checks = memory_new((asking->endpoint->count + 1) * sizeof *checks);
    if (!select_checks(asking, checks, &count)) {
        (void)error_set(&error, "no such check");
        drop_asking(asking, 404, &error);
    } else if (!take_overrides(asking, checks, count, &error)) {
        drop_asking(asking, 400, &error);
    } else {
        scheduler_ask(asking->service->scheduler, checks, count, on_views, asking);
    }
    free(checks);
}

static void ask_all(struct asking *asking)
{
    size_t count = asking->config->check_count;
    size_t *checks = memory_new((count + 1) * sizeof *checks);
    for (size_t i = 0; i < count; i++)
        checks[i] = i;
    scheduler_ask(asking->service->scheduler, checks, count, on_views, asking);
    free(checks);
}

// --- /livez

static void reply_livez_json(const struct service *service, bool passes, answer_ready *ready,
                             void *context)
{
    json_t *object = report_json_start(passes ? "pass" : "fail", "livez");
    json_t *checks = json_object();
    for (size_t i = 0; i < scheduler_prober_count(service->scheduler); i++) {
        const struct prober *prober = scheduler_prober(service->scheduler, i);
        bool well = !prober_is_beyond_help(prober);
        json_t *component = json_pack("[{s:s, s:s}]", "componentType", "component", "status",
                                      well ? "pass" : "fail");
        char name[NAME_MAX_LENGTH + 16];
        (void)snprintf(name, sizeof name, "prober-%s", prober_name(prober));
        (void)json_object_set_new(checks, name, component);
    }
    (void)json_object_set_new(object, "checks", checks);
    reply_json(passes ? 200 : 503, object, -1, ready, context);
}

static void reply_livez_text(const struct service *service, bool passes, answer_ready *ready,
                             void *context)
{
    char *body;
    size_t length;
    FILE *file = open_body(&body, &length);
    for (size_t i = 0; i < scheduler_prober_count(service->scheduler); i++) {
        const struct prober *prober = scheduler_prober(service->scheduler, i);
        bool well = !prober_is_beyond_help(prober);
        char name[NAME_MAX_LENGTH + 16];
        (void)snprintf(name, sizeof name, "prober-%s", prober_name(prober));
        report_line(file, well, name, well ? "ok" : "failed: it crashes or cannot be started");
    }
    report_conclusion(file, "livez", passes);
    fclose(file);
    reply(passes ? 200 : 503, text_type, body, length, -1, ready, context);
}

static void answer_livez(const struct service *service, const struct request_facts *facts,
                         answer_ready *ready, void *context)
{
    bool passes = true;
    for (size_t i = 0; i < scheduler_prober_count(service->scheduler); i++)
        passes &= !prober_is_beyond_help(scheduler_prober(service->scheduler, i));
    if (facts->json)
        reply_livez_json(service, passes, ready, context);
    else if (passes && !facts->route->verbose)
        reply_words(200, "ok", ready, context);
    else
        reply_livez_text(service, passes, ready, context);
}

// --- all requests

static void answer_route(struct service *service, const struct request_facts *facts,
                         answer_ready *ready, void *context)
{
    const struct route *route = facts->route;
    const struct endpoint *endpoint = config_endpoint(service->config, route->endpoint);
    struct error error;
    if (route->kind == ROUTE_BAD)
        reply_error(400, &route->error, ready, context);
    else if (route->kind != ROUTE_ENDPOINT && route->param_names.count > 0 &&
             !refuse_param(route->param_names.items[0], &error))
        reply_error(400, &error, ready, context);
    else if (route->kind == ROUTE_LIVEZ)
        answer_livez(service, facts, ready, context);
    else if (route->kind == ROUTE_STATUS)
        ask_all(new_asking(service, facts, NULL, ready, context));
    else if (route->kind == ROUTE_ENDPOINT && endpoint != NULL)
        ask_endpoint(new_asking(service, facts, endpoint, ready, context));
    else
        reply_words(404, "no such endpoint\n", ready, context);
}

// A request that comes between the last probe and the exit: as if everything were unknown.
static void answer_at_end(const struct route *route, answer_ready *ready, void *context)
{
    bool checks = route->kind == ROUTE_ENDPOINT;
    bool fails = checks && endpoint_rule(route->endpoint)->unknown_fails;
    reply_words(fails ? 503 : 200, "the adapter is ending\n", ready, context);
}

void answer_ask(struct service *service, const struct request_facts *facts, answer_ready *ready,
                void *context)
{
    if (facts->method == METHOD_OTHER)
        reply_words(405, "expected GET, HEAD or OPTIONS\n", ready, context);
    else if (service->scheduler == NULL)
        answer_at_end(facts->route, ready, context);
    else
        answer_route(service, facts, ready, context);
}
