// What is made of it when there is no answer, by what the loop and the process have had of the CPU
// in a second: each row is such a second, in parts that follow one another.
#include "server/probing/effort.h"

#include "fake_platform.h"
#include "unit.h"

enum { SPAN_MS = 1000, PARTS = 4 };

// What happens in a part of the span.
enum part {
    NOTHING, // the process waits for the server
    WAITS,   // for a CPU, which the kernel has counted at the end
    READY,   // it waits for a CPU, and goes on doing so
    CRAWLS,  // it is on a CPU for a hundredth of the time
    RUNS,    // it is on a CPU for all of it
    STALLS,  // the loop does not turn
    BOTH,    // likewise, and the process waits for a CPU meanwhile
    STOPPED, // the process, by a signal
    ABSENT   // it has not come so far as to take its call
};

struct row {
    struct {
        enum part part;
        int64_t ms;
    } parts[PARTS];
    enum outcome outcome;
};

static const struct row rows[] = {
    {{{NOTHING, 1000}}, OUTCOME_TIMEOUT},
    {{{WAITS, 500}, {NOTHING, 500}}, OUTCOME_TIMEOUT},
    {{{WAITS, 550}, {NOTHING, 450}}, OUTCOME_STARVED},
    {{{NOTHING, 350}, {READY, 650}}, OUTCOME_STARVED},
    {{{READY, 400}, {NOTHING, 600}}, OUTCOME_TIMEOUT},
    {{{NOTHING, 900}, {READY, 100}}, OUTCOME_STARVED}, // it would not hear an answer
    {{{NOTHING, 950}, {READY, 50}}, OUTCOME_TIMEOUT},  // it may hear one just now
    {{{NOTHING, 200}, {CRAWLS, 800}}, OUTCOME_STARVED},
    {{{RUNS, 1000}}, OUTCOME_TIMEOUT},
    {{{NOTHING, 300}, {STALLS, 700}}, OUTCOME_STARVED},
    {{{STALLS, 400}, {NOTHING, 600}}, OUTCOME_TIMEOUT},
    {{{BOTH, 400}, {NOTHING, 600}}, OUTCOME_TIMEOUT}, // which counts once
    {{{BOTH, 600}, {NOTHING, 400}}, OUTCOME_STARVED},
    {{{STALLS, 300}, {NOTHING, 100}, {WAITS, 300}, {NOTHING, 300}}, OUTCOME_STARVED},
    {{{STOPPED, 700}, {NOTHING, 300}}, OUTCOME_CRASHED},
    {{{STOPPED, 400}, {NOTHING, 600}}, OUTCOME_TIMEOUT},
    {{{STOPPED, 400}, {WAITS, 300}, {NOTHING, 300}}, OUTCOME_CRASHED},
    {{{NOTHING, 900}, {STOPPED, 100}}, OUTCOME_CRASHED}, // it would not hear an answer
    {{{ABSENT, 600}, {NOTHING, 400}}, OUTCOME_STARVED},
    {{{ABSENT, 400}, {NOTHING, 600}}, OUTCOME_TIMEOUT},
};

static void pass(struct fake *fake, struct effort *effort, int64_t ms)
{
    fake_pass(fake, ms);
    effort_look(effort);
}

static void pass_part(struct fake *fake, struct effort *effort, enum part part, int64_t ms)
{
    bool stalls = part == STALLS || part == BOTH;
    int64_t step = stalls ? ms : EFFORT_PERIOD_MS;
    fake->is_ready = part == READY || part == CRAWLS || part == RUNS;
    fake->is_stopped = part == STOPPED;
    fake->is_absent = part == ABSENT;
    for (; ms > 0; ms -= step) {
        int64_t used_ns = step * (part == RUNS ? 1000000 : part == CRAWLS ? 10000 : 0);
        fake->cpu.used_ns += used_ns;
        fake->cpu.waited_ns += part == WAITS || part == BOTH ? step * 1000000 : 0;
        pass(fake, effort, step);
    }
}

static void begin(struct fake *fake, struct effort *effort)
{
    fake_open(fake);
    fake->process.fake = fake;
    effort_begin(effort, &fake->platform, &fake->process, fake->now);
}

static enum outcome judge_span(const struct effort *effort)
{
    return effort_judge(effort, (struct duration){.ms = SPAN_MS});
}

static void what_was_lost_of_a_span(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fake fake;
        struct effort effort;
        begin(&fake, &effort);
        for (size_t j = 0; j < PARTS && rows[i].parts[j].ms > 0; j++)
            pass_part(&fake, &effort, rows[i].parts[j].part, rows[i].parts[j].ms);
        enum outcome found = judge_span(&effort);
        if (found != rows[i].outcome)
            print_error("row %zu\n", i);
        assert_int_equal(found, rows[i].outcome);
        fake_close(&fake);
    }
}

