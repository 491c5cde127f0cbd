// What must hold, whatever happens. Each promise is judged from what the model knows to be true,
// with schedules and tables of its own: nothing of the heart is asked whether it was right.
#include "simulation.h"

#include "common/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEADLINE     (900 * MS)
#define COMMON_CACHE (2 * SECOND)
#define CLOSE_LIMIT  (200 * MS)
#define YOUNG        (5 * SECOND)

enum { INSPECT_MS = 60000 };

#define START (5 * SECOND) // what a process has to be there

// What a wait doubles from, and up to.
struct schedule {
    int64_t first, most;
};

static const struct schedule pending_schedule = {10 * SECOND, 60 * SECOND};
static const struct schedule refused_schedule = {2 * SECOND, 60 * SECOND};
static const struct schedule start_schedule = {100 * MS, 10 * SECOND};
static const struct schedule run_schedule = {SECOND, 30 * SECOND};

static int64_t promise_wait(struct schedule schedule, unsigned tries)
{
    int64_t wait = tries > 0 ? schedule.first : 0;
    for (unsigned i = 1; i < tries && wait < schedule.most; i++)
        wait *= 2;
    return wait < schedule.most ? wait : schedule.most;
}

static bool promise_is_in(enum outcome outcome, const enum outcome *outcomes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (outcomes[i] == outcome)
            return true;
    }
    return false;
}

static bool promise_is_own(enum outcome outcome)
{
    static const enum outcome own[] = {OUTCOME_CRASHED, OUTCOME_CONFIG, OUTCOME_TOO_LARGE,
                                       OUTCOME_STARVED, OUTCOME_UNKNOWN};
    return promise_is_in(outcome, own, sizeof own / sizeof *own);
}

static bool promise_is_silent(enum outcome outcome)
{
    static const enum outcome silent[] = {OUTCOME_REFUSED, OUTCOME_UNREACHABLE, OUTCOME_TIMEOUT,
                                          OUTCOME_LOST};
    return promise_is_in(outcome, silent, sizeof silent / sizeof *silent);
}

static bool promise_ends_session(enum outcome outcome)
{
    static const enum outcome ends[] = {OUTCOME_LOST, OUTCOME_TERMINATED, OUTCOME_NOT_ACCEPTING,
                                        OUTCOME_TLS, OUTCOME_TOO_LARGE};
    return promise_is_in(outcome, ends, sizeof ends / sizeof *ends);
}

// --- what is noted

struct prober_record *promise_record_of(const struct simulation *simulation,
                                        const struct prober *prober)
{
    for (size_t i = simulation->record_count; i-- > 0;) {
        if (simulation->records[i]->prober == prober)
            return simulation->records[i];
    }
    abort();
}

static struct check_record *promise_check_record(struct simulation *simulation, const char *sql,
                                                 uint64_t target, const char *prober)
{
    for (size_t i = simulation->check_record_count; i-- > 0;) {
        struct check_record *record = simulation->check_records[i];
        if (record->target == target && strcmp(record->sql, sql) == 0 &&
            strcmp(record->prober, prober) == 0)
            return record;
    }
    struct check_record *record = memory_new(sizeof *record);
    *record = (struct check_record){.target = target, .prober = prober};
    (void)snprintf(record->sql, sizeof record->sql, "%s", sql);
    simulation->check_records =
        memory_grow(simulation->check_records,
                    (simulation->check_record_count + 1) * sizeof(struct check_record *));
    simulation->check_records[simulation->check_record_count++] = record;
    return record;
}

static size_t promise_index_of(const struct check *check)
{
    size_t index = 0;
    while (strcmp(prober_names[index], check->prober) != 0)
        index++;
    return index;
}

static void promise_note_fact(struct fact *fact)
{
    struct prober_record *record = fact->record;
    if (record->fact_count == record->fact_room) {
        record->fact_room = 2 * record->fact_room + 16;
        record->facts = memory_grow(record->facts, record->fact_room * sizeof(struct fact *));
    }
    record->facts[record->fact_count++] = fact;
}

static struct fact *promise_latest(const struct prober_record *record)
{
    return record->fact_count > 0 ? record->facts[record->fact_count - 1] : NULL;
}

// A check of the configuration, or of one that a request began with.
static const struct check *promise_find_check(const struct simulation *simulation, const char *sql)
{
    const struct check *check = adapter_check_of(simulation, sql);
    const struct request *request;
    TAILQ_FOREACH(request, &simulation->requests, entry) {
        for (size_t i = 0; check == NULL && i < request->config->check_count; i++) {
            if (strcmp(request->config->checks[i]->sql, sql) == 0)
                check = request->config->checks[i];
        }
    }
    return check;
}

static bool promise_has_asked(const struct prober_process *process)
{
    return process->born && (process->replied || process->taken);
}

static bool promise_asks(const struct prober_process *process)
{
    return promise_has_asked(process) && !process->stopped && !process->dead;
}

// --- starts and failures

void promise_on_start(struct simulation *simulation, struct prober_process *process)
{
    struct prober_record *record = promise_record_of(simulation, process->owner);
    process->record = record;
    if (record->process != NULL)
        promise_broken(simulation, "a prober has one process", "%s starts another", record->name);
    int64_t wait = record->failures > 0 ? promise_wait(start_schedule, record->failures - 1) : 0;
    if (record->failures > 0 && simulation->now < record->latest_failure + wait)
        promise_broken(simulation, "a prober that fails is started ever more seldom",
                       "%s is started after %u failures", record->name, record->failures);
}

