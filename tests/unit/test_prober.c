// What a prober does about whatever happens to it, in each of its states; then what takes several
// events. What it did and told stands in words, see fake_platform.h; what it tells of a job is
// "NAME=OUTCOME".
#include "server/probing/prober.h"

#include "server/base/log.h"
#include "server/probing/effort.h"

#include "fake_platform.h"
#include "unit.h"

#include <stdlib.h>
#include <string.h>

enum { JOBS = 5, TIMEOUT_MS = 1000 };

// Jobs a to d, and u that is not meant for the server.
struct bench {
    struct fake fake;
    struct prober_statistics statistics;
    struct refusal refusal;
    struct check checks[JOBS];
    struct job jobs[JOBS];
    struct prober *prober;
    struct probe told; // the latest
    struct job *then;  // is wanted while something is told; NULL: none
};

static char *const names[JOBS] = {(char[]){"a"}, (char[]){"b"}, (char[]){"c"}, (char[]){"d"},
                                  (char[]){"u"}};

static char prober_own_name[] = "main";

static struct job *job_of(struct bench *bench, char name)
{
    return &bench->jobs[name == 'u' ? JOBS - 1 : name - 'a'];
}

static void on_done(void *context, struct job *job, struct probe *probe)
{
    struct bench *bench = context;
    char word[64];
    (void)snprintf(word, sizeof word, "%s=%s", job->check->name,
                   outcome_info(probe->outcome)->code);
    fake_write(&bench->fake, word);
    bench->told = *probe;
    bench->told.result = NULL;
    struct job *then = bench->then;
    bench->then = NULL;
    if (then != NULL)
        prober_want(bench->prober, then, true);
}

static void open_bench_of(struct bench *bench, enum engine engine, bool keeps)
{
    memset(bench, 0, sizeof *bench);
    fake_open(&bench->fake);
    bench->statistics.name = prober_own_name;
    bench->refusal.holders = 1;
    for (size_t i = 0; i < JOBS; i++) {
        bench->checks[i] =
            (struct check){.name = names[i], .sql = names[i], .timeout = {.ms = TIMEOUT_MS}};
        bench->jobs[i].check = &bench->checks[i];
    }
    bench->checks[JOBS - 1].range.flavors = 1U << FLAVOR_MYSQL;
    const struct prober_setup setup = {.platform = &bench->fake.platform,
                                       .engine = engine,
                                       .keeps = keeps,
                                       .statistics = &bench->statistics,
                                       .refusal = &bench->refusal,
                                       .done = on_done,
                                       .context = bench};
    bench->prober = prober_new(&setup);
}

static void open_bench(struct bench *bench, bool keeps)
{
    open_bench_of(bench, ENGINE_POSTGRES, keeps);
}

static void close_bench(struct bench *bench)
{
    if (bench->prober != NULL)
        prober_end(bench->prober);
    bench->prober = NULL;
    assert_int_equal(alarms_next(&bench->fake.platform.alarms).ns, INT64_MAX);
    fake_close(&bench->fake);
}

// "a" for each job that a request waits for, "A" for one that is due in the background.
static void want(struct bench *bench, const char *wanted)
{
    for (; *wanted != '\0'; wanted++) {
        bool requested = *wanted >= 'a';
        prober_want(bench->prober, job_of(bench, (char)(*wanted | 0x20)), requested);
    }
}

static void start(struct bench *bench, const char *wanted)
{
    want(bench, wanted);
    prober_start_batch(bench->prober);
}

// --- each state

static void be_idle(struct bench *bench)
{
    open_bench(bench, false);
}

static void be_idle_again(struct bench *bench)
{
    open_bench(bench, false);
    start(bench, "a");
    fake_reply(&bench->fake, OUTCOME_OK);
    fake_reply(&bench->fake, OUTCOME_OK);
}

static void be_kept(struct bench *bench)
{
    open_bench(bench, true);
    start(bench, "a");
    fake_reply(&bench->fake, OUTCOME_OK);
    fake_reply(&bench->fake, OUTCOME_OK);
}

static void be_opening(struct bench *bench)
{
    open_bench(bench, false);
    start(bench, "aB");
}

static void be_pending(struct bench *bench)
{
    be_opening(bench);
    fake_pass(&bench->fake, TIMEOUT_MS);
}

// We have a CPU for a moment every 100 ms, and what we lack is in no counter of the kernel's.
static void stop_and_go(struct bench *bench, int64_t ms)
{
    for (; ms > 0; ms -= 100) {
        bench->fake.now = instant_add(bench->fake.now, (struct duration){.ms = 100});
        fake_pass(&bench->fake, 0);
    }
}

// For all the time of the login; then nobody looked for a while.
static void be_pending_starved(struct bench *bench)
{
    be_opening(bench);
    stop_and_go(bench, TIMEOUT_MS);
    fake_pass(&bench->fake, 5000);
}

static void be_running(struct bench *bench)
{
    be_opening(bench);
    fake_reply(&bench->fake, OUTCOME_OK);
}

static void be_running_last(struct bench *bench)
{
    open_bench(bench, false);
    start(bench, "a");
    fake_reply(&bench->fake, OUTCOME_OK);
}

// A connection that was open before.
static void be_running_kept(struct bench *bench)
{
    be_kept(bench);
    start(bench, "aB");
}

static void be_silent(struct bench *bench)
{
    be_running_last(bench);
    fake_pass(&bench->fake, TIMEOUT_MS);
}

static void be_closing(struct bench *bench)
{
    open_bench(bench, false);
    start(bench, "u");
    fake_reply(&bench->fake, OUTCOME_OK);
}

// --- each event

static void happen_wanted_there(struct bench *bench)
{
    want(bench, "b");
}

static void happen_wanted_new(struct bench *bench)
{
    want(bench, "c");
}

static void happen_wanted_first(struct bench *bench)
{
    want(bench, "a");
}

static void happen_due(struct bench *bench)
{
    want(bench, "C");
}

static void happen_batch(struct bench *bench)
{
    prober_start_batch(bench->prober);
}

static void happen_ok(struct bench *bench)
{
    fake_reply(&bench->fake, OUTCOME_OK);
}

static void happen_error(struct bench *bench)
{
    fake_reply(&bench->fake, OUTCOME_SERVER_ERROR);
}

static void happen_lost(struct bench *bench)
{
    fake_reply(&bench->fake, OUTCOME_LOST);
}

static void happen_old_reply(struct bench *bench)
{
    struct reply reply = {.sequence = bench->fake.process.call.sequence - 1,
                          .verb = bench->fake.process.call.verb,
                          .outcome = OUTCOME_SERVER_ERROR};
    fake_say(&bench->fake, reply);
}

static void happen_other_verb(struct bench *bench)
{
    bool open = bench->fake.process.call.verb == VERB_OPEN;
    struct reply reply = {.sequence = bench->fake.process.call.sequence,
                          .verb = open ? VERB_CLOSE : VERB_OPEN};
    fake_say(&bench->fake, reply);
}

static void happen_no_rows(struct bench *bench)
{
    struct reply reply = {.sequence = bench->fake.process.call.sequence, .verb = VERB_RUN};
    fake_say(&bench->fake, reply);
}

static void happen_death(struct bench *bench)
{
    fake_die(&bench->fake);
}

// Goes on until something is done about it, or nothing is set any more.
static void happen_deadline(struct bench *bench)
{
    while (bench->fake.words[0] == '\0' && fake_next(&bench->fake))
        continue;
}

static void happen_deadline_unasked(struct bench *bench)
{
    bench->fake.is_stopped = true;
    happen_deadline(bench);
}

static void happen_deadline_starved(struct bench *bench)
{
    bench->fake.cpu.waited_ns = 900000000;
    happen_deadline(bench);
}

static void happen_late_reply(struct bench *bench)
{
    fake_send_reply(&bench->fake, OUTCOME_OK);
    happen_deadline(bench);
}

static void happen_drop(struct bench *bench)
{
    if (!prober_drop(bench->prober, job_of(bench, 'a')))
        fake_write(&bench->fake, "not-dropped");
}

static void happen_drop_other(struct bench *bench)
{
    if (!prober_drop(bench->prober, job_of(bench, 'b')))
        fake_write(&bench->fake, "not-dropped");
}

static void happen_end(struct bench *bench)
{
    prober_end(bench->prober);
    bench->prober = NULL;
}

// --- all of it

struct row {
    void (*happen)(struct bench *bench);
    const char *words; // what is done and told
    const char *state; // the next one; "": the prober has ended
};

static const struct row when_idle[] = {
    {happen_wanted_first, "", "idle"},
    {happen_wanted_there, "", "idle"},
    {happen_wanted_new, "", "idle"},
    {happen_due, "", "idle"},
    {happen_batch, "", "idle"},
    {happen_deadline, "", "idle"},
    {happen_deadline_unasked, "", "idle"},
    {happen_deadline_starved, "", "idle"},
    {happen_late_reply, "", "idle"},
    {happen_drop, "", "idle"},
    {happen_drop_other, "", "idle"},
    {happen_end, "", ""},
};

