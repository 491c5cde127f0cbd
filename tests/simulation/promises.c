// What must hold, whatever happens. Each promise is judged from what the model knows to be true,
// with schedules and tables of its own: nothing of the heart is asked whether it was right.
#include "simulation.h"

#include "common/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CLOSE_LIMIT (200 * MS)
#define YOUNG       (5 * SECOND)
#define LOOK        (50 * MS) // to the next one

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

bool promise_is_own(enum outcome outcome)
{
    static const enum outcome own[] = {OUTCOME_CRASHED, OUTCOME_CONFIG, OUTCOME_TOO_LARGE,
                                       OUTCOME_STARVED, OUTCOME_UNKNOWN};
    return promise_is_in(outcome, own, sizeof own / sizeof *own);
}

bool promise_is_silent(enum outcome outcome)
{
    static const enum outcome silent[] = {OUTCOME_REFUSED, OUTCOME_UNREACHABLE, OUTCOME_TIMEOUT,
                                          OUTCOME_LOST};
    return promise_is_in(outcome, silent, sizeof silent / sizeof *silent);
}

bool promise_ends_session(enum outcome outcome)
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

struct check_record *promise_check_record(struct simulation *simulation, const char *sql,
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

size_t promise_index_of(const struct check *check)
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

bool promise_may_start(const struct prober_record *record, int64_t at)
{
    return record->failures == 0 ||
           at >= record->latest_failure + promise_wait(start_schedule, record->failures - 1);
}

void promise_on_start(struct simulation *simulation, struct prober_process *process)
{
    struct prober_record *record = promise_record_of(simulation, process->owner);
    process->record = record;
    if (record->process != NULL)
        promise_broken(simulation, "a prober has one process", "%s starts another", record->name);
    if (!promise_may_start(record, simulation->now))
        promise_broken(simulation, "a prober that fails is started ever more seldom",
                       "%s is started after %u failures", record->name, record->failures);
}

void promise_on_failure(struct simulation *simulation, struct prober_record *record)
{
    promise_note_disturbance(simulation);
    if (record->failures++ == 0)
        record->first_failure = simulation->now;
    record->latest_failure = simulation->now;
    simulation->adapter.counted[record->index].crashes++;
    record->unanswered_opens = 0;
    record->ran = true; // or would have
}

// Its run need not be held back for want of an answer.
void promise_on_death(struct simulation *simulation, const struct fact *fact)
{
    promise_note_disturbance(simulation);
    if (fact == NULL || fact->call.verb != VERB_RUN)
        return;
    promise_check_record(simulation, fact->sql, fact->record->target, fact->record->name)
        ->held_until = 0;
}

// --- calls

int64_t promise_next_try(const struct simulation *simulation)
{
    bool shown = simulation->shown_at > 0;
    int64_t since = shown ? simulation->shown_at : simulation->refused_at;
    return since + promise_wait(refused_schedule, simulation->refusals);
}

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
    if (!refused)
        return;
    int64_t next = promise_next_try(simulation);
    if (withheld == secret && simulation->now >= next &&
        simulation->adapter.changed < simulation->refused_since) // else others may have shown it
        promise_broken(simulation, "a refused secret is shown again in time",
                       "after %u refusals it is not", simulation->refusals);
    if (withheld == secret)
        return;
    if (simulation->now < next)
        promise_broken(simulation, "a refused secret is shown ever more seldom",
                       "after %u refusals it is shown too early", simulation->refusals);
    simulation->shown_at = simulation->now;
}

// A login may be all that there is to know of a check; and one that writes is never run again.
static bool promise_has_checks_that_need_a_login(const struct simulation *simulation,
                                                 const struct prober_record *record)
{
    const struct config *config = simulation->adapter.config;
    const struct request *request;
    bool has = simulation->adapter.changed == simulation->now;
    TAILQ_FOREACH(request, &simulation->requests, entry)
        has |= request->config != config; // the one before, and its checks
    for (size_t i = 0; config != NULL && i < config->check_count; i++)
        has |= config->checks[i]->range.bound_count > 0 || config->checks[i]->writes;
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
    const struct fact *latest = promise_latest(record);
    int64_t age = (simulation->now - record->inspected) / MS;
    bool inspects = record->inspected == 0 || age >= INSPECT_MS;
    bool stays = record->keeps && promise_has_checks_that_need_a_login(simulation, record);
    if (process->session && !process->session_is_dead && !process->hangs_in_goodbye && !stays)
        promise_broken(simulation, "no login while a session is open", "%s opens another",
                       record->name);
    if (fact->call.inspect != inspects)
        promise_broken(simulation, "whether the user is a superuser is asked once a minute",
                       "it is%s asked after %lld ms", fact->call.inspect ? "" : " not",
                       (long long)age);
    bool again = record->opened != NULL && record->opened == promise_latest(record) && !record->ran;
    if (again && record->current && simulation->adapter.changed < record->opened->sent &&
        !promise_has_checks_that_need_a_login(simulation, record))
        promise_broken(simulation, "no login for nothing", "%s opens twice and runs nothing",
                       record->name);
    promise_on_secret(simulation, fact);
    fact->job_began = fact->sent;
    if (simulation->begins_batches) // so nobody needed the login before this any more
        record->unanswered_opens = 0;
    bool replaces = record->unanswered_opens > 0 && latest != NULL;
    fact->silent_since = replaces ? latest->silent_since : fact->sent;
}

