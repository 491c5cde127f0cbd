// In which order jobs come to be first, where each step names those that it is about; and their
// silence.
#include "server/probing/job.h"

#include "unit.h"

#include <string.h>

enum { JOBS = 4, STEPS = 6 };

struct bench {
    struct jobs jobs;
    struct job all[JOBS]; // a, b, c, d
    char order[2 * JOBS + 2];
};

// The batch, a bar, and the queue; capitals for what a request waits for.
static const char *order_of(struct bench *bench)
{
    const struct job *job;
    char *end = bench->order;
    TAILQ_FOREACH(job, &bench->jobs.batch, link)
        *end++ = (char)((job->requested ? 'A' : 'a') + (job - bench->all));
    *end++ = '|';
    TAILQ_FOREACH(job, &bench->jobs.queue, link)
        *end++ = (char)((job->requested ? 'A' : 'a') + (job - bench->all));
    *end = '\0';
    return bench->order;
}

static struct job *job_of(struct bench *bench, char name)
{
    return &bench->all[(name | 0x20) - 'a'];
}

// What is done to the jobs, by the word's first sign, and what comes of it.
struct step {
    const char *what;
    const char *order;
};

static void take_step(struct bench *bench, const char *what)
{
    struct jobs *jobs = &bench->jobs;
    struct job *job = what[1] != '\0' ? job_of(bench, what[1]) : NULL;
    switch (what[0]) {
    case '+': // wanted, by a request if it is a capital
        jobs_want(jobs, job, what[1] < 'a');
        break;
    case '-': // no request waits for it any more
        jobs_release(jobs, job);
        break;
    case '!': // it runs
        assert_ptr_equal(jobs_first(jobs), job);
        jobs->running = job;
        break;
    case '.': // it is done
        assert_ptr_equal(jobs_take_first(jobs), job);
        break;
    case '>':
        jobs_fill_batch(jobs);
        break;
    case '<':
        jobs_empty_batch(jobs);
        break;
    default:
        jobs_gather(jobs);
    }
}

static void jobs_come_in_their_order(void **state)
{
    (void)state;
    static const struct step rows[][STEPS] = {
        {{"+a", "|a"}, {"+b", "|ab"}, {"+C", "|Cab"}, {"+D", "|CDab"}},
        {{"+a", "|a"}, {"+b", "|ab"}, {"+B", "|Ba"}, {"+b", "|Ba"}, {"-b", "|ab"}},
        {{"+a", "|a"}, {">", "a|"}, {"+b", "a|b"}, {"+A", "A|b"}, {"<", "|Ab"}},
        {{"+a", "|a"}, {"+b", "|ab"}, {">", "ab|"}, {"!a", "ab|"}, {"+B", "aB|"}, {".a", "B|"}},
        {{"+a", "|a"}, {">", "a|"}, {"!a", "a|"}, {"+C", "a|C"}, {"+A", "A|C"}, {">", "AC|"}},
        {{"+a", "|a"}, {"+B", "|Ba"}, {">", "Ba|"}, {"+C", "Ba|C"}, {"=", "abc|"}},
        {{"+a", "|a"}, {">", "a|"}, {".a", "|"}, {"+a", "|a"}, {"+b", "|ab"}, {"+A", "|Ab"}},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct bench bench = {0};
        jobs_init(&bench.jobs);
        for (size_t j = 0; j < STEPS && rows[i][j].what != NULL; j++) {
            take_step(&bench, rows[i][j].what);
            if (strcmp(order_of(&bench), rows[i][j].order) != 0)
                print_error("row %zu, step %zu\n", i, j);
            assert_string_equal(order_of(&bench), rows[i][j].order);
        }
    }
}

// Nothing of it is left when it is wanted anew.
static void who_is_done_is_forgotten(void **state)
{
    (void)state;
    struct bench bench = {0};
    struct job *job = &bench.all[0];
    jobs_init(&bench.jobs);
    jobs_want(&bench.jobs, job, true);
    jobs_fill_batch(&bench.jobs);
    bench.jobs.running = bench.jobs.timed = job;
    job->in_doubt = true;
    assert_ptr_equal(jobs_take_first(&bench.jobs), job);
    assert_int_equal(job->place, JOB_IDLE);
    assert_false(job->requested || job->in_doubt);
    assert_null(bench.jobs.running);
    assert_null(bench.jobs.timed);
    assert_null(jobs_first(&bench.jobs));
}

static void who_waits_for_whom(void **state)
{
    (void)state;
    struct bench bench = {0};
    jobs_init(&bench.jobs);
    jobs_want(&bench.jobs, &bench.all[0], false);
    jobs_fill_batch(&bench.jobs);
    assert_false(jobs_has_others(&bench.jobs));
    assert_false(jobs_keep_requests_waiting(&bench.jobs));
    jobs_want(&bench.jobs, &bench.all[1], false);
    assert_true(jobs_has_others(&bench.jobs));
    assert_false(jobs_keep_requests_waiting(&bench.jobs));
    jobs_want(&bench.jobs, &bench.all[1], true);
    assert_true(jobs_keep_requests_waiting(&bench.jobs));
    jobs_want(&bench.jobs, &bench.all[0], true);
    assert_false(jobs_keep_requests_waiting(&bench.jobs));
    jobs_fill_batch(&bench.jobs);
    assert_true(jobs_has_others(&bench.jobs));
}

static struct instant at(int64_t ms)
{
    return (struct instant){.ns = 1000000000 + ms * 1000000};
}

static void silence_is_counted_from_the_first_of_its_runs(void **state)
{
    (void)state;
    struct job job = {0};
    assert_false(job_is_held(&job, at(0)));
    job_note_silence(&job, at(100), at(900));
    assert_true(job_is_held(&job, at(1899)));
    assert_false(job_is_held(&job, at(1900)));
    job_note_silence(&job, at(2000), at(2800));
    assert_int_equal(job_silence(&job, at(2800)).ms, 2700);
    assert_true(job_is_held(&job, at(4799))); // for twice as long
    job_note_answer(&job);
    assert_false(job_is_held(&job, at(2800)));
    job_note_silence(&job, at(3000), at(3800));
    assert_int_equal(job_silence(&job, at(3800)).ms, 800);
    assert_false(job_is_held(&job, at(4800)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(jobs_come_in_their_order),
        cmocka_unit_test(who_is_done_is_forgotten),
        cmocka_unit_test(who_waits_for_whom),
        cmocka_unit_test(silence_is_counted_from_the_first_of_its_runs),
    };
    return RUN(tests);
}