static const struct row when_idle_again[] = {
    {happen_wanted_first, "", "idle"},
    {happen_wanted_there, "", "idle"},
    {happen_wanted_new, "", "idle"},
    {happen_due, "", "idle"},
    {happen_batch, "", "idle"},
    {happen_ok, "kill", "idle"},
    {happen_error, "kill", "idle"},
    {happen_lost, "kill", "idle"},
    {happen_old_reply, "kill", "idle"},
    {happen_other_verb, "kill", "idle"},
    {happen_no_rows, "kill", "idle"},
    {happen_death, "", "idle"},
    {happen_deadline, "", "idle"},
    {happen_deadline_unasked, "", "idle"},
    {happen_deadline_starved, "", "idle"},
    {happen_late_reply, "", "idle"},
    {happen_drop, "", "idle"},
    {happen_drop_other, "", "idle"},
    {happen_end, "end", ""},
};

static const struct row when_kept[] = {
    {happen_wanted_first, "", "idle"},
    {happen_wanted_there, "", "idle"},
    {happen_wanted_new, "", "idle"},
    {happen_due, "", "idle"},
    {happen_batch, "", "idle"},
    {happen_ok, "kill", "idle"},
    {happen_error, "kill", "idle"},
    {happen_lost, "kill", "idle"},
    {happen_old_reply, "kill", "idle"},
    {happen_other_verb, "kill", "idle"},
    {happen_no_rows, "kill", "idle"},
    {happen_death, "", "idle"},
    {happen_deadline, "", "idle"},
    {happen_deadline_unasked, "", "idle"},
    {happen_deadline_starved, "", "idle"},
    {happen_late_reply, "", "idle"},
    {happen_drop, "", "idle"},
    {happen_drop_other, "", "idle"},
    {happen_end, "end", ""},
};

static const struct row when_opening[] = {
    {happen_wanted_first, "", "opening"},
    {happen_wanted_there, "", "opening"},
    {happen_wanted_new, "", "opening"},
    {happen_due, "", "opening"},
    {happen_batch, "", "opening"},
    {happen_ok, "run:a-1000", "running"},
    {happen_error, "a=server_error b=server_error", "idle"},
    {happen_lost, "a=lost b=lost", "idle"},
    {happen_old_reply, "kill a=crashed b=crashed", "idle"},
    {happen_other_verb, "kill a=crashed b=crashed", "idle"},
    {happen_no_rows, "kill a=crashed b=crashed", "idle"},
    {happen_death, "a=crashed b=crashed", "idle"},
    {happen_deadline, "a=timeout b=timeout", "pending"},
    {happen_deadline_unasked, "kill a=crashed b=crashed", "idle"},
    {happen_deadline_starved, "a=starved b=starved", "pending"},
    {happen_late_reply, "run:a-1000", "running"},
    {happen_drop, "", "opening"},
    {happen_drop_other, "", "opening"},
    {happen_end, "end", ""},
};

static const struct row when_pending[] = {
    {happen_wanted_first, "a=timeout", "pending"},
    {happen_wanted_there, "b=timeout", "pending"},
    {happen_wanted_new, "c=timeout", "pending"},
    {happen_due, "c=timeout", "pending"},
    {happen_batch, "", "pending"},
    {happen_ok, "run:a-1000", "running"},
    {happen_error, "a=server_error b=server_error", "idle"},
    {happen_lost, "a=lost b=lost", "idle"},
    {happen_old_reply, "kill a=crashed b=crashed", "idle"},
    {happen_other_verb, "kill a=crashed b=crashed", "idle"},
    {happen_no_rows, "kill a=crashed b=crashed", "idle"},
    {happen_death, "a=crashed b=crashed", "idle"},
    {happen_deadline, "kill start open-1000", "pending"},
    {happen_deadline_unasked, "kill start open-1000", "pending"},
    {happen_deadline_starved, "kill start open-1000", "pending"},
    {happen_late_reply, "run:a-1000", "running"},
    {happen_drop, "", "pending"},
    {happen_drop_other, "", "pending"},
    {happen_end, "kill", ""},
};

static const struct row when_pending_starved[] = {
    {happen_wanted_first, "a=starved", "pending"},
    {happen_wanted_there, "b=starved", "pending"},
    {happen_wanted_new, "c=starved", "pending"},
    {happen_due, "c=starved", "pending"},
    {happen_batch, "", "pending"},
    {happen_ok, "run:a-1000", "running"},
    {happen_error, "a=server_error b=server_error", "idle"},
    {happen_lost, "a=lost b=lost", "idle"},
    {happen_old_reply, "kill a=crashed b=crashed", "idle"},
    {happen_other_verb, "kill a=crashed b=crashed", "idle"},
    {happen_no_rows, "kill a=crashed b=crashed", "idle"},
    {happen_death, "a=crashed b=crashed", "idle"},
    {happen_deadline, "kill start open-1000", "pending"},
    {happen_deadline_unasked, "kill start open-1000", "pending"},
    {happen_deadline_starved, "kill start open-1000", "pending"},
    {happen_late_reply, "run:a-1000", "running"},
    {happen_drop, "", "pending"},
    {happen_drop_other, "", "pending"},
    {happen_end, "kill", ""},
};

static const struct row when_running[] = {
    {happen_wanted_first, "", "running"},
    {happen_wanted_there, "", "running"},
    {happen_wanted_new, "", "running"},
    {happen_due, "", "running"},
    {happen_batch, "", "running"},
    {happen_ok, "a=ok run:b-1000-last", "running"},
    {happen_error, "a=server_error run:b-1000-last", "running"},
    {happen_lost, "a=lost open-1000", "opening"},
    {happen_old_reply, "kill a=crashed start open-1000", "opening"},
    {happen_other_verb, "kill a=crashed start open-1000", "opening"},
    {happen_no_rows, "kill a=crashed start open-1000", "opening"},
    {happen_death, "a=crashed start open-1000", "opening"},
    {happen_deadline, "kill a=timeout start open-1000", "opening"},
    {happen_deadline_unasked, "kill a=crashed start open-1000", "opening"},
    {happen_deadline_starved, "kill a=starved start open-1000", "opening"},
    {happen_late_reply, "a=ok run:b-1000-last", "running"},
    {happen_drop, "not-dropped", "running"},
    {happen_drop_other, "", "running"},
    {happen_end, "end", ""},
};

static const struct row when_running_last[] = {
    {happen_wanted_first, "", "running"},
    {happen_wanted_there, "", "running"},
    {happen_wanted_new, "", "running"},
    {happen_due, "", "running"},
    {happen_batch, "", "running"},
    {happen_ok, "a=ok", "idle"},
    {happen_error, "a=server_error", "idle"},
    {happen_lost, "a=lost", "idle"},
    {happen_old_reply, "kill a=crashed", "idle"},
    {happen_other_verb, "kill a=crashed", "idle"},
    {happen_no_rows, "kill a=crashed", "idle"},
    {happen_death, "a=crashed", "idle"},
    {happen_deadline, "a=timeout", "silent"},
    {happen_deadline_unasked, "kill a=crashed", "idle"},
    {happen_deadline_starved, "kill a=starved", "idle"},
    {happen_late_reply, "a=ok", "idle"},
    {happen_drop, "not-dropped", "running"},
    {happen_drop_other, "", "running"},
    {happen_end, "end", ""},
};

static const struct row when_running_kept[] = {
    {happen_wanted_first, "", "running"},
    {happen_wanted_there, "", "running"},
    {happen_wanted_new, "", "running"},
    {happen_due, "", "running"},
    {happen_batch, "", "running"},
    {happen_ok, "a=ok run:b-1000", "running"},
    {happen_error, "a=server_error run:b-1000", "running"},
    {happen_lost, "open-1000", "opening"},
    {happen_old_reply, "kill a=crashed start open-1000", "opening"},
    {happen_other_verb, "kill a=crashed start open-1000", "opening"},
    {happen_no_rows, "kill a=crashed start open-1000", "opening"},
    {happen_death, "a=crashed start open-1000", "opening"},
    {happen_deadline, "kill a=timeout start open-1000", "opening"},
    {happen_deadline_unasked, "kill a=crashed start open-1000", "opening"},
    {happen_deadline_starved, "kill a=starved start open-1000", "opening"},
    {happen_late_reply, "a=ok run:b-1000", "running"},
    {happen_drop, "not-dropped", "running"},
    {happen_drop_other, "", "running"},
    {happen_end, "end", ""},
};

static const struct row when_silent[] = {
    {happen_wanted_first, "a=timeout", "silent"},
    {happen_wanted_there, "kill", "idle"},
    {happen_wanted_new, "kill", "idle"},
    {happen_due, "kill", "idle"},
    {happen_batch, "", "silent"},
    {happen_ok, "", "idle"},
    {happen_error, "", "idle"},
    {happen_lost, "", "idle"},
    {happen_old_reply, "kill a=crashed", "idle"},
    {happen_other_verb, "kill a=crashed", "idle"},
    {happen_no_rows, "kill a=crashed", "idle"},
    {happen_death, "a=crashed", "idle"},
    {happen_deadline, "", "silent"},
    {happen_deadline_unasked, "", "silent"},
    {happen_deadline_starved, "", "silent"},
    {happen_late_reply, "", "silent"},
    {happen_drop, "kill", "idle"},
    {happen_drop_other, "", "silent"},
    {happen_end, "kill", ""},
};