// The result of the run before is still to be served. A check with a period runs again at that.
static bool promise_is_in_window(const struct simulation *simulation, const struct check *check,
                                 const struct check_record *record)
{
    const struct fact *latest = record->latest;
    bool told = latest != NULL && latest->delivered > 0 &&
                latest->delivered + BASE <= latest->call.deadline.ns &&
                !(latest->perhaps_on_kept && promise_ends_session(latest->outcome));
    if (!told || check->every.ms > 0 || simulation->adapter.draining_since > 0 ||
        adapter_born(simulation, check->sql) + 5 * SECOND >= latest->sent)
        return false;
    int64_t cache = check->cache.ms * MS;
    bool short_ = promise_is_silent(latest->outcome) || latest->outcome == OUTCOME_QUERY_TIMEOUT;
    if (short_ && cache > COMMON_CACHE)
        cache = COMMON_CACHE;
    return simulation->now < latest->job_began + cache;
}

// This check, or any; of this prober.
static bool promise_wants(const struct request *request, const struct prober_record *record,
                          const char *sql)
{
    bool wants = false;
    if (request->config->target_digest != record->target)
        return false;
    for (size_t i = 0; i < request->count; i++) {
        const struct check *check = request->config->checks[request->checks[i]];
        wants |= (sql == NULL || strcmp(check->sql, sql) == 0) &&
                 strcmp(check->prober, record->name) == 0;
    }
    return wants;
}

// Some request waits for this check, if not for it alone.
static bool promise_is_waited_for(const struct simulation *simulation, const struct fact *fact)
{
    const struct request *request;
    TAILQ_FOREACH(request, &simulation->requests, entry) {
        if (promise_wants(request, fact->record, fact->sql))
            return true;
    }
    return false;
}

// What has had its time keeps no request for this check alone waiting. Only one that came later may
// wait, for another look at whether the server has answered just now.
static void promise_on_silence(struct simulation *simulation, const struct fact *fact, bool pending)
{
    const struct request *request;
    const char *sql = fact->call.verb == VERB_RUN ? fact->sql : NULL;
    TAILQ_FOREACH(request, &simulation->requests, entry) {
        bool later = pending || request->asked + BASE > fact->call.deadline.ns;
        bool looks = later && simulation->now < request->asked + LOOK;
        if (promise_wants(request, fact->record, sql) && request->count == 1 && !looks)
            promise_broken(simulation, "who waits for a silent server is told at the deadline",
                           "who waits for %s is not", verb_name(fact->call.verb));
    }
}

// But one of the configuration before may wait for a prober of that, which has gone to be ended.
static void promise_on_idleness(struct simulation *simulation, const struct prober_record *record)
{
    const struct request *request;
    TAILQ_FOREACH(request, &simulation->requests, entry) {
        bool here = request->config == simulation->adapter.config;
        if (promise_wants(request, record, NULL) && request->count == 1 && here)
            promise_broken(simulation, "nobody waits for nothing", "%s is idle", record->name);
    }
}

// A background run, though a request waits for another check of this prober.
static void promise_on_background_run(struct simulation *simulation, const struct fact *fact)
{
    const struct request *request;
    if (promise_is_waited_for(simulation, fact))
        return;
    TAILQ_FOREACH(request, &simulation->requests, entry) {
        bool waits = request->count == 1 && request->asked < simulation->now &&
                     simulation->now < request->asked + DEADLINE;
        const struct check *check = waits ? request->config->checks[request->checks[0]] : NULL;
        bool here = check != NULL && strcmp(check->prober, fact->record->name) == 0 &&
                    request->config->target_digest == fact->record->target;
        if (here && fact->record->current)
            promise_broken(simulation, "requested checks go before background ones",
                           "%s runs while a request waits for %s", fact->sql, check->sql);
    }
}

