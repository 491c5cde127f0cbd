// What an answer says is held against what the model knows to be true: each view of a check is a
// claim, of the server or of us.
#include "simulation.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define YOUNG (5 * SECOND)

// By when all is well again: a minute until a secret that was refused may be shown anew, up to one
// until a period comes round, and another if it was the other prober's turn then.
#define CALM (200 * SECOND)

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
    bool is_bad = fact->rows && fact->value > 100;
    if (is_bad)
        outcome = promise_outcome_of_row(claim->simulation, fact, claim->outcome);
    if (outcome != claim->outcome)
        promise_lie(claim, "its rows say something else");
    if (claim->began > fact->sent || claim->began < fact->job_began)
        promise_lie(claim, "its run began at another time");
    if (claim->made > fact->delivered || claim->made_by < fact->delivered)
        promise_lie(claim, "it took another time");
    if (claim->view->superuser != fact->user_is_superuser)
        promise_lie(claim, "the user is another");
    bool warns = claim->view->judgement.verdict == VERDICT_WARN;
    if (outcome == OUTCOME_OK && fact->user_is_superuser && !warns)
        promise_lie(claim, "a superuser's pass is a warning");
    bool refused = fact->new_one_refused || (fact->old_secret && !fact->record->current);
    if (outcome == OUTCOME_OK && warns && !is_bad && !fact->user_is_superuser && !refused)
        promise_lie(claim, "nothing is to be warned of");
    if (outcome == OUTCOME_OK && is_bad && !warns)
        promise_lie(claim, "what will fail is a warning");
    if (is_bad && !promise_row_is_told(claim->simulation, fact, claim->view->judgement.reason))
        promise_lie(claim, "its rule has held for another time");
    if (outcome == OUTCOME_OK && fact->new_one_refused && !warns)
        promise_lie(claim, "a secret that is no longer the right one is a warning");
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

// For how long the server has had this call without an answer.
static int64_t promise_held_by(const struct fact *fact, int64_t from, int64_t to)
{
    int64_t begin = fact->behind_goodbye ? fact->sent : fact->received;
    int64_t end = fact->answered > 0 ? fact->answered : INT64_MAX;
    return begin > 0 || fact->behind_goodbye ? promise_overlap(from, to, begin, end) : 0;
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
            held += promise_held_by(fact, from, to);
            if (fact->sent < from)
                break;
        }
    }
    return held;
}

// What we had of the CPU then is known in slices only.
static bool promise_had_shortage(const struct simulation *simulation, int64_t from, int64_t to)
{
    bool had = false;
    for (size_t i = 0; i < simulation->shortage_count; i++)
        had |= simulation->shortages[i].from <= to && simulation->shortages[i].to >= from;
    return had;
}

// A login has the time of the check that it was made for, which may have been removed since.
static int64_t promise_longest_timeout(const struct claim *claim)
{
    const struct story *story = claim->simulation->story;
    int64_t longest = 0;
    for (size_t i = 0; i < CHECKS_MAX; i++) {
        if (story->checks[i].used && story->checks[i].timeout * MS > longest)
            longest = story->checks[i].timeout * MS;
    }
    return longest;
}

// Of "WORDS 12.3 s", in tenths of a second; false if it is not there.
static bool promise_read_time(const char *reason, const char *words, int64_t *time)
{
    const char *place = strstr(reason, words);
    if (place != NULL)
        *time = (int64_t)(strtod(place + strlen(words), NULL) * 10 + 0.5) * 100 * MS;
    return place != NULL;
}

// "no answer for 12.3 s", since the first of those in a row that got none. The time of a run may
// begin with the login before it.
static void promise_judge_silence(const struct claim *claim, const struct fact *fact)
{
    int64_t told;
    if (!promise_read_time(claim->view->judgement.reason, "no answer for ", &told) ||
        !claim->view->dated || fact->silent_since == 0 ||
        !fact->record->current ||                           // its silences are not counted
        claim->simulation->adapter.changed >= claim->began) // of the server before, or of this one
        return;
    int64_t silent = claim->made - fact->silent_since;
    if (told > silent + promise_longest_timeout(claim) || told < silent - 102 * MS)
        promise_lie(claim, "the server has been silent for another time");
}

// It is told rounded down, as of some time in a millisecond.
static bool promise_is_told(int64_t told, int64_t time)
{
    return told <= (time > 0 ? time : 0) + MS && told > time - 101 * MS;
}

