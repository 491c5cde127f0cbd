// judge(): from outcomes and rows to verdicts. The adapter's own faults must come out as unknown,
// whatever a check tolerates, for a `fail` of theirs would kill a database.
#include "server/check/verdict.h"

#include "check_with.h"

#include <stdio.h>
#include <string.h>

static void every_verdict_has_a_name(void **state)
{
    (void)state;
    static const char *const names[] = {"pass", "warn", "fail", "unknown", "skipped"};
    assert_int_equal(COUNT(names), VERDICT_COUNT);
    for (unsigned i = 0; i < VERDICT_COUNT; i++)
        assert_string_equal(verdict_name((enum verdict)i), names[i]);
}

static void check_outcomes(const char *tolerate, bool (*is_tolerated)(enum outcome))
{
    char header[256] = "";
    if (tolerate != NULL)
        (void)snprintf(header, sizeof header, "-- tolerate: %s\n", tolerate);
    struct check *check = check_with(header);
    for (unsigned i = OUTCOME_OK + 1; i < OUTCOME_COUNT; i++) {
        enum outcome outcome = (enum outcome)i;
        enum outcome_group group = outcome_info(outcome)->group;
        struct judgement judgement = judge(check, outcome, NULL, NULL, NULL);
        enum verdict wanted = is_tolerated(outcome) ? VERDICT_WARN : VERDICT_FAIL;
        if (group == GROUP_OWN)
            wanted = VERDICT_UNKNOWN;
        if (group == GROUP_NONE)
            wanted = VERDICT_SKIPPED;
        print_message("%s %s\n", outcome_info(outcome)->code, header);
        assert_int_equal(judgement.verdict, wanted);
        assert_int_equal(judgement.outcome, outcome);
        assert_string_equal(judgement.reason, "");
    }
    check_free(check);
}

static bool none(enum outcome outcome)
{
    (void)outcome;
    return false;
}

static bool answered(enum outcome outcome)
{
    return outcome_info(outcome)->group == GROUP_ANSWERED && outcome != OUTCOME_FAILED &&
           outcome != OUTCOME_NO_ROW;
}

static bool silent(enum outcome outcome)
{
    return outcome_info(outcome)->group == GROUP_SILENT;
}

static bool denied_or_lost(enum outcome outcome)
{
    return outcome == OUTCOME_DENIED || outcome == OUTCOME_LOST;
}

static bool anything(enum outcome outcome)
{
    return answered(outcome) || silent(outcome) || outcome == OUTCOME_FAILED ||
           outcome == OUTCOME_NO_ROW;
}

static void every_outcome_gets_its_verdict_whatever_is_tolerated(void **state)
{
    (void)state;
    check_outcomes(NULL, none);
    check_outcomes("answered", answered);
    check_outcomes("silent", silent);
    check_outcomes("denied, lost", denied_or_lost);
    check_outcomes("answered silent failed no_row", anything);
}

// --- with rows

// A result with columns x, y and z; types and texts in pairs. NULL: no row.
static struct result *row(const char *const texts[3], const enum value_type types[3])
{
    static const char *const names[] = {"x", "y", "z"};
    struct result *result = result_new();
    for (size_t i = 0; i < COUNT(names); i++)
        result_add_column(result, names[i]);
    if (texts == NULL)
        return result;
    for (size_t i = 0; i < COUNT(names); i++)
        (void)result_add_value(result, types[i], texts[i], strlen(texts[i]));
    result->row_count = 1;
    return result;
}

// x is the number 45, y NULL, z the string 'on'.
static struct result *usual_row(void)
{
    static const char *const texts[] = {"45", "", "on"};
    static const enum value_type types[] = {VALUE_NUMBER, VALUE_NULL, VALUE_STRING};
    return row(texts, types);
}

static void expect(const char *header, struct result *result, enum verdict verdict,
                   enum outcome outcome, const char *reason)
{
    struct check *check = check_with(header);
    struct judgement judgement = judge(check, OUTCOME_OK, result, NULL, NULL);
    print_message("%s", header);
    assert_string_equal(judgement.reason, reason);
    assert_string_equal(outcome_info(judgement.outcome)->code, outcome_info(outcome)->code);
    assert_string_equal(verdict_name(judgement.verdict), verdict_name(verdict));
    result_free(result);
    check_free(check);
}

