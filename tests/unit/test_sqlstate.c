// The table from SQLSTATE to outcome, against the list of all that it tells apart.
#include "prober/sqlstate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct expectation {
    const char *code;
    enum outcome at_login;
    enum outcome in_run;
};

static void test_codes(void **state)
{
    (void)state;
    static const struct expectation expected[] = {
        {"57P03", OUTCOME_NOT_ACCEPTING, OUTCOME_NOT_ACCEPTING},
        {"57P01", OUTCOME_TERMINATED, OUTCOME_TERMINATED},
        {"57P02", OUTCOME_TERMINATED, OUTCOME_TERMINATED},
        {"57P04", OUTCOME_TERMINATED, OUTCOME_TERMINATED},
        {"57P05", OUTCOME_TERMINATED, OUTCOME_TERMINATED},
        {"25P03", OUTCOME_TERMINATED, OUTCOME_TERMINATED},
        {"25P04", OUTCOME_TERMINATED, OUTCOME_TERMINATED},
        {"28000", OUTCOME_DENIED, OUTCOME_DENIED},
        {"28P01", OUTCOME_DENIED, OUTCOME_DENIED},
        {"3D000", OUTCOME_DENIED, OUTCOME_MISSING},
        {"3F000", OUTCOME_SERVER_ERROR, OUTCOME_MISSING},
        {"42P01", OUTCOME_SERVER_ERROR, OUTCOME_MISSING},
        {"42703", OUTCOME_SERVER_ERROR, OUTCOME_MISSING},
        {"42704", OUTCOME_SERVER_ERROR, OUTCOME_MISSING},
        {"42883", OUTCOME_SERVER_ERROR, OUTCOME_MISSING},
        {"42501", OUTCOME_DENIED, OUTCOME_SERVER_ERROR},
        {"55000", OUTCOME_DENIED, OUTCOME_SERVER_ERROR},
        {"53300", OUTCOME_SATURATED, OUTCOME_SATURATED},
        {"53200", OUTCOME_SATURATED, OUTCOME_SERVER_ERROR},
        {"57014", OUTCOME_QUERY_TIMEOUT, OUTCOME_QUERY_TIMEOUT},
        {"55P03", OUTCOME_QUERY_TIMEOUT, OUTCOME_QUERY_TIMEOUT},
        // PgBouncer's, a syntax error, a read-only transaction, and what no server sends
        {"08P01", OUTCOME_SERVER_ERROR, OUTCOME_SERVER_ERROR},
        {"42601", OUTCOME_SERVER_ERROR, OUTCOME_SERVER_ERROR},
        {"25006", OUTCOME_SERVER_ERROR, OUTCOME_SERVER_ERROR},
        {"57P99", OUTCOME_SERVER_ERROR, OUTCOME_SERVER_ERROR},
        {"2", OUTCOME_SERVER_ERROR, OUTCOME_SERVER_ERROR},
        {"", OUTCOME_SERVER_ERROR, OUTCOME_SERVER_ERROR},
    };
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        print_message("%s\n", expected[i].code);
        assert_int_equal(sqlstate_outcome(expected[i].code, true), expected[i].at_login);
        assert_int_equal(sqlstate_outcome(expected[i].code, false), expected[i].in_run);
    }
}

static void test_form(void **state)
{
    (void)state;
    assert_true(sqlstate_is_valid("28P01"));
    assert_true(sqlstate_is_valid("00000"));
    assert_false(sqlstate_is_valid(""));
    assert_false(sqlstate_is_valid("28P0"));
    assert_false(sqlstate_is_valid("28P011"));
    assert_false(sqlstate_is_valid("28p01"));
    assert_false(sqlstate_is_valid("28 01"));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_codes),
        cmocka_unit_test(test_form),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
