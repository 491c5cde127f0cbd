// The tables from error number to outcome, against the list of all that they tell apart, and the
// numbers that the library gives in its words only.
#include "prober/mysql_errors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct expectation {
    unsigned number;
    enum outcome at_login;
    enum outcome in_run;
};

static const struct expectation both[] = {
    {1053, OUTCOME_NOT_ACCEPTING, OUTCOME_TERMINATED},
    {3032, OUTCOME_NOT_ACCEPTING, OUTCOME_NOT_ACCEPTING},
    {1152, OUTCOME_TERMINATED, OUTCOME_TERMINATED},
    {1184, OUTCOME_TERMINATED, OUTCOME_TERMINATED},
    {1044, OUTCOME_DENIED, OUTCOME_DENIED},
    {1045, OUTCOME_DENIED, OUTCOME_DENIED},
    {1049, OUTCOME_DENIED, OUTCOME_MISSING},
    {1129, OUTCOME_DENIED, OUTCOME_DENIED},
    {1130, OUTCOME_DENIED, OUTCOME_DENIED},
    {1251, OUTCOME_DENIED, OUTCOME_DENIED},
    {1275, OUTCOME_DENIED, OUTCOME_DENIED},
    {1524, OUTCOME_DENIED, OUTCOME_DENIED},
    {1698, OUTCOME_DENIED, OUTCOME_DENIED},
    {1820, OUTCOME_DENIED, OUTCOME_DENIED},
    {1862, OUTCOME_DENIED, OUTCOME_DENIED},
    {2049, OUTCOME_DENIED, OUTCOME_DENIED},
    {2059, OUTCOME_DENIED, OUTCOME_DENIED},
    {2061, OUTCOME_DENIED, OUTCOME_DENIED},
    {5010, OUTCOME_DENIED, OUTCOME_DENIED},
    {1040, OUTCOME_SATURATED, OUTCOME_SATURATED},
    {1041, OUTCOME_SATURATED, OUTCOME_SATURATED},
    {1135, OUTCOME_SATURATED, OUTCOME_SATURATED},
    {1203, OUTCOME_QUOTA, OUTCOME_QUOTA},
    {1226, OUTCOME_QUOTA, OUTCOME_QUOTA},
    {1205, OUTCOME_QUERY_TIMEOUT, OUTCOME_QUERY_TIMEOUT},
    {1317, OUTCOME_QUERY_TIMEOUT, OUTCOME_QUERY_TIMEOUT},
    {2002, OUTCOME_UNREACHABLE, OUTCOME_UNREACHABLE},
    {2003, OUTCOME_UNREACHABLE, OUTCOME_UNREACHABLE},
    {2005, OUTCOME_UNREACHABLE, OUTCOME_UNREACHABLE},
    {2006, OUTCOME_LOST, OUTCOME_LOST},
    {2008, OUTCOME_TOO_LARGE, OUTCOME_TOO_LARGE},
    {2013, OUTCOME_LOST, OUTCOME_LOST},
    {2020, OUTCOME_SERVER_ERROR, OUTCOME_TOO_LARGE},
    {2026, OUTCOME_TLS, OUTCOME_LOST},
    {1054, OUTCOME_SERVER_ERROR, OUTCOME_MISSING},
    {1109, OUTCOME_SERVER_ERROR, OUTCOME_MISSING},
    {1115, OUTCOME_SERVER_ERROR, OUTCOME_MISSING},
    {1146, OUTCOME_SERVER_ERROR, OUTCOME_MISSING},
    {1176, OUTCOME_SERVER_ERROR, OUTCOME_MISSING},
    {1193, OUTCOME_SERVER_ERROR, OUTCOME_MISSING},
    {1273, OUTCOME_SERVER_ERROR, OUTCOME_MISSING},
    {1286, OUTCOME_SERVER_ERROR, OUTCOME_MISSING},
    {1305, OUTCOME_SERVER_ERROR, OUTCOME_MISSING},
    {1064, OUTCOME_SERVER_ERROR, OUTCOME_SERVER_ERROR},
    {1792, OUTCOME_SERVER_ERROR, OUTCOME_SERVER_ERROR},
    {2027, OUTCOME_SERVER_ERROR, OUTCOME_SERVER_ERROR},
    {0, OUTCOME_SERVER_ERROR, OUTCOME_SERVER_ERROR},
};