static void rules_that_hold_fail_or_warn(void **state)
{
    (void)state;
    expect("-- fail: x > 100\n", usual_row(), VERDICT_PASS, OUTCOME_OK, "");
    expect("-- fail: x > 30\n", usual_row(), VERDICT_FAIL, OUTCOME_FAILED, "x 45 > 30");
    expect("-- warn: x > 30\n", usual_row(), VERDICT_WARN, OUTCOME_OK, "x 45 > 30");
    expect("-- warn: x > 100\n", usual_row(), VERDICT_PASS, OUTCOME_OK, "");
    expect("-- fail: y > 30\n", usual_row(), VERDICT_FAIL, OUTCOME_FAILED, "y is null");
    expect("-- warn: y > 30\n", usual_row(), VERDICT_WARN, OUTCOME_OK, "y is null");
    expect("-- fail: rows != 1\n", usual_row(), VERDICT_PASS, OUTCOME_OK, "");
}

static void any_fail_decides_before_any_warn(void **state)
{
    (void)state;
    expect("-- warn: x > 10\n-- fail: x > 30\n", usual_row(), VERDICT_FAIL, OUTCOME_FAILED,
           "x 45 > 30");
    expect("-- fail: x > 30\n-- warn: x > 10\n", usual_row(), VERDICT_FAIL, OUTCOME_FAILED,
           "x 45 > 30");
    expect("-- fail: x > 90\n-- warn: x > 10\n", usual_row(), VERDICT_WARN, OUTCOME_OK,
           "x 45 > 10");
}

static void the_first_of_equal_rank_gives_the_reason(void **state)
{
    (void)state;
    expect("-- fail: x > 90\n-- fail: x > 40\n-- fail: x > 30\n", usual_row(), VERDICT_FAIL,
           OUTCOME_FAILED, "x 45 > 40");
    expect("-- warn: x > 90\n-- warn: x > 40\n-- warn: x > 30\n", usual_row(), VERDICT_WARN,
           OUTCOME_OK, "x 45 > 40");
}

static void a_rule_that_does_not_fit_is_our_fault_and_decides(void **state)
{
    (void)state;
    static const char absent[] = "column lag is not in the result";
    static const char is_string[] = "column z is a string, and the rule compares it with no string";
    expect("-- fail: lag > 30\n", usual_row(), VERDICT_UNKNOWN, OUTCOME_CONFIG, absent);
    expect("-- warn: lag > 30\n", usual_row(), VERDICT_UNKNOWN, OUTCOME_CONFIG, absent);
    expect("-- fail: z > 30\n", usual_row(), VERDICT_UNKNOWN, OUTCOME_CONFIG, is_string);
    expect("-- fail: x > 30\n-- warn: lag > 1\n", usual_row(), VERDICT_UNKNOWN, OUTCOME_CONFIG,
           absent);
    expect("-- fail: lag > 1\n-- fail: x > 30\n", usual_row(), VERDICT_UNKNOWN, OUTCOME_CONFIG,
           absent);
    expect("-- fail: lag > 1\n-- fail: z > 30\n", usual_row(), VERDICT_UNKNOWN, OUTCOME_CONFIG,
           absent);
    expect("-- fail: lag > 1\n", row(NULL, NULL), VERDICT_UNKNOWN, OUTCOME_CONFIG, absent);
}

static void no_row_is_an_outcome_unless_a_rule_counts_rows(void **state)
{
    (void)state;
    expect("-- fail: x > 30\n", row(NULL, NULL), VERDICT_FAIL, OUTCOME_NO_ROW, "");
    expect("-- warn: x > 30\n", row(NULL, NULL), VERDICT_FAIL, OUTCOME_NO_ROW, "");
    expect("-- fail: x == null\n", row(NULL, NULL), VERDICT_FAIL, OUTCOME_NO_ROW, "");
    expect("-- fail: rows > 5\n", row(NULL, NULL), VERDICT_PASS, OUTCOME_OK, "");
    expect("-- fail: rows == 0\n", row(NULL, NULL), VERDICT_FAIL, OUTCOME_FAILED, "rows 0 == 0");
    expect("-- warn: rows == 0\n", row(NULL, NULL), VERDICT_WARN, OUTCOME_OK, "rows 0 == 0");
    expect("-- fail: x > 30\n-- fail: rows > 5\n", row(NULL, NULL), VERDICT_PASS, OUTCOME_OK, "");
    expect("-- fail: x > 30\n-- warn: rows == 0\n", row(NULL, NULL), VERDICT_WARN, OUTCOME_OK,
           "rows 0 == 0");
    expect("-- endpoints: none\n-- fail: x > 30\n", row(NULL, NULL), VERDICT_FAIL, OUTCOME_NO_ROW,
           "");
}

