// See scheduler.h. A result is judged once, when it arrives. Its age is computed when it is used,
// from the start of its run: no timer has to expire anything, so none can fail to.
//
// One scheduler outlives all configurations. What is known of a check, and the prober that runs it,
// go over from one to the next if both are the same there. What is not is retired: requests that
// wait for it get their answer from it. It goes when nobody waits for it any more and it does not
// run, or with its prober, which ends when nobody waits for anything there.
#include "server/probing/scheduler.h"

#include "common/memory.h"
#include "server/base/container_of.h"
#include "server/base/log.h"
#include "server/base/wall_time.h"
#include "server/check/numbers.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// One check that a waiter needs.
struct need {
    TAILQ_ENTRY(need) entry; // in the check's list, while waiting
    struct waiter *waiter;
    struct check_state *state;
    enum { NEED_MET, NEED_WAITING, NEED_DELIVERED } progress;
};

TAILQ_HEAD(need_list, need);
TAILQ_HEAD(waiter_list, waiter);

// A request that waits for results.
struct waiter {
    TAILQ_ENTRY(waiter) entry; // in the scheduler's list, while waiting
    struct instant asked;
    struct alarm deadline;
    struct scheduler *scheduler;
    scheduler_ready *ready;
    void *context;
    size_t missing; // needs that are waiting
    bool asking;    // results that come at once are not yet to be acted on
    size_t count;
    struct need needs[];
};

// What is known of a check.
struct check_state {
    struct job job;
    TAILQ_ENTRY(check_state) entry; // in the list of the retired
    struct scheduler *scheduler;
    struct check *check; // held
    struct check_statistics *statistics;
    struct prober *prober;
    bool retired;
    bool known; // the fields below are of a result
    struct judgement judgement;
    bool superuser; // the probe user is one
    struct instant started;
    struct instant ended;
    char *message;           // the driver's words; NULL if it passed
    struct result *result;   // of a check with params, for requests that override one; else NULL
    struct result *numbers;  // of a run that went well, for /metrics; NULL: none
    struct result *seen;     // likewise, for the page
    struct rows *rows;       // instead of the two, of a check that looks at each row
    struct streaks *streaks; // of its rules
    struct need_list waiting;
    size_t needs;       // of requests that wait, whether for this check or for others
    struct alarm every; // set only if the check has a period
};

TAILQ_HEAD(state_list, check_state);

struct scheduler {
    struct platform *platform;
    struct config *config;
    struct duration deadline; // of a request
    struct statistics *statistics;
    struct prober **probers;     // in the order of config->probers
    struct refusal *refusal;     // what they share; another one for another target
    struct check_state **states; // in the order of config->checks
    struct state_list retired;
    struct prober **leavers; // probers that no check of the configuration has any more
    size_t leaver_count;
    struct waiter_list waiters;
    uint64_t changes; // see scheduler_changes
    bool one_by_one;  // see scheduler_log_in_one_by_one; there is no result yet
};

static void scheduler_finish(struct waiter *waiter);

static struct instant scheduler_now(const struct scheduler *scheduler)
{
    return platform_now(scheduler->platform);
}

// --- results

// A result that says nothing of the server's own words may be served for the default time only,
// however long the check's period is: a check that runs once an hour must not say for an hour that
// the server, or our own prober, was not up yet. What was too large for us will be so again.
static struct duration scheduler_cache_of(const struct check_state *state)
{
    struct duration own = state->check->cache;
    struct duration common = state->scheduler->config->settings.cache;
    enum outcome outcome = state->judgement.outcome;
    enum outcome_group group = outcome_info(outcome)->group;
    bool answered = group == GROUP_ANSWERED || group == GROUP_NONE || outcome == OUTCOME_TOO_LARGE;
    return answered || own.ms < common.ms ? own : common;
}

static bool scheduler_is_fresh(const struct check_state *state, struct instant now)
{
    return state->known && now.ns - state->started.ns <= scheduler_cache_of(state).ms * 1000000;
}

