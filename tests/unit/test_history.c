// The history of a check: what is kept of its results, for how long, and what each minute was like.
#include "server/check/history.h"

#include "unit.h"

static struct instant at(int64_t seconds)
{
    return (struct instant){.ns = seconds * 1000000000};
}

// A result that took a millisecond and holds for two seconds.
static void add(struct history *history, int64_t seconds, enum verdict verdict)
{
    struct arrival arrival = {.came = at(seconds),
                              .took_ns = 1000000,
                              .judgement = {.verdict = verdict, .outcome = OUTCOME_OK},
                              .held_until = at(seconds + 2)};
    history_add(history, &arrival);
}

static void nothing_is_known_at_first(void **state)
{
    (void)state;
    struct history history = {0};
    assert_null(history_result(&history, 0));
    assert_int_equal(history.since.ns, 0);
    for (unsigned i = 0; i < HISTORY_MINUTES; i++)
        assert_int_equal(history_minute(&history, i, at(9000)), VERDICT_COUNT);
    assert_int_equal(history_minute(&history, 59, at(60)), VERDICT_COUNT);
}

static void the_last_results_are_kept_and_no_more(void **state)
{
    (void)state;
    struct history history = {0};
    for (int64_t i = 1; i <= HISTORY_RESULTS + 7; i++) {
        add(&history, i, VERDICT_PASS);
        assert_int_equal(history_result(&history, 0)->came_s, i);
    }
    for (size_t i = 0; i < HISTORY_RESULTS; i++)
        assert_int_equal(history_result(&history, i)->came_s, HISTORY_RESULTS + 7 - i);
    assert_null(history_result(&history, HISTORY_RESULTS));
}

static void a_result_is_kept_as_it_was(void **state)
{
    (void)state;
    struct history history = {0};
    struct arrival arrival = {.came = at(5),
                              .took_ns = 1234567,
                              .judgement = {.verdict = VERDICT_FAIL, .outcome = OUTCOME_LOST}};
    history_add(&history, &arrival);
    const struct past_result *kept = history_result(&history, 0);
    assert_int_equal(kept->took_us, 1234);
    assert_int_equal(kept->verdict, VERDICT_FAIL);
    assert_int_equal(kept->outcome, OUTCOME_LOST);
}

static void a_run_is_told_from_none_and_bounded(void **state)
{
    (void)state;
    static const struct {
        int64_t took_ns;
        uint32_t took_us;
    } cases[] = {{0, 0}, {1, 1}, {999, 1}, {1000, 1}, {INT64_MAX, 3600000000U}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct history history = {0};
        struct arrival arrival = {.came = at(1), .took_ns = cases[i].took_ns};
        history_add(&history, &arrival);
        assert_int_equal(history_result(&history, 0)->took_us, cases[i].took_us);
    }
}

static void since_is_when_the_verdict_changed(void **state)
{
    (void)state;
    struct history history = {0};
    add(&history, 10, VERDICT_PASS);
    add(&history, 20, VERDICT_PASS);
    assert_int_equal(history.since.ns, at(10).ns);
    assert_false(history.changed);
    add(&history, 30, VERDICT_FAIL);
    add(&history, 40, VERDICT_FAIL);
    assert_int_equal(history.since.ns, at(30).ns);
    assert_true(history.changed);
    add(&history, 50, VERDICT_PASS);
    assert_int_equal(history.since.ns, at(50).ns);
}

static void a_minute_has_its_worst_verdict(void **state)
{
    (void)state;
    static const enum verdict rising[] = {VERDICT_SKIPPED, VERDICT_PASS, VERDICT_WARN,
                                          VERDICT_UNKNOWN, VERDICT_FAIL};
    for (size_t i = 0; i < COUNT(rising); i++) {
        for (size_t j = 0; j < COUNT(rising); j++) {
            struct history history = {0};
            add(&history, 600, rising[i]);
            add(&history, 601, rising[j]);
            assert_int_equal(history_minute(&history, 0, at(602)), rising[i > j ? i : j]);
        }
    }
}

