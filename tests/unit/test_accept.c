// Which media type an Accept header asks for (RFC 9110, section 12.5.1).
#include "server/answer/accept.h"

#include "unit.h"

enum {
    NO_HTML = 1 << MEDIA_TEXT | 1 << MEDIA_HEALTH_JSON | 1 << MEDIA_JSON,
    ALL = NO_HTML | 1 << MEDIA_HTML,
    JSON = 1 << MEDIA_HEALTH_JSON | 1 << MEDIA_JSON
};

static void check_choice(const char *accept, unsigned offered, enum media expected)
{
    print_message("%s\n", accept != NULL ? accept : "no header");
    assert_int_equal(accept_choose(accept, offered), expected);
}

static void without_a_wish_the_first_is_chosen(void **state)
{
    (void)state;
    check_choice(NULL, ALL, MEDIA_TEXT);
    check_choice(NULL, JSON, MEDIA_HEALTH_JSON);
    check_choice("", ALL, MEDIA_TEXT);
    check_choice("*/*", ALL, MEDIA_TEXT);
    check_choice("image/png", ALL, MEDIA_TEXT);
}

static void the_highest_quality_wins(void **state)
{
    (void)state;
    check_choice("text/html;q=0.1, text/plain", ALL, MEDIA_TEXT);
    check_choice("text/html, text/plain;q=0.9", ALL, MEDIA_HTML);
    check_choice("text/plain;q=0.001, application/json;q=0.002", ALL, MEDIA_JSON);
    check_choice("text/plain;q=1.000, application/json;q=0.999", ALL, MEDIA_TEXT);
    check_choice("application/json; charset=utf-8 ; Q=0.3,text/plain ;q=0.2", ALL, MEDIA_JSON);
    check_choice("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", ALL,
                 MEDIA_HTML);
    check_choice("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", NO_HTML,
                 MEDIA_TEXT);
}

static void the_closest_range_decides(void **state)
{
    (void)state;
    check_choice("text/*;q=0.3, text/html;q=0.7, text/plain;q=0.2, */*;q=0.5", ALL, MEDIA_HTML);
    check_choice("*/*;q=0.5, text/plain;q=0.2", ALL, MEDIA_HTML);
    check_choice("*/*;q=0.5, text/*;q=0.2", ALL, MEDIA_HEALTH_JSON);
    check_choice("*/*, application/health+json", ALL, MEDIA_HEALTH_JSON);
    check_choice("application/*", ALL, MEDIA_HEALTH_JSON);
}

static void of_equal_ones_the_first_named_wins(void **state)
{
    (void)state;
    check_choice("application/health+json, text/html", ALL, MEDIA_HEALTH_JSON);
    check_choice("text/html, application/health+json", ALL, MEDIA_HTML);
    check_choice("application/json, application/health+json", ALL, MEDIA_JSON);
}

static void zero_is_a_refusal(void **state)
{
    (void)state;
    check_choice("text/plain;q=0, */*", NO_HTML, MEDIA_HEALTH_JSON);
    check_choice("application/health+json;q=0, application/*", ALL, MEDIA_JSON);
    check_choice("application/health+json;q=0.000", ALL, MEDIA_TEXT);
    check_choice("text/plain;q=0", NO_HTML, MEDIA_HEALTH_JSON);
    check_choice("*/*;q=0", ALL, MEDIA_TEXT);
}

static void what_is_malformed_says_nothing(void **state)
{
    (void)state;
    static const char *const malformed[] = {
        "application/json;q=2",
        "application/json;q=1.001",
        "application/json;q=0.0000",
        "application/json;q=",
        "application/json;q=.5",
        "application/json;q=0,5",
        "application/json;q=-1",
        "application",
        "application/jso",
        "application/json/x",
        ",,;,",
        ";q=1",
        "x/y;a=\", application/json",
        "*/json",
        "*",
    };
    for (size_t i = 0; i < COUNT(malformed); i++)
        check_choice(malformed[i], ALL, MEDIA_TEXT);
    check_choice("application/json;q=9, text/html;q=0.1", ALL, MEDIA_HTML);
    check_choice(" , application/json\t;a=\"x, \\\" y;q=0\";q=1 ,", ALL, MEDIA_JSON);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_wish_the_first_is_chosen),
        cmocka_unit_test(the_highest_quality_wins),
        cmocka_unit_test(the_closest_range_decides),
        cmocka_unit_test(of_equal_ones_the_first_named_wins),
        cmocka_unit_test(zero_is_a_refusal),
        cmocka_unit_test(what_is_malformed_says_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
