// The JSON document: what it says of each verdict, values beside their limits, the past, and the
// adapter as a whole. That all its members are those of the schema, tests/integration sees to.
#include "server/report/document.h"

#include "unit.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum { NOW_S = 100000 };

static const struct moment moment = {.now = {NOW_S * INT64_C(1000000000)},
                                     .unix_ms = INT64_C(1767225600000)};

static char alive_name[] = "alive", lag_name[] = "lag", main_name[] = "main";

// Two checks of one endpoint, and what is known of them.
struct scene {
    struct check alive, lag;
    struct check_view views[2];
    struct statistics *statistics;
    struct report report;
};

static struct scene *new_scene(void)
{
    struct scene *scene = calloc(1, sizeof *scene);
    assert_non_null(scene);
    scene->statistics = statistics_new(INT64_C(1767225500042));
    scene->alive = (struct check){.name = alive_name, .prober = main_name};
    scene->lag = (struct check){.name = lag_name, .prober = main_name, .cache = {2000}};
    scene->views[0] = (struct check_view){.check = &scene->alive, .message = ""};
    scene->views[1] = (struct check_view){
        .check = &scene->lag,
        .judgement = {VERDICT_FAIL, OUTCOME_FAILED, "lag 45 > 30"},
        .message = "the server's own words",
    };
    for (size_t i = 0; i < COUNT(scene->views); i++)
        scene->views[i].statistics =
            statistics_check(scene->statistics, scene->views[i].check->name);
    scene->report = (struct report){.name = "readyz",
                                    .rule = endpoint_rule("readyz"),
                                    .views = scene->views,
                                    .count = 2,
                                    .moment = moment};
    return scene;
}

static void free_scene(struct scene *scene)
{
    statistics_free(scene->statistics);
    free(scene);
}

static json_t *document_of(struct scene *scene)
{
    char *text;
    size_t length;
    struct report *report = &scene->report;
    struct writer writer = {.out = open_memstream(&text, &length)};
    assert_non_null(writer.out);
    report->passes =
        endpoint_passes(report->rule, report->views, NULL, report->count, &report->circumstances);
    document_write(&writer, report);
    assert_int_equal(fclose(writer.out), 0);
    assert_null(strstr(text, "own words"));
    json_t *document = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(document);
    free(text);
    return document;
}

// The member at a path like "checks lag 0 status", as JSON has it; "" if it is not there. For the
// time until the next call.
static const char *member(const json_t *document, const char *path)
{
    static char text[1000];
    char copy[128], *rest = NULL;
    (void)snprintf(copy, sizeof copy, "%s", path);
    for (char *key = strtok_r(copy, " ", &rest); key != NULL && document != NULL;
         key = strtok_r(NULL, " ", &rest))
        document = json_is_array(document) ? json_array_get(document, strtoul(key, NULL, 10))
                                           : json_object_get(document, key);
    size_t length = document == NULL
                        ? 0
                        : json_dumpb(document, text, sizeof text - 1,
                                     JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(10));
    text[length] = '\0';
    return text;
}

// That of the check `lag`.
static void expect(struct scene *scene, const char *path, const char *wanted)
{
    char whole[128];
    json_t *document = document_of(scene);
    (void)snprintf(whole, sizeof whole, "checks lag 0 %s", path);
    assert_string_equal(member(document, whole), wanted);
    json_decref(document);
}

static void add_result(struct scene *scene, int64_t seconds_ago, enum verdict verdict,
                       int64_t took_ns)
{
    struct instant came = {(NOW_S - seconds_ago) * INT64_C(1000000000)};
    struct check_view *view = &scene->views[1];
    struct arrival arrival = {.came = came,
                              .took_ns = took_ns,
                              .judgement = {.verdict = verdict, .outcome = OUTCOME_FAILED},
                              .held_until = instant_add(came, (struct duration){2000})};
    history_add(&statistics_check(scene->statistics, lag_name)->history, &arrival);
    view->judgement.verdict = verdict;
    view->dated = true;
    view->started = (struct instant){came.ns - took_ns};
    view->fresh_until = instant_add(view->started, (struct duration){2000});
}

// --- verdicts

