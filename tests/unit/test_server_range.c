// Which servers a check is for: products, and versions part by part.
#include "server/check/server_range.h"

#include "unit.h"

static void versions_compare_part_by_part(void **state)
{
    (void)state;
    static const struct {
        const char *bounds, *version;
        bool within;
    } cases[] = {
        {">= 14", "14.2", true},
        {">= 14", "13.9", false},
        {"> 14", "14.2", false},
        {"== 15", "15.18", true},
        {"!= 15", "15.18", false},
        {"< 11", "10.11.6-MariaDB", true},
        {">= 10.5, < 11", "10.4.9", false},
        {">= 10.5, < 11", "10.11.6-MariaDB", true},
        {">= 10.5,< 11", "11.8.1", false},
        {">= 8.0.22", "8.0.3", false},
        {">= 8.0.22", "8.0.22", true},
        {"<= 9", "9.7.0", true},
        {">= 1", "", false},
        {">= 1", "devel", false},
        {">= 19", "19beta1", true},
        {"<= 14", "4294967310.1", false}, // 14 in 32 bits
        {"> 999999999", "99999999999999999999999", true},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct server_range range = {0};
        struct error error;
        print_message("%s %s\n", cases[i].bounds, cases[i].version);
        assert_true(range_add_versions(&range, cases[i].bounds, &error));
        assert_int_equal(range_has(&range, FLAVOR_POSTGRES, cases[i].version), cases[i].within);
    }
}

static void bad_bounds_say_what_was_expected(void **state)
{
    (void)state;
    static const char *const cases[] = {"",
                                        "14",
                                        ">=",
                                        ">= x",
                                        "=> 14",
                                        ">= 14 15",
                                        ">= 14.x",
                                        ">= 1, >= 2, >= 3",
                                        "= 14",
                                        ">= -1",
                                        ">= 1000000000",
                                        ">= 14.4294967310"};
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct server_range range = {0};
        struct error error;
        print_message("%s\n", cases[i]);
        assert_false(range_add_versions(&range, cases[i], &error));
        assert_string_equal(error.text, "expected one or two bounds, like >= 14 or >= 10.5, < 11");
    }
}

static void no_range_has_every_server(void **state)
{
    (void)state;
    static const struct server_range all;
    assert_true(range_has(&all, FLAVOR_MYSQL, "9.7.0"));
    assert_true(range_has(&all, FLAVOR_UNKNOWN, ""));
}

static void flavors_are_products(void **state)
{
    (void)state;
    struct server_range range = {0};
    struct words words = {0};
    struct error error;
    words_split(&words, "mysql mariadb", " ");
    assert_true(range_add_flavors(&range, &words, &error));
    assert_true(range_has(&range, FLAVOR_MYSQL, "9"));
    assert_true(range_has(&range, FLAVOR_MARIADB, "10"));
    assert_false(range_has(&range, FLAVOR_POSTGRES, "15"));
    words_split(&words, "oracle", " ");
    assert_false(range_add_flavors(&range, &words, &error));
    assert_string_equal(error.text,
                        "'oracle' is unknown, expected postgres, mysql, mariadb or pgbouncer");
    words_free(&words);
    assert_false(range_add_flavors(&range, &words, &error));
}

static void expect_explanation(const char *flavors, const char *bounds, const char *expected)
{
    char bytes[128];
    struct text text = text_in(bytes, sizeof bytes);
    struct server_range range = {0};
    struct words words = {0};
    struct error error;
    words_split(&words, flavors, " ");
    assert_true(range_add_flavors(&range, &words, &error));
    assert_true(range_add_versions(&range, bounds, &error));
    range_explain(&range, FLAVOR_MYSQL, "5.7.44\n", &text);
    assert_string_equal(bytes, expected);
    words_free(&words);
}

static void a_range_says_what_it_is_for(void **state)
{
    (void)state;
    expect_explanation("mysql mariadb", ">= 8.0",
                       "it is for server-version >= 8.0, and this is 5.7.44");
    expect_explanation("mysql", ">= 8.0.1, <9",
                       "it is for server-version >= 8.0.1, < 9, and this is 5.7.44");
    expect_explanation("postgres mariadb", ">= 8.0", "it is for postgres, mariadb");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(versions_compare_part_by_part),
        cmocka_unit_test(bad_bounds_say_what_was_expected),
        cmocka_unit_test(no_range_has_every_server),
        cmocka_unit_test(flavors_are_products),
        cmocka_unit_test(a_range_says_what_it_is_for),
    };
    return RUN(tests);
}
