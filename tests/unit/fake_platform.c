#include "fake_platform.h"

#include "server/base/container_of.h"

#include <assert.h>
#include <string.h>

void fake_write(struct fake *fake, const char *word)
{
    size_t length = strlen(fake->words);
    (void)snprintf(fake->words + length, sizeof fake->words - length, "%s%s", length > 0 ? " " : "",
                   word);
}

const char *fake_read(struct fake *fake)
{
    static char words[FAKE_WORDS_MAX];
    (void)snprintf(words, sizeof words, "%s", fake->words);
    fake->words[0] = '\0';
    return words;
}

static struct fake *fake_of(struct platform *platform)
{
    return CONTAINER_OF(platform, struct fake, platform);
}

static struct instant fake_now(struct platform *platform)
{
    return fake_of(platform)->now;
}

// Who lets time pass looks for itself.
static void fake_wake_at(struct platform *platform, struct instant at)
{
    (void)platform;
    (void)at;
}

static struct prober_process *fake_start(struct platform *platform, enum engine engine,
                                         const struct prober_process_events *events, void *owner,
                                         struct error *error)
{
    struct fake *fake = fake_of(platform);
    (void)engine;
    if (fake->cannot_start) {
        (void)error_set(error, "there is no program");
        fake_write(fake, "no-start");
        return NULL;
    }
    assert(fake->process.owner == NULL); // one at a time
    reply_free(&fake->process.reply);
    fake->process = (struct prober_process){.fake = fake, .events = events, .owner = owner};
    fake_write(fake, "start");
    return &fake->process;
}

// "open-1000", "run:SQL-800", "run:SQL-800-last", "close-200".
static bool fake_send(struct prober_process *process, const struct call *call)
{
    struct fake *fake = process->fake;
    char word[128];
    assert(process->owner != NULL);
    process->call = *call;
    if (fake->calls_not_taken > 0) {
        fake->calls_not_taken--;
        fake_write(fake, "no-call");
        return false;
    }
    (void)snprintf(word, sizeof word, "%s%s%s-%lld%s", verb_name(call->verb),
                   call->verb == VERB_RUN ? ":" : "", call->verb == VERB_RUN ? call->sql : "",
                   (long long)instant_left(call->deadline, fake->now).ms,
                   call->verb == VERB_RUN && call->last ? "-last" : "");
    fake_write(fake, word);
    return true;
}

static void fake_receive(struct prober_process *process)
{
    if (process->owner == NULL || !process->has_reply)
        return;
    struct reply reply = process->reply; // the process may be another one after the call
    process->reply.result = NULL;
    process->has_reply = false;
    process->events->replied(process->owner, &reply);
    reply_free(&reply);
}

static bool fake_has_asked(const struct prober_process *process)
{
    return !process->fake->is_absent;
}

static bool fake_asks(const struct prober_process *process)
{
    return fake_has_asked(process) && !process->fake->is_stopped;
}

static struct cpu_time fake_cpu(const struct prober_process *process)
{
    return process->fake->cpu;
}

static bool fake_is_ready(const struct prober_process *process)
{
    return process->fake->is_ready;
}

static void fake_kill(struct prober_process *process)
{
    fake_write(process->fake, "kill");
    process->owner = NULL;
}

static void fake_end(struct prober_process *process, struct duration grace)
{
    (void)grace;
    fake_write(process->fake, "end");
    process->owner = NULL;
}

void fake_open(struct fake *fake)
{
    static const struct platform_functions functions = {.now = fake_now,
                                                        .wake_at = fake_wake_at,
                                                        .start = fake_start,
                                                        .send = fake_send,
                                                        .receive = fake_receive,
                                                        .has_asked = fake_has_asked,
                                                        .asks = fake_asks,
                                                        .cpu = fake_cpu,
                                                        .is_ready = fake_is_ready,
                                                        .kill = fake_kill,
                                                        .end = fake_end};
    *fake = (struct fake){.platform = platform_with(&functions), .now = {.ns = 1000000000}};
}

void fake_close(struct fake *fake)
{
    reply_free(&fake->process.reply);
    alarms_free(&fake->platform.alarms);
}

bool fake_next(struct fake *fake)
{
    struct instant next = alarms_next(&fake->platform.alarms);
    if (next.ns == INT64_MAX)
        return false;
    if (instant_before(fake->now, next))
        fake->now = next;
    fake->wakes++;
    platform_ring(&fake->platform);
    return true;
}

void fake_pass(struct fake *fake, int64_t ms)
{
    struct instant until = instant_add(fake->now, (struct duration){.ms = ms});
    while (!instant_before(until, alarms_next(&fake->platform.alarms)))
        (void)fake_next(fake);
    fake->now = until;
}

static struct reply fake_reply_of(const struct fake *fake, enum outcome outcome)
{
    const struct call *call = &fake->process.call;
    struct reply reply = {.sequence = call->sequence,
                          .verb = call->verb,
                          .outcome = outcome,
                          .flavor = FLAVOR_POSTGRES,
                          .version = "15.1"};
    if (call->verb == VERB_RUN && outcome == OUTCOME_OK) {
        reply.result = result_new();
        result_add_column(reply.result, "n");
        (void)result_add_value(reply.result, VALUE_NUMBER, "1", 1);
        reply.result->row_count = 1;
    }
    return reply;
}

void fake_say(struct fake *fake, struct reply reply)
{
    fake->process.reply = reply;
    fake->process.has_reply = true;
    fake_receive(&fake->process);
}

void fake_send_reply(struct fake *fake, enum outcome outcome)
{
    fake->process.reply = fake_reply_of(fake, outcome);
    fake->process.has_reply = true;
}

void fake_reply(struct fake *fake, enum outcome outcome)
{
    fake_say(fake, fake_reply_of(fake, outcome));
}

static void fake_be_gone(struct fake *fake, const char *how)
{
    void *owner = fake->process.owner;
    fake->process.owner = NULL;
    fake->process.events->died(owner, how);
}

void fake_die(struct fake *fake)
{
    fake_be_gone(fake, "ended by signal 9");
}

void fake_leave(struct fake *fake)
{
    fake_be_gone(fake, NULL);
}
