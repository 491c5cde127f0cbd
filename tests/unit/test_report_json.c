// application/health+json: the draft's members, and what the draft has no word for.
#include "server/report/report.h"

#include "unit.h"

#include <stdlib.h>
#include <string.h>

static char alive_name[] = "alive";
static char lag_name[] = "lag";
static const struct check alive = {.name = alive_name};
static const struct check lag = {.name = lag_name};

// The member at a path like "checks/lag/0/status", as text; "(none)" if it is not there.
static const char *member(const json_t *object, const char *path)
{
    char copy[128];
    char *rest = NULL;
    (void)snprintf(copy, sizeof copy, "%s", path);
    for (char *key = strtok_r(copy, "/", &rest); key != NULL && object != NULL;
         key = strtok_r(NULL, "/", &rest))
        object = json_is_array(object) ? json_array_get(object, strtoul(key, NULL, 10))
                                       : json_object_get(object, key);
    return json_is_string(object) ? json_string_value(object) : "(none)";
}

static json_t *report_of(enum verdict first, enum verdict second, const char *endpoint)
{
    static struct check_view views[2];
    views[0] = (struct check_view){.check = &alive, .judgement = {.verdict = first}};
    views[1] = (struct check_view){
        .check = &lag,
        .judgement = {.verdict = second, .outcome = OUTCOME_FAILED, .reason = "lag 45 > 30"}};
    struct report report = {
        .name = endpoint, .rule = endpoint_rule(endpoint), .views = views, .count = 2};
    report.passes = endpoint_passes(report.rule, views, 2, &report.circumstances);
    return report_json(&report);
}

static void the_worst_status_counts(void **state)
{
    (void)state;
    static const struct {
        enum verdict verdict;
        const char *endpoint, *status, *check_status;
    } cases[] = {
        {VERDICT_PASS, "readyz", "pass", "pass"},     {VERDICT_WARN, "readyz", "warn", "warn"},
        {VERDICT_FAIL, "readyz", "fail", "fail"},     {VERDICT_UNKNOWN, "readyz", "fail", "fail"},
        {VERDICT_UNKNOWN, "healthz", "warn", "warn"}, {VERDICT_SKIPPED, "readyz", "pass", "pass"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        json_t *object = report_of(VERDICT_PASS, cases[i].verdict, cases[i].endpoint);
        assert_string_equal(member(object, "status"), cases[i].status);
        assert_string_equal(member(object, "checks/lag/0/status"), cases[i].check_status);
        assert_string_equal(member(object, "checks/lag/0/verdict"), verdict_name(cases[i].verdict));
        json_decref(object);
    }
}

static void output_is_there_unless_the_check_passes(void **state)
{
    (void)state;
    json_t *object = report_of(VERDICT_PASS, VERDICT_FAIL, "readyz");
    assert_string_equal(member(object, "checks/alive/0/output"), "(none)");
    assert_string_equal(member(object, "checks/lag/0/output"), "lag 45 > 30");
    assert_string_equal(member(object, "checks/lag/0/outcome"), "failed");
    assert_string_equal(member(object, "description"), "readyz");
    assert_string_equal(member(object, "releaseId"), DBHEALTH_VERSION);
    json_decref(object);
}

static void what_is_no_checks_is_a_note(void **state)
{
    (void)state;
    struct words names = {0};
    words_add(&names, "nope", 4);
    struct report report = {.name = "readyz",
                            .rule = endpoint_rule("readyz"),
                            .shows_drain = true,
                            .not_excluded = &names};
    json_t *object = report_json(&report);
    assert_string_equal(member(object, "notes/0"), "there is no check to judge");
    assert_string_equal(member(object, "notes/1"), "the adapter is draining");
    assert_string_equal(member(object, "notes/2"), "cannot exclude nope: not a check of readyz");
    json_decref(object);
    words_free(&names);
}

static void the_text_is_json_with_a_lines_end(void **state)
{
    (void)state;
    size_t length;
    char *text = report_json_text(report_json_start("pass", "livez"), &length);
    assert_int_equal(strlen(text), length);
    assert_int_equal(text[length - 1], '\n');
    json_t *object = json_loads(text, 0, NULL);
    assert_string_equal(member(object, "status"), "pass");
    json_decref(object);
    free(text);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_worst_status_counts),
        cmocka_unit_test(output_is_there_unless_the_check_passes),
        cmocka_unit_test(what_is_no_checks_is_a_note),
        cmocka_unit_test(the_text_is_json_with_a_lines_end),
    };
    return RUN(tests);
}
