// Which check runs when, and what requests are told: on a prober of a platform whose time stands
// still until it is told to go on, see fake_platform.h. An answer to a request is written down as
// "(a=OUTCOME b=OUTCOME)".
#include "server/probing/scheduler.h"

#include "common/memory.h"
#include "server/base/log.h"

#include "fake_config.h"
#include "fake_platform.h"
#include "unit.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { CHECKS_MAX = 4, DEADLINE_MS = 900, TIMEOUT_MS = 800, CACHE_MS = 2000 };

struct bench {
    struct fake fake;
    struct statistics *statistics;
    struct config *config;
    struct scheduler *scheduler;
    struct check_view view; // the first of the latest answer
};

// Checks a, b, c ... on the prober "main".
static struct config *config_of(size_t count)
{
    struct check *checks[CHECKS_MAX];
    for (size_t i = 0; i < count; i++)
        checks[i] = fake_check((char[]){(char)('a' + i), '\0'}, TIMEOUT_MS, CACHE_MS);
    return fake_config(checks, count);
}

// Takes the configuration over.
static void open_with(struct bench *bench, struct config *config)
{
    memset(bench, 0, sizeof *bench);
    fake_open(&bench->fake);
    bench->statistics = statistics_new(0);
    bench->config = config;
    bench->scheduler = scheduler_new(&bench->fake.platform, config,
                                     (struct duration){.ms = DEADLINE_MS}, bench->statistics);
}

static void open_bench(struct bench *bench, size_t count)
{
    open_with(bench, config_of(count));
}

static void close_bench(struct bench *bench)
{
    if (bench->scheduler != NULL)
        scheduler_end(bench->scheduler);
    config_release(bench->config);
    statistics_free(bench->statistics);
    assert_int_equal(alarms_next(&bench->fake.platform.alarms).ns, INT64_MAX);
    fake_close(&bench->fake);
}

static void on_views(void *context, struct check_view *views, size_t count)
{
    struct bench *bench = context;
    char word[256];
    struct text text = text_in(word, sizeof word);
    for (size_t i = 0; i < count; i++)
        text_addf(&text, "%s%s=%s", i == 0 ? "(" : " ", views[i].check->name,
                  outcome_info(views[i].judgement.outcome)->code);
    text_add(&text, ")");
    fake_write(&bench->fake, word);
    bench->view = views[0];
}

// For checks by their names. Then nothing more is to be done before the loop waits.
static void ask(struct bench *bench, const char *names)
{
    size_t checks[CHECKS_MAX];
    size_t count = 0;
    for (; names[count] != '\0'; count++)
        checks[count] = (size_t)(names[count] - 'a');
    scheduler_ask(bench->scheduler, checks, count, on_views, bench);
    platform_before_wait(&bench->fake.platform);
}

static void reply(struct bench *bench, enum outcome outcome)
{
    fake_reply(&bench->fake, outcome);
    platform_before_wait(&bench->fake.platform);
}

// Time goes by; what falls due is begun.
static void pass(struct bench *bench, int64_t ms)
{
    fake_pass(&bench->fake, ms);
    platform_before_wait(&bench->fake.platform);
}

// Takes another configuration over.
static void reload(struct bench *bench, struct config *config)
{
    scheduler_reload(bench->scheduler, config);
    config_release(bench->config);
    bench->config = config;
    platform_before_wait(&bench->fake.platform);
}

// Standard output and error as a file, from begin_log to end_log.
struct capture {
    int out, error, file;
};

static struct capture begin_log(void)
{
    (void)fflush(stdout);
    struct capture capture = {.out = dup(STDOUT_FILENO),
                              .error = dup(STDERR_FILENO),
                              .file = memfd_create("log", MFD_CLOEXEC)};
    assert_true(capture.file >= 0);
    assert_true(dup2(capture.file, STDOUT_FILENO) >= 0);
    assert_true(dup2(capture.file, STDERR_FILENO) >= 0);
    log_configure(LOG_FORMAT_LOGFMT, LOG_INFO);
    return capture;
}

