// The text of /metrics, to the letter: what scrapers, alerts and dashboards rely on.
#include "server/report/metrics.h"

#include "server/check/reserved.h"
#include "unit.h"

#include <stdlib.h>
#include <string.h>

// A small adapter at one moment, made by hand.
struct scene {
    struct check alive, lag;
    struct check *checks[2];
    struct endpoint endpoints[2];
    struct config config;
    struct check_view views[2];
    bool passes[2];
    struct prober_view probers[1];
    struct server_view server;
    struct adapter_view adapter;
    struct report report;
    struct metrics metrics;
};

static char alive_name[] = "alive";
static char lag_name[] = "lag";
static char healthz_name[] = "healthz";
static char replica_name[] = "replica";
static char nowhere[] = "";

static void see_runs(struct scene *scene)
{
    struct statistics *statistics = scene->metrics.statistics;
    struct check_statistics *alive = statistics_check(statistics, "alive");
    scene->views[0] = (struct check_view){.check = &scene->alive,
                                          .judgement = {.verdict = VERDICT_PASS},
                                          .dated = true,
                                          .started = {INT64_C(8766000000)},
                                          .statistics = alive};
    alive->outcomes[OUTCOME_OK] = 41;
    alive->outcomes[OUTCOME_STARVED] = 1;
    alive->last_success_ms = INT64_C(1767225600007);
    check_statistics_add_run(alive, 500);
    check_statistics_add_run(alive, 3000000);
    check_statistics_add_run(alive, INT64_C(20000000001));
    scene->views[1] = (struct check_view){.check = &scene->lag,
                                          .judgement = {.verdict = VERDICT_UNKNOWN},
                                          .statistics = statistics_check(statistics, "lag")};
}

static void see_probers(struct scene *scene)
{
    struct prober_statistics *prober = statistics_prober(scene->metrics.statistics, "main");
    *prober = (struct prober_statistics){
        .name = prober->name, .starts = 4, .kills = 2, .crashes = 1, .connections = 30};
    scene->probers[0] = (struct prober_view){.statistics = prober, .open_pending = true};
}

static struct scene *new_scene(void)
{
    struct scene *scene = calloc(1, sizeof *scene);
    assert_non_null(scene);
    scene->alive.name = alive_name;
    scene->lag.name = lag_name;
    scene->lag.metrics = true;
    scene->checks[0] = &scene->alive;
    scene->checks[1] = &scene->lag;
    scene->endpoints[0].name = healthz_name;
    scene->endpoints[1].name = replica_name;
    scene->passes[0] = true;
    scene->config = (struct config){.settings.agent_listen = nowhere,
                                    .engine = ENGINE_POSTGRES,
                                    .checks = scene->checks,
                                    .check_count = 2,
                                    .endpoints = scene->endpoints,
                                    .endpoint_count = 2};
    scene->server = (struct server_view){.flavor = "postgres", .version = "15.8"};
    scene->adapter = (struct adapter_view){.config = &scene->config,
                                           .passes = scene->passes,
                                           .probers = scene->probers,
                                           .prober_count = 1};
    scene->report = (struct report){.views = scene->views,
                                    .count = 2,
                                    .moment = {.now = {INT64_C(10000000000)}},
                                    .server = &scene->server,
                                    .adapter = &scene->adapter};
    scene->metrics = (struct metrics){.report = &scene->report,
                                      .statistics = statistics_new(INT64_C(1767225500042)),
                                      .log_lines_dropped = 3,
                                      .usage = {1234567, 7000000, 20000000, 16, 1024}};
    see_runs(scene);
    see_probers(scene);
    scene->metrics.statistics->cache_uses[CACHE_HIT] = 9;
    scene->metrics.statistics->crashes = 2;
    endpoint_statistics_add(statistics_endpoint(scene->metrics.statistics, "healthz"), 200);
    endpoint_statistics_add(statistics_endpoint(scene->metrics.statistics, OTHER_ENDPOINT), 404);
    return scene;
}

