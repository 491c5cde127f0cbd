// See metrics.h. The table of families at the end is all there is to say of each, with the
// function that writes its samples; a family without a sample is left out. No label's value comes
// from a request, so that configuration alone decides how many samples there are at most: of a
// check that looks at each row, those of ROWS_SHOWN rows.
#include "server/report/metrics.h"

#include "server/check/numbers.h"
#include "server/check/reserved.h"
#include "server/config/certificate.h"

#include <inttypes.h>
#include <string.h>

static const char label_letters[] =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";

enum { NS_PER_S = 1000000000, MS_PER_S = 1000, US_PER_S = 1000000 };

// Where the samples of one family go.
struct samples {
    FILE *body;
    const struct metric_family *family;
    bool begun; // the family's head is written
};

// --- samples

static void metrics_write_head(struct samples *samples)
{
    const struct metric_family *family = samples->family;
    if (!samples->begun)
        fprintf(samples->body, "# HELP %s %s\n# TYPE %s %s\n", family->name, family->help,
                family->name, family->type);
    samples->begun = true;
}

static void metrics_write_escaped(FILE *body, const char *value)
{
    while (*value != '\0') {
        size_t plain = strcspn(value, "\\\"\n");
        fwrite(value, 1, plain, body);
        value += plain;
        if (*value == '\0')
            break;
        fputs(*value == '\n' ? "\\n" : *value == '"' ? "\\\"" : "\\\\", body);
        value++;
    }
}

// The values of the family's labels; a label without one, NULL, is left out.
static void metrics_write_labels(const struct samples *samples, const char *first,
                                 const char *second)
{
    const char *const names[] = {samples->family->label, samples->family->second_label};
    const char *const values[] = {first, second};
    const char *before = "{";
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        if (values[i] == NULL)
            continue;
        fputs(before, samples->body);
        fputs(names[i], samples->body);
        fputs("=\"", samples->body);
        metrics_write_escaped(samples->body, values[i]);
        fputs("\"", samples->body);
        before = ",";
    }
    if (before[0] == ',')
        fputs("}", samples->body);
}

// Begins a sample; its value and the line's end are the caller's.
static FILE *metrics_begin_sample(struct samples *samples, const char *suffix, const char *first,
                                  const char *second)
{
    metrics_write_head(samples);
    fputs(samples->family->name, samples->body);
    fputs(suffix, samples->body);
    metrics_write_labels(samples, first, second);
    fputs(" ", samples->body);
    return samples->body;
}

static void metrics_add_count(struct samples *samples, const char *first, const char *second,
                              uint64_t value)
{
    fprintf(metrics_begin_sample(samples, "", first, second), "%" PRIu64 "\n", value);
}

static void metrics_add_ms(struct samples *samples, const char *first, int64_t ms)
{
    fprintf(metrics_begin_sample(samples, "", first, NULL), "%" PRId64 ".%03" PRId64 "\n",
            ms / MS_PER_S, ms % MS_PER_S);
}

// --- the adapter

static const struct config *metrics_config(const struct metrics *metrics)
{
    return metrics->report->adapter->config;
}

static void metrics_add_build(struct samples *samples, const struct metrics *metrics)
{
    (void)metrics;
    metrics_add_count(samples, DBHEALTH_VERSION, NULL, 1);
}

static void metrics_add_config(struct samples *samples, const struct metrics *metrics)
{
    const char *engine = engine_name(metrics_config(metrics)->engine);
    metrics_add_count(samples, engine != NULL ? engine : "unknown", NULL, 1);
}

static void metrics_add_config_checks(struct samples *samples, const struct metrics *metrics)
{
    metrics_add_count(samples, NULL, NULL, metrics_config(metrics)->check_count);
}

static void metrics_add_config_problems(struct samples *samples, const struct metrics *metrics)
{
    metrics_add_count(samples, NULL, NULL, metrics_config(metrics)->problems.count);
}

static void metrics_add_reloads(struct samples *samples, const struct metrics *metrics)
{
    for (unsigned result = 0; result < RELOAD_RESULTS; result++)
        metrics_add_count(samples, reload_result_name((enum reload_result)result), NULL,
                          metrics->statistics->reloads.counts[result]);
}

static void metrics_add_last_reload(struct samples *samples, const struct metrics *metrics)
{
    metrics_add_count(samples, NULL, NULL, !metrics->statistics->reloads.refused);
}