static void judged_outcomes_can_be_tolerated_by_name_only(void **state)
{
    (void)state;
    expect("-- tolerate: failed\n-- fail: x > 30\n", usual_row(), VERDICT_WARN, OUTCOME_FAILED,
           "x 45 > 30");
    expect("-- tolerate: no_row\n-- fail: x > 30\n", row(NULL, NULL), VERDICT_WARN, OUTCOME_NO_ROW,
           "");
    expect("-- tolerate: answered\n-- fail: x > 30\n", usual_row(), VERDICT_FAIL, OUTCOME_FAILED,
           "x 45 > 30");
    expect("-- tolerate: answered\n-- fail: x > 30\n", row(NULL, NULL), VERDICT_FAIL,
           OUTCOME_NO_ROW, "");
    expect("-- tolerate: answered silent failed no_row\n-- fail: lag > 1\n", usual_row(),
           VERDICT_UNKNOWN, OUTCOME_CONFIG, "column lag is not in the result");
}

// --- without a rule

static void expect_first(enum value_type type, const char *text, enum verdict verdict,
                         enum outcome outcome, const char *reason)
{
    const char *const texts[] = {text, "", "on"};
    const enum value_type types[] = {type, VALUE_NULL, VALUE_STRING};
    expect("", row(texts, types), verdict, outcome, reason);
}

static void with_no_rule_the_first_value_must_be_there_and_true(void **state)
{
    (void)state;
    expect_first(VALUE_NUMBER, "1", VERDICT_PASS, OUTCOME_OK, "");
    expect_first(VALUE_NUMBER, "-0.5", VERDICT_PASS, OUTCOME_OK, "");
    expect_first(VALUE_NUMBER, "Infinity", VERDICT_PASS, OUTCOME_OK, "");
    expect_first(VALUE_BOOLEAN, "true", VERDICT_PASS, OUTCOME_OK, "");
    expect_first(VALUE_STRING, "x", VERDICT_PASS, OUTCOME_OK, "");
    expect_first(VALUE_STRING, "", VERDICT_PASS, OUTCOME_OK, "");
    expect_first(VALUE_STRING, "0", VERDICT_PASS, OUTCOME_OK, ""); // a string is no number
    expect_first(VALUE_NULL, "", VERDICT_FAIL, OUTCOME_FAILED, "x is null");
    expect_first(VALUE_BOOLEAN, "false", VERDICT_FAIL, OUTCOME_FAILED, "x is false");
    expect_first(VALUE_NUMBER, "0", VERDICT_FAIL, OUTCOME_FAILED, "x is 0");
    expect_first(VALUE_NUMBER, "-0.00", VERDICT_FAIL, OUTCOME_FAILED, "x is -0.00");
    expect_first(VALUE_NUMBER, "NaN", VERDICT_FAIL, OUTCOME_FAILED, "x is NaN");
    expect("", row(NULL, NULL), VERDICT_FAIL, OUTCOME_NO_ROW, "");
    expect("", result_new(), VERDICT_FAIL, OUTCOME_NO_ROW, "");
}

// A server may call anything a number: its text must not forge a line of a body or of the log.
static void what_only_begins_as_a_number_is_none(void **state)
{
    (void)state;
    expect_first(VALUE_NUMBER, "1\n[+]readyz ok\x1b[0m", VERDICT_FAIL, OUTCOME_FAILED, "x is NaN");
}

static void with_no_rule_and_no_endpoint_any_answer_passes(void **state)
{
    (void)state;
    static const char *const texts[] = {"0", "", ""};
    static const enum value_type types[] = {VALUE_NUMBER, VALUE_NULL, VALUE_NULL};
    expect("-- endpoints: none\n", row(texts, types), VERDICT_PASS, OUTCOME_OK, "");
    expect("-- endpoints: none\n", row(NULL, NULL), VERDICT_PASS, OUTCOME_OK, "");
    expect("-- endpoints: none\n", result_new(), VERDICT_PASS, OUTCOME_OK, "");
}