// One line a transition, never one a probe.
static void scheduler_log_transition(const struct check_state *state,
                                     const struct judgement *judgement, const struct probe *probe)
{
    enum verdict before = state->known ? state->judgement.verdict : VERDICT_UNKNOWN;
    bool same = state->known && before == judgement->verdict &&
                state->judgement.outcome == judgement->outcome;
    if (same)
        return;
    bool well = judgement->verdict == VERDICT_PASS || judgement->verdict == VERDICT_SKIPPED;
    bool postgres = state->scheduler->config->engine == ENGINE_POSTGRES;
    const struct outcome_info *info = outcome_info(judgement->outcome);
    LOG_EVENT(well ? LOG_INFO : LOG_WARN, "check changed", LOG_TEXT("check", state->check->name),
              LOG_TEXT("from", verdict_name(before)),
              LOG_TEXT("to", verdict_name(judgement->verdict)),
              LOG_TEXT("outcome", outcome_info(judgement->outcome)->code),
              LOG_TEXT(postgres ? "sqlstate" : "errno", probe->code),
              LOG_TEXT("stage", verb_name(probe->stage)),
              LOG_NUMBER("duration_ms", instant_since(probe->started, probe->ended).ms),
              LOG_TEXT("reason", judgement->reason), LOG_TEXT("message", probe->message),
              LOG_TEXT("meaning", well ? "" : info->sentence), LOG_TEXT("advice", info->advice));
}

static void scheduler_add_silence(struct judgement *judgement, const struct probe *probe)
{
    long long silent = probe->silent.ms, held = probe->held.ms;
    if (silent == 0 && held == 0)
        return;
    struct text reason = text_in(judgement->reason, sizeof judgement->reason);
    text_addf(&reason, "%sno answer for %lld.%lld s", held > 0 ? "held back after " : "",
              silent / 1000, silent / 100 % 10);
    if (held > 0)
        text_addf(&reason, "; next run in %lld.%lld s", held / 1000, held / 100 % 10);
}

// It was not run, for the server is none of those that the file names.
static void scheduler_add_range(const struct check_state *state, struct judgement *judgement)
{
    struct server_seen server = prober_server(state->prober);
    struct text reason = text_in(judgement->reason, sizeof judgement->reason);
    range_explain(&state->check->range, server.flavor, server.version, &reason);
}

// How long the server has refused the secret, and what it said then, if it was not asked again.
// With the secret before it a check may still pass, but whoever changed it should know.
static void scheduler_add_refusal(const struct refusal *refusal, struct judgement *judgement,
                                  struct probe *probe)
{
    bool told = probe->outcome == refusal_outcome(refusal) && probe->stage == VERB_OPEN;
    bool over = refusal->secret == 0; // another prober's open was accepted meanwhile
    if (over || (!told && judgement->verdict != VERDICT_PASS))
        return;
    struct text reason = text_in(judgement->reason, sizeof judgement->reason);
    if (!told) {
        judgement->verdict = VERDICT_WARN;
        text_add(&reason, "logged in with the secret before the present one, which is ");
    }
    text_add(&reason, probe->outcome == OUTCOME_DENIED ? "denied " : "refused ");
    refusal_describe(refusal, probe->ended, &reason);
    if (told && probe->code[0] != '\0')
        return;
    probe->code = refusal->code;
    probe->message = refusal->message;
}

static void scheduler_deliver(struct check_state *state)
{
    struct need_list arrived = TAILQ_HEAD_INITIALIZER(arrived);
    TAILQ_CONCAT(&arrived, &state->waiting, entry);
    struct need *need;
    while ((need = TAILQ_FIRST(&arrived)) != NULL) {
        TAILQ_REMOVE(&arrived, need, entry);
        need->progress = NEED_DELIVERED;
        need->waiter->missing--;
        if (need->waiter->missing == 0 && !need->waiter->asking)
            scheduler_finish(need->waiter);
    }
}

static void scheduler_keep_message(struct check_state *state, const struct probe *probe)
{
    free(state->message);
    bool passed = state->judgement.verdict == VERDICT_PASS;
    state->message = passed ? NULL : memory_string(probe->message);
}