// "denied for 12.3 s; next try in 4.0 s", of the row of refusals that goes on.
static void promise_judge_refusal(const struct claim *claim)
{
    const struct simulation *simulation = claim->simulation;
    const char *reason = claim->view->judgement.reason;
    int64_t age, left;
    if (!claim->view->dated || simulation->refusals == 0 ||
        simulation->refused_target != claim->request->config->target_digest ||
        simulation->adapter.changed >= simulation->refused_since ||
        simulation->refused_since > claim->made)
        return;
    if ((promise_read_time(reason, "denied for ", &age) ||
         promise_read_time(reason, "refused for ", &age)) &&
        !promise_is_told(age, claim->made - simulation->refused_since))
        promise_lie(claim, "the secret has been refused for another time");
    if (promise_read_time(reason, "next try in ", &left) && simulation->refused_at < claim->made &&
        simulation->shown_at < claim->made &&
        !promise_is_told(left, promise_next_try(simulation) - claim->made))
        promise_lie(claim, "the secret is shown again at another time");
}

// What looks cannot show counts twice: where we are short of the CPU, up to 75 ms at each end of
// the asking and of the hearing.
static int64_t promise_slack(const struct claim *claim, int64_t from, int64_t to)
{
    return promise_had_shortage(claim->simulation, from, to) ? 600 * MS : 160 * MS;
}

