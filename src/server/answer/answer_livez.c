// See answers.h. /livez fails only for what a restart of the adapter cures: it never asks the
// database.
#include "server/answer/answers.h"

#include "common/memory.h"
#include "server/report/report.h"

#include <stdlib.h>
#include <string.h>

enum { WORDS_MAX = 128 };

// A part of the adapter as the answer shows it.
struct component {
    char name[NAME_MAX_LENGTH + 16];
    const char *status; // "pass", "warn" or "fail"
    const char *output; // why; NULL: it passes
};

static bool answer_livez_has_failed(const struct component *component)
{
    return strcmp(component->status, "fail") == 0;
}

static struct component answer_livez_view_prober(const struct prober *prober)
{
    struct component component = {.status = "pass"};
    (void)snprintf(component.name, sizeof component.name, "prober-%s", prober_name(prober));
    if (prober_is_beyond_help(prober)) {
        component.status = "fail";
        component.output = "it crashes or cannot be started";
    }
    return component;
}

// Never a failure: a restart would read the same files.
static struct component answer_livez_view_configuration(const struct service *service)
{
    const char *output = configuration_warning(service);
    return (struct component){
        .name = "configuration", .status = output == NULL ? "pass" : "warn", .output = output};
}

static json_t *answer_livez_json_of(const struct component *components, size_t count, bool passes)
{
    json_t *object = report_json_start(passes ? "pass" : "fail", "livez");
    json_t *checks = json_object();
    for (size_t i = 0; i < count; i++) {
        json_t *component = json_pack("[{s:s, s:s, s:s*}]", "componentType", "component", "status",
                                      components[i].status, "output", components[i].output);
        (void)json_object_set_new(checks, components[i].name, component);
    }
    (void)json_object_set_new(object, "checks", checks);
    return object;
}

static void answer_livez_reply_lines(const struct inquiry *inquiry,
                                     const struct component *components, size_t count, bool passes)
{
    struct page page;
    page_open(&page);
    for (size_t i = 0; i < count; i++) {
        const struct component *component = &components[i];
        char words[WORDS_MAX] = "ok";
        if (component->output != NULL)
            (void)snprintf(words, sizeof words, "%s: %s",
                           answer_livez_has_failed(component) ? "failed" : "warn",
                           component->output);
        report_line(page.file, !answer_livez_has_failed(component), component->name, words);
    }
    report_conclusion(page.file, "livez", passes);
    reply_page(inquiry, passes ? 200 : 503, NULL, &page, -1);
}

void answer_livez(const struct inquiry *inquiry)
{
    const struct scheduler *scheduler = inquiry->service->scheduler;
    size_t count = scheduler_prober_count(scheduler) + 1;
    struct component *components = memory_new(count * sizeof *components);
    bool passes = true;
    components[0] = answer_livez_view_configuration(inquiry->service);
    for (size_t i = 1; i < count; i++) {
        components[i] = answer_livez_view_prober(scheduler_prober(scheduler, i - 1));
        passes &= !answer_livez_has_failed(&components[i]);
    }
    if (inquiry->facts->json)
        reply_json(inquiry, passes ? 200 : 503, answer_livez_json_of(components, count, passes),
                   -1);
    else if (passes && !inquiry->facts->route->verbose)
        reply_words(inquiry, 200, "ok", -1);
    else
        answer_livez_reply_lines(inquiry, components, count, passes);
    free(components);
}
