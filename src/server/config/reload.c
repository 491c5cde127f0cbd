// See reload.h. All or nothing: a set of files with a problem that the running configuration has
// not is refused as a whole, and what runs goes on. What has changed in several steps is read once
// it has settled; files that change while they are read are read again, so that no mixture is
// taken.
#include "server/config/reload.h"

#include "common/memory.h"
#include "common/target_load.h"
#include "server/base/container_of.h"
#include "server/base/deadline.h"
#include "server/base/handles.h"
#include "server/base/log.h"
#include "server/base/wall_time.h"
#include "server/config/certificate.h"
#include "server/config/watch.h"

#include <assert.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

enum {
    SETTLE_MS = 300,   // from the latest change to the reload, ...
    PATIENCE_MS = 5000 // ... but no longer than this from the first
};

struct reload {
    struct config *running; // held
    struct reload_statistics *statistics;
    reload_taken *taken;
    void *context;
    struct watch *watch;
    uv_signal_t hangup;
    uv_timer_t settle;
    bool unsettled;         // files have changed that are not yet read
    struct instant changed; // if so: when the first did
    struct handles handles;
};

// --- the verdict on what was read

static void reload_log_refusal(const struct config_changes *changes)
{
    for (size_t i = 0; i < changes->problems.count; i++)
        LOG_EVENT(LOG_ERROR, "reload refused", LOG_TEXT("problem", changes->problems.items[i]));
}

static char *reload_join(const struct words *words)
{
    char *joined = memory_string("");
    size_t length = 0;
    for (size_t i = 0; i < words->count; i++) {
        size_t more = strlen(words->items[i]);
        joined = memory_grow(joined, length + more + 2);
        if (length > 0)
            joined[length++] = ' ';
        memcpy(joined + length, words->items[i], more + 1);
        length += more;
    }
    return joined;
}

static void reload_log_success(const struct config_changes *changes, const struct config *config)
{
    char *added = reload_join(&changes->added);
    char *changed = reload_join(&changes->changed);
    char *removed = reload_join(&changes->removed);
    char expiry[WALL_TIME_MAX] = "";
    if (changes->certificate)
        wall_time_format_ms(certificate_expiry(config->certificate) * 1000, expiry, sizeof expiry);
    LOG_EVENT(
        LOG_INFO, "reloaded", LOG_TEXT("added", added), LOG_TEXT("changed", changed),
        LOG_TEXT("removed", removed), LOG_TEXT("target", changes->target ? config->target : ""),
        LOG_TEXT("certificate_until", expiry), LOG_NUMBER("checks", (int64_t)config->check_count),
        LOG_NUMBER("problems", (int64_t)config->problems.count));
    free(added);
    free(changed);
    free(removed);
}

static void reload_log_warnings(const struct config *config)
{
    for (size_t i = 0; i < config->warnings.count; i++)
        LOG_EVENT(LOG_WARN, "configuration is doubtful",
                  LOG_TEXT("warning", config->warnings.items[i]));
}

void reload_log_problems(const struct reload *reload)
{
    const struct config *config = reload->running;
    for (size_t i = 0; i < config->problems.count; i++)
        LOG_EVENT(LOG_ERROR, "configuration is wrong",
                  LOG_TEXT("problem", config->problems.items[i]));
    reload_log_warnings(config);
}

static void reload_count(struct reload *reload, enum reload_result result)
{
    struct reload_statistics *statistics = reload->statistics;
    statistics->counts[result]++;
    statistics->refused = result == RELOAD_FAILURE;
    if (!statistics->refused)
        statistics->last_success_ms = wall_time_ms(instant_now());
}

// Requests from now on get this one; those under way hold the other.
static void reload_take(struct reload *reload, struct config *config)
{
    reload->taken(reload->context, config);
    config_release(reload->running);
    reload->running = config_hold(config);
}

