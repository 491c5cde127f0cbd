// See prober.h. One verb is outstanding at a time:
//
//            want          open ok          batch empty        closed
//     IDLE --------> OPENING ------> RUNNING ----------> CLOSING -----> IDLE
//                     |   ^           |   \ deadline: kill, open anew for the rest
//            deadline |   | open ok   |
//                     v   | (its jobs run then)
//                    PENDING -- 10, 20, 40, 60, 60 ... s: kill, try another open
//
// CLOSING is for a batch that ends otherwise than by a run: the last run closes, too.
//
// The decision to question is PENDING: an open is not killed at its deadline, because a kill in
// mid-login leaves a server process behind, and a probe every second would fill the connection
// table of a server that is merely slow. Until it is answered its checks are `timeout` at once. A
// process that cannot even have asked by the open's deadline, though it had the CPU, is killed:
// IDLE.
#include "server/probing/prober.h"

#include "common/memory.h"
#include "server/base/container_of.h"
#include "server/base/log.h"
#include "server/probing/backoff.h"
#include "server/probing/effort.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

TAILQ_HEAD(job_list, job);

enum state { STATE_IDLE, STATE_OPENING, STATE_PENDING, STATE_RUNNING, STATE_CLOSING };

enum {
    START_MS = 5000,      // by when one that is slow to start, as from a cold disk, takes a call
    GOODBYE_MS = 1000,    // at our end: a statement under way may come to its own end
    CLOSE_LIMIT_MS = 200, // of a goodbye
    HELPLESS_FAILURES = 5,
    HELPLESS_MS = 30000,
    ROWS_MOST = 1000,    // of a result that is logged; the message's size bounds them too
    INSPECT_MS = 60000,  // between questions whether the user is a superuser
    MARGIN_MOST_MS = 100 // the server's own limit ends a statement this much before ours
};

struct prober {
    struct prober_setup setup;
    struct platform *platform;
    const char *name; // of the statistics
    struct prober_statistics *statistics;
    struct job_list foreground;
    struct job_list background;
    struct job_list batch;    // the first is the one that runs
    bool kept;                // it was open before this batch, and may have died unnoticed
    bool connected;           // there is a connection
    struct instant inspected; // when it was last asked whether the user is a superuser
    bool superuser;           // the answer
    struct instant opened;    // when it was last connected; 0: never
    bool refused;             // the secret, at the last open
    enum flavor flavor;       // of the server, once connected
    char version[REPLY_VERSION_MAX];
    enum state state;
    bool last;                      // the outstanding run closes the connection, too
    struct prober_process *process; // NULL: none is up
    uint32_t sequence;              // of the outstanding call
    struct alarm alarm;             // of the outstanding verb, or to replace a pending open
    struct instant verb_started;    // of the outstanding verb; when pending: of the latest attempt
    struct instant job_started;     // of the first job in the batch
    struct instant deadline;        // of the outstanding verb
    struct duration timeout;        // that it is from
    struct instant silent_since;    // when pending: the start of the first attempt
    unsigned attempts;              // when pending: how many
    enum outcome before;            // when pending: what was told before the latest attempt
    struct effort effort;           // for the first job of the batch
    struct alarm pulse;             // looks at the effort while a verb is outstanding
    unsigned failures;              // crashes and failed starts in a row
    struct instant first_failure, last_failure;
    struct instant not_before; // no start before this
};

static void prober_begin_open(struct prober *prober);
static void prober_begin_close(struct prober *prober);

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

// What the outstanding verb is given: the first job's timeout. All jobs of an open under way may
// have been dropped; then it goes on with what it began with.
static struct duration prober_timeout_of(struct prober *prober)
{
    const struct job *first = TAILQ_FIRST(&prober->batch);
    if (first != NULL)
        prober->timeout = first->check->timeout;
    return prober->timeout;
}

// Tells a job's probe, as of now.
static void prober_tell(struct prober *prober, struct job *job, struct probe probe)
{
    probe.code = probe.code != NULL ? probe.code : "";
    probe.message = probe.message != NULL ? probe.message : "";
    probe.ended = prober_now(prober);
    probe.superuser = prober->superuser;
    probe.refused = prober->refused;
    prober->setup.done(prober->setup.context, job, &probe);
    result_free(probe.result);
}

