// What a check that looks at each row comes to, and which rows are shown under which names.
#include "server/check/check_file.h"
#include "server/check/rows.h"
#include "server/check/verdict.h"

#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct check *check_with(const char *header)
{
    static const struct check_defaults defaults = {
        .timeout = {800}, .cache = {2000}, .deadline = {900}};
    char text[512];
    int length = snprintf(text, sizeof text, "%s-- rows: each\nSELECT 1", header);
    struct check *check = check_file_parse("x", "x.sql", text, (size_t)length, &defaults);
    assert_null(check->broken);
    return check;
}

// Columns name (text, NULL if ""), size (a number, NULL if "") and state (text).
static struct result *result_with(const char *const (*rows)[3], size_t count)
{
    struct result *result = result_new();
    result_add_column(result, "name");
    result_add_column(result, "size");
    result_add_column(result, "state");
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < 3; j++) {
            const char *text = rows[i][j];
            enum value_type type = j == 1 ? VALUE_NUMBER : VALUE_STRING;
            assert_true(
                result_add_value(result, text[0] != '\0' ? type : VALUE_NULL, text, strlen(text)));
        }
    }
    result->row_count = count;
    return result;
}

static const char *const some[][3] = {
    {"app", "45", "on"}, {"log", "7", "off"}, {"", "", "on"}, {"web", "60", "on"}};

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

