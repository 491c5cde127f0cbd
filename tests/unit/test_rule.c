// The semantics of rules to the letter: how they are written, and what each kind of value does to
// each kind of literal. What cannot be known is bad news.
#include "server/check/rule.h"

#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct params no_params;

static struct rule parsed(const char *text)
{
    struct rule rule;
    struct error error;
    size_t offset;
    if (!rule_parse(text, RULE_FAIL, &no_params, &rule, &offset, &error))
        fail_msg("'%s' is refused: %s", text, error.text);
    assert_int_equal(offset <= strlen(text), true);
    return rule;
}

static void rules_are_subject_operator_and_literal(void **state)
{
    (void)state;
    static const struct {
        const char *text, *column, *literal_text;
        enum rule_comparison comparison;
        enum literal_type type;
        const char *string;
        long double number;
    } cases[] = {
        {"x > 30", "x", "30", RULE_GT, LITERAL_NUMBER, NULL, 30},
        {"x>=30", "x", "30", RULE_GE, LITERAL_NUMBER, NULL, 30},
        {"\t x  <\t 30 ", "x", "30", RULE_LT, LITERAL_NUMBER, NULL, 30},
        {"x <= -1.5", "x", "-1.5", RULE_LE, LITERAL_NUMBER, NULL, -1.5L},
        {"x<-1", "x", "-1", RULE_LT, LITERAL_NUMBER, NULL, -1},
        {"x != +2", "x", "+2", RULE_NE, LITERAL_NUMBER, NULL, 2},
        {"x == 1e3", "x", "1e3", RULE_EQ, LITERAL_NUMBER, NULL, 1000},
        {"x == 1.5E-2", "x", "1.5E-2", RULE_EQ, LITERAL_NUMBER, NULL, 0.015L},
        {"_Lag_2 == 0", "_Lag_2", "0", RULE_EQ, LITERAL_NUMBER, NULL, 0},
        {"rows == 0", NULL, "0", RULE_EQ, LITERAL_NUMBER, NULL, 0},
        {"rows>5", NULL, "5", RULE_GT, LITERAL_NUMBER, NULL, 5},
        {"\"rows\" == 0", "rows", "0", RULE_EQ, LITERAL_NUMBER, NULL, 0},
        {"Rows == 0", "Rows", "0", RULE_EQ, LITERAL_NUMBER, NULL, 0},
        {"rows2 == 0", "rows2", "0", RULE_EQ, LITERAL_NUMBER, NULL, 0},
        {"\"a \"\"b\"\" > c\" == 0", "a \"b\" > c", "0", RULE_EQ, LITERAL_NUMBER, NULL, 0},
        {"\"\xc3\xa4\" == 0", "\xc3\xa4", "0", RULE_EQ, LITERAL_NUMBER, NULL, 0},
        {"x == 'streaming'", "x", "'streaming'", RULE_EQ, LITERAL_STRING, "streaming", 0},
        {"x == ''", "x", "''", RULE_EQ, LITERAL_STRING, "", 0},
        {"x == ''''", "x", "''''", RULE_EQ, LITERAL_STRING, "'", 0},
        {"x == 'it''s \"so\"'", "x", "'it''s \"so\"'", RULE_EQ, LITERAL_STRING, "it's \"so\"", 0},
        {"x == '10'", "x", "'10'", RULE_EQ, LITERAL_STRING, "10", 0},
        {"x < '2026-01-31'", "x", "'2026-01-31'", RULE_LT, LITERAL_TIME, "2026-01-31", 0},
        {"x != '23:59'", "x", "'23:59'", RULE_NE, LITERAL_TIME, "23:59", 0},
        {"x == true", "x", "true", RULE_EQ, LITERAL_BOOLEAN, NULL, 1},
        {"x != FALSE", "x", "FALSE", RULE_NE, LITERAL_BOOLEAN, NULL, 0},
        {"x == null", "x", "null", RULE_EQ, LITERAL_NULL, NULL, 0},
        {"x != Null", "x", "Null", RULE_NE, LITERAL_NULL, NULL, 0},
        {"true == true", "true", "true", RULE_EQ, LITERAL_BOOLEAN, NULL, 1},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        print_message("%s\n", cases[i].text);
        struct rule rule = parsed(cases[i].text);
        if (cases[i].column == NULL)
            assert_null(rule.column);
        else
            assert_string_equal(rule.column, cases[i].column);
        assert_int_equal(rule.effect, RULE_FAIL);
        assert_int_equal(rule.comparison, cases[i].comparison);
        assert_int_equal(rule.literal.type, cases[i].type);
        assert_string_equal(rule.literal.text, cases[i].literal_text);
        assert_true(rule.literal.number == cases[i].number);
        if (cases[i].string == NULL)
            assert_null(rule.literal.string);
        else
            assert_string_equal(rule.literal.string, cases[i].string);
        rule_clear(&rule);
        assert_null(rule.column);
    }
}