static void metrics_add_last_reload_time(struct samples *samples, const struct metrics *metrics)
{
    metrics_add_ms(samples, NULL, metrics->statistics->reloads.last_success_ms);
}

static void metrics_add_certificate_expiry(struct samples *samples, const struct metrics *metrics)
{
    if (metrics_config(metrics)->certificate != NULL)
        metrics_add_ms(samples, NULL,
                       certificate_expiry(metrics_config(metrics)->certificate) * MS_PER_S);
}

static void metrics_add_draining(struct samples *samples, const struct metrics *metrics)
{
    metrics_add_count(samples, NULL, NULL, metrics->report->circumstances.draining);
}

static void metrics_add_drain_start(struct samples *samples, const struct metrics *metrics)
{
    int64_t since_ms = metrics->report->circumstances.draining_since_ms;
    if (since_ms != 0)
        metrics_add_ms(samples, NULL, since_ms);
}

static void metrics_add_server_restarts(struct samples *samples, const struct metrics *metrics)
{
    metrics_add_count(samples, NULL, NULL, metrics->statistics->crashes);
}

static void metrics_add_log_lines_dropped(struct samples *samples, const struct metrics *metrics)
{
    metrics_add_count(samples, NULL, NULL, metrics->log_lines_dropped);
}

// --- the database, endpoints and checks

static void metrics_add_database(struct samples *samples, const struct metrics *metrics)
{
    if (metrics->report->server->flavor != NULL)
        metrics_add_count(samples, metrics->report->server->flavor,
                          metrics->report->server->version, 1);
}

// An endpoint as a label: not called `endpoint`, for the Prometheus operator gives every series a
// label of that name, and its value would hide ours.
struct path {
    char text[NAME_MAX_LENGTH + 2];
};

static struct path metrics_path_of(const char *endpoint)
{
    struct path path;
    bool there = endpoint[0] != '\0';
    (void)snprintf(path.text, sizeof path.text, "%s%s", there ? "/" : "other", endpoint);
    return path;
}

static void metrics_add_endpoints(struct samples *samples, const struct metrics *metrics)
{
    for (size_t i = 0; i < metrics_config(metrics)->endpoint_count; i++) {
        struct path path = metrics_path_of(metrics_config(metrics)->endpoints[i].name);
        metrics_add_count(samples, path.text, NULL, metrics->report->adapter->passes[i]);
    }
}

static void metrics_add_verdicts(struct samples *samples, const struct metrics *metrics)
{
    for (size_t i = 0; i < metrics->report->count; i++) {
        const struct check_view *view = &metrics->report->views[i];
        for (unsigned verdict = 0; verdict < VERDICT_COUNT; verdict++)
            metrics_add_count(samples, view->check->name, verdict_name((enum verdict)verdict),
                              view->judgement.verdict == verdict);
    }
}

// All but `unknown`, which is the lack of a result.
static void metrics_add_outcomes(struct samples *samples, const struct metrics *metrics)
{
    for (size_t i = 0; i < metrics->report->count; i++) {
        const struct check_view *view = &metrics->report->views[i];
        for (unsigned outcome = 0; outcome < OUTCOME_COUNT; outcome++) {
            if (outcome != OUTCOME_UNKNOWN)
                metrics_add_count(samples, view->check->name,
                                  outcome_info((enum outcome)outcome)->code,
                                  view->statistics->outcomes[outcome]);
        }
    }
}

static void metrics_add_histogram(struct samples *samples, const struct check_statistics *check)
{
    uint64_t runs = 0;
    for (size_t i = 0; i <= DURATION_BOUNDS; i++) {
        const char *bound = i < DURATION_BOUNDS ? duration_bound(i)->seconds : "+Inf";
        runs += check->durations[i];
        fprintf(metrics_begin_sample(samples, "_bucket", check->name, bound), "%" PRIu64 "\n",
                runs);
    }
    fprintf(metrics_begin_sample(samples, "_sum", check->name, NULL), "%" PRId64 ".%09" PRId64 "\n",
            check->duration_sum_ns / NS_PER_S, check->duration_sum_ns % NS_PER_S);
    fprintf(metrics_begin_sample(samples, "_count", check->name, NULL), "%" PRIu64 "\n", runs);
}

static void metrics_add_durations(struct samples *samples, const struct metrics *metrics)
{
    for (size_t i = 0; i < metrics->report->count; i++)
        metrics_add_histogram(samples, metrics->report->views[i].statistics);
}

