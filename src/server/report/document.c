// See document.h. Members that are not the draft's own are named like those; a length of time is in
// seconds, and its name says so.
#include "server/report/document.h"

#include "server/base/instance.h"
#include "server/report/document_check.h"

// --- the server

static void document_write_server(struct writer *writer, const struct report *report)
{
    static const char *const roles[] = {"primary", "replica"};
    writer_open_object(writer, "server");
    writer_string(writer, "engine", engine_name(report->server->engine));
    writer_string(writer, "flavor", report->server->flavor);
    writer_string(writer, "version",
                  report->server->flavor != NULL ? report->server->version : NULL);
    writer_open_array(writer, "roles");
    for (size_t i = 0; i < sizeof roles / sizeof *roles; i++)
        writer_string(writer, NULL, report_has_role(report, roles[i]) ? roles[i] : NULL);
    writer_close(writer);
    writer_close(writer);
}

// --- the adapter

static void document_write_prober(struct writer *writer, const struct prober_view *prober)
{
    const struct prober_statistics *counts = prober->statistics;
    writer_open_object(writer, counts->name);
    writer_string(writer, "status", report_prober_status(prober));
    writer_string(writer, "output", report_prober_output(prober));
    writer_string(writer, "sandbox", prober->sandbox);
    writer_integer(writer, "logins", (int64_t)counts->connections);
    writer_integer(writer, "starts", (int64_t)counts->starts);
    writer_integer(writer, "kills", (int64_t)counts->kills);
    writer_integer(writer, "crashes", (int64_t)counts->crashes);
    writer_close(writer);
}

static void document_write_adapter(struct writer *writer, const struct report *report)
{
    const struct adapter_view *adapter = report->adapter;
    writer_open_object(writer, "adapter");
    writer_string(writer, "version", DBHEALTH_VERSION);
    writer_time(writer, "since", adapter->statistics->began_ms);
    writer_boolean(writer, "draining", report->circumstances.draining);
    if (report->circumstances.draining_since_ms != 0)
        writer_time(writer, "drainingSince", report->circumstances.draining_since_ms);
    writer_seconds(writer, "deadlineSeconds", adapter->config->settings.deadline.ms * 1000);
    writer_open_object(writer, "sandbox");
    writer_string(writer, "seccomp", adapter->sandbox->seccomp);
    writer_string(writer, "landlock", adapter->sandbox->landlock);
    writer_close(writer);
    writer_open_object(writer, "probers");
    for (size_t i = 0; i < adapter->prober_count; i++)
        document_write_prober(writer, &adapter->probers[i]);
    writer_close(writer);
    writer_close(writer);
}

static void document_write_configuration(struct writer *writer, const struct adapter_view *adapter)
{
    const struct reload_statistics *reloads = &adapter->statistics->reloads;
    writer_open_object(writer, "configuration");
    writer_string(writer, "status", adapter->configuration_warning == NULL ? "pass" : "warn");
    writer_string(writer, "output", adapter->configuration_warning);
    writer_time(writer, "time", reloads->last_success_ms);
    writer_integer(writer, "mistakes", (int64_t)adapter->config->problems.count);
    writer_integer(writer, "reloads", (int64_t)reloads->counts[RELOAD_SUCCESS]);
    writer_integer(writer, "refusedReloads", (int64_t)reloads->counts[RELOAD_FAILURE]);
    writer_close(writer);
}

// --- endpoints

static bool document_endpoint_has(const struct report *report, const struct endpoint *endpoint,
                                  enum verdict verdict)
{
    bool has = false;
    for (size_t i = 0; i < endpoint->count; i++)
        has |= report->views[endpoint->checks[i]].judgement.verdict == verdict;
    return has;
}

// What matters most of its checks; `skipped` if none of them says anything.
static enum verdict document_verdict_of(const struct report *report,
                                        const struct endpoint *endpoint, bool passes)
{
    bool drains = endpoint->rule->draining_fails && report->circumstances.draining;
    if (document_endpoint_has(report, endpoint, VERDICT_FAIL) || drains)
        return VERDICT_FAIL;
    if (document_endpoint_has(report, endpoint, VERDICT_UNKNOWN))
        return VERDICT_UNKNOWN;
    if (document_endpoint_has(report, endpoint, VERDICT_WARN))
        return VERDICT_WARN;
    return passes ? VERDICT_PASS : VERDICT_SKIPPED;
}

