// See runner.h.
#include "server/command/runner.h"

#include "server/base/log.h"
#include "server/base/wall_time.h"
#include "server/probing/prober_process.h"

#include <assert.h>
#include <signal.h>

static void runner_before_wait(uv_prepare_t *prepare)
{
    struct runner *runner = prepare->data;
    scheduler_start_batches(runner->scheduler);
    if (!runner->ending)
        return;
    scheduler_end(runner->scheduler);
    uv_close((uv_handle_t *)prepare, NULL);
    uv_close((uv_handle_t *)&runner->terminate, NULL);
    uv_close((uv_handle_t *)&runner->interrupt, NULL);
}

static void runner_on_signal(uv_signal_t *handle, int number)
{
    (void)number;
    runner_end(handle->data);
}

void runner_start(struct runner *runner, struct settings *settings, struct duration deadline)
{
    *runner = (struct runner){0};
    log_configure(settings->log_format, LOG_ERROR); // the command prints what a check finds
    runner->config = config_load(settings);
    for (size_t i = 0; i < runner->config->problems.count; i++)
        fprintf(stderr, "dbhealthd: %s\n", runner->config->problems.items[i]);
    int failed = uv_loop_init(&runner->loop);
    assert(failed == 0);
    failed = uv_prepare_init(&runner->loop, &runner->prepare);
    failed |= uv_signal_init(&runner->loop, &runner->terminate);
    failed |= uv_signal_init(&runner->loop, &runner->interrupt);
    runner->prepare.data = runner->terminate.data = runner->interrupt.data = runner;
    failed |= uv_prepare_start(&runner->prepare, runner_before_wait);
    failed |= uv_signal_start(&runner->terminate, runner_on_signal, SIGTERM);
    failed |= uv_signal_start(&runner->interrupt, runner_on_signal, SIGINT);
    assert(failed == 0);
    uv_unref((uv_handle_t *)&runner->terminate);
    uv_unref((uv_handle_t *)&runner->interrupt);
    runner->statistics = statistics_new(wall_time_ms(instant_now()));
    runner->scheduler = scheduler_new(&runner->loop, runner->config, deadline, runner->statistics);
}

void runner_run(struct runner *runner)
{
    (void)uv_run(&runner->loop, UV_RUN_DEFAULT);
    prober_process_forget_unended(&runner->loop);
    int busy = uv_loop_close(&runner->loop);
    assert(busy == 0);
}

void runner_end(struct runner *runner)
{
    runner->ending = true;
}

bool runner_views_have_config(const struct check_view *views, size_t count)
{
    bool have = false;
    for (size_t i = 0; i < count; i++)
        have |= views[i].judgement.outcome == OUTCOME_CONFIG;
    return have;
}

void runner_free(struct runner *runner)
{
    config_release(runner->config);
    statistics_free(runner->statistics);
}
