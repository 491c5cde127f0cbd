// Results: typed, found by name, and cut at their bounds by whole rows.
#include "common/result.h"

#include "common/text.h"

#include "unit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool add(struct result *result, enum value_type type, const char *text)
{
    return result_add_value(result, type, text, strlen(text));
}

static void a_new_result_is_empty(void **state)
{
    (void)state;
    uint32_t column;
    struct result *result = result_new();
    assert_int_equal(result->column_count, 0);
    assert_int_equal(result->kept_rows, 0);
    assert_int_equal(result->row_count, 0);
    assert_false(result->cut);
    assert_false(result_find_column(result, "x", &column));
    result_free(result);
    result_free(NULL);
}

static void values_come_back_by_row_and_column(void **state)
{
    (void)state;
    struct result *result = result_new();
    result_add_column(result, "name");
    result_add_column(result, "lag");
    assert_true(add(result, VALUE_STRING, "a"));
    assert_int_equal(result->kept_rows, 0);
    assert_true(result_add_value(result, VALUE_NULL, NULL, 0));
    assert_int_equal(result->kept_rows, 1);
    assert_true(result_add_value(result, VALUE_STRING, "b\0c", 3));
    assert_true(add(result, VALUE_NUMBER, "1.5"));
    assert_int_equal(result->kept_rows, 2);
    assert_string_equal(result_column(result, 0), "name");
    assert_string_equal(result_column(result, 1), "lag");
    struct value null = result_value(result, 0, 1);
    assert_int_equal(null.type, VALUE_NULL);
    assert_int_equal(null.length, 0);
    assert_string_equal(null.text, "");
    struct value bytes = result_value(result, 1, 0);
    assert_int_equal(bytes.type, VALUE_STRING);
    assert_int_equal(bytes.length, 3);
    assert_memory_equal(bytes.text, "b\0c", 4);
    assert_string_equal(result_value(result, 1, 1).text, "1.5");
    assert_false(result->cut);
    result_free(result);
}

static void a_number_takes_the_place_of_a_value(void **state)
{
    (void)state;
    struct result *result = result_new();
    result_add_column(result, "a");
    result_add_column(result, "b");
    for (int i = 0; i < 2; i++) {
        assert_true(result_add_value(result, VALUE_NULL, NULL, 0));
        assert_true(add(result, VALUE_STRING, "x"));
    }
    assert_true(result_set_number(result, 0, 0, "0.125"));
    assert_int_equal(result_value(result, 0, 0).type, VALUE_NUMBER);
    assert_string_equal(result_value(result, 0, 0).text, "0.125");
    assert_string_equal(result_value(result, 0, 1).text, "x");
    assert_int_equal(result_value(result, 1, 0).type, VALUE_NULL);
    assert_true(add(result, VALUE_STRING, "y"));
    assert_true(add(result, VALUE_STRING, "z"));
    assert_string_equal(result_value(result, 2, 1).text, "z");
    assert_int_equal(result->kept_rows, 3);
    while (add(result, VALUE_STRING, "more"))
        ;
    char digits[4096];
    memset(digits, '7', sizeof digits - 1);
    digits[sizeof digits - 1] = '\0';
    assert_false(result_set_number(result, 0, 0, digits));
    assert_string_equal(result_value(result, 0, 0).text, "0.125");
    result_free(result);
}

static void columns_are_found_whatever_their_case_the_first_of_several(void **state)
{
    (void)state;
    uint32_t column = 99;
    struct result *result = result_new();
    result_add_column(result, "Lag_Seconds");
    result_add_column(result, "x");
    result_add_column(result, "X");
    assert_true(result_find_column(result, "lag_SECONDS", &column));
    assert_int_equal(column, 0);
    assert_true(result_find_column(result, "X", &column));
    assert_int_equal(column, 1);
    column = 99;
    assert_false(result_find_column(result, "lag", &column));
    assert_false(result_find_column(result, "", &column));
    assert_int_equal(column, 99);
    result_free(result);
}

static void long_names_are_cut(void **state)
{
    (void)state;
    char name[RESULT_NAME_MAX + 20];
    memset(name, 'n', sizeof name);
    struct result *result = result_new();
    for (size_t length = RESULT_NAME_MAX - 1; length <= RESULT_NAME_MAX + 10; length++) {
        name[length] = '\0';
        result_add_column(result, name);
        name[length] = 'n';
        size_t kept = length < RESULT_NAME_MAX ? length : RESULT_NAME_MAX;
        assert_int_equal(strlen(result_column(result, result->column_count - 1)), kept);
    }
    assert_false(result->cut);
    result_free(result);
}

