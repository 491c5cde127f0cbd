// The page as the server writes it: the document within, and the plain table. What the page's
// script makes of it, tests/browser sees.
#include "server/report/page.h"

#include "unit.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum { NOW_S = 100000 };

static char readyz_name[] = "readyz", lag_name[] = "lag", main_name[] = "main";

// An adapter with one check, made by hand.
struct scene {
    struct check check;
    struct check *checks[1];
    size_t first[1];
    struct check_view view;
    struct endpoint endpoint;
    bool passes[1];
    struct config config;
    struct prober_view prober;
    struct statistics *statistics;
    struct server_view server;
    struct adapter_view adapter;
    struct report report;
};

static struct scene *new_scene(void)
{
    struct scene *scene = calloc(1, sizeof *scene);
    assert_non_null(scene);
    scene->statistics = statistics_new(INT64_C(1767225500042));
    scene->check = (struct check){.name = lag_name, .prober = main_name};
    scene->checks[0] = &scene->check;
    scene->view = (struct check_view){.check = &scene->check,
                                      .message = "the server's own words",
                                      .statistics = statistics_check(scene->statistics, lag_name)};
    scene->endpoint = (struct endpoint){readyz_name, endpoint_rule("readyz"), scene->first, 1};
    scene->config = (struct config){.checks = scene->checks,
                                    .check_count = 1,
                                    .endpoints = &scene->endpoint,
                                    .endpoint_count = 1};
    scene->prober =
        (struct prober_view){.statistics = statistics_prober(scene->statistics, "main")};
    scene->server = (struct server_view){ENGINE_POSTGRES, "postgres", "15.8"};
    static const struct sandbox sandbox = {.seccomp = "on", .landlock = "on: files"};
    scene->adapter = (struct adapter_view){.config = &scene->config,
                                           .sandbox = &sandbox,
                                           .passes = scene->passes,
                                           .probers = &scene->prober,
                                           .prober_count = 1,
                                           .statistics = scene->statistics};
    scene->report = (struct report){
        .name = "status",
        .rule = endpoint_rule("readyz"),
        .views = &scene->view,
        .count = 1,
        .history = true,
        .moment = {.now = {NOW_S * INT64_C(1000000000)}, .unix_ms = INT64_C(1767225600000)},
        .server = &scene->server,
        .adapter = &scene->adapter};
    return scene;
}

static void free_scene(struct scene *scene)
{
    statistics_free(scene->statistics);
    free(scene);
}

static char *page_of(struct scene *scene)
{
    char *text;
    size_t length;
    FILE *out = open_memstream(&text, &length);
    assert_non_null(out);
    scene->passes[0] = scene->report.passes =
        endpoint_passes(scene->endpoint.rule, &scene->view, NULL, 1, &scene->report.circumstances);
    page_write(out, &scene->report);
    assert_int_equal(fclose(out), 0);
    assert_int_equal(strlen(text), length);
    assert_null(strstr(text, "own words"));
    return text;
}

static void expect(struct scene *scene, const char *wanted)
{
    char *text = page_of(scene);
    if (strstr(text, wanted) == NULL)
        fail_msg("not in the page: %s\n%s", wanted, strstr(text, "<main"));
    free(text);
}

static void each_part_is_in_its_place(void **state)
{
    (void)state;
    struct scene *scene = new_scene();
    char *text = page_of(scene);
    const char *table = strstr(text, "<main id=\"main\">\n<table class=\"plain\">");
    const char *document = strstr(text, "<script id=\"document\" type=\"application/json\">\n{");
    assert_non_null(table);
    assert_non_null(document);
    assert_true(table < document);
    assert_null(strstr(text, "{{"));
    assert_int_equal(strcmp(text + strlen(text) - strlen("</html>\n"), "</html>\n"), 0);
    free(text);
    free_scene(scene);
}