static void a_rule_may_end_in_how_long_it_must_hold(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t ms;
    } cases[] = {
        {"x > 30", 0},
        {"x > 30 for 20s", 20000},
        {"x>30for 20s ", 20000},
        {"x == '' for 0s", 0},
        {"x == null for 5m", 300000},
        {"rows > 5 \tfor\t1.5s", 1500},
        {"\"for\" > 1 for 1ms", 1},
        {"for == 'for 20s'", 0},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        print_message("%s\n", cases[i].text);
        struct rule rule = parsed(cases[i].text);
        assert_int_equal(rule.hold.ms, cases[i].ms);
        rule_clear(&rule);
    }
}

static void what_skips_waits_for_nothing(void **state)
{
    (void)state;
    struct rule rule;
    struct error error;
    size_t offset;
    assert_false(rule_parse("x > 1 for 20s", RULE_SKIP, &no_params, &rule, &offset, &error));
    assert_int_equal(offset, 6);
    assert_string_equal(error.text, "`for` is for rules that fail or warn: whether a check is "
                                    "skipped, each result says by itself");
}

static const char expected_name[] = "expected a column's name without control characters";
static const char expected_subject[] = "expected a column's name or `rows`";
static const char expected_operator[] = "expected an operator: == != < <= > >=";
static const char expected_literal[] = "expected a number, a 'string', true, false or null";
static const char expected_end[] = "expected nothing more after the value, or `for` and a duration";
static const char expected_duration[] =
    "'20' is not a duration, expected a number with a unit, like 500ms, 1.5s, 2m or 1h";
static const char expected_end_of_all[] = "expected nothing more after the duration";
static const char expected_order[] = "true, false and null can only be compared with == and !=";
static const char expected_time[] =
    "text has no order, expected a number without quotes, or a time like '2026-01-31 12:00'; of an "
    "interval write extract(epoch FROM ...) in the statement";
static const char expected_count[] =
    "`rows` can only be compared with a number; a column of that name is written \"rows\"";

