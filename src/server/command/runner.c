// See probing.h.
#include "server/command/runner.h"

#include "server/base/log.h"
#include "server/base/wall_time.h"
#include "server/probing/prober_process.h"

#include <assert.h>
#include <signal.h>

static void runner_before_wait(uv_prepare_t *prepare)
{
    struct probing *probing = prepare->data;
    scheduler_start_batches(probing->scheduler);
    if (!probing->ending)
        return;
    scheduler_end(probing->scheduler);
    uv_close((uv_handle_t *)prepare, NULL);
    uv_close((uv_handle_t *)&probing->terminate, NULL);
    uv_close((uv_handle_t *)&probing->interrupt, NULL);
}

static void runner_on_signal(uv_signal_t *handle, int number)
{
    (void)number;
    probing_end(handle->data);
}

void probing_start(struct probing *probing, struct settings *settings, struct duration deadline)
{
    *probing = (struct probing){0};
    log_configure(settings->log_format, LOG_ERROR); // the command prints what a check finds
    probing->config = config_load(settings);
    for (size_t i = 0; i < probing->config->problems.count; i++)
        fprintf(stderr, "dbhealthd: %s\n", probing->config->problems.items[i]);
    int failed = uv_loop_init(&probing->loop);
    assert(failed == 0);
    failed = uv_prepare_init(&probing->loop, &probing->prepare);
    failed |= uv_signal_init(&probing->loop, &probing->terminate);
    failed |= uv_signal_init(&probing->loop, &probing->interrupt);
    probing->prepare.data = probing->terminate.data = probing->interrupt.data = probing;
    failed |= uv_prepare_start(&probing->prepare, runner_before_wait);
    failed |= uv_signal_start(&probing->terminate, runner_on_signal, SIGTERM);
    failed |= uv_signal_start(&probing->interrupt, runner_on_signal, SIGINT);
    assert(failed == 0);
    uv_unref((uv_handle_t *)&probing->terminate);
    uv_unref((uv_handle_t *)&probing->interrupt);
    probing->statistics = statistics_new(wall_time_ms(instant_now()));
    probing->scheduler =
        scheduler_new(&probing->loop, probing->config, deadline, probing->statistics);
}

void probing_run(struct probing *probing)
{
    (void)uv_run(&probing->loop, UV_RUN_DEFAULT);
    prober_process_forget_unended(&probing->loop);
    int busy = uv_loop_close(&probing->loop);
    assert(busy == 0);
}

void probing_end(struct probing *probing)
{
    probing->ending = true;
}

bool views_have_config(const struct check_view *views, size_t count)
{
    bool have = false;
    for (size_t i = 0; i < count; i++)
        have |= views[i].judgement.outcome == OUTCOME_CONFIG;
    return have;
}

void probing_free(struct probing *probing)
{
    config_release(probing->config);
    statistics_free(probing->statistics);
}