// A number that only one of the products uses in this sense.
static const struct {
    unsigned number;
    enum flavor flavor;
    enum outcome outcome;
} one[] = {
    {3169, FLAVOR_MYSQL, OUTCOME_TERMINATED},   {4031, FLAVOR_MYSQL, OUTCOME_TERMINATED},
    {3118, FLAVOR_MYSQL, OUTCOME_DENIED},       {3159, FLAVOR_MYSQL, OUTCOME_TLS},
    {3955, FLAVOR_MYSQL, OUTCOME_DENIED},       {3024, FLAVOR_MYSQL, OUTCOME_QUERY_TIMEOUT},
    {1927, FLAVOR_MARIADB, OUTCOME_TERMINATED}, {4151, FLAVOR_MARIADB, OUTCOME_DENIED},
    {3074, FLAVOR_MYSQL, OUTCOME_MISSING},      {1617, FLAVOR_MARIADB, OUTCOME_MISSING},
    {4091, FLAVOR_MARIADB, OUTCOME_MISSING},    {1969, FLAVOR_MARIADB, OUTCOME_QUERY_TIMEOUT},
    {4150, FLAVOR_MARIADB, OUTCOME_DENIED},
};

static void test_common_numbers(void **state)
{
    (void)state;
    static const enum flavor flavors[] = {FLAVOR_UNKNOWN, FLAVOR_MYSQL, FLAVOR_MARIADB};
    for (size_t i = 0; i < sizeof both / sizeof *both; i++) {
        print_message("%u\n", both[i].number);
        for (size_t j = 0; j < sizeof flavors / sizeof *flavors; j++) {
            assert_int_equal(mysql_error_outcome(both[i].number, flavors[j], true),
                             both[i].at_login);
            assert_int_equal(mysql_error_outcome(both[i].number, flavors[j], false),
                             both[i].in_run);
        }
    }
}

static void test_numbers_of_one_product(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof one / sizeof *one; i++) {
        enum flavor other = one[i].flavor == FLAVOR_MYSQL ? FLAVOR_MARIADB : FLAVOR_MYSQL;
        print_message("%u\n", one[i].number);
        assert_int_equal(mysql_error_outcome(one[i].number, one[i].flavor, false), one[i].outcome);
        bool of_statements = one[i].outcome == OUTCOME_MISSING;
        assert_int_equal(mysql_error_outcome(one[i].number, FLAVOR_UNKNOWN, true),
                         of_statements ? OUTCOME_SERVER_ERROR : one[i].outcome);
        assert_int_equal(mysql_error_outcome(one[i].number, other, false), OUTCOME_SERVER_ERROR);
    }
}

static void test_refused_secrets(void **state)
{
    (void)state;
    static const unsigned refusals[] = {1045, 1698, 3955, 4150};
    unsigned found = 0;
    for (unsigned number = 0; number <= UINT16_MAX; number++)
        found += mysql_error_refuses_secret(number);
    assert_int_equal(found, sizeof refusals / sizeof *refusals);
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        assert_true(mysql_error_refuses_secret(refusals[i]));
        assert_int_equal(mysql_error_outcome(refusals[i], FLAVOR_UNKNOWN, true), OUTCOME_DENIED);
    }
}

static void test_error_before_tls(void **state)
{
    (void)state;
    static const char wrapped[] =
        "Received error packet before completion of TLS handshake. The authenticity of the "
        "following error cannot be verified: 1040 - Too many connections";
    unsigned number = 7;
    assert_true(mysql_error_unwrap(wrapped, &number));
    assert_int_equal(number, 1040);
    number = 7;
    assert_false(mysql_error_unwrap("a server's text: cannot be verified: 1040", &number));
    assert_int_equal(number, 7);
    assert_false(mysql_error_unwrap(
        "Received error packet before completion of TLS handshake. No number", &number));
    assert_false(mysql_error_unwrap("", &number));
    assert_int_equal(number, 7);
}

static void test_lost_before_a_greeting(void **state)
{
    (void)state;
    assert_true(mysql_error_is_before_greeting(
        "Lost connection to server at 'reading initial communication packet', system error: 0"));
    assert_false(mysql_error_is_before_greeting(
        "Lost connection to server at 'sending authentication information', system error: 104"));
    assert_false(mysql_error_is_before_greeting(""));
}

static void test_errno(void **state)
{
    (void)state;
    assert_int_equal(mysql_error_errno("Can't connect to server on '127.0.0.1' (111)"), 111);
    assert_int_equal(mysql_error_errno("Can't connect to local server through socket '/x (1)' (2)"),
                     2);
    assert_int_equal(mysql_error_errno("Can't connect (111) again"), 0);
    assert_int_equal(mysql_error_errno("Can't connect ()"), 0);
    assert_int_equal(mysql_error_errno("Can't connect (99999999999999999999)"), 0);
    assert_int_equal(mysql_error_errno("Can't connect (-1)"), 0);
    assert_int_equal(mysql_error_errno(""), 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_common_numbers),
        cmocka_unit_test(test_numbers_of_one_product),
        cmocka_unit_test(test_refused_secrets),
        cmocka_unit_test(test_error_before_tls),
        cmocka_unit_test(test_lost_before_a_greeting),
        cmocka_unit_test(test_errno),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
