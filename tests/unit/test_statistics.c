// What is counted: under which name, in which bucket, and that it stays.
#include "server/check/statistics.h"

#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int set_up(void **state)
{
    *state = statistics_new(1000);
    return 0;
}

static int tear_down(void **state)
{
    statistics_free(*state);
    return 0;
}

static void what_has_a_name_goes_on_where_it_was(void **state)
{
    struct statistics *all = *state;
    struct check_statistics *lag = statistics_check(all, "lag");
    assert_string_equal(lag->name, "lag");
    assert_int_equal(lag->outcomes[OUTCOME_OK], 0);
    lag->outcomes[OUTCOME_OK]++;
    for (unsigned i = 0; i < 100; i++) { // as many others as a reload may bring
        char name[16];
        (void)snprintf(name, sizeof name, "check-%u", i);
        assert_int_equal(statistics_check(all, name)->outcomes[OUTCOME_OK], 0);
    }
    assert_ptr_equal(statistics_check(all, "lag"), lag);
    assert_int_equal(lag->outcomes[OUTCOME_OK], 1);
}

static void one_name_of_three_kinds_is_three_things(void **state)
{
    struct statistics *all = *state;
    statistics_check(all, "main")->outcomes[OUTCOME_OK] = 1;
    statistics_prober(all, "main")->starts = 2;
    endpoint_statistics_add(statistics_endpoint(all, "main"), 200);
    assert_int_equal(statistics_check(all, "main")->outcomes[OUTCOME_OK], 1);
    assert_int_equal(statistics_prober(all, "main")->starts, 2);
    assert_int_equal(statistics_endpoint(all, "main")->answers[0], 1);
    assert_int_equal(all->began_ms, 1000);
}

static void bounds_rise_and_say_what_they_are(void **state)
{
    (void)state;
    for (size_t i = 0; i < DURATION_BOUNDS; i++) {
        const struct duration_bound *bound = duration_bound(i);
        assert_true(i == 0 || bound->ns > duration_bound(i - 1)->ns);
        assert_true((int64_t)(strtod(bound->seconds, NULL) * 1e9 + 0.5) == bound->ns);
    }
}

static void a_run_is_in_the_lowest_bucket_that_holds_it(void **state)
{
    struct check_statistics *check = statistics_check(*state, "lag");
    static const struct {
        int64_t ns;
        size_t bucket;
    } cases[] = {
        {0, 0},
        {1, 0},
        {1000000, 0},
        {1000001, 1},
        {2500000, 1},
        {2500001, 2},
        {999999999, DURATION_BOUNDS - 2},
        {1000000000, DURATION_BOUNDS - 2},
        {1000000001, DURATION_BOUNDS - 1},
        {10000000000, DURATION_BOUNDS - 1},
        {10000000001, DURATION_BOUNDS},
        {INT64_C(86400000000000), DURATION_BOUNDS},
    };
    int64_t sum = 0;
    for (size_t i = 0; i < COUNT(cases); i++) {
        uint64_t before = check->durations[cases[i].bucket];
        check_statistics_add_run(check, cases[i].ns);
        sum += cases[i].ns;
        assert_int_equal(check->durations[cases[i].bucket], before + 1);
        assert_true(check->duration_sum_ns == sum); // to the nanosecond
    }
}

static void each_status_has_a_count(void **state)
{
    struct endpoint_statistics *endpoint = statistics_endpoint(*state, "readyz");
    for (size_t i = 0; i < ANSWER_CODES; i++) {
        for (size_t times = 0; times <= i; times++)
            endpoint_statistics_add(endpoint, answer_code(i));
    }
    for (size_t i = 0; i < ANSWER_CODES; i++)
        assert_int_equal(endpoint->answers[i], i + 1);
}

static void uses_of_the_cache_have_names(void **state)
{
    (void)state;
    assert_string_equal(cache_use_name(CACHE_HIT), "hit");
    assert_string_equal(cache_use_name(CACHE_JOIN), "join");
    assert_string_equal(cache_use_name(CACHE_MISS), "miss");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_has_a_name_goes_on_where_it_was, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_name_of_three_kinds_is_three_things, set_up, tear_down),
        cmocka_unit_test(bounds_rise_and_say_what_they_are),
        cmocka_unit_test_setup_teardown(a_run_is_in_the_lowest_bucket_that_holds_it, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(each_status_has_a_count, set_up, tear_down),
        cmocka_unit_test(uses_of_the_cache_have_names),
    };
    return RUN(tests);
}
