// See prober.h. At most one verb is outstanding. The states, and what takes one to another:
//
//            wanted        open ok          batch empty       closed
//     IDLE --------> OPENING ------> RUNNING ---------> CLOSING -----> IDLE
//                     |   ^           |  |
//            deadline |   | answered  |  | deadline, and another check needs the process: kill,
//                     v   |           |  |     open anew for the rest
//                    PENDING          |
//                      |              | deadline, and none does
//                      |              v
//                      |            SILENT -- another check is wanted, or it is time to run this
//                      |                      one anew: kill, IDLE
//                      +-- 10, 20, 40, 60, 60 ... s: kill, try another open
//
// CLOSING is only for a batch whose last run was not to close the connection, too. A process
// that dies takes each state to IDLE.
//
// The decision to question is PENDING: an open is not killed at its deadline, because a kill in
// mid-login leaves a server process behind, and a probe every second would fill the connection
// table of a server that is merely slow. Until it is answered its checks are `timeout` at once, or
// `starved` while no attempt has had a check's time and the CPU, too: nothing wakes us to see, so
// whoever asks has it measured for that long. A process that is found ready then may be about to
// tell of an answer: another look decides, soon. A process that has been stopped is killed at the
// deadline, if it had the CPU: IDLE. One that is not there yet may be slow to start, as from a cold
// disk: it is pending, its checks are `starved`, and after START_MS it is killed, too. SILENT is
// the same for a run: as long as it stays unanswered, it tells of the server as it is now. Where
// another check needs the process that cannot be, so the check waits for a while before it runs
// again; if the server lets us in meanwhile, it is `unknown`, for then nothing more is known of the
// server.
#include "server/probing/prober.h"

#include "common/memory.h"
#include "server/base/container_of.h"
#include "server/base/log.h"
#include "server/probing/backoff.h"
#include "server/probing/connection.h"
#include "server/probing/effort.h"
#include "server/probing/failures.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    START_MS = 5000,      // by when one that is slow to start, as from a cold disk, takes a call
    GOODBYE_MS = 1000,    // at our end: a statement under way may come to its own end
    CLOSE_LIMIT_MS = 200, // of a goodbye
    ROWS_MOST =
        1000, // of a result that is logged or judged row by row; the message's size bounds them too
    MARGIN_MOST_MS = 100 // the server's own limit ends a statement this much before ours
};

enum { STATE_NEXT_MAX = 5 };

// What a prober does about what happens to it.
struct prober_state {
    const char *name;
    enum verb verb; // that is outstanding; 0: none is
    bool measures;  // whether we have the CPU to do our part
    bool looks;     // whether it has been answered, before it tells that it has not
    void (*on_wanted)(struct prober *prober, struct job *job, bool requested);
    void (*on_replied)(struct prober *prober, struct reply *reply);
    void (*on_died)(struct prober *prober);
    void (*on_deadline)(struct prober *prober);
    const struct prober_state *next[STATE_NEXT_MAX]; // those that may follow, NULL after the last
};

static const struct prober_state prober_idle, prober_opening, prober_pending, prober_running,
    prober_silent, prober_closing;

struct prober {
    struct prober_setup setup;
    struct platform *platform;
    const char *name; // of the statistics
    struct prober_statistics *statistics;
    const struct prober_state *state;
    struct jobs jobs;
    bool telling; // within a call of `done`
    struct connection connection;
    bool last;                      // the outstanding run closes the connection, too
    struct prober_process *process; // NULL: none is up
    uint32_t sequence;              // of the outstanding call
    struct alarm alarm;             // of the outstanding verb, or to replace a pending open
    struct instant verb_started;    // of the outstanding verb: when pending, of the latest attempt
    struct instant job_started;     // of the first job in the batch
    struct duration timeout;        // that it is from
    struct instant silent_since;    // when pending: the start of the first attempt
    unsigned attempts;              // when pending: how many
    enum outcome known;             // when pending or silent: what that has shown so far
    struct effort effort;           // for the first job of the batch
    struct alarm pulse;             // looks at the effort
    struct failures failures;       // of processes, and of starting them
    char sandbox[SANDBOX_TEXT_MAX]; // if it differs from the server's; else ""
};

static void prober_begin_open(struct prober *prober);

static struct instant prober_now(const struct prober *prober)
{
    return platform_now(prober->platform);
}

static void prober_set_alarm(struct prober *prober, struct instant deadline)
{
    platform_set_alarm(prober->platform, &prober->alarm, deadline);
}

static void prober_clear_alarm(struct prober *prober)
{
    platform_clear_alarm(prober->platform, &prober->alarm);
}

// --- our own part

static void prober_set_pulse(struct prober *prober, struct instant last)
{
    const struct duration period = {.ms = EFFORT_PERIOD_MS};
    platform_set_alarm(prober->platform, &prober->pulse, instant_add(last, period));
}

static void prober_tell_silence(struct prober *prober);

static void prober_on_pulse(struct alarm *alarm)
{
    struct prober *prober = CONTAINER_OF(alarm, struct prober, pulse);
    effort_look(&prober->effort);
    if (!prober->effort.resting)
        prober_set_pulse(prober, prober_now(prober));
    if (prober->state->looks)
        prober_look(prober); // an answer that is there counts
    if (prober->state->looks)
        prober_tell_silence(prober);
}