static void scheduler_keep_result(struct check_state *state, struct probe *probe)
{
    result_free(state->result);
    result_free(state->numbers);
    result_free(state->seen);
    rows_free(state->rows);
    state->result = NULL;
    state->numbers = NULL;
    state->seen = seen_of(state->check, probe->result);
    state->rows = rows_of(state->check, probe->result, state->streaks);
    if (state->judgement.verdict != VERDICT_SKIPPED && !state->check->each_row)
        state->numbers = numbers_of(state->check, probe->result);
    if (state->check->params.count == 0)
        return;
    state->result = probe->result;
    probe->result = NULL;
}

// What the query gave, line by line, and what of it could not be kept.
static void scheduler_log_rows(const struct check *check, const struct result *result)
{
    for (uint32_t i = 0; i < result->kept_rows; i++)
        log_row(check->name, result, i);
    if (result->row_count > result->kept_rows)
        LOG_EVENT(LOG_WARN, "rows left out", LOG_TEXT("check", check->name),
                  LOG_NUMBER("rows", (int64_t)(result->row_count - result->kept_rows)));
}

static void scheduler_count(const struct check_state *state, const struct probe *probe)
{
    struct check_statistics *statistics = state->statistics;
    enum verdict verdict = state->judgement.verdict;
    statistics->outcomes[state->judgement.outcome]++;
    if (!probe->unasked)
        check_statistics_add_run(statistics, probe->ended.ns - probe->started.ns);
    if (verdict == VERDICT_PASS || verdict == VERDICT_WARN)
        statistics->last_success_ms = wall_time_ms(probe->started);
    struct arrival arrival = {.came = probe->ended,
                              .took_ns = probe->unasked ? 0 : probe->ended.ns - probe->started.ns,
                              .judgement = state->judgement,
                              .held_until = instant_add(probe->started, scheduler_cache_of(state))};
    history_add(&statistics->history, &arrival);
}

static void scheduler_log(const struct check_state *state, const struct judgement *judgement,
                          const struct probe *probe)
{
    if (state->check->log_rows && probe->result != NULL)
        scheduler_log_rows(state->check, probe->result);
    scheduler_log_transition(state, judgement, probe);
}

static struct judgement scheduler_judge(struct check_state *state, struct probe *probe)
{
    struct judgement judgement =
        judge_next(state->check, probe->outcome, probe->result, probe->ended, state->streaks);
    if (probe->outcome == OUTCOME_SKIPPED)
        scheduler_add_range(state, &judgement);
    scheduler_add_silence(&judgement, probe);
    if (probe->refused)
        scheduler_add_refusal(prober_refusal(state->prober), &judgement, probe);
    if (probe->superuser)
        judgement_warn_of_superuser(&judgement);
    return judgement;
}

// What a retired one comes to is for who waits for it: log, counters and history go by a name that
// is its successor's by now, perhaps on another server.
static void scheduler_take_probe(struct check_state *state, struct probe *probe)
{
    struct judgement judgement = scheduler_judge(state, probe);
    if (!state->retired)
        scheduler_log(state, &judgement, probe);
    state->scheduler->changes++;
    state->scheduler->one_by_one &= probe->unasked;
    state->known = true;
    state->judgement = judgement;
    state->superuser = probe->superuser;
    state->started = probe->started;
    state->ended = probe->ended;
    if (!state->retired)
        scheduler_count(state, probe);
    scheduler_keep_message(state, probe);
    scheduler_keep_result(state, probe);
    scheduler_deliver(state);
}

static void scheduler_on_done(void *context, struct job *job, struct probe *probe)
{
    (void)context;
    scheduler_take_probe(CONTAINER_OF(job, struct check_state, job), probe);
}

static void scheduler_want(struct check_state *state, bool requested)
{
    if (state->check->broken == NULL) {
        prober_want(state->prober, &state->job, requested);
        return;
    }
    struct instant now = scheduler_now(state->scheduler);
    struct probe probe = {.outcome = OUTCOME_CONFIG,
                          .stage = VERB_OPEN,
                          .code = "",
                          .message = state->check->broken,
                          .unasked = true,
                          .started = now,
                          .ended = now};
    scheduler_take_probe(state, &probe);
}

// --- waiters

