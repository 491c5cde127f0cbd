// See answer.h. Runs between HTTP, which knows no checks, and the scheduler, which knows no HTTP.
#include "server/answer/answer.h"

#include "server/answer/answers.h"

#include <string.h>

static void answer_route(const struct inquiry *inquiry)
{
    const struct route *route = inquiry->facts->route;
    const struct endpoint *endpoint = config_endpoint(inquiry->service->config, route->endpoint);
    struct error error;
    if (route->kind == ROUTE_BAD)
        reply_error(inquiry, 400, &route->error);
    else if (route->kind != ROUTE_ENDPOINT && route->param_names.count > 0 &&
             !route_refuse_param(route->param_names.items[0], &error))
        reply_error(inquiry, 400, &error);
    else if (route->kind == ROUTE_LIVEZ)
        answer_livez(inquiry);
    else if (route->kind == ROUTE_STATUS)
        answer_status(inquiry);
    else if (route->kind == ROUTE_METRICS)
        answer_metrics(inquiry);
    else if (inquiry->facts->page)
        answer_page(inquiry);
    else if (route->kind == ROUTE_ENDPOINT && endpoint != NULL)
        answer_endpoint(inquiry, endpoint);
    else
        reply_words(inquiry, 404, "no such endpoint\n", -1);
}

// A request that comes between the last probe and the exit: as if everything were unknown. For
// Prometheus it is a remark, and nothing is known.
static void answer_at_end(const struct inquiry *inquiry)
{
    const struct route *route = inquiry->facts->route;
    bool checks = route->kind == ROUTE_ENDPOINT;
    bool fails = checks && endpoint_rule(route->endpoint)->unknown_fails;
    bool remark = route->kind == ROUTE_METRICS;
    reply_words(inquiry, fails ? 503 : 200,
                remark ? "# the adapter is ending\n" : "the adapter is ending\n", -1);
}

bool answer_again(struct service *service, const struct validity *validity, unsigned status)
{
    bool stands = service->scheduler != NULL && instant_before(instant_now(), validity->until) &&
                  validity->changes == scheduler_changes(service->scheduler) &&
                  validity->draining == is_draining(service);
    if (stands) {
        service->statistics->cache_uses[CACHE_HIT] += validity->checks;
        endpoint_statistics_add(validity->counts, status);
    }
    return stands;
}

void answer_ask(struct service *service, const struct request_facts *facts, answer_ready *ready,
                void *context)
{
    struct inquiry inquiry = {
        .service = service, .facts = facts, .ready = ready, .context = context};
    if (facts->method == METHOD_OTHER)
        reply_words(&inquiry, 405, "expected GET, HEAD or OPTIONS\n", -1);
    else if (service->scheduler == NULL)
        answer_at_end(&inquiry);
    else
        answer_route(&inquiry);
}