static void prober_begin_effort(struct prober *prober, struct instant since)
{
    effort_begin(&prober->effort, prober->platform, prober->process, since);
    prober_set_pulse(prober, prober_now(prober));
}

// What was measured so far stands; from now on nothing wakes us for it.
static void prober_rest(struct prober *prober)
{
    platform_clear_alarm(prober->platform, &prober->pulse);
    effort_rest(&prober->effort);
}

// When the verb has had a check's time while it was measured.
static struct instant prober_end_of_span(const struct prober *prober)
{
    return instant_add(prober->effort.since, prober->timeout);
}

// Of a verb that is left unanswered. Only an attempt that has had its time, and the CPU, tells
// something new of the server; or one that would not hear the server's answer now. One that has
// just been made need not be there.
static enum outcome prober_outcome_by_now(struct prober *prober)
{
    bool young = instant_before(prober_now(prober), prober_end_of_span(prober));
    if (young && !prober->platform->functions->has_asked(prober->process))
        return prober->known;
    return effort_judge_now(&prober->effort, prober->known);
}

// --- states

static bool prober_may_enter(const struct prober_state *from, const struct prober_state *to)
{
    for (size_t i = 0; i < STATE_NEXT_MAX; i++) {
        if (from->next[i] == to)
            return true;
    }
    return false;
}

// The only place where a prober comes into another state. No deadline is set by then.
static void prober_enter(struct prober *prober, const struct prober_state *state)
{
    assert(prober_may_enter(prober->state, state));
    if (log_is_on(LOG_DEBUG))
        LOG_EVENT(LOG_DEBUG, "prober goes on", LOG_TEXT("prober", prober->name),
                  LOG_TEXT("from", prober->state->name), LOG_TEXT("to", state->name));
    prober->state = state;
    prober_clear_alarm(prober);
    if (state->verb != VERB_RUN)
        prober->jobs.running = NULL;
    if (!state->measures)
        prober_rest(prober);
}

// --- jobs

// Tells a job's probe, as of now.
static void prober_tell(struct prober *prober, struct job *job, struct probe probe)
{
    bool telling = prober->telling;
    job->in_doubt = false;
    job->told++;
    probe.code = probe.code != NULL ? probe.code : "";
    probe.message = probe.message != NULL ? probe.message : "";
    probe.ended = prober_now(prober);
    probe.superuser = prober->connection.superuser;
    probe.refused = prober->connection.refused;
    prober->telling = true;
    prober->setup.done(prober->setup.context, job, &probe);
    prober->telling = telling;
    result_free(probe.result);
}

// Ends every job of the batch in the same way.
static void prober_finish_batch(struct prober *prober, struct probe probe)
{
    prober_enter(prober, &prober_idle);
    while (jobs_first(&prober->jobs) != NULL)
        prober_tell(prober, jobs_take_first(&prober->jobs), probe);
}

// --- the process

static void prober_note_failure(struct prober *prober, const char *what)
{
    struct duration wait = failures_note(&prober->failures, prober_now(prober));
    prober->statistics->crashes++;
    LOG_EVENT(LOG_ERROR, "prober failed", LOG_TEXT("prober", prober->name), LOG_TEXT("how", what),
              LOG_NUMBER("failures", prober->failures.in_a_row),
              LOG_NUMBER("restart_in_ms", wait.ms));
}

static bool prober_may_start(const struct prober *prober)
{
    return prober->process != NULL || failures_allow_start(&prober->failures, prober_now(prober));
}

static void prober_on_replied(void *owner, struct reply *reply);
static void prober_on_died(void *owner, const char *how);

static bool prober_have_process(struct prober *prober)
{
    static const struct prober_process_events events = {.replied = prober_on_replied,
                                                        .died = prober_on_died};
    struct error error;
    if (prober->process != NULL)
        return true;
    if (!prober_may_start(prober))
        return false;
    prober->process = prober->platform->functions->start(prober->platform, prober->setup.engine,
                                                         &events, prober, &error);
    if (prober->process == NULL)
        prober_note_failure(prober, error.text);
    else
        prober->statistics->starts++;
    return prober->process != NULL;
}

static void prober_forget_process(struct prober *prober)
{
    prober->process = NULL;
    prober->connection.is_open = false;
    effort_lose_process(&prober->effort);
}

static void prober_kill_process(struct prober *prober)
{
    if (prober->process != NULL)
        prober->platform->functions->kill(prober->process);
    prober_forget_process(prober);
}

// It is of no use, and what was asked of it comes to what it would if it had died.
static void prober_fail(struct prober *prober, const char *how)
{
    prober_kill_process(prober);
    prober_on_died(prober, how);
}

// For want of an answer in time.
static void prober_kill_silent(struct prober *prober)
{
    if (prober->process != NULL)
        prober->statistics->kills++;
    if (log_is_on(LOG_DEBUG))
        LOG_EVENT(LOG_DEBUG, "prober is killed", LOG_TEXT("prober", prober->name),
                  LOG_TEXT("verb", verb_name(prober->state->verb)));
    prober_kill_process(prober);
}

// --- the verbs