static int64_t promise_statement_limit(int64_t left_ns)
{
    int64_t left = (left_ns + MS - 1) / MS;
    int64_t margin = left / 8 < 100 ? left / 8 : 100;
    return left - margin > 0 ? left - margin : 1;
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
    if (left > check->timeout.ms * MS)
        promise_broken(simulation, "a run has its timeout at most", "%s has %lld ms", fact->sql,
                       (long long)(left / MS));
    if (call->statement_limit.ms != promise_statement_limit(left))
        promise_broken(simulation, "the server is told to end a statement a little before us",
                       "%s after %lld ms", fact->sql, (long long)call->statement_limit.ms);
    if (call->max_rows != 1)
        promise_broken(simulation, "no more rows are asked for than are used", "%u of %s",
                       call->max_rows, fact->sql);
    if (opened == NULL ||
        !range_has(&check->range, FLAVOR_POSTGRES, opened->upgraded ? "16.1" : "15.4"))
        promise_broken(simulation, "no check runs on a server that it is not meant for", "%s does",
                       fact->sql);
    if (check->broken != NULL)
        promise_broken(simulation, "no broken check runs", "%s does", fact->sql);
}

// Of two that requests wait for, the one that was asked for first, unless it may not run. The login
// may have been made for one that had aged while a request waited for others.
static void promise_on_order(struct simulation *simulation, const struct fact *fact,
                             const struct check *own, const struct check_record *known)
{
    const struct request *request;
    int64_t since = INT64_MAX;
    if (own->cache.ms > 0 && fact->record->opened != NULL)
        since = fact->record->opened->sent;
    if (known->asked == 0 || !fact->record->current || simulation->adapter.changed >= known->asked)
        return;
    TAILQ_FOREACH(request, &simulation->requests, entry) {
        const struct check *check =
            request->count == 1 ? request->config->checks[request->checks[0]] : NULL;
        if (check == NULL || strcmp(check->prober, fact->record->name) != 0 ||
            check->range.bound_count > 0 || request->asked >= known->asked ||
            request->asked > since || request->config != simulation->adapter.config)
            continue;
        const struct check_record *other =
            promise_check_record(simulation, check->sql, fact->record->target, fact->record->name);
        if (other->silences == 0 && !other->troubled && strcmp(check->sql, fact->sql) != 0)
            promise_broken(simulation, "who came first is served first",
                           "%s runs, but %s was asked for before", fact->sql, check->sql);
    }
}

// What a request asks for, and has not been run since, was asked for then.
void promise_on_ask(struct simulation *simulation, const struct request *request)
{
    for (size_t i = 0; i < request->count; i++) {
        const struct check *check = request->config->checks[request->checks[i]];
        struct check_record *known =
            promise_check_record(simulation, check->sql, request->config->target_digest,
                                 prober_names[promise_index_of(check)]);
        if (known->asked == 0)
            known->asked = simulation->now;
        if (simulation_had_own_trouble(simulation, simulation->now - 3 * SECOND, simulation->now))
            known->calm = 0;
        else if (known->calm == 0)
            known->calm = simulation->now;
    }
}

// When it began what the login was made for: with it, or with a run on a connection that was dead.
static int64_t promise_beginning_of(const struct prober_record *record, const struct fact *login)
{
    size_t i = record->fact_count;
    while (i > 0 && record->facts[i - 1] != login)
        i--;
    const struct fact *before = i > 1 ? record->facts[i - 2] : NULL;
    if (before != NULL && before->call.verb == VERB_RUN && before->delivered == login->sent)
        return before->sent;
    return login->sent;
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
                   simulation->now + BASE < before->call.deadline.ns &&
                   simulation->adapter.changed + DEADLINE <
                       promise_beginning_of(fact->record, before); // one that has moved
    if (others == 0 && follows &&
        fact->call.deadline.ns != before->sent + BASE + check->timeout.ms * MS)
        promise_broken(simulation, "a run has its timeout at most", "%s has another", fact->sql);
}

// Also in the moment of what came before: we came late, or a login was for a check that is not run.
static bool promise_may_begin_batch(const struct simulation *simulation,
                                    const struct prober_record *record, const struct fact *before)
{
    if (before == NULL)
        return false;
    bool login = before->call.verb == VERB_OPEN && record->keeps;
    return before->arrived < simulation->now ||
           (login && promise_has_checks_that_need_a_login(simulation, record));
}

