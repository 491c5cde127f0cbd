// Schedules of what is tried again, and what the one of logins costs a server that answers none.
#include "server/probing/backoff.h"

#include "unit.h"

enum { WAITS = 8, SECONDS_OF_TEN_MINUTES = 600 };

static void each_wait_is_twice_the_one_before_up_to_the_most(void **state)
{
    (void)state;
    static const struct {
        const struct backoff *backoff;
        int64_t waits[WAITS]; // ms
    } cases[] = {
        {&backoff_pending_open, {10000, 20000, 40000, 60000, 60000, 60000, 60000, 60000}},
        {&backoff_refused_secret, {2000, 4000, 8000, 16000, 32000, 60000, 60000, 60000}},
        {&backoff_failed_start, {100, 200, 400, 800, 1600, 3200, 6400, 10000}},
        {&backoff_unanswered_run, {1000, 2000, 4000, 8000, 16000, 30000, 30000, 30000}},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_int_equal(backoff_wait(cases[i].backoff, 0).ms, 0);
        for (unsigned tries = 1; tries <= WAITS; tries++)
            assert_int_equal(backoff_wait(cases[i].backoff, tries).ms, cases[i].waits[tries - 1]);
        assert_int_equal(backoff_wait(cases[i].backoff, UINT32_MAX).ms, cases[i].waits[WAITS - 1]);
    }
}

// Each attempt may leave a session in the server: of one prober at most 2 and one for each minute
// that has begun, however long it goes on.
static void logins_that_hang_leave_one_a_minute_and_two(void **state)
{
    (void)state;
    unsigned attempts = 0;
    int64_t next = 0;
    for (int64_t now = 0; now < SECONDS_OF_TEN_MINUTES; now++) {
        if (now * 1000 >= next) {
            attempts++;
            next = now * 1000 + backoff_wait(&backoff_pending_open, attempts).ms;
        }
        assert_true(attempts <= 2 + (unsigned)(now / 60 + 1));
    }
    assert_int_equal(attempts, 12);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_wait_is_twice_the_one_before_up_to_the_most),
        cmocka_unit_test(logins_that_hang_leave_one_a_minute_and_two),
    };
    return RUN(tests);
}
