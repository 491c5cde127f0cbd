// Params: defaults in the file, overrides by a request, and rules that refer to them.
#include "server/check/check_file.h"
#include "server/check/verdict.h"

#include "unit.h"

#include <stdio.h>
#include <string.h>

static struct check *parse(const char *header)
{
    static const struct check_defaults defaults = {
        .timeout = {800}, .cache = {2000}, .deadline = {900}};
    char text[512];
    (void)snprintf(text, sizeof text, "%s\nSELECT 1", header);
    return check_file_parse("lag", "lag.sql", text, strlen(text), &defaults);
}

static struct result *one_value(enum value_type type, const char *text)
{
    struct result *result = result_new();
    result_add_column(result, "x");
    (void)result_add_value(result, type, text, strlen(text));
    result->row_count = 1;
    return result;
}

// The verdict on x with this override ("": none).
static void expect(const char *header, enum value_type type, const char *x, const char *override,
                   enum verdict verdict, const char *reason)
{
    struct check *check = parse(header);
    struct result *result = one_value(type, x);
    struct params overrides = {0};
    struct error error;
    print_message("%s, x = %s, override %s\n", header, x, override);
    assert_null(check->broken);
    if (override[0] != '\0')
        assert_true(params_override(&overrides, &check->params.items[0], override, &error));
    struct judgement judgement = judge(check, OUTCOME_OK, result, &overrides, NULL);
    assert_int_equal(judgement.verdict, verdict);
    assert_string_equal(judgement.reason, reason);
    params_clear(&overrides);
    result_free(result);
    check_free(check);
}

static void a_rule_takes_the_default_or_the_requests_value(void **state)
{
    (void)state;
    static const char number[] = "-- param: max = 30\n-- fail: x > $max";
    static const char string[] = "-- param: role = 'primary'\n-- fail: x != $role";
    static const char boolean[] = "-- param: want = true\n-- fail: x != $want";
    expect(number, VALUE_NUMBER, "45", "", VERDICT_FAIL, "x 45 > 30");
    expect(number, VALUE_NUMBER, "45", "60", VERDICT_PASS, "");
    expect(number, VALUE_NUMBER, "45", "4.5e0", VERDICT_FAIL, "x 45 > 4.5e0");
    expect(string, VALUE_STRING, "primary", "", VERDICT_PASS, "");
    expect(string, VALUE_STRING, "primary", "re\np", VERDICT_FAIL, "x primary != re p");
    expect(boolean, VALUE_BOOLEAN, "true", "false", VERDICT_FAIL, "x true != false");
}

static void a_bad_override_says_what_was_expected(void **state)
{
    (void)state;
    static const char *const bad[] = {"",     "x",    "1x",  "'1'", "true",
                                      "null", "0x10", "nan", "1 2", "1e9999"};
    struct check *check = parse("-- param: max = 30\n-- fail: x > $max");
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct params overrides = {0};
        struct error error;
        print_message("%s\n", bad[i]);
        assert_false(params_override(&overrides, &check->params.items[0], bad[i], &error));
        assert_string_equal(error.text, "max: expected a number");
        params_clear(&overrides);
    }
    check_free(check);
}

static void a_time_is_overridden_by_a_time_only(void **state)
{
    (void)state;
    static const char time[] = "-- param: since = '2026-01-31'\n-- fail: x == $since";
    expect(time, VALUE_STRING, "2026-02-01", "2026-02-01", VERDICT_FAIL,
           "x 2026-02-01 == 2026-02-01");
    struct check *check = parse(time);
    struct params overrides = {0};
    struct error error;
    assert_false(params_override(&overrides, &check->params.items[0], "yesterday", &error));
    assert_string_equal(error.text, "since: expected a time");
    params_clear(&overrides);
    check_free(check);
}

static void mistakes_are_told_with_their_place(void **state)
{
    (void)state;
    static const struct {
        const char *header, *message;
    } cases[] = {
        {"-- fail: x > $max", "lag.sql:1:14: fail: no param of this name is given above"},
        {"-- fail: x > $max\n-- param: max = 1",
         "lag.sql:1:14: fail: no param of this name is given above"},
        {"-- param: max", "lag.sql:1:11: param: expected NAME = DEFAULT"},
        {"-- param: = 1",
         "lag.sql:1:11: param: '' is no param's name, expected letters, digits and '_'"},
        {"-- param: a b = 1",
         "lag.sql:1:11: param: 'a b' is no param's name, expected letters, digits and '_'"},
        {"-- param: max = x",
         "lag.sql:1:11: param: expected a number, a 'string', true, false or null"},
        {"-- param: max = null",
         "lag.sql:1:11: param: null cannot be a param's default, expected a "
         "number, a 'string', true or false"},
        {"-- param: max = 1e9999", "lag.sql:1:11: param: the number is too large"},
        {"-- param: a = 1\n-- param: a = 2", "lag.sql:2:11: param: param a is given a second time"},
        {"-- param: verbose = 1",
         "lag.sql:1:11: param: verbose has a meaning in every query, expected another name"},
        {"-- param: _max = 1",
         "lag.sql:1:11: param: _max is ignored in every query, for monitors add "
         "it to get around caches, expected another name"},
        {"-- param: ts = 1",
         "lag.sql:1:11: param: ts is ignored in every query, for monitors add it "
         "to get around caches, expected another name"},
        {"-- param: a = true\n-- fail: x > $a",
         "lag.sql:2:14: fail: true, false and null can only be compared with == and !="},
        {"-- param: a = 'x'\n-- fail: rows > $a",
         "lag.sql:2:17: fail: `rows` can only be compared with a number; a column of that name is "
         "written \"rows\""},
        {"-- param: a = '9'\n-- fail: x > $a",
         "lag.sql:2:14: fail: text has no order, expected a number without quotes, or a time like "
         "'2026-01-31 12:00'; of an interval write extract(epoch FROM ...) in the statement"},
        {"-- param: a = 1\n-- fail: x > $a b",
         "lag.sql:2:17: fail: expected nothing more after the param, or `for` and a duration"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct check *check = parse(cases[i].header);
        print_message("%s\n", cases[i].header);
        assert_non_null(check->broken);
        assert_string_equal(check->broken, cases[i].message);
        check_free(check);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_rule_takes_the_default_or_the_requests_value),
        cmocka_unit_test(a_bad_override_says_what_was_expected),
        cmocka_unit_test(a_time_is_overridden_by_a_time_only),
        cmocka_unit_test(mistakes_are_told_with_their_place),
    };
    return RUN(tests);
}