// A new connection is what shows that the server still lets us in. Who comes during the login
// joins.
static void promise_on_sharing(struct simulation *simulation, const struct fact *fact,
                               const struct check *check, const struct check_record *known)
{
    const struct prober_record *record = fact->record;
    const struct fact *login = record->opened;
    bool by_request = check->every.ms == 0 && simulation->adapter.draining_since == 0;
    bool once = check->cache.ms == 0; // else a request that waited for others may have asked before
    if (login == NULL || record->keeps || !record->current || !by_request || !once ||
        simulation->adapter.changed >= login->sent)
        return;
    if (known->asked > login->delivered)
        promise_broken(simulation, "what is asked for later waits for the next connection",
                       "%s runs on one that was there before", fact->sql);
}

// It is certain that the run is of the same batch as the one before it, and not the first of
// another on a kept connection, which may have died meanwhile.
static bool promise_is_next_of_batch(const struct simulation *simulation, const struct fact *fact,
                                     const struct check *check, const struct check_record *known)
{
    bool ran = known->latest != NULL && known->latest->sent >= fact->record->began;
    return check->cache.ms == 0 && check->every.ms == 0 && known->asked > 0 && !ran &&
           known->asked <= fact->record->began && promise_is_waited_for(simulation, fact);
}

// What a run ended in is told to whoever has asked for it; nobody has asked for another, for which
// there is a login at once. A request that waits for others might, for which it has aged.
static void promise_on_second_try(struct simulation *simulation, const struct fact *fact,
                                  const struct check *check, const struct check_record *known)
{
    const struct prober_record *record = fact->record;
    const struct fact *latest = known->latest;
    bool again = record->fact_count > 1 && record->facts[record->fact_count - 2] == latest &&
                 record->facts[record->fact_count - 1]->call.verb == VERB_OPEN &&
                 record->facts[record->fact_count - 1]->sent == latest->delivered;
    bool told =
        again && !latest->perhaps_on_kept && latest->delivered + BASE <= latest->call.deadline.ns;
    if (told && known->asked == 0 && check->every.ms == 0 && check->cache.ms == 0 &&
        record->current && simulation->adapter.draining_since == 0 &&
        simulation->adapter.changed < latest->sent &&
        !simulation_had_own_trouble(simulation, latest->sent - SECOND, simulation->now))
        promise_broken(simulation, "no check runs that nobody asks for", "%s does", fact->sql);
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
    fact->perhaps_on_kept = promise_may_begin_batch(simulation, record, before);
    record->ran = true;
    if (!fact->process->session && !fact->process->session_is_dead)
        promise_broken(simulation, "a run has a session", "%s has none", fact->sql);
    if (check == NULL) { // but who needed it may only just have been answered, for another's sake
        if (simulation->answered_at < simulation->now)
            promise_broken(simulation, "no removed check runs", "%s does", fact->sql);
        return;
    }
    promise_on_run_of(simulation, fact, check);
    if (known->latest != NULL &&
        known->latest->sent > adapter_born(simulation, fact->sql) + 5 * SECOND &&
        known->latest->process->fact == known->latest && known->latest->process->owner != NULL &&
        !known->latest->process->dead)
        promise_broken(simulation, "a check runs once at a time", "%s runs twice", fact->sql);
    if (record->keeps && !promise_is_next_of_batch(simulation, fact, check, known))
        fact->perhaps_on_kept = true;
    if (check->writes)
        fact->on_kept = fact->perhaps_on_kept = false;
    promise_on_second_try(simulation, fact, check, known);
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
    if (check->every.ms == 0 &&
        simulation->adapter.draining_since == 0) // else it may have been due
        promise_on_order(simulation, fact, check, known);
    promise_on_sharing(simulation, fact, check, known);
    if (!fact->perhaps_on_kept) // which may have to be run again
        known->asked = 0;
    promise_on_time_of_run(simulation, fact, check, before);
    known->latest = fact;
}