static struct job *prober_take_first(struct job_list *list)
{
    struct job *job = TAILQ_FIRST(list);
    TAILQ_REMOVE(list, job, link);
    job->place = JOB_IDLE;
    return job;
}

// Ends every job of the batch in the same way.
static void prober_finish_batch(struct prober *prober, struct probe probe)
{
    prober_clear_alarm(prober);
    prober->state = STATE_IDLE;
    while (!TAILQ_EMPTY(&prober->batch))
        prober_tell(prober, prober_take_first(&prober->batch), probe);
}

// --- the process

static void prober_note_failure(struct prober *prober, const char *what)
{
    struct instant now = prober_now(prober);
    prober->statistics->crashes++;
    if (prober->failures++ == 0)
        prober->first_failure = now;
    prober->last_failure = now;
    struct duration wait = backoff_wait(&backoff_failed_start, prober->failures - 1);
    prober->not_before = instant_add(now, wait);
    LOG_EVENT(LOG_ERROR, "prober failed", LOG_TEXT("prober", prober->name), LOG_TEXT("how", what),
              LOG_NUMBER("failures", prober->failures), LOG_NUMBER("restart_in_ms", wait.ms));
}

static bool prober_may_start(const struct prober *prober)
{
    return prober->process != NULL || !instant_before(prober_now(prober), prober->not_before);
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
    prober->connected = false;
}

static void prober_kill_process(struct prober *prober)
{
    if (prober->process != NULL)
        prober->platform->functions->kill(prober->process);
    prober_forget_process(prober);
}

// For want of an answer in time.
static void prober_kill_silent(struct prober *prober)
{
    if (prober->process != NULL)
        prober->statistics->kills++;
    prober_kill_process(prober);
}

// --- our own part

static void prober_set_pulse(struct prober *prober)
{
    const struct duration period = {.ms = EFFORT_PERIOD_MS};
    platform_set_alarm(prober->platform, &prober->pulse, instant_add(prober_now(prober), period));
}

static void prober_on_pulse(struct alarm *alarm)
{
    struct prober *prober = CONTAINER_OF(alarm, struct prober, pulse);
    effort_look(&prober->effort, prober->platform, prober->process);
    if (prober->state != STATE_IDLE)
        prober_set_pulse(prober);
}

static void prober_begin_effort(struct prober *prober, struct instant since)
{
    effort_begin(&prober->effort, prober->platform, prober->process, since);
    prober_set_pulse(prober);
}

static bool prober_is_starved(const struct prober *prober, struct duration span)
{
    return effort_is_starved(&prober->effort, prober->platform, prober->process, span);
}

// No answer yet, and perhaps not even asked.
static enum outcome prober_outcome_of_silence(const struct prober *prober, struct duration span)
{
    if (prober_is_starved(prober, span))
        return OUTCOME_STARVED;
    bool asked = prober->process == NULL || prober->platform->functions->asks(prober->process);
    return asked ? OUTCOME_TIMEOUT : OUTCOME_CRASHED;
}

// Only an attempt that has had its time, and the CPU, tells something new of the server.
static enum outcome prober_outcome_of_pending(struct prober *prober)
{
    struct duration span = instant_since(prober->effort.since, prober_now(prober));
    bool tells = span.ms >= prober_timeout_of(prober).ms &&
                 prober_outcome_of_silence(prober, span) == OUTCOME_TIMEOUT;
    return tells ? OUTCOME_TIMEOUT : prober->before;
}

// --- the verbs

// Sends a call and sets the verb's deadline. False, with the process killed, if it takes none.
static bool prober_send_call(struct prober *prober, struct call call)
{
    prober->sequence++;
    prober->verb_started = prober_now(prober);
    prober->deadline = call.deadline;
    call.sequence = prober->sequence;
    if (prober->platform->functions->send(prober->process, &call))
        return true;
    prober_kill_process(prober);
    prober_note_failure(prober, "takes no calls");
    return false;
}

