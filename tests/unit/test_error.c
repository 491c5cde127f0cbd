// Error texts: bounded, one line, and with a prefix that does not cost the reason.
#include "common/error.h"

#include "unit.h"

#include <string.h>

enum { TEXT_MAX = sizeof((struct error *)0)->text - 1 };

static void fill(char *bytes, size_t length)
{
    memset(bytes, 'x', length);
    bytes[length] = '\0';
}

static void set_formats_and_returns_false(void **state)
{
    (void)state;
    struct error error;
    assert_false(error_set(&error, "%s: expected at most %d", "DBHEALTH_CACHE", 7));
    assert_string_equal(error.text, "DBHEALTH_CACHE: expected at most 7");
    assert_false(error_set(&error, "%s", ""));
    assert_string_equal(error.text, "");
}

static void a_long_text_is_cut_and_terminated(void **state)
{
    (void)state;
    struct error error;
    char longer[4 * TEXT_MAX];
    fill(longer, sizeof longer - 1);
    (void)error_set(&error, "%s", longer);
    assert_int_equal(strlen(error.text), TEXT_MAX);
    (void)error_prefix(&error, "%s", longer);
    assert_int_in_range(strlen(error.text), 1, TEXT_MAX);
}

static void prefix_stands_before_the_text(void **state)
{
    (void)state;
    struct error error;
    (void)error_set(&error, "expected a number");
    assert_false(error_prefix(&error, "%s:%d", "lag.sql", 3));
    assert_string_equal(error.text, "lag.sql:3: expected a number");
    (void)error_prefix(&error, "cannot load");
    assert_string_equal(error.text, "cannot load: lag.sql:3: expected a number");
}

// A list of what was expected may be long: a short prefix must not cut it in half.
static void a_short_prefix_leaves_the_text_its_room(void **state)
{
    (void)state;
    struct error error;
    char inner[401];
    fill(inner, sizeof inner - 1);
    (void)error_set(&error, "%s", inner);
    (void)error_prefix(&error, "URL");
    assert_int_equal(strlen(error.text), strlen("URL: ") + strlen(inner));
    assert_memory_equal(error.text, "URL: xxx", 8);
}

static void a_long_prefix_leaves_the_text_half_the_room(void **state)
{
    (void)state;
    struct error error;
    char longer[TEXT_MAX];
    fill(longer, sizeof longer - 1);
    (void)error_set(&error, "expected a number");
    (void)error_prefix(&error, "%s", longer);
    assert_non_null(strstr(error.text, "x: expected a number"));
}

// A text may quote what a person or a file gave: it must not forge a second log line.
static void quoted_bytes_are_made_fit_to_show(void **state)
{
    (void)state;
    struct error error;
    (void)error_set(&error, "'%s' is unknown", "a\nlevel=info\x1b[2J\xff");
    assert_string_equal(error.text, "'a level=info [2J?' is unknown");
    (void)error_set(&error, "'%.3s' is unknown", "h\xc3\xa4\xc3\xa4");
    assert_string_equal(error.text, "'h\xc3\xa4' is unknown");
    (void)error_set(&error, "'%.2s' is unknown", "h\xc3\xa4\xc3\xa4");
    assert_string_equal(error.text, "'h?' is unknown");
}

static void an_error_may_be_part_of_the_next(void **state)
{
    (void)state;
    struct error error;
    (void)error_set(&error, "inner");
    (void)error_set(&error, "outer (%s)", error.text);
    assert_string_equal(error.text, "outer (inner)");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(set_formats_and_returns_false),
        cmocka_unit_test(a_long_text_is_cut_and_terminated),
        cmocka_unit_test(prefix_stands_before_the_text),
        cmocka_unit_test(a_short_prefix_leaves_the_text_its_room),
        cmocka_unit_test(a_long_prefix_leaves_the_text_half_the_room),
        cmocka_unit_test(quoted_bytes_are_made_fit_to_show),
        cmocka_unit_test(an_error_may_be_part_of_the_next),
    };
    return RUN(tests);
}
