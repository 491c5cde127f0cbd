// Which values of a row become metrics, and as what: a scraper that cannot read one of them refuses
// the whole answer.
#include "server/check/numbers.h"

#include "unit.h"

#include <stdlib.h>
#include <string.h>

struct column {
    const char *name;
    enum value_type type;
    const char *value;
};

static const struct check all = {.metrics = true};

static struct result *row_of(const struct column *columns, size_t count)
{
    struct result *result = result_new();
    for (size_t i = 0; i < count; i++)
        result_add_column(result, columns[i].name);
    for (size_t i = 0; i < count; i++)
        assert_true(
            result_add_value(result, columns[i].type, columns[i].value, strlen(columns[i].value)));
    return result;
}

static struct result *numbers_in(const struct column *columns, size_t count)
{
    struct result *result = row_of(columns, count);
    struct result *numbers = numbers_of(&all, result);
    result_free(result);
    return numbers;
}

// The columns and values of the only row are these and no others.
static void expect(struct result *numbers, const char *const (*expected)[2], size_t count)
{
    assert_non_null(numbers);
    assert_int_equal(numbers->kept_rows, 1);
    assert_int_equal(numbers->column_count, count);
    for (uint32_t i = 0; i < count; i++) {
        assert_string_equal(result_column(numbers, i), expected[i][0]);
        assert_string_equal(result_value(numbers, 0, i).text, expected[i][1]);
    }
    result_free(numbers);
}

static void a_value_is_text_that_prometheus_reads(void **state)
{
    (void)state;
    static const struct {
        enum value_type type;
        const char *value;
        const char *shown; // NULL: nothing
    } cases[] = {
        {VALUE_NUMBER, "0", "0"},
        {VALUE_NUMBER, "-12.50", "-12.50"},
        {VALUE_NUMBER, "+1", "+1"},
        {VALUE_NUMBER, "12345678901234567890.123456789", "12345678901234567890.123456789"},
        {VALUE_NUMBER, ".5", ".5"},
        {VALUE_NUMBER, "5.", "5."},
        {VALUE_NUMBER, "1e-7", "1e-7"},
        {VALUE_NUMBER, "1E+7", "1E+7"},
        {VALUE_NUMBER, "00042", "00042"},
        {VALUE_NUMBER, "1e400", "+Inf"},
        {VALUE_NUMBER, "-1e400", "-Inf"},
        {VALUE_NUMBER, "1e-400", "1e-400"},
        {VALUE_NUMBER, "Infinity", "+Inf"},
        {VALUE_NUMBER, "-Infinity", "-Inf"},
        {VALUE_NUMBER, "NaN", NULL},
        {VALUE_NUMBER, "", NULL},
        {VALUE_NUMBER, ".", NULL},
        {VALUE_NUMBER, "-", NULL},
        {VALUE_NUMBER, "1e", NULL},
        {VALUE_NUMBER, "1e+", NULL},
        {VALUE_NUMBER, "e1", NULL},
        {VALUE_NUMBER, "1.2.3", NULL},
        {VALUE_NUMBER, "1 2", NULL},
        {VALUE_NUMBER, " 1", NULL},
        {VALUE_NUMBER, "1\n", NULL},
        {VALUE_NUMBER, "0x10", NULL},
        {VALUE_NUMBER, "--1", NULL},
        {VALUE_BOOLEAN, "true", "1"},
        {VALUE_BOOLEAN, "false", "0"},
        {VALUE_NULL, "", NULL},
        {VALUE_STRING, "7", NULL},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        print_message("%s\n", cases[i].value);
        struct column column = {"n", cases[i].type, cases[i].value};
        struct result *numbers = numbers_in(&column, 1);
        const char *const expected[][2] = {{"n", cases[i].shown}};
        if (cases[i].shown != NULL)
            expect(numbers, expected, 1);
        else
            assert_null(numbers);
    }
}

static void what_was_cut_is_no_number(void **state)
{
    (void)state;
    char digits[RESULT_VALUE_MAX + 2];
    memset(digits, '0', sizeof digits - 1);
    digits[sizeof digits - 1] = '\0';
    struct column column = {"n", VALUE_NUMBER, digits};
    assert_null(numbers_in(&column, 1));
}

