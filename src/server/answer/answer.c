// See answer.h. Runs between HTTP, which knows no checks, and the scheduler, which knows no HTTP.
#include "server/answer/answer.h"

#include "server/answer/answers.h"

// A request that comes between the last probe and the exit: as if everything were unknown, and with
// no document of it. For Prometheus it is a remark, and nothing is known.
static void answer_at_end(struct request *request)
{
    const struct route *route = &request->route;
    bool fails = route->kind == ROUTE_STATUS;
    if (route->kind == ROUTE_ENDPOINT) {
        const struct endpoint *endpoint =
            config_endpoint(request->service->config, route->endpoint);
        fails = endpoint == NULL || endpoint->rule->unknown_fails;
    }
    bool remark = route->kind == ROUTE_METRICS;
    request_reply_words(request, fails ? 503 : 200,
                        remark ? "# the adapter is ending\n" : "the adapter is ending\n", -1);
}

// Whatever it says, it says more than a status, `ok` and names.
static bool answer_wants_details(const struct route *route)
{
    return route->kind == ROUTE_STATUS || route->kind == ROUTE_METRICS ||
           route->kind == ROUTE_FILE || route->verbose || route->history ||
           route->format == FORMAT_JSON || route->format == FORMAT_HTML;
}

static void answer_route(struct request *request)
{
    const struct route *route = &request->route;
    if (route->kind == ROUTE_BAD)
        request_reply_error(request, 400, &route->error);
    else if (route->kind == ROUTE_NOWHERE)
        request_reply_words(request, 404, "no such endpoint\n", -1);
    else if (request->agent && route->kind != ROUTE_ENDPOINT)
        request_reply_words(request, 404, "no endpoint of checks\n", -1);
    else if (!request->agent && !request->may_have_details && answer_wants_details(route))
        request_reply_words(request, 403, "details are not told here\n", -1);
    else if (route->kind == ROUTE_FILE)
        answer_file(request);
    else if (request->service->scheduler == NULL)
        answer_at_end(request);
    else if (route->kind == ROUTE_LIVEZ)
        answer_livez(request);
    else if (route->kind == ROUTE_STATUS)
        answer_status(request);
    else if (route->kind == ROUTE_METRICS)
        answer_metrics(request);
    else if (request->media == MEDIA_HTML)
        answer_page(request);
    else
        answer_endpoint(request);
}

void answer_request(struct request *request)
{
    if (request->method == METHOD_OTHER)
        request_reply_words(request, 405, "expected GET, HEAD or OPTIONS\n", -1);
    else
        answer_route(request);
}

bool answer_again(struct service *service, const struct validity *validity, unsigned status)
{
    bool stands = service->scheduler != NULL && instant_before(instant_now(), validity->until) &&
                  validity->changes == scheduler_changes(service->scheduler) &&
                  validity->draining == service_is_draining(service);
    if (stands) {
        service->statistics->cache_uses[CACHE_HIT] += validity->checks;
        endpoint_statistics_add(validity->counts, status);
    }
    return stands;
}