static struct check_view scheduler_view_of_result(const struct check_state *state)
{
    return (struct check_view){.check = state->check,
                               .judgement = state->judgement,
                               .dated = true,
                               .started = state->started,
                               .fresh_until =
                                   instant_add(state->started, scheduler_cache_of(state)),
                               .took = instant_since(state->started, state->ended),
                               .message = state->message != NULL ? state->message : "",
                               .superuser = state->superuser,
                               .result = state->result,
                               .numbers = state->numbers,
                               .seen = state->seen,
                               .rows = state->rows,
                               .streaks = state->streaks,
                               .statistics = state->statistics};
}

// A run that has only just begun when the request must be answered, behind others or after a stall
// of ours, says nothing of the server yet.
static bool scheduler_has_barely_begun(const struct check_state *state, struct duration ran)
{
    int64_t limit = state->check->timeout.ms;
    int64_t deadline = state->scheduler->deadline.ms;
    return 2 * ran.ms < (limit < deadline ? limit : deadline);
}

static struct check_view scheduler_view_of_nothing(const struct check_state *state,
                                                   enum outcome outcome)
{
    return (struct check_view){.check = state->check,
                               .statistics = state->statistics,
                               .message = "",
                               .judgement = judge(state->check, outcome, NULL, NULL, NULL)};
}

// For this answer alone: the run goes on to its own end.
static struct check_view scheduler_view_of_unfinished(const struct check_state *state)
{
    struct unfinished unfinished = prober_explain(state->prober, &state->job);
    bool silent = unfinished.outcome == OUTCOME_TIMEOUT || unfinished.outcome == OUTCOME_CRASHED ||
                  unfinished.outcome == OUTCOME_STARVED; // as one that is just being started
    bool barely = silent && scheduler_has_barely_begun(state, unfinished.ran);
    if (barely)
        unfinished.outcome = OUTCOME_UNKNOWN;
    struct check_view view = scheduler_view_of_nothing(state, unfinished.outcome);
    struct text reason = text_in(view.judgement.reason, sizeof view.judgement.reason);
    if (unfinished.outcome != OUTCOME_UNKNOWN)
        text_addf(&reason, "no answer for %lld ms", (long long)unfinished.ran.ms);
    else if (barely)
        text_addf(&reason, "begun %lld ms ago", (long long)unfinished.ran.ms);
    else if (unfinished.ahead != NULL)
        text_addf(&reason, "not reached: %s ran %lld ms", unfinished.ahead->name,
                  (long long)unfinished.ran.ms);
    else
        text_add(&reason, "not reached");
    return view;
}

// It was young when the request came, and there has been no time for another.
static struct check_view scheduler_view_of_aged(const struct check_state *state)
{
    struct check_view view = scheduler_view_of_nothing(state, OUTCOME_UNKNOWN);
    (void)snprintf(view.judgement.reason, sizeof view.judgement.reason,
                   "what was known has become too old");
    return view;
}

static struct check_view scheduler_view_of(const struct need *need, struct instant now)
{
    bool came_meanwhile = !instant_before(need->state->ended, need->waiter->asked);
    bool aged =
        need->progress == NEED_MET && !scheduler_is_fresh(need->state, now) && !came_meanwhile;
    bool runs = need->state->job.place != JOB_IDLE; // for this request or for another
    if (need->progress == NEED_WAITING || (aged && runs))
        return scheduler_view_of_unfinished(need->state);
    return aged ? scheduler_view_of_aged(need->state) : scheduler_view_of_result(need->state);
}

static void scheduler_answer(struct waiter *waiter)
{
    struct check_view *views = memory_new((waiter->count + 1) * sizeof *views);
    struct instant now = scheduler_now(waiter->scheduler);
    for (size_t i = 0; i < waiter->count; i++)
        views[i] = scheduler_view_of(&waiter->needs[i], now);
    waiter->ready(waiter->context, views, waiter->count);
    free(views);
}

static void scheduler_stop_waiting(struct need *need)
{
    struct check_state *state = need->state;
    TAILQ_REMOVE(&state->waiting, need, entry);
    if (TAILQ_EMPTY(&state->waiting))
        prober_release(state->prober, &state->job);
}