static void names_are_clean_and_differ(void **state)
{
    (void)state;
    static const struct column columns[] = {
        {"n", VALUE_NUMBER, "1"},          {"n", VALUE_NUMBER, "2"},
        {"N", VALUE_NUMBER, "3"},          {"a\nb", VALUE_NUMBER, "4"},
        {"a b", VALUE_NUMBER, "5"},        {"\"\\}", VALUE_NUMBER, "6"},
        {"\xff", VALUE_NUMBER, "7"},       {"?", VALUE_NUMBER, "8"},
        {"l\xc3\xa4g", VALUE_NUMBER, "9"}, {"", VALUE_NUMBER, "10"},
        {"\x01", VALUE_NUMBER, "11"},
    };
    static const char *const expected[][2] = {{"n", "1"},     {"N", "3"}, {"a b", "4"},
                                              {"\"\\}", "6"}, {"?", "7"}, {"l\xc3\xa4g", "9"}};
    expect(numbers_in(columns, COUNT(columns)), expected, COUNT(expected));
}

static void a_name_goes_to_its_first_number(void **state)
{
    (void)state;
    static const struct column columns[] = {
        {"n", VALUE_STRING, "x"}, {"n", VALUE_NULL, ""}, {"n", VALUE_NUMBER, "3"}};
    static const char *const expected[][2] = {{"n", "3"}};
    expect(numbers_in(columns, COUNT(columns)), expected, COUNT(expected));
}

static void the_check_says_which_are_metrics(void **state)
{
    (void)state;
    static const struct column columns[] = {{"lag_seconds", VALUE_NUMBER, "1"},
                                            {"slots", VALUE_NUMBER, "2"}};
    static const char *const expected[][2] = {{"lag_seconds", "1"}, {"slots", "2"}};
    struct check some = {.metrics = true};
    const struct check none = {.metrics = false};
    words_split(&some.metric_columns, "Lag_Seconds other nothing", " ");
    assert_true(numbers_is_metric(&some, "lag_seconds"));
    assert_true(numbers_is_metric(&some, "Other"));
    assert_false(numbers_is_metric(&some, "slots"));
    assert_true(numbers_is_metric(&all, "slots"));
    assert_false(numbers_is_metric(&none, "slots"));
    expect(numbers_in(columns, COUNT(columns)), expected, COUNT(expected));
    words_free(&some.metric_columns);
}

static void text_counts_where_it_is_asked_for_as_a_number(void **state)
{
    (void)state;
    static const struct column columns[] = {{"Value", VALUE_STRING, "120"},
                                            {"named", VALUE_STRING, "7.5"},
                                            {"words", VALUE_STRING, "7 of 9"},
                                            {"other", VALUE_STRING, "5"}};
    static const char *const expected[][2] = {{"Value", "120"}, {"named", "7.5"}};
    char value[] = "value", other[] = "other", text[] = "5";
    struct rule rules[] = {
        {.effect = RULE_WARN, .column = value, .literal = {.type = LITERAL_NUMBER, .text = text}},
        {.effect = RULE_FAIL, .column = other, .literal = {.type = LITERAL_STRING, .text = text}}};
    struct check some = {.metrics = true, .rules = rules, .rule_count = COUNT(rules)};
    words_split(&some.metric_columns, "named words", " ");
    struct result *result = row_of(columns, COUNT(columns));
    expect(numbers_of(&some, result), expected, COUNT(expected));
    result_free(result);
    words_free(&some.metric_columns);
}

static void without_a_row_there_is_nothing(void **state)
{
    (void)state;
    struct result *result = result_new();
    assert_null(numbers_of(&all, NULL));
    assert_null(numbers_of(&all, result));
    result_add_column(result, "n");
    assert_null(numbers_of(&all, result));
    result_free(result);
}

static void only_the_first_row_counts(void **state)
{
    (void)state;
    struct result *result = result_new();
    result_add_column(result, "n");
    for (size_t i = 0; i < 3; i++)
        assert_true(result_add_value(result, VALUE_NUMBER, i == 0 ? "1" : "2", 1));
    static const char *const expected[][2] = {{"n", "1"}};
    expect(numbers_of(&all, result), expected, 1);
    result_free(result);
}