static const struct row when_closing[] = {
    {happen_wanted_first, "", "closing"},
    {happen_wanted_there, "", "closing"},
    {happen_wanted_new, "", "closing"},
    {happen_due, "", "closing"},
    {happen_batch, "", "closing"},
    {happen_ok, "", "idle"},
    {happen_error, "", "idle"},
    {happen_lost, "", "idle"},
    {happen_old_reply, "kill", "idle"},
    {happen_other_verb, "kill", "idle"},
    {happen_no_rows, "kill", "idle"},
    {happen_death, "", "idle"},
    {happen_deadline, "kill", "idle"},
    {happen_deadline_unasked, "kill", "idle"},
    {happen_deadline_starved, "kill", "idle"},
    {happen_late_reply, "", "idle"},
    {happen_drop, "", "closing"},
    {happen_drop_other, "", "closing"},
    {happen_end, "end", ""},
};

static const struct {
    void (*be)(struct bench *bench);
    const struct row *rows;
    size_t count;
} all[] = {
    {be_idle, when_idle, COUNT(when_idle)},
    {be_idle_again, when_idle_again, COUNT(when_idle_again)},
    {be_kept, when_kept, COUNT(when_kept)},
    {be_opening, when_opening, COUNT(when_opening)},
    {be_pending, when_pending, COUNT(when_pending)},
    {be_pending_starved, when_pending_starved, COUNT(when_pending_starved)},
    {be_running, when_running, COUNT(when_running)},
    {be_running_last, when_running_last, COUNT(when_running_last)},
    {be_running_kept, when_running_kept, COUNT(when_running_kept)},
    {be_silent, when_silent, COUNT(when_silent)},
    {be_closing, when_closing, COUNT(when_closing)},
};

static void each_event_in_each_state(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(all); i++) {
        for (size_t j = 0; j < all[i].count; j++) {
            const struct row *row = &all[i].rows[j];
            struct bench bench;
            all[i].be(&bench);
            (void)fake_read(&bench.fake);
            row->happen(&bench);
            const char *next = bench.prober != NULL ? prober_state_name(bench.prober) : "";
            assert_string_equal(fake_read(&bench.fake), row->words);
            assert_string_equal(next, row->state);
            close_bench(&bench);
        }
    }
}

// --- who goes first

// Answers every call, and starts a batch whenever none is under way.
static void answer_all(struct bench *bench)
{
    for (unsigned i = 0; i < 20; i++) {
        bool idle = strcmp(prober_state_name(bench->prober), "idle") == 0;
        if (idle)
            prober_start_batch(bench->prober);
        else
            fake_reply(&bench->fake, OUTCOME_OK);
    }
}

static void requested_checks_go_first_then_who_came_first(void **state)
{
    (void)state;
    struct bench bench;
    open_bench(&bench, false);
    start(&bench, "AcBd");
    answer_all(&bench);
    assert_string_equal(fake_read(&bench.fake),
                        "start open-1000 run:c-1000 c=ok run:d-1000 d=ok run:a-1000 a=ok "
                        "run:b-1000-last b=ok");
    close_bench(&bench);
}

// A batch of background checks, one of which is asked for, and then another one that is not in it.
static void a_request_for_a_check_in_the_batch_is_next(void **state)
{
    (void)state;
    struct bench bench;
    open_bench(&bench, false);
    start(&bench, "ABC");
    fake_reply(&bench.fake, OUTCOME_OK);
    want(&bench, "cd");
    answer_all(&bench);
    assert_string_equal(fake_read(&bench.fake),
                        "start open-1000 run:a-1000 a=ok run:c-1000 c=ok close-200 "
                        "open-1000 run:d-1000 d=ok run:b-1000-last b=ok");
    close_bench(&bench);
}

static void a_request_for_a_check_in_the_queue_moves_it_up(void **state)
{
    (void)state;
    struct bench bench;
    open_bench(&bench, false);
    start(&bench, "a");
    want(&bench, "BC");
    want(&bench, "c");
    answer_all(&bench);
    assert_string_equal(fake_read(&bench.fake), "start open-1000 run:a-1000-last a=ok "
                                                "open-1000 run:c-1000 c=ok run:b-1000-last b=ok");
    close_bench(&bench);
}

// A request that has been answered at its deadline waits no longer.
static void a_check_that_nobody_waits_for_any_more_is_a_background_one(void **state)
{
    (void)state;
    struct bench bench;
    open_bench(&bench, false);
    start(&bench, "abc");
    fake_reply(&bench.fake, OUTCOME_OK);
    want(&bench, "d");
    prober_release(bench.prober, job_of(&bench, 'a'));
    prober_release(bench.prober, job_of(&bench, 'b'));
    (void)fake_read(&bench.fake);
    answer_all(&bench);
    assert_string_equal(fake_read(&bench.fake), "a=ok run:c-1000 c=ok close-200 open-1000 "
                                                "run:d-1000 d=ok run:b-1000-last b=ok");
    close_bench(&bench);
}

static void a_request_that_comes_during_a_background_login_shares_it(void **state)
{
    (void)state;
    struct bench bench;
    open_bench(&bench, false);
    start(&bench, "A");
    want(&bench, "bC");
    answer_all(&bench);
    assert_string_equal(fake_read(&bench.fake), "start open-1000 run:b-1000 b=ok run:a-1000 a=ok "
                                                "run:c-1000-last c=ok");
    close_bench(&bench);
}

// Nor does one that is not to run, but comes first.
static void what_does_not_run_is_in_no_requests_way(void **state)
{
    (void)state;
    struct bench bench;
    open_bench(&bench, false);
    start(&bench, "uA");
    want(&bench, "b");
    answer_all(&bench);
    assert_string_equal(fake_read(&bench.fake), "start open-1000 u=skipped run:b-1000 b=ok "
                                                "run:a-1000-last a=ok");
    close_bench(&bench);
    open_bench(&bench, false);
    start(&bench, "auC");
    fake_reply(&bench.fake, OUTCOME_OK);
    want(&bench, "b");
    answer_all(&bench);
    assert_string_equal(fake_read(&bench.fake), "start open-1000 run:a-1000 a=ok u=skipped "
                                                "close-200 open-1000 run:b-1000 b=ok "
                                                "run:c-1000-last c=ok");
    close_bench(&bench);
}

static void a_request_is_next_after_a_kill_too(void **state)
{
    (void)state;
    struct bench bench;
    open_bench(&bench, false);
    start(&bench, "AB");
    fake_reply(&bench.fake, OUTCOME_OK);
    want(&bench, "c");
    (void)fake_read(&bench.fake);
    fake_pass(&bench.fake, TIMEOUT_MS);
    answer_all(&bench);
    assert_string_equal(fake_read(&bench.fake), "kill a=timeout start open-1000 run:c-1000 c=ok "
                                                "run:b-1000-last b=ok");
    close_bench(&bench);
}

// Who ran when it turned out is a background job like any other.
static void a_request_is_next_after_a_kept_connection_was_dead_too(void **state)
{
    (void)state;
    struct bench bench;
    be_kept(&bench);
    start(&bench, "AB");
    want(&bench, "b");
    (void)fake_read(&bench.fake);
    fake_reply(&bench.fake, OUTCOME_LOST);
    answer_all(&bench);
    assert_string_equal(fake_read(&bench.fake), "open-1000 run:b-1000 b=ok run:a-1000 a=ok");
    close_bench(&bench);
}

static void background_checks_go_on_while_nobody_waits(void **state)
{
    (void)state;
    struct bench bench;
    open_bench(&bench, false);
    start(&bench, "AB");
    fake_reply(&bench.fake, OUTCOME_OK);
    want(&bench, "C");
    answer_all(&bench);
    assert_string_equal(fake_read(&bench.fake), "start open-1000 run:a-1000 a=ok run:b-1000-last "
                                                "b=ok open-1000 run:c-1000-last c=ok");
    close_bench(&bench);
}

static void what_is_wanted_while_something_is_told_is_run(void **state)
{
    (void)state;
    struct bench bench;
    be_running(&bench); // a and B
    bench.then = job_of(&bench, 'c');
    (void)fake_read(&bench.fake);
    answer_all(&bench);
    assert_string_equal(fake_read(&bench.fake), "a=ok close-200 open-1000 run:c-1000 c=ok "
                                                "run:b-1000-last b=ok");
    close_bench(&bench);
}

static void a_batch_goes_on_on_another_connection_after_a_kill(void **state)
{
    (void)state;
    struct bench bench;
    be_running(&bench);
    (void)fake_read(&bench.fake);
    fake_pass(&bench.fake, TIMEOUT_MS);
    answer_all(&bench);
    assert_string_equal(fake_read(&bench.fake),
                        "kill a=timeout start open-1000 run:b-1000-last b=ok");
    assert_int_equal(bench.statistics.kills, 1);
    close_bench(&bench);
}