static void free_scene(struct scene *scene)
{
    statistics_free(scene->metrics.statistics);
    free(scene);
}

static char *text_of(const struct scene *scene)
{
    struct {
        char *text;
        size_t length;
    } page;
    FILE *file = open_memstream(&page.text, &page.length);
    assert_non_null(file);
    metrics_write(file, &scene->metrics);
    fclose(file);
    return page.text;
}

// The part of the text that is the family of this name, without HELP; for the caller to free.
static char *family_in(const char *text, const char *name)
{
    char start[128];
    (void)snprintf(start, sizeof start, "# TYPE %s ", name);
    const char *found = strstr(text, start);
    if (found == NULL)
        return strdup("");
    const char *end = strstr(found, "\n# HELP");
    return strndup(found, end != NULL ? (size_t)(end + 1 - found) : strlen(found));
}

static void expect_family(const struct scene *scene, const char *name, const char *expected)
{
    char *text = text_of(scene);
    char *family = family_in(text, name);
    assert_string_equal(family, expected);
    free(family);
    free(text);
}

static void the_samples_are_these(void **state)
{
    (void)state;
    static const struct {
        const char *name, *text;
    } cases[] = {
        {"dbhealthd_build_info", "# TYPE dbhealthd_build_info gauge\n"
                                 "dbhealthd_build_info{version=\"" DBHEALTH_VERSION "\"} 1\n"},
        {"dbhealthd_config_info", "# TYPE dbhealthd_config_info gauge\n"
                                  "dbhealthd_config_info{engine=\"postgres\"} 1\n"},
        {"dbhealthd_config_checks", "# TYPE dbhealthd_config_checks gauge\n"
                                    "dbhealthd_config_checks 2\n"},
        {"dbhealthd_config_problems", "# TYPE dbhealthd_config_problems gauge\n"
                                      "dbhealthd_config_problems 0\n"},
        {"dbhealthd_database_info",
         "# TYPE dbhealthd_database_info gauge\n"
         "dbhealthd_database_info{flavor=\"postgres\",version=\"15.8\"} 1\n"},
        {"dbhealthd_draining", "# TYPE dbhealthd_draining gauge\n"
                               "dbhealthd_draining 0\n"},
        {"dbhealthd_endpoint_passing", "# TYPE dbhealthd_endpoint_passing gauge\n"
                                       "dbhealthd_endpoint_passing{path=\"/healthz\"} 1\n"
                                       "dbhealthd_endpoint_passing{path=\"/replica\"} 0\n"},
        {"dbhealthd_check_verdict",
         "# TYPE dbhealthd_check_verdict gauge\n"
         "dbhealthd_check_verdict{check=\"alive\",verdict=\"pass\"} 1\n"
         "dbhealthd_check_verdict{check=\"alive\",verdict=\"warn\"} 0\n"
         "dbhealthd_check_verdict{check=\"alive\",verdict=\"fail\"} 0\n"
         "dbhealthd_check_verdict{check=\"alive\",verdict=\"unknown\"} 0\n"
         "dbhealthd_check_verdict{check=\"alive\",verdict=\"skipped\"} 0\n"
         "dbhealthd_check_verdict{check=\"lag\",verdict=\"pass\"} 0\n"
         "dbhealthd_check_verdict{check=\"lag\",verdict=\"warn\"} 0\n"
         "dbhealthd_check_verdict{check=\"lag\",verdict=\"fail\"} 0\n"
         "dbhealthd_check_verdict{check=\"lag\",verdict=\"unknown\"} 1\n"
         "dbhealthd_check_verdict{check=\"lag\",verdict=\"skipped\"} 0\n"},
        {"dbhealthd_check_age_seconds", "# TYPE dbhealthd_check_age_seconds gauge\n"
                                        "dbhealthd_check_age_seconds{check=\"alive\"} 1.234\n"},
        {"dbhealthd_check_last_success_timestamp_seconds",
         "# TYPE dbhealthd_check_last_success_timestamp_seconds gauge\n"
         "dbhealthd_check_last_success_timestamp_seconds{check=\"alive\"} 1767225600.007\n"},
        {"dbhealthd_check_value", ""},
        {"dbhealthd_cache_requests_total", "# TYPE dbhealthd_cache_requests_total counter\n"
                                           "dbhealthd_cache_requests_total{result=\"hit\"} 9\n"
                                           "dbhealthd_cache_requests_total{result=\"join\"} 0\n"
                                           "dbhealthd_cache_requests_total{result=\"miss\"} 0\n"},
        {"dbhealthd_prober_starts_total", "# TYPE dbhealthd_prober_starts_total counter\n"
                                          "dbhealthd_prober_starts_total{prober=\"main\"} 4\n"},
        {"dbhealthd_prober_kills_total", "# TYPE dbhealthd_prober_kills_total counter\n"
                                         "dbhealthd_prober_kills_total{prober=\"main\"} 2\n"},
        {"dbhealthd_prober_crashes_total", "# TYPE dbhealthd_prober_crashes_total counter\n"
                                           "dbhealthd_prober_crashes_total{prober=\"main\"} 1\n"},
        {"dbhealthd_prober_connections_opened_total",
         "# TYPE dbhealthd_prober_connections_opened_total counter\n"
         "dbhealthd_prober_connections_opened_total{prober=\"main\"} 30\n"},
        {"dbhealthd_prober_open_pending", "# TYPE dbhealthd_prober_open_pending gauge\n"
                                          "dbhealthd_prober_open_pending{prober=\"main\"} 1\n"},
        {"dbhealthd_server_restarts_total", "# TYPE dbhealthd_server_restarts_total counter\n"
                                            "dbhealthd_server_restarts_total 2\n"},
        {"dbhealthd_log_lines_dropped_total", "# TYPE dbhealthd_log_lines_dropped_total counter\n"
                                              "dbhealthd_log_lines_dropped_total 3\n"},
        {"process_cpu_seconds_total", "# TYPE process_cpu_seconds_total counter\n"
                                      "process_cpu_seconds_total 1.234567\n"},
        {"process_resident_memory_bytes", "# TYPE process_resident_memory_bytes gauge\n"
                                          "process_resident_memory_bytes 7000000\n"},
        {"process_virtual_memory_bytes", "# TYPE process_virtual_memory_bytes gauge\n"
                                         "process_virtual_memory_bytes 20000000\n"},
        {"process_open_fds", "# TYPE process_open_fds gauge\nprocess_open_fds 16\n"},
        {"process_max_fds", "# TYPE process_max_fds gauge\nprocess_max_fds 1024\n"},
        {"process_start_time_seconds", "# TYPE process_start_time_seconds gauge\n"
                                       "process_start_time_seconds 1767225500.042\n"},
    };
    struct scene *scene = new_scene();
    for (size_t i = 0; i < COUNT(cases); i++)
        expect_family(scene, cases[i].name, cases[i].text);
    free_scene(scene);
}

