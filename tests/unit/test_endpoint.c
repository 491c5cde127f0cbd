// Endpoints: each verdict on each endpoint under each circumstance. This is the table that decides
// what gets restarted and what gets traffic.
#include "server/check/endpoint.h"

#include "unit.h"

static const char *const names[] = {"healthz", "startupz", "readyz", "replica"};

enum { CALM, YOUNG, DRAINING, YOUNG_AND_DRAINING, CIRCUMSTANCES_COUNT };

static const struct circumstances circumstances[CIRCUMSTANCES_COUNT] = {
    [CALM] = {0},
    [YOUNG] = {.young = true},
    [DRAINING] = {.draining = true},
    [YOUNG_AND_DRAINING] = {.young = true, .draining = true},
};

// One check with this verdict: does the endpoint pass? In the order of `circumstances`.
static const struct {
    const char *endpoint;
    enum verdict verdict;
    bool passes[CIRCUMSTANCES_COUNT];
} one_check[] = {
    {"healthz", VERDICT_PASS, {true, true, true, true}},
    {"healthz", VERDICT_WARN, {true, true, true, true}},
    {"healthz", VERDICT_FAIL, {false, false, false, false}},
    {"healthz", VERDICT_UNKNOWN, {true, true, true, true}},
    {"healthz", VERDICT_SKIPPED, {true, true, true, true}},
    {"startupz", VERDICT_PASS, {true, true, true, true}},
    {"startupz", VERDICT_WARN, {true, true, true, true}},
    {"startupz", VERDICT_FAIL, {false, false, false, false}},
    {"startupz", VERDICT_UNKNOWN, {true, false, true, false}},
    {"startupz", VERDICT_SKIPPED, {true, true, true, true}},
    {"readyz", VERDICT_PASS, {true, true, false, false}},
    {"readyz", VERDICT_WARN, {true, true, false, false}},
    {"readyz", VERDICT_FAIL, {false, false, false, false}},
    {"readyz", VERDICT_UNKNOWN, {false, false, false, false}},
    {"readyz", VERDICT_SKIPPED, {false, false, false, false}},
    {"replica", VERDICT_PASS, {true, true, false, false}},
    {"replica", VERDICT_WARN, {true, true, false, false}},
    {"replica", VERDICT_FAIL, {false, false, false, false}},
    {"replica", VERDICT_UNKNOWN, {false, false, false, false}},
    {"replica", VERDICT_SKIPPED, {false, false, false, false}},
};

static const struct check plain, of_peers = {.peers = true};

static bool passes(const char *endpoint, const enum verdict *verdicts, size_t count,
                   const struct circumstances *now)
{
    struct check_view views[8] = {0};
    for (size_t i = 0; i < count; i++)
        views[i] = (struct check_view){.check = &plain, .judgement = {.verdict = verdicts[i]}};
    return endpoint_passes(endpoint_rule(endpoint), views, NULL, count, now);
}

static void an_endpoint_looks_at_its_own_checks(void **state)
{
    (void)state;
    static const size_t own[] = {2, 0};
    const struct check_view views[] = {{.check = &plain, .judgement = {.verdict = VERDICT_PASS}},
                                       {.check = &plain, .judgement = {.verdict = VERDICT_FAIL}},
                                       {.check = &plain, .judgement = {.verdict = VERDICT_WARN}}};
    const struct circumstances settled = {0};
    assert_true(endpoint_passes(endpoint_rule("readyz"), views, own, 2, &settled));
    assert_false(endpoint_passes(endpoint_rule("readyz"), views, NULL, 3, &settled));
}

// On a replica: its own check is skipped, and no other server is a primary.
static void what_others_say_makes_no_endpoint_pass(void **state)
{
    (void)state;
    const struct circumstances settled = {0};
    struct check_view views[] = {{.check = &plain, .judgement = {.verdict = VERDICT_SKIPPED}},
                                 {.check = &of_peers, .judgement = {.verdict = VERDICT_PASS}}};
    assert_false(endpoint_passes(endpoint_rule("sole-primary"), views, NULL, 2, &settled));
    views[0].judgement.verdict = VERDICT_PASS;
    assert_true(endpoint_passes(endpoint_rule("sole-primary"), views, NULL, 2, &settled));
    views[1].judgement.verdict = VERDICT_FAIL;
    assert_false(endpoint_passes(endpoint_rule("sole-primary"), views, NULL, 2, &settled));
}

static void a_warning_is_one_of_an_endpoints_own_checks(void **state)
{
    (void)state;
    static const size_t own[] = {2, 0};
    const struct check_view views[] = {
        {.check = &plain, .judgement = {.verdict = VERDICT_PASS}},
        {.check = &plain, .judgement = {.verdict = VERDICT_WARN}},
        {.check = &plain, .judgement = {.verdict = VERDICT_SKIPPED}},
        {.check = &plain, .judgement = {.verdict = VERDICT_UNKNOWN}}};
    assert_false(endpoint_warns(views, own, 2));
    assert_false(endpoint_warns(&views[2], NULL, 2));
    assert_true(endpoint_warns(views, NULL, 4));
    assert_false(endpoint_warns(views, NULL, 0));
}

