// See answer.h. Runs between HTTP, which knows no checks, and the scheduler, which knows no HTTP.
#include "server/answer.h"

#include "common/memory.h"
#include "server/report_text.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { YOUNG_MS = 5000 };

// A request for an endpoint, until its views are there.
struct asking {
    struct service *service;
    struct config *config; // held: what the request began with is what it ends with
    const struct endpoint *endpoint;
    const struct route *route;
    answer_ready *ready;
    void *context;
};

static void reply_words(unsigned status, const char *words, answer_ready *ready, void *context)
{
    struct answer answer = {.status = status,
                            .body = memory_string(words),
                            .length = strlen(words),
                            .allow = status == 405,
                            .age = -1};
    ready(context, &answer);
}

static struct circumstances circumstances_of(const struct service *service)
{
    const char *drain_file = service->config->settings.drain_file;
    bool file = drain_file[0] != '\0' && access(drain_file, F_OK) == 0;
    return (struct circumstances){.draining = service->draining || file,
                                  .young =
                                      instant_since(service->started, instant_now()).ms < YOUNG_MS};
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
static void report_unmatched(FILE *body, const struct asking *asking)
{
    const struct words *exclude = &asking->route->exclude;
    for (size_t i = 0; i < exclude->count; i++) {
        bool matched = false;
        for (size_t j = 0; j < asking->endpoint->count; j++) {
            size_t check = asking->endpoint->checks[j];
            matched |= strcmp(asking->config->checks[check]->name, exclude->items[i]) == 0;
        }
        if (!matched && is_name(exclude->items[i]))
            fprintf(body, "warn: cannot exclude %s: not a check of %s\n", exclude->items[i],
                    asking->endpoint->name);
    }
}

static void report_endpoint(FILE *body, const struct asking *asking, const struct check_view *views,
                            size_t count, bool passes, const struct circumstances *circumstances)
{
    const struct endpoint_rule *rule = asking->endpoint->rule;
    for (size_t i = 0; i < count; i++)
        report_check_line(body, &views[i],
                          verdict_fails(views[i].judgement.verdict, rule, circumstances));
    if (count == 0)
        report_line(body, passes, "checks", "none to judge");
    if (circumstances->draining && rule->draining_fails && asking->route->check[0] == '\0')
        report_line(body, false, "drain", "failed: the adapter is draining");
    report_unmatched(body, asking);
    report_conclusion(body, asking->endpoint->name, passes);
}

static void on_views(void *context, const struct check_view *views, size_t count)
{
    struct asking *asking = context;
    struct circumstances circumstances = circumstances_of(asking->service);
    if (asking->route->check[0] != '\0')
        circumstances.draining = false; // one check: nothing but that check fails it
    bool passes = endpoint_passes(asking->endpoint->rule, views, count, &circumstances) &&
                  !(count == 0 && asking->route->exclude.count > 0);
    struct answer answer = {.status = passes ? 200 : 503, .age = age_of(views, count)};
    FILE *body = open_memstream(&answer.body, &answer.length);
    if (body == NULL)
        abort();
    if (passes && !asking->route->verbose)
        fputs("ok", body);
    else
        report_endpoint(body, asking, views, count, passes, &circumstances);
    fclose(body);
    asking->ready(asking->context, &answer);
    config_release(asking->config);
    free(asking);
}

static void answer_livez(struct service *service, const struct route *route, answer_ready *ready,
                         void *context)
{
    struct instant now = instant_now();
    struct answer answer = {.age = -1};
    bool passes = true;
    FILE *body = open_memstream(&answer.body, &answer.length);
    if (body == NULL)
        abort();
    for (size_t i = 0; i < scheduler_prober_count(service->scheduler); i++) {
        const struct prober *prober = scheduler_prober(service->scheduler, i);
        bool well = !prober_is_beyond_help(prober, now);
        char name[NAME_MAX_LENGTH + 16];
        (void)snprintf(name, sizeof name, "prober-%s", prober_name(prober));
        report_line(body, well, name, well ? "ok" : "failed: it crashes or cannot be started");
        passes &= well;
    }
    report_conclusion(body, "livez", passes);
    fclose(body);
    answer.status = passes ? 200 : 503;
    if (passes && !route->verbose) {
        free(answer.body);
        answer.body = memory_string("ok");
        answer.length = strlen(answer.body);
    }
    ready(context, &answer);
}

static bool is_excluded(const struct route *route, const char *name)
{
    return words_have(&route->exclude, name);
}

// The checks that the route asks for; false if it names one that the endpoint does not have.
static bool select_checks(const struct asking *asking, size_t *checks, size_t *count)
{
    const struct route *route = asking->route;
    bool found = route->check[0] == '\0';
    *count = 0;
    for (size_t i = 0; i < asking->endpoint->count; i++) {
        size_t check = asking->endpoint->checks[i];
        const char *name = asking->config->checks[check]->name;
        bool asked = route->check[0] == '\0' || strcmp(route->check, name) == 0;
        found |= asked;
        if (asked && !is_excluded(route, name))
            checks[(*count)++] = check;
    }
    return found;
}

static void ask_endpoint(struct service *service, const struct endpoint *endpoint,
                         const struct route *route, answer_ready *ready, void *context)
{
    struct asking *asking = memory_new(sizeof *asking);
    *asking = (struct asking){.service = service,
                              .config = config_hold(service->config),
                              .endpoint = endpoint,
                              .route = route,
                              .ready = ready,
                              .context = context};
    size_t *checks = memory_new((endpoint->count + 1) * sizeof *checks);
    size_t count;
    if (select_checks(asking, checks, &count)) {
        scheduler_ask(service->scheduler, checks, count, on_views, asking);
    } else {
        reply_words(404, "no such check\n", ready, context);
        config_release(asking->config);
        free(asking);
    }
    free(checks);
}

static void ask_route(struct service *service, const struct route *route, answer_ready *ready,
                      void *context)
{
    const struct endpoint *endpoint = config_endpoint(service->config, route->endpoint);
    if (endpoint != NULL)
        ask_endpoint(service, endpoint, route, ready, context);
    else
        reply_words(404, "no such endpoint\n", ready, context);
}

static void reply_bad(const struct route *route, answer_ready *ready, void *context)
{
    char words[sizeof route->error.text + 2];
    (void)snprintf(words, sizeof words, "%s\n", route->error.text);
    reply_words(400, words, ready, context);
}

// A request that comes between the last probe and the exit: as if everything were unknown.
static void answer_at_end(const struct route *route, answer_ready *ready, void *context)
{
    bool fails = route->kind != ROUTE_LIVEZ && endpoint_rule(route->endpoint)->unknown_fails;
    reply_words(fails ? 503 : 200, "the adapter is ending\n", ready, context);
}

void answer_ask(struct service *service, enum method method, const struct route *route,
                answer_ready *ready, void *context)
{
    if (method == METHOD_OTHER) {
        reply_words(405, "expected GET, HEAD or OPTIONS\n", ready, context);
        return;
    }
    if (service->scheduler == NULL) {
        answer_at_end(route, ready, context);
        return;
    }
    switch (route->kind) {
    case ROUTE_BAD:
        reply_bad(route, ready, context);
        return;
    case ROUTE_NOWHERE:
        reply_words(404, "no such endpoint\n", ready, context);
        return;
    case ROUTE_LIVEZ:
        answer_livez(service, route, ready, context);
        return;
    case ROUTE_ENDPOINT:
        ask_route(service, route, ready, context);
        return;
    }
}
