// Rules that end in `for`: what a row of results comes to, each at its time. Only results count,
// and one that says nothing of a rule ends its row.
#include "server/check/verdict.h"

#include "check_with.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Rows of a name and a number each: "a 45, b 3". "-" is NULL, "?" no number.
static struct result *rows_with(const char *rows)
{
    struct result *result = result_new();
    struct words words = {0};
    result_add_column(result, "name");
    result_add_column(result, "lag");
    words_split(&words, rows, " ,");
    for (size_t i = 0; i < words.count; i++) {
        const char *word = words.items[i];
        enum value_type type = VALUE_NUMBER;
        if (i % 2 == 0 || strcmp(word, "?") == 0)
            type = VALUE_STRING;
        else if (strcmp(word, "-") == 0)
            type = VALUE_NULL;
        (void)result_add_value(result, type, word, type == VALUE_NULL ? 0 : strlen(word));
    }
    result->row_count = words.count / 2;
    words_free(&words);
    return result;
}

// A result, and what it comes to.
struct step {
    int64_t at; // ms
    const char *rows;
    enum outcome outcome;
    enum verdict verdict;
    const char *reason;
};

static void take(const struct check *check, const struct step *step, struct streaks *streaks)
{
    struct instant ended = {.ns = (1000000 + step->at) * 1000000};
    struct result *result = step->outcome == OUTCOME_OK ? rows_with(step->rows) : NULL;
    struct judgement judgement = judge_next(check, step->outcome, result, ended, streaks);
    print_message("  at %lld\n", (long long)step->at);
    assert_string_equal(judgement.reason, step->reason);
    assert_string_equal(verdict_name(judgement.verdict), verdict_name(step->verdict));
    // What is judged again of it, for another answer, comes to the same.
    struct judgement again = judge(check, step->outcome, result, NULL, streaks);
    assert_string_equal(again.reason, step->reason);
    result_free(result);
}

#define FAIL_20S "-- fail: lag > 30 for 20s\n"
#define PASSES   .verdict = VERDICT_PASS, .reason = ""
#define WARNS    .verdict = VERDICT_WARN, .reason
#define FAILS    .verdict = VERDICT_FAIL, .reason

