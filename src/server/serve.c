// See serve.h. One thread, one loop. SIGTERM: readiness fails at once while liveness goes on being
// answered, until the load balancers have had time to look away; SIGINT and a second SIGTERM end it
// now. All signals come through the supervisor. A server that takes the place of one that crashed
// finds its socket still listening, so that clients wait for it and are not refused.
#include "server/serve.h"

#include "common/memory.h"
#include "server/agent/agent.h"
#include "server/answer/answer.h"
#include "server/base/log.h"
#include "server/base/notify.h"
#include "server/base/wall_time.h"
#include "server/command/command.h"
#include "server/config/readable.h"
#include "server/config/reload.h"
#include "server/http/http.h"
#include "server/http/listener.h"
#include "server/probing/platform_uv.h"
#include "server/probing/prober_process.h"

#include <assert.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <uv.h>

enum { DRAIN_LOOK_MS = 250, HTTP_LISTENERS = LISTENER_DETAILS + 1 };

struct daemon {
    uv_loop_t loop;
    struct platform_uv platform;
    struct service service;
    struct http *http[HTTP_LISTENERS]; // NULL: there is none
    struct agent *agent;               // likewise
    struct supervisor *supervisor;
    struct reload *reload;
    uv_timer_t drain; // looks whether the database has gone
    uv_timer_t watchdog;
    int manager; // of services; -1: none that asks
    struct instant drain_start;
};

static void serve_end(struct daemon *daemon)
{
    log_event(LOG_INFO, "ending", NULL, 0);
    notify_tell(daemon->manager, "STOPPING=1");
    reload_end(daemon->reload);
    scheduler_end(daemon->service.scheduler);
    daemon->service.scheduler = NULL;
    platform_uv_close(&daemon->platform);
    for (size_t i = 0; i < HTTP_LISTENERS; i++) {
        if (daemon->http[i] != NULL)
            http_end(daemon->http[i]);
    }
    agent_end(daemon->agent);
    uv_close((uv_handle_t *)&daemon->drain, NULL);
    uv_close((uv_handle_t *)&daemon->watchdog, NULL);
}

static void serve_on_drain_look(uv_timer_t *timer)
{
    struct daemon *daemon = timer->data;
    struct duration drain = daemon->service.config->settings.drain;
    bool over = instant_since(daemon->drain_start, instant_now()).ms >= drain.ms;
    if (over || scheduler_server_is_gone(daemon->service.scheduler, daemon->drain_start))
        serve_end(daemon);
    else
        scheduler_refresh_liveness(daemon->service.scheduler);
}

static void serve_on_terminate(struct daemon *daemon)
{
    struct duration drain = daemon->service.config->settings.drain;
    if (daemon->service.draining_since_ms != 0 || drain.ms == 0) {
        serve_end(daemon);
        return;
    }
    LOG_EVENT(LOG_INFO, "draining", LOG_NUMBER("for_ms", drain.ms));
    notify_tell(daemon->manager, "STOPPING=1\nSTATUS=draining");
    daemon->drain_start = instant_now();
    daemon->service.draining_since_ms = wall_time_ms(daemon->drain_start);
    scheduler_refresh_liveness(daemon->service.scheduler);
    int failed = uv_timer_start(&daemon->drain, serve_on_drain_look, DRAIN_LOOK_MS, DRAIN_LOOK_MS);
    assert(failed == 0);
}

static void serve_on_signal(void *context, int number)
{
    struct daemon *daemon = context;
    if (daemon->service.scheduler == NULL)
        return; // it is ending
    if (number == SIGHUP)
        reload_now(daemon->reload);
    else if (number == SIGTERM)
        serve_on_terminate(daemon);
    else
        serve_end(daemon);
}

static void serve_on_watchdog(uv_timer_t *timer)
{
    const struct daemon *daemon = timer->data;
    notify_tell(daemon->manager, "WATCHDOG=1");
}

// Fed by the loop: a server that hangs feeds it no more.
static void serve_feed_watchdog(struct daemon *daemon)
{
    struct duration interval = notify_watchdog();
    if (daemon->manager < 0 || interval.ms == 0)
        return;
    uint64_t ms = (uint64_t)interval.ms;
    int failed = uv_timer_start(&daemon->watchdog, serve_on_watchdog, ms, ms);
    assert(failed == 0);
}

static void serve_start_handles(struct daemon *daemon)
{
    daemon->drain.data = daemon;
    daemon->watchdog.data = daemon;
    int failed = uv_timer_init(&daemon->loop, &daemon->drain);
    assert(failed == 0);
    failed = uv_timer_init(&daemon->loop, &daemon->watchdog);
    assert(failed == 0);
    (void)signal(SIGPIPE, SIG_IGN);
}

// What the server needs of files is open by now, or among those that it may read: those of its
// configuration, and what /proc tells of itself, for the metrics. That folder stays open, for only
// so it stays the one that it is.
static void serve_enter_sandbox(struct daemon *daemon)
{
    static const char self[] = "/proc/self";
    struct words readable = readable_paths(&daemon->service.config->settings);
    words_add(&readable, self, sizeof self - 1);
    (void)open(self, O_PATH | O_CLOEXEC);
    const struct sandbox *sandbox = &daemon->service.sandbox;
    daemon->service.sandbox =
        sandbox_enter(SANDBOX_SERVER, (const char *const *)readable.items, readable.count);
    words_free(&readable);
    sandbox_describe(sandbox, daemon->platform.platform.sandbox);
    LOG_EVENT(LOG_INFO, "sandboxed", LOG_TEXT("seccomp", sandbox->seccomp),
              LOG_TEXT("landlock", sandbox->landlock));
}