// From now on time counts against the first job of the batch.
static void prober_start_clock(struct prober *prober)
{
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

// There is no process, and none could be asked to.
static struct probe prober_not_started(const struct prober *prober)
{
    struct probe probe = prober_crashed(prober, VERB_OPEN);
    probe.unasked = true;
    return probe;
}

static bool prober_must_inspect(const struct prober *prober)
{
    return prober->inspected.ns == 0 ||
           instant_since(prober->inspected, prober_now(prober)).ms >= INSPECT_MS;
}

static struct call prober_open_call(struct prober *prober)
{
    return (struct call){.verb = VERB_OPEN,
                         .deadline = instant_add(prober_now(prober), prober_timeout_of(prober)),
                         .inspect = prober_must_inspect(prober),
                         .withheld = refusal_withhold(prober->setup.refusal, prober_now(prober))};
}

// Asks the process, a new one if none is up, to open. False, with the batch ended, if it can't be.
static bool prober_send_open(struct prober *prober)
{
    struct instant since = prober_now(prober);
    bool have = prober_have_process(prober);
    prober_begin_effort(prober, since);
    if (have && prober_send_call(prober, prober_open_call(prober)))
        return true;
    prober_finish_batch(prober, prober_not_started(prober));
    return false;
}

// Opens for the first job of the batch, whose time starts now.
static void prober_begin_open(struct prober *prober)
{
    prober->job_started = prober_now(prober);
    prober->connected = prober->kept = prober->refused = false;
    if (!prober_send_open(prober))
        return;
    prober->state = STATE_OPENING;
    prober_set_alarm(prober, prober->deadline);
}

// What the server is told to keep to: a little less than is left, at least 1 ms.
static struct duration prober_statement_limit(struct duration left)
{
    int64_t margin = left.ms / 8;
    if (margin > MARGIN_MOST_MS)
        margin = MARGIN_MOST_MS;
    return (struct duration){.ms = left.ms - margin > 0 ? left.ms - margin : 1};
}

// Whether the connection outlives the batch. While the secret is refused it does not, for the next
// open shall try that anew.
static bool prober_stays_open(const struct prober *prober)
{
    return prober->setup.keeps && !prober->refused;
}

static void prober_begin_run(struct prober *prober)
{
    const struct job *first = TAILQ_FIRST(&prober->batch);
    const struct check *check = first->check;
    struct instant deadline = instant_add(prober->job_started, check->timeout);
    struct call call = {.verb = VERB_RUN,
                        .deadline = deadline,
                        .last = TAILQ_NEXT(first, link) == NULL && !prober_stays_open(prober),
                        .read_only = !check->writes,
                        .statement_limit =
                            prober_statement_limit(instant_left(deadline, prober_now(prober))),
                        .max_rows = check->log_rows ? ROWS_MOST : 1,
                        .sql = check->sql};
    prober->state = STATE_RUNNING;
    prober->last = call.last;
    if (!prober_send_call(prober, call)) {
        prober_finish_batch(prober, prober_crashed(prober, VERB_RUN));
        return;
    }
    prober_set_alarm(prober, deadline);
}

// Background jobs of a batch go back when a request has come to wait for others.
static void prober_yield_to_foreground(struct prober *prober)
{
    struct job *next = TAILQ_FIRST(&prober->batch);
    if (next == NULL || next->foreground || TAILQ_EMPTY(&prober->foreground))
        return;
    struct job *job;
    TAILQ_FOREACH(job, &prober->batch, link)
        job->place = JOB_QUEUED;
    TAILQ_CONCAT(&prober->batch, &prober->background, link);
    TAILQ_CONCAT(&prober->background, &prober->batch, link);
}

// Jobs that are not meant for this server end here, without a run.
static void prober_skip_unmeant(struct prober *prober)
{
    struct job *first;
    while ((first = TAILQ_FIRST(&prober->batch)) != NULL &&
           !range_has(&first->check->range, prober->flavor, prober->version))
        prober_tell(prober, prober_take_first(&prober->batch),
                    (struct probe){.outcome = OUTCOME_SKIPPED,
                                   .stage = VERB_OPEN,
                                   .started = prober->job_started,
                                   .unasked = true});
}

// Runs the first job, if there is one.
static void prober_begin_first(struct prober *prober)
{
    const struct job *first = TAILQ_FIRST(&prober->batch);
    prober_skip_unmeant(prober);
    if (TAILQ_FIRST(&prober->batch) != first) // the open's time was the skipped one's
        prober_start_clock(prober);
    if (!TAILQ_EMPTY(&prober->batch)) {
        prober_begin_run(prober);
        return;
    }
    if (prober_stays_open(prober)) {
        prober_clear_alarm(prober);
        prober->state = STATE_IDLE;
        return;
    }
    prober_begin_close(prober);
}

static void prober_begin_next(struct prober *prober)
{
    prober_yield_to_foreground(prober);
    if (!TAILQ_EMPTY(&prober->batch))
        prober_start_clock(prober);
    prober_begin_first(prober);
}

static void prober_begin_close(struct prober *prober)
{
    struct duration limit = {.ms = CLOSE_LIMIT_MS};
    prober->connected = false;
    struct call call = {.verb = VERB_CLOSE, .deadline = instant_add(prober_now(prober), limit)};
    prober->state = STATE_CLOSING;
    if (prober_send_call(prober, call)) {
        prober_set_alarm(prober, prober->deadline);
        return;
    }
    prober_clear_alarm(prober);
    prober->state = STATE_IDLE;
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

static void prober_on_opened(struct prober *prober, struct reply *reply)
{
    bool was_pending = prober->state == STATE_PENDING;
    if (was_pending) // what is known now is known as of now
        prober_start_clock(prober);
    prober->refused = reply->trial != TRIAL_NONE;
    refusal_take(prober->setup.refusal, reply, prober->verb_started, prober_now(prober));
    if (reply->outcome != OUTCOME_OK) {
        struct probe probe = prober_probe_of(prober, reply);
        probe.unasked = was_pending; // the time that it took was told at its deadline
        prober_finish_batch(prober, probe);
        return;
    }
    if (prober_must_inspect(prober)) {
        prober->superuser = reply->superuser;
        prober->inspected = prober_now(prober);
    }
    prober->connected = true;
    prober->statistics->connections++;
    prober->opened = prober_now(prober);
    prober->flavor = reply->flavor;
    (void)snprintf(prober->version, sizeof prober->version, "%s", reply->version);
    prober_begin_first(prober);
}

// With these the connection is gone: the rest of the batch needs another.
static bool prober_ends_session(enum outcome outcome)
{
    return outcome == OUTCOME_LOST || outcome == OUTCOME_TERMINATED ||
           outcome == OUTCOME_NOT_ACCEPTING || outcome == OUTCOME_TLS ||
           outcome == OUTCOME_TOO_LARGE;
}

// The run was the last of its batch. If the goodbye should hang, the next open will tell.
static void prober_be_closed(struct prober *prober)
{
    prober->connected = false;
    prober->state = STATE_IDLE;
}

// The server's time for a statement goes by while we get no CPU to send the rest of it, too. What
// ends long before our limit has come to another one: the server's own, or the statement's.
static bool prober_is_our_delay(struct prober *prober, const struct reply *reply)
{
    struct duration span = instant_since(prober->effort.since, prober_now(prober));
    return reply->outcome == OUTCOME_QUERY_TIMEOUT && span.ms >= prober_timeout_of(prober).ms / 2 &&
           prober_is_starved(prober, span);
}

static void prober_on_ran(struct prober *prober, struct reply *reply)
{
    bool ended = prober_ends_session(reply->outcome);
    if (ended && prober->kept && reply->outcome != OUTCOME_TOO_LARGE) {
        prober_begin_open(prober); // it may have died long ago: only a new one tells
        return;
    }
    struct probe probe = prober_probe_of(prober, reply);
    if (prober_is_our_delay(prober, reply))
        probe.outcome = OUTCOME_STARVED;
    prober->connected = !ended;
    prober->kept = false;                   // it has just proved to be alive
    TAILQ_FIRST(&prober->batch)->kills = 0; // answered: the next run need not be held back
    prober_tell(prober, prober_take_first(&prober->batch), probe);
    if (prober->last)
        prober_be_closed(prober);
    else if (!ended)
        prober_begin_next(prober);
    else if (!TAILQ_EMPTY(&prober->batch))
        prober_begin_open(prober);
    else
        prober_begin_close(prober);
}

// What the verb and the state want of a reply, beyond its being well-formed.
static bool prober_fits(const struct prober *prober, const struct reply *reply)
{
    bool rows = reply->verb == VERB_RUN && reply->outcome == OUTCOME_OK;
    if (reply->sequence != prober->sequence || (reply->result != NULL) != rows)
        return false;
    switch (prober->state) {
    case STATE_OPENING:
    case STATE_PENDING:
        return reply->verb == VERB_OPEN;
    case STATE_RUNNING:
        return reply->verb == VERB_RUN;
    case STATE_CLOSING:
        return reply->verb == VERB_CLOSE;
    case STATE_IDLE:
        return false;
    }
    abort();
}

static void prober_on_replied(void *owner, struct reply *reply)
{
    struct prober *prober = owner;
    if (!prober_fits(prober, reply)) {
        prober_kill_process(prober);
        prober_on_died(prober, "sent a reply that fits no call");
        return;
    }
    prober->failures = 0;
    prober_clear_alarm(prober);
    if (reply->verb == VERB_OPEN)
        prober_on_opened(prober, reply);
    else if (reply->verb == VERB_RUN)
        prober_on_ran(prober, reply);
    else
        prober->state = STATE_IDLE;
}

static void prober_on_died(void *owner, const char *how)
{
    struct prober *prober = owner;
    enum state state = prober->state;
    prober_forget_process(prober);
    prober_note_failure(prober, how);
    prober_clear_alarm(prober);
    if (state == STATE_OPENING || state == STATE_PENDING) {
        prober_finish_batch(prober, prober_crashed(prober, VERB_OPEN));
    } else if (state == STATE_RUNNING) {
        prober_tell(prober, prober_take_first(&prober->batch), prober_crashed(prober, VERB_RUN));
        prober->state = STATE_IDLE;
        if (!TAILQ_EMPTY(&prober->batch))
            prober_begin_open(prober);
    } else {
        prober->state = STATE_IDLE;
    }
}

// --- deadlines

static struct probe prober_unanswered(struct prober *prober, enum verb stage)
{
    return (struct probe){.outcome = prober_outcome_of_silence(prober, prober_timeout_of(prober)),
                          .stage = stage,
                          .started = prober->job_started};
}

// When pending: when another attempt takes the place of this one.
static struct instant prober_replacement(const struct prober *prober)
{
    return instant_add(prober->verb_started, backoff_wait(&backoff_pending_open, prober->attempts));
}

// When pending: when to see what has become of the attempt.
static struct instant prober_next_look(const struct prober *prober)
{
    struct instant start_over =
        instant_add(prober->verb_started, (struct duration){.ms = START_MS});
    bool on_its_way = !prober->platform->functions->has_asked(prober->process) &&
                      instant_before(prober_now(prober), start_over);
    return on_its_way ? start_over : prober_replacement(prober);
}

// Moves all that is queued into the batch, what requests wait for first.
static void prober_fill_batch(struct prober *prober)
{
    struct job *job;
    TAILQ_CONCAT(&prober->batch, &prober->foreground, link);
    TAILQ_CONCAT(&prober->batch, &prober->background, link);
    TAILQ_FOREACH(job, &prober->batch, link)
        job->place = JOB_IN_BATCH;
}

// The jobs stay in the batch: they run when the open is answered after all.
static void prober_leave_open_pending(struct prober *prober)
{
    struct probe probe = prober_unanswered(prober, VERB_OPEN);
    struct job *job;
    prober_fill_batch(prober); // who came later waits for the same open
    prober->state = STATE_PENDING;
    prober->silent_since = prober->verb_started;
    prober->attempts = 1;
    prober->before = probe.outcome;
    probe.silent = instant_since(prober->silent_since, prober_now(prober));
    TAILQ_FOREACH(job, &prober->batch, link)
        prober_tell(prober, job, probe);
    prober_set_alarm(prober, prober_next_look(prober));
}

// A process that has not even asked has had its time, and the CPU.
static bool prober_is_late(const struct prober *prober)
{
    struct duration age = instant_since(prober->verb_started, prober_now(prober));
    return !prober->platform->functions->asks(prober->process) && age.ms >= START_MS &&
           !effort_lacks_cpu(&prober->effort, prober->platform, prober->process, age);
}

// It is not short of the CPU, and no login is under way, so nothing is lost by a kill.
static void prober_end_unborn(struct prober *prober)
{
    prober_kill_process(prober);
    prober_note_failure(prober, "was not there in time");
    prober_finish_batch(prober, prober_crashed(prober, VERB_OPEN));
}

// At the deadline of an open: the server has been asked, or would be if we had the CPU.
static bool prober_may_be_answered(struct prober *prober)
{
    return prober->platform->functions->asks(prober->process) ||
           prober_is_starved(prober, prober_timeout_of(prober));
}

static void prober_end_open(struct prober *prober)
{
    if (prober_may_be_answered(prober))
        prober_leave_open_pending(prober);
    else
        prober_end_unborn(prober);
}

static void prober_replace_open(struct prober *prober)
{
    prober->before = prober_outcome_of_pending(prober);
    prober_kill_silent(prober);
    prober->attempts++;
    if (prober_send_open(prober))
        prober_set_alarm(prober, prober->deadline);
}

// An attempt has come to its deadline, or to its replacement.
static void prober_end_attempt(struct prober *prober)
{
    if (!instant_before(prober_now(prober), prober_replacement(prober)))
        prober_replace_open(prober);
    else if (!prober_is_late(prober) && prober_may_be_answered(prober))
        prober_set_alarm(prober, prober_next_look(prober));
    else
        prober_end_unborn(prober);
}

// A kill leaves the server with a session that ends only when the server notices. So a check whose
// runs are killed again and again is run ever more seldom; `timeout` is its verdict meanwhile.
static void prober_hold_back(const struct prober *prober, struct job *job, struct instant started)
{
    if (job->kills++ == 0)
        job->silent_since = started;
    job->last_started = started;
    job->held_until =
        instant_add(prober_now(prober), backoff_wait(&backoff_killed_run, job->kills));
}

static bool prober_is_held(const struct prober *prober, const struct job *job)
{
    return job->kills > 0 && instant_before(prober_now(prober), job->held_until);
}

static void prober_tell_held(struct prober *prober, struct job *job)
{
    struct probe probe = {.outcome = OUTCOME_TIMEOUT,
                          .stage = VERB_RUN,
                          .started = job->last_started,
                          .unasked = true,
                          .silent = instant_since(job->silent_since, prober_now(prober))};
    prober_tell(prober, job, probe);
}

static void prober_end_run(struct prober *prober)
{
    struct probe probe = prober_unanswered(prober, VERB_RUN);
    if (probe.outcome == OUTCOME_TIMEOUT)
        prober_hold_back(prober, TAILQ_FIRST(&prober->batch), prober->job_started);
    prober_kill_silent(prober);
    prober->state = STATE_IDLE;
    prober_tell(prober, prober_take_first(&prober->batch), probe);
    if (!TAILQ_EMPTY(&prober->batch))
        prober_begin_open(prober);
}

static void prober_on_verb_over(struct prober *prober)
{
    switch (prober->state) {
    case STATE_OPENING:
        prober_end_open(prober);
        break;
    case STATE_PENDING:
        prober_end_attempt(prober);
        break;
    case STATE_RUNNING:
        prober_end_run(prober);
        break;
    case STATE_CLOSING:
        prober_kill_silent(prober);
        prober->state = STATE_IDLE;
        break;
    case STATE_IDLE:
        break;
    }
}

static void prober_on_alarm(struct alarm *alarm)
{
    struct prober *prober = CONTAINER_OF(alarm, struct prober, alarm);
    enum state state = prober->state;
    uint32_t sequence = prober->sequence;
    if (prober->process != NULL) // an answer that is there counts, however late we look
        prober->platform->functions->receive(prober->process);
    if (prober->state == state && prober->sequence == sequence)
        prober_on_verb_over(prober);
}

// --- from outside

struct prober *prober_new(const struct prober_setup *setup)
{
    struct prober *prober = memory_new(sizeof *prober);
    *prober = (struct prober){.setup = *setup,
                              .platform = setup->platform,
                              .name = setup->statistics->name,
                              .statistics = setup->statistics,
                              .alarm = {.ring = prober_on_alarm},
                              .pulse = {.ring = prober_on_pulse}};
    TAILQ_INIT(&prober->foreground);
    TAILQ_INIT(&prober->background);
    TAILQ_INIT(&prober->batch);
    return prober;
}

static void prober_tell_pending(struct prober *prober, struct job *job)
{
    struct instant now = prober_now(prober);
    if (job->place == JOB_IDLE) {
        job->place = JOB_IN_BATCH;
        TAILQ_INSERT_TAIL(&prober->batch, job, link);
    }
    struct probe probe = {.outcome = prober_outcome_of_pending(prober),
                          .stage = VERB_OPEN,
                          .started = now,
                          .unasked = true,
                          .silent = instant_since(prober->silent_since, now)};
    prober_tell(prober, job, probe);
}

void prober_want(struct prober *prober, struct job *job, bool foreground)
{
    if (prober->state == STATE_PENDING) {
        prober_tell_pending(prober, job);
        return;
    }
    if (prober->state == STATE_IDLE && !prober_may_start(prober)) {
        prober->job_started = prober_now(prober);
        prober_tell(prober, job, prober_not_started(prober));
        return;
    }
    if (job->place == JOB_IN_BATCH)
        job->foreground |= foreground;
    if (job->place == JOB_IDLE && prober_is_held(prober, job)) {
        prober_tell_held(prober, job);
        return;
    }
    bool promote = job->place == JOB_QUEUED && foreground && !job->foreground;
    if (promote)
        TAILQ_REMOVE(&prober->background, job, link);
    else if (job->place != JOB_IDLE)
        return;
    job->place = JOB_QUEUED;
    job->foreground = foreground;
    if (foreground)
        TAILQ_INSERT_TAIL(&prober->foreground, job, link);
    else
        TAILQ_INSERT_TAIL(&prober->background, job, link);
}

static bool prober_take_from(struct job_list *list, struct job *job)
{
    struct job *at;
    TAILQ_FOREACH(at, list, link) {
        if (at == job) {
            TAILQ_REMOVE(list, job, link);
            return true;
        }
    }
    return false;
}

bool prober_drop(struct prober *prober, struct job *job)
{
    if (job->place == JOB_IDLE)
        return true;
    if (prober->state == STATE_RUNNING && job == TAILQ_FIRST(&prober->batch))
        return false;
    bool taken = prober_take_from(&prober->batch, job) ||
                 prober_take_from(&prober->foreground, job) ||
                 prober_take_from(&prober->background, job);
    assert(taken);
    job->place = JOB_IDLE;
    return true;
}

void prober_start_batch(struct prober *prober)
{
    if (prober->state != STATE_IDLE)
        return;
    TAILQ_CONCAT(&prober->batch, &prober->foreground, link);
    TAILQ_CONCAT(&prober->batch, &prober->background, link);
    if (TAILQ_EMPTY(&prober->batch))
        return;
    struct job *job;
    TAILQ_FOREACH(job, &prober->batch, link)
        job->place = JOB_IN_BATCH;
    prober->kept = prober->connected;
    if (!prober->connected) {
        prober_begin_open(prober);
        return;
    }
    prober_start_clock(prober);
    prober_begin_first(prober);
}

struct unfinished prober_explain(struct prober *prober, const struct job *job)
{
    const struct job *first = TAILQ_FIRST(&prober->batch);
    struct unfinished unfinished = {.outcome = OUTCOME_UNKNOWN};
    if (first == NULL)
        return unfinished;
    unfinished.ran = instant_since(prober->job_started, prober_now(prober));
    unfinished.ahead = first->check;
    bool under_way = job->place == JOB_IN_BATCH && (job == first || prober->state == STATE_OPENING);
    if (under_way)
        unfinished.outcome = prober_outcome_of_silence(prober, job->check->timeout);
    return unfinished;
}

void prober_end(struct prober *prober)
{
    struct duration grace = {.ms = GOODBYE_MS};
    if (prober->process != NULL && prober->state == STATE_PENDING)
        prober->platform->functions->kill(prober->process);
    else if (prober->process != NULL)
        prober->platform->functions->end(prober->process, grace);
    prober_clear_alarm(prober);
    platform_clear_alarm(prober->platform, &prober->pulse);
    free(prober);
}

bool prober_is_beyond_help(const struct prober *prober)
{
    return prober->failures >= HELPLESS_FAILURES &&
           instant_since(prober->first_failure, prober->last_failure).ms >= HELPLESS_MS;
}

const char *prober_name(const struct prober *prober)
{
    return prober->name;
}

const struct prober_statistics *prober_statistics(const struct prober *prober)
{
    return prober->statistics;
}

bool prober_is_pending(const struct prober *prober)
{
    return prober->state == STATE_PENDING;
}

struct server_seen prober_server(const struct prober *prober)
{
    return (struct server_seen){
        .opened = prober->opened, .flavor = prober->flavor, .version = prober->version};
}
