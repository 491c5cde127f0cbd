// See answers.h. /livez fails only for what a restart of the adapter cures: it never asks the
// database.
#include "server/answer/answers.h"

#include "common/memory.h"
#include "server/report/document.h"

#include <stdlib.h>
#include <string.h>

enum { OWN_COMPONENTS = 2 };

static bool answer_livez_has_failed(const struct component *component)
{
    return strcmp(component->status, "fail") == 0;
}

// A login that the server leaves unanswered is not told: no restart would cure it. A sandbox that
// is not the server's own is, and is no reason to fail.
static struct component answer_livez_view_prober(const struct prober *prober)
{
    const struct prober_view view = {.beyond_help = prober_is_beyond_help(prober)};
    struct component component = {.status = report_prober_status(&view),
                                  .output = report_prober_output(&view)};
    if (!view.beyond_help && prober_sandbox(prober) != NULL) {
        component.status = "warn";
        component.output = prober_sandbox(prober);
    }
    (void)snprintf(component.name, sizeof component.name, "prober-%s", prober_name(prober));
    return component;
}

// Never a failure: a restart would read the same files.
static struct component answer_livez_view_configuration(const struct service *service)
{
    const char *output = service_configuration_warning(service);
    return (struct component){
        .name = "configuration", .status = output == NULL ? "pass" : "warn", .output = output};
}

// A kernel that lacks something is no reason to fail.
static struct component answer_livez_view_sandbox(const struct sandbox *sandbox,
                                                  char words[SANDBOX_TEXT_MAX])
{
    sandbox_describe(sandbox, words);
    return (struct component){
        .name = "sandbox", .status = sandbox->whole ? "pass" : "warn", .output = words};
}

static void answer_livez_reply_json(struct request *request, const struct component *components,
                                    size_t count, bool passes)
{
    struct body body;
    body_open(&body);
    struct writer writer = {.out = body.file};
    document_write_components(&writer, components, count, passes);
    request_reply_json(request, passes ? 200 : 503, &body, -1);
}

static void answer_livez_write_line(FILE *body, const struct component *component)
{
    bool passed = strcmp(component->status, "pass") == 0;
    bool failed = answer_livez_has_failed(component);
    char words[SANDBOX_TEXT_MAX + sizeof "failed: "];
    (void)snprintf(words, sizeof words, "%s%s%s",
                   passed   ? "ok"
                   : failed ? "failed"
                            : "warn",
                   component->output != NULL ? ": " : "",
                   component->output != NULL ? component->output : "");
    report_line(body, !failed, component->name, words);
}

static void answer_livez_reply_lines(struct request *request, const struct component *components,
                                     size_t count, bool passes)
{
    struct body body;
    body_open(&body);
    for (size_t i = 0; i < count; i++) {
        if (request->may_have_details)
            answer_livez_write_line(body.file, &components[i]);
        else if (answer_livez_has_failed(&components[i]))
            report_name(body.file, components[i].name);
    }
    report_conclusion(body.file, "livez", passes);
    request_reply_body(request, passes ? 200 : 503, NULL, &body, -1);
}

void answer_livez(struct request *request)
{
    const struct scheduler *scheduler = request->service->scheduler;
    char sandbox[SANDBOX_TEXT_MAX];
    size_t count = scheduler_prober_count(scheduler) + OWN_COMPONENTS;
    struct component *components = memory_new(count * sizeof *components);
    bool passes = true;
    components[0] = answer_livez_view_configuration(request->service);
    components[1] = answer_livez_view_sandbox(&request->service->sandbox, sandbox);
    for (size_t i = OWN_COMPONENTS; i < count; i++) {
        components[i] = answer_livez_view_prober(scheduler_prober(scheduler, i - OWN_COMPONENTS));
        passes &= !answer_livez_has_failed(&components[i]);
    }
    if (request_wants_json(request))
        answer_livez_reply_json(request, components, count, passes);
    else if (passes && !request->route.verbose)
        request_reply_words(request, 200, "ok", -1);
    else
        answer_livez_reply_lines(request, components, count, passes);
    free(components);
}