static void prober_log_call(const struct prober *prober, const struct call *call)
{
    const struct job *first = call->verb == VERB_RUN ? jobs_first(&prober->jobs) : NULL;
    if (log_is_on(LOG_DEBUG))
        LOG_EVENT(LOG_DEBUG, "call sent", LOG_TEXT("prober", prober->name),
                  LOG_TEXT("verb", verb_name(call->verb)), LOG_NUMBER("sequence", call->sequence),
                  LOG_TEXT("check", first != NULL ? first->check->name : ""),
                  LOG_NUMBER("limit_ms", instant_left(call->deadline, prober_now(prober)).ms));
}

static void prober_log_reply(const struct prober *prober, const struct reply *reply)
{
    if (log_is_on(LOG_DEBUG))
        LOG_EVENT(
            LOG_DEBUG, "reply came", LOG_TEXT("prober", prober->name),
            LOG_TEXT("verb", verb_name(reply->verb)), LOG_NUMBER("sequence", reply->sequence),
            LOG_TEXT("outcome", outcome_info(reply->outcome)->code), LOG_TEXT("code", reply->code),
            LOG_NUMBER("after_ms", instant_since(prober->verb_started, prober_now(prober)).ms));
}

static const char takes_no_calls[] = "takes no calls";

// The verb's time begins. False if the process takes no calls.
static bool prober_try_call(struct prober *prober, struct call call)
{
    prober->sequence++;
    prober->verb_started = prober_now(prober);
    call.sequence = prober->sequence;
    prober_log_call(prober, &call);
    prober_set_alarm(prober, call.deadline);
    return prober->platform->functions->send(prober->process, &call);
}

static void prober_send_call(struct prober *prober, struct call call)
{
    if (!prober_try_call(prober, call))
        prober_fail(prober, takes_no_calls);
}

// From now on time counts against the first job of the batch.
static void prober_start_clock(struct prober *prober)
{
    prober->jobs.timed = jobs_first(&prober->jobs);
    prober->job_started = prober_now(prober);
    prober_begin_effort(prober, prober->job_started);
}

static struct probe prober_crashed(const struct prober *prober, enum verb stage)
{
    return (struct probe){.outcome = OUTCOME_CRASHED,
                          .stage = stage,
                          .started = prober->job_started,
                          .message = "the prober process died or could not be started"};
}

// As of now: because there is no process, or because the time that it took was told before.
static struct probe prober_crashed_by_now(const struct prober *prober, enum verb stage)
{
    struct probe probe = prober_crashed(prober, stage);
    probe.started = prober_now(prober);
    probe.unasked = true;
    return probe;
}

// All jobs of an open under way may have been dropped; then it goes on with what it began with.
static struct call prober_open_call(struct prober *prober)
{
    const struct job *first = jobs_first(&prober->jobs);
    if (first != NULL)
        prober->timeout = first->check->timeout;
    bool inspects = connection_begin(&prober->connection, prober_now(prober));
    return (struct call){.verb = VERB_OPEN,
                         .deadline = instant_add(prober_now(prober), prober->timeout),
                         .inspect = inspects,
                         .withheld = refusal_withhold(prober->setup.refusal, prober_now(prober))};
}

// Asks the process, a new one if none is up, to open. One that was idle may have died unnoticed.
static bool prober_try_open(struct prober *prober, struct instant since)
{
    bool was_there = prober->process != NULL;
    bool have = prober_have_process(prober);
    prober_begin_effort(prober, since);
    if (!have || prober_try_call(prober, prober_open_call(prober)))
        return have;
    prober_kill_process(prober);
    prober_note_failure(prober, takes_no_calls);
    return was_there && prober_try_open(prober, since);
}

static void prober_send_open(struct prober *prober)
{
    if (!prober_try_open(prober, prober_now(prober)))
        prober_finish_batch(prober, prober_crashed_by_now(prober, VERB_OPEN));
}

// Opens for the first job of the batch, whose time starts now.
static void prober_begin_open(struct prober *prober)
{
    prober_enter(prober, &prober_opening);
    prober->jobs.timed = jobs_first(&prober->jobs);
    prober->job_started = prober_now(prober);
    prober_send_open(prober);
}

// What the server is told to keep to: a little less than is left, at least 1 ms.
static struct duration prober_statement_limit(struct duration left)
{
    int64_t margin = left.ms / 8;
    if (margin > MARGIN_MOST_MS)
        margin = MARGIN_MOST_MS;
    return (struct duration){.ms = left.ms - margin > 0 ? left.ms - margin : 1};
}

static bool prober_stays_open(const struct prober *prober)
{
    return prober->setup.keeps && connection_may_stay(&prober->connection);
}

static void prober_begin_run(struct prober *prober)
{
    const struct job *first = jobs_first(&prober->jobs);
    const struct check *check = first->check;
    struct instant deadline = instant_add(prober->job_started, check->timeout);
    struct call call = {.verb = VERB_RUN,
                        .deadline = deadline,
                        .last = TAILQ_NEXT(first, link) == NULL && !prober_stays_open(prober),
                        .read_only = !check->writes,
                        .statement_limit =
                            prober_statement_limit(instant_left(deadline, prober_now(prober))),
                        .max_rows = check->log_rows || check->each_row ? ROWS_MOST : 1,
                        .sql = check->sql};
    prober_enter(prober, &prober_running);
    prober->jobs.running = first;
    prober->timeout = check->timeout;
    prober->last = call.last;
    prober_send_call(prober, call);
}