static void a_histogram_adds_up(void **state)
{
    (void)state;
    struct scene *scene = new_scene();
    scene->report.count = 1;
    expect_family(scene, "dbhealthd_check_duration_seconds",
                  "# TYPE dbhealthd_check_duration_seconds histogram\n"
                  "dbhealthd_check_duration_seconds_bucket{check=\"alive\",le=\"0.001\"} 1\n"
                  "dbhealthd_check_duration_seconds_bucket{check=\"alive\",le=\"0.0025\"} 1\n"
                  "dbhealthd_check_duration_seconds_bucket{check=\"alive\",le=\"0.005\"} 2\n"
                  "dbhealthd_check_duration_seconds_bucket{check=\"alive\",le=\"0.01\"} 2\n"
                  "dbhealthd_check_duration_seconds_bucket{check=\"alive\",le=\"0.025\"} 2\n"
                  "dbhealthd_check_duration_seconds_bucket{check=\"alive\",le=\"0.05\"} 2\n"
                  "dbhealthd_check_duration_seconds_bucket{check=\"alive\",le=\"0.1\"} 2\n"
                  "dbhealthd_check_duration_seconds_bucket{check=\"alive\",le=\"0.25\"} 2\n"
                  "dbhealthd_check_duration_seconds_bucket{check=\"alive\",le=\"0.5\"} 2\n"
                  "dbhealthd_check_duration_seconds_bucket{check=\"alive\",le=\"1\"} 2\n"
                  "dbhealthd_check_duration_seconds_bucket{check=\"alive\",le=\"10\"} 2\n"
                  "dbhealthd_check_duration_seconds_bucket{check=\"alive\",le=\"+Inf\"} 3\n"
                  "dbhealthd_check_duration_seconds_sum{check=\"alive\"} 20.003000501\n"
                  "dbhealthd_check_duration_seconds_count{check=\"alive\"} 3\n");
    free_scene(scene);
}