// One that is kept ends for no reason of ours, but for a secret that is refused.
static void promise_on_end_of_connection(struct simulation *simulation, const struct fact *fact)
{
    const struct prober_record *record = fact->record;
    const struct fact *latest = promise_latest(record);
    bool keeps = record->keeps && record->current && record->opened != NULL &&
                 record->opened->trial == TRIAL_NONE;
    bool closes =
        (fact->call.verb == VERB_RUN && fact->call.last) ||
        (fact->call.verb == VERB_CLOSE && latest != NULL && !promise_ends_session(latest->outcome));
    if (keeps && closes)
        promise_broken(simulation, "a connection that is to be kept is kept", "%s closes its own",
                       record->name);
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
    if (fact->call.verb == VERB_CLOSE &&
        fact->call.deadline.ns - BASE != simulation->now + CLOSE_LIMIT)
        promise_broken(simulation, "a goodbye has its time", "that of %s has another",
                       fact->record->name);
    process->last_sequence = fact->call.sequence;
    if (fact->call.verb == VERB_OPEN)
        promise_on_open(simulation, fact);
    else if (fact->call.verb == VERB_RUN)
        promise_on_run(simulation, fact);
    promise_on_end_of_connection(simulation, fact);
    const struct fact *before = promise_latest(fact->record);
    if (before == NULL || (before->delivered > 0 && before->delivered < simulation->now))
        fact->record->began = simulation->now;
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
        simulation->adapter.counted[record->index].connections++;
        record->ran = false;
        if (fact->call.inspect) {
            record->inspected = simulation->now;
            record->superuser = fact->superuser;
        }
        bool of_target = record->target == simulation->refused_target;
        if (of_target && fact->trial == TRIAL_NONE && fact->sent >= simulation->refused_at)
            simulation->refusals = 0;
    }
    if (fact->trial != TRIAL_REFUSED || record->target != simulation->adapter.target)
        return;
    uint64_t secret = simulation->server.our_secret;
    bool again = simulation->refused == secret && simulation->refused_target == record->target;
    if (again && simulation->refusals > 0 && fact->sent < simulation->refused_at)
        return; // of the same moment
    if (simulation->refusals == 0 || simulation->refused_target != record->target)
        simulation->refused_since = simulation->now;
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
    fact->new_one_refused = fact->old_secret && simulation->refusals > 0 &&
                            simulation->refused_target == fact->record->target;
    bool in_time = simulation->now + BASE <= fact->call.deadline.ns;
    if (!in_time || (fact->call.verb == VERB_OPEN && fact->outcome != OUTCOME_OK))
        promise_note_disturbance(simulation);
    bool ends = in_time && promise_ends_session(fact->outcome);
    if (fact->call.verb != VERB_RUN || (ends && fact->on_kept)) // that one may have been dead
        return;
    if (fact->outcome == OUTCOME_OK && !fact->is_silence && adapter_has(simulation, fact))
        simulation->adapter.results[adapter_index(fact->sql)]++;
    struct check_record *known =
        promise_check_record(simulation, fact->sql, fact->record->target, fact->record->name);
    known->troubled = ends && fact->perhaps_on_kept && known->silences > 0; // these may go on
    if (!known->troubled)
        known->silences = 0;
    known->held_until = 0;
    if (in_time && !promise_ends_session(fact->outcome)) // all who have asked are told
        known->asked = 0;
    promise_note_row(simulation, known, fact);
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
    if (known->silences == 0)
        known->silent_since = fact->sent;
    fact->silent_since = known->silent_since;
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

// For want of an answer in time.
static bool promise_is_kill_of_silent(const struct simulation *simulation, const struct fact *fact)
{
    int64_t wait = promise_wait(pending_schedule, fact->record->unanswered_opens + 1);
    if (fact->call.verb == VERB_OPEN)
        return simulation->now - fact->sent >= wait;
    return simulation->now + BASE >= fact->call.deadline.ns;
}