static void mistakes_are_told_with_their_place(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t offset;
        const char *message;
    } cases[] = {
        {"", 0, expected_subject},
        {"  ", 2, expected_subject},
        {"> 30", 0, expected_subject},
        {"30 < x", 0, expected_subject},
        {"'x' == 1", 0, expected_subject},
        {"\xc3\xa4 == 1", 0, expected_subject},
        {"$x > 1", 0, expected_subject},
        {"\"x > 1", 0, "the quote \" is never closed"},
        {"\"x\"\" > 1", 0, "the quote \" is never closed"},
        {"\"", 0, "the quote \" is never closed"},
        {"\"\" > 1", 0, expected_name},
        {"\"a\tb\" > 1", 0, expected_name},
        {"\"\x1b\" > 1", 0, expected_name},
        {"\"x\xe2\x80\xae\" > 1", 0, expected_name},
        {"\"x\xff\" > 1", 0, expected_name},
        {"x", 1, expected_operator},
        {"x ", 2, expected_operator},
        {"x = 1", 2, expected_operator},
        {"x <> 1", 2, expected_operator},
        {"x =< 1", 2, expected_operator},
        {"x === 1", 2, expected_operator},
        {"x ! 1", 2, expected_operator},
        {"x is null", 2, expected_operator},
        {"a.b > 1", 1, expected_operator},
        {"lag-seconds > 1", 3, expected_operator},
        {"count(*) > 1", 5, expected_operator},
        {"x >", 3, expected_literal},
        {"x > ", 4, expected_literal},
        {"x > y", 4, expected_literal},
        {"x > .5", 4, expected_literal},
        {"x > 5.", 4, expected_literal},
        {"x > -", 4, expected_literal},
        {"x > --1", 4, expected_literal},
        {"x > NaN", 4, expected_literal},
        {"x > infinity", 4, expected_literal},
        {"x == \"y\"", 5, expected_literal},
        {"x == nullx", 5, expected_literal},
        {"x == 'a", 5, "the quote ' is never closed"},
        {"x == 'a''", 5, "the quote ' is never closed"},
        {"x == '", 5, "the quote ' is never closed"},
        {"x > 5s", 5, expected_end},
        {"x > 0x10", 5, expected_end},
        {"x > 1e9999", 4, "the number is too large"},
        {"rows < -1e9999", 7, "the number is too large"},
        {"x > 1e", 5, expected_end},
        {"x > 1e+", 5, expected_end},
        {"x > 1,5", 5, expected_end},
        {"x > 1 and y > 2", 6, expected_end},
        {"x == 'a'b", 8, expected_end},
        {"x == 'a' 'b'", 9, expected_end},
        {"x > 1 for20s", 6, expected_end},
        {"x > 1 FOR 20s", 6, expected_end},
        {"x > 1 for 20", 10, expected_duration},
        {"x > 1 for 20 s", 10, expected_duration},
        {"x > 1 for 20s 5", 14, expected_end_of_all},
        {"x > 1 for 20s for 5s", 14, expected_end_of_all},
        {"x > 1 for 25h", 10, "'25h' is too long, expected at most 24h"},
        {"x > null for 20s", 4, expected_order},
        {"x > null", 4, expected_order},
        {"x <= true", 5, expected_order},
        {"x<false", 2, expected_order},
        {"x < '9'", 4, expected_time},
        {"x >= 'a'", 5, expected_time},
        {"age > '20 days'", 6, expected_time},
        {"at > '2026-13-01'", 5, expected_time},
        {"at > '2026-01-31 12'", 5, expected_time},
        {"at > '2026-01-31 12:00 CET'", 5, expected_time},
        {"at > '2026-01-31 12:00+02'", 5, expected_time},
        {"at > '01.02.2026'", 5, expected_time},
        {"rows == null", 8, expected_count},
        {"rows == true", 8, expected_count},
        {"rows == '1'", 8, expected_count},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct rule rule;
        struct error error = {"none"};
        size_t offset = 999;
        print_message("'%s'\n", cases[i].text);
        assert_false(rule_parse(cases[i].text, RULE_WARN, &no_params, &rule, &offset, &error));
        assert_string_equal(error.text, cases[i].message);
        assert_int_equal(offset, cases[i].offset);
        assert_null(rule.column);
        assert_null(rule.literal.text);
    }
}

// --- judging

// A one-row result: column `x` with this value, behind another.
static struct result *one_value(enum value_type type, const char *text)
{
    struct result *result = result_new();
    result_add_column(result, "other");
    result_add_column(result, "x");
    (void)result_add_value(result, VALUE_NUMBER, "1", 1);
    (void)result_add_value(result, type, text, strlen(text));
    result->row_count = 1;
    return result;
}

static enum rule_finding judge_text(const char *text, const struct result *result, char *why,
                                    size_t capacity)
{
    struct rule rule = parsed(text);
    struct text seen = text_in(why, capacity);
    enum rule_finding finding = rule_judge(&rule, &rule.literal, result, &seen);
    rule_clear(&rule);
    return finding;
}

static void expect(const char *text, enum value_type type, const char *value,
                   enum rule_finding wanted, const char *reason)
{
    char why[256];
    struct result *result = one_value(type, value);
    print_message("%s, with %s\n", text, value);
    assert_int_equal(judge_text(text, result, why, sizeof why), wanted);
    assert_string_equal(why, reason);
    result_free(result);
}

struct comparison_case {
    const char *below, *equal, *above; // against the literal
    const char *literal;
    enum value_type type;
};

// All six operators against a value below, at and above the literal.
static void check_all_operators(const struct comparison_case *values)
{
    static const struct {
        const char *text;
        bool holds[3];
    } operators[] = {
        {"==", {false, true, false}}, {"!=", {true, false, true}}, {"<", {true, false, false}},
        {"<=", {true, true, false}},  {">", {false, false, true}}, {">=", {false, true, true}},
    };
    const char *const seen[3] = {values->below, values->equal, values->above};
    for (size_t i = 0; i < COUNT(operators); i++) {
        for (size_t j = 0; j < COUNT(seen); j++) {
            char rule[128], reason[128];
            (void)snprintf(rule, sizeof rule, "x %s %s", operators[i].text, values->literal);
            (void)snprintf(reason, sizeof reason, "x %s %s %s", seen[j], operators[i].text,
                           values->literal);
            bool holds = operators[i].holds[j];
            expect(rule, values->type, seen[j], holds ? RULE_HOLDS : RULE_HOLDS_NOT,
                   holds ? reason : "");
        }
    }
}