static const struct {
    const char *name, *header;
    struct step steps[9];
} stories[] = {
    {"it fails once it has held for so long, at the first result that says so",
     FAIL_20S,
     {{0, "a 45", WARNS = "lag 45 > 30 for 0 s of 20 s"},
      {8900, "a 46", WARNS = "lag 46 > 30 for 8 s of 20 s"},
      {19999, "a 47", WARNS = "lag 47 > 30 for 19 s of 20 s"},
      {20000, "a 48", FAILS = "lag 48 > 30 for 20 s"},
      {95000, "a 49", FAILS = "lag 49 > 30 for 95 s"},
      {96000, "a 30", PASSES},
      {97000, "a 50", WARNS = "lag 50 > 30 for 0 s of 20 s"}}},
    {"short peaks are no row",
     FAIL_20S,
     {{0, "a 45", WARNS = "lag 45 > 30 for 0 s of 20 s"},
      {15000, "a 45", WARNS = "lag 45 > 30 for 15 s of 20 s"},
      {16000, "a 1", PASSES},
      {17000, "a 45", WARNS = "lag 45 > 30 for 0 s of 20 s"},
      {36000, "a 45", WARNS = "lag 45 > 30 for 19 s of 20 s"}}},
    {"looked at more seldom than that, it fails at the second result",
     FAIL_20S,
     {{0, "a 45", WARNS = "lag 45 > 30 for 0 s of 20 s"},
      {60000, "a 45", FAILS = "lag 45 > 30 for 60 s"}}},
    {"an error, a fault of ours and a skipped run end the row, for nobody knows",
     FAIL_20S "-- skip: name == 'x'\n",
     {{0, "a 45", WARNS = "lag 45 > 30 for 0 s of 20 s"},
      {10000, NULL, OUTCOME_TIMEOUT, FAILS = ""},
      {20000, "a 45", WARNS = "lag 45 > 30 for 0 s of 20 s"},
      {30000, NULL, OUTCOME_STARVED, .verdict = VERDICT_UNKNOWN, .reason = ""},
      {40000, "a 45", WARNS = "lag 45 > 30 for 0 s of 20 s"},
      {50000, NULL, OUTCOME_SKIPPED, .verdict = VERDICT_SKIPPED, .reason = ""},
      {60000, "a 45", WARNS = "lag 45 > 30 for 0 s of 20 s"},
      {70000, "x 45", .verdict = VERDICT_SKIPPED, .reason = "name x == 'x'"},
      {80000, "a 45", WARNS = "lag 45 > 30 for 0 s of 20 s"}}},
    {"so does a result without a row, and one that a rule does not fit",
     FAIL_20S "-- fail: name != 'x'\n",
     {{0, "x 45", WARNS = "lag 45 > 30 for 0 s of 20 s"},
      {10000, "", FAILS = ""},
      {20000, "x 45", WARNS = "lag 45 > 30 for 0 s of 20 s"},
      {30000, "x ?", .verdict = VERDICT_UNKNOWN,
       .reason = "column lag is a string, and the rule compares it with no string"},
      {40000, "x 45", WARNS = "lag 45 > 30 for 0 s of 20 s"}}},
    {"what is not known holds, as in every rule",
     FAIL_20S,
     {{0, "a -", WARNS = "lag is null for 0 s of 20 s"},
      {20000, "a 45", FAILS = "lag 45 > 30 for 20 s"}}},
    {"what would warn passes until then, and tells",
     "-- warn: lag > 30 for 20s\n",
     {{0, "a 45", .verdict = VERDICT_PASS, .reason = "lag 45 > 30 for 0 s of 20 s"},
      {20000, "a 45", WARNS = "lag 45 > 30 for 20 s"},
      {21000, "a 3", PASSES}}},
    {"each rule has a row of its own, and the weightiest is told",
     "-- warn: lag > 10\n-- fail: lag > 30 for 20s\n-- fail: lag > 60 for 1m\n-- fail: lag > 99\n",
     {{0, "a 20", WARNS = "lag 20 > 10"},
      {10000, "a 45", WARNS = "lag 45 > 30 for 0 s of 20 s"},
      {25000, "a 70", WARNS = "lag 70 > 30 for 15 s of 20 s"},
      {30000, "a 71", FAILS = "lag 71 > 30 for 20 s"},
      {31000, "a 29", WARNS = "lag 29 > 10"},
      {32000, "a 100", FAILS = "lag 100 > 99"}}},
    {"of several rows it holds while any breaks it, whichever",
     "-- rows: each\n-- skip: name == 'x'\n-- fail: lag > 30 for 20s\n",
     {{0, "a 45, b 1", WARNS = "a: lag 45 > 30 for 0 s of 20 s"},
      {10000, "a 45, b 46", WARNS = "a: lag 45 > 30 for 10 s of 20 s, and 1 more"},
      {20000, "a 1, b 47", FAILS = "b: lag 47 > 30 for 20 s"},
      {30000, "a 1, x 48", PASSES},
      {40000, "a 45, x 48", WARNS = "a: lag 45 > 30 for 0 s of 20 s"}}},
    {"the number of rows may be what holds",
     "-- fail: rows > 1 for 1500ms\n",
     {{0, "a 1, b 1", WARNS = "rows 2 > 1 for 0 ms of 1500 ms"},
      {1499, "a 1, b 1", WARNS = "rows 2 > 1 for 1499 ms of 1500 ms"},
      {1500, "a 1, b 1", FAILS = "rows 2 > 1 for 1500 ms"}}},
    {"for nothing is at once", "-- fail: lag > 30 for 0s\n", {{0, "a 45", FAILS = "lag 45 > 30"}}},
};

static void results_in_a_row_come_to_this(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(stories); i++) {
        struct check *check = check_with(stories[i].header);
        struct streaks *streaks = streaks_new(check);
        print_message("%s\n", stories[i].name);
        for (size_t j = 0; j < COUNT(stories[i].steps) && stories[i].steps[j].reason != NULL; j++)
            take(check, &stories[i].steps[j], streaks);
        free(streaks);
        check_free(check);
    }
}