static void the_worst_row_decides(void **state)
{
    (void)state;
    static const struct {
        const char *header;
        enum verdict verdict;
        enum outcome outcome;
        const char *reason;
    } cases[] = {
        {"-- fail: size > 50\n-- skip: size == null\n", VERDICT_FAIL, OUTCOME_FAILED,
         "web, on: size 60 > 50"},
        {"-- fail: size > 50\n", VERDICT_FAIL, OUTCOME_FAILED,
         "null, on: size is null, and 1 more"},
        {"-- warn: size > 40\n-- skip: size == null\n", VERDICT_WARN, OUTCOME_OK,
         "app, on: size 45 > 40, and 1 more"},
        {"-- warn: size > 40\n-- fail: size > 50\n-- skip: size == null\n", VERDICT_FAIL,
         OUTCOME_FAILED, "web, on: size 60 > 50"},
        {"-- fail: state != 'on'\n", VERDICT_FAIL, OUTCOME_FAILED, "log: state off != 'on'"},
        {"-- fail: size > 100\n-- skip: size == null\n", VERDICT_PASS, OUTCOME_OK, ""},
        {"-- fail: size > 100\n-- skip: state != null\n", VERDICT_SKIPPED, OUTCOME_SKIPPED,
         "app, on: state on != null, and 3 more"},
        {"-- fail: size > 5\n-- skip: rows == 4\n", VERDICT_SKIPPED, OUTCOME_SKIPPED,
         "rows 4 == 4"},
        {"-- fail: size > 100\n-- fail: rows > 3\n-- skip: size == null\n", VERDICT_FAIL,
         OUTCOME_FAILED, "rows 4 > 3"},
        {"-- fail: size > 5\n-- fail: absent > 5\n", VERDICT_UNKNOWN, OUTCOME_CONFIG,
         "app, on: column absent is not in the result, and 3 more"},
        {"-- fail: name > 5\n-- skip: name == null\n-- skip: size > 1\n", VERDICT_SKIPPED,
         OUTCOME_SKIPPED, "on: size 45 > 1, and 3 more"},
        {"-- fail: state == 'off'\n-- fail: name == null\n", VERDICT_FAIL, OUTCOME_FAILED,
         "log, off: state off == 'off', and 1 more"},
        {"-- fail: size > 50\n-- skip: size == null\n-- tolerate: failed\n", VERDICT_WARN,
         OUTCOME_FAILED, "web, on: size 60 > 50"},
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        expect(cases[i].header, result_with(some, COUNT(some)), cases[i].verdict, cases[i].outcome,
               cases[i].reason);
}

static void no_row_is_good_where_the_file_says_so(void **state)
{
    (void)state;
    expect("-- fail: size > 5\n", result_with(NULL, 0), VERDICT_FAIL, OUTCOME_NO_ROW, "");
    expect("-- fail: size > 5\n-- no-rows: pass\n", result_with(NULL, 0), VERDICT_PASS, OUTCOME_OK,
           "");
    expect("-- fail: size > 5\n-- fail: rows == 0\n-- no-rows: pass\n", result_with(NULL, 0),
           VERDICT_FAIL, OUTCOME_FAILED, "rows 0 == 0");
    expect("-- fail: absent > 5\n-- no-rows: pass\n", result_with(NULL, 0), VERDICT_UNKNOWN,
           OUTCOME_CONFIG, "column absent is not in the result");
}

static struct result *with_more(uint64_t row_count)
{
    struct result *result = result_with(some, 2);
    result->row_count = row_count;
    return result;
}

static void rows_that_are_not_here_may_be_worse(void **state)
{
    (void)state;
    static const char unseen[] = "2 of 9 rows could be judged";
    expect("-- fail: size > 50\n", with_more(9), VERDICT_UNKNOWN, OUTCOME_TOO_LARGE, unseen);
    expect("-- fail: size > 50\n-- warn: size > 5\n", with_more(9), VERDICT_UNKNOWN,
           OUTCOME_TOO_LARGE, unseen);
    expect("-- fail: size > 50\n-- skip: size > 5\n", with_more(9), VERDICT_UNKNOWN,
           OUTCOME_TOO_LARGE, unseen);
    expect("-- warn: size > 50\n", with_more(9), VERDICT_UNKNOWN, OUTCOME_TOO_LARGE, unseen);
    expect("-- warn: size > 40\n", with_more(9), VERDICT_WARN, OUTCOME_OK, "app, on: size 45 > 40");
    expect("-- fail: size > 40\n", with_more(9), VERDICT_FAIL, OUTCOME_FAILED,
           "app, on: size 45 > 40");
    expect("-- fail: size > 50\n-- skip: rows > 5\n", with_more(9), VERDICT_SKIPPED,
           OUTCOME_SKIPPED, "rows 9 > 5");
}

static void long_names_leave_room_for_what_was_seen(void **state)
{
    (void)state;
    char name[300];
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    const char *const rows[][3] = {{name, "60", name}, {"b", "70", "c"}};
    char reason[REASON_MAX];
    (void)snprintf(reason, sizeof reason, "%.40s..., %.35s: size 60 > 50, and 1 more", name, name);
    expect("-- fail: size > 50\n", result_with(rows, COUNT(rows)), VERDICT_FAIL, OUTCOME_FAILED,
           reason);
}

static void rows_are_kept_with_their_names_first(void **state)
{
    (void)state;
    struct check *check = check_with("-- fail: size > 50\n-- skip: name == 'log'\n");
    struct result *result = result_with(some, COUNT(some));
    struct rows *rows = rows_of(check, result, NULL);
    assert_int_equal(rows->label_count, 2);
    assert_int_equal(rows->kept->column_count, 3);
    assert_string_equal(result_column(rows->kept, 0), "name");
    assert_string_equal(result_column(rows->kept, 1), "state");
    assert_string_equal(result_column(rows->kept, 2), "size");
    assert_int_equal(rows->kept->kept_rows, 3); // log is left out by a rule
    assert_int_equal(rows->left_out, 0);
    assert_string_equal(rows_metric(check, rows, 0, 2), "45");
    assert_null(rows_metric(check, rows, 1, 2));
    assert_null(rows_metric(check, rows, 0, 0));
    rows_free(rows);
    check->each_row = false;
    assert_null(rows_of(check, result, NULL));
    result_free(result);
    check_free(check);
}

static void of_too_many_rows_the_worst_are_kept(void **state)
{
    (void)state;
    enum { MANY = 3 * ROWS_SHOWN };
    struct check *check = check_with("-- fail: size > 298\n-- warn: size > 290\n");
    struct result *result = result_new();
    char digits[12];
    result_add_column(result, "size");
    for (int i = 1; i <= MANY; i++) {
        int length = snprintf(digits, sizeof digits, "%d", i);
        assert_true(result_add_value(result, VALUE_NUMBER, digits, (size_t)length));
    }
    result->row_count = 2 * MANY;
    struct rows *rows = rows_of(check, result, NULL);
    assert_int_equal(rows->kept->kept_rows, ROWS_SHOWN);
    assert_int_equal(rows->left_out, 2 * MANY - ROWS_SHOWN);
    assert_int_equal(rows->label_count, 0);
    assert_string_equal(result_value(rows->kept, 89, 0).text, "90");
    assert_string_equal(result_value(rows->kept, 90, 0).text, "291");
    assert_string_equal(result_value(rows->kept, 99, 0).text, "300");
    rows_free(rows);
    result_free(result);
    check_free(check);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_worst_row_decides),
        cmocka_unit_test(no_row_is_good_where_the_file_says_so),
        cmocka_unit_test(rows_that_are_not_here_may_be_worse),
        cmocka_unit_test(long_names_leave_room_for_what_was_seen),
        cmocka_unit_test(rows_are_kept_with_their_names_first),
        cmocka_unit_test(of_too_many_rows_the_worst_are_kept),
    };
    return RUN(tests);
}
