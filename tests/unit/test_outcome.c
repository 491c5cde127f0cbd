// The table of outcomes, written out a second time: which group an outcome is in decides whether a
// database lives.
#include "common/outcome.h"

#include "unit.h"

#include <string.h>

static const struct {
    const char *code;
    enum outcome outcome;
    enum outcome_group group;
    bool reportable;
    bool in_answered;
    bool tolerable;
} expected[] = {
    {"ok", OUTCOME_OK, GROUP_ANSWERED, true, false, false},
    {"failed", OUTCOME_FAILED, GROUP_ANSWERED, false, false, true},
    {"no_row", OUTCOME_NO_ROW, GROUP_ANSWERED, false, false, true},
    {"not_accepting", OUTCOME_NOT_ACCEPTING, GROUP_ANSWERED, true, true, true},
    {"terminated", OUTCOME_TERMINATED, GROUP_ANSWERED, true, true, true},
    {"denied", OUTCOME_DENIED, GROUP_ANSWERED, true, true, true},
    {"saturated", OUTCOME_SATURATED, GROUP_ANSWERED, true, true, true},
    {"quota", OUTCOME_QUOTA, GROUP_ANSWERED, true, true, true},
    {"query_timeout", OUTCOME_QUERY_TIMEOUT, GROUP_ANSWERED, true, true, true},
    {"missing", OUTCOME_MISSING, GROUP_ANSWERED, true, true, true},
    {"server_error", OUTCOME_SERVER_ERROR, GROUP_ANSWERED, true, true, true},
    {"tls", OUTCOME_TLS, GROUP_ANSWERED, true, true, true},
    {"refused", OUTCOME_REFUSED, GROUP_SILENT, true, false, true},
    {"unreachable", OUTCOME_UNREACHABLE, GROUP_SILENT, true, false, true},
    {"timeout", OUTCOME_TIMEOUT, GROUP_SILENT, true, false, true},
    {"lost", OUTCOME_LOST, GROUP_SILENT, true, false, true},
    {"crashed", OUTCOME_CRASHED, GROUP_OWN, true, false, false},
    {"config", OUTCOME_CONFIG, GROUP_OWN, true, false, false},
    {"too_large", OUTCOME_TOO_LARGE, GROUP_OWN, true, false, false},
    {"starved", OUTCOME_STARVED, GROUP_OWN, true, false, false},
    {"unknown", OUTCOME_UNKNOWN, GROUP_OWN, false, false, false},
    {"skipped", OUTCOME_SKIPPED, GROUP_NONE, false, false, false},
};

static void every_outcome_has_its_code_and_group(void **state)
{
    (void)state;
    assert_int_equal(COUNT(expected), OUTCOME_COUNT);
    for (size_t i = 0; i < COUNT(expected); i++) {
        const struct outcome_info *info = outcome_info(expected[i].outcome);
        assert_string_equal(info->code, expected[i].code);
        assert_int_equal(info->group, expected[i].group);
        assert_true(strlen(info->sentence) > 0);
    }
}

static void codes_name_their_outcomes_and_nothing_else_does(void **state)
{
    (void)state;
    enum outcome outcome = OUTCOME_COUNT;
    for (size_t i = 0; i < COUNT(expected); i++) {
        assert_true(outcome_from_code(expected[i].code, &outcome));
        assert_int_equal(outcome, expected[i].outcome);
    }
    static const char *const none[] = {"", "OK", "ok ", "den", "denied2", "answered", "silent"};
    for (size_t i = 0; i < COUNT(none); i++)
        assert_false(outcome_from_code(none[i], &outcome));
}

static void drivers_report_what_was_probed_and_never_what_is_judged(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(expected); i++)
        assert_int_equal(outcome_is_reportable(expected[i].outcome), expected[i].reportable);
    assert_false(outcome_is_reportable(OUTCOME_COUNT));
    assert_false(outcome_is_reportable((enum outcome)255));
}

static void answered_stands_for_all_answers_but_the_judged_ones(void **state)
{
    (void)state;
    struct outcome_set set = {0};
    assert_true(outcome_set_add(&set, "answered"));
    for (size_t i = 0; i < COUNT(expected); i++)
        assert_int_equal(outcome_set_has(set, expected[i].outcome), expected[i].in_answered);
}

static void silent_stands_for_all_silence(void **state)
{
    (void)state;
    struct outcome_set set = {0};
    assert_true(outcome_set_add(&set, "silent"));
    for (size_t i = 0; i < COUNT(expected); i++)
        assert_int_equal(outcome_set_has(set, expected[i].outcome),
                         expected[i].group == GROUP_SILENT);
}

static void only_what_a_server_can_do_is_tolerated(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(expected); i++) {
        struct outcome_set set = {0};
        assert_int_equal(outcome_set_add(&set, expected[i].code), expected[i].tolerable);
        for (size_t j = 0; j < COUNT(expected); j++)
            assert_int_equal(outcome_set_has(set, expected[j].outcome),
                             i == j && expected[i].tolerable);
    }
    struct outcome_set set = {0};
    assert_false(outcome_set_add(&set, "own"));
    assert_false(outcome_set_add(&set, ""));
    assert_int_equal(set.bits, 0);
}

static void sets_grow_by_each_word(void **state)
{
    (void)state;
    struct outcome_set set = {0};
    assert_true(outcome_set_add(&set, "denied"));
    assert_true(outcome_set_add(&set, "no_row"));
    assert_true(outcome_set_add(&set, "denied"));
    assert_true(outcome_set_has(set, OUTCOME_DENIED));
    assert_true(outcome_set_has(set, OUTCOME_NO_ROW));
    assert_false(outcome_set_has(set, OUTCOME_SATURATED));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_outcome_has_its_code_and_group),
        cmocka_unit_test(codes_name_their_outcomes_and_nothing_else_does),
        cmocka_unit_test(drivers_report_what_was_probed_and_never_what_is_judged),
        cmocka_unit_test(answered_stands_for_all_answers_but_the_judged_ones),
        cmocka_unit_test(silent_stands_for_all_silence),
        cmocka_unit_test(only_what_a_server_can_do_is_tolerated),
        cmocka_unit_test(sets_grow_by_each_word),
    };
    return RUN(tests);
}