// How many bytes were logged.
static off_t end_log(const struct capture *capture)
{
    log_configure(LOG_FORMAT_LOGFMT, LOG_ERROR + 1);
    off_t length = lseek(capture->file, 0, SEEK_END);
    (void)dup2(capture->out, STDOUT_FILENO);
    (void)dup2(capture->error, STDERR_FILENO);
    close(capture->out);
    close(capture->error);
    close(capture->file);
    return length;
}

#define EXPECT(bench_, words_) assert_string_equal(fake_read(&(bench_)->fake), words_)

// --- caches

static void a_result_serves_until_its_cache_is_over(void **state)
{
    (void)state;
    struct bench bench;
    open_bench(&bench, 1);
    ask(&bench, "a");
    reply(&bench, OUTCOME_OK);
    reply(&bench, OUTCOME_OK);
    EXPECT(&bench, "start open-800 run:a-800-last (a=ok)");
    pass(&bench, CACHE_MS);
    ask(&bench, "a");
    EXPECT(&bench, "(a=ok)");
    bench.fake.now.ns++;
    ask(&bench, "a");
    EXPECT(&bench, "open-800");
    const uint64_t *uses = bench.statistics->cache_uses;
    assert_int_equal(uses[CACHE_HIT], 1);
    assert_int_equal(uses[CACHE_MISS], 2);
    close_bench(&bench);
}

// A result's age counts from the start of its run.
static void a_slow_run_is_old_when_it_ends(void **state)
{
    (void)state;
    struct bench bench;
    open_bench(&bench, 1);
    ask(&bench, "a");
    pass(&bench, 300);
    reply(&bench, OUTCOME_OK);
    pass(&bench, 300);
    reply(&bench, OUTCOME_OK);
    (void)fake_read(&bench.fake);
    pass(&bench, CACHE_MS - 600);
    ask(&bench, "a");
    EXPECT(&bench, "(a=ok)");
    assert_int_equal(bench.view.took.ms, 600);
    pass(&bench, 1);
    ask(&bench, "a");
    EXPECT(&bench, "open-800");
    close_bench(&bench);
}

static void silence_and_our_own_faults_serve_for_the_common_cache_only(void **state)
{
    (void)state;
    static const struct {
        enum outcome outcome;
        bool long_; // for all of the check's own
    } rows[] = {{OUTCOME_REFUSED, false},    {OUTCOME_LOST, false},     {OUTCOME_STARVED, false},
                {OUTCOME_CRASHED, false},    {OUTCOME_TOO_LARGE, true}, {OUTCOME_DENIED, true},
                {OUTCOME_SERVER_ERROR, true}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct bench bench;
        struct check *check = fake_check("a", TIMEOUT_MS, 3600000);
        open_with(&bench, fake_config(&check, 1));
        ask(&bench, "a");
        reply(&bench, rows[i].outcome);
        (void)fake_read(&bench.fake);
        pass(&bench, CACHE_MS);
        ask(&bench, "a");
        (void)fake_read(&bench.fake);
        pass(&bench, 1);
        ask(&bench, "a");
        bool ran = strstr(fake_read(&bench.fake), "open") != NULL;
        assert_int_equal(ran, !rows[i].long_);
        close_bench(&bench);
    }
}

static void all_who_ask_share_one_run(void **state)
{
    (void)state;
    struct bench bench;
    open_bench(&bench, 1);
    ask(&bench, "a");
    ask(&bench, "a");
    reply(&bench, OUTCOME_OK);
    ask(&bench, "a");
    reply(&bench, OUTCOME_OK);
    EXPECT(&bench, "start open-800 run:a-800-last (a=ok) (a=ok) (a=ok)");
    assert_int_equal(bench.statistics->cache_uses[CACHE_JOIN], 2);
    close_bench(&bench);
}

// --- deadlines of requests

static void a_request_is_answered_at_its_deadline(void **state)
{
    (void)state;
    struct bench bench;
    struct check *check = fake_check("a", 5000, CACHE_MS);
    open_with(&bench, fake_config(&check, 1));
    ask(&bench, "a");
    reply(&bench, OUTCOME_OK);
    (void)fake_read(&bench.fake);
    pass(&bench, DEADLINE_MS - 1);
    EXPECT(&bench, "");
    pass(&bench, 1);
    EXPECT(&bench, "(a=timeout)");
    assert_false(bench.view.dated);
    assert_string_equal(bench.view.judgement.reason, "no answer for 900 ms");
    reply(&bench, OUTCOME_OK); // the run goes on to its own end
    ask(&bench, "a");
    EXPECT(&bench, "(a=ok)");
    close_bench(&bench);
}

