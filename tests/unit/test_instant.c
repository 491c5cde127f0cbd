// Instants and durations: which way each rounds, for a deadline must never look like "no limit" and
// a result never younger than it is.
#include "common/instant.h"

#include "unit.h"

#include <time.h>

enum { MS = 1000000 };

static void what_is_left_is_rounded_up(void **state)
{
    (void)state;
    static const struct {
        int64_t deadline, now, left_ms;
    } cases[] = {
        {0, 0, 0},           {5 * MS, 5 * MS, 0},     {5 * MS, 5 * MS + 1, 0},
        {5 * MS, 9 * MS, 0}, {5 * MS, 5 * MS - 1, 1}, {5 * MS, 4 * MS, 1},
        {5 * MS, 3 * MS, 2}, {5 * MS, 4 * MS - 1, 2}, {1000 * MS, 0, 1000},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct instant deadline = {.ns = cases[i].deadline};
        struct instant now = {.ns = cases[i].now};
        assert_int_equal(instant_left(deadline, now).ms, cases[i].left_ms);
    }
}

static void age_is_rounded_down_and_never_negative(void **state)
{
    (void)state;
    static const struct {
        int64_t start, now, since_ms;
    } cases[] = {
        {0, 0, 0},           {5 * MS, 5 * MS, 0},     {5 * MS, 4 * MS, 0},  {5 * MS, 6 * MS, 1},
        {5 * MS, 7 * MS, 2}, {5 * MS, 6 * MS - 1, 0}, {0, 1000 * MS, 1000}, {9 * MS, 0, 0},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct instant start = {.ns = cases[i].start};
        struct instant now = {.ns = cases[i].now};
        assert_int_equal(instant_since(start, now).ms, cases[i].since_ms);
    }
}

static void adding_a_duration_moves_an_instant_by_it(void **state)
{
    (void)state;
    struct instant start = {.ns = 7};
    assert_int_equal(instant_add(start, (struct duration){.ms = 0}).ns, 7);
    assert_int_equal(instant_add(start, (struct duration){.ms = 1}).ns, MS + 7);
    assert_int_equal(instant_add(start, (struct duration){.ms = 24 * 3600 * 1000LL}).ns,
                     24LL * 3600 * 1000 * MS + 7);
}

static void an_instant_is_not_before_itself(void **state)
{
    (void)state;
    struct instant first = {.ns = 1};
    struct instant second = {.ns = 2};
    assert_true(instant_before(first, second));
    assert_false(instant_before(second, first));
    assert_false(instant_before(first, first));
}

// Between two readings of CLOCK_BOOTTIME, so that probers on the same machine read the same time.
static void now_is_boottime_read_afresh(void **state)
{
    (void)state;
    struct timespec before, after;
    assert_int_equal(clock_gettime(CLOCK_BOOTTIME, &before), 0);
    struct instant now = instant_now();
    assert_int_equal(clock_gettime(CLOCK_BOOTTIME, &after), 0);
    assert_true(now.ns >= (int64_t)before.tv_sec * 1000 * MS + before.tv_nsec);
    assert_true(now.ns <= (int64_t)after.tv_sec * 1000 * MS + after.tv_nsec);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_left_is_rounded_up),
        cmocka_unit_test(age_is_rounded_down_and_never_negative),
        cmocka_unit_test(adding_a_duration_moves_an_instant_by_it),
        cmocka_unit_test(an_instant_is_not_before_itself),
        cmocka_unit_test(now_is_boottime_read_afresh),
    };
    return RUN(tests);
}