static struct probe prober_unmeant(const struct prober *prober)
{
    return (struct probe){.outcome = OUTCOME_SKIPPED,
                          .stage = VERB_OPEN,
                          .started = prober->job_started,
                          .unasked = true};
}

// The server lets us in, and nobody has asked it for more lately.
static struct probe prober_held_back(const struct prober *prober, const struct job *job)
{
    struct instant now = prober_now(prober);
    return (struct probe){.outcome = OUTCOME_UNKNOWN,
                          .stage = VERB_RUN,
                          .started = now,
                          .unasked = true,
                          .silent = job_silence(job, prober_now(prober)),
                          .held = instant_left(job->held_until, now)};
}

static bool prober_means(const struct prober *prober, const struct job *job)
{
    return connection_suits(&prober->connection, &job->check->range);
}

static bool prober_may_run(const struct prober *prober, const struct job *job)
{
    return prober_means(prober, job) && !job_is_held(job, prober_now(prober));
}

// Jobs that are not to run, on this server or by now, end here.
static void prober_skip_jobs(struct prober *prober)
{
    struct job *first;
    while ((first = jobs_first(&prober->jobs)) != NULL && !prober_may_run(prober, first)) {
        bool meant = prober_means(prober, first);
        struct probe probe = meant ? prober_held_back(prober, first) : prober_unmeant(prober);
        prober_tell(prober, jobs_take_first(&prober->jobs), probe);
    }
}

static void prober_begin_close(struct prober *prober)
{
    struct duration limit = {.ms = CLOSE_LIMIT_MS};
    struct call call = {.verb = VERB_CLOSE, .deadline = instant_add(prober_now(prober), limit)};
    prober->connection.is_open = false;
    prober_enter(prober, &prober_closing);
    prober_send_call(prober, call);
}

static void prober_end_batch(struct prober *prober)
{
    if (prober_stays_open(prober))
        prober_enter(prober, &prober_idle);
    else
        prober_begin_close(prober);
}

// Background jobs give way to a request: during a login it joins the batch, for it needs no other;
// later they go back.
static void prober_choose_first(struct prober *prober)
{
    prober_skip_jobs(prober);
    while (jobs_keep_requests_waiting(&prober->jobs)) {
        if (prober->state == &prober_running)
            jobs_empty_batch(&prober->jobs);
        else
            jobs_fill_batch(&prober->jobs);
        prober_skip_jobs(prober);
    }
}

// Runs the first job, if there is one. Its time begins anew if the open's was another one's, or has
// passed, for we may have looked late.
static void prober_begin_first(struct prober *prober)
{
    prober_choose_first(prober);
    const struct job *first = jobs_first(&prober->jobs);
    if (first == NULL) {
        prober_end_batch(prober);
        return;
    }
    struct instant over = instant_add(prober->job_started, first->check->timeout);
    if (first != prober->jobs.timed || !instant_before(prober_now(prober), over))
        prober_start_clock(prober);
    prober_begin_run(prober);
}

// --- what is wanted

static void prober_want_later(struct prober *prober, struct job *job, bool requested)
{
    jobs_want(&prober->jobs, job, requested);
}

static void prober_want_idle(struct prober *prober, struct job *job, bool requested)
{
    if (prober_may_start(prober)) {
        prober_want_later(prober, job, requested);
        return;
    }
    jobs_place(&prober->jobs, job, JOB_IDLE);
    prober_tell(prober, job, prober_crashed_by_now(prober, VERB_OPEN));
}

static void prober_await_open(struct prober *prober);

// What lacked the CPU in its time is given another, so that a silence is found when we have it
// again. Only when somebody asks: at rest nothing wakes.
static void prober_measure_anew(struct prober *prober)
{
    if (prober->known == OUTCOME_TIMEOUT || !prober->effort.resting ||
        effort_is_deaf(&prober->effort))
        return;
    prober_begin_effort(prober, prober_now(prober));
    prober_await_open(prober);
}

// As of now, of one that is left unanswered.
static struct probe prober_probe_of_silence(struct prober *prober, const struct job *job)
{
    bool pending = prober->state == &prober_pending;
    struct instant now = prober_now(prober);
    return (struct probe){.outcome = prober_outcome_by_now(prober),
                          .stage = prober->state->verb,
                          .started = now,
                          .unasked = true,
                          .silent = pending ? instant_since(prober->silent_since, now)
                                            : job_silence(job, prober_now(prober))};
}

// Tells all that wait for no more than a look.
static void prober_end_doubt(struct prober *prober)
{
    struct job *next;
    for (struct job *job = jobs_first(&prober->jobs); job != NULL; job = next) {
        next = TAILQ_NEXT(job, link);
        if (!job->in_doubt)
            continue;
        prober_release(prober, job);
        prober_tell(prober, job, prober_probe_of_silence(prober, job));
    }
}

static void prober_tell_silence(struct prober *prober)
{
    prober_end_doubt(prober);
    if (prober->state == &prober_pending)
        prober_measure_anew(prober);
}

// The process may be about to tell what the server has answered just now.
static bool prober_is_in_doubt(const struct prober *prober)
{
    return prober->known == OUTCOME_TIMEOUT && effort_is_deaf(&prober->effort) &&
           prober->platform->functions->asks(prober->process);
}

