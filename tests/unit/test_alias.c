// Names that other tools have, and bytes as their users write them.
#include "server/check/alias.h"

#include "unit.h"

static void names_of_others_lead_to_ours(void **state)
{
    (void)state;
    assert_string_equal(alias_of_endpoint("master"), "primary");
    assert_string_equal(alias_of_endpoint("leader"), "primary");
    assert_string_equal(alias_of_endpoint("read-write"), "primary");
    assert_string_equal(alias_of_endpoint("standby"), "replica");
    assert_string_equal(alias_of_endpoint("secondary"), "replica");
    assert_string_equal(alias_of_endpoint("liveness"), "healthz");
    assert_string_equal(alias_of_endpoint("readiness"), "readyz");
    assert_string_equal(alias_of_endpoint("health"), "readyz");
    assert_string_equal(alias_of_param("lag"), "max_lag_bytes");
}

static void others_lead_nowhere(void **state)
{
    (void)state;
    static const char *const names[] = {"", "primary", "read-only", "healthz", "Master", "mast"};
    for (size_t i = 0; i < COUNT(names); i++)
        assert_null(alias_of_endpoint(names[i]));
    assert_null(alias_of_param("max_lag_bytes"));
    assert_null(alias_of_param("LAG"));
}

static void bytes_may_have_a_unit(void **state)
{
    (void)state;
    static const struct {
        const char *text, *number;
    } cases[] = {{"0", "0"},
                 {"1048576", "1048576"},
                 {"5B", "5"},
                 {"16kB", "16384"},
                 {"16KB", "16384"},
                 {"10MB", "10485760"},
                 {"10mb", "10485760"},
                 {"10 MB", "10485760"},
                 {"1GB", "1073741824"},
                 {"1.5GB", "1610612736"},
                 {"0.5kB", "512"},
                 {"2TB", "2199023255552"},
                 {"007", "7"},
                 {"1152921504606846976", "1152921504606846976"}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        char number[ALIAS_NUMBER_MAX];
        print_message("%s\n", cases[i].text);
        assert_true(alias_parse_bytes(cases[i].text, number));
        assert_string_equal(number, cases[i].number);
    }
}

static void what_is_no_number_of_bytes_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {"",       "MB",    "-1",        "+1",
                                        " 1",     "1e3",   "0x10",      "1.MB",
                                        ".5MB",   "1,5MB", "10M",       "10MiB",
                                        "10MB/s", "1 0MB", "nan",       "inf",
                                        "10\tMB", "1.5.5", "2000000TB", "1152921504606846977000"};
    for (size_t i = 0; i < COUNT(texts); i++) {
        char number[ALIAS_NUMBER_MAX];
        print_message("%s\n", texts[i]);
        assert_false(alias_parse_bytes(texts[i], number));
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_of_others_lead_to_ours),
        cmocka_unit_test(others_lead_nowhere),
        cmocka_unit_test(bytes_may_have_a_unit),
        cmocka_unit_test(what_is_no_number_of_bytes_is_refused),
    };
    return RUN(tests);
}