static void a_check_that_is_not_reached_is_unknown(void **state)
{
    (void)state;
    struct bench bench;
    struct check *checks[] = {fake_check("a", 5000, CACHE_MS), fake_check("b", 5000, CACHE_MS)};
    open_with(&bench, fake_config(checks, 2));
    ask(&bench, "ba");
    reply(&bench, OUTCOME_OK);
    (void)fake_read(&bench.fake);
    pass(&bench, 600);
    reply(&bench, OUTCOME_OK);
    pass(&bench, 300);
    EXPECT(&bench, "run:a-5000-last (b=ok a=unknown)");
    ask(&bench, "a");
    pass(&bench, DEADLINE_MS);
    EXPECT(&bench, "(a=timeout)");
    close_bench(&bench);
    open_bench(&bench, 2);
    ask(&bench, "ab");
    reply(&bench, OUTCOME_OK);
    pass(&bench, 700);
    ask(&bench, "b");
    pass(&bench, 100); // a is killed, and b is tried on another connection
    pass(&bench, 100);
    EXPECT(&bench, "start open-800 run:a-800 kill start open-800 (a=timeout b=unknown)");
    close_bench(&bench);
}

static void an_answer_that_is_there_counts_at_the_deadline(void **state)
{
    (void)state;
    struct bench bench;
    struct check *check = fake_check("a", 5000, CACHE_MS);
    open_with(&bench, fake_config(&check, 1));
    ask(&bench, "a");
    reply(&bench, OUTCOME_OK);
    (void)fake_read(&bench.fake);
    fake_send_reply(&bench.fake, OUTCOME_OK);
    pass(&bench, DEADLINE_MS);
    EXPECT(&bench, "(a=ok)");
    close_bench(&bench);
}

// It waited for another one, and its own result has grown too old.
static void what_has_aged_meanwhile_is_not_told_at_the_deadline(void **state)
{
    (void)state;
    struct bench bench;
    struct check *checks[] = {fake_check("a", TIMEOUT_MS, CACHE_MS),
                              fake_check("b", 5000, CACHE_MS)};
    open_with(&bench, fake_config(checks, 2));
    ask(&bench, "a");
    reply(&bench, OUTCOME_OK);
    reply(&bench, OUTCOME_OK);
    pass(&bench, CACHE_MS - 100);
    ask(&bench, "ab");
    (void)fake_read(&bench.fake);
    pass(&bench, DEADLINE_MS);
    EXPECT(&bench, "(a=unknown b=timeout)");
    close_bench(&bench);
}

static void what_has_aged_meanwhile_is_asked_for_again(void **state)
{
    (void)state;
    struct bench bench;
    open_bench(&bench, 2);
    ask(&bench, "a");
    reply(&bench, OUTCOME_OK);
    reply(&bench, OUTCOME_OK);
    pass(&bench, CACHE_MS - 100);
    ask(&bench, "ab");
    pass(&bench, 200);
    (void)fake_read(&bench.fake);
    reply(&bench, OUTCOME_OK);
    reply(&bench, OUTCOME_OK);
    EXPECT(&bench, "run:b-600-last open-800");
    reply(&bench, OUTCOME_OK);
    reply(&bench, OUTCOME_FAILED);
    EXPECT(&bench, "run:a-800-last (a=failed b=ok)");
    close_bench(&bench);
}

// A command gives the scheduler a deadline that is not the configuration's.
static void a_run_has_begun_for_the_deadline_that_requests_have(void **state)
{
    (void)state;
    struct bench bench;
    struct check *check = fake_check("a", 5000, CACHE_MS);
    open_with(&bench, fake_config(&check, 1));
    bench.config->settings.deadline.ms = 3 * DEADLINE_MS;
    ask(&bench, "a");
    reply(&bench, OUTCOME_OK);
    pass(&bench, DEADLINE_MS);
    EXPECT(&bench, "start open-5000 run:a-5000-last (a=timeout)");
    close_bench(&bench);
}