// The time of an open counts against the check that it was made for, and no other.
static void a_check_that_moves_up_has_all_its_time(void **state)
{
    (void)state;
    struct bench bench;
    open_bench(&bench, false);
    bench.checks[1].timeout.ms = 100;
    start(&bench, "AB");
    fake_pass(&bench.fake, 500);
    want(&bench, "b");
    (void)fake_read(&bench.fake);
    fake_reply(&bench.fake, OUTCOME_OK);
    assert_string_equal(fake_read(&bench.fake), "run:b-100");
    close_bench(&bench);
    be_opening(&bench);
    bench.checks[1].timeout.ms = 100;
    fake_pass(&bench.fake, 500);
    assert_true(prober_drop(bench.prober, job_of(&bench, 'a')));
    (void)fake_read(&bench.fake);
    fake_reply(&bench.fake, OUTCOME_OK);
    assert_string_equal(fake_read(&bench.fake), "run:b-100-last");
    close_bench(&bench);
}

static void a_check_not_meant_for_the_server_costs_the_next_one_no_time(void **state)
{
    (void)state;
    struct bench bench;
    open_bench(&bench, false);
    start(&bench, "ua");
    fake_pass(&bench.fake, 500);
    (void)fake_read(&bench.fake);
    fake_reply(&bench.fake, OUTCOME_OK);
    assert_string_equal(fake_read(&bench.fake), "u=skipped run:a-1000-last");
    close_bench(&bench);
}

// --- opens that stay unanswered

static void a_pending_open_is_replaced_ever_more_seldom(void **state)
{
    (void)state;
    static const int64_t waits[] = {10000, 20000, 40000, 60000, 60000, 60000};
    struct bench bench;
    be_opening(&bench);
    struct instant began = bench.fake.now;
    for (size_t i = 0; i < COUNT(waits); i++) {
        (void)fake_read(&bench.fake);
        fake_pass(&bench.fake, waits[i] - 1);
        assert_string_equal(fake_read(&bench.fake), i == 0 ? "a=timeout b=timeout" : "");
        want(&bench, "c");
        assert_int_equal(bench.told.started.ns, bench.fake.now.ns);
        assert_int_equal(bench.told.silent.ms, instant_since(began, bench.fake.now).ms);
        fake_pass(&bench.fake, 1);
        assert_string_equal(fake_read(&bench.fake), "c=timeout kill start open-1000");
    }
    close_bench(&bench);
}

// They have all been told.
static void no_request_waits_for_what_a_pending_open_has_in_its_batch(void **state)
{
    (void)state;
    struct bench bench;
    open_bench(&bench, false);
    start(&bench, "Ba");
    want(&bench, "c");
    fake_pass(&bench.fake, TIMEOUT_MS);
    fake_reply(&bench.fake, OUTCOME_OK);
    want(&bench, "d");
    (void)fake_read(&bench.fake);
    answer_all(&bench);
    assert_string_equal(fake_read(&bench.fake), "b=ok close-200 open-1000 run:d-1000 d=ok "
                                                "run:a-1000 a=ok run:c-1000-last c=ok");
    close_bench(&bench);
}

static void nothing_wakes_between_an_attempt_and_its_replacement(void **state)
{
    (void)state;
    struct bench bench;
    be_pending(&bench);
    for (unsigned i = 0; i < 60; i++) {
        int64_t sleeps = instant_left(alarms_next(&bench.fake.platform.alarms), bench.fake.now).ms;
        assert_true(sleeps >= 9000);
        assert_true(fake_next(&bench.fake)); // another attempt
        fake_pass(&bench.fake, TIMEOUT_MS);
    }
    close_bench(&bench);
}

// Nothing is told any more of what the login has been.
static void what_is_wanted_when_a_pending_login_is_answered_runs(void **state)
{
    (void)state;
    struct bench bench;
    open_bench(&bench, false);
    start(&bench, "u");
    fake_pass(&bench.fake, TIMEOUT_MS);
    (void)fake_read(&bench.fake);
    bench.then = job_of(&bench, 'a');
    answer_all(&bench);
    assert_string_equal(fake_read(&bench.fake),
                        "u=skipped close-200 open-1000 run:a-1000-last a=ok");
    close_bench(&bench);
}

static void a_pending_login_that_nobody_needs_is_not_replaced(void **state)
{
    (void)state;
    struct bench bench;
    be_pending(&bench);
    (void)fake_read(&bench.fake);
    happen_drop(&bench);
    happen_drop_other(&bench);
    happen_deadline(&bench);
    assert_string_equal(fake_read(&bench.fake), "kill");
    assert_string_equal(prober_state_name(bench.prober), "idle");
    close_bench(&bench);
}

static void nothing_wakes_without_a_batch(void **state)
{
    (void)state;
    void (*const rest[])(struct bench *) = {be_idle, be_idle_again, be_kept, be_silent};
    for (size_t i = 0; i < COUNT(rest); i++) {
        struct bench bench;
        rest[i](&bench);
        bench.fake.wakes = 0;
        fake_pass(&bench.fake, 3600000);
        assert_int_equal(bench.fake.wakes, 0);
        close_bench(&bench);
    }
}

static void an_answer_that_is_there_counts_before_a_new_timeout(void **state)
{
    (void)state;
    struct bench bench;
    be_pending(&bench);
    fake_send_reply(&bench.fake, OUTCOME_OK);
    (void)fake_read(&bench.fake);
    want(&bench, "b");
    assert_string_equal(fake_read(&bench.fake), "run:a-1000");
    close_bench(&bench);
    be_pending(&bench);
    fake_send_reply(&bench.fake, OUTCOME_DENIED);
    (void)fake_read(&bench.fake);
    want(&bench, "c");
    prober_start_batch(bench.prober);
    assert_string_equal(fake_read(&bench.fake), "a=denied b=denied open-1000");
    close_bench(&bench);
}

// What the first attempt has shown holds until the second has had its time.
static void a_new_attempt_says_nothing_before_its_time(void **state)
{
    (void)state;
    struct bench bench;
    be_opening(&bench);
    bench.fake.is_ready = true;
    fake_pass(&bench.fake, 10000);
    (void)fake_read(&bench.fake);
    bench.fake.is_ready = false;
    want(&bench, "a");
    fake_pass(&bench.fake, TIMEOUT_MS - 1);
    want(&bench, "a");
    fake_pass(&bench.fake, 1);
    want(&bench, "a");
    assert_string_equal(fake_read(&bench.fake), "a=starved a=starved a=timeout");
    close_bench(&bench);
}

static void a_prober_that_waits_for_the_cpu_tells_nothing_of_the_server(void **state)
{
    (void)state;
    struct bench bench;
    be_opening(&bench);
    bench.fake.is_ready = true;
    fake_pass(&bench.fake, TIMEOUT_MS);
    fake_pass(&bench.fake, 5000);
    want(&bench, "a");
    assert_string_equal(fake_read(&bench.fake), "start open-1000 a=starved b=starved a=starved");
    close_bench(&bench);
}

// However long ago that was; whoever asks has it looked at anew.
static void a_login_that_lacked_the_cpu_tells_nothing_until_it_had_it(void **state)
{
    (void)state;
    struct bench bench;
    be_pending_starved(&bench);
    (void)fake_read(&bench.fake);
    want(&bench, "a");
    stop_and_go(&bench, TIMEOUT_MS);
    want(&bench, "a");
    fake_pass(&bench.fake, TIMEOUT_MS - 1);
    want(&bench, "b");
    assert_string_equal(fake_read(&bench.fake), "a=starved a=starved b=starved");
    fake_pass(&bench.fake, 1);
    want(&bench, "a");
    assert_string_equal(fake_read(&bench.fake), "a=timeout");
    bench.fake.wakes = 0;
    fake_pass(&bench.fake, 500);
    stop_and_go(&bench, 1000); // it has been silent when we listened
    want(&bench, "a");
    assert_string_equal(fake_read(&bench.fake), "a=timeout");
    assert_int_equal(bench.fake.wakes, 0);
    close_bench(&bench);
}

// It is on a CPU for a moment now and then, and so has not waited for all of the time.
static void nor_does_one_that_goes_on_too_slowly(void **state)
{
    (void)state;
    struct bench bench;
    be_opening(&bench);
    bench.fake.is_ready = true;
    for (unsigned i = 0; i < TIMEOUT_MS / EFFORT_PERIOD_MS; i++) {
        fake_pass(&bench.fake, EFFORT_PERIOD_MS);
        bench.fake.cpu.used_ns += 1000000;
    }
    fake_pass(&bench.fake, 5000);
    bench.fake.cpu.used_ns += 100000000;
    want(&bench, "a");
    assert_string_equal(fake_read(&bench.fake), "start open-1000 a=starved b=starved a=starved");
    close_bench(&bench);
}

