// Prober processes: each is started, takes a call at a time, spends the CPU that a call needs
// before and after it is in the server's hands, and ends. Stopped, killed, or with little of the
// CPU, it is what it would be.
#include "simulation.h"

#include "common/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OPEN_COST = 3 * MS, RUN_COST = MS / 20, LONG_COST = 10 * MS, ANSWER_COST = MS / 10 };

typedef void process_step(struct simulation *simulation, void *subject, uint64_t mark);

// --- steps

// Events of this process that are still to come are void.
static void process_void_steps(struct prober_process *process)
{
    process->step++;
    process->deferred = NULL;
}

// A stopped process does it when it goes on.
static bool process_must_wait(struct prober_process *process, process_step *step, uint64_t mark)
{
    if (process->dead || process->step != mark)
        return true;
    if (process->stopped)
        process->deferred = step;
    return process->stopped;
}

static void process_end_phase(struct prober_process *process)
{
    process->cpu.used_ns += process->phase_cost;
    process->cpu.waited_ns += simulation_cpu_of(process->simulation, process->phase_began,
                                                process->phase_cost, process->simulation->now)
                                  .waited_ns;
    process->phase_cost = 0;
}

// Needs so much of the CPU, then does the step.
static void process_work(struct prober_process *process, int64_t cost, process_step *step)
{
    struct simulation *simulation = process->simulation;
    process->phase_began = simulation->now;
    process->phase_cost = cost;
    simulation_at(simulation, simulation_cpu_end(simulation, simulation->now, cost), step, process,
                  process->step);
}

static void process_note_held(struct prober_process *process)
{
    if (process->held_since == 0)
        return;
    process->held_ns += process->simulation->now - process->held_since;
    process->held_since = 0;
}

int64_t process_held_ns(const struct prober_process *process, int64_t at)
{
    int64_t now =
        process->held_since > 0 && at > process->held_since ? at - process->held_since : 0;
    return process->held_ns + now;
}

static void process_exit(struct prober_process *process)
{
    process_void_steps(process);
    process_note_held(process);
    process->dead = true;
    process->phase_cost = 0;
    process->session = false;
    process->simulation->readable |= process->owner != NULL;
}

// --- calls

static void process_on_asked(struct simulation *simulation, void *subject, uint64_t mark)
{
    struct prober_process *process = subject;
    if (process_must_wait(process, process_on_asked, mark))
        return;
    process_end_phase(process);
    if (process->crashes) {
        process_exit(process);
        return;
    }
    server_take(simulation, process->fact);
}

// Some statements are long, and some answers: a server proves that it knows the password, say.
static int64_t process_draw_cost(const struct prober_process *process, int64_t cost)
{
    struct chance *chance = &process->simulation->chance;
    return chance_once_in(chance, 8) ? chance_between(chance, cost, LONG_COST) : cost;
}

// Of asking.
static int64_t process_cost_of(const struct prober_process *process)
{
    bool opens = process->fact->call.verb == VERB_OPEN;
    return opens ? OPEN_COST : process_draw_cost(process, RUN_COST);
}

static void process_take_call(struct prober_process *process)
{
    if (process->fact == NULL || process->taken || !process->born || process->hangs_in_goodbye)
        return;
    process->taken = true;
    process->crashes = process->simulation->crashing > 0;
    if (!process->stopped) // what comes first of it tells the server
        process->fact->begun = process->simulation->now;
    process_work(process, process_cost_of(process), process_on_asked);
}

// Closing waits for nobody, or so it should.
static void process_say_goodbye(struct prober_process *process)
{
    const struct server *server = &process->simulation->server;
    bool silent = server->frozen > 0 || process->session_is_stopped;
    process->hangs_in_goodbye =
        silent && process->session && chance_once_in(&process->simulation->chance, 4);
    process->session = process->hangs_in_goodbye;
    if (process->hangs_in_goodbye)
        process->held_since = process->simulation->now;
    else if (process->ending)
        process_exit(process);
}

