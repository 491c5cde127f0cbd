// The heart, as serve.c and reload.c drive it: it is started, reloaded, drained and ended.
#include "simulation.h"

#include "common/memory.h"
#include "fake_config.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DRAIN_LOOK = 250 * MS, PEERS_TIMEOUT = 800, PEERS_CACHE = 1000, OTHER_DEADLINE = 10000 };

// --- configurations

static void adapter_name_check(const struct adapter *adapter, size_t index, char *sql)
{
    (void)snprintf(sql, NAME_ROOM, "c%zu#%u", index, adapter->versions[index]);
}

static unsigned adapter_prober_of(const struct simulation *simulation, size_t index)
{
    const struct blueprint_check *plan = &simulation->story->checks[index];
    if (plan->prober == 0)
        return 0; // /healthz has a prober of its own
    return 1 + (plan->prober - 1 + simulation->adapter.moved[index]) % (PROBERS - 1);
}

// What a rule waits for is another time at every second change.
int64_t adapter_hold_of(const struct simulation *simulation, const char *sql)
{
    size_t index = adapter_index(sql);
    unsigned long version = strtoul(strchr(sql, '#') + 1, NULL, 10);
    int64_t times = 1 + (int64_t)((version + index % 2) / 2 % 2);
    return simulation->story->checks[index].hold * times;
}

static struct check *adapter_make_check(const struct simulation *simulation, size_t index)
{
    const struct blueprint_check *plan = &simulation->story->checks[index];
    struct error error;
    char name[NAME_ROOM], sql[NAME_ROOM], rule[NAME_ROOM];
    size_t offset;
    adapter_name_check(&simulation->adapter, index, sql);
    (void)snprintf(name, sizeof name, "c%zu", index);
    struct check *check = fake_check_of(name, prober_names[adapter_prober_of(simulation, index)],
                                        plan->endpoint, plan->timeout, plan->cache);
    free(check->sql);
    check->sql = memory_string(sql);
    check->every.ms = plan->every;
    check->writes = plan->writes;
    check->broken = plan->broken ? memory_string("c.sql:1: no") : NULL;
    check->rules = memory_new(sizeof *check->rules);
    check->rule_count = 1;
    (void)snprintf(rule, sizeof rule, "v > $most for %lldms",
                   (long long)adapter_hold_of(simulation, sql));
    bool good = params_add(&check->params, "most", "100", &error) &&
                rule_parse(rule, RULE_FAIL, &check->params, check->rules, &offset, &error);
    if (plan->prober == 0)
        good &= outcome_set_add(&check->tolerate, "answered");
    if (plan->unmeant)
        good &= range_add_versions(&check->range, ">= 16", &error);
    assert(good);
    return check;
}

// The very same object if nothing has changed.
static struct check *adapter_have_check(struct simulation *simulation, size_t index)
{
    const struct config *config = simulation->adapter.config;
    char sql[NAME_ROOM];
    adapter_name_check(&simulation->adapter, index, sql);
    const char *prober = prober_names[adapter_prober_of(simulation, index)];
    for (size_t i = 0; config != NULL && i < config->check_count; i++) {
        struct check *check = config->checks[i];
        if (strcmp(check->sql, sql) == 0 && strcmp(check->prober, prober) == 0)
            return check_hold(check);
    }
    simulation->adapter.born[index] = simulation->now;
    return adapter_make_check(simulation, index);
}

// It asks other adapters, and stays what it is.
static struct check *adapter_have_check_of_peers(const struct simulation *simulation)
{
    const struct config *config = simulation->adapter.config;
    for (size_t i = 0; config != NULL && i < config->check_count; i++) {
        if (config->checks[i]->peers)
            return check_hold(config->checks[i]);
    }
    struct check *check =
        fake_check_of("peers", check_prober_of_peers, "sole-primary", PEERS_TIMEOUT, PEERS_CACHE);
    check->peers = true;
    return check;
}

size_t adapter_index(const char *sql)
{
    return (size_t)(sql[1] - '0') % CHECKS_MAX;
}

int64_t adapter_born(const struct simulation *simulation, const char *sql)
{
    return simulation->adapter.born[adapter_index(sql)];
}