// A row of a result has the verdict that its rules come to by now.
static void rows_have_the_verdict_of_the_time(void **state)
{
    (void)state;
    struct check *check = check_with("-- rows: each\n" FAIL_20S);
    struct streaks *streaks = streaks_new(check);
    struct result *result = rows_with("a 45, b 1");
    for (int64_t at = 0; at <= 20; at += 20) {
        (void)judge_next(check, OUTCOME_OK, result, (struct instant){.ns = (at + 1) * 1000000000},
                         streaks);
        enum verdict verdict = at == 0 ? VERDICT_WARN : VERDICT_FAIL;
        assert_int_equal(judge_row(check, result, 0, NULL, streaks), verdict);
        assert_int_equal(judge_row(check, result, 1, NULL, streaks), VERDICT_PASS);
    }
    result_free(result);
    free(streaks);
    check_free(check);
}

// Nobody knows how long it would have held for a value that only this request has.
static void a_requests_own_value_counts_at_once(void **state)
{
    (void)state;
    struct check *check = check_with("-- param: most = 30\n-- param: other = 1\n"
                                     "-- fail: lag > $most for 20s\n");
    struct streaks *streaks = streaks_new(check);
    struct result *result = rows_with("a 45");
    struct error error;
    for (size_t i = 0; i < check->params.count; i++) {
        struct params overrides = {0};
        assert_true(params_override(&overrides, &check->params.items[i], "40", &error));
        (void)judge_next(check, OUTCOME_OK, result, (struct instant){.ns = 1}, streaks);
        struct judgement judgement = judge(check, OUTCOME_OK, result, &overrides, streaks);
        assert_string_equal(judgement.reason,
                            i == 0 ? "lag 45 > 40" : "lag 45 > 30 for 0 s of 20 s");
        assert_int_equal(judgement.verdict, i == 0 ? VERDICT_FAIL : VERDICT_WARN);
        params_clear(&overrides);
    }
    result_free(result);
    free(streaks);
    check_free(check);
}

// A long value is cut before the words on time are.
static void there_is_room_for_how_long(void **state)
{
    (void)state;
    char value[200];
    struct check *check = check_with("-- fail: name != 'x' for 24h\n");
    struct streaks *streaks = streaks_new(check);
    struct result *result = result_new();
    memset(value, 'v', sizeof value);
    result_add_column(result, "name");
    (void)result_add_value(result, VALUE_STRING, value, sizeof value);
    result->row_count = 1;
    struct judgement judgement =
        judge_next(check, OUTCOME_OK, result, (struct instant){.ns = 1}, streaks);
    assert_non_null(strstr(judgement.reason, "vvv for 0 s of 86400 s"));
    result_free(result);
    free(streaks);
    check_free(check);
}

// --- reloads

static void a_rule_that_is_the_same_goes_on(void **state)
{
    (void)state;
    static const struct {
        const char *header;
        bool goes_on;
    } cases[] = {
        {"-- fail: lag > 30 for 20s\n", true},
        {"-- description: new\n-- fail:   lag>30   for 20s\n", true},
        {"-- warn: lag > 1 for 20s\n-- fail: lag > 30 for 20s\n", true},
        {"-- param: most = 30\n-- fail: lag > $most for 20s\n", true},
        {"-- param: most = 31\n-- fail: lag > $most for 20s\n", false},
        {"-- fail: lag > 31 for 20s\n", false},
        {"-- fail: lag >= 30 for 20s\n", false},
        {"-- fail: lag > 30 for 21s\n", false},
        {"-- fail: lags > 30 for 20s\n", false},
        {"-- fail: rows > 30 for 20s\n", false},
        {"-- warn: lag > 30 for 20s\n", false},
        {"-- fail: lag > '23:59' for 20s\n", false},
    };
    struct check *before = check_with(FAIL_20S);
    struct streaks *earlier = streaks_new(before);
    struct result *result = rows_with("a 45");
    (void)judge_next(before, OUTCOME_OK, result, (struct instant){.ns = 5}, earlier);
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct check *check = check_with(cases[i].header);
        struct streaks *streaks = streaks_new(check);
        print_message("%s\n", cases[i].header);
        streaks_take_over(streaks, check, earlier, before);
        assert_int_equal(streaks->since[check->rule_count - 1].ns, cases[i].goes_on ? 5 : 0);
        free(streaks);
        check_free(check);
    }
    result_free(result);
    free(earlier);
    check_free(before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(results_in_a_row_come_to_this),
        cmocka_unit_test(rows_have_the_verdict_of_the_time),
        cmocka_unit_test(a_requests_own_value_counts_at_once),
        cmocka_unit_test(there_is_room_for_how_long),
        cmocka_unit_test(a_rule_that_is_the_same_goes_on),
    };
    return RUN(tests);
}