static void metrics_add_ages(struct samples *samples, const struct metrics *metrics)
{
    for (size_t i = 0; i < metrics->report->count; i++) {
        const struct check_view *view = &metrics->report->views[i];
        if (view->dated)
            metrics_add_ms(samples, view->check->name,
                           instant_since(view->started, metrics->report->moment.now).ms);
    }
}

static void metrics_add_last_successes(struct samples *samples, const struct metrics *metrics)
{
    for (size_t i = 0; i < metrics->report->count; i++) {
        const struct check_view *view = &metrics->report->views[i];
        if (view->statistics->last_success_ms > 0)
            metrics_add_ms(samples, view->check->name, view->statistics->last_success_ms);
    }
}

static void metrics_add_values_of(struct samples *samples, const struct check_view *view)
{
    for (uint32_t i = 0; view->numbers != NULL && i < view->numbers->column_count; i++) {
        const char *column = result_column(view->numbers, i);
        if (numbers_is_metric(view->check, column))
            fprintf(metrics_begin_sample(samples, "", view->check->name, column), "%s\n",
                    result_value(view->numbers, 0, i).text);
    }
}

// --- values of each row

enum { LABEL_ROOM = RESULT_NAME_MAX + 2 * LABELS_MAX + 16 };

struct label_names {
    char texts[LABELS_MAX][LABEL_ROOM];
    uint32_t count;
};

static bool metrics_is_taken(const struct label_names *names, const char *name)
{
    static const char *const ours[] = {"check", "column", "row"};
    bool taken = false;
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
        taken |= strcmp(ours[i], name) == 0;
    for (uint32_t i = 0; i < names->count; i++)
        taken |= strcmp(names->texts[i], name) == 0;
    return taken;
}

// A column's name as a label's: letters, digits and '_', of which two at its begin would be
// Prometheus' own. What is another's gets a '_' more.
static void metrics_add_label_name(struct label_names *names, const char *column)
{
    struct text name = text_in(names->texts[names->count], LABEL_ROOM);
    if (column[0] >= '0' && column[0] <= '9')
        text_add(&name, "_");
    for (; *column != '\0'; column++) {
        char letter = strchr(label_letters, *column) != NULL ? *column : '_';
        if (letter != '_' || strcmp(name.bytes, "_") != 0)
            text_addf(&name, "%c", letter);
    }
    while (metrics_is_taken(names, name.bytes))
        text_add(&name, "_");
    names->count++;
}

static bool metrics_same_labels(const struct rows *rows, uint32_t one, uint32_t other)
{
    bool same = rows->label_count > 0;
    for (uint32_t i = 0; i < rows->label_count && same; i++)
        same = strcmp(result_value(rows->kept, one, i).text,
                      result_value(rows->kept, other, i).text) == 0;
    return same;
}

// Whether an earlier row has the same name: its series are the same, and the first one's count.
static bool metrics_is_named_again(const struct rows *rows, uint32_t row)
{
    bool again = false;
    for (uint32_t earlier = 0; earlier < row && !again; earlier++)
        again = metrics_same_labels(rows, earlier, row);
    return again;
}

static void metrics_add_row_value(struct samples *samples, const struct check_view *view,
                                  const struct label_names *names, uint32_t row, uint32_t column)
{
    const struct rows *rows = view->rows;
    const char *number = rows_metric(view->check, rows, row, column);
    if (number == NULL)
        return;
    metrics_write_head(samples);
    fprintf(samples->body, "%s{check=\"%s\",column=\"", samples->family->name, view->check->name);
    metrics_write_escaped(samples->body, result_column(rows->kept, column));
    for (uint32_t i = 0; i < rows->label_count; i++) {
        fprintf(samples->body, "\",%s=\"", names->texts[i]);
        metrics_write_escaped(samples->body, result_value(rows->kept, row, i).text);
    }
    if (rows->label_count == 0)
        fprintf(samples->body, "\",row=\"%" PRIu32, row + 1);
    fprintf(samples->body, "\"} %s\n", number);
}

