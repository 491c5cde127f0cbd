// See runner.h.
#include "server/command/runner.h"

#include "common/sandbox.h"
#include "server/base/instance.h"
#include "server/base/log.h"
#include "server/base/wall_time.h"
#include "server/command/adapter.h"
#include "server/command/command.h"
#include "server/probing/prober_process.h"

#include <assert.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ASK_MS = 1000 }; // what an adapter takes for its answer at most

static struct supervisor *runner_find_supervisor(void)
{
    struct supervisor *supervisor;
    struct beginning beginning;
    struct error error;
    if (!supervisor_find(&supervisor, &beginning, &error))
        exit(command_refuse("%s", error.text));
    return supervisor;
}

static void runner_on_signal(void *context, int number)
{
    struct runner *runner = context;
    if (!runner->ending)
        runner->ended_by = number;
    runner_end(runner);
}

// The adapter that runs here has the same server: to ask it would be to ask oneself. If none runs,
// there is none among the peers either.
static void runner_take_instance(const struct settings *settings)
{
    struct adapter_answer answer;
    struct error error;
    if (settings->peers.count == 0)
        return;
    bool answered = adapter_ask(settings, "/livez?format=json", (struct duration){.ms = ASK_MS},
                                &answer, &error) == ADAPTER_ANSWERED;
    json_t *document = answered ? json_loadb(answer.body, answer.length, 0, NULL) : NULL;
    const char *id = json_string_value(json_object_get(document, "instance"));
    if (id != NULL)
        instance_take(id);
    json_decref(document);
    adapter_answer_clear(&answer);
}

void runner_start(struct runner *runner, struct settings *settings, struct duration deadline)
{
    *runner = (struct runner){.supervisor = runner_find_supervisor()};
    log_open();
    log_configure(settings->log_format, LOG_ERROR); // the command prints what a check finds
    runner_take_instance(settings);
    runner->config = config_load(settings);
    for (size_t i = 0; i < runner->config->problems.count; i++)
        command_print_fault(runner->config->problems.items[i]);
    for (size_t i = 0; i < runner->config->warnings.count; i++)
        command_print_fault(runner->config->warnings.items[i]);
    int failed = uv_loop_init(&runner->loop);
    assert(failed == 0);
    failed = uv_timer_init(&runner->loop, &runner->pause);
    assert(failed == 0);
    runner->pause.data = runner;
    supervisor_attach(runner->supervisor, &runner->loop, runner_on_signal, runner);
    runner->statistics = statistics_new(wall_time_ms(instant_now()));
    platform_uv_open(&runner->platform, runner->supervisor);
    (void)sandbox_enter(SANDBOX_SERVER, NULL, 0); // all files have been read
    runner->scheduler =
        scheduler_new(&runner->platform.platform, runner->config, deadline, runner->statistics);
    scheduler_log_in_one_by_one(runner->scheduler);
}

void runner_run(struct runner *runner)
{
    (void)uv_run(&runner->loop, UV_RUN_DEFAULT);
    prober_process_forget_unended(runner->supervisor);
    supervisor_detach(runner->supervisor);
    (void)uv_run(&runner->loop, UV_RUN_DEFAULT);
    int busy = uv_loop_close(&runner->loop);
    assert(busy == 0);
}

static void runner_on_pause_over(uv_timer_t *pause)
{
    struct runner *runner = pause->data;
    runner->over(runner->context);
}

void runner_pause(struct runner *runner, struct duration length, runner_over *over, void *context)
{
    if (runner->ending)
        return;
    runner->over = over;
    runner->context = context;
    (void)uv_timer_start(&runner->pause, runner_on_pause_over, (uint64_t)length.ms, 0);
}

static void runner_on_end(uv_timer_t *pause)
{
    struct runner *runner = pause->data;
    scheduler_end(runner->scheduler);
    platform_uv_close(&runner->platform);
    uv_close((uv_handle_t *)&runner->pause, NULL);
}

void runner_end(struct runner *runner)
{
    runner->ending = true;
    (void)uv_timer_start(&runner->pause, runner_on_end, 0, 0);
}

bool runner_views_have_config(const struct check_view *views, size_t count)
{
    bool have = false;
    for (size_t i = 0; i < count; i++)
        have |= views[i].judgement.outcome == OUTCOME_CONFIG;
    return have;
}

int runner_status(const struct runner *runner, int status)
{
    if (runner->ended_by == 0)
        return status;
    (void)fflush(stdout);
    (void)signal(runner->ended_by, SIG_DFL); // the supervisor had it ignored
    (void)raise(runner->ended_by);
    return status;
}

void runner_free(struct runner *runner)
{
    config_release(runner->config);
    statistics_free(runner->statistics);
}