static void numbers_compare_as_numbers_even_where_they_are_text(void **state)
{
    (void)state;
    static const struct comparison_case cases[] = {
        {"9", "10", "100", "10", VALUE_NUMBER},
        {"9.99", "10.00", "10.01", "10", VALUE_NUMBER},
        {"-11", "-1e1", "0", "-10", VALUE_NUMBER},
        {"0.1", "0.3", "0.30000001", "0.3", VALUE_NUMBER},
        {"9007199254740992", "9007199254740993", "9007199254740994", "9007199254740993",
         VALUE_NUMBER}, // beyond a double
        {"18446744073709551613", "18446744073709551614", "18446744073709551615",
         "18446744073709551614", VALUE_NUMBER}, // a MySQL BIGINT UNSIGNED
        {"-Infinity", "5", "Infinity", "5", VALUE_NUMBER},
        {"9", "15.20", "100", "15.2", VALUE_STRING}, // SHOW GLOBAL STATUS has no other
        {"-11", "-1e1", "0", "-10", VALUE_STRING},
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        check_all_operators(&cases[i]);
}

static void strings_are_the_same_or_not(void **state)
{
    (void)state;
    expect("x == 'a'", VALUE_STRING, "a", RULE_HOLDS, "x a == 'a'");
    expect("x == 'a'", VALUE_STRING, "A", RULE_HOLDS_NOT, "");
    expect("x == 'a'", VALUE_STRING, "a ", RULE_HOLDS_NOT, "");
    expect("x != 'a'", VALUE_STRING, "", RULE_HOLDS, "x  != 'a'");
    expect("x == '15.2'", VALUE_STRING, "15.20", RULE_HOLDS_NOT, "");
    expect("x == '2026-01-31'", VALUE_STRING, "2026-01-31 00:00", RULE_HOLDS_NOT, "");
    expect("x == '2026-01-31'", VALUE_STRING, "2026-01-31", RULE_HOLDS,
           "x 2026-01-31 == '2026-01-31'");
}

static void strings_compare_beyond_a_nul(void **state)
{
    (void)state;
    char why[128];
    struct result *result = result_new();
    result_add_column(result, "x");
    (void)result_add_value(result, VALUE_STRING, "a\0b", 3);
    result->row_count = 1;
    assert_int_equal(judge_text("x == 'a'", result, why, sizeof why), RULE_HOLDS_NOT);
    assert_int_equal(judge_text("x != 'a'", result, why, sizeof why), RULE_HOLDS);
    assert_string_equal(why, "x a b != 'a'");
    result_free(result);
}

static void booleans_compare_as_1_and_0(void **state)
{
    (void)state;
    expect("x == true", VALUE_BOOLEAN, "true", RULE_HOLDS, "x true == true");
    expect("x == true", VALUE_BOOLEAN, "false", RULE_HOLDS_NOT, "");
    expect("x != true", VALUE_BOOLEAN, "false", RULE_HOLDS, "x false != true");
    expect("x == false", VALUE_BOOLEAN, "false", RULE_HOLDS, "x false == false");
    expect("x == 1", VALUE_BOOLEAN, "true", RULE_HOLDS, "x true == 1");
    expect("x < 1", VALUE_BOOLEAN, "false", RULE_HOLDS, "x false < 1");
    expect("x == true", VALUE_NUMBER, "1", RULE_HOLDS, "x 1 == true"); // MySQL has no other
    expect("x == true", VALUE_NUMBER, "2", RULE_HOLDS_NOT, "");
    expect("x == false", VALUE_NUMBER, "0", RULE_HOLDS, "x 0 == false");
}

static void null_and_nan_make_every_comparison_hold(void **state)
{
    (void)state;
    static const char *const rules[] = {"x == 5", "x != 5", "x < 5", "x <= 5", "x > 5", "x >= 5"};
    static const char *const others[] = {"x == 'a'", "x != 'a'", "x < '2026-01-31'", "x == true",
                                         "x != false"};
    for (size_t i = 0; i < COUNT(rules); i++) {
        expect(rules[i], VALUE_NULL, "", RULE_HOLDS, "x is null");
        expect(rules[i], VALUE_NUMBER, "NaN", RULE_HOLDS, "x is NaN");
    }
    for (size_t i = 0; i < COUNT(others); i++)
        expect(others[i], VALUE_NULL, "", RULE_HOLDS, "x is null");
}

static void comparing_with_null_asks_for_null(void **state)
{
    (void)state;
    expect("x == null", VALUE_NULL, "", RULE_HOLDS, "x is null");
    expect("x != null", VALUE_NULL, "", RULE_HOLDS_NOT, "");
    expect("x == null", VALUE_NUMBER, "5", RULE_HOLDS_NOT, "");
    expect("x != null", VALUE_NUMBER, "5", RULE_HOLDS, "x 5 != null");
    expect("x == null", VALUE_NUMBER, "NaN", RULE_HOLDS_NOT, "");
    expect("x != null", VALUE_NUMBER, "NaN", RULE_HOLDS, "x NaN != null");
    expect("x == null", VALUE_STRING, "", RULE_HOLDS_NOT, "");
    expect("x != null", VALUE_STRING, "on", RULE_HOLDS, "x on != null");
    expect("x == null", VALUE_BOOLEAN, "false", RULE_HOLDS_NOT, "");
}

static void types_that_do_not_fit_are_a_fault_of_the_file(void **state)
{
    (void)state;
    static const char no_string[] = "column x is not a string, and the rule compares it with one";
    static const char a_string[] = "column x is a string, and the rule compares it with no string";
    static const char *const no_numbers[] = {"",    " 5",       "5 ", "5s",  "0x5",
                                             "NaN", "Infinity", "ON", "5,0", "."};
    for (size_t i = 0; i < COUNT(no_numbers); i++) {
        expect("x > 5", VALUE_STRING, no_numbers[i], RULE_UNFIT, a_string);
        expect("x == 5", VALUE_STRING, no_numbers[i], RULE_UNFIT, a_string);
    }
    expect("x == true", VALUE_STRING, "1", RULE_UNFIT, a_string);
    expect("x > '2026-01-31'", VALUE_NUMBER, "5", RULE_UNFIT, no_string);
    expect(
        "x > '2026-01-31'", VALUE_STRING, "2026-02-01", RULE_UNFIT,
        "column x is text and the rule compares it with a time: in the SQL, write CAST(x AS ...)");
    expect("x == true", VALUE_STRING, "true", RULE_UNFIT, a_string);
    expect("x == '5'", VALUE_NUMBER, "5", RULE_UNFIT, no_string);
    expect("x == 'NaN'", VALUE_NUMBER, "NaN", RULE_UNFIT, no_string);
    expect("x == 'true'", VALUE_BOOLEAN, "true", RULE_UNFIT, no_string);
    expect("y > 5", VALUE_NUMBER, "5", RULE_UNFIT, "column y is not in the result");
}

// --- columns that are neither number, boolean nor text

static void expect_typed(enum column_type type, const char *text, const char *value,
                         enum rule_finding wanted, const char *reason)
{
    char why[256];
    struct result *result = result_new();
    result_add_column(result, "x");
    result_set_type(result, type);
    (void)result_add_value(result, value != NULL ? VALUE_STRING : VALUE_NULL,
                           value != NULL ? value : "", value != NULL ? strlen(value) : 0);
    result->row_count = 1;
    print_message("%s, with %s of type %d\n", text, value != NULL ? value : "null", (int)type);
    assert_int_equal(judge_text(text, result, why, sizeof why), wanted);
    assert_string_equal(why, reason);
    result_free(result);
}

static void what_has_no_order_is_refused_with_what_to_write(void **state)
{
    (void)state;
    static const struct {
        enum column_type type;
        const char *value, *rule, *reason;
    } cases[] = {
        {COLUMN_INTERVAL, "100 days", "x > 20",
         "an interval and the rule compares it with a number:"
         " in the SQL, write extract(epoch FROM x)"},
        {COLUMN_INTERVAL, "9 days", "x == '9 days'",
         "an interval and the rule compares it with a "
         "string: in the SQL, write extract(epoch FROM x)"},
        {COLUMN_MONEY, "$10.00", "x < 9",
         "money and the rule compares it with a number: in the SQL,"
         " write x::numeric"},
        {COLUMN_LSN, "0/9", "x >= 1",
         "a pg_lsn and the rule compares it with a number: in the SQL,"
         " write pg_wal_lsn_diff(x, '0/0')"},
        {COLUMN_XID, "12", "x > 5",
         "an xid and the rule compares it with a number: in the SQL, "
         "write age(x)"},
        {COLUMN_JSON, "5", "x > 4",
         "JSON and the rule compares it with a number: in the SQL, write "
         "(x ->> ...)::numeric"},
        {COLUMN_DOCUMENT, "5", "x != '5'",
         "JSON and the rule compares it with a string: in the SQL,"
         " write JSON_VALUE(x, '$...')"},
        {COLUMN_ARRAY, "{1}", "x == 1",
         "an array and the rule compares it with a number: in the "
         "SQL, write cardinality(x)"},
        {COLUMN_BITS, "101", "x < 5",
         "a bit string and the rule compares it with a number: in the "
         "SQL, write x::bit(64)::bigint"},
        {COLUMN_OTHER, "::1", "x == true",
         "of a type without an order here and the rule compares it"
         " with true or false: in the SQL, write a comparison of x"},
        {COLUMN_TIMESTAMP, "2026-01-31 12:00:00+00", "x > 5",
         "a timestamp and the rule compares it "
         "with a number: in the SQL, write extract(epoch FROM x)"},
        {COLUMN_DATE, "2026-01-31", "x > '12:00'",
         "a date and the rule compares it with a time: in "
         "the SQL, write extract(epoch FROM x)"},
        {COLUMN_DATETIME, "2026-01-31", "x > 5",
         "a date or time and the rule compares it with a "
         "number: in the SQL, write UNIX_TIMESTAMP(x)"},
        {COLUMN_DURATION, "100:00:00", "x > 5",
         "a TIME and the rule compares it with a number: in "
         "the SQL, write TIME_TO_SEC(x)"},
        {COLUMN_TIMESTAMP, "2026-01-31 12:00:00", "x == 'today'",
         "a time, expected one like '2026-01-31 12:00' to compare it with"},
        {COLUMN_TIME, "12:00:00", "x == 'noon'",
         "a time, expected one like '23:59' to compare it with"},
        {COLUMN_TIMESTAMP, "yesterday", "x > '2026-01-31'", "a time that cannot be read"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        char reason[256];
        (void)snprintf(reason, sizeof reason, "column x is %s", cases[i].reason);
        expect_typed(cases[i].type, cases[i].rule, cases[i].value, RULE_UNFIT, reason);
        expect_typed(cases[i].type, cases[i].rule, NULL, RULE_HOLDS, "x is null");
        expect_typed(cases[i].type, "x == null", NULL, RULE_HOLDS, "x is null");
        expect_typed(cases[i].type, "x == null", cases[i].value, RULE_HOLDS_NOT, "");
    }
}

static void what_has_one_text_for_each_value_may_be_equal_to_it(void **state)
{
    (void)state;
    static const enum column_type types[] = {COLUMN_LSN, COLUMN_XID, COLUMN_ARRAY, COLUMN_BITS,
                                             COLUMN_OTHER};
    for (size_t i = 0; i < COUNT(types); i++) {
        expect_typed(types[i], "x == '0'", "0", RULE_HOLDS, "x 0 == '0'");
        expect_typed(types[i], "x != '0'", "0", RULE_HOLDS_NOT, "");
    }
}

static void times_are_ordered(void **state)
{
    (void)state;
    static const struct {
        enum column_type type;
        const char *below, *literal, *above;
    } cases[] = {
        {COLUMN_DATE, "2026-01-31", "2026-02-01", "10000-01-01"},
        {COLUMN_DATE, "0044-03-15 BC", "0001-01-01", "infinity"},
        {COLUMN_TIMESTAMP, "2026-01-31 11:59:59.999999", "2026-01-31 12:00",
         "2026-01-31 12:00:00.1"},
        {COLUMN_TIMESTAMP, "-infinity", "2026-01-31T12:00:00Z", "2026-01-31 12:00:00.000001+00"},
        {COLUMN_TIMESTAMP, "0045-12-31 23:00:00+00 BC", "2026-01-31", "2026-01-31 00:00:01+00"},
        {COLUMN_TIMESTAMP, "2026-01-31 12:00:00+00", "infinity", NULL},
        {COLUMN_TIME, "09:00:00", "12:00", "24:00:00"},
        {COLUMN_DATETIME, "0000-00-00 00:00:00", "2026-01-31 12:00:00+00:00",
         "2026-01-31 12:00:01"},
        {COLUMN_DURATION, "-100:00:00", "99:00", "838:59:59.000001"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        char rule[64], reason[128];
        (void)snprintf(rule, sizeof rule, "x < '%s'", cases[i].literal);
        (void)snprintf(reason, sizeof reason, "x %s < '%s'", cases[i].below, cases[i].literal);
        expect_typed(cases[i].type, rule, cases[i].below, RULE_HOLDS, reason);
        expect_typed(cases[i].type, rule, cases[i].literal, RULE_HOLDS_NOT, "");
        if (cases[i].above != NULL)
            expect_typed(cases[i].type, rule, cases[i].above, RULE_HOLDS_NOT, "");
        (void)snprintf(rule, sizeof rule, "x == '%s'", cases[i].literal);
        expect_typed(cases[i].type, rule, cases[i].below, RULE_HOLDS_NOT, "");
    }
    expect_typed(COLUMN_TIMESTAMP, "x == '2026-01-31'", "2026-01-31 00:00:00+00", RULE_HOLDS,
                 "x 2026-01-31 00:00:00+00 == '2026-01-31'");
}

static void a_number_that_was_cut_cannot_be_compared(void **state)
{
    (void)state;
    char digits[RESULT_VALUE_MAX + 1], why[128];
    memset(digits, '1', sizeof digits);
    struct result *result = result_new();
    result_add_column(result, "x");
    (void)result_add_value(result, VALUE_NUMBER, digits, sizeof digits);
    result->row_count = 1;
    assert_int_equal(judge_text("x > 5", result, why, sizeof why), RULE_UNFIT);
    assert_string_equal(why, "column x is longer than can be compared");
    result_free(result);
}

static void a_string_that_was_cut_cannot_be_compared(void **state)
{
    (void)state;
    char bytes[RESULT_VALUE_MAX + 1], why[128];
    memset(bytes, 'a', sizeof bytes);
    struct result *result = result_new();
    result_add_column(result, "x");
    (void)result_add_value(result, VALUE_STRING, bytes, sizeof bytes);
    result->row_count = 1;
    assert_int_equal(judge_text("x == 'a'", result, why, sizeof why), RULE_UNFIT);
    assert_string_equal(why, "column x is longer than can be compared");
    assert_int_equal(judge_text("x == null", result, why, sizeof why), RULE_HOLDS_NOT);
    result_free(result);
}

static void column_names_match_whatever_their_case(void **state)
{
    (void)state;
    expect("X > 1", VALUE_NUMBER, "5", RULE_HOLDS, "X 5 > 1");
    expect("\"X\" > 1", VALUE_NUMBER, "5", RULE_HOLDS, "X 5 > 1");
    expect("OTHER == 1", VALUE_NUMBER, "5", RULE_HOLDS, "OTHER 1 == 1");
}

// Longer ones than a reason has room for are shortened in it.
static void long_column_names_are_judged_and_shortened(void **state)
{
    (void)state;
    char name[256 + 1] = "", shown[80], rule[300], why[192], wanted[192];
    struct text text = text_in(name, sizeof name);
    struct text start = text_in(shown, sizeof shown);
    while (!text.cut)
        text_add(&text, "\U0001F418");
    text_addf(&start, "%.64s...", name);
    struct result *result = result_new();
    result_add_column(result, name);
    (void)result_add_value(result, VALUE_NUMBER, "5", 1);
    result->row_count = 1;
    (void)snprintf(rule, sizeof rule, "\"%s\" > 1", name);
    assert_int_equal(judge_text(rule, result, why, sizeof why), RULE_HOLDS);
    (void)snprintf(wanted, sizeof wanted, "%s 5 > 1", shown);
    assert_string_equal(why, wanted);
    (void)snprintf(rule, sizeof rule, "\"%sx\" > 1", name);
    assert_int_equal(judge_text(rule, result, why, sizeof why), RULE_UNFIT);
    (void)snprintf(wanted, sizeof wanted, "column %s is not in the result", shown);
    assert_string_equal(why, wanted);
    result_free(result);
}

static void only_the_first_row_is_judged(void **state)
{
    (void)state;
    char why[128];
    struct result *result = one_value(VALUE_NUMBER, "1");
    (void)result_add_value(result, VALUE_NUMBER, "1", 1);
    (void)result_add_value(result, VALUE_NUMBER, "99", 2);
    result->row_count = 2;
    assert_int_equal(judge_text("x > 5", result, why, sizeof why), RULE_HOLDS_NOT);
    assert_int_equal(judge_text("x == 1", result, why, sizeof why), RULE_HOLDS);
    result_free(result);
}

static void without_a_row_there_is_nothing_to_judge_but_the_count(void **state)
{
    (void)state;
    char why[128];
    struct result *result = result_new();
    result_add_column(result, "x");
    assert_int_equal(judge_text("x > 5", result, why, sizeof why), RULE_NO_ROW);
    assert_int_equal(judge_text("x == null", result, why, sizeof why), RULE_NO_ROW);
    assert_string_equal(why, "");
    assert_int_equal(judge_text("y > 5", result, why, sizeof why), RULE_UNFIT);
    assert_int_equal(judge_text("rows == 0", result, why, sizeof why), RULE_HOLDS);
    assert_string_equal(why, "rows 0 == 0");
    assert_int_equal(judge_text("rows > 0", result, why, sizeof why), RULE_HOLDS_NOT);
    result_free(result);
}

// A result keeps the first row only; the count is of all.
static void rows_counts_what_the_server_sent(void **state)
{
    (void)state;
    char why[128];
    struct result *result = one_value(VALUE_NUMBER, "1");
    result->row_count = 1000000;
    assert_int_equal(judge_text("rows >= 1000000", result, why, sizeof why), RULE_HOLDS);
    assert_string_equal(why, "rows 1000000 >= 1000000");
    assert_int_equal(judge_text("rows > 1000000", result, why, sizeof why), RULE_HOLDS_NOT);
    assert_int_equal(judge_text("rows < 1e7", result, why, sizeof why), RULE_HOLDS);
    result->row_count = UINT64_MAX;
    assert_int_equal(judge_text("rows == 18446744073709551615", result, why, sizeof why),
                     RULE_HOLDS);
    result_free(result);
}

static void a_column_named_rows_is_reached_in_quotes(void **state)
{
    (void)state;
    char why[128];
    struct result *result = result_new();
    result_add_column(result, "rows");
    (void)result_add_value(result, VALUE_NUMBER, "7", 1);
    result->row_count = 1;
    assert_int_equal(judge_text("\"rows\" == 7", result, why, sizeof why), RULE_HOLDS);
    assert_int_equal(judge_text("rows == 1", result, why, sizeof why), RULE_HOLDS);
    result_free(result);
}

static void reasons_are_one_clean_line_within_their_room(void **state)
{
    (void)state;
    char why[24];
    expect("x != 'a\x1b[0m'", VALUE_STRING, "b", RULE_HOLDS, "x b != 'a [0m'");
    expect("x != 'a'", VALUE_STRING, "1\n[+]all ok\x1b[0m\xff", RULE_HOLDS,
           "x 1 [+]all ok [0m? != 'a'");
    struct result *result = one_value(VALUE_STRING, "a value longer than the room for the reason");
    assert_int_equal(judge_text("x != 'a'", result, why, sizeof why), RULE_HOLDS);
    assert_string_equal(why, "x a value longer than t");
    result_free(result);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(rules_are_subject_operator_and_literal),
        cmocka_unit_test(a_rule_may_end_in_how_long_it_must_hold),
        cmocka_unit_test(what_skips_waits_for_nothing),
        cmocka_unit_test(mistakes_are_told_with_their_place),
        cmocka_unit_test(numbers_compare_as_numbers_even_where_they_are_text),
        cmocka_unit_test(strings_are_the_same_or_not),
        cmocka_unit_test(strings_compare_beyond_a_nul),
        cmocka_unit_test(booleans_compare_as_1_and_0),
        cmocka_unit_test(null_and_nan_make_every_comparison_hold),
        cmocka_unit_test(comparing_with_null_asks_for_null),
        cmocka_unit_test(types_that_do_not_fit_are_a_fault_of_the_file),
        cmocka_unit_test(what_has_no_order_is_refused_with_what_to_write),
        cmocka_unit_test(what_has_one_text_for_each_value_may_be_equal_to_it),
        cmocka_unit_test(times_are_ordered),
        cmocka_unit_test(a_number_that_was_cut_cannot_be_compared),
        cmocka_unit_test(a_string_that_was_cut_cannot_be_compared),
        cmocka_unit_test(column_names_match_whatever_their_case),
        cmocka_unit_test(long_column_names_are_judged_and_shortened),
        cmocka_unit_test(only_the_first_row_is_judged),
        cmocka_unit_test(without_a_row_there_is_nothing_to_judge_but_the_count),
        cmocka_unit_test(rows_counts_what_the_server_sent),
        cmocka_unit_test(a_column_named_rows_is_reached_in_quotes),
        cmocka_unit_test(reasons_are_one_clean_line_within_their_room),
    };
    return RUN(tests);
}