void promise_on_failure(struct simulation *simulation, struct prober_record *record)
{
    if (record->failures++ == 0)
        record->first_failure = simulation->now;
    record->latest_failure = simulation->now;
    record->unanswered_opens = 0;
    record->ran = true; // or would have
}

// Its run need not be held back for want of an answer.
void promise_on_death(struct simulation *simulation, const struct fact *fact)
{
    if (fact == NULL || fact->call.verb != VERB_RUN)
        return;
    promise_check_record(simulation, fact->sql, fact->record->target, fact->record->name)
        ->held_until = 0;
}

// --- calls

static void promise_on_secret(struct simulation *simulation, const struct fact *fact)
{
    uint64_t secret = simulation->server.our_secret;
    bool of_target = simulation->refused_target == fact->record->target;
    bool refused = simulation->refusals > 0 && simulation->refused == secret && of_target;
    uint64_t withheld = fact->call.withheld;
    if (!fact->record->current)
        return;
    if (withheld != 0 && !(of_target && simulation->refused == withheld))
        promise_broken(simulation, "only what was refused is withheld", "secret %llu was not",
                       (unsigned long long)withheld);
    if (!refused || withheld == secret)
        return;
    int64_t wait = promise_wait(refused_schedule, simulation->refusals);
    if (simulation->now < simulation->refused_at + wait ||
        (simulation->shown_at > 0 && simulation->now < simulation->shown_at + wait))
        promise_broken(simulation, "a refused secret is shown ever more seldom",
                       "after %u refusals it is shown too early", simulation->refusals);
    simulation->shown_at = simulation->now;
}

// A login may be all that there is to know of a check.
static bool promise_has_checks_that_may_not_run(const struct simulation *simulation,
                                                const struct prober_record *record)
{
    const struct config *config = simulation->adapter.config;
    bool has = false;
    for (size_t i = 0; config != NULL && i < config->check_count; i++)
        has |= config->checks[i]->range.bound_count > 0;
    for (size_t i = 0; i < simulation->check_record_count; i++) {
        const struct check_record *known = simulation->check_records[i];
        has |= known->target == record->target && (known->silences > 0 || known->troubled);
    }
    return has;
}

static void promise_on_open(struct simulation *simulation, struct fact *fact)
{
    struct prober_record *record = fact->record;
    const struct prober_process *process = fact->process;
    int64_t age = (simulation->now - record->inspected) / MS;
    bool inspects = record->inspected == 0 || age >= INSPECT_MS;
    bool stays = record->keeps && promise_has_checks_that_may_not_run(simulation, record);
    if (process->session && !process->session_is_dead && !process->hangs_in_goodbye && !stays)
        promise_broken(simulation, "no login while a session is open", "%s opens another",
                       record->name);
    if (fact->call.inspect != inspects)
        promise_broken(simulation, "whether the user is a superuser is asked once a minute",
                       "it is%s asked after %lld ms", fact->call.inspect ? "" : " not",
                       (long long)age);
    bool again = record->opened != NULL && record->opened == promise_latest(record) && !record->ran;
    if (again && record->current && simulation->adapter.changed < record->opened->sent &&
        !promise_has_checks_that_may_not_run(simulation, record))
        promise_broken(simulation, "no login for nothing", "%s opens twice and runs nothing",
                       record->name);
    promise_on_secret(simulation, fact);
    fact->job_began = fact->sent;
}

// The result of the run before is still to be served. A check with a period runs again at that.
static bool promise_is_in_window(const struct simulation *simulation, const struct check *check,
                                 const struct check_record *record)
{
    const struct fact *latest = record->latest;
    bool told = latest != NULL && latest->delivered > 0 &&
                latest->delivered + BASE <= latest->call.deadline.ns &&
                !(latest->on_kept && promise_ends_session(latest->outcome));
    if (!told || check->every.ms > 0 || simulation->adapter.draining_since > 0 ||
        adapter_born(simulation, check->sql) + 5 * SECOND >= latest->sent)
        return false;
    int64_t cache = check->cache.ms * MS;
    bool short_ = promise_is_silent(latest->outcome) || latest->outcome == OUTCOME_QUERY_TIMEOUT;
    if (short_ && cache > COMMON_CACHE)
        cache = COMMON_CACHE;
    return simulation->now < latest->job_began + cache;
}

static bool promise_wants(const struct request *request, const char *sql, bool alone)
{
    bool wants = false;
    for (size_t i = 0; i < request->count; i++)
        wants |= strcmp(request->config->checks[request->checks[i]]->sql, sql) == 0;
    return wants && (!alone || request->count == 1);
}

// Some request waits for this check alone, or also for it.
static bool promise_is_waited_for(const struct simulation *simulation, const char *sql, bool alone)
{
    const struct request *request;
    TAILQ_FOREACH(request, &simulation->requests, entry) {
        if (promise_wants(request, sql, alone))
            return true;
    }
    return false;
}

// A background run, though a request waits for another check of this prober.
static void promise_on_background_run(struct simulation *simulation, const struct fact *fact)
{
    const struct request *request;
    if (promise_is_waited_for(simulation, fact->sql, false))
        return;
    TAILQ_FOREACH(request, &simulation->requests, entry) {
        const struct check *check =
            request->count == 1 ? request->config->checks[request->checks[0]] : NULL;
        bool here = check != NULL && strcmp(check->prober, fact->record->name) == 0 &&
                    request->config->target_digest == fact->record->target;
        if (here && fact->record->current)
            promise_broken(simulation, "requested checks go before background ones",
                           "%s runs while a request waits for %s", fact->sql, check->sql);
    }
}