static void the_worst_status_counts(void **state)
{
    (void)state;
    static const struct {
        enum verdict verdict;
        const char *endpoint, *status, *check_status;
    } cases[] = {
        {VERDICT_PASS, "readyz", "\"pass\"", "\"pass\""},
        {VERDICT_WARN, "readyz", "\"warn\"", "\"warn\""},
        {VERDICT_FAIL, "readyz", "\"fail\"", "\"fail\""},
        {VERDICT_UNKNOWN, "readyz", "\"fail\"", "\"fail\""},
        {VERDICT_UNKNOWN, "healthz", "\"warn\"", "\"warn\""},
        {VERDICT_SKIPPED, "readyz", "\"pass\"", "\"pass\""},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct scene *scene = new_scene();
        scene->views[1].judgement.verdict = cases[i].verdict;
        scene->report.rule = endpoint_rule(cases[i].endpoint);
        json_t *document = document_of(scene);
        assert_string_equal(member(document, "status"), cases[i].status);
        assert_string_equal(member(document, "checks lag 0 status"), cases[i].check_status);
        json_decref(document);
        free_scene(scene);
    }
}

static void what_does_not_pass_says_why_and_what_to_do(void **state)
{
    (void)state;
    struct scene *scene = new_scene();
    expect(scene, "verdict", "\"fail\"");
    expect(scene, "outcome", "\"failed\"");
    expect(scene, "reason", "\"lag 45 > 30\"");
    expect(scene, "output", "\"lag 45 > 30\"");
    scene->views[1].judgement = (struct judgement){VERDICT_FAIL, OUTCOME_TIMEOUT, "for 2 s"};
    expect(scene, "sentence", "\"the server gave no answer in time\"");
    expect(scene, "advice", "\"see whether it is stopped, overloaded or out of I/O\"");
    expect(scene, "output",
           "\"timeout: the server gave no answer in time (for 2 s); see whether it is stopped, "
           "overloaded or out of I/O\"");
    json_t *document = document_of(scene);
    assert_string_equal(member(document, "checks alive 0 output"), "");
    assert_string_equal(member(document, "checks alive 0 advice"), "");
    assert_string_equal(member(document, "description"), "\"readyz\"");
    assert_string_equal(member(document, "releaseId"), "\"" DBHEALTH_VERSION "\"");
    assert_string_equal(member(document, "time"), "\"2026-01-01T00:00:00.000Z\"");
    json_decref(document);
    free_scene(scene);
}

static void what_is_no_checks_is_a_note(void **state)
{
    (void)state;
    struct scene *scene = new_scene();
    struct words names = {0};
    words_add(&names, "nope", 4);
    json_t *document = document_of(scene);
    assert_string_equal(member(document, "notes"), "");
    json_decref(document);
    scene->report.count = 0;
    scene->report.shows_drain = true;
    scene->report.not_excluded = &names;
    document = document_of(scene);
    assert_string_equal(member(document, "notes"),
                        "[\"there is no check to judge\",\"the adapter is draining\","
                        "\"cannot exclude nope: not a check of readyz\"]");
    json_decref(document);
    words_free(&names);
    free_scene(scene);
}

// --- time

static void since_when_is_told(void **state)
{
    (void)state;
    struct scene *scene = new_scene();
    add_result(scene, 500, VERDICT_PASS, 1500000);
    add_result(scene, 400, VERDICT_PASS, 1500000);
    expect(scene, "since", "\"2025-12-31T23:51:40.000Z\"");
    expect(scene, "changed", "false");
    add_result(scene, 200, VERDICT_FAIL, 1500000);
    expect(scene, "since", "\"2025-12-31T23:56:40.000Z\"");
    expect(scene, "changed", "true");
    free_scene(scene);
}

// An answer that could not wait for a result, or judged one anew, must not take the date of
// another.
static void what_is_of_this_answer_alone_has_no_since(void **state)
{
    (void)state;
    struct scene *scene = new_scene();
    add_result(scene, 500, VERDICT_PASS, 1500000);
    scene->views[1].judgement.verdict = VERDICT_FAIL;
    expect(scene, "since", "");
    scene->views[1].dated = false;
    scene->views[1].judgement.verdict = VERDICT_PASS;
    expect(scene, "since", "");
    expect(scene, "time", "");
    free_scene(scene);
}