static void all_are_answered_at_the_end(void **state)
{
    (void)state;
    struct bench bench;
    open_bench(&bench, 2);
    ask(&bench, "a");
    ask(&bench, "b");
    pass(&bench, 500);
    scheduler_end(bench.scheduler);
    bench.scheduler = NULL;
    EXPECT(&bench, "start open-800 (a=timeout) (b=timeout) end");
    close_bench(&bench);
}

// --- checks that run without a request, or cannot run

static void a_period_runs_a_check_in_the_background(void **state)
{
    (void)state;
    struct bench bench;
    struct check *check = fake_check("a", TIMEOUT_MS, 11000);
    check->every.ms = 10000;
    open_with(&bench, fake_config(&check, 1));
    for (unsigned i = 0; i < 3; i++) {
        pass(&bench, i == 0 ? 0 : 1);
        reply(&bench, OUTCOME_OK);
        reply(&bench, OUTCOME_OK);
        EXPECT(&bench, i == 0 ? "start open-800 run:a-800-last" : "open-800 run:a-800-last");
        pass(&bench, 9999);
        ask(&bench, "a");
        EXPECT(&bench, "(a=ok)");
    }
    close_bench(&bench);
}

static void what_is_fresh_is_a_hit_while_it_runs_anew(void **state)
{
    (void)state;
    struct bench bench;
    struct check *check = fake_check("a", TIMEOUT_MS, 11000);
    check->every.ms = 10000;
    open_with(&bench, fake_config(&check, 1));
    pass(&bench, 0);
    reply(&bench, OUTCOME_OK);
    reply(&bench, OUTCOME_OK);
    pass(&bench, 10000);
    (void)fake_read(&bench.fake);
    ask(&bench, "a");
    EXPECT(&bench, "(a=ok)");
    assert_int_equal(bench.statistics->cache_uses[CACHE_HIT], 1);
    assert_int_equal(bench.statistics->cache_uses[CACHE_JOIN], 0);
    close_bench(&bench);
}

static void a_broken_check_is_config_at_once(void **state)
{
    (void)state;
    struct bench bench;
    struct check *check = fake_check("a", TIMEOUT_MS, CACHE_MS);
    check->broken = strdup("a.sql:1: no");
    open_with(&bench, fake_config(&check, 1));
    ask(&bench, "a");
    EXPECT(&bench, "(a=config)");
    close_bench(&bench);
}

// --- reloads

// The same checks, which are the very same objects, without those that are not named.
static struct config *config_with(const struct bench *bench, const char *names)
{
    struct check *checks[CHECKS_MAX];
    size_t count = 0;
    for (; names[count] != '\0'; count++)
        checks[count] = check_hold(bench->config->checks[names[count] - 'a']);
    return fake_config(checks, count);
}

static void a_check_that_stays_the_same_keeps_its_result_and_its_run(void **state)
{
    (void)state;
    struct bench bench;
    open_bench(&bench, 2);
    ask(&bench, "a");
    reply(&bench, OUTCOME_OK);
    reply(&bench, OUTCOME_OK);
    ask(&bench, "b");
    uint64_t changes = scheduler_changes(bench.scheduler);
    reload(&bench, config_with(&bench, "ab"));
    assert_true(scheduler_changes(bench.scheduler) != changes);
    ask(&bench, "a");
    ask(&bench, "b");
    reply(&bench, OUTCOME_OK);
    reply(&bench, OUTCOME_OK);
    EXPECT(&bench, "start open-800 run:a-800-last (a=ok) open-800 (a=ok) run:b-800-last (b=ok) "
                   "(b=ok)");
    close_bench(&bench);
}

static void a_changed_check_is_asked_for_anew(void **state)
{
    (void)state;
    struct bench bench;
    open_bench(&bench, 1);
    ask(&bench, "a");
    reply(&bench, OUTCOME_OK);
    reply(&bench, OUTCOME_OK);
    reload(&bench, config_of(1));
    (void)fake_read(&bench.fake);
    ask(&bench, "a");
    EXPECT(&bench, "open-800");
    close_bench(&bench);
}