static void promise_on_run_of(struct simulation *simulation, const struct fact *fact,
                              const struct check *check)
{
    const struct call *call = &fact->call;
    int64_t left = call->deadline.ns - BASE - simulation->now;
    const struct fact *opened = fact->record->opened;
    if (call->read_only == check->writes)
        promise_broken(simulation, "runs are read-only unless the check writes", "%s is%s",
                       fact->sql, check->writes ? "" : " not");
    if (left > check->timeout.ms * MS || call->statement_limit.ms * MS > left + MS)
        promise_broken(simulation, "a run has its timeout at most", "%s has %lld ms", fact->sql,
                       (long long)(left / MS));
    if (opened == NULL ||
        !range_has(&check->range, FLAVOR_POSTGRES, opened->upgraded ? "16.1" : "15.4"))
        promise_broken(simulation, "no check runs on a server that it is not meant for", "%s does",
                       fact->sql);
    if (check->broken != NULL)
        promise_broken(simulation, "no broken check runs", "%s does", fact->sql);
}

// The check's time includes the login that was made for it: for it alone, where there is no other.
static void promise_on_time_of_run(struct simulation *simulation, const struct fact *fact,
                                   const struct check *check, const struct fact *before)
{
    const struct config *config = simulation->adapter.config;
    size_t others = 0;
    for (size_t i = 0; i < config->check_count; i++)
        others +=
            config->checks[i] != check && strcmp(config->checks[i]->prober, check->prober) == 0;
    bool follows = before != NULL && before->call.verb == VERB_OPEN && fact->record->current &&
                   before->delivered == simulation->now && !before->was_pending &&
                   simulation->adapter.changed < before->sent;
    if (others == 0 && follows &&
        fact->call.deadline.ns != before->sent + BASE + check->timeout.ms * MS)
        promise_broken(simulation, "a run has its timeout at most", "%s has another", fact->sql);
}

static void promise_on_run(struct simulation *simulation, struct fact *fact)
{
    struct prober_record *record = fact->record;
    struct check_record *known =
        promise_check_record(simulation, fact->sql, record->target, record->name);
    const struct check *check = promise_find_check(simulation, fact->sql);
    const struct fact *before = promise_latest(record);
    bool first = before != NULL && before->call.verb == VERB_OPEN;
    fact->job_began = first ? before->job_began : fact->sent;
    fact->on_kept = before != NULL && before->delivered < simulation->now; // of an earlier batch
    record->ran = true;
    if (!fact->process->session && !fact->process->session_is_dead)
        promise_broken(simulation, "a run has a session", "%s has none", fact->sql);
    if (check == NULL) {
        promise_broken(simulation, "no removed check runs", "%s does", fact->sql);
        return;
    }
    promise_on_run_of(simulation, fact, check);
    if (known->latest != NULL &&
        known->latest->sent > adapter_born(simulation, fact->sql) + 5 * SECOND &&
        known->latest->process->fact == known->latest && known->latest->process->owner != NULL &&
        !known->latest->process->dead)
        promise_broken(simulation, "a check runs once at a time", "%s runs twice", fact->sql);
    if (promise_is_in_window(simulation, check, known))
        promise_broken(simulation, "no check runs twice in its cache", "%s does", fact->sql);
    if (known->latest != NULL && simulation->adapter.changed >= known->latest->sent) {
        known->troubled = true; // it may be another prober's by now, or the same one's
        known->held_until = 0;
    }
    if (simulation->now < known->held_until)
        promise_broken(simulation, "an unanswered check is run ever more seldom",
                       "%s after %u silences", fact->sql, known->silences);
    promise_on_background_run(simulation, fact);
    promise_on_time_of_run(simulation, fact, check, before);
    known->latest = fact;
}

void promise_on_call(struct simulation *simulation, struct fact *fact)
{
    struct prober_process *process = fact->process;
    if (process->fact != NULL || process->reply_count > 0)
        promise_broken(simulation, "one call at a time", "%s has two", fact->record->name);
    if (process->last_sequence == fact->call.sequence)
        promise_broken(simulation, "each call has a number of its own", "%u comes again",
                       fact->call.sequence);
    if (fact->call.deadline.ns - BASE <= simulation->now)
        promise_broken(simulation, "a deadline is ahead", "that of a %s is not",
                       verb_name(fact->call.verb));
    process->last_sequence = fact->call.sequence;
    if (fact->call.verb == VERB_OPEN)
        promise_on_open(simulation, fact);
    else if (fact->call.verb == VERB_RUN)
        promise_on_run(simulation, fact);
    promise_note_fact(fact);
}

// --- what comes of them

static void promise_note_open(struct simulation *simulation, struct fact *fact)
{
    struct prober_record *record = fact->record;
    fact->was_pending =
        record->unanswered_opens > 0 || simulation->now + BASE > fact->call.deadline.ns;
    record->unanswered_opens = 0;
    if (fact->outcome == OUTCOME_OK) {
        record->opened = fact;
        record->ran = false;
        if (fact->call.inspect) {
            record->inspected = simulation->now;
            record->superuser = fact->superuser;
        }
        bool of_target = record->target == simulation->refused_target;
        if (of_target && fact->trial == TRIAL_NONE && fact->sent >= simulation->refused_at)
            simulation->refusals = 0;
    }
    if (fact->trial != TRIAL_REFUSED || !record->current)
        return;
    uint64_t secret = simulation->server.our_secret;
    bool again = simulation->refused == secret && simulation->refused_target == record->target;
    if (again && simulation->refusals > 0 && fact->sent < simulation->refused_at)
        return; // opens that were under way together are one try
    simulation->refusals = again ? simulation->refusals + 1 : 1;
    simulation->refused = secret;
    simulation->refused_target = record->target;
    simulation->refused_at = simulation->now;
    simulation->shown_at = 0;
}