static void metrics_add_values_of_rows(struct samples *samples, const struct check_view *view)
{
    struct label_names names = {.count = 0};
    const struct rows *rows = view->rows;
    for (uint32_t i = 0; rows != NULL && i < rows->label_count; i++)
        metrics_add_label_name(&names, result_column(rows->kept, i));
    for (uint32_t row = 0; rows != NULL && row < rows->kept->kept_rows; row++) {
        if (metrics_is_named_again(rows, row))
            continue;
        for (uint32_t column = rows->label_count; column < rows->kept->column_count; column++)
            metrics_add_row_value(samples, view, &names, row, column);
    }
}

static void metrics_add_rows_left_out(struct samples *samples, const struct metrics *metrics)
{
    for (size_t i = 0; i < metrics->report->count; i++) {
        const struct check_view *view = &metrics->report->views[i];
        if (view->rows == NULL)
            continue;
        uint64_t left_out = view->rows->left_out;
        for (uint32_t row = 0; row < view->rows->kept->kept_rows; row++)
            left_out += metrics_is_named_again(view->rows, row);
        metrics_add_count(samples, view->check->name, NULL, left_out);
    }
}

static void metrics_add_values(struct samples *samples, const struct metrics *metrics)
{
    for (size_t i = 0; i < metrics->report->count; i++) {
        metrics_add_values_of(samples, &metrics->report->views[i]);
        metrics_add_values_of_rows(samples, &metrics->report->views[i]);
    }
}

static void metrics_add_cache_uses(struct samples *samples, const struct metrics *metrics)
{
    for (unsigned use = 0; use < CACHE_USES; use++)
        metrics_add_count(samples, cache_use_name((enum cache_use)use), NULL,
                          metrics->statistics->cache_uses[use]);
}

// --- probers

// The count in the family's field.
static void metrics_add_of_probers(struct samples *samples, const struct metrics *metrics)
{
    for (size_t i = 0; i < metrics->report->adapter->prober_count; i++) {
        const struct prober_statistics *prober = metrics->report->adapter->probers[i].statistics;
        const uint64_t *count = (const void *)((const char *)prober + samples->family->offset);
        metrics_add_count(samples, prober->name, NULL, *count);
    }
}

static void metrics_add_pending_opens(struct samples *samples, const struct metrics *metrics)
{
    for (size_t i = 0; i < metrics->report->adapter->prober_count; i++)
        metrics_add_count(samples, metrics->report->adapter->probers[i].statistics->name, NULL,
                          metrics->report->adapter->probers[i].open_pending);
}

// --- requests

static void metrics_add_answers_of(struct samples *samples, const struct metrics *metrics,
                                   const char *endpoint)
{
    const struct endpoint_statistics *answers = statistics_endpoint(metrics->statistics, endpoint);
    struct path path = metrics_path_of(endpoint);
    for (size_t i = 0; i < ANSWER_CODES; i++) {
        char code[12];
        (void)snprintf(code, sizeof code, "%u", answer_code(i));
        metrics_add_count(samples, path.text, code, answers->answers[i]);
    }
}

static void metrics_add_answers(struct samples *samples, const struct metrics *metrics)
{
    for (size_t i = 0; i < metrics_config(metrics)->endpoint_count; i++)
        metrics_add_answers_of(samples, metrics, metrics_config(metrics)->endpoints[i].name);
    for (size_t i = 0; reserved_path_name(i) != NULL; i++)
        metrics_add_answers_of(samples, metrics, reserved_path_name(i));
    metrics_add_answers_of(samples, metrics, OTHER_ENDPOINT);
}

static void metrics_add_agent_answers_of(struct samples *samples, const struct metrics *metrics,
                                         const char *endpoint)
{
    const struct endpoint_statistics *answers = statistics_endpoint(metrics->statistics, endpoint);
    struct path path = metrics_path_of(endpoint);
    for (enum agent_word word = 0; word < AGENT_WORDS; word++)
        metrics_add_count(samples, path.text, agent_word_name(word), answers->agent_answers[word]);
}

static void metrics_add_agent_answers(struct samples *samples, const struct metrics *metrics)
{
    const struct config *config = metrics_config(metrics);
    if (config->settings.agent_listen[0] == '\0')
        return;
    for (size_t i = 0; i < config->endpoint_count; i++)
        metrics_add_agent_answers_of(samples, metrics, config->endpoints[i].name);
    metrics_add_agent_answers_of(samples, metrics, OTHER_ENDPOINT);
}

// --- the process