static void each_verdict_says_on_each_endpoint_what_it_should(void **state)
{
    (void)state;
    assert_int_equal(COUNT(one_check), COUNT(names) * VERDICT_COUNT);
    for (size_t i = 0; i < COUNT(one_check); i++) {
        for (size_t j = 0; j < CIRCUMSTANCES_COUNT; j++) {
            print_message("%s %s %zu\n", one_check[i].endpoint, verdict_name(one_check[i].verdict),
                          j);
            assert_int_equal(
                passes(one_check[i].endpoint, &one_check[i].verdict, 1, &circumstances[j]),
                one_check[i].passes[j]);
        }
    }
}

static void a_verdict_fails_whatever_the_rest_of_the_endpoint(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(one_check); i++) {
        const struct endpoint_rule *rule = endpoint_rule(one_check[i].endpoint);
        enum verdict verdict = one_check[i].verdict;
        bool unknown_fails = rule->name == NULL || rule == endpoint_rule("readyz");
        bool at_first = rule == endpoint_rule("startupz");
        for (size_t j = 0; j < CIRCUMSTANCES_COUNT; j++) {
            bool fails = verdict == VERDICT_FAIL;
            if (verdict == VERDICT_UNKNOWN)
                fails = unknown_fails || (at_first && circumstances[j].young);
            assert_int_equal(verdict_fails(verdict, rule, &circumstances[j]), fails);
        }
    }
}

static void one_failing_check_fails_all_and_a_skipped_one_none(void **state)
{
    (void)state;
    static const struct {
        enum verdict verdicts[3];
        bool readyz, healthz;
    } cases[] = {
        {{VERDICT_PASS, VERDICT_PASS, VERDICT_PASS}, true, true},
        {{VERDICT_PASS, VERDICT_WARN, VERDICT_SKIPPED}, true, true},
        {{VERDICT_SKIPPED, VERDICT_SKIPPED, VERDICT_PASS}, true, true},
        {{VERDICT_FAIL, VERDICT_PASS, VERDICT_PASS}, false, false},
        {{VERDICT_PASS, VERDICT_PASS, VERDICT_FAIL}, false, false},
        {{VERDICT_UNKNOWN, VERDICT_PASS, VERDICT_PASS}, false, true},
        {{VERDICT_PASS, VERDICT_SKIPPED, VERDICT_UNKNOWN}, false, true},
        {{VERDICT_SKIPPED, VERDICT_SKIPPED, VERDICT_SKIPPED}, false, true},
        {{VERDICT_UNKNOWN, VERDICT_FAIL, VERDICT_UNKNOWN}, false, false},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        const enum verdict *verdicts = cases[i].verdicts;
        assert_int_equal(passes("readyz", verdicts, 3, &circumstances[CALM]), cases[i].readyz);
        assert_int_equal(passes("replica", verdicts, 3, &circumstances[CALM]), cases[i].readyz);
        assert_int_equal(passes("healthz", verdicts, 3, &circumstances[CALM]), cases[i].healthz);
        assert_int_equal(passes("startupz", verdicts, 3, &circumstances[CALM]), cases[i].healthz);
    }
}

static void with_no_check_liveness_passes_and_readiness_fails(void **state)
{
    (void)state;
    for (size_t j = 0; j < CIRCUMSTANCES_COUNT; j++) {
        assert_true(passes("healthz", NULL, 0, &circumstances[j]));
        assert_true(passes("startupz", NULL, 0, &circumstances[j]));
        assert_false(passes("readyz", NULL, 0, &circumstances[j]));
        assert_false(passes("replica", NULL, 0, &circumstances[j]));
    }
}

static void any_name_has_a_rule_and_three_are_built_in(void **state)
{
    (void)state;
    assert_string_equal(endpoint_rule("healthz")->name, "healthz");
    assert_null(endpoint_rule("primary")->name);
    assert_null(endpoint_rule("healthz2")->name);
    assert_null(endpoint_rule("")->name);
    for (size_t i = 0; i < 3; i++)
        assert_string_equal(endpoint_builtin(i), names[i]);
    assert_null(endpoint_builtin(3));
    assert_string_equal(endpoint_includes("sole-primary"), "primary");
    assert_null(endpoint_includes("primary"));
    assert_null(endpoint_builtin(SIZE_MAX));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_endpoint_looks_at_its_own_checks),
        cmocka_unit_test(what_others_say_makes_no_endpoint_pass),
        cmocka_unit_test(a_warning_is_one_of_an_endpoints_own_checks),
        cmocka_unit_test(each_verdict_says_on_each_endpoint_what_it_should),
        cmocka_unit_test(a_verdict_fails_whatever_the_rest_of_the_endpoint),
        cmocka_unit_test(one_failing_check_fails_all_and_a_skipped_one_none),
        cmocka_unit_test(with_no_check_liveness_passes_and_readiness_fails),
        cmocka_unit_test(any_name_has_a_rule_and_three_are_built_in),
    };
    return RUN(tests);
}
