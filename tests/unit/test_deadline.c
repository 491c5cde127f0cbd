// Deadline queues on a real loop: the loop itself waits, no test sleeps, and it ends as soon as no
// deadline is left. Lengths are a few milliseconds; nothing is asserted about how late one comes.
#include "server/base/deadline.h"

#include "unit.h"

enum { ENTRIES = 8 };

struct bench {
    uv_loop_t loop;
    struct deadline_queue queue;
    struct deadline_entry entries[ENTRIES];
    size_t order[4 * ENTRIES]; // indices of entries, as they expired
    size_t expired;
    unsigned again;   // how often entry 0 is to be armed anew when it expires
    size_t take_back; // this entry is disarmed when entry 0 expires; 0: none
};

static void on_expired(struct deadline_queue *queue, struct deadline_entry *entry)
{
    struct bench *bench = (struct bench *)((char *)queue - offsetof(struct bench, queue));
    assert_false(entry->armed);
    assert_false(instant_before(instant_now(), entry->at));
    assert_true(bench->expired < COUNT(bench->order));
    bench->order[bench->expired++] = (size_t)(entry - bench->entries);
    if (entry != &bench->entries[0])
        return;
    if (bench->again > 0) {
        bench->again--;
        deadline_arm(queue, entry);
    }
    if (bench->take_back > 0)
        deadline_disarm(queue, &bench->entries[bench->take_back]);
}

static void open_bench(struct bench *bench, int64_t length_ms)
{
    *bench = (struct bench){0};
    assert_int_equal(uv_loop_init(&bench->loop), 0);
    deadline_queue_open(&bench->queue, &bench->loop, (struct duration){.ms = length_ms},
                        on_expired);
}

static void on_closed(struct handles *handles)
{
    assert_int_equal(handles->open, 0);
}

static void close_bench(struct bench *bench)
{
    struct handles handles = {.open = 1, .all_closed = on_closed};
    deadline_queue_close(&bench->queue, &handles);
    assert_int_equal(uv_run(&bench->loop, UV_RUN_DEFAULT), 0);
    assert_int_equal(uv_loop_close(&bench->loop), 0);
}

static void run(struct bench *bench)
{
    assert_int_equal(uv_run(&bench->loop, UV_RUN_DEFAULT), 0);
    assert_null(deadline_first(&bench->queue));
}

static void deadlines_come_in_their_order_and_never_early(void **state)
{
    (void)state;
    struct bench bench;
    open_bench(&bench, 5);
    struct instant before = instant_now();
    for (size_t i = 0; i < ENTRIES; i++)
        deadline_arm(&bench.queue, &bench.entries[i]);
    assert_ptr_equal(deadline_first(&bench.queue), &bench.entries[0]);
    for (size_t i = 0; i < ENTRIES; i++) {
        assert_true(bench.entries[i].armed);
        assert_false(
            instant_before(bench.entries[i].at, instant_add(before, (struct duration){.ms = 5})));
    }
    run(&bench);
    assert_int_equal(bench.expired, ENTRIES);
    for (size_t i = 0; i < ENTRIES; i++)
        assert_int_equal(bench.order[i], i);
    assert_true(instant_since(before, instant_now()).ms >= 5);
    close_bench(&bench);
}

static void a_deadline_taken_back_does_not_come(void **state)
{
    (void)state;
    struct bench bench;
    open_bench(&bench, 3);
    deadline_disarm(&bench.queue, &bench.entries[0]); // not armed: nothing happens
    for (size_t i = 0; i < 4; i++)
        deadline_arm(&bench.queue, &bench.entries[i]);
    deadline_disarm(&bench.queue, &bench.entries[0]);
    deadline_disarm(&bench.queue, &bench.entries[2]);
    deadline_disarm(&bench.queue, &bench.entries[2]);
    assert_ptr_equal(deadline_first(&bench.queue), &bench.entries[1]);
    run(&bench);
    assert_int_equal(bench.expired, 2);
    assert_int_equal(bench.order[0], 1);
    assert_int_equal(bench.order[1], 3);
    close_bench(&bench);
}

static void nothing_comes_when_all_are_taken_back(void **state)
{
    (void)state;
    struct bench bench;
    open_bench(&bench, 3);
    deadline_arm(&bench.queue, &bench.entries[0]);
    deadline_disarm(&bench.queue, &bench.entries[0]);
    run(&bench);
    assert_int_equal(bench.expired, 0);
    deadline_arm(&bench.queue, &bench.entries[1]); // and the queue goes on
    run(&bench);
    assert_int_equal(bench.expired, 1);
    close_bench(&bench);
}

static void arming_anew_moves_a_deadline_to_the_end(void **state)
{
    (void)state;
    struct bench bench;
    open_bench(&bench, 3);
    deadline_arm(&bench.queue, &bench.entries[0]);
    deadline_arm(&bench.queue, &bench.entries[1]);
    struct instant first = bench.entries[0].at;
    deadline_arm(&bench.queue, &bench.entries[0]);
    assert_false(instant_before(bench.entries[0].at, first));
    assert_ptr_equal(deadline_first(&bench.queue), &bench.entries[1]);
    run(&bench);
    assert_int_equal(bench.expired, 2);
    assert_int_equal(bench.order[0], 1);
    assert_int_equal(bench.order[1], 0);
    close_bench(&bench);
}