void promise_on_delivered(struct simulation *simulation, struct fact *fact)
{
    fact->record->failures = 0;
    if (fact->call.verb == VERB_OPEN)
        promise_note_open(simulation, fact);
    fact->user_is_superuser = fact->record->superuser;
    fact->old_secret = fact->record->opened != NULL && fact->record->opened->trial != TRIAL_NONE;
    if (fact->call.verb != VERB_RUN)
        return;
    struct check_record *known =
        promise_check_record(simulation, fact->sql, fact->record->target, fact->record->name);
    known->silences = 0;
    known->held_until = 0;
    known->troubled = false;
}

static void promise_note_silence(struct simulation *simulation, struct fact *fact)
{
    int64_t over = fact->call.deadline.ns - BASE;
    struct check_record *known =
        promise_check_record(simulation, fact->sql, fact->record->target, fact->record->name);
    if (fact->is_silence)
        return;
    fact->is_silence = true;
    known->troubled |= simulation_had_own_trouble(simulation, fact->job_began - SECOND, over);
    if (known->troubled)
        return;
    known->held_until = over + promise_wait(run_schedule, ++known->silences);
}

static void promise_on_killed_open(struct simulation *simulation, const struct fact *fact)
{
    struct prober_record *record = fact->record;
    int64_t age = simulation->now - fact->sent;
    int64_t own_time = fact->call.deadline.ns - BASE - fact->sent;
    int64_t wait = promise_wait(pending_schedule, record->unanswered_opens + 1);
    if (age >= wait) {
        record->unanswered_opens++;
        return;
    }
    if (promise_asks(fact->process))
        promise_broken(simulation, "a pending login is not killed before its time",
                       "attempt %u of %s is after %lld ms", record->unanswered_opens + 1,
                       record->name, (long long)(age / MS));
    if (age < own_time || (!promise_has_asked(fact->process) && age < START))
        promise_broken(simulation, "a process has its time to be there", "%s has %lld ms",
                       record->name, (long long)(age / MS));
    promise_on_failure(simulation, record); // it was not there in time
}

void promise_on_kill(struct simulation *simulation, struct prober_process *process)
{
    struct fact *fact = process->fact;
    if (simulation->ending || !process->record->current || process->dead || process->babbles)
        return;
    if (fact == NULL) {
        promise_broken(simulation, "no process is killed for nothing", "%s is",
                       process->record->name);
        return;
    }
    fact->killed = true;
    if (fact->call.verb == VERB_OPEN)
        promise_on_killed_open(simulation, fact);
    if (fact->call.verb == VERB_RUN && simulation->now + BASE < fact->call.deadline.ns)
        promise_broken(simulation, "a run has all its time", "%s is killed early", fact->sql);
    if (fact->call.verb == VERB_RUN)
        promise_note_silence(simulation, fact);
    if (fact->call.verb == VERB_CLOSE && simulation->now < fact->sent + CLOSE_LIMIT)
        promise_broken(simulation, "a goodbye has all its time", "that of %s has not",
                       process->record->name);
}

// --- rest

static bool promise_is_awake_for(const struct simulation *simulation,
                                 const struct prober_process *process)
{
    const struct fact *fact = process->fact;
    if (process->owner == NULL || fact == NULL)
        return process->owner != NULL && process->reply_count > 0;
    if (simulation->now + BASE <= fact->call.deadline.ns + MS)
        return true;
    int64_t wait = promise_wait(pending_schedule, process->record->unanswered_opens + 1);
    int64_t age = simulation->now - fact->sent;
    bool looks =
        age >= START && age < START + SECOND; // whether one has come that was slow to start
    return fact->call.verb == VERB_OPEN && (age >= wait || looks);
}

// With a period, or a request that waits, there is always a reason.
void promise_on_wake(struct simulation *simulation)
{
    const struct config *config = simulation->adapter.config;
    const struct prober_process *process;
    bool reason = !TAILQ_EMPTY(&simulation->requests) || config == NULL;
    for (size_t i = 0; config != NULL && i < config->check_count; i++)
        reason |= config->checks[i]->every.ms > 0;
    LIST_FOREACH(process, &simulation->processes, entry)
    {
        reason |= promise_is_awake_for(simulation, process);
        reason |= process->dead && !process->death_is_known;
    }
    reason |=
        simulation_had_own_trouble(simulation, simulation->now - 20 * SECOND, simulation->now);
    if (!reason)
        promise_broken(simulation, "at rest nothing wakes", "something does");
}