// Nor one that lies stopped for a part of the time, and then lacks the CPU.
static void what_the_process_lost_in_one_way_and_another_adds_up(void **state)
{
    (void)state;
    struct bench bench;
    be_opening(&bench);
    (void)fake_read(&bench.fake);
    bench.fake.is_stopped = true;
    fake_pass(&bench.fake, 400);
    bench.fake.is_stopped = false;
    bench.fake.is_ready = true;
    fake_pass(&bench.fake, 300);
    bench.fake.is_ready = false;
    fake_pass(&bench.fake, TIMEOUT_MS - 700);
    assert_string_equal(fake_read(&bench.fake), "a=crashed b=crashed");
    assert_string_equal(prober_state_name(bench.prober), "pending");
    close_bench(&bench);
}

// What is known of the server is told until the new process has asked; then it may have been
// answered.
static void a_new_attempt_that_would_not_hear_the_answer_says_so(void **state)
{
    (void)state;
    struct bench bench;
    be_pending(&bench);
    fake_pass(&bench.fake, 9000);
    (void)fake_read(&bench.fake);
    bench.fake.is_absent = true;
    want(&bench, "a");
    bench.fake.is_absent = false;
    fake_pass(&bench.fake, 100);
    want(&bench, "a");
    bench.fake.is_ready = true; // as it may have been for long, for nobody has looked
    bench.fake.now = instant_add(bench.fake.now, (struct duration){.ms = 500});
    want(&bench, "a");
    fake_pass(&bench.fake, EFFORT_PERIOD_MS);
    assert_string_equal(fake_read(&bench.fake), "a=timeout a=timeout a=starved");
    close_bench(&bench);
}

// Nor does the same time count twice.
static void the_time_in_which_neither_of_us_ran_counts_once(void **state)
{
    (void)state;
    struct bench bench;
    be_opening(&bench);
    (void)fake_read(&bench.fake);
    fake_pass(&bench.fake, 300);
    bench.fake.now = instant_add(bench.fake.now, (struct duration){.ms = 300});
    bench.fake.cpu.waited_ns = 300000000;
    fake_pass(&bench.fake, TIMEOUT_MS - 600);
    assert_string_equal(fake_read(&bench.fake), "a=timeout b=timeout");
    close_bench(&bench);
}

// Nobody has looked meanwhile: an answer may be there since long ago.
static void nor_does_one_that_is_found_waiting_for_it(void **state)
{
    (void)state;
    struct bench bench;
    be_pending(&bench);
    fake_pass(&bench.fake, 2000);
    (void)fake_read(&bench.fake);
    want(&bench, "a");
    bench.fake.is_ready = true;
    fake_pass(&bench.fake, 2000);
    want(&bench, "b");
    fake_pass(&bench.fake, EFFORT_PERIOD_MS);
    bench.fake.is_ready = false;
    fake_pass(&bench.fake, 2000);
    want(&bench, "c");
    assert_string_equal(fake_read(&bench.fake), "a=timeout b=starved c=timeout");
    close_bench(&bench);
}

// The server may have answered just now. Who asks is told as soon as that is known.
static void one_that_is_found_ready_is_looked_at_again(void **state)
{
    (void)state;
    static const struct {
        void (*be)(struct bench *bench);
        const char *answered, *silent;
    } rows[] = {{be_pending, "run:a-1000", "a=timeout b=timeout"},
                {be_silent, "open-1000", "a=timeout"}}; // what comes too late is asked for anew
    for (size_t i = 0; i < COUNT(rows); i++) {
        for (unsigned answered = 0; answered < 2; answered++) {
            struct bench bench;
            rows[i].be(&bench);
            fake_pass(&bench.fake, 300);
            (void)fake_read(&bench.fake);
            bench.fake.is_ready = true;
            want(&bench, "a");
            fake_pass(&bench.fake, EFFORT_PERIOD_MS - 1);
            if (i == 0)
                want(&bench, "b"); // who comes later does not put it off
            assert_string_equal(fake_read(&bench.fake), "");
            bench.fake.is_ready = false;
            if (answered)
                fake_send_reply(&bench.fake, OUTCOME_OK);
            fake_pass(&bench.fake, 1);
            prober_start_batch(bench.prober);
            assert_string_equal(fake_read(&bench.fake),
                                answered ? rows[i].answered : rows[i].silent);
            close_bench(&bench);
        }
    }
}

// As when it lacks the CPU for a moment while it logs in anew.
static void so_is_one_that_is_measured(void **state)
{
    (void)state;
    for (unsigned lacks = 0; lacks < 2; lacks++) {
        struct bench bench;
        be_pending(&bench);
        fake_pass(&bench.fake, 9000);
        bench.fake.is_ready = true;
        fake_pass(&bench.fake, 2L * EFFORT_PERIOD_MS);
        (void)fake_read(&bench.fake);
        want(&bench, "a");
        fake_pass(&bench.fake, EFFORT_PERIOD_MS - 1);
        assert_string_equal(fake_read(&bench.fake), "");
        bench.fake.is_ready = lacks == 1;
        fake_pass(&bench.fake, 1);
        assert_string_equal(fake_read(&bench.fake), lacks ? "a=starved" : "a=timeout");
        close_bench(&bench);
    }
}

// Another asks after a stall of ours, before the look that was due in it.
static void nobody_puts_the_second_look_off(void **state)
{
    (void)state;
    struct bench bench;
    be_pending(&bench);
    fake_pass(&bench.fake, 300);
    (void)fake_read(&bench.fake);
    bench.fake.is_ready = true;
    want(&bench, "a");
    bench.fake.now = instant_add(bench.fake.now, (struct duration){.ms = 2L * EFFORT_PERIOD_MS});
    want(&bench, "b");
    assert_string_equal(fake_read(&bench.fake), "");
    fake_pass(&bench.fake, 0);
    assert_string_equal(fake_read(&bench.fake), "a=starved b=starved");
    close_bench(&bench);
}

// Its answer may be there.
static void an_attempt_in_doubt_is_not_replaced(void **state)
{
    (void)state;
    for (unsigned answered = 0; answered < 2; answered++) {
        struct bench bench;
        be_pending(&bench);
        fake_pass(&bench.fake, 10000 - TIMEOUT_MS - 20);
        (void)fake_read(&bench.fake);
        bench.fake.is_ready = true;
        want(&bench, "a");
        fake_pass(&bench.fake, EFFORT_PERIOD_MS - 1);
        assert_string_equal(fake_read(&bench.fake), "");
        if (answered)
            fake_send_reply(&bench.fake, OUTCOME_OK);
        fake_pass(&bench.fake, 1);
        assert_string_equal(fake_read(&bench.fake),
                            answered ? "run:a-1000" : "a=starved kill start open-1000");
        close_bench(&bench);
    }
}

// From now on nobody looks: who waits for a look is told.
// It was found ready just then, whether for long or not.
static void nor_is_one_that_may_be_about_to_tell_of_an_answer(void **state)
{
    (void)state;
    for (unsigned answered = 0; answered < 2; answered++) {
        struct bench bench;
        be_pending(&bench);
        fake_pass(&bench.fake, 10000 - TIMEOUT_MS - 1);
        (void)fake_read(&bench.fake);
        bench.fake.is_ready = true;
        fake_pass(&bench.fake, EFFORT_PERIOD_MS);
        assert_string_equal(fake_read(&bench.fake), "");
        if (answered)
            fake_send_reply(&bench.fake, OUTCOME_OK);
        fake_pass(&bench.fake, 1);
        assert_string_equal(fake_read(&bench.fake),
                            answered ? "run:a-1000" : "kill start open-1000");
        close_bench(&bench);
    }
}

// A login that had been silent was replaced, and the CPU was short of late. What is known stands.
static void an_attempt_that_lacked_the_cpu_tells_nothing_new(void **state)
{
    (void)state;
    struct bench bench;
    be_pending(&bench);
    fake_pass(&bench.fake, 10000 - TIMEOUT_MS);
    bench.fake.cpu.waited_ns = 900000000;
    fake_pass(&bench.fake, TIMEOUT_MS);
    (void)fake_read(&bench.fake);
    want(&bench, "a");
    assert_string_equal(fake_read(&bench.fake), "a=timeout");
    close_bench(&bench);
}

// While it would not hear an answer, there is nothing to measure.
static void nothing_is_measured_of_one_that_waits_for_a_cpu(void **state)
{
    (void)state;
    struct bench bench;
    be_pending_starved(&bench);
    bench.fake.is_ready = true;
    (void)fake_read(&bench.fake);
    want(&bench, "a");
    assert_string_equal(fake_read(&bench.fake), "a=starved");
    bench.fake.wakes = 0;
    fake_pass(&bench.fake, TIMEOUT_MS);
    assert_int_equal(bench.fake.wakes, 0);
    close_bench(&bench);
}

static void who_comes_while_a_silence_is_told_is_told_once(void **state)
{
    (void)state;
    struct bench bench;
    be_opening(&bench);
    (void)fake_read(&bench.fake);
    bench.then = job_of(&bench, 'c');
    fake_pass(&bench.fake, TIMEOUT_MS);
    assert_string_equal(fake_read(&bench.fake), "a=timeout c=timeout b=timeout");
    close_bench(&bench);
}

