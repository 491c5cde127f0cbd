// See request.h. The one place where answers are counted: under the endpoint's name if it is there,
// else together, whatever the requests called it.
#include "server/answer/request.h"

#include "common/memory.h"
#include "server/check/reserved.h"

#include <stdlib.h>
#include <string.h>

enum {
    TEXT_OFFERED = 1U << MEDIA_TEXT,
    HTML_OFFERED = 1U << MEDIA_HTML,
    JSON_OFFERED = 1U << MEDIA_HEALTH_JSON | 1U << MEDIA_JSON
};

struct request *request_new(struct service *service, const char *target, void *asker,
                            void (*answered)(struct request *request))
{
    struct request *request = memory_new(sizeof *request);
    request->service = service;
    request->target = memory_string(target);
    request->asker = asker;
    request->answered = answered;
    return request;
}

void request_free(struct request *request)
{
    if (request == NULL)
        return;
    if (request->config != NULL)
        config_release(request->config);
    params_clear(&request->overrides);
    route_clear(&request->route);
    free(request->answer.body);
    free(request->target);
    free(request);
}

// A browser gets the page of the root; but an answer on some checks, or with other params, is one
// of /readyz as it ever was.
static unsigned request_offered(const struct request *request)
{
    const struct route *route = &request->route;
    bool whole = route->exclude.count == 0 && route->param_names.count == 0;
    if (!request->may_have_details)
        return TEXT_OFFERED;
    if (route->kind == ROUTE_STATUS)
        return JSON_OFFERED;
    return TEXT_OFFERED | JSON_OFFERED | (route->root && whole ? HTML_OFFERED : 0U);
}

void request_parse(struct request *request, enum method method, const char *accept)
{
    static const enum media of_formats[] = {
        [FORMAT_TEXT] = MEDIA_TEXT, [FORMAT_JSON] = MEDIA_HEALTH_JSON, [FORMAT_HTML] = MEDIA_HTML};
    request->method = method;
    route_parse(request->target, &request->route);
    enum format format = request->route.format;
    request->media = format != FORMAT_UNSAID ? of_formats[format]
                                             : accept_choose(accept, request_offered(request));
}

void request_parse_line(struct request *request)
{
    request->method = METHOD_GET;
    request->agent = true;
    route_parse(request->target, &request->route);
}

bool request_wants_json(const struct request *request)
{
    return request->media == MEDIA_HEALTH_JSON || request->media == MEDIA_JSON;
}

void request_hold_config(struct request *request)
{
    request->config = config_hold(request->service->config);
}

// Where the answer is counted.
static struct endpoint_statistics *request_counts(const struct request *request)
{
    const struct service *service = request->service;
    const struct route *route = &request->route;
    const struct endpoint *endpoint = config_endpoint(service->config, route->endpoint);
    const char *name = OTHER_ENDPOINT;
    if (route->kind != ROUTE_NOWHERE && endpoint != NULL)
        name = endpoint->name;
    else if (route->kind != ROUTE_NOWHERE && reserved_path(route->endpoint) != RESERVED_COUNT)
        name = route->endpoint;
    return statistics_endpoint(service->statistics, name);
}

// What it was answered from is of no more use; a configuration that a reload has replaced can go.
static void request_conclude(struct request *request)
{
    struct answer *answer = &request->answer;
    answer->validity.counts = request_counts(request);
    if (request->agent)
        answer->validity.counts->agent_answers[answer->word]++;
    else
        endpoint_statistics_add(answer->validity.counts, answer->status);
    if (request->config != NULL)
        config_release(request->config);
    request->config = NULL;
    request->endpoint = NULL;
    request->answered(request);
}

static void request_reply(struct request *request, unsigned status, const char *type, char *body,
                          size_t length, int64_t age)
{
    struct answer *answer = &request->answer;
    answer->status = status;
    answer->type = type;
    answer->body = body;
    answer->length = length;
    answer->age = age;
    request_conclude(request);
}

unsigned request_status(struct request *request, const struct report *report)
{
    request->answer.warns = report->warns;
    if (report->warns)
        return request->route.warn_status;
    return report->passes ? 200 : 503;
}

void request_reply_agent(struct request *request, unsigned status, const struct report *report)
{
    char bytes[AGENT_LINE_MAX];
    struct text line = text_in(bytes, sizeof bytes);
    request->answer.word = report_agent(report, status != 503, request->may_have_details, &line);
    request_reply(request, status, media_content_type(MEDIA_TEXT), memory_string(bytes),
                  line.length, -1);
}

static void request_refuse_agent(struct request *request, unsigned status, const char *words)
{
    char bytes[AGENT_LINE_MAX];
    struct text line = text_in(bytes, sizeof bytes);
    report_agent_refusal(words, &line);
    request->answer.word = AGENT_FAIL;
    request_reply(request, status, media_content_type(MEDIA_TEXT), memory_string(bytes),
                  line.length, -1);
}

void request_reply_words(struct request *request, unsigned status, const char *words, int64_t age)
{
    if (request->agent) {
        request_refuse_agent(request, status, words);
        return;
    }
    request_reply(request, status, media_content_type(MEDIA_TEXT), memory_string(words),
                  strlen(words), age);
}

void request_reply_error(struct request *request, unsigned status, const struct error *error)
{
    char words[sizeof error->text + 2];
    (void)snprintf(words, sizeof words, "%s\n", error->text);
    request_reply_words(request, status, words, -1);
}

void body_open(struct body *body)
{
    body->file = open_memstream(&body->bytes, &body->length);
    if (body->file == NULL)
        abort();
}

void request_reply_body(struct request *request, unsigned status, const char *type,
                        struct body *body, int64_t age)
{
    if (fclose(body->file) != 0)
        abort(); // memory has run out
    request_reply(request, status, type != NULL ? type : media_content_type(MEDIA_TEXT),
                  body->bytes, body->length, age);
}

void request_reply_json(struct request *request, unsigned status, struct body *body, int64_t age)
{
    enum media media = request_wants_json(request) ? request->media : MEDIA_HEALTH_JSON;
    request_reply_body(request, status, media_content_type(media), body, age);
}

int64_t request_age(const struct check_view *views, size_t count)
{
    struct instant now = instant_now();
    int64_t age = -1;
    for (size_t i = 0; i < count; i++) {
        int64_t seconds = views[i].dated ? instant_since(views[i].started, now).ms / 1000 : -1;
        age = seconds > age ? seconds : age;
    }
    return age;
}
