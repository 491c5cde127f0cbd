// The adapters of other servers, by what the program that asks them does: it answers, or it does
// not, dies of a call, or replies what fits none. All promises hold of our own checks whatever it
// does, so that nothing of it is a trouble that excuses anything.
#include "simulation.h"

#include "common/memory.h"

#include <stdio.h>
#include <stdlib.h>

#define ANSWER  (2 * MS)
#define SETTLED (75 * SECOND) // after its trouble nothing more of a prober is due

struct peers {
    bool busy, replies;
    struct call call; // without what it owns
    uint64_t calls;   // events of earlier ones are void
};

static bool peers_is(const struct prober_process *process)
{
    return process->peers != NULL;
}

static void peers_disturb(struct simulation *simulation)
{
    simulation->peers_disturbed = simulation->now;
}

static void peers_on_answer(struct simulation *simulation, void *subject, uint64_t mark)
{
    struct prober_process *process = subject;
    struct peers *peers = process->peers;
    if (process->dead || peers->calls != mark || !peers->busy || simulation->peers_silent > 0)
        return;
    peers->replies = simulation->readable = true;
}

static struct prober_process *peers_start(struct platform *platform, enum engine engine,
                                          const struct prober_process_events *events, void *owner,
                                          struct error *error)
{
    struct simulation *simulation = CONTAINER_OF(platform, struct simulation, platform);
    if (engine != ENGINE_PEERS)
        return process_functions.start(platform, engine, events, owner, error);
    struct prober_process *process = memory_new(sizeof *process);
    *process = (struct prober_process){.simulation = simulation, .events = events, .owner = owner};
    process->peers = memory_new(sizeof *process->peers);
    LIST_INSERT_HEAD(&simulation->peers, process, entry);
    return process;
}

static bool peers_send(struct prober_process *process, const struct call *call)
{
    struct simulation *simulation = process->simulation;
    struct peers *peers = process->peers;
    if (!peers_is(process))
        return process_functions.send(process, call);
    simulation_trace(simulation, "prober peers: %s", verb_name(call->verb));
    peers->call = *call;
    peers->busy = true;
    peers->calls++;
    if (simulation->peers_crashing > 0) {
        process->dead = simulation->readable = true;
        peers_disturb(simulation);
    }
    simulation_at(simulation, simulation->now + ANSWER, peers_on_answer, process, peers->calls);
    return true;
}

static struct reply peers_reply(struct prober_process *process)
{
    const struct call *call = &process->peers->call;
    struct reply reply = {.sequence = call->sequence, .verb = call->verb, .outcome = OUTCOME_OK};
    if (call->verb == VERB_RUN) {
        reply.result = result_new();
        result_add_column(reply.result, "v");
        reply.result->row_count = 1;
        (void)result_add_value(reply.result, VALUE_NUMBER, "1", 1);
    }
    if (process->simulation->peers_babbling > 0) {
        reply.sequence ^= 1U << 20;
        peers_disturb(process->simulation);
    }
    return reply;
}

bool peers_deliver(struct prober_process *process)
{
    struct peers *peers = process->peers;
    void *owner = process->owner;
    if (owner == NULL)
        return false;
    if (peers->replies) {
        struct reply reply = peers_reply(process);
        peers->busy = peers->replies = false;
        process->events->replied(owner, &reply);
        reply_free(&reply);
        return true;
    }
    if (!process->dead)
        return false;
    process->owner = NULL;
    process->events->died(owner, "ended by signal 9");
    return true;
}

static void peers_receive(struct prober_process *process)
{
    if (!peers_is(process))
        process_functions.receive(process);
    while (peers_is(process) && peers_deliver(process))
        continue;
}

static bool peers_has_asked(const struct prober_process *process)
{
    return peers_is(process) ? !process->dead : process_functions.has_asked(process);
}

static bool peers_asks(const struct prober_process *process)
{
    return peers_is(process) ? !process->dead : process_functions.asks(process);
}

static struct cpu_time peers_cpu(const struct prober_process *process)
{
    return peers_is(process) ? (struct cpu_time){0} : process_functions.cpu(process);
}

static bool peers_is_ready(const struct prober_process *process)
{
    return !peers_is(process) && process_functions.is_ready(process);
}

static void peers_leave(struct prober_process *process)
{
    process->owner = NULL;
    process->dead = true;
}

static void peers_kill(struct prober_process *process)
{
    if (!peers_is(process)) {
        process_functions.kill(process);
        return;
    }
    simulation_trace(process->simulation, "prober peers: its process is killed");
    peers_disturb(process->simulation);
    peers_leave(process);
}

static void peers_end(struct prober_process *process, struct duration grace)
{
    if (peers_is(process))
        peers_leave(process);
    else
        process_functions.end(process, grace);
}

struct platform_functions peers_functions(void)
{
    return (struct platform_functions){.start = peers_start,
                                       .send = peers_send,
                                       .receive = peers_receive,
                                       .has_asked = peers_has_asked,
                                       .asks = peers_asks,
                                       .cpu = peers_cpu,
                                       .is_ready = peers_is_ready,
                                       .kill = peers_kill,
                                       .end = peers_end};
}

void peers_review(struct simulation *simulation)
{
    struct prober_process *process;
    LIST_FOREACH(process, &simulation->peers, entry)
    peers_on_answer(simulation, process, process->peers->calls);
}

bool peers_may_wake(const struct simulation *simulation)
{
    const struct prober_process *process;
    bool may =
        simulation->peers_disturbed > 0 && simulation->now < simulation->peers_disturbed + SETTLED;
    LIST_FOREACH(process, &simulation->peers, entry)
    may |= process->owner != NULL && (process->peers->busy || process->dead);
    return may;
}

void peers_free_all(struct simulation *simulation)
{
    struct prober_process *process;
    while ((process = LIST_FIRST(&simulation->peers)) != NULL) {
        LIST_REMOVE(process, entry);
        free(process->peers);
        free(process);
    }
}