// At once, unless that is in doubt.
static void prober_answer_silence(struct prober *prober, struct job *job, bool requested)
{
    prober_want_later(prober, job, requested);
    job->in_doubt = true;
    effort_look(&prober->effort);
    if (!prober_is_in_doubt(prober))
        prober_tell_silence(prober);
    else if (!alarm_is_set(&prober->pulse)) // who came before waits no longer for that
        prober_set_pulse(prober, prober->effort.last_look);
}

// The job runs when the open is answered after all; nobody goes on waiting for that.
static void prober_want_pending(struct prober *prober, struct job *job, bool requested)
{
    if (job->place == JOB_IDLE)
        jobs_place(&prober->jobs, job, JOB_IN_BATCH);
    prober_answer_silence(prober, job, requested);
}

// The run is over. Who is in doubt of it has it run again.
static void prober_end_silence(struct prober *prober)
{
    const struct job *first = jobs_first(&prober->jobs);
    bool requested = first->requested, in_doubt = first->in_doubt;
    struct job *job = jobs_take_first(&prober->jobs);
    if (in_doubt)
        prober_want_later(prober, job, requested);
}

// The process is needed.
static void prober_give_up_run(struct prober *prober)
{
    prober_kill_silent(prober);
    prober_enter(prober, &prober_idle);
    prober_end_silence(prober);
}

static void prober_want_silent(struct prober *prober, struct job *job, bool requested)
{
    if (job != prober->jobs.running || !job_is_held(job, prober_now(prober))) {
        prober_give_up_run(prober);
        prober_want_idle(prober, job, requested);
        return;
    }
    prober_answer_silence(prober, job, requested);
}

void prober_want(struct prober *prober, struct job *job, bool requested)
{
    uint64_t told = job->told;
    if (prober->state->looks)
        prober_look(prober);
    if (job->told == told) // else what it is wanted for has just come
        prober->state->on_wanted(prober, job, requested);
}

// --- replies

// Takes the result over.
static struct probe prober_probe_of(const struct prober *prober, struct reply *reply)
{
    struct result *result = reply->result;
    reply->result = NULL;
    return (struct probe){.outcome = reply->outcome,
                          .stage = reply->verb,
                          .code = reply->code,
                          .message = reply->message,
                          .started = prober->job_started,
                          .result = result};
}

// Logged when it is first so, and when it is otherwise again.
static void prober_note_sandbox(struct prober *prober, const struct reply *reply)
{
    bool differs = strcmp(reply->sandbox, prober->platform->sandbox) != 0;
    if (differs && strcmp(reply->sandbox, prober->sandbox) != 0)
        LOG_EVENT(LOG_WARN, "prober sandboxed otherwise", LOG_TEXT("prober", prober->name),
                  LOG_TEXT("sandbox", reply->sandbox));
    (void)snprintf(prober->sandbox, sizeof prober->sandbox, "%s", differs ? reply->sandbox : "");
}

static void prober_on_opened(struct prober *prober, struct reply *reply)
{
    bool was_pending = prober->state == &prober_pending;
    if (was_pending) { // what is known now is known as of now
        prober_enter(prober, &prober_opening);
        prober_start_clock(prober);
    }
    prober_note_sandbox(prober, reply);
    connection_note_open(&prober->connection, reply, prober_now(prober));
    refusal_take(prober->setup.refusal, reply, prober->verb_started, prober_now(prober));
    if (reply->outcome == OUTCOME_OK) {
        prober->statistics->connections++;
        prober_begin_first(prober);
        return;
    }
    struct probe probe = prober_probe_of(prober, reply);
    if (reply->trial == TRIAL_WITHHELD && reply->outcome == OUTCOME_DENIED)
        probe.outcome = refusal_outcome(prober->setup.refusal);
    probe.unasked = was_pending; // the time that it took was told at its deadline
    prober_finish_batch(prober, probe);
}

// The server's time for a statement goes by while we get no CPU to send the rest of it, or are
// stopped, too. What ends long before our limit has come to another one: the server's own, or the
// statement's.
static bool prober_is_our_delay(const struct prober *prober, const struct reply *reply)
{
    struct duration span = instant_since(prober->effort.since, prober_now(prober));
    return reply->outcome == OUTCOME_QUERY_TIMEOUT && span.ms >= prober->timeout.ms / 2 &&
           effort_is_wanting(&prober->effort, span);
}

// What comes after a run. The last of its batch has closed: if that should hang, the next open will
// tell.
static void prober_go_on(struct prober *prober)
{
    if (prober->last) {
        prober->connection.is_open = false;
        prober_enter(prober, &prober_idle);
        return;
    }
    if (prober->connection.is_open || jobs_first(&prober->jobs) == NULL)
        prober_begin_first(prober);
    else
        prober_begin_open(prober);
}

// On a new connection. Until then it waits in order, like all others.
static void prober_run_again(struct prober *prober)
{
    struct job *job = jobs_first(&prober->jobs);
    assert(!job->check->writes);
    prober->jobs.running = NULL;
    jobs_place(&prober->jobs, job, JOB_IN_BATCH);
    prober_begin_open(prober);
}