static void metrics_add_cpu(struct samples *samples, const struct metrics *metrics)
{
    int64_t us = metrics->usage.cpu_us;
    fprintf(metrics_begin_sample(samples, "", NULL, NULL), "%" PRId64 ".%06" PRId64 "\n",
            us / US_PER_S, us % US_PER_S);
}

// The amount in the family's field.
static void metrics_add_of_usage(struct samples *samples, const struct metrics *metrics)
{
    const uint64_t *amount =
        (const void *)((const char *)&metrics->usage + samples->family->offset);
    metrics_add_count(samples, NULL, NULL, *amount);
}

// --- peers

// A total that a check of peers has seen last; of each check the same.
static void metrics_add_peers_total(struct samples *samples, const struct metrics *metrics,
                                    const char *column)
{
    for (size_t i = 0; i < metrics->report->count; i++) {
        const struct check_view *view = &metrics->report->views[i];
        uint32_t index;
        if (!view->check->peers || view->numbers == NULL ||
            !result_find_column(view->numbers, column, &index))
            continue;
        fprintf(metrics_begin_sample(samples, "", NULL, NULL), "%s\n",
                result_value(view->numbers, 0, index).text);
        return;
    }
}

static void metrics_add_peers(struct samples *samples, const struct metrics *metrics)
{
    metrics_add_peers_total(samples, metrics, "peers");
}

static void metrics_add_peers_reachable(struct samples *samples, const struct metrics *metrics)
{
    metrics_add_peers_total(samples, metrics, "reachable");
}

static void metrics_add_peers_primaries(struct samples *samples, const struct metrics *metrics)
{
    metrics_add_peers_total(samples, metrics, "other_primaries");
}

static void metrics_add_start_time(struct samples *samples, const struct metrics *metrics)
{
    metrics_add_ms(samples, NULL, metrics->statistics->began_ms);
}

// --- the table