static void when_it_ran_and_runs_again_is_told(void **state)
{
    (void)state;
    struct scene *scene = new_scene();
    add_result(scene, 1, VERDICT_PASS, 2000000);
    expect(scene, "time", "\"2025-12-31T23:59:58.998Z\"");
    expect(scene, "ageSeconds", "1.002");
    expect(scene, "durationSeconds", "0.002");
    expect(scene, "nextRun", "\"2026-01-01T00:00:00.998Z\"");
    expect(scene, "cacheSeconds", "2");
    expect(scene, "everySeconds", "");
    scene->lag.every = (struct duration){1500};
    expect(scene, "nextRun", "\"2026-01-01T00:00:00.498Z\"");
    expect(scene, "everySeconds", "1.5");
    add_result(scene, 1, VERDICT_PASS, 0);
    expect(scene, "durationSeconds", "");
    free_scene(scene);
}

static void the_past_is_told_in_runs(void **state)
{
    (void)state;
    struct scene *scene = new_scene();
    add_result(scene, 130, VERDICT_PASS, 1500000);
    add_result(scene, 70, VERDICT_PASS, 2000000);
    add_result(scene, 5, VERDICT_FAIL, 0);
    expect(scene, "history", "");
    scene->report.history = true;
    expect(scene, "history results",
           "[{\"verdict\":\"pass\",\"outcome\":\"failed\",\"count\":2,"
           "\"first\":\"2025-12-31T23:57:50.000Z\",\"latest\":\"2025-12-31T23:58:50.000Z\","
           "\"durationsSeconds\":[0.0015,0.002]},"
           "{\"verdict\":\"fail\",\"outcome\":\"failed\",\"count\":1,"
           "\"first\":\"2025-12-31T23:59:55.000Z\",\"latest\":\"2025-12-31T23:59:55.000Z\","
           "\"durationsSeconds\":[null]}]");
    expect(scene, "history minutes",
           "[{\"start\":\"2025-12-31T23:00:20.000Z\",\"minutes\":57,\"verdict\":null},"
           "{\"start\":\"2025-12-31T23:57:20.000Z\",\"minutes\":2,\"verdict\":\"pass\"},"
           "{\"start\":\"2025-12-31T23:59:20.000Z\",\"minutes\":1,\"verdict\":\"fail\"}]");
    free_scene(scene);
}

// --- values

static char column[] = "Used_Bytes", bound[] = "95", most_name[] = "most", most_text[] = "80";
static char word[] = "on", word_text[] = "'on'", broken[] = "\xff\n'";

static const struct rule rules[] = {
    {.effect = RULE_FAIL,
     .column = column,
     .comparison = RULE_GT,
     .literal = {.type = LITERAL_NUMBER, .number = 95, .text = bound}},
    {.effect = RULE_WARN, .column = column, .comparison = RULE_GE, .param = most_name},
    {.effect = RULE_FAIL,
     .comparison = RULE_LT,
     .literal = {.type = LITERAL_NUMBER, .number = 95, .text = bound}},
    {.effect = RULE_SKIP,
     .column = word,
     .comparison = RULE_EQ,
     .literal = {.type = LITERAL_STRING, .string = word, .text = word_text}},
    {.effect = RULE_FAIL,
     .column = broken,
     .comparison = RULE_NE,
     .literal = {.type = LITERAL_NULL, .text = word}},
};

static void set_rules(struct scene *scene, struct param *param)
{
    static struct rule copies[COUNT(rules)];
    *param = (struct param){most_name, {.type = LITERAL_NUMBER, .number = 80, .text = most_text}};
    memcpy(copies, rules, sizeof rules);
    scene->lag.rules = copies;
    scene->lag.rule_count = COUNT(rules);
    scene->lag.params = (struct params){param, 1};
}

