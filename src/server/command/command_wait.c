// dbhealthd wait [--timeout 60s] [ENDPOINT]: probes for itself until the endpoint passes, for an
// init container or a script that must not start before the database can serve.
#include "server/command/command.h"
#include "server/command/runner.h"
#include "server/command/terminal.h"
#include "server/report/report.h"

#include <inttypes.h>
#include <string.h>

enum { PAUSE_MS = 500 }; // between an answer and the next question

struct waiting {
    struct runner runner;
    const struct endpoint *endpoint;
    struct instant start;
    struct duration patience;
    bool live;                   // stdout is a terminal: one line, written over
    char last[DETAIL_MAX + 128]; // what was said last
    int status;
};

// What is unknown does not pass, whatever the endpoint: the one who waits wants to know.
static const struct endpoint_rule *command_wait_strict_rule(void)
{
    return endpoint_rule("readyz");
}

// The first check that keeps the endpoint from passing, in words.
static void command_wait_describe(const struct check_view *views, size_t count, char *bytes,
                                  size_t capacity)
{
    struct circumstances settled = {0};
    struct text text = text_in(bytes, capacity);
    for (size_t i = 0; i < count; i++) {
        char detail[DETAIL_MAX];
        if (!verdict_fails(views[i].judgement.verdict, command_wait_strict_rule(), &settled))
            continue;
        report_detail(&views[i].judgement, detail, sizeof detail);
        text_addf(&text, "%s: %s", views[i].check->name, detail);
        return;
    }
    text_add(&text, count == 0 ? "it has no check" : "its checks are not meant for this server");
}

static void command_wait_ask(void *context);

static void command_wait_say(struct waiting *waiting, const char *what)
{
    const char *name = waiting->endpoint->name;
    int64_t seconds = instant_since(waiting->start, instant_now()).ms / 1000;
    if (waiting->live) {
        printf("\r\033[Kwaiting for %s, %" PRId64 " s: %.*s", name, seconds, 100, what);
        (void)fflush(stdout);
    } else if (strcmp(waiting->last, what) != 0) {
        printf("waiting for %s: %s\n", name, what);
        (void)fflush(stdout);
    }
    (void)snprintf(waiting->last, sizeof waiting->last, "%s", what);
}

static void command_wait_conclude(const struct waiting *waiting)
{
    bool well = waiting->status == STATUS_WELL;
    int64_t seconds = instant_since(waiting->start, instant_now()).ms / 1000;
    printf("%s%s %s after %" PRId64 " s\n", waiting->live ? "\r\033[K" : "",
           waiting->endpoint->name, well ? "passes" : "does not pass", seconds);
    if (!well && waiting->live)
        printf("%s\n", waiting->last);
}

static void command_wait_on_views(void *context, struct check_view *views, size_t count)
{
    struct waiting *waiting = context;
    struct circumstances settled = {0};
    char what[sizeof waiting->last];
    bool over = instant_since(waiting->start, instant_now()).ms >= waiting->patience.ms;
    if (endpoint_passes(command_wait_strict_rule(), views, NULL, count, &settled)) {
        waiting->status = STATUS_WELL;
        runner_end(&waiting->runner);
        return;
    }
    command_wait_describe(views, count, what, sizeof what);
    command_wait_say(waiting, what);
    if (runner_views_have_config(views, count))
        waiting->status = STATUS_USAGE;
    if (over || waiting->status == STATUS_USAGE)
        runner_end(&waiting->runner);
    else
        runner_pause(&waiting->runner, (struct duration){PAUSE_MS}, command_wait_ask, waiting);
}

static void command_wait_ask(void *context)
{
    struct waiting *waiting = context;
    scheduler_ask(waiting->runner.scheduler, waiting->endpoint->checks, waiting->endpoint->count,
                  command_wait_on_views, waiting);
}

// Every question gets its own answer. Nothing has been asked yet, so the checks may still change.
static void command_wait_forget_caches(struct config *config)
{
    for (size_t i = 0; i < config->check_count; i++)
        config->checks[i]->cache = (struct duration){.ms = 0};
}

static int command_wait_run(struct settings *settings, const char *name, struct duration patience)
{
    struct waiting waiting = {.status = STATUS_UNWELL,
                              .patience = patience,
                              .start = instant_now(),
                              .live = terminal_is_there()};
    runner_start(&waiting.runner, settings, patience);
    command_wait_forget_caches(waiting.runner.config);
    waiting.endpoint = config_endpoint(waiting.runner.config, name);
    if (waiting.endpoint != NULL)
        command_wait_ask(&waiting);
    else
        runner_end(&waiting.runner);
    runner_run(&waiting.runner);
    if (waiting.endpoint != NULL)
        command_wait_conclude(&waiting);
    else
        waiting.status = command_refuse("there is no endpoint %s", name);
    waiting.status = runner_status(&waiting.runner, waiting.status);
    runner_free(&waiting.runner);
    return waiting.status;
}

int command_wait(int argc, char **argv)
{
    struct error error;
    struct duration patience;
    const char *timeout = "60s";
    const struct extra_flag extra[] = {{"timeout", &timeout, NULL}};
    struct command_line line;
    if (!command_line_load(&line, argc, argv, extra, 1, 0, 1))
        return STATUS_USAGE;
    const char *endpoint = line.words.count > 0 ? line.words.items[0] : "readyz";
    int status = command_parse_duration("timeout", timeout, 0, &patience, &error)
                     ? command_wait_run(&line.settings, endpoint, patience)
                     : command_refuse("%s", error.text);
    command_line_clear(&line);
    return status;
}
