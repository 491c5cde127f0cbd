// The server: it takes calls, and answers each once it is time and nothing keeps it from that. What
// it cannot answer it holds until it can.
#include "simulation.h"

#include "common/memory.h"

#include <stdlib.h>
#include <string.h>

static void server_hold(struct server *server, struct fact *fact)
{
    size_t size = (server->held_count + 1) * sizeof(struct fact *);
    server->held = memory_grow(server->held, size);
    server->held[server->held_count++] = fact;
    fact->held = true;
}

static void server_answer(struct simulation *simulation, struct fact *fact, enum outcome outcome)
{
    fact->outcome = outcome;
    fact->answered = simulation->now;
    process_answer(simulation, fact);
}

static bool server_keeps_silent(const struct server *server, const struct fact *fact)
{
    if (server->frozen > 0)
        return true;
    if (fact->call.verb == VERB_OPEN)
        return server->silent_login > 0 && server->refusing == 0;
    if (fact->call.verb == VERB_RUN)
        return server->silent_query > 0 || fact->process->session_is_stopped;
    return false;
}

static void server_answer_open(struct simulation *simulation, struct fact *fact)
{
    struct server *server = &simulation->server;
    bool withheld = fact->call.withheld == server->our_secret;
    bool right = server->our_secret == server->secret;
    enum outcome outcome = OUTCOME_OK;
    fact->trial = TRIAL_NONE;
    if (server->refusing > 0)
        outcome = OUTCOME_REFUSED;
    else if (server->starting > 0)
        outcome = OUTCOME_NOT_ACCEPTING;
    else if (server->full > 0)
        outcome = OUTCOME_SATURATED;
    else if (server->denying > 0)
        outcome = OUTCOME_DENIED;
    else if (withheld || !right) {
        bool worked =
            fact->process->worked == server->secret && server->secret != server->our_secret;
        outcome = worked ? OUTCOME_OK : OUTCOME_DENIED;
        fact->trial = withheld ? TRIAL_WITHHELD : TRIAL_REFUSED;
    }
    fact->superuser = server->superuser && fact->call.inspect;
    fact->upgraded = server->upgraded;
    struct prober_process *process = fact->process;
    if (outcome == OUTCOME_OK && fact->trial == TRIAL_NONE)
        process->worked = server->our_secret;
    process->session = outcome == OUTCOME_OK;
    process->session_is_dead = process->session_is_stopped = false;
    server_answer(simulation, fact, outcome);
}

static void server_answer_run(struct simulation *simulation, struct fact *fact, bool late)
{
    struct server *server = &simulation->server;
    struct prober_process *process = fact->process;
    fact->value = server->bad_values > 0 ? 1000 : 1;
    fact->rows = server->no_rows == 0;
    if (process->session_is_dead)
        server_answer(simulation, fact, process->dead_outcome);
    else if (server->fragile > 0 && chance_once_in(&simulation->chance, server->fragility)) {
        process->session_is_dead = true;
        process->dead_outcome = OUTCOME_TERMINATED;
        server_answer(simulation, fact, OUTCOME_TERMINATED);
    } else if (late)
        server_answer(simulation, fact, OUTCOME_QUERY_TIMEOUT);
    else if (server->errors > 0)
        server_answer(simulation, fact, OUTCOME_SERVER_ERROR);
    else if (server->large > 0) {
        process->session = false; // the prober gives it up
        server_answer(simulation, fact, OUTCOME_TOO_LARGE);
    } else
        server_answer(simulation, fact, OUTCOME_OK);
}

static void server_respond(struct simulation *simulation, struct fact *fact, bool late)
{
    if (fact->call.verb == VERB_OPEN)
        server_answer_open(simulation, fact);
    else if (fact->call.verb == VERB_RUN)
        server_answer_run(simulation, fact, late);
    else
        server_answer(simulation, fact, OUTCOME_OK);
}

static bool server_is_waited_for(const struct fact *fact)
{
    return !fact->process->dead && fact->process->fact == fact && fact->answered == 0;
}