static void scheduler_end_waiter(struct waiter *waiter)
{
    struct scheduler *scheduler = waiter->scheduler;
    platform_clear_alarm(scheduler->platform, &waiter->deadline);
    TAILQ_REMOVE(&scheduler->waiters, waiter, entry);
    scheduler_answer(waiter);
    for (size_t i = 0; i < waiter->count; i++) {
        struct need *need = &waiter->needs[i];
        if (need->progress == NEED_WAITING)
            scheduler_stop_waiting(need);
        need->state->needs--;
    }
    free(waiter);
}

static void scheduler_count_uses(const struct waiter *waiter)
{
    for (size_t i = 0; i < waiter->count; i++) {
        const struct check_state *state = waiter->needs[i].state;
        enum cache_use use = CACHE_MISS;
        if (scheduler_is_fresh(state, scheduler_now(waiter->scheduler)))
            use = CACHE_HIT;
        else if (state->job.place != JOB_IDLE)
            use = CACHE_JOIN;
        waiter->scheduler->statistics->cache_uses[use]++;
    }
}

// Asks for all that is not there or has become too old, each at most once a request.
static void scheduler_ask_for_missing(struct waiter *waiter)
{
    waiter->asking = true;
    for (size_t i = 0; i < waiter->count; i++) {
        struct need *need = &waiter->needs[i];
        if (need->progress != NEED_MET ||
            scheduler_is_fresh(need->state, scheduler_now(waiter->scheduler)))
            continue;
        need->progress = NEED_WAITING;
        TAILQ_INSERT_TAIL(&need->state->waiting, need, entry);
        waiter->missing++;
        scheduler_want(need->state, true);
    }
    waiter->asking = false;
}

// A result that was young when the request came may have aged while it waited for another.
static void scheduler_finish(struct waiter *waiter)
{
    scheduler_ask_for_missing(waiter);
    if (waiter->missing == 0)
        scheduler_end_waiter(waiter);
}

// An answer that is there counts, however late we look.
static void scheduler_on_deadline(struct alarm *alarm)
{
    struct waiter *waiter = CONTAINER_OF(alarm, struct waiter, deadline);
    waiter->asking = true;
    for (size_t i = 0; i < waiter->count; i++)
        prober_look(waiter->needs[i].state->prober);
    scheduler_end_waiter(waiter);
}

void scheduler_ask(struct scheduler *scheduler, const size_t *checks, size_t count,
                   scheduler_ready *ready, void *context)
{
    struct waiter *waiter = memory_new(sizeof *waiter + count * sizeof *waiter->needs);
    waiter->scheduler = scheduler;
    waiter->asked = scheduler_now(scheduler);
    waiter->deadline.ring = scheduler_on_deadline;
    waiter->ready = ready;
    waiter->context = context;
    waiter->count = count;
    for (size_t i = 0; i < count; i++)
        waiter->needs[i] = (struct need){.waiter = waiter, .state = scheduler->states[checks[i]]};
    for (size_t i = 0; i < count; i++)
        waiter->needs[i].state->needs++;
    TAILQ_INSERT_TAIL(&scheduler->waiters, waiter, entry);
    scheduler_count_uses(waiter);
    scheduler_ask_for_missing(waiter);
    if (waiter->missing == 0)
        scheduler_end_waiter(waiter);
    else
        platform_set_alarm(scheduler->platform, &waiter->deadline,
                           instant_add(waiter->asked, scheduler->deadline));
}

// --- background

static void scheduler_set_every(struct check_state *state, struct duration wait)
{
    struct scheduler *scheduler = state->scheduler;
    platform_set_alarm(scheduler->platform, &state->every,
                       instant_add(scheduler_now(scheduler), wait));
}

static void scheduler_on_every(struct alarm *alarm)
{
    struct check_state *state = CONTAINER_OF(alarm, struct check_state, every);
    scheduler_set_every(state, state->check->every);
    scheduler_want(state, false);
}