static void one_that_is_dropped_in_doubt_does_not_come_back(void **state)
{
    (void)state;
    struct bench bench;
    be_silent(&bench);
    fake_pass(&bench.fake, 300);
    bench.fake.is_ready = true;
    (void)fake_read(&bench.fake);
    want(&bench, "a");
    happen_drop(&bench);
    prober_start_batch(bench.prober);
    assert_string_equal(fake_read(&bench.fake), "kill");
    close_bench(&bench);
}

static void an_attempt_that_has_had_its_time_ends_all_doubt(void **state)
{
    (void)state;
    struct bench bench;
    be_pending(&bench);
    fake_pass(&bench.fake, 9000 + TIMEOUT_MS - 120);
    bench.fake.is_ready = true;
    fake_pass(&bench.fake, 110);
    (void)fake_read(&bench.fake);
    want(&bench, "a");
    assert_string_equal(fake_read(&bench.fake), "");
    fake_pass(&bench.fake, 10);
    assert_string_equal(fake_read(&bench.fake), "a=starved");
    close_bench(&bench);
}

// It is heard of as somebody asks, who is not asked for twice.
static void an_answer_that_is_there_is_all_that_is_wanted(void **state)
{
    (void)state;
    struct bench bench;
    be_pending(&bench);
    (void)fake_read(&bench.fake);
    fake_send_reply(&bench.fake, OUTCOME_REFUSED);
    want(&bench, "a");
    prober_start_batch(bench.prober);
    assert_string_equal(fake_read(&bench.fake), "a=refused b=refused");
    close_bench(&bench);
}

static void a_loop_that_did_not_turn_tells_nothing_of_the_server(void **state)
{
    (void)state;
    struct bench bench;
    be_opening(&bench);
    (void)fake_read(&bench.fake);
    bench.fake.now = instant_add(bench.fake.now, (struct duration){.ms = TIMEOUT_MS});
    fake_pass(&bench.fake, 0);
    assert_string_equal(fake_read(&bench.fake), "a=starved b=starved");
    close_bench(&bench);
}

static void a_process_that_is_slow_to_start_has_its_time(void **state)
{
    (void)state;
    struct bench bench;
    be_opening(&bench);
    (void)fake_read(&bench.fake);
    bench.fake.is_absent = true;
    fake_pass(&bench.fake, TIMEOUT_MS);
    want(&bench, "a");
    assert_string_equal(fake_read(&bench.fake), "a=starved b=starved a=starved");
    fake_pass(&bench.fake, 4000 - 1);
    assert_string_equal(fake_read(&bench.fake), "");
    fake_pass(&bench.fake, 1);
    assert_string_equal(fake_read(&bench.fake), "kill a=crashed b=crashed");
    assert_string_equal(prober_state_name(bench.prober), "idle");
    close_bench(&bench);
}

// It came after 3 s, or between two looks; and the server has not been asked for long.
static void one_whose_check_has_more_time_than_that_has_no_more(void **state)
{
    (void)state;
    struct bench bench;
    open_bench(&bench, false);
    bench.checks[0].timeout.ms = 6000;
    start(&bench, "a");
    (void)fake_read(&bench.fake);
    bench.fake.is_absent = true;
    fake_pass(&bench.fake, 5999);
    assert_string_equal(fake_read(&bench.fake), "");
    fake_pass(&bench.fake, 1);
    assert_string_equal(fake_read(&bench.fake), "kill a=crashed");
    close_bench(&bench);
}

static void a_process_that_came_late_is_not_the_servers_silence(void **state)
{
    (void)state;
    struct bench bench;
    be_opening(&bench);
    (void)fake_read(&bench.fake);
    bench.fake.is_absent = true;
    fake_pass(&bench.fake, 3000);
    bench.fake.is_absent = false;
    fake_pass(&bench.fake, 500);
    want(&bench, "a");
    assert_string_equal(fake_read(&bench.fake), "a=starved b=starved a=starved");
    fake_pass(&bench.fake, 6500 - 1);
    want(&bench, "a");
    assert_string_equal(fake_read(&bench.fake), "a=timeout"); // it has been asked for longer
    fake_pass(&bench.fake, 1);
    assert_string_equal(fake_read(&bench.fake), "kill start open-1000");
    close_bench(&bench);
}

// --- runs that stay unanswered

static void a_silent_run_tells_of_the_server_as_it_is_now(void **state)
{
    (void)state;
    struct bench bench;
    be_silent(&bench);
    (void)fake_read(&bench.fake);
    fake_pass(&bench.fake, 700);
    want(&bench, "a");
    assert_string_equal(fake_read(&bench.fake), "a=timeout");
    assert_int_equal(bench.told.started.ns, bench.fake.now.ns);
    assert_int_equal(bench.told.silent.ms, TIMEOUT_MS + 700);
    bench.fake.is_stopped = true; // stopped: nobody would hear the answer
    want(&bench, "a");
    assert_string_equal(fake_read(&bench.fake), "a=crashed");
    close_bench(&bench);
}

static void an_unanswered_check_is_run_ever_more_seldom(void **state)
{
    (void)state;
    static const int64_t waits[] = {1000, 2000, 4000, 8000, 16000, 30000, 30000};
    struct bench bench;
    be_silent(&bench);
    for (size_t i = 0; i < COUNT(waits); i++) {
        (void)fake_read(&bench.fake);
        fake_pass(&bench.fake, waits[i] - 1);
        want(&bench, "a");
        assert_string_equal(fake_read(&bench.fake), "a=timeout");
        fake_pass(&bench.fake, 1);
        start(&bench, "a");
        assert_string_equal(fake_read(&bench.fake), "kill start open-1000");
        fake_reply(&bench.fake, OUTCOME_OK);
        fake_pass(&bench.fake, TIMEOUT_MS);
        assert_string_equal(fake_read(&bench.fake), "run:a-1000-last a=timeout");
    }
    assert_int_equal(bench.statistics.kills, COUNT(waits));
    close_bench(&bench);
}

static void an_answer_too_late_to_be_told_ends_the_silence(void **state)
{
    (void)state;
    struct bench bench;
    be_silent(&bench);
    (void)fake_read(&bench.fake);
    fake_send_reply(&bench.fake, OUTCOME_OK);
    start(&bench, "a");
    assert_string_equal(fake_read(&bench.fake), "open-1000");
    assert_int_equal(bench.statistics.kills, 0);
    close_bench(&bench);
}

// Where another check needs the process.
static void a_check_held_back_is_unknown_if_the_server_lets_us_in(void **state)
{
    (void)state;
    struct bench bench;
    be_running(&bench);
    fake_pass(&bench.fake, TIMEOUT_MS); // a is held back for a second
    answer_all(&bench);
    (void)fake_read(&bench.fake);
    fake_pass(&bench.fake, 300);
    start(&bench, "ab");
    answer_all(&bench);
    assert_string_equal(fake_read(&bench.fake), "open-1000 a=unknown run:b-1000-last b=ok");
    start(&bench, "a");
    fake_reply(&bench.fake, OUTCOME_OK);
    assert_string_equal(fake_read(&bench.fake), "open-1000 a=unknown close-200");
    assert_int_equal(bench.told.held.ms, 700);
    assert_int_equal(bench.told.silent.ms, TIMEOUT_MS + 300);
    assert_int_equal(bench.told.started.ns, bench.fake.now.ns);
    answer_all(&bench);
    start(&bench, "a");
    fake_reply(&bench.fake, OUTCOME_REFUSED);
    assert_string_equal(fake_read(&bench.fake), "open-1000 a=refused");
    fake_pass(&bench.fake, 700);
    start(&bench, "a");
    answer_all(&bench);
    assert_string_equal(fake_read(&bench.fake), "open-1000 run:a-1000-last a=ok");
    close_bench(&bench);
}

static void a_kept_connection_tells_nothing_of_a_check_that_does_not_run(void **state)
{
    (void)state;
    struct bench bench;
    be_running_kept(&bench);
    fake_pass(&bench.fake, TIMEOUT_MS);
    answer_all(&bench);
    (void)fake_read(&bench.fake);
    start(&bench, "a"); // as of now: only a login tells
    fake_reply(&bench.fake, OUTCOME_OK);
    assert_string_equal(fake_read(&bench.fake), "open-1000 a=unknown");
    assert_string_equal(prober_state_name(bench.prober), "idle");
    start(&bench, "u");
    fake_reply(&bench.fake, OUTCOME_OK);
    assert_string_equal(fake_read(&bench.fake), "open-1000 u=skipped");
    start(&bench, "bu");
    answer_all(&bench);
    assert_string_equal(fake_read(&bench.fake), "run:b-1000 b=ok u=skipped");
    close_bench(&bench);
}

// It may have taken effect before the connection was lost.
static void what_may_write_is_not_run_again(void **state)
{
    (void)state;
    struct bench bench;
    be_kept(&bench);
    bench.checks[0].writes = true;
    (void)fake_read(&bench.fake);
    start(&bench, "a");
    fake_reply(&bench.fake, OUTCOME_OK);
    fake_reply(&bench.fake, OUTCOME_LOST);
    assert_string_equal(fake_read(&bench.fake), "open-1000 run:a-1000 a=lost close-200");
    close_bench(&bench);
}