static struct config *adapter_make_config(struct simulation *simulation)
{
    const struct adapter *adapter = &simulation->adapter;
    struct check *checks[CHECKS_MAX + 1];
    size_t count = 0;
    for (size_t i = 0; i < CHECKS_MAX; i++) {
        if (simulation->story->checks[i].used && !adapter->removed[i])
            checks[count++] = adapter_have_check(simulation, i);
    }
    if (simulation->story->peers)
        checks[count++] = adapter_have_check_of_peers(simulation);
    struct config *config = fake_config(checks, count);
    config->target_digest = adapter->target;
    config->settings.deadline.ms = OTHER_DEADLINE; // the scheduler has its own, as a command's
    for (size_t i = 0; i < PROBERS; i++) {
        if (simulation->story->keep >> i & 1)
            words_add(&config->settings.keep, prober_names[i], strlen(prober_names[i]));
    }
    return config;
}

struct check *adapter_check_of(const struct simulation *simulation, const char *sql)
{
    const struct config *config = simulation->adapter.config;
    for (size_t i = 0; config != NULL && i < config->check_count; i++) {
        if (strcmp(config->checks[i]->sql, sql) == 0)
            return config->checks[i];
    }
    return NULL;
}

bool adapter_has(const struct simulation *simulation, const struct fact *fact)
{
    const struct config *config = simulation->adapter.config;
    if (fact->record->target != simulation->adapter.target)
        return false;
    for (size_t i = 0; config != NULL && i < config->check_count; i++) {
        if (config->checks[i]->sql == fact->text)
            return true;
    }
    return false;
}

// --- probers, by what is known of them

static struct prober_record *adapter_find_record(const struct simulation *simulation,
                                                 const struct prober *prober)
{
    for (size_t i = simulation->record_count; i-- > 0;) {
        struct prober_record *record = simulation->records[i];
        if (record->prober == prober && record->current &&
            record->target == simulation->adapter.target &&
            strcmp(record->name, prober_name(prober)) == 0)
            return record;
    }
    return NULL;
}

static struct prober_record *adapter_new_record(struct simulation *simulation,
                                                const struct prober *prober)
{
    struct prober_record *record = memory_new(sizeof *record);
    *record = (struct prober_record){.prober = prober, .target = simulation->adapter.target};
    (void)snprintf(record->name, sizeof record->name, "%s", prober_name(prober));
    while (strcmp(prober_names[record->index], record->name) != 0)
        record->index++;
    record->keeps = simulation->story->keep >> record->index & 1;
    simulation->records = memory_grow(simulation->records, (simulation->record_count + 1) *
                                                               sizeof(struct prober_record *));
    simulation->records[simulation->record_count++] = record;
    return record;
}

// A prober that the configuration has lost and has again is another one.
static void adapter_note_probers(struct simulation *simulation)
{
    const struct scheduler *scheduler = simulation->adapter.scheduler;
    size_t count = 0;
    const struct prober *probers[PROBERS];
    struct prober_record *current[PROBERS];
    for (size_t i = 0; scheduler != NULL && i < scheduler_prober_count(scheduler); i++) {
        const struct prober *prober = scheduler_prober(scheduler, i);
        if (strcmp(prober_name(prober), check_prober_of_peers) != 0)
            probers[count++] = prober;
    }
    for (size_t i = 0; i < count; i++)
        current[i] = adapter_find_record(simulation, probers[i]);
    for (size_t i = 0; i < simulation->record_count; i++)
        simulation->records[i]->current = false;
    for (size_t i = 0; i < count; i++) {
        if (current[i] == NULL)
            current[i] = adapter_new_record(simulation, probers[i]);
        current[i]->current = true;
    }
}

// --- its life

void adapter_start(struct simulation *simulation)
{
    struct adapter *adapter = &simulation->adapter;
    adapter->target++;
    adapter->config = adapter_make_config(simulation);
    adapter->statistics = statistics_new(0);
    adapter->started = adapter->changed = simulation->now;
    adapter->draining_since = 0;
    memset(adapter->counted, 0, sizeof adapter->counted);
    memset(adapter->results, 0, sizeof adapter->results);
    adapter->asked = 0;
    adapter->scheduler = scheduler_new(&simulation->platform, adapter->config,
                                       (struct duration){.ms = DEADLINE / MS}, adapter->statistics);
    adapter_note_probers(simulation);
}