static void document_write_path(struct writer *writer, const struct report *report, size_t index)
{
    const struct endpoint *endpoint = &report->adapter->config->endpoints[index];
    bool passes = report->adapter->passes[index];
    char path[NAME_MAX_LENGTH + 2];
    (void)snprintf(path, sizeof path, "/%s", endpoint->name);
    writer_open_object(writer, path);
    writer_string(writer, "verdict", verdict_name(document_verdict_of(report, endpoint, passes)));
    writer_integer(writer, "httpStatus", passes ? 200 : 503);
    writer_close(writer);
}

static void document_write_endpoints(struct writer *writer, const struct report *report)
{
    const struct config *config = report->adapter->config;
    writer_open_object(writer, "endpoints");
    for (size_t i = 0; i < config->endpoint_count; i++)
        writer_string(writer, config->endpoints[i].name,
                      report->adapter->passes[i] ? "pass" : "fail");
    writer_close(writer);
    writer_open_object(writer, "paths");
    for (size_t i = 0; i < config->endpoint_count; i++)
        document_write_path(writer, report, i);
    writer_close(writer);
}

// --- the whole

static bool document_warns(const struct report *report)
{
    bool warns = false;
    for (size_t i = 0; i < report->count; i++) {
        enum verdict verdict = report->views[i].judgement.verdict;
        warns |= verdict != VERDICT_PASS && verdict != VERDICT_SKIPPED;
    }
    return warns;
}

static void document_open(struct writer *writer, const char *status, const char *description)
{
    writer_open_object(writer, NULL);
    writer_string(writer, "status", status);
    writer_string(writer, "releaseId", DBHEALTH_VERSION);
    writer_string(writer, "description", description);
    writer_string(writer, "instance", instance_id());
}

// Sentences on what is not a check's, in the draft's member for them.
static void document_write_notes(struct writer *writer, const struct report *report)
{
    size_t excluded = report->not_excluded != NULL ? report->not_excluded->count : 0;
    if (report->count > 0 && !report->shows_drain && excluded == 0)
        return;
    writer_open_array(writer, "notes");
    if (report->count == 0)
        writer_string(writer, NULL, "there is no check to judge");
    if (report->shows_drain)
        writer_string(writer, NULL, "the adapter is draining");
    for (size_t i = 0; i < excluded; i++) {
        char note[4 * NAME_MAX_LENGTH];
        (void)snprintf(note, sizeof note, "cannot exclude %s: not a check of %s",
                       report->not_excluded->items[i], report->name);
        writer_string(writer, NULL, note);
    }
    writer_close(writer);
}

void document_write(struct writer *writer, const struct report *report)
{
    const char *passing = document_warns(report) ? "warn" : "pass";
    document_open(writer, report->passes ? passing : "fail", report->name);
    writer_boolean(writer, "draining", report->circumstances.draining);
    writer_time(writer, "time", report->moment.unix_ms);
    document_write_notes(writer, report);
    if (report->server != NULL)
        document_write_server(writer, report);
    if (report->adapter != NULL) {
        document_write_adapter(writer, report);
        document_write_configuration(writer, report->adapter);
        document_write_endpoints(writer, report);
    }
    writer_open_object(writer, "checks");
    for (size_t i = 0; i < report->count; i++)
        document_check_write(writer, report, &report->views[i]);
    writer_close(writer);
    writer_close(writer);
}

void document_write_checks(struct writer *writer, const struct check_view *views, size_t count,
                           const struct server_view *server)
{
    struct report report = {.name = "check",
                            .rule = endpoint_rule("readyz"),
                            .views = views,
                            .count = count,
                            .circumstances = {.no_endpoint = true},
                            .moment = moment_now(),
                            .server = server};
    report.passes = endpoint_passes(report.rule, views, NULL, count, &report.circumstances);
    document_write(writer, &report);
}

void document_write_components(struct writer *writer, const struct component *components,
                               size_t count, bool passes)
{
    document_open(writer, passes ? "pass" : "fail", "livez");
    writer_open_object(writer, "checks");
    for (size_t i = 0; i < count; i++) {
        writer_open_array(writer, components[i].name);
        writer_open_object(writer, NULL);
        writer_string(writer, "componentType", "component");
        writer_string(writer, "status", components[i].status);
        writer_string(writer, "output", components[i].output);
        writer_close(writer);
        writer_close(writer);
    }
    writer_close(writer);
    writer_close(writer);
}