static void a_deadline_may_be_armed_when_it_comes(void **state)
{
    (void)state;
    struct bench bench;
    open_bench(&bench, 1);
    bench.again = 3;
    struct instant before = instant_now();
    deadline_arm(&bench.queue, &bench.entries[0]);
    deadline_arm(&bench.queue, &bench.entries[1]);
    run(&bench);
    assert_int_equal(bench.expired, 5);
    assert_int_equal(bench.order[4], 0);
    assert_true(instant_since(before, instant_now()).ms >= 4);
    close_bench(&bench);
}

static void a_deadline_may_be_taken_back_when_another_comes(void **state)
{
    (void)state;
    struct bench bench;
    open_bench(&bench, 0);
    bench.take_back = 1;
    for (size_t i = 0; i < 3; i++)
        deadline_arm(&bench.queue, &bench.entries[i]);
    run(&bench);
    assert_int_equal(bench.expired, 2);
    assert_int_equal(bench.order[1], 2);
    close_bench(&bench);
}

// Uses time up without a sleep.
static void spin(int64_t ms)
{
    struct instant start = instant_now();
    while (instant_since(start, instant_now()).ms < ms)
        continue;
}

static void the_timer_is_set_anew_for_deadlines_further_apart(void **state)
{
    (void)state;
    struct bench bench;
    open_bench(&bench, 10);
    deadline_arm(&bench.queue, &bench.entries[0]);
    spin(6);
    deadline_arm(&bench.queue, &bench.entries[1]);
    spin(6);
    deadline_arm(&bench.queue, &bench.entries[2]);
    run(&bench);
    assert_int_equal(bench.expired, 3);
    close_bench(&bench);
}

static void a_closed_queue_expires_nothing(void **state)
{
    (void)state;
    struct bench bench;
    open_bench(&bench, 1);
    deadline_arm(&bench.queue, &bench.entries[0]);
    close_bench(&bench);
    assert_int_equal(bench.expired, 0);
}

static void count_call(uv_timer_t *timer)
{
    unsigned *calls = timer->data;
    (*calls)++;
}

static void a_timer_for_a_deadline_that_has_passed_fires_at_once(void **state)
{
    (void)state;
    uv_loop_t loop;
    uv_timer_t timer;
    unsigned calls = 0;
    assert_int_equal(uv_loop_init(&loop), 0);
    assert_int_equal(uv_timer_init(&loop, &timer), 0);
    timer.data = &calls;
    deadline_start_timer(&timer, (struct instant){.ns = 1}, count_call);
    assert_int_equal(uv_timer_get_due_in(&timer), 0);
    assert_int_equal(uv_run(&loop, UV_RUN_DEFAULT), 0);
    assert_int_equal(calls, 1);
    uv_close((uv_handle_t *)&timer, NULL);
    assert_int_equal(uv_run(&loop, UV_RUN_DEFAULT), 0);
    assert_int_equal(uv_loop_close(&loop), 0);
}

static void note_time(uv_timer_t *timer)
{
    struct instant *fired = timer->data;
    *fired = instant_now();
}

// The loop's own time stands still while a callback runs; a millisecond is its rounding.
static void a_timer_counts_from_now_and_not_from_the_loops_time(void **state)
{
    (void)state;
    uv_loop_t loop;
    uv_timer_t timer;
    struct instant fired = {0};
    assert_int_equal(uv_loop_init(&loop), 0);
    assert_int_equal(uv_timer_init(&loop, &timer), 0);
    timer.data = &fired;
    uv_update_time(&loop);
    spin(10);
    struct instant deadline = instant_add(instant_now(), (struct duration){.ms = 10});
    deadline_start_timer(&timer, deadline, note_time);
    assert_int_equal(uv_run(&loop, UV_RUN_DEFAULT), 0);
    assert_true(instant_left(deadline, fired).ms <= 1);
    uv_close((uv_handle_t *)&timer, NULL);
    assert_int_equal(uv_run(&loop, UV_RUN_DEFAULT), 0);
    assert_int_equal(uv_loop_close(&loop), 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(deadlines_come_in_their_order_and_never_early),
        cmocka_unit_test(a_deadline_taken_back_does_not_come),
        cmocka_unit_test(nothing_comes_when_all_are_taken_back),
        cmocka_unit_test(arming_anew_moves_a_deadline_to_the_end),
        cmocka_unit_test(a_deadline_may_be_armed_when_it_comes),
        cmocka_unit_test(a_deadline_may_be_taken_back_when_another_comes),
        cmocka_unit_test(the_timer_is_set_anew_for_deadlines_further_apart),
        cmocka_unit_test(a_closed_queue_expires_nothing),
        cmocka_unit_test(a_timer_counts_from_now_and_not_from_the_loops_time),
        cmocka_unit_test(a_timer_for_a_deadline_that_has_passed_fires_at_once),
    };
    return RUN(tests);
}