static void promise_after_turn_of(struct simulation *simulation, struct prober_record *record)
{
    struct prober_process *process = record->process;
    const struct fact *latest = promise_latest(record);
    if (process == NULL || !record->current)
        return;
    struct fact *fact = process->fact;
    if (fact != NULL && fact->call.verb == VERB_OPEN) {
        int64_t wait = promise_wait(pending_schedule, record->unanswered_opens + 1);
        if (simulation->now > fact->sent + wait)
            promise_broken(simulation, "a pending login is replaced in time", "that of %s is not",
                           record->name);
    }
    bool over = fact != NULL && simulation->now + BASE >= fact->call.deadline.ns;
    if (over && fact->call.verb == VERB_RUN) {
        promise_note_silence(simulation, fact);
        if (promise_is_waited_for(simulation, fact->sql, true))
            promise_broken(simulation, "who waits for a run is told at its deadline",
                           "who waits for %s is not", fact->sql);
    }
    bool closes = !record->keeps || (record->opened != NULL && record->opened->trial != TRIAL_NONE);
    if (fact == NULL && latest != NULL && process->session && !process->session_is_dead && closes &&
        !process->hangs_in_goodbye && process->reply_count == 0 && latest->delivered > 0 &&
        simulation->now > latest->delivered + CLOSE_LIMIT)
        promise_broken(simulation, "a connection is closed after its batch", "that of %s is not",
                       record->name);
}

void promise_after_turn(struct simulation *simulation)
{
    const struct request *first = TAILQ_FIRST(&simulation->requests);
    if (first != NULL && first->asked + DEADLINE <= simulation->now)
        promise_broken(simulation, "every request is answered by its deadline",
                       "request %llu is not", (unsigned long long)first->number);
    for (size_t i = 0; i < simulation->record_count && !simulation->failed; i++)
        promise_after_turn_of(simulation, simulation->records[i]);
}

void promise_on_gone(struct simulation *simulation)
{
    for (size_t i = simulation->fact_count; i-- > 0;) {
        const struct fact *fact = simulation->facts[i];
        int64_t since = simulation->adapter.draining_since;
        bool later = fact->sent >= since || (fact->was_pending && fact->delivered >= since);
        if (later && fact->outcome == OUTCOME_REFUSED && fact->delivered > 0)
            return;
    }
    promise_broken(simulation, "draining ends when the server has gone", "it has not");
}

void promise_at_end(struct simulation *simulation)
{
    const struct prober_process *process;
    if (simulation->wake_at != INT64_MAX)
        promise_broken(simulation, "at rest nothing wakes", "something is set at the end");
    LIST_FOREACH(process, &simulation->processes, entry)
    {
        if (!process->dead)
            promise_broken(simulation, "every process ends", "process %u of %s does not",
                           process->number, process->record->name);
    }
}

// --- answers

// An answer as it is judged.
struct claim {
    struct simulation *simulation;
    const struct request *request;
    const struct check_view *view;
    const struct check *check;
    enum outcome outcome;
    int64_t began, made; // the run, and what is known of it
    int64_t made_by;     // it is told in whole milliseconds
    bool asked;          // there was a run, and it took that time
};

static void promise_lie(const struct claim *claim, const char *why)
{
    promise_broken(claim->simulation, "it never lies", "%s of request %llu is %s: %s",
                   claim->check->name, (unsigned long long)claim->request->number,
                   outcome_info(claim->outcome)->code, why);
}

static bool promise_is_of(const struct claim *claim, const struct prober_record *record)
{
    return record->target == claim->request->config->target_digest &&
           strcmp(record->name, claim->check->prober) == 0;
}

// What a reply said, by its number in the driver's words.
static const struct fact *promise_fact_of(const struct claim *claim, const char *words)
{
    const struct simulation *simulation = claim->simulation;
    if (words[0] != 'f')
        return NULL;
    unsigned long id = strtoul(words + 1, NULL, 10);
    return id < simulation->fact_count ? simulation->facts[id] : NULL;
}

static void promise_judge_rows(const struct claim *claim)
{
    const struct result *result = claim->view->result;
    const struct fact *fact = result != NULL && result->column_count > 1
                                  ? promise_fact_of(claim, result_column(result, 1))
                                  : NULL;
    if (fact == NULL || fact->call.verb != VERB_RUN || fact->delivered == 0 ||
        strcmp(fact->sql, claim->check->sql) != 0 || !promise_is_of(claim, fact->record)) {
        promise_lie(claim, "that is from no run of it");
        return;
    }
    enum outcome outcome = fact->rows ? OUTCOME_OK : OUTCOME_NO_ROW;
    if (fact->rows && fact->value > 100)
        outcome = OUTCOME_FAILED;
    if (outcome != claim->outcome)
        promise_lie(claim, "its rows say something else");
    if (claim->began > fact->sent || claim->began < fact->job_began)
        promise_lie(claim, "its run began at another time");
    if (claim->view->superuser != fact->user_is_superuser)
        promise_lie(claim, "the user is another");
    bool warns = claim->view->judgement.verdict == VERDICT_WARN;
    if (outcome == OUTCOME_OK && fact->user_is_superuser && !warns)
        promise_lie(claim, "a superuser's pass is a warning");
    if (outcome == OUTCOME_OK && warns && !fact->user_is_superuser && !fact->old_secret)
        promise_lie(claim, "nothing is to be warned of");
}

// The latest call at that time of the check's prober, wherever it is by now.
static const struct fact *promise_call_at(const struct claim *claim, int64_t at)
{
    const struct simulation *simulation = claim->simulation;
    const struct fact *latest = NULL;
    for (size_t i = 0; i < simulation->record_count; i++) {
        const struct prober_record *record = simulation->records[i];
        if (!promise_is_of(claim, record))
            continue;
        size_t j = record->fact_count;
        while (j > 0 && record->facts[j - 1]->sent > at)
            j--;
        // What began at this very moment may be what came of it.
        while (j > 1 && record->facts[j - 1]->sent == at && record->facts[j - 2]->killed)
            j--;
        if (j > 0 && (latest == NULL || record->facts[j - 1]->sent > latest->sent))
            latest = record->facts[j - 1];
    }
    return latest;
}