static void reload_decide(struct reload *reload, struct config *config)
{
    struct config_changes changes = config_succeed(config, reload->running);
    if (changes.problems.count == 0)
        reload_log_warnings(config);
    if (changes.problems.count > 0) {
        reload_log_refusal(&changes);
        reload_count(reload, RELOAD_FAILURE);
    } else if (config_changes_any(&changes)) {
        reload_take(reload, config);
        reload_log_success(&changes, config);
        reload_count(reload, RELOAD_SUCCESS);
    } else {
        LOG_EVENT(LOG_INFO, "reload found no change",
                  LOG_NUMBER("checks", (int64_t)config->check_count));
        reload_count(reload, RELOAD_UNCHANGED);
    }
    config_changes_clear(&changes);
}

// --- when

static void reload_on_settled(uv_timer_t *timer);

static void reload_wait_to_settle(struct reload *reload)
{
    struct instant now = instant_now();
    if (!reload->unsettled)
        reload->changed = now;
    reload->unsettled = true;
    struct instant settled = instant_add(now, (struct duration){.ms = SETTLE_MS});
    struct instant latest = instant_add(reload->changed, (struct duration){.ms = PATIENCE_MS});
    deadline_start_timer(&reload->settle, instant_before(settled, latest) ? settled : latest,
                         reload_on_settled);
}

static void reload_read_anew(struct reload *reload, bool patient)
{
    bool changes = watch_take_changes(reload->watch);
    if (patient && changes) {
        reload_wait_to_settle(reload);
        return;
    }
    struct settings settings = settings_copy(&reload->running->settings);
    struct config *config = config_load(&settings);
    if (patient && watch_take_changes(reload->watch)) {
        reload_wait_to_settle(reload);
    } else {
        reload->unsettled = false;
        reload_decide(reload, config);
    }
    config_release(config);
    memory_trim();
}

static void reload_on_settled(uv_timer_t *timer)
{
    struct reload *reload = timer->data;
    reload_read_anew(reload, instant_since(reload->changed, instant_now()).ms < PATIENCE_MS);
}

static void reload_on_changed(void *context)
{
    reload_wait_to_settle(context);
}

static void reload_on_hangup(uv_signal_t *handle, int number)
{
    struct reload *reload = handle->data;
    (void)number;
    (void)uv_timer_stop(&reload->settle);
    reload_read_anew(reload, false);
}

// --- life

static void reload_watch_files(struct watch *watch, const struct settings *settings)
{
    const char *target[TARGET_FILES_MAX];
    size_t target_count = target_load_files(target);
    for (size_t i = 0; i < settings->checks.count; i++) {
        if (strcmp(settings->checks.items[i], "library") != 0) // changes with the program
            watch_folder(watch, settings->checks.items[i]);
    }
    for (size_t i = 0; i < target_count; i++)
        watch_file(watch, target[i]);
    if (settings->tls_cert[0] != '\0')
        watch_file(watch, settings->tls_cert);
    if (settings->tls_key[0] != '\0')
        watch_file(watch, settings->tls_key);
    (void)watch_take_changes(watch);
}

static void reload_on_closed(struct handles *handles)
{
    free(CONTAINER_OF(handles, struct reload, handles));
}

struct reload *reload_start(uv_loop_t *loop, struct settings *settings,
                            struct reload_statistics *statistics, reload_taken *taken,
                            void *context)
{
    struct reload *reload = memory_new(sizeof *reload);
    reload->statistics = statistics;
    reload->taken = taken;
    reload->context = context;
    reload->watch = watch_new(loop, reload_on_changed, reload);
    reload_watch_files(reload->watch, settings); // before they are read
    reload->running = config_load(settings);
    reload->hangup.data = reload->settle.data = reload;
    int failed = uv_timer_init(loop, &reload->settle);
    failed |= uv_signal_init(loop, &reload->hangup);
    failed |= uv_signal_start(&reload->hangup, reload_on_hangup, SIGHUP);
    assert(failed == 0);
    reload->handles = (struct handles){.open = 2, .all_closed = reload_on_closed};
    return reload;
}

struct config *reload_running(const struct reload *reload)
{
    return reload->running;
}

void reload_end(struct reload *reload)
{
    watch_end(reload->watch);
    config_release(reload->running);
    handles_close(&reload->handles, &reload->settle);
    handles_close(&reload->handles, &reload->hangup);
}