void adapter_end(struct simulation *simulation)
{
    struct adapter *adapter = &simulation->adapter;
    if (adapter->scheduler == NULL)
        return;
    simulation_trace(simulation, "the adapter ends");
    simulation->ending = true;
    scheduler_end(adapter->scheduler);
    simulation->ending = false;
    adapter->scheduler = NULL;
    adapter_note_probers(simulation);
    if (!TAILQ_EMPTY(&simulation->requests))
        promise_broken(simulation, "every request is answered", "one is not at the adapter's end");
    promise_on_statistics(simulation);
    promise_on_statistics_of_checks(simulation);
    config_release(adapter->config);
    adapter->config = NULL;
    statistics_free(adapter->statistics);
}

// Those that are not the same object as before.
static void adapter_note_new_checks(struct simulation *simulation, const struct config *config,
                                    const struct config *before)
{
    for (size_t i = 0; i < config->check_count; i++) {
        struct check *check = config->checks[i], *earlier = NULL;
        for (size_t j = 0; j < before->check_count; j++) {
            if (strcmp(before->checks[j]->name, check->name) == 0)
                earlier = before->checks[j];
        }
        if (!check->peers && earlier != check && config->target_digest == before->target_digest)
            promise_on_new_check(simulation, check, earlier);
    }
}

void adapter_reload(struct simulation *simulation, const struct item *item)
{
    struct adapter *adapter = &simulation->adapter;
    size_t index = (size_t)item->b;
    if (adapter->scheduler == NULL)
        return;
    if (item->a == RELOAD_CHANGE)
        adapter->versions[index]++;
    if (item->a == RELOAD_REMOVE)
        adapter->removed[index] = true;
    if (item->a == RELOAD_ADD)
        adapter->removed[index] = false;
    if (item->a == RELOAD_MOVE)
        adapter->moved[index]++;
    if (item->a == RELOAD_TARGET)
        adapter->target++;
    struct config *config = adapter_make_config(simulation);
    adapter->changed = simulation->now;
    uint64_t changes = scheduler_changes(adapter->scheduler);
    scheduler_reload(adapter->scheduler, config);
    if (scheduler_changes(adapter->scheduler) == changes)
        promise_broken(simulation, "what has changed is another number", "a reload is none");
    adapter_note_new_checks(simulation, config, adapter->config);
    config_release(adapter->config);
    adapter->config = config;
    adapter_note_probers(simulation);
}

static void adapter_on_drain_look(struct simulation *simulation, void *subject, uint64_t mark)
{
    (void)subject;
    simulation->adapter.drain_over = (int64_t)mark <= simulation->now;
    simulation->adapter.drain_looks = simulation->readable = true;
    if (!simulation->adapter.drain_over && simulation->adapter.draining_since > 0)
        simulation_at(simulation, simulation->now + DRAIN_LOOK, adapter_on_drain_look, NULL, mark);
}

void adapter_drain(struct simulation *simulation, int64_t lasts)
{
    struct adapter *adapter = &simulation->adapter;
    if (adapter->scheduler == NULL || adapter->draining_since > 0)
        return;
    adapter->draining_since = adapter->changed = simulation->now;
    adapter->drain_over = false;
    scheduler_refresh_liveness(adapter->scheduler);
    simulation_at(simulation, simulation->now + DRAIN_LOOK, adapter_on_drain_look, NULL,
                  (uint64_t)(simulation->now + lasts));
}

void adapter_look_at_drain(struct simulation *simulation)
{
    struct adapter *adapter = &simulation->adapter;
    if (!adapter->drain_looks)
        return;
    adapter->drain_looks = false;
    if (adapter->draining_since == 0 || adapter->scheduler == NULL)
        return;
    struct instant since = {.ns = adapter->draining_since + BASE};
    bool gone = scheduler_server_is_gone(adapter->scheduler, since);
    if (gone)
        promise_on_gone(simulation);
    if (gone || adapter->drain_over) {
        adapter_end(simulation);
        adapter_start(simulation);
    } else {
        promise_on_staying(simulation);
        scheduler_refresh_liveness(adapter->scheduler);
    }
}
