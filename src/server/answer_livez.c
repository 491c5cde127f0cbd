// See answers.h. /livez fails only for what a restart of the adapter cures: it never asks the
// database.
#include "server/answers.h"

#include "common/memory.h"
#include "server/report.h"

#include <stdlib.h>

// A prober as the answer shows it.
struct component {
    char name[NAME_MAX_LENGTH + 16];
    bool well;
};

static json_t *json_of(const struct component *components, size_t count, bool passes)
{
    json_t *object = report_json_start(passes ? "pass" : "fail", "livez");
    json_t *checks = json_object();
    for (size_t i = 0; i < count; i++) {
        json_t *component = json_pack("[{s:s, s:s}]", "componentType", "component", "status",
                                      components[i].well ? "pass" : "fail");
        (void)json_object_set_new(checks, components[i].name, component);
    }
    (void)json_object_set_new(object, "checks", checks);
    return object;
}

static void reply_lines(const struct inquiry *inquiry, const struct component *components,
                        size_t count, bool passes)
{
    struct page page;
    page_open(&page);
    for (size_t i = 0; i < count; i++)
        report_line(page.file, components[i].well, components[i].name,
                    components[i].well ? "ok" : "failed: it crashes or cannot be started");
    report_conclusion(page.file, "livez", passes);
    reply_page(inquiry, passes ? 200 : 503, NULL, &page, -1);
}

void answer_livez(const struct inquiry *inquiry)
{
    const struct scheduler *scheduler = inquiry->service->scheduler;
    size_t count = scheduler_prober_count(scheduler);
    struct component *components = memory_new((count + 1) * sizeof *components);
    bool passes = true;
    for (size_t i = 0; i < count; i++) {
        const struct prober *prober = scheduler_prober(scheduler, i);
        (void)snprintf(components[i].name, sizeof components[i].name, "prober-%s",
                       prober_name(prober));
        components[i].well = !prober_is_beyond_help(prober);
        passes &= components[i].well;
    }
    if (inquiry->facts->json)
        reply_json(inquiry, passes ? 200 : 503, json_of(components, count, passes), -1);
    else if (passes && !inquiry->facts->route->verbose)
        reply_words(inquiry, 200, "ok", -1);
    else
        reply_lines(inquiry, components, count, passes);
    free(components);
}
