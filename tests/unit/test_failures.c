// When a process may be started after others have failed.
#include "server/probing/failures.h"

#include "unit.h"

static struct instant at(int64_t ms)
{
    return (struct instant){.ns = 1000000000 + ms * 1000000};
}

static void the_first_costs_no_wait_and_each_further_one_a_longer_one(void **state)
{
    (void)state;
    static const int64_t waits[] = {0, 100, 200, 400, 800, 1600, 3200, 6400, 10000, 10000};
    struct failures failures = {0};
    int64_t now = 0;
    assert_true(failures_allow_start(&failures, at(now)));
    for (size_t i = 0; i < COUNT(waits); i++) {
        assert_int_equal(failures_note(&failures, at(now)).ms, waits[i]);
        now += waits[i];
        if (waits[i] > 0)
            assert_false(failures_allow_start(&failures, at(now - 1)));
        assert_true(failures_allow_start(&failures, at(now)));
    }
    failures_end(&failures);
    assert_int_equal(failures_note(&failures, at(now)).ms, 0);
}

static void many_in_a_short_time_or_few_in_a_long_one_are_not_hopeless(void **state)
{
    (void)state;
    static const struct {
        unsigned count;
        int64_t period_ms; // between two
        bool hopeless;
    } rows[] = {{4, 10000, false}, {5, 7499, false}, {5, 7500, true}, {300, 100, false}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct failures failures = {0};
        for (unsigned j = 0; j < rows[i].count; j++)
            (void)failures_note(&failures, at(j * rows[i].period_ms));
        assert_int_equal(failures_are_hopeless(&failures), rows[i].hopeless);
        failures_end(&failures);
        assert_false(failures_are_hopeless(&failures));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_costs_no_wait_and_each_further_one_a_longer_one),
        cmocka_unit_test(many_in_a_short_time_or_few_in_a_long_one_are_not_hopeless),
    };
    return RUN(tests);
}