static void the_document_is_that_of_status(void **state)
{
    (void)state;
    struct scene *scene = new_scene();
    char description[] = "</script><script>";
    scene->check.description = description;
    char *text = page_of(scene);
    char *start = strstr(text, "application/json\">") + strlen("application/json\">");
    *strstr(start, "</script>") = '\0';
    json_t *document = json_loads(start, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(document);
    const json_t *check =
        json_array_get(json_object_get(json_object_get(document, "checks"), "lag"), 0);
    assert_string_equal(json_string_value(json_object_get(check, "description")), description);
    assert_non_null(json_object_get(check, "history"));
    json_decref(document);
    free(text);
    free_scene(scene);
}

static void the_table_has_the_same_facts(void **state)
{
    (void)state;
    struct scene *scene = new_scene();
    struct prober_statistics *counts = statistics_prober(scene->statistics, "main");
    counts->connections = 7;
    counts->starts = 3;
    counts->kills = 2;
    counts->crashes = 1;
    expect(scene, "<caption>readyz check passed\n</caption>");
    scene->view.judgement = (struct judgement){VERDICT_FAIL, OUTCOME_REFUSED, ""};
    expect(scene, "<caption>readyz check failed\n</caption>");
    expect(scene, "<tr><th scope=\"row\">/readyz</th><td>503</td><td></td></tr>");
    expect(scene, "<tr><th scope=\"row\">lag</th><td>fail at this moment</td><td>refused: nothing "
                  "listens at the server&#39;s address; start the server, or correct host and port "
                  "in the URL</td></tr>");
    expect(scene, "<tr><th scope=\"row\">server</th><td></td><td>postgres 15.8</td></tr>");
    expect(scene, "<tr><th scope=\"row\">adapter</th><td></td><td>dbhealthd " DBHEALTH_VERSION);
    expect(scene,
           "<tr><th scope=\"row\">prober main</th><td>pass</td><td>logins 7, starts 3, kills "
           "2, crashes 1</td></tr>");
    scene->report.circumstances.draining = true;
    scene->prober.open_pending = true;
    scene->adapter.configuration_warning = "it is wrong";
    scene->server.flavor = NULL;
    expect(scene, "<tr><th scope=\"row\">server</th><td></td><td>not known yet</td></tr>");
    expect(scene, "<tr><th scope=\"row\">adapter</th><td>draining</td><td>");
    expect(scene, "<th scope=\"row\">configuration</th><td>warn</td><td>it is wrong</td></tr>");
    expect(scene, "<th scope=\"row\">prober main</th><td>warn</td><td>the server has not answered "
                  "its login<br>logins 7, starts 3, kills 2, crashes 1</td></tr>");
    free_scene(scene);
}

static void the_table_says_since_when(void **state)
{
    (void)state;
    struct scene *scene = new_scene();
    struct arrival arrival = {.came = {(NOW_S - 200) * INT64_C(1000000000)},
                              .took_ns = 1500000,
                              .judgement = {.verdict = VERDICT_PASS, .outcome = OUTCOME_OK}};
    history_add(&statistics_check(scene->statistics, lag_name)->history, &arrival);
    scene->view.dated = true;
    scene->view.started = (struct instant){(NOW_S - 200) * INT64_C(1000000000)};
    expect(scene, "<td>pass since 2025-12-31T23:56:40.000Z, 200 s old</td>");
    free_scene(scene);
}

static void the_table_has_values_beside_limits(void **state)
{
    (void)state;
    char column[] = "lag_seconds", limit[] = "30", most[] = "most", own[] = "9";
    struct rule rules[] = {{.effect = RULE_FAIL,
                            .column = column,
                            .comparison = RULE_GT,
                            .literal = {.type = LITERAL_NUMBER, .number = 30, .text = limit}},
                           {.effect = RULE_WARN, .comparison = RULE_LT, .param = most}};
    struct param param = {most, {.type = LITERAL_NUMBER, .number = 9, .text = own}};
    struct scene *scene = new_scene();
    struct result *seen = result_new();
    scene->check.rules = rules;
    scene->check.rule_count = COUNT(rules);
    scene->check.params = (struct params){&param, 1};
    result_add_column(seen, "lag_seconds");
    assert_true(result_add_value(seen, VALUE_NUMBER, "4", 1));
    seen->row_count = 12;
    expect(scene, "<td></td></tr>");
    scene->view.seen = seen;
    expect(scene, "<td>lag_seconds 4, fails &gt; 30<br>rows 12, warns &lt; 9</td></tr>");
    rules[0].hold.ms = 20000;
    expect(scene, "<td>lag_seconds 4, fails &gt; 30 for 20s<br>rows 12, warns &lt; 9</td></tr>");
    rules[0].hold.ms = 0;
    scene->check.rule_count = 1;
    result_free(seen);
    scene->view.seen = seen = result_new();
    result_add_column(seen, "lag_seconds");
    assert_true(result_add_value(seen, VALUE_STRING, "<b>", 3));
    expect(scene, "<td>lag_seconds &lt;b&gt;, fails &gt; 30</td></tr>");
    free_scene(scene);
    result_free(seen);
}

static void the_table_says_what_a_check_is_for(void **state)
{
    (void)state;
    char description[1500];
    memset(description, 'x', sizeof description);
    memcpy(description + sizeof description - 8, "<at end", 8);
    struct scene *scene = new_scene();
    scene->check.description = description;
    expect(scene, "xxx&lt;at end</td></tr>");
    scene->view.judgement = (struct judgement){VERDICT_FAIL, OUTCOME_FAILED, "lag 45 > 30"};
    expect(scene, "<td>lag 45 &gt; 30<br>xxx");
    free_scene(scene);
}

static void the_table_says_the_role(void **state)
{
    (void)state;
    char primary[] = "primary", replica[] = "replica", *names[] = {primary, replica};
    struct scene *scene = new_scene();
    scene->check.endpoints = (struct words){names, 1};
    expect(scene, "<tr><th scope=\"row\">server</th><td>primary</td><td>postgres 15.8</td></tr>");
    scene->check.endpoints.count = 2;
    expect(scene, "<td>primary and replica</td><td>postgres 15.8</td></tr>");
    free_scene(scene);
}

static void foreign_strings_stay_text(void **state)
{
    (void)state;
    char column[] = "<i>", text[] = "'</table>'";
    struct rule rule = {.effect = RULE_WARN,
                        .column = column,
                        .comparison = RULE_EQ,
                        .literal = {.type = LITERAL_STRING, .string = text, .text = text}};
    struct scene *scene = new_scene();
    struct result *seen = result_new();
    result_add_column(seen, "<i>");
    assert_true(result_add_value(seen, VALUE_NUMBER, "1", 1));
    scene->check.rules = &rule;
    scene->check.rule_count = 1;
    scene->view.seen = seen;
    scene->view.judgement = (struct judgement){VERDICT_FAIL, OUTCOME_FAILED, "\"<i>\" & 'x'\x1b"};
    expect(scene, "<td>&quot;&lt;i&gt;&quot; &amp; &#39;x&#39;<br>&lt;i&gt; 1, warns == "
                  "&#39;&lt;/table&gt;&#39;</td>");
    free_scene(scene);
    result_free(seen);
}

static void the_policy_allows_nothing_from_elsewhere(void **state)
{
    (void)state;
    assert_int_equal(strncmp(page_policy, "default-src 'none'; ", 20), 0);
    assert_null(strstr(page_policy, "unsafe"));
    assert_null(strstr(page_policy, "http"));
    assert_null(strchr(page_policy, '*'));
}

// The policy would refuse what they refer to, and their reader would wonder.
static void its_files_refer_to_nothing_elsewhere(void **state)
{
    (void)state;
    static const char *const names[] = {"page.css", "page.js"};
    for (size_t i = 0; i < COUNT(names); i++) {
        const struct page_file *file = page_file(names[i]);
        assert_non_null(file);
        assert_true(strlen(file->text) > 1000);
        assert_null(strcasestr(file->text, "url("));
        assert_null(strcasestr(file->text, "@import"));
        assert_null(strcasestr(file->text, "innerHTML"));
    }
    assert_null(page_file("page.html"));
    assert_null(page_file(""));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_part_is_in_its_place),
        cmocka_unit_test(the_document_is_that_of_status),
        cmocka_unit_test(the_table_has_the_same_facts),
        cmocka_unit_test(the_table_says_since_when),
        cmocka_unit_test(the_table_has_values_beside_limits),
        cmocka_unit_test(the_table_says_what_a_check_is_for),
        cmocka_unit_test(the_table_says_the_role),
        cmocka_unit_test(foreign_strings_stay_text),
        cmocka_unit_test(the_policy_allows_nothing_from_elsewhere),
        cmocka_unit_test(its_files_refer_to_nothing_elsewhere),
    };
    return RUN(tests);
}
