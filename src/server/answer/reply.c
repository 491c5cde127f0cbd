// See reply.h. The one place where answers are counted: under the endpoint's name if it is there,
// else together, whatever the requests called it.
#include "server/answer/reply.h"

#include "common/memory.h"
#include "server/check/reserved.h"
#include "server/report/page_policy.h"
#include "server/report/report.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { YOUNG_MS = 5000 };

static const char text_type[] = "text/plain; charset=utf-8";
static const char health_type[] = "application/health+json";
static const char html_type[] = "text/html; charset=utf-8";

// Where the answer is counted.
static struct endpoint_statistics *reply_counts_of(const struct inquiry *inquiry)
{
    const struct service *service = inquiry->service;
    const struct route *route = inquiry->facts->route;
    bool there = route->kind != ROUTE_NOWHERE &&
                 (config_endpoint(service->config, route->endpoint) != NULL ||
                  reserved_path(route->endpoint) != RESERVED_COUNT);
    const char *name = there ? route->endpoint : OTHER_ENDPOINT;
    return statistics_endpoint(service->statistics, name);
}

static void reply_tell(const struct inquiry *inquiry, struct answer *answer)
{
    answer->allow = answer->status == 405;
    answer->validity = inquiry->validity;
    answer->validity.counts = reply_counts_of(inquiry);
    endpoint_statistics_add(answer->validity.counts, answer->status);
    inquiry->ready(inquiry->context, answer);
}

void reply(const struct inquiry *inquiry, unsigned status, const char *type, char *body,
           size_t length, int64_t age)
{
    struct answer answer = {
        .status = status, .type = type, .body = body, .length = length, .age = age};
    reply_tell(inquiry, &answer);
}

void reply_words(const struct inquiry *inquiry, unsigned status, const char *words, int64_t age)
{
    reply(inquiry, status, text_type, memory_string(words), strlen(words), age);
}

void reply_error(const struct inquiry *inquiry, unsigned status, const struct error *error)
{
    char words[sizeof error->text + 2];
    (void)snprintf(words, sizeof words, "%s\n", error->text);
    reply_words(inquiry, status, words, -1);
}

void reply_json(const struct inquiry *inquiry, unsigned status, json_t *object, int64_t age)
{
    size_t length;
    char *body = report_json_text(object, &length);
    reply(inquiry, status, health_type, body, length, age);
}

void page_open(struct page *page)
{
    page->file = open_memstream(&page->bytes, &page->length);
    if (page->file == NULL)
        abort();
}

static void reply_page_close(struct page *page)
{
    if (fclose(page->file) != 0)
        abort(); // memory has run out
}

void reply_page(const struct inquiry *inquiry, unsigned status, const char *type, struct page *page,
                int64_t age)
{
    reply_page_close(page);
    reply(inquiry, status, type != NULL ? type : text_type, page->bytes, page->length, age);
}

void reply_html(const struct inquiry *inquiry, unsigned status, struct page *page, int64_t age)
{
    char policy[PAGE_POLICY_MAX];
    reply_page_close(page);
    page_policy(policy, sizeof policy);
    struct answer answer = {.status = status,
                            .type = html_type,
                            .body = page->bytes,
                            .length = page->length,
                            .age = age,
                            .policy = policy};
    reply_tell(inquiry, &answer);
}

bool is_draining(const struct service *service)
{
    const char *drain_file = service->config->settings.drain_file;
    bool file = drain_file[0] != '\0' && access(drain_file, F_OK) == 0;
    return service->draining || file;
}

struct circumstances circumstances_of(const struct service *service)
{
    bool young = instant_since(service->started, instant_now()).ms < YOUNG_MS;
    return (struct circumstances){.draining = is_draining(service), .young = young};
}

int64_t age_of(const struct check_view *views, size_t count)
{
    struct instant now = instant_now();
    int64_t age = -1;
    for (size_t i = 0; i < count; i++) {
        int64_t seconds = views[i].dated ? instant_since(views[i].started, now).ms / 1000 : -1;
        age = seconds > age ? seconds : age;
    }
    return age;
}

const char *configuration_warning(const struct service *service)
{
    if (service->statistics->reloads.refused)
        return "the latest reload was refused; the log names the places";
    if (service->config->problems.count > 0)
        return "it is wrong; the log names the places";
    return NULL;
}