// A login that is pending, while we had trouble: one attempt has had its time before the server, or
// most of it, and the latest has not been answered. An attempt before it may have been, in between.
static void promise_judge_pending(const struct claim *claim, const struct fact *fact)
{
    int64_t own_time = fact->call.deadline.ns - BASE - fact->sent;
    int64_t since = fact->silent_since > 0 ? fact->silent_since : fact->sent;
    if (2 * promise_held(claim, since, claim->made) <
        own_time - promise_slack(claim, since, claim->made))
        promise_lie(claim, "the server was not silent for long enough");
    if (fact->answered > 0 && fact->answered < claim->made - 100 * MS)
        promise_lie(claim, "/healthz never fails for our own fault: the server has answered");
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
    if (fact->call.verb == VERB_OPEN && claim->view->dated)
        promise_check_record(simulation, claim->check->sql, fact->record->target,
                             fact->record->name)
            ->told = claim->made;
    if (fact->arrived > 0 && fact->arrived < claim->made)
        promise_lie(claim, "the answer was there");
    int64_t from = claim->asked ? claim->began : fact->sent;
    int64_t span = claim->made - from;
    int64_t held = promise_held(claim, from, claim->made);
    bool trouble = simulation_had_own_trouble(simulation, from - SECOND, claim->made);
    bool over = claim->made + BASE > fact->call.deadline.ns || fact->silent_since < fact->sent;
    bool pending = fact->call.verb == VERB_OPEN && (!claim->asked || (!claim->view->dated && over));
    if (trouble && pending)
        promise_judge_pending(claim, fact);
    else if (trouble ? 2 * held < span - promise_slack(claim, from, claim->made)
                     : held < span - 30 * MS)
        promise_lie(claim, "the server was not silent for so long");
    if (span <= 0 && !claim->asked)
        promise_lie(claim, "nothing was asked before");
    promise_judge_silence(claim, fact);
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

// How much of this time we did not have the CPU, for faults of this kind.
static int64_t promise_lost_by(const struct simulation *simulation, enum item_kind kind,
                               int64_t from, int64_t to)
{
    const struct story *story = simulation->story;
    int64_t lost = 0;
    for (size_t i = 0; i < story->count; i++) {
        const struct item *item = &story->items[i];
        int64_t overlap = promise_overlap(from, to, item->at, story_item_end(item));
        if (item->kind == kind)
            lost += story_item_is_shortage(kind) ? overlap * (100 - item->a) / 100 : overlap;
    }
    return lost;
}

static int64_t promise_lost(const struct simulation *simulation, int64_t from, int64_t to)
{
    int64_t lost = 0;
    for (enum item_kind kind = 0; kind < ITEM_KINDS; kind++)
        lost += story_item_is_own(kind) ? promise_lost_by(simulation, kind, from, to) : 0;
    return lost;
}

// The server had it for less than half of the time, so it came to no limit that we had the time
// for. What the kernel counts is known well, unless we are also stopped, which it does not count.
static bool promise_is_our_delay(const struct claim *claim, const struct fact *fact)
{
    int64_t span = fact->delivered - claim->began;
    int64_t held = promise_held(claim, claim->began, fact->delivered);
    bool counted =
        promise_lost_by(claim->simulation, ITEM_STARVE, claim->began, fact->delivered) > span / 2 &&
        promise_lost_by(claim->simulation, ITEM_STUTTER, claim->began, fact->delivered) == 0;
    return 2 * held < span - (counted ? 60 * MS : 600 * MS) &&
           2 * span > claim->check->timeout.ms * MS;
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
    if (fact->outcome == OUTCOME_QUERY_TIMEOUT && promise_is_our_delay(claim, fact))
        promise_lie(claim, "it is for our want of the CPU");
}

static void promise_judge_skip(const struct claim *claim)
{
    const struct fact *fact = promise_open_by(claim, claim->made_by);
    if (fact == NULL || fact->outcome != OUTCOME_OK)
        promise_lie(claim, "nothing is known of the server");
    else if (range_has(&claim->check->range, FLAVOR_POSTGRES, fact->upgraded ? "16.1" : "15.4"))
        promise_lie(claim, "it is meant for the server");
}

// None could be started by then, or one had just failed; or there is one, of a login that is
// pending.
static void promise_judge_want_of_process(const struct claim *claim)
{
    const struct simulation *simulation = claim->simulation;
    if (strstr(claim->view->judgement.reason, "no answer for ") != NULL)
        return;
    for (size_t i = 0; i < simulation->record_count; i++) {
        const struct prober_record *record = simulation->records[i];
        if (record->current && promise_is_of(claim, record) && record->failures > 0 &&
            record->latest_failure < claim->made && promise_may_start(record, claim->made))
            promise_lie(claim, "another process could have been started");
    }
}

static void promise_judge_own(const struct claim *claim)
{
    struct simulation *simulation = claim->simulation;
    bool crashed = claim->outcome == OUTCOME_CRASHED;
    int64_t reach = crashed ? 15 * SECOND : 3 * SECOND;
    if (!claim->asked) // of a login that was pending, say
        reach = crashed ? 30 * SECOND : 75 * SECOND;
    int64_t span = claim->made - claim->began;
    if (claim->asked && reach < span + SECOND)
        reach = span + SECOND;
    const struct fact *fact = promise_call_at(claim, claim->made);
    if (crashed && !claim->asked && claim->view->dated)
        promise_judge_want_of_process(claim);
    if (crashed && claim->asked && claim->view->dated && fact != NULL &&
        fact->call.verb == VERB_RUN && strcmp(fact->sql, claim->check->sql) != 0)
        promise_lie(claim, "that was another check's");
    bool answered = fact != NULL && fact->answered > 0 && fact->delivered == 0; // which we miss
    if (!crashed && claim->asked && claim->view->dated && // else a login is looked at but seldom
        !answered &&
        4 * promise_lost(simulation, claim->began - 200 * MS, claim->made_by) < span - 400 * MS)
        promise_lie(claim, "we had the CPU for the most part");
    // A request at its deadline cannot wait for another look at a process that is ready by now.
    bool just_now = answered && !claim->view->dated && claim->made - fact->answered < 100 * MS;
    if (!just_now && !simulation_had_own_trouble(simulation, claim->made - reach, claim->made_by))
        promise_lie(claim, "we had no trouble");
}

// The check needs the login that goes on, for it is wanted: nothing that is known of it can be
// young enough.
static bool promise_waits_for_login(const struct claim *claim, const struct fact *login)
{
    const struct prober_record *record = login->record;
    return login->call.verb == VERB_OPEN && login->delivered == 0 && !login->killed &&
           record->current && record->fact_count > 0 &&
           record->facts[record->fact_count - 1] == login && claim->check->cache.ms == 0;
}

// It was not reached; but if the server has been silent to it for most of the time, that is known.
static void promise_judge_unreached(const struct claim *claim)
{
    const struct simulation *simulation = claim->simulation;
    const struct fact *fact = promise_call_at(claim, claim->made);
    int64_t limit = claim->check->timeout.ms * MS;
    bool own = fact != NULL && fact->call.verb == VERB_RUN && fact->delivered == 0 &&
               !fact->killed && // at this moment, for another try
               strcmp(fact->sql, claim->check->sql) == 0 && fact->record->current;
    bool pending = fact != NULL && fact->call.verb == VERB_OPEN && fact->delivered == 0 &&
                   simulation->now + BASE > fact->call.deadline.ns + 2 * MS;
    if (pending && claim->request->count == 1 && fact->record->current && !simulation->ending &&
        !simulation_had_own_trouble(simulation, fact->sent - SECOND, simulation->now))
        promise_lie(claim, "a login is known to be pending");
    bool waits = fact != NULL && promise_waits_for_login(claim, fact);
    if ((!own && !waits) || simulation->ending ||
        simulation_had_own_trouble(simulation, fact->sent - SECOND, simulation->now))
        return;
    if (limit > DEADLINE)
        limit = DEADLINE;
    if (2 * promise_held_by(fact, fact->sent, simulation->now) > limit + 40 * MS)
        promise_lie(claim, "the server is known to be silent");
}

// For how long the check's prober had something to do.
static int64_t promise_busy(const struct claim *claim, int64_t from, int64_t to)
{
    const struct simulation *simulation = claim->simulation;
    int64_t busy = 0;
    for (size_t i = 0; i < simulation->record_count; i++) {
        const struct prober_record *record = simulation->records[i];
        int64_t next = INT64_MAX;
        for (size_t j = promise_is_of(claim, record) ? record->fact_count : 0; j-- > 0;) {
            const struct fact *fact = record->facts[j];
            int64_t end = fact->delivered > 0 ? fact->delivered : next;
            busy += promise_overlap(from, to, fact->sent, end);
            next = fact->sent;
            if (fact->sent < from)
                break;
        }
    }
    return busy;
}

// One that needs nothing else is asked for at once.
static void promise_judge_idleness(const struct claim *claim)
{
    const struct simulation *simulation = claim->simulation;
    int64_t asked = claim->request->asked;
    if (claim->request->count == 1 && !simulation->ending &&
        !simulation_had_own_trouble(simulation, asked - SECOND, simulation->now) &&
        2 * promise_busy(claim, asked, simulation->now) < simulation->now - asked)
        promise_lie(claim, "its prober had the time to run it");
}

// "held back after no answer for 12.3 s; next run in 4.0 s": the server, not we, left its latest
// run unanswered.
static void promise_judge_held_back(const struct claim *claim, const struct check_record *known)
{
    const struct fact *latest = known->latest;
    int64_t left;
    if (latest == NULL || !latest->record->current || latest->delivered > 0 ||
        claim->simulation->adapter.changed >= latest->sent)
        return;
    int64_t over = latest->call.deadline.ns - BASE;
    int64_t span = over - latest->sent;
    if (claim->made < over)
        return; // of the run before
    if (2 * promise_held(claim, latest->sent, over) <
        span - promise_slack(claim, latest->sent, over))
        promise_lie(claim, "it is held back for our own fault");
    if (!known->troubled &&
        promise_read_time(claim->view->judgement.reason, "next run in ", &left) &&
        !promise_is_told(left, known->held_until - claim->made))
        promise_lie(claim, "it is run again at another time");
}

static void promise_judge_unknown(const struct claim *claim)
{
    struct simulation *simulation = claim->simulation;
    if (!claim->view->dated) {
        promise_judge_unreached(claim);
        promise_judge_idleness(claim);
        return;
    }
    const struct check_record *known =
        promise_check_record(simulation, claim->check->sql, claim->request->config->target_digest,
                             prober_names[promise_index_of(claim->check)]);
    bool held = known->silences > 0 && claim->made < known->held_until;
    bool told_before = claim->made < simulation->now; // it may have run since
    if (held && known->latest != NULL && !known->troubled)
        promise_judge_silence(claim, known->latest);
    promise_judge_held_back(claim, known);
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

// Never older than its cache; or it came while the request waited, for a run that was under way.
static void promise_judge_age(const struct claim *claim)
{
    const struct simulation *simulation = claim->simulation;
    int64_t cache = claim->check->cache.ms * MS;
    bool unanswered = promise_is_silent(claim->outcome) || promise_is_own(claim->outcome);
    if (unanswered && claim->outcome != OUTCOME_TOO_LARGE && cache > COMMON_CACHE)
        cache = COMMON_CACHE;
    if (claim->view->fresh_until.ns - BASE != claim->began + cache)
        promise_lie(claim, "it is served for another time");
    int64_t asked = claim->request->asked;
    bool waited = claim->made >= asked - MS && claim->made <= simulation->now;
    bool joined = claim->began >= asked - promise_longest_timeout(claim) - 20 * MS ||
                  simulation_had_own_trouble(simulation, claim->began, claim->made);
    if (simulation->now - claim->began > cache && !(waited && joined))
        promise_lie(claim, "that is older than its cache");
    if (claim->made > simulation->now + MS)
        promise_lie(claim, "that is of the future");
}

static bool promise_answer_waits(const struct claim *claim)
{
    const struct prober_process *process;
    LIST_FOREACH(process, &claim->simulation->processes, entry)
    {
        const struct fact *fact = process->reply_count > 0 ? process->replies[0] : NULL;
        if (fact != NULL && process->owner != NULL && fact->call.verb == VERB_RUN &&
            strcmp(fact->sql, claim->check->sql) == 0 && promise_is_of(claim, process->record))
            return true;
    }
    return false;
}

// What is told of a run that goes on: not that it has only just begun, nor of one that is over.
static void promise_judge_unfinished(const struct claim *claim)
{
    int64_t limit = claim->check->timeout.ms * MS;
    if (limit > DEADLINE)
        limit = DEADLINE;
    if (claim->asked && 2 * (claim->made - claim->began) < limit - 2 * MS)
        promise_lie(claim, "it has only just begun");
    if (!claim->simulation->ending && promise_answer_waits(claim))
        promise_lie(claim, "its answer can be read");
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

// The rest of a view, and of what is counted, is of the same result.
static void promise_judge_rest(const struct claim *claim)
{
    const struct simulation *simulation = claim->simulation;
    const struct check_view *view = claim->view;
    enum verdict verdict = view->judgement.verdict;
    bool rows = claim->outcome == OUTCOME_OK || claim->outcome == OUTCOME_FAILED ||
                claim->outcome == OUTCOME_NO_ROW;
    if (verdict == VERDICT_PASS && view->message[0] != '\0')
        promise_lie(claim, "the words are of another result");
    if (!rows && (view->result != NULL || view->numbers != NULL || view->seen != NULL))
        promise_lie(claim, "the rows are of another result");
    if (!view->dated || simulation->adapter.changed + 10 * SECOND >= claim->began)
        return; // of another check of its name
    if (view->statistics->history.held_until.ns != view->fresh_until.ns)
        promise_lie(claim, "its history holds for another time");
    bool well = verdict == VERDICT_PASS || verdict == VERDICT_WARN;
    int64_t success = view->statistics->last_success_ms - simulation_wall_ms(claim->began);
    if (well && simulation->stepped < claim->began && (success < -1 || success > 1))
        promise_lie(claim, "its latest success was at another time");
}

static void promise_judge_view(const struct claim *claim)
{
    const struct simulation *simulation = claim->simulation;
    bool over = simulation->now >= claim->request->asked + DEADLINE || simulation->ending;
    if (claim->view->judgement.verdict != promise_verdict_of(claim))
        promise_lie(claim, "its verdict is another");
    promise_judge_rest(claim);
    promise_judge_refusal(claim);
    if (!claim->view->dated && !over)
        promise_lie(claim, "there was time to know more");
    if (claim->view->dated)
        promise_judge_age(claim);
    else
        promise_judge_unfinished(claim);
    promise_judge_truth(claim);
}

// As long as scheduler_changes is the same, so is what is known.
static void promise_judge_change(const struct claim *claim)
{
    struct simulation *simulation = claim->simulation;
    if (!claim->view->dated || simulation->adapter.scheduler == NULL ||
        claim->request->config != simulation->adapter.config)
        return;
    struct check_record *known =
        promise_check_record(simulation, claim->check->sql, claim->request->config->target_digest,
                             prober_names[promise_index_of(claim->check)]);
    uint64_t changes = scheduler_changes(simulation->adapter.scheduler);
    bool same = known->began == claim->began && known->outcome == claim->outcome;
    if (known->changes == changes && !same)
        promise_broken(simulation, "what has changed is another number", "%s has changed",
                       claim->check->name);
    known->changes = changes;
    known->began = claim->began;
    known->outcome = claim->outcome;
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
    static const char silence[] = "no answer for ";
    if (view->dated) {
        claim.began = view->started.ns - BASE;
        claim.made = claim.began + view->took.ms * MS;
        claim.asked = view->took.ms > 0;
    } else if (strncmp(view->judgement.reason, silence, sizeof silence - 1) == 0) {
        claim.began =
            simulation->now - strtoll(view->judgement.reason + sizeof silence - 1, NULL, 10) * MS;
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

// We only lacked the CPU, and have been asked again since then, early enough.
static bool promise_had_time_again(const struct request *request, const struct check *check,
                                   int64_t longest)
{
    struct simulation *simulation = request->simulation;
    const struct story *story = simulation->story;
    const struct check_record *known =
        promise_check_record(simulation, check->sql, request->config->target_digest,
                             prober_names[promise_index_of(check)]);
    for (size_t i = 0; i < story->count; i++) {
        const struct item *item = &story->items[i];
        bool cpu = story_item_is_shortage(item->kind) || item->kind == ITEM_STALL;
        if (story_item_is_own(item->kind) && !cpu && item->at <= simulation->now &&
            story_item_end(item) >= request->asked - longest - 60 * SECOND)
            return false;
    }
    for (size_t i = 0; i < simulation->record_count; i++) {
        const struct prober_record *record = simulation->records[i];
        if (record->current && record->failures > 0 && strcmp(record->name, check->prober) == 0)
            return false;
    }
    return known->calm > 0 && request->asked >= known->calm + longest + 3 * SECOND &&
           !simulation_had_own_trouble(simulation, known->calm - 3 * SECOND, simulation->now);
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
    // Two checks hold each other back, also for a while when one of them has gone.
    bool alone = count == 1 && simulation->adapter.changed < since - 30 * SECOND;
    bool silent = simulation->server.silent_since < since ||
                  (alone && simulation->server.query_silent_since < since &&
                   views[0].judgement.outcome != OUTCOME_SKIPPED &&
                   views[0].judgement.outcome != OUTCOME_DENIED); // a secret is refused for long
    bool calm = !simulation_had_own_trouble(simulation, since - 15 * SECOND, simulation->now);
    for (size_t i = 0, again = 0; !calm && i < count; i++) {
        again += promise_had_time_again(request, views[i].check, longest);
        calm = again == count;
    }
    return silent && calm && !simulation->ending && simulation->adapter.changed < since &&
           !promise_had_other_faults(simulation, since - 15 * SECOND);
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

static void promise_on_period(struct simulation *simulation, const struct check *check)
{
    const struct check_record *known = promise_check_record(
        simulation, check->sql, simulation->adapter.target, prober_names[promise_index_of(check)]);
    bool runs = check->every.ms > 0 && check->broken == NULL && check->range.bound_count == 0;
    int64_t latest = known->latest != NULL ? known->latest->sent : 0;
    if (runs && latest < simulation->now - check->every.ms * MS - 2 * SECOND)
        promise_broken(simulation, "a check with a period runs at it", "%s has not", check->name);
}

static void promise_on_endpoint(const struct request *request, const struct check_view *views,
                                size_t count)
{
    struct simulation *simulation = request->simulation;
    struct circumstances circumstances = {.draining = simulation->adapter.draining_since > 0,
                                          .young = simulation->now - simulation->adapter.started <
                                                   YOUNG};
    bool passes = endpoint_passes(request->rule, views, NULL, count, &circumstances);
    bool calm = promise_is_calm(simulation, request->asked - CALM);
    bool fails = false;
    for (size_t i = 0; i < count; i++) {
        enum verdict verdict = views[i].judgement.verdict;
        fails |= verdict == VERDICT_FAIL;
        if (calm)
            promise_on_period(simulation, views[i].check);
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
        promise_judge_change(&claim);
    }
    if (!simulation->failed)
        promise_on_endpoint(request, views, count);
}

// There is no other check that could say that this server is fit for anything.
void promise_on_answer_of_peers(const struct request *request, const struct check_view *views,
                                size_t count)
{
    const struct circumstances circumstances = {0};
    if (endpoint_passes(request->rule, views, NULL, count, &circumstances))
        promise_broken(request->simulation, "an endpoint says what its checks say",
                       "/%s passes for its peers alone", request->name);
}