static void who_waits_for_a_removed_check_gets_its_answer(void **state)
{
    (void)state;
    struct bench bench;
    open_bench(&bench, 2);
    ask(&bench, "b");
    reply(&bench, OUTCOME_OK);
    reload(&bench, config_with(&bench, "a"));
    reply(&bench, OUTCOME_OK);
    EXPECT(&bench, "start open-800 run:b-800-last (b=ok)");
    close_bench(&bench);
}

static void a_removed_check_that_nobody_waits_for_is_dropped(void **state)
{
    (void)state;
    struct bench bench;
    struct check *checks[] = {fake_check("a", TIMEOUT_MS, CACHE_MS),
                              fake_check("b", TIMEOUT_MS, CACHE_MS)};
    checks[1]->every.ms = 60000;
    open_with(&bench, fake_config(checks, 2));
    ask(&bench, "a");
    pass(&bench, 0); // b is due, in the next batch
    reload(&bench, config_with(&bench, "a"));
    reply(&bench, OUTCOME_OK);
    reply(&bench, OUTCOME_OK);
    EXPECT(&bench, "start open-800 run:a-800-last (a=ok)");
    pass(&bench, 600000);
    EXPECT(&bench, "");
    close_bench(&bench);
}

static void a_prober_that_no_check_has_any_more_ends(void **state)
{
    (void)state;
    struct bench bench;
    open_bench(&bench, 1);
    ask(&bench, "a");
    reply(&bench, OUTCOME_OK);
    struct check *check = fake_check_of("a", "other", "readyz", TIMEOUT_MS, CACHE_MS);
    reload(&bench, fake_config(&check, 1));
    EXPECT(&bench, "start open-800 run:a-800-last");
    reply(&bench, OUTCOME_OK);
    EXPECT(&bench, "(a=ok) end");
    assert_int_equal(scheduler_prober_count(bench.scheduler), 1);
    assert_string_equal(prober_name(scheduler_prober(bench.scheduler, 0)), "other");
    close_bench(&bench);
}

static void of_another_target_nothing_is_known(void **state)
{
    (void)state;
    struct bench bench;
    open_bench(&bench, 1);
    ask(&bench, "a");
    reply(&bench, OUTCOME_OK);
    reply(&bench, OUTCOME_OK);
    struct config *other = config_with(&bench, "a");
    other->target_digest = 2;
    (void)fake_read(&bench.fake);
    reload(&bench, other);
    EXPECT(&bench, "end");
    ask(&bench, "a");
    EXPECT(&bench, "start open-800");
    close_bench(&bench);
}

// Another object of the same name, on the same target or on another.
static struct config *config_after(uint64_t target)
{
    struct config *config = config_of(1);
    config->target_digest = target;
    return config;
}

static void what_comes_of_a_retired_run_is_told_to_who_waits_for_it_alone(void **state)
{
    (void)state;
    static const struct {
        uint64_t target;
        const char *words;
    } cases[] = {{1, "start open-800 run:a-800-last (a=ok)"},
                 {2, "start open-800 run:a-800-last (a=ok) end"}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct bench bench;
        open_bench(&bench, 1);
        bench.config->checks[0]->log_rows = true;
        ask(&bench, "a");
        reply(&bench, OUTCOME_OK);
        reload(&bench, config_after(cases[i].target));
        struct capture capture = begin_log();
        reply(&bench, OUTCOME_OK);
        assert_int_equal(end_log(&capture), 0);
        EXPECT(&bench, cases[i].words);
        const struct check_statistics *its = statistics_check(bench.statistics, "a");
        assert_int_equal(its->outcomes[OUTCOME_OK], 0);
        assert_int_equal(its->duration_sum_ns, 0);
        assert_int_equal(its->last_success_ms, 0);
        assert_int_equal(its->history.count, 0);
        close_bench(&bench);
    }
}

static void a_changed_check_is_not_what_its_earlier_run_ends_in(void **state)
{
    (void)state;
    struct bench bench;
    open_bench(&bench, 1);
    ask(&bench, "a");
    reply(&bench, OUTCOME_OK);
    reload(&bench, config_after(1));
    ask(&bench, "a");
    pass(&bench, TIMEOUT_MS);
    EXPECT(&bench, "start open-800 run:a-800-last kill (a=timeout) start open-800");
    reply(&bench, OUTCOME_OK);
    reply(&bench, OUTCOME_OK);
    EXPECT(&bench, "run:a-800-last (a=ok)");
    const struct check_statistics *its = statistics_check(bench.statistics, "a");
    assert_int_equal(its->outcomes[OUTCOME_TIMEOUT], 0);
    assert_int_equal(its->outcomes[OUTCOME_OK], 1);
    assert_int_equal(its->history.count, 1);
    assert_false(its->history.changed);
    close_bench(&bench);
}

