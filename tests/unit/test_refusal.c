// When a refused secret is shown again, and whose open is the one to do it.
#include "server/probing/refusal.h"

#include "unit.h"

#include <string.h>

static struct instant at(int64_t ms)
{
    return (struct instant){.ns = (1000 + ms) * 1000000};
}

static struct reply refused(uint64_t secret)
{
    return (struct reply){.verb = VERB_OPEN,
                          .outcome = OUTCOME_DENIED,
                          .code = "28P01",
                          .message = "no",
                          .trial = TRIAL_REFUSED,
                          .secret = secret};
}

static struct reply answered(enum outcome outcome, enum trial trial, uint64_t secret)
{
    return (struct reply){.verb = VERB_OPEN, .outcome = outcome, .trial = trial, .secret = secret};
}

static void take(struct refusal *refusal, struct reply reply, int64_t ms)
{
    refusal_take(refusal, &reply, at(ms - 1), at(ms));
}

static void nothing_is_withheld_at_first(void **state)
{
    (void)state;
    struct refusal refusal = {0};
    assert_true(refusal_withhold(&refusal, at(0)) == 0);
    take(&refusal, answered(OUTCOME_OK, TRIAL_NONE, 7), 0);
    take(&refusal, answered(OUTCOME_TIMEOUT, TRIAL_NONE, 7), 0);
    take(&refusal, answered(OUTCOME_DENIED, TRIAL_NONE, 7), 0);
    assert_true(refusal_withhold(&refusal, at(0)) == 0);
}

// The schedule of k8s/README.md.
static void the_waits_double_up_to_a_minute(void **state)
{
    (void)state;
    static const int64_t waits[] = {2000, 4000, 8000, 16000, 32000, 60000, 60000, 60000};
    struct refusal refusal = {0};
    int64_t now = 0;
    take(&refusal, refused(7), now);
    for (size_t i = 0; i < COUNT(waits); i++) {
        assert_true(refusal_withhold(&refusal, at(now)) == 7);
        assert_true(refusal_withhold(&refusal, at(now + waits[i] - 1)) == 7);
        now += waits[i];
        assert_true(refusal_withhold(&refusal, at(now)) == 0);
        take(&refusal, refused(7), now);
    }
    refusal.tries = UINT32_MAX;
    take(&refusal, refused(8), now);
    assert_int_equal(refusal.tries, 1);
    assert_int_equal(refusal.since.ns, at(0).ns);
}

static void only_one_prober_tries_at_a_time(void **state)
{
    (void)state;
    struct refusal refusal = {0};
    take(&refusal, refused(7), 0);
    take(&refusal, refused(7), 10);
    assert_true(refusal_withhold(&refusal, at(5000)) == 0);
    assert_true(refusal_withhold(&refusal, at(5000)) == 7);
    assert_true(refusal_withhold(&refusal, at(5001)) == 7);
    assert_true(refusal_withhold(&refusal, at(9000)) == 0); // the other got no answer
}

// As at the start, when all probers log in at once.
static void refusals_of_one_moment_are_one_try(void **state)
{
    (void)state;
    struct refusal refusal = {0};
    struct reply reply = refused(7);
    for (int64_t i = 0; i < 3; i++)
        refusal_take(&refusal, &reply, at(0), at(10 + i));
    assert_int_equal(refusal.tries, 1);
    assert_true(refusal_withhold(&refusal, at(2009)) == 7);
    assert_true(refusal_withhold(&refusal, at(2010)) == 0);
}

static void a_secret_that_is_accepted_ends_it(void **state)
{
    (void)state;
    struct refusal refusal = {0};
    take(&refusal, refused(7), 0);
    take(&refusal, answered(OUTCOME_OK, TRIAL_NONE, 7), 5);
    assert_true(refusal_withhold(&refusal, at(5)) == 0);
    take(&refusal, refused(7), 10);
    assert_true(refusal_withhold(&refusal, at(11)) == 7);
    assert_int_equal(refusal.tries, 1);
    assert_int_equal(refusal.since.ns, at(10).ns);
    take(&refusal, answered(OUTCOME_OK, TRIAL_NONE, 8), 12); // another secret by now
    assert_true(refusal_withhold(&refusal, at(12)) == 0);
}