static void prober_on_ran(struct prober *prober, struct reply *reply)
{
    if (connection_was_dead(&prober->connection, reply->outcome)) {
        prober_run_again(prober);
        return;
    }
    struct probe probe = prober_probe_of(prober, reply);
    if (prober_is_our_delay(prober, reply))
        probe.outcome = OUTCOME_STARVED;
    connection_note_run(&prober->connection, reply->outcome);
    struct job *job = jobs_take_first(&prober->jobs);
    job_note_answer(job);
    prober_tell(prober, job, probe);
    prober_go_on(prober);
}

// Too late: what it says is older than what has been told since. The check may run again.
static void prober_on_ran_late(struct prober *prober, struct reply *reply)
{
    connection_note_run(&prober->connection, reply->outcome);
    job_note_answer(jobs_first(&prober->jobs));
    prober_end_silence(prober);
    prober_go_on(prober);
}

static void prober_on_closed(struct prober *prober, struct reply *reply)
{
    (void)reply;
    prober_enter(prober, &prober_idle);
}

// What the verb and the state want of a reply, beyond its being well-formed.
static bool prober_fits(const struct prober *prober, const struct reply *reply)
{
    bool rows = reply->verb == VERB_RUN && reply->outcome == OUTCOME_OK;
    return reply->sequence == prober->sequence && (reply->result != NULL) == rows &&
           reply->verb == prober->state->verb;
}

static void prober_on_replied(void *owner, struct reply *reply)
{
    struct prober *prober = owner;
    prober_log_reply(prober, reply);
    if (!prober_fits(prober, reply)) {
        prober_fail(prober, "sent a reply that fits no call");
        return;
    }
    failures_end(&prober->failures);
    effort_hear(&prober->effort);
    prober->state->on_replied(prober, reply);
}

// --- deaths

static void prober_on_died(void *owner, const char *how)
{
    struct prober *prober = owner;
    bool fails = how != NULL || prober->state != &prober_idle; // else it may leave
    prober_forget_process(prober);
    if (fails)
        prober_note_failure(prober, how != NULL ? how : "has left");
    prober->state->on_died(prober);
}

static void prober_die_idle(struct prober *prober)
{
    (void)prober; // it is started again when it is needed
}

static void prober_die_opening(struct prober *prober)
{
    prober_finish_batch(prober, prober_crashed(prober, VERB_OPEN));
}

static void prober_die_pending(struct prober *prober)
{
    prober_finish_batch(prober, prober_crashed_by_now(prober, VERB_OPEN));
}

static void prober_die_running(struct prober *prober)
{
    struct probe probe = prober_crashed(prober, VERB_RUN);
    prober_enter(prober, &prober_idle);
    prober_tell(prober, jobs_take_first(&prober->jobs), probe);
    if (jobs_first(&prober->jobs) != NULL)
        prober_begin_open(prober);
}

// Nobody was in the way of the run, so the next one need not wait.
static void prober_die_silent(struct prober *prober)
{
    jobs_first(&prober->jobs)->held_until = prober_now(prober);
    prober_finish_batch(prober, prober_crashed_by_now(prober, VERB_RUN));
}

static void prober_die_closing(struct prober *prober)
{
    prober_enter(prober, &prober_idle);
}

// --- deadlines

static struct probe prober_unanswered(const struct prober *prober, enum verb stage)
{
    return (struct probe){.outcome = effort_judge(&prober->effort, prober->timeout),
                          .stage = stage,
                          .started = prober->job_started};
}

// When pending: when another attempt takes the place of this one.
static struct instant prober_replacement(const struct prober *prober)
{
    return instant_add(prober->verb_started, backoff_wait(&backoff_pending_open, prober->attempts));
}

// When pending: wakes us when it is time to see what has become of the attempt.
static void prober_await_open(struct prober *prober)
{
    struct instant start_over =
        instant_add(prober->verb_started, (struct duration){.ms = START_MS});
    bool on_its_way = !prober->platform->functions->has_asked(prober->process) &&
                      instant_before(prober_now(prober), start_over);
    struct instant next = on_its_way ? start_over : prober_replacement(prober);
    struct instant measured = prober_end_of_span(prober);
    if (!prober->effort.resting && instant_before(measured, next))
        next = measured;
    prober_set_alarm(prober, next);
}

// The jobs stay in the batch: they run when the open is answered after all. Who comes while they
// are told is told by prober_want.
static void prober_leave_open_pending(struct prober *prober)
{
    struct probe probe = prober_unanswered(prober, VERB_OPEN);
    struct job *job;
    uint64_t arrivals = prober->jobs.arrivals;
    prober_enter(prober, &prober_pending);
    jobs_gather(&prober->jobs); // who came later waits for the same open
    prober->silent_since = prober->verb_started;
    prober->attempts = 1;
    prober->known = probe.outcome;
    probe.silent = instant_since(prober->silent_since, prober_now(prober));
    prober_await_open(prober);
    TAILQ_FOREACH(job, &prober->jobs.batch, link) { // which nobody is taken out of by `done`
        if (job->arrival < arrivals)
            prober_tell(prober, job, probe);
    }
}

// A process that has not even asked has had its time, and the CPU.
static bool prober_is_late(struct prober *prober)
{
    struct duration age = instant_since(prober->verb_started, prober_now(prober));
    effort_look(&prober->effort);
    return !prober->platform->functions->asks(prober->process) && age.ms >= START_MS &&
           !effort_lacks_cpu(&prober->effort, age);
}

