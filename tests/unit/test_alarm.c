// Alarms in their heap, compared with a plain search over all of them.
#include "server/probing/alarm.h"

#include "unit.h"

#include <stdlib.h>

enum { ALARMS = 60, STEPS = 20000, SPAN = 40 };

static struct instant at(int64_t ms)
{
    return (struct instant){.ns = ms * 1000000};
}

// The one that must ring next; NULL if none is due.
static struct alarm *first_due(struct alarm *alarms, struct instant now)
{
    struct alarm *first = NULL;
    for (struct alarm *alarm = alarms; alarm < alarms + ALARMS; alarm++) {
        bool earlier = first == NULL || alarm->at.ns < first->at.ns ||
                       (alarm->at.ns == first->at.ns && alarm->order < first->order);
        if (alarm_is_set(alarm) && !instant_before(now, alarm->at) && earlier)
            first = alarm;
    }
    return first;
}

static void they_ring_in_their_order_whatever_is_taken_back(void **state)
{
    (void)state;
    struct alarms alarms = {0};
    struct alarm own[ALARMS] = {0};
    srandom(1);
    for (int64_t now = 0; now < STEPS; now++) {
        struct alarm *alarm = &own[random() % ALARMS];
        if (random() % 3 == 0)
            alarms_clear(&alarms, alarm);
        else
            alarms_set(&alarms, alarm, at(now / 8 + random() % SPAN));
        struct alarm *expected = first_due(own, at(now / 8));
        assert_ptr_equal(alarms_take_due(&alarms, at(now / 8)), expected);
        assert_true(expected == NULL || !alarm_is_set(expected));
    }
    struct alarm *expected;
    while ((expected = first_due(own, at(STEPS))) != NULL)
        assert_ptr_equal(alarms_take_due(&alarms, at(STEPS)), expected);
    assert_int_equal(alarms_next(&alarms).ns, INT64_MAX);
    alarms_free(&alarms);
}

static void of_one_instant_the_first_that_was_set_rings_first(void **state)
{
    (void)state;
    struct alarms alarms = {0};
    struct alarm own[3] = {0};
    alarms_set(&alarms, &own[1], at(5));
    alarms_set(&alarms, &own[0], at(5));
    alarms_set(&alarms, &own[2], at(5));
    alarms_set(&alarms, &own[1], at(5)); // anew
    assert_null(alarms_take_due(&alarms, at(4)));
    assert_ptr_equal(alarms_take_due(&alarms, at(5)), &own[0]);
    assert_ptr_equal(alarms_take_due(&alarms, at(5)), &own[2]);
    assert_ptr_equal(alarms_take_due(&alarms, at(5)), &own[1]);
    assert_null(alarms_take_due(&alarms, at(5)));
    alarms_free(&alarms);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(they_ring_in_their_order_whatever_is_taken_back),
        cmocka_unit_test(of_one_instant_the_first_that_was_set_rings_first),
    };
    return RUN(tests);
}