static void values_stand_beside_their_limits(void **state)
{
    (void)state;
    struct scene *scene = new_scene();
    struct result *seen = result_new(), *numbers = result_new();
    struct param param;
    set_rules(scene, &param);
    result_add_column(seen, "used_bytes");
    assert_true(result_add_value(seen, VALUE_NUMBER, "0050", 4));
    seen->row_count = 3;
    result_add_column(numbers, "used_bytes");
    result_add_column(numbers, "share");
    assert_true(result_add_value(numbers, VALUE_NUMBER, "50", 2));
    assert_true(result_add_value(numbers, VALUE_NUMBER, "NaN", 3));
    scene->views[1].seen = seen;
    scene->views[1].numbers = numbers;
    expect(scene, "values 0",
           "{\"name\":\"Used_Bytes\",\"observedValue\":50,\"observedUnit\":\"bytes\",\"limits\":["
           "{\"effect\":\"fail\",\"comparison\":\">\",\"value\":95},"
           "{\"effect\":\"warn\",\"comparison\":\">=\",\"value\":80,\"param\":\"most\"}]}");
    expect(scene, "values 1",
           "{\"name\":\"rows\",\"observedValue\":3,\"observedUnit\":\"rows\",\"limits\":["
           "{\"effect\":\"fail\",\"comparison\":\"<\",\"value\":95}]}");
    expect(scene, "values 2",
           "{\"name\":\"on\",\"limits\":[{\"effect\":\"skip\",\"comparison\":\"==\",\"value\":"
           "\"on\"}]}");
    expect(scene, "values 3",
           "{\"name\":\"? '\",\"limits\":[{\"effect\":\"fail\",\"comparison\":\"!=\",\"value\":"
           "null}]}");
    expect(scene, "values 4", "{\"name\":\"share\",\"observedValue\":\"NaN\"}");
    expect(scene, "values 5", "");
    free_scene(scene);
    result_free(seen);
    result_free(numbers);
}

static void the_limit_in_force_is_the_requests(void **state)
{
    (void)state;
    struct scene *scene = new_scene();
    struct param own, other;
    char text[] = "5";
    set_rules(scene, &own);
    other = (struct param){most_name, {.type = LITERAL_NUMBER, .number = 5, .text = text}};
    const struct params overrides = {&other, 1};
    scene->report.overrides = &overrides;
    expect(scene, "values 0 limits 1",
           "{\"effect\":\"warn\",\"comparison\":\">=\",\"value\":5,\"param\":\"most\"}");
    scene->lag.rules[1].hold.ms = 20000; // a value of the request's own has no past
    expect(scene, "values 0 limits 1",
           "{\"effect\":\"warn\",\"comparison\":\">=\",\"value\":5,\"param\":\"most\"}");
    free_scene(scene);
}

static void a_limit_says_how_long_it_must_hold_and_does(void **state)
{
    (void)state;
    struct scene *scene = new_scene();
    struct param param;
    set_rules(scene, &param);
    scene->lag.rules[0].hold.ms = 20000;
    struct streaks *streaks = streaks_new(&scene->lag);
    const char *wanted =
        "{\"effect\":\"fail\",\"comparison\":\">\",\"value\":95,\"forSeconds\":20}";
    expect(scene, "values 0 limits 0", wanted);
    scene->views[1].streaks = streaks;
    expect(scene, "values 0 limits 0", wanted);
    streaks->latest.ns = INT64_C(4500000000);
    streaks->since[0].ns = INT64_C(2000000000);
    expect(scene, "values 0 limits 0",
           "{\"effect\":\"fail\",\"comparison\":\">\",\"value\":95,\"forSeconds\":20,"
           "\"heldSeconds\":2.5}");
    expect(scene, "values 0 limits 1",
           "{\"effect\":\"warn\",\"comparison\":\">=\",\"value\":80,\"param\":\"most\"}");
    free_scene(scene);
    free(streaks);
}

static void what_was_seen_has_its_type(void **state)
{
    (void)state;
    static const struct {
        enum value_type type;
        const char *text, *wanted;
    } cases[] = {{VALUE_NULL, "", "null"},
                 {VALUE_BOOLEAN, "true", "true"},
                 {VALUE_BOOLEAN, "false", "false"},
                 {VALUE_NUMBER, "-Infinity", "\"-Infinity\""},
                 {VALUE_STRING, "lost", "\"lost\""}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct scene *scene = new_scene();
        struct result *seen = result_new();
        struct param param;
        set_rules(scene, &param);
        result_add_column(seen, "used_bytes");
        assert_true(result_add_value(seen, cases[i].type, cases[i].text, strlen(cases[i].text)));
        scene->views[1].seen = seen;
        expect(scene, "values 0 observedValue", cases[i].wanted);
        free_scene(scene);
        result_free(seen);
    }
}

