// See reload.h. All or nothing: a set of files with a problem that the running configuration has
// not is refused as a whole, and what runs goes on. What has changed in several steps is read once
// it has settled; files that change while they are read are read again, so that no mixture is
// taken.
//
// The decision to question is the second thread, of libuv's pool, that does all looking and
// reading: on a network file system whose server is gone neither returns, and no request or signal
// may wait for it. It has `job` to itself from reload_start_job to reload_on_job_done.
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
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    LOOK_MS = 2000,    // from one look at the files to the next
    STUCK_MS = 5000,   // a job that takes longer is logged
    END_MS = 1500,     // what else ends has ended by then
    SETTLE_MS = 300,   // from the latest change to the reload, ...
    PATIENCE_MS = 5000 // ... but no longer than this from the first
};

// A look at the files, or a reading of them between two looks.
struct job {
    uv_work_t work;
    const struct watch *watch;
    bool reads;
    struct settings settings; // to read them with
    struct config *config;    // what was read
    uint64_t before, after;   // the looks; a job that only looks has the first
};

struct reload {
    struct config *running; // held
    struct reload_statistics *statistics;
    reload_taken *taken;
    void *context;
    struct watch watch;
    uint64_t seen; // of the watch: the look that has been dealt with
    struct job job;
    bool working;           // the job is the thread's
    bool stuck;             // and that has been logged
    bool asked;             // by SIGHUP, while it was
    bool ended;             // once the job is done nothing follows
    bool unsettled;         // files have changed that are not yet read
    struct instant changed; // if so: when the first did
    uv_timer_t timer;       // to the next job; while one is under way, until it is too long
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

// --- the thread

static void reload_work(uv_work_t *work)
{
    struct job *job = work->data;
    job->before = watch_look(job->watch);
    if (!job->reads)
        return;
    job->config = config_load(&job->settings);
    job->after = watch_look(job->watch);
}

static void reload_on_job_done(uv_work_t *work, int cancelled);

static void reload_on_stuck(uv_timer_t *timer)
{
    struct reload *reload = timer->data;
    reload->stuck = true;
    LOG_EVENT(LOG_WARN, "files cannot be looked at", LOG_NUMBER("no_answer_for_ms", STUCK_MS));
}

static void reload_start_job(struct reload *reload, bool reads)
{
    struct job *job = &reload->job;
    reload->working = true;
    job->reads = reads;
    if (reads)
        job->settings = settings_copy(&reload->running->settings);
    int failed = uv_queue_work(reload->timer.loop, &job->work, reload_work, reload_on_job_done);
    failed |= uv_timer_start(&reload->timer, reload_on_stuck, STUCK_MS, 0);
    assert(failed == 0);
}

// --- when

static void reload_on_time(uv_timer_t *timer)
{
    struct reload *reload = timer->data;
    reload_start_job(reload, reload->unsettled);
}

static void reload_wait_for_changes(struct reload *reload)
{
    reload->unsettled = false;
    int failed = uv_timer_start(&reload->timer, reload_on_time, LOOK_MS, 0);
    assert(failed == 0);
}

static void reload_wait_to_settle(struct reload *reload)
{
    struct instant now = instant_now();
    if (!reload->unsettled)
        reload->changed = now;
    reload->unsettled = true;
    struct instant settled = instant_add(now, (struct duration){.ms = SETTLE_MS});
    struct instant latest = instant_add(reload->changed, (struct duration){.ms = PATIENCE_MS});
    deadline_start_timer(&reload->timer, instant_before(settled, latest) ? settled : latest,
                         reload_on_time);
}

// True if what has been read is to be read again, later.
static bool reload_must_settle(const struct reload *reload, bool changing)
{
    return changing && reload->unsettled &&
           instant_since(reload->changed, instant_now()).ms < PATIENCE_MS;
}

static void reload_take_job(struct reload *reload)
{
    struct job *job = &reload->job;
    bool changed = job->before != reload->seen;
    reload->seen = job->before;
    if (!job->reads && changed) {
        reload_wait_to_settle(reload);
    } else if (job->reads && reload_must_settle(reload, changed || job->after != job->before)) {
        reload->seen = job->after;
        reload_wait_to_settle(reload);
    } else {
        reload_wait_for_changes(reload);
        if (job->reads)
            reload_decide(reload, job->config);
    }
}

// However lately something has changed.
static void reload_read_now(struct reload *reload)
{
    reload->asked = reload->unsettled = false;
    reload_start_job(reload, true);
}

static void reload_close(struct reload *reload)
{
    handles_close(&reload->handles, &reload->timer);
}

static void reload_on_job_done(uv_work_t *work, int cancelled)
{
    struct job *job = work->data;
    struct reload *reload = CONTAINER_OF(job, struct reload, job);
    (void)cancelled; // never: nobody else needs the thread
    reload->working = false;
    if (reload->stuck)
        log_event(LOG_INFO, "files can be looked at again", NULL, 0);
    reload->stuck = false;
    if (reload->ended)
        reload_close(reload);
    else
        reload_take_job(reload);
    if (job->config != NULL)
        config_release(job->config);
    job->config = NULL;
    if (job->reads)
        memory_trim();
    if (reload->asked && !reload->ended)
        reload_read_now(reload);
}

void reload_now(struct reload *reload)
{
    reload->asked = reload->working;
    if (!reload->working)
        reload_read_now(reload);
}

// --- life

static void reload_add(struct words *words, const char *path)
{
    words_add(words, path, strlen(path));
}

static void reload_add_files(struct watch *watch, const struct settings *settings)
{
    const char *target[TARGET_FILES_MAX];
    size_t target_count = target_load_files(target);
    for (size_t i = 0; i < settings->checks.count; i++) {
        if (strcmp(settings->checks.items[i], "library") != 0) // changes with the program
            reload_add(&watch->folders, settings->checks.items[i]);
    }
    for (size_t i = 0; i < target_count; i++)
        reload_add(&watch->files, target[i]);
    if (settings->tls_cert[0] != '\0')
        reload_add(&watch->files, settings->tls_cert);
    if (settings->tls_key[0] != '\0')
        reload_add(&watch->files, settings->tls_key);
    if (settings->tls_client_ca[0] != '\0')
        reload_add(&watch->files, settings->tls_client_ca);
}

static void reload_on_closed(struct handles *handles)
{
    struct reload *reload = CONTAINER_OF(handles, struct reload, handles);
    watch_clear(&reload->watch);
    config_release(reload->running);
    free(reload);
}

struct reload *reload_start(uv_loop_t *loop, struct settings *settings,
                            struct reload_statistics *statistics, reload_taken *taken,
                            void *context)
{
    struct reload *reload = memory_new(sizeof *reload);
    reload->statistics = statistics;
    reload->taken = taken;
    reload->context = context;
    reload_add_files(&reload->watch, settings);
    reload->seen = watch_look(&reload->watch); // before they are read
    reload->running = config_load(settings);
    reload->job.watch = &reload->watch;
    reload->job.work.data = &reload->job;
    reload->timer.data = reload;
    (void)setenv("UV_THREADPOOL_SIZE", "1", 0); // nobody else needs threads
    int failed = uv_timer_init(loop, &reload->timer);
    assert(failed == 0);
    reload->handles = (struct handles){.open = 1, .all_closed = reload_on_closed};
    reload_wait_for_changes(reload);
    return reload;
}

struct config *reload_running(const struct reload *reload)
{
    return reload->running;
}

// A job that does not come back must not keep the process. libuv would wait for it, in exit(), too.
static void reload_leave(uv_timer_t *timer)
{
    (void)timer;
    _exit(0);
}

void reload_end(struct reload *reload)
{
    reload->ended = true;
    if (!reload->working) {
        reload_close(reload);
        return;
    }
    int failed = uv_timer_start(&reload->timer, reload_leave, END_MS, 0);
    assert(failed == 0);
}