void process_go_on_after_goodbye(struct prober_process *process)
{
    process_note_held(process);
    process->hangs_in_goodbye = process->session = process->session_is_stopped = false;
    if (process->ending)
        process_exit(process);
    else
        process_take_call(process);
}

static void process_put_reply(struct prober_process *process, struct fact *fact)
{
    if (process->reply_count < sizeof process->replies / sizeof *process->replies)
        process->replies[process->reply_count++] = fact;
    fact->arrived = process->simulation->now;
    process->simulation->readable = true;
}

static void process_on_replied(struct simulation *simulation, void *subject, uint64_t mark)
{
    struct prober_process *process = subject;
    struct fact *fact = process->fact;
    if (process_must_wait(process, process_on_replied, mark))
        return;
    process_end_phase(process);
    process->fact = NULL;
    process->taken = false;
    process->babbles = simulation->babble > 0;
    process_put_reply(process, fact);
    bool closes = fact->call.verb == VERB_CLOSE || (fact->call.verb == VERB_RUN && fact->call.last);
    if (closes || process->ending)
        process_say_goodbye(process);
}

void process_answer(struct simulation *simulation, struct fact *fact)
{
    struct prober_process *process = fact->process;
    (void)simulation;
    process_note_held(process);
    process_work(process, process_draw_cost(process, ANSWER_COST), process_on_replied);
}

// --- births and deaths

static void process_on_born(struct simulation *simulation, void *subject, uint64_t mark)
{
    struct prober_process *process = subject;
    (void)simulation;
    if (process_must_wait(process, process_on_born, mark))
        return;
    process_end_phase(process);
    process->born = true;
    if (process->ending)
        process_exit(process);
    else
        process_take_call(process);
}

static void process_on_loaded(struct simulation *simulation, void *subject, uint64_t mark)
{
    struct prober_process *process = subject;
    if (process_must_wait(process, process_on_loaded, mark))
        return;
    process_work(process, chance_between(&simulation->chance, 500, 3000) * 1000, process_on_born);
}

// By the slowest of the items that go on.
static int64_t process_load_time(const struct simulation *simulation)
{
    const struct story *story = simulation->story;
    int64_t most = 0;
    for (size_t i = 0; i < story->count; i++) {
        const struct item *item = &story->items[i];
        bool goes_on = item->at <= simulation->now && simulation->now < item->at + item->lasts;
        if (item->kind == ITEM_SLOW_START && goes_on && item->a * MS > most)
            most = item->a * MS;
    }
    return most;
}

static struct prober_process *process_start(struct platform *platform, enum engine engine,
                                            const struct prober_process_events *events, void *owner,
                                            struct error *error)
{
    struct simulation *simulation = CONTAINER_OF(platform, struct simulation, platform);
    struct prober_process *process = memory_new(sizeof *process);
    (void)engine;
    *process = (struct prober_process){.simulation = simulation,
                                       .events = events,
                                       .owner = owner,
                                       .number = ++simulation->process_count};
    LIST_INSERT_HEAD(&simulation->processes, process, entry);
    promise_on_start(simulation, process);
    if (simulation->no_start > 0) {
        process->owner = NULL;
        process->dead = true;
        simulation_trace(simulation, "prober %s: cannot be started", process->record->name);
        promise_on_failure(simulation, process->record);
        (void)error_set(error, "there is no such program");
        return NULL;
    }
    process->record->process = process;
    simulation->adapter.counted[process->record->index].starts++;
    simulation_trace(simulation, "prober %s: process %u is started", process->record->name,
                     process->number);
    simulation_at(simulation, simulation->now + process_load_time(simulation), process_on_loaded,
                  process, 0);
    return process;
}

void process_stop_all(struct simulation *simulation, bool stopped)
{
    struct prober_process *process;
    LIST_FOREACH(process, &simulation->processes, entry)
    {
        if (process->dead || process->stopped == stopped)
            continue;
        process->stopped = stopped;
        process_step *deferred = process->deferred;
        process->deferred = NULL;
        if (!stopped && deferred != NULL)
            deferred(simulation, process, process->step);
    }
}