static int64_t promise_overlap(int64_t from, int64_t to, int64_t begin, int64_t end)
{
    from = from > begin ? from : begin;
    to = to < end ? to : end;
    return to > from ? to - from : 0;
}

// For how long of this time the server had a call of the check's prober in its hands.
static int64_t promise_held(const struct claim *claim, int64_t from, int64_t to)
{
    const struct simulation *simulation = claim->simulation;
    int64_t held = 0;
    for (size_t i = 0; i < simulation->record_count; i++) {
        const struct prober_record *record = simulation->records[i];
        if (!promise_is_of(claim, record))
            continue;
        for (size_t j = record->fact_count; j-- > 0;) {
            const struct fact *fact = record->facts[j];
            int64_t begin = fact->behind_goodbye ? fact->sent : fact->received;
            if (begin > 0 || fact->behind_goodbye)
                held += promise_overlap(from, to, begin,
                                        fact->answered > 0 ? fact->answered : INT64_MAX);
            if (fact->sent < from)
                break;
        }
    }
    return held;
}

// The server had been asked, and had not answered, for all of the time that we had.
static void promise_judge_timeout(const struct claim *claim)
{
    struct simulation *simulation = claim->simulation;
    const struct fact *fact = promise_call_at(claim, claim->made);
    if (fact == NULL || fact->call.verb == VERB_CLOSE) {
        promise_lie(claim, "nothing was asked");
        return;
    }
    if (fact->call.verb == VERB_RUN && strcmp(fact->sql, claim->check->sql) != 0)
        promise_lie(claim, "another check ran");
    if (fact->arrived > 0 && fact->arrived < claim->made)
        promise_lie(claim, "the answer was there");
    int64_t from = claim->asked ? claim->began : fact->sent;
    int64_t span = claim->made - from;
    int64_t held = promise_held(claim, from, claim->made);
    bool trouble = simulation_had_own_trouble(simulation, from - SECOND, claim->made);
    if (trouble ? 2 * held < span - 300 * MS : held < span - 30 * MS)
        promise_lie(claim, "the server was not silent for so long");
    if (span <= 0 && !claim->asked)
        promise_lie(claim, "nothing was asked before");
}

// The latest open of the check's prober that had been answered by then.
static const struct fact *promise_open_by(const struct claim *claim, int64_t at)
{
    const struct simulation *simulation = claim->simulation;
    for (size_t i = simulation->fact_count; i-- > 0;) {
        const struct fact *fact = simulation->facts[i];
        if (fact->call.verb == VERB_OPEN && fact->delivered > 0 && fact->delivered <= at &&
            promise_is_of(claim, fact->record))
            return fact;
    }
    return NULL;
}

// A prober that must not show the secret is denied, in the words of whoever showed it.
static bool promise_is_withheld(const struct claim *claim, const struct fact *fact)
{
    const struct fact *own = promise_open_by(claim, claim->made_by);
    return claim->outcome == OUTCOME_DENIED && fact->trial == TRIAL_REFUSED &&
           fact->record->target == claim->request->config->target_digest && own != NULL &&
           own->outcome == OUTCOME_DENIED;
}

static void promise_judge_reply(const struct claim *claim)
{
    const struct fact *fact = promise_fact_of(claim, claim->view->message);
    if (fact != NULL && promise_is_withheld(claim, fact))
        return;
    if (fact == NULL || fact->delivered == 0 || !promise_is_of(claim, fact->record)) {
        promise_lie(claim, "no reply said so");
        return;
    }
    if (fact->outcome != claim->outcome)
        promise_lie(claim, "the reply said something else");
    if (fact->on_kept && fact->was_dead)
        promise_lie(claim, "its connection had died before it");
    if (fact->call.verb == VERB_RUN && strcmp(fact->sql, claim->check->sql) != 0)
        promise_lie(claim, "that was another check's");
    if (claim->began > fact->sent && !fact->was_pending)
        promise_lie(claim, "it began at another time");
}

static void promise_judge_skip(const struct claim *claim)
{
    const struct fact *fact = promise_open_by(claim, claim->made_by);
    if (fact == NULL || fact->outcome != OUTCOME_OK)
        promise_lie(claim, "nothing is known of the server");
    else if (range_has(&claim->check->range, FLAVOR_POSTGRES, fact->upgraded ? "16.1" : "15.4"))
        promise_lie(claim, "it is meant for the server");
}

static void promise_judge_own(const struct claim *claim)
{
    struct simulation *simulation = claim->simulation;
    int64_t reach = claim->outcome == OUTCOME_CRASHED ? 15 * SECOND : 3 * SECOND;
    if (!claim->asked) // of a login that was pending, say
        reach = 75 * SECOND;
    if (!simulation_had_own_trouble(simulation, claim->made - reach, claim->made_by))
        promise_lie(claim, "we had no trouble");
}

static void promise_judge_unknown(const struct claim *claim)
{
    struct simulation *simulation = claim->simulation;
    if (!claim->view->dated)
        return; // it was not reached
    const struct check_record *known =
        promise_check_record(simulation, claim->check->sql, claim->request->config->target_digest,
                             prober_names[promise_index_of(claim->check)]);
    bool held = known->silences > 0 && claim->made < known->held_until;
    bool told_before = claim->made < simulation->now; // it may have run since
    if (!held && !known->troubled && !told_before)
        promise_lie(claim, "it is not held back");
}