void scheduler_refresh_liveness(struct scheduler *scheduler)
{
    const struct endpoint *healthz = config_endpoint(scheduler->config, "healthz");
    for (size_t i = 0; i < healthz->count; i++)
        scheduler_want(scheduler->states[healthz->checks[i]], false);
}

bool scheduler_server_is_gone(const struct scheduler *scheduler, struct instant after)
{
    for (size_t i = 0; i < scheduler->config->check_count; i++) {
        const struct check_state *state = scheduler->states[i];
        enum outcome outcome = state->judgement.outcome;
        bool gone = outcome == OUTCOME_REFUSED || outcome == OUTCOME_UNREACHABLE;
        if (state->known && gone && instant_before(after, state->started))
            return true;
    }
    return false;
}

// --- states

static struct check_state *scheduler_new_state(struct scheduler *scheduler, struct check *check,
                                               struct prober *prober)
{
    struct check_state *state = memory_new(sizeof *state);
    state->scheduler = scheduler;
    state->check = check_hold(check);
    state->statistics = statistics_check(scheduler->statistics, check->name);
    state->streaks = streaks_new(check);
    state->job.check = check;
    state->prober = prober;
    state->every.ring = scheduler_on_every;
    TAILQ_INIT(&state->waiting);
    if (check->every.ms > 0)
        scheduler_set_every(state, (struct duration){.ms = 0});
    return state;
}

static void scheduler_free_state(struct check_state *state)
{
    result_free(state->result);
    result_free(state->numbers);
    result_free(state->seen);
    rows_free(state->rows);
    free(state->streaks);
    free(state->message);
    check_free(state->check);
    free(state);
}

// --- retired

static void scheduler_retire_state(struct scheduler *scheduler, struct check_state *state)
{
    platform_clear_alarm(scheduler->platform, &state->every);
    state->retired = true;
    TAILQ_INSERT_TAIL(&scheduler->retired, state, entry);
}

static void scheduler_retire_prober(struct scheduler *scheduler, struct prober *prober)
{
    size_t size = (scheduler->leaver_count + 1) * sizeof(struct prober *);
    scheduler->leavers = memory_grow(scheduler->leavers, size);
    scheduler->leavers[scheduler->leaver_count++] = prober;
}

static bool scheduler_is_needed(const struct scheduler *scheduler, const struct prober *prober)
{
    const struct check_state *state;
    TAILQ_FOREACH(state, &scheduler->retired, entry) {
        if (state->prober == prober && state->needs > 0)
            return true;
    }
    return false;
}

static void scheduler_forget_retired(struct scheduler *scheduler, struct check_state *state)
{
    TAILQ_REMOVE(&scheduler->retired, state, entry);
    scheduler_free_state(state);
}

// Also in the midst of a run, which is for nobody by now. All of its checks are retired.
static void scheduler_end_leaver(struct scheduler *scheduler, size_t index)
{
    struct prober *leaver = scheduler->leavers[index];
    scheduler->leavers[index] = scheduler->leavers[--scheduler->leaver_count];
    prober_end(leaver);
    struct check_state *state = TAILQ_FIRST(&scheduler->retired);
    while (state != NULL) {
        struct check_state *next = TAILQ_NEXT(state, entry);
        if (state->prober == leaver)
            scheduler_forget_retired(scheduler, state);
        state = next;
    }
}

// Not from within scheduler_on_done: the loops of prober.c that tell the jobs of a batch hold on to
// the next one, which may be dropped and freed here, as may the prober.
static void scheduler_sweep(struct scheduler *scheduler)
{
    for (size_t i = scheduler->leaver_count; i-- > 0;) {
        if (!scheduler_is_needed(scheduler, scheduler->leavers[i]))
            scheduler_end_leaver(scheduler, i);
    }
    struct check_state *state = TAILQ_FIRST(&scheduler->retired);
    while (state != NULL) {
        struct check_state *next = TAILQ_NEXT(state, entry);
        if (state->needs == 0 && prober_drop(state->prober, &state->job))
            scheduler_forget_retired(scheduler, state);
        state = next;
    }
}