static void a_prober_of_the_target_before_ends_in_the_midst_of_a_run_for_nobody(void **state)
{
    (void)state;
    struct bench bench;
    struct check *check = fake_check("a", 60000, CACHE_MS);
    check->every.ms = 60000;
    open_with(&bench, fake_config(&check, 1));
    pass(&bench, 0);
    reply(&bench, OUTCOME_OK);
    EXPECT(&bench, "start open-60000 run:a-60000-last");
    reload(&bench, config_after(2));
    EXPECT(&bench, "end");
    ask(&bench, "a");
    EXPECT(&bench, "start open-800");
    close_bench(&bench);
}

static void a_prober_of_the_target_before_ends_with_the_last_who_waits(void **state)
{
    (void)state;
    struct bench bench;
    struct check *checks[] = {fake_check("a", 5000, CACHE_MS), fake_check("b", 5000, CACHE_MS)};
    open_with(&bench, fake_config(checks, 2));
    ask(&bench, "a");
    reply(&bench, OUTCOME_OK);
    pass(&bench, 100);
    ask(&bench, "b");
    EXPECT(&bench, "start open-5000 run:a-5000-last");
    reload(&bench, config_after(2));
    pass(&bench, DEADLINE_MS - 100);
    EXPECT(&bench, "(a=timeout)");
    pass(&bench, 100);
    EXPECT(&bench, "(b=unknown) end");
    close_bench(&bench);
}

// --- rules that end in `for`

// Check a, whose rule holds for every result that fake_platform.h gives.
static struct config *holding_config(const char *rule, uint64_t target)
{
    struct check *check = fake_check("a", TIMEOUT_MS, CACHE_MS);
    struct error error;
    size_t offset;
    check->rules = memory_new(sizeof *check->rules);
    check->rule_count = 1;
    assert_true(rule_parse(rule, RULE_FAIL, &check->params, check->rules, &offset, &error));
    struct config *config = fake_config(&check, 1);
    config->target_digest = target;
    return config;
}

// A new result of a, whose run ends so long after the one before began.
static const char *result_after(struct bench *bench, int64_t ms)
{
    pass(bench, ms);
    ask(bench, "a");
    reply(bench, OUTCOME_OK);
    reply(bench, OUTCOME_OK);
    return bench->view.judgement.reason;
}

static void a_result_counts_once_however_often_it_is_served(void **state)
{
    (void)state;
    struct bench bench;
    open_with(&bench, holding_config("rows > 0 for 5s", 1));
    (void)result_after(&bench, 0);
    pass(&bench, CACHE_MS);
    for (int i = 0; i < 3; i++) {
        ask(&bench, "a");
        assert_string_equal(bench.view.judgement.reason, "rows 1 > 0 for 0 s of 5 s");
    }
    assert_string_equal(result_after(&bench, 1000), "rows 1 > 0 for 3 s of 5 s");
    assert_int_equal(bench.view.judgement.verdict, VERDICT_WARN);
    assert_string_equal(result_after(&bench, CACHE_MS + 1), "rows 1 > 0 for 5 s");
    assert_int_equal(bench.view.judgement.verdict, VERDICT_FAIL);
    close_bench(&bench);
}

static void how_long_a_rule_has_held_outlives_a_reload_that_keeps_it(void **state)
{
    (void)state;
    static const struct {
        const char *rule;
        uint64_t target;
        const char *reason;
    } cases[] = {{"rows > 0 for 5s", 1, "rows 1 > 0 for 5 s"},
                 {"rows > 0 for 6s", 1, "rows 1 > 0 for 0 s of 6 s"},
                 {"rows > 0 for 5s", 2, "rows 1 > 0 for 0 s of 5 s"}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct bench bench;
        open_with(&bench, holding_config("rows > 0 for 5s", 1));
        (void)result_after(&bench, 0);
        reload(&bench, holding_config(cases[i].rule, cases[i].target));
        assert_string_equal(result_after(&bench, 5000), cases[i].reason);
        close_bench(&bench);
    }
}