static const struct metric_family families[] = {
    {"dbhealthd_build_info", "gauge", "version", "", "1, with the version of the adapter.",
     metrics_add_build, 0},
    {"dbhealthd_config_info", "gauge", "engine", "",
     "1, with the engine that the database URL names.", metrics_add_config, 0},
    {"dbhealthd_config_checks", "gauge", "", "", "Checks that are configured.",
     metrics_add_config_checks, 0},
    {"dbhealthd_config_problems", "gauge", "", "",
     "Mistakes in the configuration; the log has their places.", metrics_add_config_problems, 0},
    {"dbhealthd_config_reloads_total", "counter", "result", "",
     "Reloads, by what they came to; a failure keeps the configuration as it was.",
     metrics_add_reloads, 0},
    {"dbhealthd_config_last_reload_successful", "gauge", "", "",
     "0 if the latest reload was refused, else 1.", metrics_add_last_reload, 0},
    {"dbhealthd_config_last_reload_success_timestamp_seconds", "gauge", "", "",
     "When the configuration that runs was last read.", metrics_add_last_reload_time, 0},
    {"dbhealthd_tls_certificate_expiry_timestamp_seconds", "gauge", "", "",
     "When the certificate of the port expires; absent without HTTPS.",
     metrics_add_certificate_expiry, 0},
    {"dbhealthd_database_info", "gauge", "flavor", "version",
     "1, with the server's product and version; absent until it has let a prober in.",
     metrics_add_database, 0},
    {"dbhealthd_draining", "gauge", "", "", "1 while the adapter drains.", metrics_add_draining, 0},
    {"dbhealthd_drain_start_timestamp_seconds", "gauge", "", "",
     "When the drain began that goes on; absent while there is none.", metrics_add_drain_start, 0},
    {"dbhealthd_endpoint_passing", "gauge", "path", "", "1 if the endpoint answers 200, 0 if 503.",
     metrics_add_endpoints, 0},
    {"dbhealthd_check_verdict", "gauge", "check", "verdict",
     "1 for the verdict of the check, 0 for each other verdict.", metrics_add_verdicts, 0},
    {"dbhealthd_check_outcomes_total", "counter", "check", "outcome",
     "Results, by what they ended in.", metrics_add_outcomes, 0},
    {"dbhealthd_check_duration_seconds", "histogram", "check", "le",
     "How long runs took, with the login for the first of a batch.", metrics_add_durations, 0},
    {"dbhealthd_check_age_seconds", "gauge", "check", "",
     "Time since the run began that the verdict is from; absent if it is from no run.",
     metrics_add_ages, 0},
    {"dbhealthd_check_last_success_timestamp_seconds", "gauge", "check", "",
     "When the latest run began that ended in pass or warn; absent until one has.",
     metrics_add_last_successes, 0},
    {"dbhealthd_check_value", "gauge", "check", "column",
     "A number in the first row of the result, or in each row, which its text columns name as more "
     "labels; absent if it is NULL or NaN, or the run failed.",
     metrics_add_values, 0},
    {"dbhealthd_check_rows_left_out", "gauge", "check", "",
     "Rows of a check that looks at each of which no value is told: beyond 100, or with the name "
     "of "
     "another.",
     metrics_add_rows_left_out, 0},
    {"dbhealthd_peers", "gauge", "", "",
     "Adapters of other servers that DBHEALTH_PEERS leads to; absent where nobody asks them.",
     metrics_add_peers, 0},
    {"dbhealthd_peers_reachable", "gauge", "", "", "Those of them that answered.",
     metrics_add_peers_reachable, 0},
    {"dbhealthd_peers_primaries", "gauge", "", "",
     "Those of them that say their server is a primary.", metrics_add_peers_primaries, 0},
    {"dbhealthd_cache_requests_total", "counter", "result", "",
     "Results that requests needed: from the cache (hit), from a run under way (join), from a new "
     "run (miss).",
     metrics_add_cache_uses, 0},
    {"dbhealthd_prober_starts_total", "counter", "prober", "", "Processes started.",
     metrics_add_of_probers, offsetof(struct prober_statistics, starts)},
    {"dbhealthd_prober_kills_total", "counter", "prober", "",
     "Processes killed because they gave no answer in time.", metrics_add_of_probers,
     offsetof(struct prober_statistics, kills)},
    {"dbhealthd_prober_crashes_total", "counter", "prober", "",
     "Processes that died or could not be started.", metrics_add_of_probers,
     offsetof(struct prober_statistics, crashes)},
    {"dbhealthd_prober_connections_opened_total", "counter", "prober", "",
     "Logins that the server accepted.", metrics_add_of_probers,
     offsetof(struct prober_statistics, connections)},
    {"dbhealthd_prober_open_pending", "gauge", "prober", "",
     "1 while the server leaves a login unanswered past its deadline.", metrics_add_pending_opens,
     0},
    {"dbhealthd_http_requests_total", "counter", "path", "code",
     "Answers, by endpoint and status; the path `other` has the status page's files and what is "
     "not "
     "there.",
     metrics_add_answers, 0},
    {"dbhealthd_agent_answers_total", "counter", "path", "word",
     "Answers to HAProxy's agent checks; absent without DBHEALTH_AGENT_LISTEN.",
     metrics_add_agent_answers, 0},
    {"dbhealthd_server_restarts_total", "counter", "", "",
     "Times that the serving process crashed and was started anew.", metrics_add_server_restarts,
     0},
    {"dbhealthd_log_lines_dropped_total", "counter", "", "",
     "Lines lost because nobody read the log.", metrics_add_log_lines_dropped, 0},
    {"process_cpu_seconds_total", "counter", "", "",
     "CPU time of the adapter itself, without its probers.", metrics_add_cpu, 0},
    {"process_resident_memory_bytes", "gauge", "", "", "Resident memory of the adapter itself.",
     metrics_add_of_usage, offsetof(struct usage, resident_bytes)},
    {"process_virtual_memory_bytes", "gauge", "", "", "Virtual memory of the adapter itself.",
     metrics_add_of_usage, offsetof(struct usage, virtual_bytes)},
    {"process_open_fds", "gauge", "", "", "Open file descriptors.", metrics_add_of_usage,
     offsetof(struct usage, open_descriptors)},
    {"process_max_fds", "gauge", "", "", "File descriptors that may be open.", metrics_add_of_usage,
     offsetof(struct usage, most_descriptors)},
    {"process_start_time_seconds", "gauge", "", "", "When the adapter was started.",
     metrics_add_start_time, 0},
};

enum { FAMILY_COUNT = sizeof families / sizeof *families };

const struct metric_family *metrics_family(size_t index)
{
    return index < FAMILY_COUNT ? &families[index] : NULL;
}

void metrics_write(FILE *body, const struct metrics *metrics)
{
    for (size_t i = 0; i < FAMILY_COUNT; i++) {
        struct samples samples = {.body = body, .family = &families[i]};
        families[i].write(&samples, metrics);
    }
}