static void a_unit_is_the_end_of_a_name(void **state)
{
    (void)state;
    static const struct {
        const char *name, *wanted;
    } cases[] = {{"lag_seconds", "\"seconds\""}, {"Used_Ratio", "\"ratio\""},
                 {"bytes", "\"bytes\""},         {"kilobytes", ""},
                 {"seconds_left", ""},           {"rows", ""}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct scene *scene = new_scene();
        struct result *numbers = result_new();
        result_add_column(numbers, cases[i].name);
        assert_true(result_add_value(numbers, VALUE_NUMBER, "1", 1));
        scene->views[1].numbers = numbers;
        expect(scene, "values 0 observedUnit", cases[i].wanted);
        free_scene(scene);
        result_free(numbers);
    }
}

// --- the adapter

static char readyz_name[] = "readyz", primary_name[] = "primary", replica_name[] = "replica";
static size_t both[] = {0, 1};

// The document of the whole adapter, of a server whose second check is of its role.
static json_t *document_of_all(struct scene *scene)
{
    static char *names[] = {primary_name};
    static struct endpoint endpoints[2];
    bool passes[2];
    struct prober_view prober = {.statistics = statistics_prober(scene->statistics, "main"),
                                 .open_pending = true};
    const struct server_view server = {ENGINE_POSTGRES, "postgres", "15.8"};
    const struct config config = {
        .endpoints = endpoints, .endpoint_count = 2, .settings = {.deadline = {900}}};
    static const struct sandbox sandbox = {.seccomp = "on", .landlock = "on: files"};
    const struct adapter_view adapter = {.config = &config,
                                         .sandbox = &sandbox,
                                         .passes = passes,
                                         .probers = &prober,
                                         .prober_count = 1,
                                         .statistics = scene->statistics,
                                         .configuration_warning = "it is wrong"};
    endpoints[0] = (struct endpoint){readyz_name, endpoint_rule("readyz"), both, 2};
    endpoints[1] = (struct endpoint){replica_name, endpoint_rule("replica"), both, 0};
    scene->lag.endpoints = (struct words){names, 1};
    scene->report.server = &server;
    scene->report.adapter = &adapter;
    for (size_t i = 0; i < 2; i++)
        passes[i] = endpoint_passes(endpoints[i].rule, scene->views, NULL, endpoints[i].count,
                                    &scene->report.circumstances);
    return document_of(scene);
}

static void the_server_and_the_adapter_are_told(void **state)
{
    (void)state;
    struct scene *scene = new_scene();
    json_t *document = document_of_all(scene);
    assert_string_equal(member(document, "server"),
                        "{\"engine\":\"postgres\",\"flavor\":\"postgres\",\"version\":\"15.8\","
                        "\"roles\":[\"primary\"]}");
    assert_string_equal(member(document, "adapter"),
                        "{\"version\":\"" DBHEALTH_VERSION "\","
                        "\"since\":\"2025-12-31T23:58:20.042Z\",\"draining\":false,"
                        "\"deadlineSeconds\":0.9,\"sandbox\":{\"seccomp\":\"on\","
                        "\"landlock\":\"on: files\"},\"probers\":{\"main\":{\"status\":\"warn\","
                        "\"output\":\"the server has not answered its login\",\"logins\":0,"
                        "\"starts\":0,\"kills\":0,\"crashes\":0}}}");
    assert_string_equal(member(document, "configuration"),
                        "{\"status\":\"warn\",\"output\":\"it is wrong\","
                        "\"time\":\"2025-12-31T23:58:20.042Z\",\"mistakes\":0,\"reloads\":0,"
                        "\"refusedReloads\":0}");
    assert_string_equal(member(document, "endpoints"),
                        "{\"readyz\":\"fail\",\"replica\":\"fail\"}");
    json_decref(document);
    free_scene(scene);
}