static void a_rule_may_skip_the_check_before_any_fails(void **state)
{
    (void)state;
    static const struct {
        const char *header;
        enum verdict verdict;
        enum outcome outcome;
        const char *reason;
    } cases[] = {
        {"-- skip: x == 45\n", VERDICT_SKIPPED, OUTCOME_SKIPPED, "x 45 == 45"},
        {"-- skip: x == 2\n", VERDICT_PASS, OUTCOME_OK, ""},
        {"-- fail: x == 45\n-- skip: x == 45\n", VERDICT_SKIPPED, OUTCOME_SKIPPED, "x 45 == 45"},
        {"-- skip: x > 0\n-- skip: x == 45\n", VERDICT_SKIPPED, OUTCOME_SKIPPED, "x 45 > 0"},
        {"-- fail: x == 45\n-- skip: x == 2\n", VERDICT_FAIL, OUTCOME_FAILED, "x 45 == 45"},
        // What is not known is no reason to look away, but a NULL that is asked for is known.
        {"-- skip: y == 1\n", VERDICT_PASS, OUTCOME_OK, ""},
        {"-- skip: y != 1\n", VERDICT_PASS, OUTCOME_OK, ""},
        {"-- skip: y == null\n", VERDICT_SKIPPED, OUTCOME_SKIPPED, "y is null"},
        {"-- skip: y != null\n", VERDICT_PASS, OUTCOME_OK, ""},
        // A rule that does not fit the result tells nothing, so nothing is skipped.
        {"-- skip: x == 45\n-- fail: z > 1\n", VERDICT_UNKNOWN, OUTCOME_CONFIG,
         "column z is a string, and the rule compares it with no string"},
        {"-- skip: rows == 1\n", VERDICT_SKIPPED, OUTCOME_SKIPPED, "rows 1 == 1"},
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        expect(cases[i].header, usual_row(), cases[i].verdict, cases[i].outcome, cases[i].reason);
    expect("-- skip: rows == 0\n-- fail: x > 1\n", row(NULL, NULL), VERDICT_SKIPPED,
           OUTCOME_SKIPPED, "rows 0 == 0");
    expect("-- skip: x == 45\n", row(NULL, NULL), VERDICT_FAIL, OUTCOME_NO_ROW, "");
}

static void what_is_missing_may_skip_the_check(void **state)
{
    (void)state;
    struct check *check = check_with("-- skip: missing\n-- skip: x == 1\n-- tolerate: answered\n");
    struct judgement judgement = judge(check, OUTCOME_MISSING, NULL, NULL, NULL);
    assert_int_equal(judgement.verdict, VERDICT_SKIPPED);
    assert_int_equal(judgement.outcome, OUTCOME_SKIPPED);
    assert_string_equal(judgement.reason, "the statement names something that is not there");
    judgement = judge(check, OUTCOME_SERVER_ERROR, NULL, NULL, NULL);
    assert_int_equal(judgement.verdict, VERDICT_WARN);
    check_free(check);
    check = check_with("-- skip: x == 1\n");
    judgement = judge(check, OUTCOME_MISSING, NULL, NULL, NULL);
    assert_int_equal(judgement.verdict, VERDICT_FAIL);
    assert_int_equal(judgement.outcome, OUTCOME_MISSING);
    check_free(check);
}

static void long_reasons_are_cut(void **state)
{
    (void)state;
    char value[2 * REASON_MAX];
    memset(value, 'v', sizeof value);
    struct result *result = result_new();
    result_add_column(result, "x");
    (void)result_add_value(result, VALUE_STRING, value, sizeof value);
    result->row_count = 1;
    struct check *check = check_with("-- fail: x != 'a'\n");
    struct judgement judgement = judge(check, OUTCOME_OK, result, NULL, NULL);
    assert_int_equal(judgement.verdict, VERDICT_FAIL);
    assert_int_equal(strlen(judgement.reason), REASON_MAX - 1);
    result_free(result);
    check_free(check);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_verdict_has_a_name),
        cmocka_unit_test(every_outcome_gets_its_verdict_whatever_is_tolerated),
        cmocka_unit_test(rules_that_hold_fail_or_warn),
        cmocka_unit_test(any_fail_decides_before_any_warn),
        cmocka_unit_test(the_first_of_equal_rank_gives_the_reason),
        cmocka_unit_test(a_rule_that_does_not_fit_is_our_fault_and_decides),
        cmocka_unit_test(no_row_is_an_outcome_unless_a_rule_counts_rows),
        cmocka_unit_test(judged_outcomes_can_be_tolerated_by_name_only),
        cmocka_unit_test(with_no_rule_the_first_value_must_be_there_and_true),
        cmocka_unit_test(what_only_begins_as_a_number_is_none),
        cmocka_unit_test(with_no_rule_and_no_endpoint_any_answer_passes),
        cmocka_unit_test(a_rule_may_skip_the_check_before_any_fails),
        cmocka_unit_test(what_is_missing_may_skip_the_check),
        cmocka_unit_test(long_reasons_are_cut),
    };
    return RUN(tests);
}