static void serve_log_start(const struct config *config, const int listening[LISTENERS])
{
    if (listening[LISTENER_DETAILS] >= 0)
        LOG_EVENT(LOG_INFO, "serving details",
                  LOG_NUMBER("port", listener_port(listening[LISTENER_DETAILS])));
    if (listening[LISTENER_AGENT] >= 0)
        LOG_EVENT(LOG_INFO, "answering agent checks",
                  LOG_NUMBER("port", listener_port(listening[LISTENER_AGENT])));
    LOG_EVENT(LOG_INFO, "serving", LOG_NUMBER("port", listener_port(listening[LISTENER_MAIN])),
              LOG_TEXT("target", config->target),
              LOG_NUMBER("checks", (int64_t)config->check_count),
              LOG_NUMBER("problems", (int64_t)config->problems.count));
}

// One that nobody took away keeps load balancers away for good.
static void serve_log_drain_file(const struct service *service)
{
    char since[WALL_TIME_MAX];
    int64_t since_ms = service_drain_file_since_ms(service);
    if (since_ms == 0)
        return;
    wall_time_format_ms(since_ms, since, sizeof since);
    LOG_EVENT(LOG_WARN, "drain file is there",
              LOG_TEXT("file", service->config->settings.drain_file), LOG_TEXT("since", since));
}

static void serve_on_reloaded(void *context, struct config *config)
{
    struct service *service = context;
    scheduler_reload(service->scheduler, config);
    config_release(service->config);
    service->config = config_hold(config);
}

static bool serve_start_listeners(struct daemon *daemon, const int listening[LISTENERS],
                                  struct error *error)
{
    for (size_t i = 0; i < HTTP_LISTENERS; i++) {
        if (listening[i] < 0)
            continue;
        daemon->http[i] =
            http_start(&daemon->loop, (enum listener)i, listening[i], &daemon->service, error);
        if (daemon->http[i] == NULL)
            return false;
    }
    if (listening[LISTENER_AGENT] >= 0)
        daemon->agent = agent_start(&daemon->loop, listening[LISTENER_AGENT], &daemon->service);
    return true;
}

static void serve_log_crash(const struct beginning *beginning)
{
    char how[64];
    if (beginning->crashes == 0)
        return;
    if (WIFSIGNALED(beginning->status))
        (void)snprintf(how, sizeof how, "ended by signal %d", WTERMSIG(beginning->status));
    else
        (void)snprintf(how, sizeof how, "exited with status %d", WEXITSTATUS(beginning->status));
    LOG_EVENT(LOG_ERROR, "server crashed", LOG_TEXT("how", how),
              LOG_NUMBER("crashes", beginning->crashes));
}

static void serve_begin(struct daemon *daemon, struct settings *settings,
                        const struct beginning *beginning)
{
    struct service *service = &daemon->service;
    int failed = uv_loop_init(&daemon->loop);
    assert(failed == 0);
    log_open();
    log_configure(settings->log_format, settings->log_level);
    serve_log_crash(beginning);
    service->statistics = statistics_new(wall_time_ms(instant_now()));
    service->statistics->crashes = beginning->crashes;
    daemon->reload = reload_start(&daemon->loop, settings, &service->statistics->reloads,
                                  serve_on_reloaded, service);
    service->config = config_hold(reload_running(daemon->reload));
    supervisor_attach(daemon->supervisor, &daemon->loop, serve_on_signal, daemon);
    service->started = instant_now();
}

static void serve_start_probing(struct daemon *daemon)
{
    const struct config *config = daemon->service.config;
    platform_uv_open(&daemon->platform, daemon->supervisor);
    daemon->service.scheduler =
        scheduler_new(&daemon->platform.platform, daemon->service.config, config->settings.deadline,
                      daemon->service.statistics);
    serve_start_handles(daemon);
}

// To the supervisor, in the log and to the service manager, in this order.
static void serve_tell_start(struct daemon *daemon, const int listening[LISTENERS])
{
    supervisor_tell_listening(daemon->supervisor, listening);
    reload_log_problems(daemon->reload);
    serve_log_start(daemon->service.config, listening);
    serve_log_drain_file(&daemon->service);
    daemon->manager = notify_open();
    serve_enter_sandbox(daemon);
    notify_tell(daemon->manager, "READY=1\nSTATUS=serving");
    serve_feed_watchdog(daemon);
}

static bool serve_start(struct daemon *daemon, struct settings *settings, struct error *error)
{
    struct beginning beginning;
    int listening[LISTENERS];
    if (!supervisor_find(&daemon->supervisor, &beginning, error) ||
        !listeners_open(settings, beginning.listening, listening, error))
        return false;
    serve_begin(daemon, settings, &beginning);
    if (!serve_start_listeners(daemon, listening, error))
        return false;
    serve_start_probing(daemon);
    serve_tell_start(daemon, listening);
    memory_trim(); // of what reading the configuration took
    return true;
}

int serve(struct settings *settings)
{
    static struct daemon daemon = {.manager = -1}; // what fails ends with the process
    struct error error;
    if (!serve_start(&daemon, settings, &error)) {
        fprintf(stderr, "dbhealthd: %s\n", error.text);
        settings_clear(settings);
        return STATUS_USAGE;
    }
    (void)uv_run(&daemon.loop, UV_RUN_DEFAULT);
    prober_process_forget_unended(daemon.supervisor);
    supervisor_detach(daemon.supervisor);
    (void)uv_run(&daemon.loop, UV_RUN_DEFAULT);
    config_release(daemon.service.config);
    statistics_free(daemon.service.statistics);
    int busy = uv_loop_close(&daemon.loop);
    assert(busy == 0);
    return 0;
}
