// The small values of settings and check files: what each parser takes, refuses and says.
#include "server/base/words.h"

#include "common/text.h"

#include "unit.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void durations_are_numbers_with_a_unit(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t ms;
    } cases[] = {
        {"0ms", 0},
        {"0s", 0},
        {"0.0h", 0},
        {"1ms", 1},
        {"500ms", 500},
        {"0500ms", 500},
        {"1s", 1000},
        {"1.5s", 1500},
        {"0.25s", 250},
        {"2m", 120000},
        {"1h", 3600000},
        {"24h", 86400000},
        {"1440m", 86400000},
        {"86400000ms", 86400000},
        {"0.001s", 1},
        {"0.5ms", 1}, // rounded up, so that it is not "none"
        {"0.0000001ms", 1},
        {"0.0001ms", 1},
        {"1.0001s", 1001},
        {"1.000s", 1000},
        {"0.33333h", 1199988},
        {"0.3333333h", 1200000},
        {"1.0000000000000000000001s", 1001},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct duration duration = {.ms = -1};
        struct error error;
        print_message("%s\n", cases[i].text);
        assert_true(parse_duration(cases[i].text, &duration, &error));
        assert_int_equal(duration.ms, cases[i].ms);
    }
}

// A fraction of thousandths is whole milliseconds, however a binary number rounds it.
static void fractions_of_a_second_are_exact(void **state)
{
    (void)state;
    for (int64_t ms = 0; ms < 30000; ms++) {
        struct duration duration = {.ms = -1};
        struct error error;
        char text[32];
        (void)snprintf(text, sizeof text, "%" PRId64 ".%03" PRId64 "s", ms / 1000, ms % 1000);
        assert_true(parse_duration(text, &duration, &error));
        assert_int_equal(duration.ms, ms);
    }
}

static void anything_else_is_no_duration(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "",     "5",    "500",  "s",    "ms",   ".5s", "5.s",       "5..5s",      "1.5.5s", "-1s",
        "+1s",  " 1s",  "1s ",  "1 s",  "1S",   "1Ms", "1sec",      "1d",         "1h30m",  "1e3ms",
        "0x5s", "infs", "nans", "1,5s", "1s\n", "ms5", "\xc2\xb5s", "5\xc2\xb5s", "${X}",   "1s5",
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct duration duration = {.ms = 77};
        struct error error;
        print_message("'%s'\n", cases[i]);
        assert_false(parse_duration(cases[i], &duration, &error));
        assert_int_equal(duration.ms, 77);
        assert_non_null(strstr(error.text, "expected a number with a unit"));
    }
    struct duration duration;
    struct error error;
    assert_false(parse_duration("5 minutes", &duration, &error));
    assert_string_equal(error.text, "'5 minutes' is not a duration, expected a number with a unit, "
                                    "like 500ms, 1.5s, 2m or 1h");
}

static void durations_above_a_day_are_refused_however_long(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "25h",
        "86400001ms",
        "24.0001h",
        "9223372036854775807ms",
        "9223372036854775808h",
        "99999999999999999999999999999999999999999999999999999999999999999999999999999999s",
    };
    char huge[1000];
    memset(huge, '9', sizeof huge);
    memcpy(huge + sizeof huge - 3, "ms", 3);
    struct duration duration = {.ms = 77};
    struct error error;
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_false(parse_duration(cases[i], &duration, &error));
        assert_non_null(strstr(error.text, "is too long, expected at most 24h"));
    }
    assert_false(parse_duration(huge, &duration, &error));
    assert_non_null(strstr(error.text, "is too long"));
    assert_int_equal(duration.ms, 77);
}