// What is known stays so, however long nobody looks, unless an answer would not be heard now.
static void what_is_known_at_rest(void **state)
{
    (void)state;
    static const enum outcome known[] = {OUTCOME_TIMEOUT, OUTCOME_STARVED, OUTCOME_CRASHED};
    static const struct {
        enum part part;
        enum outcome outcome; // OUTCOME_OK: as it is known
    } finds[] = {{NOTHING, OUTCOME_OK},      {WAITS, OUTCOME_OK},      {READY, OUTCOME_STARVED},
                 {CRAWLS, OUTCOME_STARVED},  {RUNS, OUTCOME_OK},       {STALLS, OUTCOME_OK},
                 {STOPPED, OUTCOME_CRASHED}, {ABSENT, OUTCOME_STARVED}};
    for (size_t i = 0; i < COUNT(known); i++) {
        for (size_t j = 0; j < COUNT(finds); j++) {
            struct fake fake;
            struct effort effort;
            begin(&fake, &effort);
            pass_part(&fake, &effort, NOTHING, SPAN_MS);
            effort_rest(&effort);
            pass_part(&fake, &effort, finds[j].part, 10000);
            enum outcome outcome = effort_judge_now(&effort, known[i]);
            enum outcome expected = finds[j].outcome == OUTCOME_OK ? known[i] : finds[j].outcome;
            assert_int_equal(outcome, expected);
            fake_close(&fake);
        }
    }
}

// Who asks whether there was enough of it changes nothing.
static void a_question_is_no_look(void **state)
{
    (void)state;
    struct fake fake;
    struct effort effort;
    begin(&fake, &effort);
    fake_pass(&fake, 40);
    for (unsigned i = 0; i < 20; i++) {
        (void)judge_span(&effort);
        fake_pass(&fake, 30);
    }
    assert_int_equal(judge_span(&effort), OUTCOME_STARVED); // the loop has not turned
    fake_close(&fake);
}

// The loop and the process come to run again at one moment, in which an alarm looks first, and then
// who is asked.
static void a_second_look_at_a_moment_sees_nothing_new(void **state)
{
    (void)state;
    struct fake fake;
    struct effort effort;
    begin(&fake, &effort);
    pass(&fake, &effort, EFFORT_PERIOD_MS);
    fake.is_ready = true;
    for (unsigned i = 0; i < 3; i++) {
        pass(&fake, &effort, i == 0 ? 900 : 0);
        assert_true(effort_is_deaf(&effort));
    }
    fake_close(&fake);
}

// It runs, though the kernel has not counted that yet: as a login that goes on just when two ask.
static void a_look_soon_after_another_says_nothing_of_who_runs(void **state)
{
    (void)state;
    struct fake fake;
    struct effort effort;
    begin(&fake, &effort);
    pass(&fake, &effort, EFFORT_PERIOD_MS);
    fake.is_ready = true;
    for (unsigned i = 0; i < 3; i++) {
        pass(&fake, &effort, i == 0 ? EFFORT_PERIOD_MS : 3);
        assert_false(effort_is_deaf(&effort));
    }
    pass(&fake, &effort, EFFORT_PERIOD_MS); // but by then it would have been
    assert_true(effort_is_deaf(&effort));
    fake.is_ready = false; // it has asked, and waits for the server
    pass(&fake, &effort, 3);
    assert_false(effort_is_deaf(&effort));
    fake.is_ready = true; // and hears its answer
    pass(&fake, &effort, EFFORT_PERIOD_MS);
    assert_false(effort_is_deaf(&effort));
    fake_close(&fake);
}

// It is found ready, for the first time, when the span is all but over.
static void begin_and_be_ready(struct fake *fake, struct effort *effort)
{
    begin(fake, effort);
    pass_part(fake, effort, NOTHING, SPAN_MS - 100);
    pass_part(fake, effort, READY, EFFORT_PERIOD_MS);
}

// At the deadline, which need not be when it was due to be looked at.
static void one_that_has_been_ready_since_the_last_look_would_not_hear(void **state)
{
    (void)state;
    for (unsigned soon = 0; soon < 2; soon++) {
        struct fake fake;
        struct effort effort;
        begin_and_be_ready(&fake, &effort);
        fake_pass(&fake, soon ? 10 : 40);
        enum outcome outcome = judge_span(&effort);
        assert_int_equal(outcome, soon ? OUTCOME_TIMEOUT : OUTCOME_STARVED);
        fake_close(&fake);
    }
}

// As after a login, when its answer to the run comes just at the deadline.
static void one_that_has_replied_meanwhile_has_not_waited(void **state)
{
    (void)state;
    for (unsigned replies = 0; replies < 2; replies++) {
        struct fake fake;
        struct effort effort;
        begin_and_be_ready(&fake, &effort);
        if (replies)
            effort_hear(&effort);
        fake_pass(&fake, EFFORT_PERIOD_MS);
        enum outcome outcome = judge_span(&effort);
        assert_int_equal(outcome, replies ? OUTCOME_TIMEOUT : OUTCOME_STARVED);
        fake_close(&fake);
    }
}

// Two ask just when a process has been started, and in between it comes so far as to take its call.
static void a_look_soon_after_the_start_says_nothing_of_who_comes(void **state)
{
    (void)state;
    struct fake fake;
    struct effort effort;
    begin(&fake, &effort);
    fake.is_absent = true;
    pass(&fake, &effort, 0);
    fake.is_absent = false;
    fake.is_ready = true;
    pass(&fake, &effort, 2);
    assert_false(effort_is_deaf(&effort));
    fake_close(&fake);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_lost_of_a_span),
        cmocka_unit_test(what_is_known_at_rest),
        cmocka_unit_test(a_question_is_no_look),
        cmocka_unit_test(a_second_look_at_a_moment_sees_nothing_new),
        cmocka_unit_test(a_look_soon_after_another_says_nothing_of_who_runs),
        cmocka_unit_test(one_that_has_been_ready_since_the_last_look_would_not_hear),
        cmocka_unit_test(one_that_has_replied_meanwhile_has_not_waited),
        cmocka_unit_test(a_look_soon_after_the_start_says_nothing_of_who_comes),
    };
    return RUN(tests);
}