// It is not short of the CPU, and would not hear an answer.
static void prober_give_up_open(struct prober *prober)
{
    bool has_asked = prober->platform->functions->has_asked(prober->process);
    prober_fail(prober, has_asked ? "is stopped" : "was not there in time");
}

// When an open has had its time: the server has been asked, or would be if we had the CPU, or the
// process is on its way.
static bool prober_may_be_answered(struct prober *prober)
{
    return !prober_is_late(prober) && (prober->platform->functions->asks(prober->process) ||
                                       effort_is_starved(&prober->effort, prober->timeout));
}

static void prober_end_open(struct prober *prober)
{
    if (prober_may_be_answered(prober))
        prober_leave_open_pending(prober);
    else
        prober_give_up_open(prober);
}

static void prober_replace_open(struct prober *prober)
{
    prober->known = prober_outcome_by_now(prober);
    prober_kill_silent(prober);
    if (jobs_first(&prober->jobs) == NULL) { // nobody needs it any more
        prober_enter(prober, &prober_idle);
        return;
    }
    prober->attempts++;
    prober_send_open(prober);
}

// What it has shown stands; from now on nothing wakes us for it.
static void prober_end_span(struct prober *prober)
{
    bool over = !instant_before(prober_now(prober), prober_end_of_span(prober));
    if (prober->effort.resting || !over)
        return;
    if (effort_judge(&prober->effort, prober->timeout) == OUTCOME_TIMEOUT)
        prober->known = OUTCOME_TIMEOUT;
    prober_rest(prober);
}

// Somebody is in doubt; or it is so when it would be replaced, whether the process is about to tell
// of an answer. Who has looked since then knows.
static bool prober_awaits_look(struct prober *prober)
{
    struct instant now = prober_now(prober), due = prober_replacement(prober);
    if (alarm_is_set(&prober->pulse))
        return true;
    if (instant_before(now, due) || !instant_before(prober->effort.last_look, due))
        return false;
    effort_look(&prober->effort);
    if (!prober_is_in_doubt(prober))
        return false;
    prober_set_pulse(prober, now);
    return true;
}

// An attempt has come to its deadline, or to its replacement.
static void prober_end_attempt(struct prober *prober)
{
    prober_end_span(prober);
    if (prober->effort.resting && prober_awaits_look(prober)) {
        prober_set_alarm(prober, prober->pulse.at);
        return;
    }
    prober_end_doubt(prober);
    if (!instant_before(prober_now(prober), prober_replacement(prober))) {
        prober_replace_open(prober);
    } else if (prober_may_be_answered(prober)) {
        prober_await_open(prober);
    } else {
        prober_give_up_open(prober);
    }
}

// Nobody else needs the process, so the run may still be answered.
static void prober_leave_run_silent(struct prober *prober, struct probe probe)
{
    struct job *job = jobs_first(&prober->jobs);
    prober_enter(prober, &prober_silent);
    prober->known = probe.outcome;
    probe.silent = job_silence(job, prober_now(prober));
    prober_tell(prober, job, probe);
}

static void prober_end_run(struct prober *prober)
{
    struct probe probe = prober_unanswered(prober, VERB_RUN);
    if (probe.outcome == OUTCOME_TIMEOUT)
        job_note_silence(jobs_first(&prober->jobs), prober->job_started, prober_now(prober));
    if (probe.outcome == OUTCOME_TIMEOUT && !jobs_has_others(&prober->jobs)) {
        prober_leave_run_silent(prober, probe);
        return;
    }
    prober_kill_silent(prober);
    prober_enter(prober, &prober_idle);
    prober_tell(prober, jobs_take_first(&prober->jobs), probe);
    if (jobs_first(&prober->jobs) != NULL)
        prober_begin_open(prober);
}

static void prober_end_close(struct prober *prober)
{
    prober_kill_silent(prober);
    prober_enter(prober, &prober_idle);
}

// An answer that is there counts, however late we look.
static void prober_on_alarm(struct alarm *alarm)
{
    struct prober *prober = CONTAINER_OF(alarm, struct prober, alarm);
    const struct prober_state *state = prober->state;
    uint32_t sequence = prober->sequence;
    prober_look(prober);
    if (prober->state == state && prober->sequence == sequence)
        state->on_deadline(prober);
}

// --- the states

static const struct prober_state prober_idle = {.name = "idle",
                                                .on_wanted = prober_want_idle,
                                                .on_died = prober_die_idle,
                                                .next = {&prober_opening, &prober_running}};

static const struct prober_state prober_opening = {
    .name = "opening",
    .verb = VERB_OPEN,
    .measures = true,
    .on_wanted = prober_want_later,
    .on_replied = prober_on_opened,
    .on_died = prober_die_opening,
    .on_deadline = prober_end_open,
    .next = {&prober_idle, &prober_pending, &prober_running, &prober_closing}};

static const struct prober_state prober_pending = {.name = "pending",
                                                   .verb = VERB_OPEN,
                                                   .looks = true,
                                                   .on_wanted = prober_want_pending,
                                                   .on_replied = prober_on_opened,
                                                   .on_died = prober_die_pending,
                                                   .on_deadline = prober_end_attempt,
                                                   .next = {&prober_idle, &prober_opening}};