static void a_run_whose_process_died_is_not_held_back(void **state)
{
    (void)state;
    struct bench bench;
    be_silent(&bench);
    fake_die(&bench.fake);
    (void)fake_read(&bench.fake);
    start(&bench, "a");
    answer_all(&bench);
    assert_string_equal(fake_read(&bench.fake), "start open-1000 run:a-1000-last a=ok");
    close_bench(&bench);
}

static void our_own_fault_holds_no_check_back(void **state)
{
    (void)state;
    struct bench bench;
    be_running(&bench);
    bench.fake.cpu.waited_ns = 900000000;
    (void)fake_read(&bench.fake);
    fake_pass(&bench.fake, TIMEOUT_MS);
    answer_all(&bench);
    start(&bench, "a");
    answer_all(&bench);
    assert_string_equal(fake_read(&bench.fake), "kill a=starved start open-1000 run:b-1000-last "
                                                "b=ok open-1000 run:a-1000-last a=ok");
    close_bench(&bench);
}

// The server ends a statement at its limit, which goes by while we do not send the rest of it.
static void a_limit_that_we_have_let_pass_is_our_own_fault(void **state)
{
    (void)state;
    static const struct {
        int64_t waited_ms, stopped_ms, idle_ms;
        const char *told;
    } rows[] = {
        {0, 0, 900, "a=query_timeout"},   {600, 0, 300, "a=starved"},
        {0, 600, 300, "a=starved"},       {300, 0, 600, "a=query_timeout"},
        {0, 300, 600, "a=query_timeout"}, {300, 300, 300, "a=starved"},
        {200, 100, 0, "a=query_timeout"}, // it was the limit of another
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct bench bench;
        be_running_last(&bench);
        (void)fake_read(&bench.fake);
        bench.fake.is_stopped = rows[i].stopped_ms > 0;
        fake_pass(&bench.fake, rows[i].stopped_ms);
        bench.fake.is_stopped = false;
        bench.fake.cpu.waited_ns = rows[i].waited_ms * 1000000;
        fake_pass(&bench.fake, rows[i].waited_ms + rows[i].idle_ms);
        fake_reply(&bench.fake, OUTCOME_QUERY_TIMEOUT);
        assert_string_equal(fake_read(&bench.fake), rows[i].told);
        close_bench(&bench);
    }
}

// --- what a request is told of a check that is not done

static void what_is_in_the_way_is_named(void **state)
{
    (void)state;
    struct bench bench;
    be_opening(&bench);
    fake_pass(&bench.fake, 600);
    struct unfinished second = prober_explain(bench.prober, job_of(&bench, 'b'));
    assert_int_equal(second.outcome, OUTCOME_TIMEOUT);
    assert_int_equal(second.ran.ms, 600);
    want(&bench, "c"); // which needs the same login
    assert_int_equal(prober_explain(bench.prober, job_of(&bench, 'c')).outcome, OUTCOME_TIMEOUT);
    assert_true(prober_drop(bench.prober, job_of(&bench, 'c')));
    fake_reply(&bench.fake, OUTCOME_OK);
    second = prober_explain(bench.prober, job_of(&bench, 'b'));
    assert_int_equal(second.outcome, OUTCOME_UNKNOWN);
    assert_string_equal(second.ahead->name, "a");
    struct unfinished first = prober_explain(bench.prober, job_of(&bench, 'a'));
    assert_int_equal(first.outcome, OUTCOME_TIMEOUT);
    fake_reply(&bench.fake, OUTCOME_OK);
    fake_reply(&bench.fake, OUTCOME_OK);
    assert_null(prober_explain(bench.prober, job_of(&bench, 'b')).ahead);
    close_bench(&bench);
}

// Whom it was made for is gone.
static void a_login_goes_on_for_others(void **state)
{
    (void)state;
    struct bench bench;
    be_opening(&bench);
    happen_drop(&bench);
    happen_drop_other(&bench);
    want(&bench, "c");
    fake_pass(&bench.fake, 600);
    assert_int_equal(prober_explain(bench.prober, job_of(&bench, 'c')).outcome, OUTCOME_TIMEOUT);
    (void)fake_read(&bench.fake);
    fake_reply(&bench.fake, OUTCOME_OK);
    prober_start_batch(bench.prober);
    assert_string_equal(fake_read(&bench.fake), "close-200");
    close_bench(&bench);
}

// For what was known when the request came and has aged since.
static void what_a_pending_login_has_shown_is_told_of_what_has_aged(void **state)
{
    (void)state;
    struct bench bench;
    be_pending_starved(&bench);
    want(&bench, "a");
    fake_pass(&bench.fake, TIMEOUT_MS / 2);
    assert_int_equal(prober_explain(bench.prober, job_of(&bench, 'a')).outcome, OUTCOME_STARVED);
    fake_pass(&bench.fake, TIMEOUT_MS / 2);
    assert_int_equal(prober_explain(bench.prober, job_of(&bench, 'a')).outcome, OUTCOME_TIMEOUT);
    assert_int_equal(prober_explain(bench.prober, job_of(&bench, 'b')).outcome, OUTCOME_TIMEOUT);
    close_bench(&bench);
}

// More than half of the time that has passed, though it may go on for longer.
static void too_little_cpu_so_far_is_no_silence_of_the_server(void **state)
{
    (void)state;
    struct bench bench;
    be_opening(&bench);
    fake_pass(&bench.fake, 600);
    bench.fake.cpu.waited_ns = 400000000;
    assert_int_equal(prober_explain(bench.prober, job_of(&bench, 'a')).outcome, OUTCOME_STARVED);
    close_bench(&bench);
}

// --- the process

static void a_prober_that_fails_is_started_ever_more_seldom(void **state)
{
    (void)state;
    static const int64_t waits[] = {0, 100, 200, 400, 800, 1600, 3200, 6400, 10000, 10000, 10000};
    struct bench bench;
    open_bench(&bench, false);
    bench.fake.cannot_start = true;
    for (size_t i = 0; i < COUNT(waits); i++) {
        start(&bench, "a");
        assert_string_equal(fake_read(&bench.fake), "no-start a=crashed");
        assert_int_equal(prober_is_beyond_help(bench.prober), i == 10);
        if (waits[i] > 0) {
            fake_pass(&bench.fake, waits[i] - 1);
            want(&bench, "a");
            assert_string_equal(fake_read(&bench.fake), "a=crashed");
            assert_int_equal(bench.told.started.ns, bench.fake.now.ns);
            fake_pass(&bench.fake, 1);
        }
    }
    bench.fake.cannot_start = false;
    start(&bench, "a");
    fake_reply(&bench.fake, OUTCOME_DENIED);
    assert_false(prober_is_beyond_help(bench.prober));
    close_bench(&bench);
}

static void nobody_is_killed_for_what_others_say(void **state)
{
    (void)state;
    struct bench bench;
    open_bench_of(&bench, ENGINE_PEERS, false);
    bench.fake.cannot_start = true;
    for (size_t i = 0; i < 20; i++) {
        start(&bench, "a");
        assert_string_equal(fake_read(&bench.fake), "no-start a=crashed");
        assert_false(prober_is_beyond_help(bench.prober));
        fake_pass(&bench.fake, 10000);
    }
    close_bench(&bench);
}

static void a_process_that_takes_no_calls_is_a_failure(void **state)
{
    (void)state;
    struct bench bench;
    open_bench(&bench, false);
    bench.fake.calls_not_taken = 1;
    start(&bench, "ab");
    assert_string_equal(fake_read(&bench.fake), "start no-call kill a=crashed b=crashed");
    assert_int_equal(bench.statistics.crashes, 1);
    close_bench(&bench);
}

// As if it had died a moment later.
static void one_that_takes_no_run_costs_the_others_nothing(void **state)
{
    (void)state;
    struct bench bench;
    be_opening(&bench);
    bench.fake.calls_not_taken = 1;
    answer_all(&bench);
    assert_string_equal(fake_read(&bench.fake), "start open-1000 no-call kill a=crashed start "
                                                "open-1000 run:b-1000-last b=ok");
    close_bench(&bench);
}

// As one that was killed, and of which the supervisor has not told yet.
static void one_that_has_died_at_rest_is_replaced(void **state)
{
    (void)state;
    struct bench bench;
    be_idle_again(&bench);
    (void)fake_read(&bench.fake);
    bench.fake.calls_not_taken = 1;
    start(&bench, "a");
    assert_string_equal(fake_read(&bench.fake), "no-call kill start open-1000");
    bench.fake.calls_not_taken = 2;
    answer_all(&bench);
    assert_string_equal(fake_read(&bench.fake), "no-call kill a=crashed");
    start(&bench, "a");
    assert_string_equal(fake_read(&bench.fake), "start no-call kill a=crashed");
    close_bench(&bench);
}

// At rest one may, as the one that asks peers when its files have become others.
static void one_that_leaves_is_no_failure(void **state)
{
    (void)state;
    struct bench bench;
    be_idle_again(&bench);
    fake_leave(&bench.fake);
    assert_int_equal(bench.statistics.crashes, 0);
    start(&bench, "a");
    (void)fake_read(&bench.fake);
    fake_leave(&bench.fake);
    assert_string_equal(fake_read(&bench.fake), "a=crashed");
    assert_int_equal(bench.statistics.crashes, 1);
    close_bench(&bench);
}