// How many samples there are that begin so.
static size_t count_samples(const char *text, const char *start)
{
    size_t count = 0;
    for (const char *at = text; (at = strstr(at, start)) != NULL; at++)
        count += at == text || at[-1] == '\n';
    return count;
}

static void every_outcome_but_unknown_has_a_counter(void **state)
{
    (void)state;
    struct scene *scene = new_scene();
    char *text = text_of(scene);
    for (unsigned i = 0; i < OUTCOME_COUNT; i++) {
        char start[128];
        (void)snprintf(start, sizeof start,
                       "dbhealthd_check_outcomes_total{check=\"alive\",outcome=\"%s\"} ",
                       outcome_info((enum outcome)i)->code);
        assert_int_equal(count_samples(text, start), i != OUTCOME_UNKNOWN);
    }
    assert_non_null(strstr(text, "{check=\"alive\",outcome=\"ok\"} 41\n"));
    assert_non_null(strstr(text, "{check=\"alive\",outcome=\"starved\"} 1\n"));
    free(text);
    free_scene(scene);
}

static void numbers_are_shown_as_they_came(void **state)
{
    (void)state;
    struct scene *scene = new_scene();
    struct result *numbers = result_new();
    result_add_column(numbers, "lag_seconds");
    result_add_column(numbers, "a\"b\\c\nd");
    assert_true(result_add_value(numbers, VALUE_NUMBER, "1.50", 4));
    assert_true(result_add_value(numbers, VALUE_NUMBER, "+Inf", 4));
    scene->views[1].numbers = numbers;
    expect_family(scene, "dbhealthd_check_value",
                  "# TYPE dbhealthd_check_value gauge\n"
                  "dbhealthd_check_value{check=\"lag\",column=\"lag_seconds\"} 1.50\n"
                  "dbhealthd_check_value{check=\"lag\",column=\"a\\\"b\\\\c\\nd\"} +Inf\n");
    result_free(numbers);
    free_scene(scene);
}

static void a_server_that_nobody_has_seen_is_left_out(void **state)
{
    (void)state;
    struct scene *scene = new_scene();
    scene->server.flavor = NULL;
    expect_family(scene, "dbhealthd_database_info", "");
    free_scene(scene);
}

static void requests_are_counted_for_what_there_is_and_for_the_rest(void **state)
{
    (void)state;
    struct scene *scene = new_scene();
    const char *start = "dbhealthd_http_requests_total{";
    size_t fixed = 0;
    while (reserved_path_name(fixed) != NULL)
        fixed++;
    char *text = text_of(scene);
    assert_int_equal(count_samples(text, start), (2 + fixed + 1) * ANSWER_CODES);
    assert_non_null(strstr(text, "{path=\"/healthz\",code=\"200\"} 1\n"));
    assert_non_null(strstr(text, "{path=\"/livez\",code=\"200\"} 0\n"));
    assert_non_null(strstr(text, "{path=\"other\",code=\"404\"} 1\n"));
    free(text);
    free_scene(scene);
}