static char lag_column[] = "lag";
static char state_column[] = "State";
static struct rule rules_seen[] = {
    {.effect = RULE_FAIL, .column = lag_column},
    {.effect = RULE_WARN, .column = lag_column},
    {.effect = RULE_FAIL, .column = NULL},
    {.effect = RULE_FAIL, .column = state_column},
};
static const struct check ruled = {.rules = rules_seen, .rule_count = COUNT(rules_seen)};

static struct result *seen_in(const struct check *check, const struct column *columns, size_t count)
{
    struct result *result = row_of(columns, count);
    result->row_count = 7;
    struct result *seen = seen_of(check, result);
    result_free(result);
    return seen;
}

static void what_rules_look_at_is_seen_once(void **state)
{
    (void)state;
    static const struct column columns[] = {{"other", VALUE_NUMBER, "1"},
                                            {"state", VALUE_BOOLEAN, "true"},
                                            {"LAG", VALUE_NUMBER, "4.50"}};
    static const char *const expected[][2] = {{"lag", "4.50"}, {"State", "true"}};
    struct result *seen = seen_in(&ruled, columns, COUNT(columns));
    assert_int_equal(seen->row_count, 7);
    expect(seen, expected, COUNT(expected));
}

static void null_is_seen(void **state)
{
    (void)state;
    static const struct column columns[] = {{"lag", VALUE_NULL, ""}};
    struct result *seen = seen_in(&ruled, columns, COUNT(columns));
    assert_int_equal(result_value(seen, 0, 0).type, VALUE_NULL);
    result_free(seen);
}

static void a_text_is_seen_clean(void **state)
{
    (void)state;
    static const struct column columns[] = {{"other", VALUE_STRING, "secret"},
                                            {"state", VALUE_STRING, "lost\nit\xff\x1b"}};
    static const char *const expected[][2] = {{"State", "lost it?"}};
    struct result *seen = seen_in(&ruled, columns, COUNT(columns));
    assert_int_equal(result_value(seen, 0, 0).type, VALUE_STRING);
    expect(seen, expected, COUNT(expected));
}

static void what_is_long_is_not_seen(void **state)
{
    (void)state;
    char digits[66];
    memset(digits, '1', sizeof digits);
    digits[sizeof digits - 1] = '\0';
    const struct column columns[] = {{"state", VALUE_STRING, digits + 1},
                                     {"lag", VALUE_NUMBER, digits}};
    const char *const expected[][2] = {{"State", digits + 1}};
    expect(seen_in(&ruled, columns, COUNT(columns)), expected, COUNT(expected));
}

static void without_a_rule_or_a_result_nothing_is_seen(void **state)
{
    (void)state;
    static const struct column columns[] = {{"lag", VALUE_NUMBER, "1"}};
    assert_null(seen_in(&all, columns, COUNT(columns)));
    assert_null(seen_of(&ruled, NULL));
    struct result *empty = result_new();
    struct result *seen = seen_of(&ruled, empty);
    assert_int_equal(seen->column_count, 0);
    result_free(seen);
    result_free(empty);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_value_is_text_that_prometheus_reads),
        cmocka_unit_test(what_was_cut_is_no_number),
        cmocka_unit_test(names_are_clean_and_differ),
        cmocka_unit_test(a_name_goes_to_its_first_number),
        cmocka_unit_test(the_check_says_which_are_metrics),
        cmocka_unit_test(text_counts_where_it_is_asked_for_as_a_number),
        cmocka_unit_test(without_a_row_there_is_nothing),
        cmocka_unit_test(only_the_first_row_counts),
        cmocka_unit_test(what_rules_look_at_is_seen_once),
        cmocka_unit_test(null_is_seen),
        cmocka_unit_test(a_text_is_seen_clean),
        cmocka_unit_test(what_is_long_is_not_seen),
        cmocka_unit_test(without_a_rule_or_a_result_nothing_is_seen),
    };
    return RUN(tests);
}