static void promise_judge_truth(const struct claim *claim)
{
    switch ((int)claim->outcome) {
    case OUTCOME_OK:
    case OUTCOME_FAILED:
    case OUTCOME_NO_ROW:
        promise_judge_rows(claim);
        return;
    case OUTCOME_TIMEOUT:
        promise_judge_timeout(claim);
        return;
    case OUTCOME_SKIPPED:
        promise_judge_skip(claim);
        return;
    case OUTCOME_CRASHED:
    case OUTCOME_STARVED:
        promise_judge_own(claim);
        return;
    case OUTCOME_UNKNOWN:
        promise_judge_unknown(claim);
        return;
    case OUTCOME_CONFIG:
        if (claim->check->broken == NULL)
            promise_lie(claim, "it is not broken");
        return;
    default:
        promise_judge_reply(claim);
    }
}

// A login has the time of the check that it was made for.
static int64_t promise_longest_timeout(const struct claim *claim)
{
    const struct config *config = claim->request->config;
    int64_t longest = 0;
    for (size_t i = 0; i < config->check_count; i++) {
        const struct check *check = config->checks[i];
        if (strcmp(check->prober, claim->check->prober) == 0 && check->timeout.ms * MS > longest)
            longest = check->timeout.ms * MS;
    }
    return longest;
}

// Never older than its cache; or it came while the request waited, for a run that was under way.
static void promise_judge_age(const struct claim *claim)
{
    const struct simulation *simulation = claim->simulation;
    int64_t cache = claim->check->cache.ms * MS;
    bool unanswered = promise_is_silent(claim->outcome) || promise_is_own(claim->outcome);
    if (unanswered && claim->outcome != OUTCOME_TOO_LARGE && cache > COMMON_CACHE)
        cache = COMMON_CACHE;
    int64_t asked = claim->request->asked;
    bool waited = claim->made >= asked - MS && claim->made <= simulation->now;
    bool joined = claim->began >= asked - promise_longest_timeout(claim) - 20 * MS ||
                  simulation_had_own_trouble(simulation, claim->began, claim->made);
    if (simulation->now - claim->began > cache && !(waited && joined))
        promise_lie(claim, "that is older than its cache");
    if (claim->made > simulation->now + MS)
        promise_lie(claim, "that is of the future");
}

static enum verdict promise_verdict_of(const struct claim *claim)
{
    enum outcome outcome = claim->outcome;
    bool answered =
        !promise_is_silent(outcome) && outcome != OUTCOME_FAILED && outcome != OUTCOME_NO_ROW;
    if (outcome == OUTCOME_OK)
        return claim->view->judgement.verdict == VERDICT_WARN ? VERDICT_WARN : VERDICT_PASS;
    if (promise_is_own(outcome))
        return VERDICT_UNKNOWN;
    if (outcome == OUTCOME_SKIPPED)
        return VERDICT_SKIPPED;
    bool tolerates = strcmp(claim->check->prober, prober_names[0]) == 0;
    return answered && tolerates ? VERDICT_WARN : VERDICT_FAIL;
}

static void promise_judge_view(const struct claim *claim)
{
    const struct simulation *simulation = claim->simulation;
    bool over = simulation->now >= claim->request->asked + DEADLINE || simulation->ending;
    if (claim->view->judgement.verdict != promise_verdict_of(claim))
        promise_lie(claim, "its verdict is another");
    if (!claim->view->dated && !over)
        promise_lie(claim, "there was time to know more");
    if (claim->view->dated)
        promise_judge_age(claim);
    promise_judge_truth(claim);
}

static struct claim promise_claim_of(const struct request *request, const struct check_view *view)
{
    struct simulation *simulation = request->simulation;
    struct claim claim = {.simulation = simulation,
                          .request = request,
                          .view = view,
                          .check = view->check,
                          .outcome = view->judgement.outcome,
                          .began = simulation->now,
                          .made = simulation->now};
    static const char words[] = "no answer for ";
    const char *reason = view->judgement.reason;
    if (view->dated) {
        claim.began = view->started.ns - BASE;
        claim.made = claim.began + view->took.ms * MS;
        claim.asked = view->took.ms > 0;
    } else if (strncmp(reason, words, sizeof words - 1) == 0) {
        claim.began = simulation->now - strtoll(reason + sizeof words - 1, NULL, 10) * MS;
        claim.asked = true;
    }
    claim.made_by = claim.made + MS < simulation->now ? claim.made + MS : simulation->now;
    return claim;
}

// --- endpoints

static bool promise_endpoint_passes(const struct request *request, const struct check_view *views,
                                    size_t count)
{
    const struct simulation *simulation = request->simulation;
    bool healthz = strcmp(request->name, "healthz") == 0;
    bool startupz = strcmp(request->name, "startupz") == 0;
    bool young = simulation->now - simulation->adapter.started < YOUNG;
    bool passes = true, empty = true;
    for (size_t i = 0; i < count; i++) {
        enum verdict verdict = views[i].judgement.verdict;
        bool unknown_fails = !healthz && (!startupz || young);
        empty &= verdict == VERDICT_SKIPPED;
        if (verdict == VERDICT_FAIL || (verdict == VERDICT_UNKNOWN && unknown_fails))
            passes = false;
    }
    if (!healthz && !startupz && (empty || simulation->adapter.draining_since > 0))
        passes = false;
    return passes;
}