// mark: 1 if the statement's limit has passed.
static void server_on_due(struct simulation *simulation, void *subject, uint64_t mark)
{
    struct fact *fact = subject;
    if (!server_is_waited_for(fact))
        return;
    if (server_keeps_silent(&simulation->server, fact))
        server_hold(&simulation->server, fact);
    else
        server_respond(simulation, fact, mark == 1);
}

static int64_t server_draw_latency(struct simulation *simulation, const struct fact *fact)
{
    struct chance *chance = &simulation->chance;
    struct server *server = &simulation->server;
    int64_t latency = chance_between(chance, 30, 300); // us
    if (fact->call.verb == VERB_OPEN)
        latency = chance_between(chance, 500, 5000);
    else if (fact->call.verb == VERB_RUN && chance_once_in(chance, 50))
        latency = chance_between(chance, 1000, 20000);
    if (fact->call.verb == VERB_OPEN && server->refusing > 0)
        latency = 50;
    if (server->slow > 0)
        latency *= server->slowness;
    return latency * 1000;
}

void server_take(struct simulation *simulation, struct fact *fact)
{
    struct prober_process *process = fact->process;
    fact->received = simulation->now;
    if (fact->begun == 0)
        fact->begun = simulation->now;
    process->held_since = simulation->now;
    int64_t latency = server_draw_latency(simulation, fact);
    int64_t over = fact->begun + fact->call.statement_limit.ms * MS;
    int64_t due = simulation->now + latency;
    bool late = fact->call.verb == VERB_RUN && due > over;
    if (fact->call.verb == VERB_RUN && process->session_is_dead)
        due = simulation->now + 100 * 1000;
    else if (late)
        due = over > simulation->now ? over : simulation->now;
    simulation_at(simulation, due, server_on_due, fact, late);
}

// What was held is answered if it can be. A statement whose time is over ends so, or it ends well.
void server_review(struct simulation *simulation)
{
    struct server *server = &simulation->server;
    struct fact **held = server->held;
    size_t count = server->held_count;
    server->held = NULL;
    server->held_count = 0;
    for (size_t i = 0; i < count; i++) {
        struct fact *fact = held[i];
        if (!server_is_waited_for(fact))
            continue;
        bool late = simulation->now + BASE > fact->call.deadline.ns &&
                    chance_once_in(&simulation->chance, 2);
        if (server_keeps_silent(server, fact))
            server_hold(server, fact);
        else
            simulation_at(simulation,
                          simulation->now + chance_between(&simulation->chance, 10, 3000) * 1000,
                          server_on_due, fact, late);
    }
    free(held);
    struct prober_process *process;
    LIST_FOREACH(process, &simulation->processes, entry)
    {
        if (process->hangs_in_goodbye && server->frozen == 0)
            process_go_on_after_goodbye(process);
    }
}

static void server_break_sessions(struct simulation *simulation, enum outcome outcome)
{
    struct prober_process *process;
    LIST_FOREACH(process, &simulation->processes, entry)
    {
        struct fact *fact = process->fact;
        if (process->dead)
            continue;
        if (process->session && !process->session_is_dead) {
            process->session_is_dead = true;
            process->session_is_stopped = false;
            process->dead_outcome = outcome;
        }
        if (process->hangs_in_goodbye)
            process_go_on_after_goodbye(process);
        if (fact == NULL || fact->received == 0 || fact->answered > 0)
            continue;
        if (fact->call.verb == VERB_RUN || outcome == OUTCOME_LOST) {
            process->session = process->session && fact->call.verb != VERB_OPEN;
            server_answer(simulation, fact, fact->call.verb == VERB_CLOSE ? OUTCOME_OK : outcome);
        }
    }
}

void server_crash(struct simulation *simulation)
{
    server_break_sessions(simulation, OUTCOME_LOST);
}

// Not those of a server that stands still.
void server_end_sessions(struct simulation *simulation)
{
    if (simulation->server.frozen == 0)
        server_break_sessions(simulation, OUTCOME_TERMINATED);
}

void server_stop_sessions(struct simulation *simulation)
{
    struct prober_process *process;
    LIST_FOREACH(process, &simulation->processes, entry)
    {
        if (process->session && !process->session_is_dead)
            process->session_is_stopped = true;
    }
}
