// See probing.h.
#include "server/probing.h"

#include "server/log.h"

#include <assert.h>

enum { ASK_LIMIT_MS = 3600 * 1000 }; // each check's own timeout is what ends a request here

static void before_wait(uv_prepare_t *prepare)
{
    struct probing *probing = prepare->data;
    scheduler_start_batches(probing->scheduler);
    if (!probing->ending)
        return;
    scheduler_end(probing->scheduler);
    uv_close((uv_handle_t *)prepare, NULL);
}

void probing_start(struct probing *probing, struct settings *settings)
{
    *probing = (struct probing){0};
    log_configure(settings->log_format, LOG_ERROR); // the command prints what a check finds
    probing->config = config_load(settings);
    for (size_t i = 0; i < probing->config->problems.count; i++)
        fprintf(stderr, "dbhealthd: %s\n", probing->config->problems.items[i]);
    int failed = uv_loop_init(&probing->loop);
    assert(failed == 0);
    failed = uv_prepare_init(&probing->loop, &probing->prepare);
    assert(failed == 0);
    probing->prepare.data = probing;
    failed = uv_prepare_start(&probing->prepare, before_wait);
    assert(failed == 0);
    probing->scheduler =
        scheduler_new(&probing->loop, probing->config, (struct duration){.ms = ASK_LIMIT_MS});
}

void probing_run(struct probing *probing)
{
    (void)uv_run(&probing->loop, UV_RUN_DEFAULT);
    int busy = uv_loop_close(&probing->loop);
    assert(busy == 0);
}

void probing_end(struct probing *probing)
{
    probing->ending = true;
}

void probing_free(struct probing *probing)
{
    config_release(probing->config);
}
