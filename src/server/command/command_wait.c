// dbhealthd wait [--timeout 60s] [ENDPOINT]: probes for itself until the endpoint passes, for an
// init container or a script that must not start before the database can serve.
#include "server/base/deadline.h"
#include "server/command/command.h"
#include "server/command/runner.h"
#include "server/report/report.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PAUSE_MS = 500 }; // between an answer and the next question

struct waiting {
    struct runner runner;
    uv_timer_t pause;
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

static void command_wait_conclude(struct waiting *waiting, int status)
{
    int64_t seconds = instant_since(waiting->start, instant_now()).ms / 1000;
    printf("%s%s %s after %" PRId64 " s\n", waiting->live ? "\r\033[K" : "",
           waiting->endpoint->name, status == STATUS_WELL ? "passes" : "does not pass", seconds);
    if (status != STATUS_WELL && waiting->live)
        printf("%s\n", waiting->last);
    waiting->status = status;
    uv_close((uv_handle_t *)&waiting->pause, NULL);
    runner_end(&waiting->runner);
}

static void command_wait_on_views(void *context, struct check_view *views, size_t count);

static void command_wait_on_pause_over(uv_timer_t *timer)
{
    struct waiting *waiting = timer->data;
    if (waiting->runner.ending) { // by a signal
        command_wait_conclude(waiting, STATUS_UNWELL);
        return;
    }
    scheduler_ask(waiting->runner.scheduler, waiting->endpoint->checks, waiting->endpoint->count,
                  command_wait_on_views, waiting);
}

static void command_wait_on_views(void *context, struct check_view *views, size_t count)
{
    struct waiting *waiting = context;
    struct circumstances settled = {0};
    char what[sizeof waiting->last];
    if (endpoint_passes(command_wait_strict_rule(), views, count, &settled)) {
        command_wait_conclude(waiting, STATUS_WELL);
        return;
    }
    command_wait_describe(views, count, what, sizeof what);
    command_wait_say(waiting, what);
    bool over = instant_since(waiting->start, instant_now()).ms >= waiting->patience.ms;
    if (runner_views_have_config(views, count))
        command_wait_conclude(waiting, STATUS_USAGE);
    else if (over || waiting->runner.ending)
        command_wait_conclude(waiting, STATUS_UNWELL);
    else
        (void)uv_timer_start(&waiting->pause, command_wait_on_pause_over, PAUSE_MS, 0);
}

// Every question gets its own answer. Nothing has been asked yet, so the checks may still change.
static void command_wait_forget_caches(struct config *config)
{
    for (size_t i = 0; i < config->check_count; i++)
        config->checks[i]->cache = (struct duration){.ms = 0};
}

static int command_wait_run_wait(struct settings *settings, const char *name,
                                 struct duration patience)
{
    struct waiting waiting = {
        .patience = patience, .start = instant_now(), .live = isatty(STDOUT_FILENO) != 0};
    runner_start(&waiting.runner, settings, patience);
    command_wait_forget_caches(waiting.runner.config);
    waiting.status = STATUS_USAGE;
    waiting.endpoint = config_endpoint(waiting.runner.config, name);
    waiting.pause.data = &waiting;
    if (waiting.endpoint == NULL) {
        (void)command_refuse("there is no endpoint %s", name);
        runner_end(&waiting.runner);
    } else {
        int failed = uv_timer_init(&waiting.runner.loop, &waiting.pause);
        assert(failed == 0);
        command_wait_on_pause_over(&waiting.pause);
    }
    runner_run(&waiting.runner);
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
                     ? command_wait_run_wait(&line.settings, endpoint, patience)
                     : command_refuse("%s", error.text);
    command_line_clear(&line);
    return status;
}