// What was asked for meanwhile is started together.
static void scheduler_before_wait(void *context)
{
    struct scheduler *scheduler = context;
    scheduler_sweep(scheduler);
    for (size_t i = 0; i < scheduler->config->probers.count; i++) {
        prober_start_batch(scheduler->probers[i]);
        if (scheduler->one_by_one && prober_is_opening(scheduler->probers[i]))
            return;
    }
    for (size_t i = 0; i < scheduler->leaver_count; i++)
        prober_start_batch(scheduler->leavers[i]);
}

// --- life

static struct prober *scheduler_prober_of(struct scheduler *scheduler, const struct check *check)
{
    size_t i = 0;
    while (strcmp(scheduler->config->probers.items[i], check->prober) != 0)
        i++;
    return scheduler->probers[i];
}

static bool scheduler_asks_peers(const char *prober)
{
    return strcmp(prober, check_prober_of_peers) == 0;
}

static struct prober *scheduler_start_prober(struct scheduler *scheduler, const char *name)
{
    const struct config *config = scheduler->config;
    bool peers = scheduler_asks_peers(name);
    struct refusal *refusal = peers ? refusal_new() : refusal_hold(scheduler->refusal);
    struct prober_setup setup = {.platform = scheduler->platform,
                                 .engine = peers ? ENGINE_PEERS : config->engine,
                                 .keeps = !peers && words_have(&config->settings.keep, name),
                                 .statistics = statistics_prober(scheduler->statistics, name),
                                 .refusal = refusal,
                                 .done = scheduler_on_done,
                                 .context = scheduler};
    struct prober *prober = prober_new(&setup);
    refusal_release(refusal);
    return prober;
}

// What a configuration has, or had.
struct holding {
    const struct config *config;
    struct prober **probers;
    struct check_state **states;
};

// Takes the prober of this name out of what was there; NULL if there is none.
static struct prober *scheduler_take_prober(const struct holding *before, const char *name)
{
    for (size_t i = 0; i < before->config->probers.count; i++) {
        if (before->probers[i] != NULL && strcmp(before->config->probers.items[i], name) == 0) {
            struct prober *prober = before->probers[i];
            before->probers[i] = NULL;
            return prober;
        }
    }
    return NULL;
}

// Likewise what is known of this check.
static struct check_state *scheduler_take_state(const struct holding *before,
                                                const struct check *check)
{
    for (size_t i = 0; i < before->config->check_count; i++) {
        if (before->states[i] != NULL && before->states[i]->check == check) {
            struct check_state *state = before->states[i];
            before->states[i] = NULL;
            return state;
        }
    }
    return NULL;
}

// What is known of this check; of one that is new or has changed, how long rules have held that it
// had before.
static struct check_state *scheduler_have_state(struct scheduler *scheduler,
                                                const struct holding *before, struct check *check)
{
    struct check_state *state = scheduler_take_state(before, check);
    if (state != NULL)
        return state;
    state = scheduler_new_state(scheduler, check, scheduler_prober_of(scheduler, check));
    for (size_t i = 0; i < before->config->check_count; i++) {
        const struct check_state *earlier = before->states[i];
        if (earlier != NULL && strcmp(earlier->check->name, check->name) == 0)
            streaks_take_over(state->streaks, check, earlier->streaks, earlier->check);
    }
    return state;
}

// Those who ask the server before go on with theirs.
static void scheduler_change_refusal(struct scheduler *scheduler)
{
    refusal_release(scheduler->refusal);
    scheduler->refusal = refusal_new();
}

// Makes what the scheduler's configuration needs and what was there before has not.
static void scheduler_fill(struct scheduler *scheduler, const struct holding *before)
{
    const struct config *config = scheduler->config;
    bool goes_on = before->config->target_digest == config->target_digest;
    if (!goes_on)
        scheduler_change_refusal(scheduler);
    scheduler->probers = memory_new((config->probers.count + 1) * sizeof(struct prober *));
    scheduler->states = memory_new((config->check_count + 1) * sizeof(struct check_state *));
    for (size_t i = 0; i < config->probers.count; i++) {
        const char *name = config->probers.items[i];
        struct prober *prober = goes_on ? scheduler_take_prober(before, name) : NULL;
        scheduler->probers[i] = prober != NULL ? prober : scheduler_start_prober(scheduler, name);
    }
    for (size_t i = 0; i < config->check_count; i++) {
        struct check *check = config->checks[i];
        scheduler->states[i] =
            goes_on ? scheduler_have_state(scheduler, before, check)
                    : scheduler_new_state(scheduler, check, scheduler_prober_of(scheduler, check));
    }
}