static void what_cannot_be_started_is_told_once(void **state)
{
    (void)state;
    struct bench bench;
    open_bench(&bench, false);
    bench.fake.cannot_start = true;
    start(&bench, "a");
    bench.fake.cannot_start = false;
    start(&bench, "a");
    want(&bench, "c");
    fake_die(&bench.fake);
    (void)fake_read(&bench.fake);
    start(&bench, "c");
    assert_string_equal(fake_read(&bench.fake), "c=crashed");
    close_bench(&bench);
}

static void a_secret_that_is_refused_is_not_kept_open_for(void **state)
{
    (void)state;
    struct bench bench;
    open_bench(&bench, true);
    start(&bench, "a");
    fake_say(&bench.fake, (struct reply){.sequence = bench.fake.process.call.sequence,
                                         .verb = VERB_OPEN,
                                         .outcome = OUTCOME_OK,
                                         .trial = TRIAL_REFUSED,
                                         .secret = 7});
    fake_reply(&bench.fake, OUTCOME_OK);
    assert_string_equal(fake_read(&bench.fake), "start open-1000 run:a-1000-last a=ok");
    assert_true(bench.told.refused);
    start(&bench, "a");
    assert_int_equal(bench.fake.process.call.withheld, 7);
    close_bench(&bench);
}

// The question goes with an open, once a minute, and the answer holds until the next one.
static void whether_the_user_is_a_superuser_is_asked_once_a_minute(void **state)
{
    (void)state;
    struct bench bench;
    open_bench(&bench, false);
    for (unsigned i = 0; i < 100; i++) {
        start(&bench, "a");
        bool asked = bench.fake.process.call.inspect;
        assert_int_equal(asked, i % 61 == 0);
        fake_pass(&bench.fake, 2); // the minute may pass in mid-open
        fake_say(&bench.fake, (struct reply){.sequence = bench.fake.process.call.sequence,
                                             .verb = VERB_OPEN,
                                             .superuser = asked});
        fake_reply(&bench.fake, OUTCOME_OK);
        assert_true(bench.told.superuser);
        fake_pass(&bench.fake, 998);
    }
    close_bench(&bench);
}

static void open_in(struct bench *bench, const char *sandbox)
{
    struct reply reply = {.verb = VERB_OPEN};
    (void)snprintf(reply.sandbox, sizeof reply.sandbox, "%s", sandbox);
    start(bench, "a");
    reply.sequence = bench->fake.process.call.sequence;
    fake_say(&bench->fake, reply);
    fake_reply(&bench->fake, OUTCOME_OK);
}

// Of the prober's, what is not as the server's own.
static void a_sandbox_that_differs_is_told(void **state)
{
    (void)state;
    struct bench bench;
    open_bench(&bench, false);
    (void)snprintf(bench.fake.platform.sandbox, sizeof bench.fake.platform.sandbox, "on");
    assert_null(prober_sandbox(bench.prober));
    open_in(&bench, "on");
    assert_null(prober_sandbox(bench.prober));
    open_in(&bench, "off: why");
    assert_string_equal(prober_sandbox(bench.prober), "off: why");
    open_in(&bench, "on");
    assert_null(prober_sandbox(bench.prober));
    close_bench(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_event_in_each_state),
        cmocka_unit_test(requested_checks_go_first_then_who_came_first),
        cmocka_unit_test(a_request_for_a_check_in_the_batch_is_next),
        cmocka_unit_test(a_request_for_a_check_in_the_queue_moves_it_up),
        cmocka_unit_test(a_check_that_nobody_waits_for_any_more_is_a_background_one),
        cmocka_unit_test(a_request_that_comes_during_a_background_login_shares_it),
        cmocka_unit_test(what_does_not_run_is_in_no_requests_way),
        cmocka_unit_test(a_request_is_next_after_a_kill_too),
        cmocka_unit_test(a_request_is_next_after_a_kept_connection_was_dead_too),
        cmocka_unit_test(background_checks_go_on_while_nobody_waits),
        cmocka_unit_test(what_is_wanted_while_something_is_told_is_run),
        cmocka_unit_test(a_batch_goes_on_on_another_connection_after_a_kill),
        cmocka_unit_test(a_check_that_moves_up_has_all_its_time),
        cmocka_unit_test(a_check_not_meant_for_the_server_costs_the_next_one_no_time),
        cmocka_unit_test(a_pending_open_is_replaced_ever_more_seldom),
        cmocka_unit_test(no_request_waits_for_what_a_pending_open_has_in_its_batch),
        cmocka_unit_test(nothing_wakes_between_an_attempt_and_its_replacement),
        cmocka_unit_test(what_is_wanted_when_a_pending_login_is_answered_runs),
        cmocka_unit_test(a_pending_login_that_nobody_needs_is_not_replaced),
        cmocka_unit_test(nothing_wakes_without_a_batch),
        cmocka_unit_test(an_answer_that_is_there_counts_before_a_new_timeout),
        cmocka_unit_test(a_new_attempt_says_nothing_before_its_time),
        cmocka_unit_test(a_prober_that_waits_for_the_cpu_tells_nothing_of_the_server),
        cmocka_unit_test(a_login_that_lacked_the_cpu_tells_nothing_until_it_had_it),
        cmocka_unit_test(nor_does_one_that_goes_on_too_slowly),
        cmocka_unit_test(what_the_process_lost_in_one_way_and_another_adds_up),
        cmocka_unit_test(a_new_attempt_that_would_not_hear_the_answer_says_so),
        cmocka_unit_test(the_time_in_which_neither_of_us_ran_counts_once),
        cmocka_unit_test(nor_does_one_that_is_found_waiting_for_it),
        cmocka_unit_test(one_that_is_found_ready_is_looked_at_again),
        cmocka_unit_test(so_is_one_that_is_measured),
        cmocka_unit_test(nobody_puts_the_second_look_off),
        cmocka_unit_test(an_attempt_in_doubt_is_not_replaced),
        cmocka_unit_test(nor_is_one_that_may_be_about_to_tell_of_an_answer),
        cmocka_unit_test(an_attempt_that_lacked_the_cpu_tells_nothing_new),
        cmocka_unit_test(nothing_is_measured_of_one_that_waits_for_a_cpu),
        cmocka_unit_test(who_comes_while_a_silence_is_told_is_told_once),
        cmocka_unit_test(one_that_is_dropped_in_doubt_does_not_come_back),
        cmocka_unit_test(an_attempt_that_has_had_its_time_ends_all_doubt),
        cmocka_unit_test(an_answer_that_is_there_is_all_that_is_wanted),
        cmocka_unit_test(a_loop_that_did_not_turn_tells_nothing_of_the_server),
        cmocka_unit_test(a_process_that_is_slow_to_start_has_its_time),
        cmocka_unit_test(one_whose_check_has_more_time_than_that_has_no_more),
        cmocka_unit_test(a_process_that_came_late_is_not_the_servers_silence),
        cmocka_unit_test(a_silent_run_tells_of_the_server_as_it_is_now),
        cmocka_unit_test(an_unanswered_check_is_run_ever_more_seldom),
        cmocka_unit_test(an_answer_too_late_to_be_told_ends_the_silence),
        cmocka_unit_test(a_check_held_back_is_unknown_if_the_server_lets_us_in),
        cmocka_unit_test(a_kept_connection_tells_nothing_of_a_check_that_does_not_run),
        cmocka_unit_test(what_may_write_is_not_run_again),
        cmocka_unit_test(a_run_whose_process_died_is_not_held_back),
        cmocka_unit_test(our_own_fault_holds_no_check_back),
        cmocka_unit_test(a_limit_that_we_have_let_pass_is_our_own_fault),
        cmocka_unit_test(what_is_in_the_way_is_named),
        cmocka_unit_test(a_login_goes_on_for_others),
        cmocka_unit_test(what_a_pending_login_has_shown_is_told_of_what_has_aged),
        cmocka_unit_test(too_little_cpu_so_far_is_no_silence_of_the_server),
        cmocka_unit_test(a_prober_that_fails_is_started_ever_more_seldom),
        cmocka_unit_test(nobody_is_killed_for_what_others_say),
        cmocka_unit_test(a_process_that_takes_no_calls_is_a_failure),
        cmocka_unit_test(one_that_takes_no_run_costs_the_others_nothing),
        cmocka_unit_test(one_that_has_died_at_rest_is_replaced),
        cmocka_unit_test(one_that_leaves_is_no_failure),
        cmocka_unit_test(what_cannot_be_started_is_told_once),
        cmocka_unit_test(a_secret_that_is_refused_is_not_kept_open_for),
        cmocka_unit_test(whether_the_user_is_a_superuser_is_asked_once_a_minute),
        cmocka_unit_test(a_sandbox_that_differs_is_told),
    };
    log_configure(LOG_FORMAT_LOGFMT, LOG_ERROR + 1); // which of them says nothing
    return RUN(tests);
}