// The longest that a server sends are aliases of MySQL.
static void names_of_a_server_are_kept_whole(void **state)
{
    (void)state;
    static const char *const characters[] = {"n", "ä", "界", "\U0001F418"};
    for (size_t i = 0; i < COUNT(characters); i++) {
        char name[256 + 1] = "";
        struct text text = text_in(name, sizeof name);
        uint32_t column = 99;
        while (!text.cut)
            text_add(&text, characters[i]);
        struct result *result = result_new();
        result_add_column(result, "other");
        result_add_column(result, name);
        assert_string_equal(result_column(result, 1), name);
        assert_true(result_find_column(result, name, &column));
        assert_int_equal(column, 1);
        result_free(result);
    }
}

static void columns_past_the_most_are_left_out(void **state)
{
    (void)state;
    struct result *result = result_new();
    for (unsigned i = 0; i < RESULT_COLUMNS_MAX; i++)
        result_add_column(result, "c");
    assert_false(result->cut);
    result_add_column(result, "one too many");
    assert_true(result->cut);
    assert_int_equal(result->column_count, RESULT_COLUMNS_MAX);
    for (unsigned i = 0; i < RESULT_COLUMNS_MAX; i++)
        assert_true(add(result, VALUE_NUMBER, "1"));
    assert_int_equal(result->kept_rows, 1);
    result_free(result);
}

static void long_values_are_cut_and_say_so(void **state)
{
    (void)state;
    static const struct {
        size_t length, kept;
        bool cut;
    } cases[] = {
        {RESULT_VALUE_MAX - 1, RESULT_VALUE_MAX - 1, false},
        {RESULT_VALUE_MAX, RESULT_VALUE_MAX, false},
        {RESULT_VALUE_MAX + 1, RESULT_VALUE_MAX, true},
        {10 * RESULT_VALUE_MAX, RESULT_VALUE_MAX, true},
    };
    char *bytes = malloc(10 * RESULT_VALUE_MAX);
    assert_non_null(bytes);
    memset(bytes, 'v', 10 * RESULT_VALUE_MAX);
    struct result *result = result_new();
    result_add_column(result, "v");
    for (uint32_t i = 0; i < COUNT(cases); i++) {
        assert_true(result_add_value(result, VALUE_STRING, bytes, cases[i].length));
        struct value value = result_value(result, i, 0);
        assert_int_equal(value.length, cases[i].kept);
        assert_int_equal(value.text[value.length], '\0');
        assert_int_equal(value.cut, cases[i].cut);
    }
    assert_false(result->cut); // of rows, not of values
    result_free(result);
    free(bytes);
}

// Three columns of 1000 bytes: the room ends within a row, and no part of that row may stay.
static void what_has_no_room_is_dropped_by_whole_rows(void **state)
{
    (void)state;
    char bytes[1000];
    struct result *result = result_new();
    for (unsigned i = 0; i < 3; i++)
        result_add_column(result, "c");
    uint32_t added = 0;
    for (;; added++) {
        memset(bytes, 'a' + (int)(added % 26), sizeof bytes);
        if (!result_add_value(result, VALUE_STRING, bytes, sizeof bytes))
            break;
    }
    uint32_t rows = added / 3;
    assert_true(result->cut);
    assert_int_equal(result->kept_rows, rows);
    assert_true((size_t)rows * 3 * sizeof bytes <= RESULT_BYTES_MAX);
    assert_true((size_t)(rows + 1) * 3 * (sizeof bytes + 9) > RESULT_BYTES_MAX - 100);
    for (uint32_t i = 0; i < rows * 3; i++) {
        struct value value = result_value(result, i / 3, i % 3);
        assert_int_equal(value.length, sizeof bytes);
        assert_int_equal(value.text[0], 'a' + (int)(i % 26));
        assert_int_equal(value.text[value.length - 1], 'a' + (int)(i % 26));
    }
    result_free(result);
}

static void many_small_values_keep_within_the_bound(void **state)
{
    (void)state;
    struct result *result = result_new();
    result_add_column(result, "n");
    uint32_t rows = 0;
    while (result_add_value(result, VALUE_NULL, NULL, 0))
        rows++;
    assert_int_equal(result->kept_rows, rows);
    assert_int_in_range(rows, 1000, RESULT_BYTES_MAX / 8);
    assert_true(result->cut);
    result_free(result);
}