// Something other than silence keeps a check from what a silent server would come to.
static bool promise_had_other_faults(const struct simulation *simulation, int64_t since)
{
    const struct story *story = simulation->story;
    for (size_t i = 0; i < story->count; i++) {
        const struct item *item = &story->items[i];
        bool silence = item->kind == ITEM_FREEZE || item->kind == ITEM_SILENT_LOGIN ||
                       item->kind == ITEM_SILENT_QUERY;
        if (story_item_is_server(item->kind) && !silence && item->at <= simulation->now &&
            item->at + item->lasts >= since)
            return true;
    }
    return false;
}

// The server has answered nothing for so long that nothing from before may be served any more, and
// we have had no trouble of our own.
static bool promise_must_know_silence(const struct request *request, const struct check_view *views,
                                      size_t count)
{
    const struct simulation *simulation = request->simulation;
    int64_t longest = 0;
    for (size_t i = 0; i < count; i++) {
        int64_t need = (views[i].check->cache.ms + 2 * views[i].check->timeout.ms) * MS;
        if (need > longest)
            longest = need;
        if (views[i].check->broken != NULL)
            return false;
    }
    int64_t since = request->asked - longest - 3 * SECOND;
    bool silent = simulation->server.silent_since < since ||
                  (count == 1 && simulation->server.query_silent_since < since &&
                   views[0].judgement.outcome != OUTCOME_SKIPPED &&
                   views[0].judgement.outcome != OUTCOME_DENIED); // a secret is refused for long
    return silent && !simulation->ending && simulation->adapter.changed < since &&
           !promise_had_other_faults(simulation, since - 15 * SECOND) &&
           !simulation_had_own_trouble(simulation, since - 15 * SECOND, simulation->now);
}

static bool promise_is_calm(const struct simulation *simulation, int64_t since)
{
    const struct story *story = simulation->story;
    for (size_t i = 0; i < story->count; i++) {
        const struct item *item = &story->items[i];
        bool trouble = item->kind != ITEM_ASK_EACH && item->kind != ITEM_ASK_BURST;
        int64_t end = item->at + item->lasts;
        if (item->kind == ITEM_STOP_SESSIONS && story->keep != 0)
            end = INT64_MAX; // one may be kept for as long as nobody asks
        if (trouble && item->at <= simulation->now && end >= since)
            return false;
    }
    return simulation->adapter.started < since && !simulation->ending;
}

static void promise_on_endpoint(const struct request *request, const struct check_view *views,
                                size_t count)
{
    struct simulation *simulation = request->simulation;
    struct circumstances circumstances = {.draining = simulation->adapter.draining_since > 0,
                                          .young = simulation->now - simulation->adapter.started <
                                                   YOUNG};
    bool passes = endpoint_passes(request->rule, views, NULL, count, &circumstances);
    bool calm = promise_is_calm(simulation, request->asked - 140 * SECOND);
    bool fails = false;
    for (size_t i = 0; i < count; i++) {
        enum verdict verdict = views[i].judgement.verdict;
        fails |= verdict == VERDICT_FAIL;
        bool well = verdict == VERDICT_PASS || verdict == VERDICT_WARN ||
                    verdict == VERDICT_SKIPPED || views[i].check->broken != NULL;
        if (calm && !well)
            promise_broken(simulation, "a server that is well is found to be",
                           "%s of request %llu is %s", views[i].check->name,
                           (unsigned long long)request->number,
                           outcome_info(views[i].judgement.outcome)->code);
    }
    if (passes != promise_endpoint_passes(request, views, count))
        promise_broken(simulation, "an endpoint says what its checks say", "/%s does not",
                       request->name);
    if (request->what == WHAT_HEALTHZ && count > 0 && !fails &&
        promise_must_know_silence(request, views, count))
        promise_broken(simulation, "a silent server is found by the deadline",
                       "request %llu passes", (unsigned long long)request->number);
}

static void promise_trace_answer(const struct request *request, const struct check_view *views,
                                 size_t count)
{
    char words[512];
    struct text text = text_in(words, sizeof words);
    if (request->simulation->trace == NULL)
        return;
    for (size_t i = 0; i < count; i++) {
        const struct judgement *judgement = &views[i].judgement;
        text_addf(&text, "%s %s=%s", i > 0 ? "," : "", views[i].check->name,
                  outcome_info(judgement->outcome)->code);
        if (judgement->reason[0] != '\0')
            text_addf(&text, " (%s)", judgement->reason);
        if (views[i].dated)
            text_addf(&text, " from %.3f s, %lld ms", (double)(views[i].started.ns - BASE) / SECOND,
                      (long long)views[i].took.ms);
    }
    simulation_trace(request->simulation, "request %llu of %.3f s for %s is answered:%s",
                     (unsigned long long)request->number, (double)request->asked / SECOND,
                     request->what == WHAT_ALL ? "all" : request->name, words);
}

void promise_on_answer(struct request *request, const struct check_view *views, size_t count)
{
    struct simulation *simulation = request->simulation;
    promise_trace_answer(request, views, count);
    if (count != request->count) {
        promise_broken(simulation, "a request gets what it asked for", "%zu views", count);
        return;
    }
    for (size_t i = 0; i < count && !simulation->failed; i++) {
        if (views[i].check != request->config->checks[request->checks[i]]) {
            promise_broken(simulation, "a request gets what it asked for", "another check's view");
            return;
        }
        struct claim claim = promise_claim_of(request, &views[i]);
        promise_judge_view(&claim);
    }
    if (!simulation->failed)
        promise_on_endpoint(request, views, count);
}