static void minutes_go_by_whether_or_not_results_come(void **state)
{
    (void)state;
    struct history history = {0};
    add(&history, 600, VERDICT_FAIL);
    add(&history, 660, VERDICT_PASS);
    add(&history, 800, VERDICT_WARN);
    static const enum verdict wanted[] = {VERDICT_COUNT, VERDICT_WARN, VERDICT_COUNT,
                                          VERDICT_PASS,  VERDICT_FAIL, VERDICT_COUNT};
    for (unsigned i = 0; i < COUNT(wanted); i++)
        assert_int_equal(history_minute(&history, i, at(841)), wanted[i]);
    assert_int_equal(history_minute(&history, 59, at(599 + 3600)), VERDICT_FAIL);
}

static void an_hour_later_nothing_of_it_is_left(void **state)
{
    (void)state;
    struct history history = {0};
    for (int64_t i = 0; i < 3600; i += 30)
        add(&history, 7200 + i, VERDICT_FAIL);
    for (unsigned i = 0; i < HISTORY_MINUTES; i++)
        assert_int_equal(history_minute(&history, i, at(7200 + 3599)), VERDICT_FAIL);
    add(&history, 7200 * 3, VERDICT_PASS);
    for (unsigned i = 1; i < HISTORY_MINUTES; i++)
        assert_int_equal(history_minute(&history, i, at(7200 * 3)), VERDICT_COUNT);
    assert_int_equal(history_minute(&history, 0, at(7200 * 3)), VERDICT_PASS);
}

// One that runs each hour is no check without results.
static void a_result_counts_for_as_long_as_it_is_served(void **state)
{
    (void)state;
    struct history history = {0};
    struct arrival hourly = {
        .came = at(600), .judgement = {.verdict = VERDICT_WARN}, .held_until = at(600 + 3660)};
    history_add(&history, &hourly);
    assert_int_equal(history_minute(&history, 0, at(610)), VERDICT_WARN);
    for (unsigned i = 0; i < HISTORY_MINUTES; i++)
        assert_int_equal(history_minute(&history, i, at(600 + 3599)), VERDICT_WARN);
    assert_int_equal(history_minute(&history, 0, at(600 + 3661)), VERDICT_COUNT);
    add(&history, 600 + 3599, VERDICT_PASS);
    assert_int_equal(history_minute(&history, 0, at(600 + 3599)), VERDICT_WARN);
    assert_int_equal(history_minute(&history, 1, at(600 + 3599)), VERDICT_WARN);
}

// Two probers' results may arrive in another order than they ended in.
static void an_earlier_minute_is_still_taken(void **state)
{
    (void)state;
    struct history history = {0};
    add(&history, 660, VERDICT_PASS);
    add(&history, 659, VERDICT_FAIL);
    assert_int_equal(history_minute(&history, 0, at(661)), VERDICT_PASS);
    assert_int_equal(history_minute(&history, 1, at(661)), VERDICT_FAIL);
}

static void it_costs_less_than_a_kilobyte(void **state)
{
    (void)state;
    assert_true(sizeof(struct history) < 1024);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_known_at_first),
        cmocka_unit_test(the_last_results_are_kept_and_no_more),
        cmocka_unit_test(a_result_is_kept_as_it_was),
        cmocka_unit_test(a_run_is_told_from_none_and_bounded),
        cmocka_unit_test(since_is_when_the_verdict_changed),
        cmocka_unit_test(a_minute_has_its_worst_verdict),
        cmocka_unit_test(minutes_go_by_whether_or_not_results_come),
        cmocka_unit_test(an_hour_later_nothing_of_it_is_left),
        cmocka_unit_test(a_result_counts_for_as_long_as_it_is_served),
        cmocka_unit_test(an_earlier_minute_is_still_taken),
        cmocka_unit_test(it_costs_less_than_a_kilobyte),
    };
    return RUN(tests);
}