static void numbers_and_booleans_have_values(void **state)
{
    (void)state;
    static const struct {
        enum value_type type;
        const char *text;
        long double number;
    } cases[] = {
        {VALUE_BOOLEAN, "true", 1},
        {VALUE_BOOLEAN, "false", 0},
        {VALUE_NUMBER, "0", 0},
        {VALUE_NUMBER, "-3.25", -3.25L},
        {VALUE_NUMBER, "1e3", 1000},
        {VALUE_NUMBER, "18446744073709551615", 0xFFFFFFFFFFFFFFFFp0L},
        {VALUE_NUMBER, "Infinity", INFINITY},
        {VALUE_NUMBER, "-Infinity", -INFINITY},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct value value = {.type = cases[i].type, .text = cases[i].text};
        assert_true(value_number(&value) == cases[i].number);
    }
    struct value nan = {.type = VALUE_NUMBER, .text = "NaN"};
    assert_true(isnan(value_number(&nan)));
}

// Else "12 apples" would be 12, and no threshold would hold for it.
static void numbers_whose_text_is_none_are_nan(void **state)
{
    (void)state;
    static const struct {
        enum value_type type;
        const char *text;
        size_t length;
        const char *kept; // NULL: as it is
    } cases[] = {
        {VALUE_NUMBER, "0", 1, NULL},        {VALUE_NUMBER, "-1.50", 5, NULL},
        {VALUE_NUMBER, "00042", 5, NULL},    {VALUE_NUMBER, "1e-05", 5, NULL},
        {VALUE_NUMBER, "1e+20", 5, NULL},    {VALUE_NUMBER, "NaN", 3, NULL},
        {VALUE_NUMBER, "Infinity", 8, NULL}, {VALUE_NUMBER, "-Infinity", 9, NULL},
        {VALUE_NUMBER, "+Inf", 4, NULL},     {VALUE_NUMBER, ".5", 2, NULL},
        {VALUE_NUMBER, "5.", 2, NULL},       {VALUE_NUMBER, ".", 1, "NaN"},
        {VALUE_NUMBER, "", 0, "NaN"},        {VALUE_NUMBER, "x", 1, "NaN"},
        {VALUE_NUMBER, "5x", 2, "NaN"},      {VALUE_NUMBER, "5\n", 2, "NaN"},
        {VALUE_NUMBER, " 5", 2, "NaN"},      {VALUE_NUMBER, "5\0x", 3, "NaN"},
        {VALUE_NUMBER, "0x10", 4, "NaN"},    {VALUE_NUMBER, "nan(1)", 6, "NaN"},
        {VALUE_NUMBER, "1e", 2, "NaN"},      {VALUE_BOOLEAN, "true", 4, NULL},
        {VALUE_BOOLEAN, "false", 5, NULL},   {VALUE_BOOLEAN, "maybe", 5, "NaN"},
    };
    struct result *result = result_new();
    result_add_column(result, "v");
    for (uint32_t i = 0; i < COUNT(cases); i++) {
        const char *kept = cases[i].kept != NULL ? cases[i].kept : cases[i].text;
        print_message("%s\n", cases[i].text);
        assert_true(result_add_value(result, cases[i].type, cases[i].text, cases[i].length));
        assert_int_equal(result->kept_rows, i + 1);
        struct value value = result_value(result, i, 0);
        assert_int_equal(value.type, cases[i].kept != NULL ? VALUE_NUMBER : cases[i].type);
        assert_string_equal(value.text, kept);
        assert_int_equal(value.length, strlen(kept));
    }
    result_free(result);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_result_is_empty),
        cmocka_unit_test(values_come_back_by_row_and_column),
        cmocka_unit_test(a_number_takes_the_place_of_a_value),
        cmocka_unit_test(columns_are_found_whatever_their_case_the_first_of_several),
        cmocka_unit_test(long_names_are_cut),
        cmocka_unit_test(names_of_a_server_are_kept_whole),
        cmocka_unit_test(columns_past_the_most_are_left_out),
        cmocka_unit_test(long_values_are_cut_and_say_so),
        cmocka_unit_test(what_has_no_room_is_dropped_by_whole_rows),
        cmocka_unit_test(many_small_values_keep_within_the_bound),
        cmocka_unit_test(numbers_and_booleans_have_values),
        cmocka_unit_test(numbers_whose_text_is_none_are_nan),
    };
    return RUN(tests);
}