struct scheduler *scheduler_new(struct platform *platform, struct config *config,
                                struct duration deadline, struct statistics *statistics)
{
    static const struct config none = {0};
    const struct holding nothing = {.config = &none};
    struct scheduler *scheduler = memory_new(sizeof *scheduler);
    scheduler->platform = platform;
    scheduler->config = config_hold(config);
    scheduler->deadline = deadline;
    scheduler->refusal = refusal_new();
    scheduler->statistics = statistics;
    TAILQ_INIT(&scheduler->retired);
    TAILQ_INIT(&scheduler->waiters);
    platform_call_before_wait(platform, scheduler_before_wait, scheduler);
    scheduler_fill(scheduler, &nothing);
    return scheduler;
}

void scheduler_log_in_one_by_one(struct scheduler *scheduler)
{
    scheduler->one_by_one = true;
}

void scheduler_reload(struct scheduler *scheduler, struct config *config)
{
    struct config *earlier = scheduler->config;
    const struct holding before = {
        .config = earlier, .probers = scheduler->probers, .states = scheduler->states};
    scheduler->config = config_hold(config);
    scheduler->changes++;
    scheduler_fill(scheduler, &before);
    for (size_t i = 0; i < earlier->check_count; i++) {
        if (before.states[i] != NULL)
            scheduler_retire_state(scheduler, before.states[i]);
    }
    for (size_t i = 0; i < earlier->probers.count; i++) {
        if (before.probers[i] != NULL)
            scheduler_retire_prober(scheduler, before.probers[i]);
    }
    free(before.states);
    free(before.probers);
    config_release(earlier);
}

// With the probers goes all that runs, so nothing has to be waited for.
static void scheduler_end_all(struct scheduler *scheduler)
{
    for (size_t i = 0; i < scheduler->config->check_count; i++)
        scheduler_retire_state(scheduler, scheduler->states[i]);
    for (size_t i = 0; i < scheduler->config->probers.count; i++)
        scheduler_retire_prober(scheduler, scheduler->probers[i]);
    while (scheduler->leaver_count > 0)
        scheduler_end_leaver(scheduler, scheduler->leaver_count - 1);
    assert(TAILQ_EMPTY(&scheduler->retired));
}

void scheduler_end(struct scheduler *scheduler)
{
    struct waiter *waiter = TAILQ_FIRST(&scheduler->waiters);
    while (waiter != NULL) {
        struct waiter *next = TAILQ_NEXT(waiter, entry);
        scheduler_end_waiter(waiter);
        waiter = next;
    }
    assert(TAILQ_EMPTY(&scheduler->waiters)); // nobody asks anew
    scheduler_end_all(scheduler);
    free(scheduler->probers);
    free(scheduler->states);
    free(scheduler->leavers);
    platform_call_before_wait(scheduler->platform, NULL, NULL);
    refusal_release(scheduler->refusal);
    config_release(scheduler->config);
    free(scheduler);
}

uint64_t scheduler_changes(const struct scheduler *scheduler)
{
    return scheduler->changes;
}

size_t scheduler_prober_count(const struct scheduler *scheduler)
{
    return scheduler->config->probers.count;
}

const struct prober *scheduler_prober(const struct scheduler *scheduler, size_t index)
{
    return scheduler->probers[index];
}

struct server_seen scheduler_server(const struct scheduler *scheduler)
{
    struct server_seen latest = {.flavor = FLAVOR_UNKNOWN};
    for (size_t i = 0; i < scheduler->config->probers.count; i++) {
        struct server_seen seen = prober_server(scheduler->probers[i]);
        if (!scheduler_asks_peers(prober_name(scheduler->probers[i])) &&
            instant_before(latest.opened, seen.opened))
            latest = seen;
    }
    return latest;
}