void promise_on_kill(struct simulation *simulation, struct prober_process *process)
{
    struct fact *fact = process->fact;
    if (fact != NULL)
        fact->killed = true;
    if (fact != NULL && !simulation->ending && !process->babbles &&
        promise_is_kill_of_silent(simulation, fact))
        simulation->adapter.counted[process->record->index].kills++;
    promise_note_disturbance(simulation);
    if (simulation->ending || !process->record->current || process->dead || process->babbles)
        return;
    if (fact == NULL) {
        promise_broken(simulation, "no process is killed for nothing", "%s is",
                       process->record->name);
        return;
    }
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

// What is under way may come to its end; what has had its time is not waited for.
void promise_on_goodbye(struct simulation *simulation, const struct prober_process *process)
{
    const struct fact *fact = process->fact;
    int64_t over = fact != NULL ? fact->call.deadline.ns - BASE : INT64_MAX;
    if (over < simulation->now &&
        !simulation_had_own_trouble(simulation, over - SECOND, simulation->now))
        promise_broken(simulation, "a silent server is bidden no goodbye", "%s waits for one",
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
    reason |= peers_may_wake(simulation);
    reason |=
        simulation_had_own_trouble(simulation, simulation->now - 20 * SECOND, simulation->now);
    if (!reason)
        promise_broken(simulation, "at rest nothing wakes", "something does");
}

// Another trouble of ours than that a process is slow to be there.
static bool promise_had_other_trouble(const struct simulation *simulation, int64_t from)
{
    const struct story *story = simulation->story;
    for (size_t i = 0; i < story->count; i++) {
        const struct item *item = &story->items[i];
        if (story_item_is_own(item->kind) && item->kind != ITEM_SLOW_START &&
            item->at <= simulation->now && story_item_end(item) >= from)
            return true;
    }
    return false;
}

// One that is not there in time will not be; but a check may have more.
static void promise_on_late_process(struct simulation *simulation, const struct fact *fact)
{
    int64_t own = fact->call.deadline.ns - BASE;
    int64_t due = own > fact->sent + START ? own : fact->sent + START;
    if (simulation->now > due && !promise_has_asked(fact->process) &&
        !promise_had_other_trouble(simulation, fact->sent - SECOND))
        promise_broken(simulation, "a process has its time to be there", "%s has more",
                       fact->record->name);
}

static void promise_after_turn_of(struct simulation *simulation, struct prober_record *record)
{
    struct prober_process *process = record->process;
    const struct fact *latest = promise_latest(record);
    if (process == NULL || !record->current)
        return;
    struct fact *fact = process->fact;
    if (fact != NULL && fact->call.verb == VERB_OPEN) {
        promise_on_late_process(simulation, fact);
        int64_t wait = promise_wait(pending_schedule, record->unanswered_opens + 1);
        int64_t due = fact->sent + wait + LOOK; // or a look after a stall
        if (simulation->now > due && !simulation_had_own_trouble(simulation, due, simulation->now))
            promise_broken(simulation, "a pending login is replaced in time", "that of %s is not",
                           record->name);
    }
    bool over = fact != NULL && simulation->now + BASE >= fact->call.deadline.ns;
    if (fact == NULL && process->reply_count == 0)
        promise_on_idleness(simulation, record);
    bool pending = fact != NULL && fact->call.verb == VERB_OPEN && record->unanswered_opens > 0;
    if (pending || (over && fact->call.verb != VERB_CLOSE))
        promise_on_silence(simulation, fact, pending);
    if (over && fact->call.verb == VERB_RUN) {
        promise_note_silence(simulation, fact);
        promise_on_background_run(simulation, fact); // nor is it in the way of others
    }
    if (over && fact->call.verb == VERB_CLOSE && !process->dead)
        promise_broken(simulation, "a goodbye has its time", "%s waits for one", record->name);
    bool closes = !record->keeps || (record->opened != NULL && record->opened->trial != TRIAL_NONE);
    if (fact == NULL && latest != NULL && process->session && !process->session_is_dead && closes &&
        !process->hangs_in_goodbye && process->reply_count == 0 && latest->delivered > 0 &&
        simulation->now > latest->delivered + CLOSE_LIMIT)
        promise_broken(simulation, "a connection is closed after its batch", "that of %s is not",
                       record->name);
}

static void promise_on_failures(struct simulation *simulation, const struct prober_record *record)
{
    bool expected =
        record->failures >= 5 && record->latest_failure - record->first_failure >= 30 * SECOND;
    if (record->current && prober_is_beyond_help(record->prober) != expected)
        promise_broken(simulation, "/livez fails for what a restart cures, and nothing else",
                       "%s has failed %u times", record->name, record->failures);
}

// At once, also in the midst of a run, unless a request waits for it.
static void promise_on_leaver(struct simulation *simulation, const struct prober_record *record)
{
    const struct prober_process *process = record->process;
    const struct request *request;
    bool answered = simulation->answered_at == simulation->now; // perhaps since the last sweep
    if (record->current || process == NULL || answered)
        return;
    TAILQ_FOREACH(request, &simulation->requests, entry) {
        if (promise_wants(request, record, NULL))
            return;
    }
    promise_broken(simulation, "a prober that no check has any more ends", "%s does not",
                   record->name);
}

// The login that it waited for was answered after all, and all that came of that has been done.
static void promise_on_end_of_pending(struct simulation *simulation,
                                      const struct prober_record *record)
{
    const struct config *config = simulation->adapter.config;
    const struct fact *opened = record->opened, *latest = promise_latest(record);
    bool over = record->current && record->process != NULL && record->process->fact == NULL &&
                record->process->reply_count == 0 && opened != NULL && opened->was_pending &&
                latest != opened && latest->delivered > 0 && latest->call.verb != VERB_OPEN;
    if (!over || config == NULL || simulation->adapter.changed >= opened->sent ||
        simulation->adapter.draining_since > 0 ||
        simulation_had_own_trouble(simulation, opened->sent - SECOND, simulation->now))
        return;
    for (size_t i = 0; i < config->check_count; i++) {
        const struct check *check = config->checks[i];
        if (strcmp(check->prober, record->name) != 0 || check->range.bound_count > 0)
            continue;
        const struct check_record *known =
            promise_check_record(simulation, check->sql, record->target, record->name);
        if (check->broken == NULL && known->silences == 0 && !known->troubled &&
            known->told > opened->sent && known->told < opened->delivered &&
            (known->latest == NULL || known->latest->sent < known->told))
            promise_broken(simulation, "what a pending login is to tell is told", "%s does not run",
                           check->sql);
    }
}

static void promise_on_peers(struct simulation *simulation)
{
    const struct scheduler *scheduler = simulation->adapter.scheduler;
    for (size_t i = 0; scheduler != NULL && i < scheduler_prober_count(scheduler); i++) {
        const struct prober *prober = scheduler_prober(scheduler, i);
        if (strcmp(prober_name(prober), check_prober_of_peers) == 0 &&
            prober_is_beyond_help(prober))
            promise_broken(simulation, "nobody is killed for what others say", "/livez fails");
    }
}

void promise_after_turn(struct simulation *simulation)
{
    const struct request *first = TAILQ_FIRST(&simulation->requests);
    if (first != NULL && first->asked + DEADLINE <= simulation->now)
        promise_broken(simulation, "every request is answered by its deadline",
                       "request %llu is not", (unsigned long long)first->number);
    promise_on_peers(simulation);
    for (size_t i = 0; i < simulation->record_count && !simulation->failed; i++) {
        promise_after_turn_of(simulation, simulation->records[i]);
        promise_on_failures(simulation, simulation->records[i]);
        promise_on_leaver(simulation, simulation->records[i]);
        promise_on_end_of_pending(simulation, simulation->records[i]);
    }
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

static bool promise_has_no_faults(const struct simulation *simulation, int64_t since)
{
    const struct story *story = simulation->story;
    for (size_t i = 0; i < story->count; i++) {
        const struct item *item = &story->items[i];
        bool fault = story_item_is_server(item->kind) || story_item_is_own(item->kind);
        if (fault && item->at <= simulation->now && story_item_end(item) >= since)
            return false;
    }
    return true;
}

// Whether the server has gone is asked all the time.
static void promise_on_refresh(struct simulation *simulation)
{
    const struct config *config = simulation->adapter.config;
    const struct endpoint *healthz = config_endpoint(config, "healthz");
    if (simulation->now < simulation->adapter.changed + 6 * SECOND ||
        !promise_has_no_faults(simulation, simulation->now - 140 * SECOND))
        return;
    for (size_t i = 0; i < healthz->count; i++) {
        const struct check *check = config->checks[healthz->checks[i]];
        const struct check_record *known =
            promise_check_record(simulation, check->sql, simulation->adapter.target,
                                 prober_names[promise_index_of(check)]);
        bool runs = check->broken == NULL && check->range.bound_count == 0;
        if (runs && (known->latest == NULL || known->latest->sent < simulation->now - 2 * SECOND))
            promise_broken(simulation, "draining asks for liveness", "%s is not run", check->name);
    }
}

// A login that began since then was refused, and that was the last that was heard.
void promise_on_staying(struct simulation *simulation)
{
    promise_on_refresh(simulation);
    if (simulation_had_own_trouble(simulation, simulation->now - 20 * SECOND, simulation->now))
        return;
    for (size_t i = 0; i < simulation->record_count; i++) {
        const struct prober_record *record = simulation->records[i];
        const struct fact *latest = promise_latest(record);
        if (record->current && latest != NULL && latest->call.verb == VERB_OPEN &&
            latest->outcome == OUTCOME_REFUSED && latest->delivered > 0 && !latest->was_pending &&
            latest->sent > simulation->adapter.changed)
            promise_broken(simulation, "draining ends when the server has gone", "it does not");
    }
}

void promise_on_statistics(struct simulation *simulation)
{
    const struct adapter *adapter = &simulation->adapter;
    for (size_t i = 0; i < PROBERS; i++) {
        const struct prober_statistics *own = &adapter->counted[i];
        const struct prober_statistics *its =
            statistics_prober(adapter->statistics, prober_names[i]);
        bool leavers = adapter->changed > adapter->started; // what these fail in is not noted
        if (own->starts != its->starts || own->connections != its->connections ||
            (!leavers && (own->crashes != its->crashes || own->kills != its->kills)))
            promise_broken(simulation, "what happens is counted",
                           "%s: %llu starts, %llu connections, %llu crashes, %llu kills, and not "
                           "%llu, %llu, %llu, %llu",
                           prober_names[i], (unsigned long long)its->starts,
                           (unsigned long long)its->connections, (unsigned long long)its->crashes,
                           (unsigned long long)its->kills, (unsigned long long)own->starts,
                           (unsigned long long)own->connections, (unsigned long long)own->crashes,
                           (unsigned long long)own->kills);
    }
}

// Runs of a check that were told of, as the model knows them.
struct runs {
    uint64_t all;
    bool more; // may have been told as runs: logins that failed, processes that died
};

static void promise_count_run(struct runs *runs, const struct fact *fact)
{
    bool told = fact->delivered > 0 && !fact->is_silence;
    runs->all += told || fact->is_silence;
    // It may be on a connection that was dead, or its process.
    runs->more |= told ? promise_ends_session(fact->outcome) : !fact->is_silence;
}

// Of a login one is told if it fails, or has had its time; but what comes of it later is none.
static void promise_count_open(struct runs *runs, const struct fact *fact, int64_t now)
{
    int64_t over = fact->call.deadline.ns - BASE;
    bool late = fact->delivered > 0 ? fact->was_pending : over < now;
    bool fails = fact->delivered > 0 && fact->outcome != OUTCOME_OK;
    bool first = fact->silent_since == fact->sent;
    runs->all += late ? first : fails;
    runs->more |= fact->delivered == 0 && over == now;
}

// No other check has its prober.
static bool promise_is_alone(const struct simulation *simulation, const struct check *check)
{
    const struct config *config = simulation->adapter.config;
    size_t count = 0;
    for (size_t i = 0; i < config->check_count; i++)
        count += strcmp(config->checks[i]->prober, check->prober) == 0;
    return count == 1;
}

static struct runs promise_runs_of(const struct simulation *simulation, const struct check *check)
{
    struct runs runs = {0};
    bool alone = promise_is_alone(simulation, check);
    for (size_t i = simulation->fact_count; i-- > 0;) {
        const struct fact *fact = simulation->facts[i];
        bool own = fact->record->target == simulation->adapter.target;
        bool open = fact->call.verb == VERB_OPEN && strcmp(fact->record->name, check->prober) == 0;
        if (!own)
            break;
        if (strcmp(fact->sql, check->sql) == 0)
            promise_count_run(&runs, fact);
        if (open && alone)
            promise_count_open(&runs, fact, simulation->now);
        else if (open)
            runs.more |= fact->delivered == 0 || fact->was_pending || fact->outcome != OUTCOME_OK;
    }
    return runs;
}

static uint64_t promise_sum(const uint64_t *counts, size_t count)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += counts[i];
    return sum;
}

static void promise_on_statistics_of(struct simulation *simulation, const struct check *check)
{
    struct check_statistics *its = statistics_check(simulation->adapter.statistics, check->name);
    struct runs runs = promise_runs_of(simulation, check);
    uint64_t all = promise_sum(its->durations, DURATION_BOUNDS + 1);
    bool exact = !runs.more && !simulation_had_own_trouble(simulation, simulation->adapter.started,
                                                           simulation->now);
    if (exact && all != runs.all)
        promise_broken(simulation, "what happens is counted", "%llu runs of %s, and not %llu",
                       (unsigned long long)all, check->name, (unsigned long long)runs.all);
}

// Of all that have had the name; of each while the configuration had it.
static void promise_on_results(struct simulation *simulation, size_t index)
{
    char name[NAME_ROOM];
    (void)snprintf(name, sizeof name, "c%zu", index);
    const struct check_statistics *its = statistics_check(simulation->adapter.statistics, name);
    uint64_t own = simulation->adapter.results[index];
    uint64_t rows =
        its->outcomes[OUTCOME_OK] + its->outcomes[OUTCOME_FAILED] + its->outcomes[OUTCOME_NO_ROW];
    if (rows != own)
        promise_broken(simulation, "what happens is counted", "%llu results of %s, and not %llu",
                       (unsigned long long)rows, name, (unsigned long long)own);
}

// A reload may have dropped some runs, and each has its name from its SQL.
void promise_on_statistics_of_checks(struct simulation *simulation)
{
    const struct adapter *adapter = &simulation->adapter;
    uint64_t uses = promise_sum(adapter->statistics->cache_uses, CACHE_USES);
    if (uses != adapter->asked)
        promise_broken(simulation, "what happens is counted",
                       "%llu uses of the cache, and not %llu", (unsigned long long)uses,
                       (unsigned long long)adapter->asked);
    for (size_t i = 0; i < CHECKS_MAX; i++)
        promise_on_results(simulation, i);
    for (size_t i = 0; adapter->changed == adapter->started && i < adapter->config->check_count;
         i++) {
        if (!adapter->config->checks[i]->peers)
            promise_on_statistics_of(simulation, adapter->config->checks[i]);
    }
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