static void what_says_nothing_of_the_secret_changes_nothing(void **state)
{
    (void)state;
    struct reply replies[] = {
        answered(OUTCOME_OK, TRIAL_WITHHELD, 7), answered(OUTCOME_DENIED, TRIAL_WITHHELD, 7),
        answered(OUTCOME_DENIED, TRIAL_NONE, 7), answered(OUTCOME_REFUSED, TRIAL_NONE, 7)};
    struct refusal refusal = {0};
    take(&refusal, refused(7), 0);
    struct refusal before = refusal;
    for (size_t i = 0; i < COUNT(replies); i++)
        take(&refusal, replies[i], 100);
    assert_memory_equal(&refusal, &before, sizeof refusal);
}

static void the_last_login_that_worked_does_not_end_it(void **state)
{
    (void)state;
    struct refusal refusal = {0};
    struct reply reply = refused(7);
    reply.outcome = OUTCOME_OK;
    take(&refusal, reply, 0);
    assert_true(refusal_withhold(&refusal, at(1)) == 7);
    assert_string_equal(refusal.code, "28P01");
    assert_string_equal(refusal.message, "no");
}

// A pooler's error may mean that its server is down: it is told as what it was.
static void what_was_said_is_told_again(void **state)
{
    (void)state;
    struct refusal refusal = {0};
    struct reply reply = refused(7);
    assert_int_equal(refusal_outcome(&refusal), OUTCOME_DENIED);
    reply.outcome = OUTCOME_SERVER_ERROR;
    take(&refusal, reply, 0);
    assert_int_equal(refusal_outcome(&refusal), OUTCOME_SERVER_ERROR);
    take(&refusal, refused(7), 1);
    assert_int_equal(refusal_outcome(&refusal), OUTCOME_DENIED);
    reply.outcome = OUTCOME_OK; // the last login that had worked
    take(&refusal, reply, 2);
    assert_int_equal(refusal_outcome(&refusal), OUTCOME_DENIED);
    take(&refusal, answered(OUTCOME_OK, TRIAL_NONE, 7), 3);
    assert_int_equal(refusal_outcome(&refusal), OUTCOME_DENIED);
}

static void an_open_from_before_the_refusal_does_not_end_it(void **state)
{
    (void)state;
    struct refusal refusal = {0};
    struct reply late = answered(OUTCOME_OK, TRIAL_NONE, 6);
    take(&refusal, refused(7), 10);
    refusal_take(&refusal, &late, at(9), at(11));
    assert_true(refusal_withhold(&refusal, at(11)) == 7);
}

static void it_tells_its_age_and_the_next_try(void **state)
{
    (void)state;
    struct refusal refusal = {0};
    char bytes[64];
    struct text text = text_in(bytes, sizeof bytes);
    take(&refusal, refused(7), 0);
    take(&refusal, refused(7), 12000);
    refusal_describe(&refusal, at(12390), &text);
    assert_string_equal(bytes, "for 12.3 s; next try in 3.6 s");
    text = text_in(bytes, sizeof bytes);
    refusal_describe(&refusal, at(20000), &text);
    assert_string_equal(bytes, "for 20.0 s; next try in 0.0 s");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_withheld_at_first),
        cmocka_unit_test(the_waits_double_up_to_a_minute),
        cmocka_unit_test(only_one_prober_tries_at_a_time),
        cmocka_unit_test(refusals_of_one_moment_are_one_try),
        cmocka_unit_test(a_secret_that_is_accepted_ends_it),
        cmocka_unit_test(what_says_nothing_of_the_secret_changes_nothing),
        cmocka_unit_test(the_last_login_that_worked_does_not_end_it),
        cmocka_unit_test(what_was_said_is_told_again),
        cmocka_unit_test(an_open_from_before_the_refusal_does_not_end_it),
        cmocka_unit_test(it_tells_its_age_and_the_next_try),
    };
    return RUN(tests);
}
