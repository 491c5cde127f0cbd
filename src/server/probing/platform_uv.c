// See platform_uv.h. One timer for all alarms.
#include "server/probing/platform_uv.h"

#include "server/base/container_of.h"
#include "server/base/deadline.h"
#include "server/probing/prober_process.h"

#include <assert.h>

static struct instant platform_uv_now(struct platform *platform)
{
    (void)platform;
    return instant_now();
}

static void platform_uv_on_timer(uv_timer_t *timer)
{
    struct platform_uv *uv = timer->data;
    platform_ring(&uv->platform);
}

static void platform_uv_before_wait(uv_prepare_t *prepare)
{
    struct platform_uv *uv = prepare->data;
    platform_before_wait(&uv->platform);
}

static void platform_uv_wake_at(struct platform *platform, struct instant at)
{
    struct platform_uv *uv = CONTAINER_OF(platform, struct platform_uv, platform);
    if (at.ns == INT64_MAX)
        (void)uv_timer_stop(&uv->timer);
    else
        deadline_start_timer(&uv->timer, at, platform_uv_on_timer);
}

// Without an engine, either program of a database says `config`.
static struct prober_process *platform_uv_start(struct platform *platform, enum engine engine,
                                                const struct prober_process_events *events,
                                                void *owner, struct error *error)
{
    struct platform_uv *uv = CONTAINER_OF(platform, struct platform_uv, platform);
    return prober_process_start(uv->supervisor, engine != ENGINE_NONE ? engine : ENGINE_MYSQL,
                                events, owner, error);
}

void platform_uv_open(struct platform_uv *uv, struct supervisor *supervisor)
{
    static const struct platform_functions functions = {.now = platform_uv_now,
                                                        .wake_at = platform_uv_wake_at,
                                                        .start = platform_uv_start,
                                                        .send = prober_process_send,
                                                        .receive = prober_process_receive,
                                                        .has_asked = prober_process_has_asked,
                                                        .asks = prober_process_asks,
                                                        .cpu = prober_process_cpu,
                                                        .is_ready = prober_process_is_ready,
                                                        .kill = prober_process_kill,
                                                        .end = prober_process_end};
    *uv = (struct platform_uv){.platform = platform_with(&functions), .supervisor = supervisor};
    uv_loop_t *loop = supervisor_loop(supervisor);
    uv->timer.data = uv->prepare.data = uv;
    int failed = uv_timer_init(loop, &uv->timer);
    failed |= uv_prepare_init(loop, &uv->prepare);
    failed |= uv_prepare_start(&uv->prepare, platform_uv_before_wait);
    assert(failed == 0);
}

void platform_uv_close(struct platform_uv *uv)
{
    alarms_free(&uv->platform.alarms);
    uv_close((uv_handle_t *)&uv->timer, NULL);
    uv_close((uv_handle_t *)&uv->prepare, NULL);
}