void process_kill_all(struct simulation *simulation)
{
    struct prober_process *process;
    LIST_FOREACH(process, &simulation->processes, entry)
    {
        if (!process->dead)
            process_exit(process);
    }
}

void process_free_all(struct simulation *simulation)
{
    struct process_list *const lists[] = {&simulation->processes, &simulation->buried};
    struct prober_process *process;
    for (size_t i = 0; i < 2; i++) {
        while ((process = LIST_FIRST(lists[i])) != NULL) {
            LIST_REMOVE(process, entry);
            free(process);
        }
    }
}

// --- what the owner does with it

static struct fact *process_new_fact(struct prober_process *process, const struct call *call)
{
    struct simulation *simulation = process->simulation;
    if (simulation->fact_count == simulation->fact_room) {
        simulation->fact_room = 2 * simulation->fact_room + 64;
        simulation->facts =
            memory_grow(simulation->facts, simulation->fact_room * sizeof(struct fact *));
    }
    struct fact *fact = memory_new(sizeof *fact);
    *fact = (struct fact){.id = (uint32_t)simulation->fact_count,
                          .process = process,
                          .record = process->record,
                          .call = *call,
                          .sent = simulation->now};
    fact->call.sql = NULL;
    if (call->verb == VERB_RUN) {
        fact->text = call->sql;
        (void)snprintf(fact->sql, sizeof fact->sql, "%s", call->sql);
    }
    simulation->facts[simulation->fact_count++] = fact;
    return fact;
}

static bool process_send(struct prober_process *process, const struct call *call)
{
    struct simulation *simulation = process->simulation;
    struct fact *fact = process_new_fact(process, call);
    simulation_trace(simulation, "prober %s: %s %s, within %lld ms", process->record->name,
                     verb_name(call->verb), fact->sql,
                     (long long)((call->deadline.ns - BASE - simulation->now + MS - 1) / MS));
    if (process->dead) {
        promise_on_failure(simulation, process->record);
        return false;
    }
    promise_on_call(simulation, fact);
    fact->behind_goodbye = process->hangs_in_goodbye;
    fact->was_dead = process->session && process->session_is_dead;
    process->fact = fact;
    process->taken = false;
    process_take_call(process);
    return true;
}

static struct result *process_rows_of(const struct fact *fact)
{
    char id[16], value[16];
    struct result *result = result_new();
    (void)snprintf(id, sizeof id, "f%u", fact->id);
    (void)snprintf(value, sizeof value, "%lld", (long long)fact->value);
    result_add_column(result, "v");
    result_add_column(result, id);
    result->row_count = fact->rows;
    if (fact->rows && result_add_value(result, VALUE_NUMBER, value, strlen(value)))
        (void)result_add_value(result, VALUE_NUMBER, "1", 1);
    return result;
}

static struct reply process_reply_of(struct prober_process *process, const struct fact *fact)
{
    struct reply reply = {
        .sequence = fact->call.sequence, .verb = fact->call.verb, .outcome = fact->outcome};
    if (fact->call.verb == VERB_OPEN) {
        reply.flavor = FLAVOR_POSTGRES;
        (void)snprintf(reply.version, sizeof reply.version, "%s", fact->upgraded ? "16.1" : "15.4");
        reply.superuser = fact->superuser;
        reply.trial = fact->trial;
        reply.secret = process->simulation->server.our_secret;
    }
    if (fact->outcome != OUTCOME_OK || fact->trial == TRIAL_REFUSED) {
        (void)snprintf(reply.message, sizeof reply.message, "f%u", fact->id);
        if (fact->trial != TRIAL_WITHHELD)
            (void)snprintf(reply.code, sizeof reply.code, "XX000");
    }
    if (fact->call.verb == VERB_RUN && fact->outcome == OUTCOME_OK)
        reply.result = process_rows_of(fact);
    if (process->babbles)
        reply.sequence ^= 1U << 20;
    return reply;
}