static void durations_are_written_as_they_are_read(void **state)
{
    (void)state;
    static const struct {
        int64_t ms;
        const char *text;
    } cases[] = {
        {0, "0ms"},    {1, "1ms"},     {999, "999ms"},  {1000, "1s"},     {1500, "1500ms"},
        {60000, "1m"}, {90000, "90s"}, {3600000, "1h"}, {5400000, "90m"}, {86400000, "24h"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        char text[32];
        struct duration back;
        struct error error;
        format_duration((struct duration){.ms = cases[i].ms}, text, sizeof text);
        assert_string_equal(text, cases[i].text);
        assert_true(parse_duration(text, &back, &error));
        assert_int_equal(back.ms, cases[i].ms);
    }
}

static void yes_and_no_are_the_only_answers(void **state)
{
    (void)state;
    bool yes = false;
    struct error error;
    assert_true(parse_yes_no("yes", &yes, &error));
    assert_true(yes);
    assert_true(parse_yes_no("no", &yes, &error));
    assert_false(yes);
    static const char *const bad[] = {"", "Yes", "true", "1", "on", "yes ", "n"};
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_false(parse_yes_no(bad[i], &yes, &error));
    assert_false(parse_yes_no("maybe", &yes, &error));
    assert_string_equal(error.text, "'maybe' is neither yes nor no");
}

static void names_are_short_and_safe_in_paths(void **state)
{
    (void)state;
    static const char *const good[] = {"a", "0", "-", "read-only", "lag-30s", "a--b"};
    static const char *const bad[] = {"",    "A",   "a_b",      "a.b", "a/b", "..",
                                      "a b", "a\n", "\xc3\xa4", "%61", "a,b", "a:"};
    char longest[NAME_MAX_LENGTH + 2];
    for (size_t i = 0; i < COUNT(good); i++)
        assert_true(is_name(good[i]));
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_false(is_name(bad[i]));
    memset(longest, 'a', sizeof longest);
    longest[NAME_MAX_LENGTH] = '\0';
    assert_true(is_name(longest));
    longest[NAME_MAX_LENGTH] = 'a';
    longest[NAME_MAX_LENGTH + 1] = '\0';
    assert_false(is_name(longest));
}

static void check_split(const char *text, const char *wanted)
{
    struct words words = {0};
    char joined[128];
    struct text joining = text_in(joined, sizeof joined);
    words_split(&words, text, ", \t");
    for (size_t i = 0; i < words.count; i++) {
        text_addf(&joining, "%s|", words.items[i]);
        assert_true(words_have(&words, words.items[i]));
    }
    assert_string_equal(joined, wanted);
    words_free(&words);
    assert_int_equal(words.count, 0);
    assert_null(words.items);
}

static void lists_split_at_any_separator_without_empty_pieces(void **state)
{
    (void)state;
    check_split("", "");
    check_split(" ,, \t", "");
    check_split("a", "a|");
    check_split("a,b", "a|b|");
    check_split(",a ,\tb, c,", "a|b|c|");
    check_split("a a", "a|a|");
}

static void lists_have_whole_words_only(void **state)
{
    (void)state;
    struct words words = {0};
    assert_false(words_have(&words, ""));
    words_split(&words, "alive lag", " ");
    words_add(&words, "cutting", 3);
    assert_true(words_have(&words, "lag"));
    assert_true(words_have(&words, "cut"));
    assert_false(words_have(&words, "la"));
    assert_false(words_have(&words, "lagg"));
    assert_false(words_have(&words, ""));
    assert_int_equal(words.count, 3);
    words_free(&words);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(durations_are_numbers_with_a_unit),
        cmocka_unit_test(fractions_of_a_second_are_exact),
        cmocka_unit_test(anything_else_is_no_duration),
        cmocka_unit_test(durations_above_a_day_are_refused_however_long),
        cmocka_unit_test(durations_are_written_as_they_are_read),
        cmocka_unit_test(yes_and_no_are_the_only_answers),
        cmocka_unit_test(names_are_short_and_safe_in_paths),
        cmocka_unit_test(lists_split_at_any_separator_without_empty_pieces),
        cmocka_unit_test(lists_have_whole_words_only),
    };
    return RUN(tests);
}