// What a request is told at its deadline is of no result.
static void what_could_not_be_waited_for_ends_no_row(void **state)
{
    (void)state;
    struct bench bench;
    open_with(&bench, holding_config("rows > 0 for 5s", 1));
    bench.config->checks[0]->timeout.ms = 5000;
    (void)result_after(&bench, 0);
    pass(&bench, 5000);
    ask(&bench, "a");
    reply(&bench, OUTCOME_OK);
    pass(&bench, DEADLINE_MS);
    assert_false(bench.view.dated);
    reply(&bench, OUTCOME_OK);
    ask(&bench, "a");
    assert_string_equal(bench.view.judgement.reason, "rows 1 > 0 for 5 s");
    close_bench(&bench);
}

// --- for serve.c

static void the_server_is_gone_when_a_later_probe_found_none(void **state)
{
    (void)state;
    struct bench bench;
    struct check *check = fake_check_of("a", "main", "healthz", TIMEOUT_MS, CACHE_MS);
    open_with(&bench, fake_config(&check, 1));
    ask(&bench, "a");
    reply(&bench, OUTCOME_REFUSED);
    struct instant after = bench.fake.now;
    assert_false(scheduler_server_is_gone(bench.scheduler, after));
    pass(&bench, 1);
    (void)fake_read(&bench.fake);
    scheduler_refresh_liveness(bench.scheduler);
    pass(&bench, 0);
    EXPECT(&bench, "open-800");
    reply(&bench, OUTCOME_REFUSED);
    assert_true(scheduler_server_is_gone(bench.scheduler, after));
    close_bench(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_result_serves_until_its_cache_is_over),
        cmocka_unit_test(a_slow_run_is_old_when_it_ends),
        cmocka_unit_test(silence_and_our_own_faults_serve_for_the_common_cache_only),
        cmocka_unit_test(all_who_ask_share_one_run),
        cmocka_unit_test(a_request_is_answered_at_its_deadline),
        cmocka_unit_test(a_check_that_is_not_reached_is_unknown),
        cmocka_unit_test(an_answer_that_is_there_counts_at_the_deadline),
        cmocka_unit_test(what_has_aged_meanwhile_is_not_told_at_the_deadline),
        cmocka_unit_test(what_has_aged_meanwhile_is_asked_for_again),
        cmocka_unit_test(a_run_has_begun_for_the_deadline_that_requests_have),
        cmocka_unit_test(all_are_answered_at_the_end),
        cmocka_unit_test(a_period_runs_a_check_in_the_background),
        cmocka_unit_test(what_is_fresh_is_a_hit_while_it_runs_anew),
        cmocka_unit_test(a_broken_check_is_config_at_once),
        cmocka_unit_test(a_check_that_stays_the_same_keeps_its_result_and_its_run),
        cmocka_unit_test(a_changed_check_is_asked_for_anew),
        cmocka_unit_test(who_waits_for_a_removed_check_gets_its_answer),
        cmocka_unit_test(a_removed_check_that_nobody_waits_for_is_dropped),
        cmocka_unit_test(a_prober_that_no_check_has_any_more_ends),
        cmocka_unit_test(of_another_target_nothing_is_known),
        cmocka_unit_test(what_comes_of_a_retired_run_is_told_to_who_waits_for_it_alone),
        cmocka_unit_test(a_changed_check_is_not_what_its_earlier_run_ends_in),
        cmocka_unit_test(a_prober_of_the_target_before_ends_in_the_midst_of_a_run_for_nobody),
        cmocka_unit_test(a_prober_of_the_target_before_ends_with_the_last_who_waits),
        cmocka_unit_test(a_result_counts_once_however_often_it_is_served),
        cmocka_unit_test(how_long_a_rule_has_held_outlives_a_reload_that_keeps_it),
        cmocka_unit_test(what_could_not_be_waited_for_ends_no_row),
        cmocka_unit_test(the_server_is_gone_when_a_later_probe_found_none),
    };
    log_configure(LOG_FORMAT_LOGFMT, LOG_ERROR + 1); // which of them says nothing
    return RUN(tests);
}