static void process_deliver_reply(struct prober_process *process)
{
    struct simulation *simulation = process->simulation;
    struct fact *fact = process->replies[0];
    process->reply_count--;
    memmove(process->replies, process->replies + 1,
            process->reply_count * sizeof *process->replies);
    struct reply reply = process_reply_of(process, fact);
    process->replied = true;
    simulation_trace(simulation, "prober %s: %s %s: %s%s", process->record->name,
                     verb_name(fact->call.verb), fact->sql, outcome_info(fact->outcome)->code,
                     process->babbles ? ", but it fits no call" : "");
    if (process->babbles) {
        promise_on_death(simulation, fact);
        promise_on_failure(simulation, process->record);
    } else {
        fact->delivered = simulation->now;
        promise_on_delivered(simulation, fact);
    }
    process->events->replied(process->owner, &reply);
    reply_free(&reply);
}

bool process_deliver(struct prober_process *process)
{
    struct simulation *simulation = process->simulation;
    if (process->owner == NULL)
        return false;
    if (process->reply_count > 0) {
        process_deliver_reply(process);
        return true;
    }
    if (!process->dead || process->death_is_known)
        return false;
    void *owner = process->owner;
    process->death_is_known = true;
    process->owner = NULL;
    process->record->process = NULL;
    simulation_trace(simulation, "prober %s: process %u has died", process->record->name,
                     process->number);
    promise_on_death(simulation, process->fact);
    promise_on_failure(simulation, process->record);
    process->events->died(owner, "ended by signal 9");
    return true;
}

static void process_receive(struct prober_process *process)
{
    while (process_deliver(process) && !process->simulation->failed)
        continue;
}

static bool process_has_asked(const struct prober_process *process)
{
    return process->born && (process->replied || process->taken);
}

static bool process_asks(const struct prober_process *process)
{
    return process_has_asked(process) && !process->stopped && !process->dead;
}

static struct cpu_time process_cpu(const struct prober_process *process)
{
    struct cpu_time now = simulation_cpu_of(process->simulation, process->phase_began,
                                            process->phase_cost, process->simulation->now);
    return cpu_time_add(process->cpu, now);
}

static bool process_is_ready(const struct prober_process *process)
{
    return process->phase_cost > 0 && !process->stopped && !process->dead;
}

static void process_kill(struct prober_process *process)
{
    simulation_trace(process->simulation, "prober %s: process %u is killed", process->record->name,
                     process->number);
    promise_on_kill(process->simulation, process);
    process->owner = NULL;
    process->killed = true;
    if (process->record->process == process)
        process->record->process = NULL;
    if (!process->dead)
        process_exit(process);
}

static void process_on_grace_over(struct simulation *simulation, void *subject, uint64_t mark)
{
    struct prober_process *process = subject;
    (void)simulation;
    (void)mark;
    if (!process->dead)
        process_exit(process);
}

static void process_end(struct prober_process *process, struct duration grace)
{
    struct simulation *simulation = process->simulation;
    simulation_trace(simulation, "prober %s: process %u is told to end", process->record->name,
                     process->number);
    promise_on_goodbye(simulation, process);
    process->owner = NULL;
    process->ending = true;
    if (process->record->process == process)
        process->record->process = NULL;
    if (process->dead)
        return;
    if (process->born && process->fact == NULL && !process->hangs_in_goodbye && !process->stopped)
        process_say_goodbye(process);
    simulation_at(simulation, simulation->now + grace.ms * MS, process_on_grace_over, process, 0);
}

const struct platform_functions process_functions = {.start = process_start,
                                                     .send = process_send,
                                                     .receive = process_receive,
                                                     .has_asked = process_has_asked,
                                                     .asks = process_asks,
                                                     .cpu = process_cpu,
                                                     .is_ready = process_is_ready,
                                                     .kill = process_kill,
                                                     .end = process_end};