static void a_role_is_not_played_by_what_was_not_judged(void **state)
{
    (void)state;
    static const enum outcome outcomes[] = {OUTCOME_SKIPPED, OUTCOME_NO_ROW, OUTCOME_REFUSED};
    for (size_t i = 0; i < COUNT(outcomes); i++) {
        struct scene *scene = new_scene();
        scene->views[1].judgement.outcome = outcomes[i];
        json_t *document = document_of_all(scene);
        assert_string_equal(member(document, "server roles"), "[]");
        json_decref(document);
        free_scene(scene);
    }
}

static void a_path_says_what_matters_most(void **state)
{
    (void)state;
    static const struct {
        enum verdict first, second;
        bool draining;
        const char *wanted;
    } cases[] = {
        {VERDICT_PASS, VERDICT_PASS, false, "{\"verdict\":\"pass\",\"httpStatus\":200}"},
        {VERDICT_SKIPPED, VERDICT_PASS, false, "{\"verdict\":\"pass\",\"httpStatus\":200}"},
        {VERDICT_WARN, VERDICT_PASS, false, "{\"verdict\":\"warn\",\"httpStatus\":200}"},
        {VERDICT_WARN, VERDICT_UNKNOWN, false, "{\"verdict\":\"unknown\",\"httpStatus\":503}"},
        {VERDICT_FAIL, VERDICT_UNKNOWN, false, "{\"verdict\":\"fail\",\"httpStatus\":503}"},
        {VERDICT_PASS, VERDICT_PASS, true, "{\"verdict\":\"fail\",\"httpStatus\":503}"},
        {VERDICT_SKIPPED, VERDICT_SKIPPED, false, "{\"verdict\":\"skipped\",\"httpStatus\":503}"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct scene *scene = new_scene();
        scene->views[0].judgement.verdict = cases[i].first;
        scene->views[1].judgement.verdict = cases[i].second;
        scene->report.circumstances.draining = cases[i].draining;
        json_t *document = document_of_all(scene);
        assert_string_equal(member(document, "paths /readyz"), cases[i].wanted);
        json_decref(document);
        free_scene(scene);
    }
}

// --- the schema

static void expect_words(const json_t *schema, const char *name, const char *(*word_at)(unsigned),
                         unsigned count)
{
    const json_t *words =
        json_object_get(json_object_get(json_object_get(schema, "$defs"), name), "enum");
    assert_int_equal(json_array_size(words), count);
    for (unsigned i = 0; i < count; i++)
        assert_string_equal(json_string_value(json_array_get(words, i)), word_at(i));
}

static const char *outcome_at(unsigned index)
{
    return outcome_info((enum outcome)index)->code;
}

static const char *verdict_at(unsigned index)
{
    return verdict_name((enum verdict)index);
}

static void the_schema_has_each_verdict_and_outcome(void **state)
{
    (void)state;
    json_t *schema = json_load_file(DBHEALTH_SCHEMA, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(schema);
    expect_words(schema, "outcome", outcome_at, OUTCOME_COUNT);
    expect_words(schema, "verdict", verdict_at, VERDICT_COUNT);
    json_decref(schema);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_worst_status_counts),
        cmocka_unit_test(what_does_not_pass_says_why_and_what_to_do),
        cmocka_unit_test(what_is_no_checks_is_a_note),
        cmocka_unit_test(since_when_is_told),
        cmocka_unit_test(what_is_of_this_answer_alone_has_no_since),
        cmocka_unit_test(when_it_ran_and_runs_again_is_told),
        cmocka_unit_test(the_past_is_told_in_runs),
        cmocka_unit_test(values_stand_beside_their_limits),
        cmocka_unit_test(the_limit_in_force_is_the_requests),
        cmocka_unit_test(a_limit_says_how_long_it_must_hold_and_does),
        cmocka_unit_test(what_was_seen_has_its_type),
        cmocka_unit_test(a_unit_is_the_end_of_a_name),
        cmocka_unit_test(the_server_and_the_adapter_are_told),
        cmocka_unit_test(a_role_is_not_played_by_what_was_not_judged),
        cmocka_unit_test(a_path_says_what_matters_most),
        cmocka_unit_test(the_schema_has_each_verdict_and_outcome),
    };
    return RUN(tests);
}