static void agent_checks_are_counted_where_they_are_answered(void **state)
{
    (void)state;
    static char somewhere[] = ":9";
    struct scene *scene = new_scene();
    const char *start = "dbhealthd_agent_answers_total{";
    statistics_endpoint(scene->metrics.statistics, "replica")->agent_answers[AGENT_MAINT] = 7;
    char *without = text_of(scene);
    assert_int_equal(count_samples(without, start), 0);
    scene->config.settings.agent_listen = somewhere;
    char *with = text_of(scene);
    assert_int_equal(count_samples(with, start), (2 + 1) * AGENT_WORDS);
    assert_non_null(strstr(with, "{path=\"/replica\",word=\"maint\"} 7\n"));
    assert_non_null(strstr(with, "{path=\"other\",word=\"fail\"} 0\n"));
    free(without);
    free(with);
    free_scene(scene);
}

static void an_endpoint_called_other_is_another(void **state)
{
    (void)state;
    static char other[] = "other";
    struct scene *scene = new_scene();
    scene->endpoints[1].name = other;
    char *text = text_of(scene);
    assert_non_null(strstr(text, "{path=\"/other\",code=\"404\"} 0\n"));
    assert_non_null(strstr(text, "{path=\"other\",code=\"404\"} 1\n"));
    free(text);
    free_scene(scene);
}

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text);
    return length >= strlen(end) && strcmp(text + length - strlen(end), end) == 0;
}

// What a scraper, the Prometheus operator's above all, names a target with: a label of ours of the
// same name would be renamed.
static void expect_free(const char *label)
{
    static const char *const taken[] = {"job",       "instance", "namespace", "pod",
                                        "container", "service",  "endpoint",  "node"};
    for (size_t i = 0; i < COUNT(taken); i++)
        assert_string_not_equal(label, taken[i]);
}

// https://prometheus.io/docs/practices/naming/
static void names_follow_the_conventions(void **state)
{
    (void)state;
    const struct metric_family *family;
    for (size_t i = 0; (family = metrics_family(i)) != NULL; i++) {
        print_message("%s\n", family->name);
        assert_int_equal(ends_with(family->name, "_total"), strcmp(family->type, "counter") == 0);
        assert_true(strncmp(family->name, "dbhealthd_", 10) == 0 ||
                    strncmp(family->name, "process_", 8) == 0);
        assert_int_equal(strspn(family->name, "abcdefghijklmnopqrstuvwxyz_"), strlen(family->name));
        expect_free(family->label);
        expect_free(family->second_label);
        assert_true(ends_with(family->help, "."));
        assert_null(strpbrk(family->help, "\\\n|"));
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(family->name, metrics_family(j)->name);
    }
}

static void equal_input_gives_equal_text(void **state)
{
    (void)state;
    struct scene *scene = new_scene();
    char *first = text_of(scene);
    char *second = text_of(scene);
    assert_string_equal(first, second);
    assert_true(ends_with(first, "\n"));
    free(first);
    free(second);
    free_scene(scene);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_samples_are_these),
        cmocka_unit_test(a_histogram_adds_up),
        cmocka_unit_test(every_outcome_but_unknown_has_a_counter),
        cmocka_unit_test(numbers_are_shown_as_they_came),
        cmocka_unit_test(a_server_that_nobody_has_seen_is_left_out),
        cmocka_unit_test(requests_are_counted_for_what_there_is_and_for_the_rest),
        cmocka_unit_test(an_endpoint_called_other_is_another),
        cmocka_unit_test(agent_checks_are_counted_where_they_are_answered),
        cmocka_unit_test(names_follow_the_conventions),
        cmocka_unit_test(equal_input_gives_equal_text),
    };
    return RUN(tests);
}