static const struct prober_state prober_running = {
    .name = "running",
    .verb = VERB_RUN,
    .measures = true,
    .on_wanted = prober_want_later,
    .on_replied = prober_on_ran,
    .on_died = prober_die_running,
    .on_deadline = prober_end_run,
    .next = {&prober_idle, &prober_opening, &prober_running, &prober_silent, &prober_closing}};

static const struct prober_state prober_silent = {.name = "silent",
                                                  .verb = VERB_RUN,
                                                  .looks = true,
                                                  .on_wanted = prober_want_silent,
                                                  .on_replied = prober_on_ran_late,
                                                  .on_died = prober_die_silent,
                                                  .next = {&prober_idle, &prober_closing}};

static const struct prober_state prober_closing = {.name = "closing",
                                                   .verb = VERB_CLOSE,
                                                   .on_wanted = prober_want_later,
                                                   .on_replied = prober_on_closed,
                                                   .on_died = prober_die_closing,
                                                   .on_deadline = prober_end_close,
                                                   .next = {&prober_idle}};

// --- from outside

struct prober *prober_new(const struct prober_setup *setup)
{
    struct prober *prober = memory_new(sizeof *prober);
    *prober = (struct prober){.setup = *setup,
                              .platform = setup->platform,
                              .name = setup->statistics->name,
                              .statistics = setup->statistics,
                              .state = &prober_idle,
                              .alarm = {.ring = prober_on_alarm},
                              .pulse = {.ring = prober_on_pulse}};
    refusal_hold(setup->refusal);
    jobs_init(&prober->jobs);
    return prober;
}

void prober_release(struct prober *prober, struct job *job)
{
    jobs_release(&prober->jobs, job);
}

bool prober_drop(struct prober *prober, struct job *job)
{
    if (job->place == JOB_IDLE)
        return true;
    if (job == prober->jobs.running && prober->state == &prober_running)
        return false;
    job->in_doubt = false;
    if (job == prober->jobs.running)
        prober_give_up_run(prober);
    else
        jobs_place(&prober->jobs, job, JOB_IDLE);
    return true;
}

// Of a job that does not run only a login tells. And what may write cannot be run again, on another
// connection, if the one that was kept should be found dead.
static bool prober_needs_new_connection(const struct prober *prober, const struct job *job)
{
    return !prober_may_run(prober, job) || job->check->writes;
}

void prober_start_batch(struct prober *prober)
{
    if (prober->state != &prober_idle || TAILQ_EMPTY(&prober->jobs.queue))
        return;
    jobs_fill_batch(&prober->jobs);
    bool is_open = prober->connection.is_open;
    if (!is_open || prober_needs_new_connection(prober, jobs_first(&prober->jobs))) {
        prober_begin_open(prober);
        return;
    }
    prober->connection.is_old = true;
    prober_start_clock(prober);
    prober_begin_first(prober);
}

void prober_look(struct prober *prober)
{
    if (prober->process != NULL && !prober->telling)
        prober->platform->functions->receive(prober->process);
}

struct unfinished prober_explain(struct prober *prober, const struct job *job)
{
    const struct job *first = jobs_first(&prober->jobs);
    struct unfinished unfinished = {.outcome = OUTCOME_UNKNOWN};
    bool opens = prober->state->verb == VERB_OPEN; // perhaps for who has been dropped since
    if (first == NULL && !opens)
        return unfinished;
    unfinished.ran = instant_since(prober->job_started, prober_now(prober));
    unfinished.ahead = first != NULL ? first->check : NULL;
    bool under_way = job == first || (opens && job->place != JOB_IDLE);
    if (under_way && prober->state->looks)
        unfinished.outcome = prober_outcome_by_now(prober);
    else if (under_way)
        unfinished.outcome = effort_judge(&prober->effort, unfinished.ran);
    return unfinished;
}

void prober_end(struct prober *prober)
{
    const struct platform_functions *functions = prober->platform->functions;
    bool unanswered = prober->state == &prober_pending || prober->state == &prober_silent;
    if (prober->process != NULL && unanswered)
        functions->kill(prober->process);
    else if (prober->process != NULL)
        functions->end(prober->process, (struct duration){.ms = GOODBYE_MS});
    prober_clear_alarm(prober);
    platform_clear_alarm(prober->platform, &prober->pulse);
    refusal_release(prober->setup.refusal);
    free(prober);
}

bool prober_is_beyond_help(const struct prober *prober)
{
    return prober->setup.engine != ENGINE_PEERS && failures_are_hopeless(&prober->failures);
}

const char *prober_sandbox(const struct prober *prober)
{
    return prober->sandbox[0] != '\0' ? prober->sandbox : NULL;
}

const char *prober_name(const struct prober *prober)
{
    return prober->name;
}

const struct refusal *prober_refusal(const struct prober *prober)
{
    return prober->setup.refusal;
}

const char *prober_state_name(const struct prober *prober)
{
    return prober->state->name;
}

const struct prober_statistics *prober_statistics(const struct prober *prober)
{
    return prober->statistics;
}

bool prober_is_opening(const struct prober *prober)
{
    return prober->state == &prober_opening;
}

bool prober_is_pending(const struct prober *prober)
{
    return prober->state == &prober_pending;
}

struct server_seen prober_server(const struct prober *prober)
{
    const struct connection *latest = &prober->connection;
    return (struct server_seen){
        .opened = latest->opened, .flavor = latest->flavor, .version = latest->version};
}
