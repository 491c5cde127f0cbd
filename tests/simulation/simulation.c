// Time, and a loop that turns as libuv's does: alarms, what can be read, then what is done before
// it waits. After a stall of ours the alarms come first or not, as the loop happened to stand.
#include "simulation.h"

#include "common/memory.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { PERIOD = 100 * MS }; // of a quota

// --- events

static bool simulation_event_is_before(const struct event *one, const struct event *other)
{
    return one->at != other->at ? one->at < other->at : one->order < other->order;
}

void simulation_at(struct simulation *simulation, int64_t at,
                   void (*happen)(struct simulation *simulation, void *subject, uint64_t mark),
                   void *subject, uint64_t mark)
{
    if (simulation->event_count == simulation->event_room) {
        simulation->event_room = 2 * simulation->event_room + 256;
        simulation->events =
            memory_grow(simulation->events, simulation->event_room * sizeof(struct event));
    }
    struct event event = {
        .at = at, .order = simulation->order++, .happen = happen, .subject = subject, .mark = mark};
    size_t place = simulation->event_count++;
    while (place > 0 && simulation_event_is_before(&event, &simulation->events[(place - 1) / 2])) {
        simulation->events[place] = simulation->events[(place - 1) / 2];
        place = (place - 1) / 2;
    }
    simulation->events[place] = event;
}

static struct event simulation_take_event(struct simulation *simulation)
{
    struct event first = simulation->events[0];
    struct event last = simulation->events[--simulation->event_count];
    size_t place = 0;
    for (;;) {
        size_t child = 2 * place + 1;
        if (child + 1 < simulation->event_count &&
            simulation_event_is_before(&simulation->events[child + 1], &simulation->events[child]))
            child++;
        if (child >= simulation->event_count ||
            simulation_event_is_before(&last, &simulation->events[child]))
            break;
        simulation->events[place] = simulation->events[child];
        place = child;
    }
    simulation->events[place] = last;
    return first;
}

// --- our CPU

static const struct shortage *simulation_shortage_at(const struct simulation *simulation,
                                                     int64_t at)
{
    for (size_t i = 0; i < simulation->shortage_count; i++) {
        const struct shortage *shortage = &simulation->shortages[i];
        if (shortage->from <= at && at < shortage->to)
            return shortage;
    }
    return NULL;
}

// The next time at which one begins.
static int64_t simulation_next_shortage(const struct simulation *simulation, int64_t at)
{
    int64_t next = INT64_MAX;
    for (size_t i = 0; i < simulation->shortage_count; i++) {
        int64_t from = simulation->shortages[i].from;
        if (from > at && from < next)
            next = from;
    }
    return next;
}

// A stretch of time in which we have the CPU, or do not.
struct stretch {
    int64_t end;
    bool runs;
    bool counted; // that we do not
};

static struct stretch simulation_stretch_at(const struct simulation *simulation, int64_t at)
{
    const struct shortage *shortage = simulation_shortage_at(simulation, at);
    if (shortage == NULL)
        return (struct stretch){.end = simulation_next_shortage(simulation, at), .runs = true};
    int64_t into = at % shortage->period, slice = shortage->period / 100 * shortage->percent;
    struct stretch stretch = {.runs = into < slice, .counted = shortage->counted};
    stretch.end = at - into + (stretch.runs ? slice : shortage->period);
    if (stretch.end > shortage->to)
        stretch.end = shortage->to;
    return stretch;
}

int64_t simulation_cpu_end(const struct simulation *simulation, int64_t at, int64_t cost)
{
    for (;;) {
        struct stretch stretch = simulation_stretch_at(simulation, at);
        if (stretch.runs && cost <= stretch.end - at)
            return at + cost;
        if (stretch.runs)
            cost -= stretch.end - at;
        at = stretch.end;
    }
}

struct cpu_time simulation_cpu_of(const struct simulation *simulation, int64_t began, int64_t cost,
                                  int64_t at)
{
    struct cpu_time time = {0};
    int64_t now = began;
    while (time.used_ns < cost && now < at) {
        struct stretch stretch = simulation_stretch_at(simulation, now);
        int64_t end = stretch.end < at ? stretch.end : at;
        if (stretch.runs && end - now > cost - time.used_ns)
            end = now + cost - time.used_ns;
        if (stretch.runs)
            time.used_ns += end - now;
        else if (stretch.counted && (end < at || end == stretch.end))
            time.waited_ns += end - now; // it counts when it is over
        now = end;
    }
    return time;
}

static int64_t simulation_loop_at(const struct simulation *simulation, int64_t at)
{
    if (at < simulation->stalled_until)
        at = simulation->stalled_until;
    struct stretch stretch = simulation_stretch_at(simulation, at);
    return stretch.runs ? at : stretch.end;
}

bool simulation_had_own_trouble(const struct simulation *simulation, int64_t from, int64_t to)
{
    const struct story *story = simulation->story;
    for (size_t i = 0; i < story->count; i++) {
        const struct item *item = &story->items[i];
        if (story_item_is_own(item->kind) && item->at <= to && story_item_end(item) >= from)
            return true;
    }
    return false;
}

// --- what is told of it

void simulation_trace(const struct simulation *simulation, const char *format, ...)
{
    va_list arguments;
    if (simulation->trace == NULL)
        return;
    fprintf(simulation->trace, "  %9.3f s  ", (double)simulation->now / SECOND);
    va_start(arguments, format);
    vfprintf(simulation->trace, format, arguments);
    va_end(arguments);
    fprintf(simulation->trace, "\n");
}

void promise_broken(struct simulation *simulation, const char *promise, const char *how, ...)
{
    va_list arguments;
    if (simulation->failed)
        return;
    simulation->failed = true;
    simulation->failed_at = simulation->now;
    (void)snprintf(simulation->promise, sizeof simulation->promise, "%s", promise);
    va_start(arguments, how);
    (void)vsnprintf(simulation->how, sizeof simulation->how, how, arguments);
    va_end(arguments);
    simulation_trace(simulation, "BROKEN: %s: %s", promise, simulation->how);
}

// --- clocks that the heart has no business with

int __real_clock_gettime(clockid_t clock, struct timespec *time);
int __wrap_clock_gettime(clockid_t clock, struct timespec *time);

static int64_t simulation_wall_s = 1700000000;

// Boot time stands still, so that who asks for it is lost; the wall clock is what somebody has set.
int __wrap_clock_gettime(clockid_t clock, struct timespec *time)
{
    if (clock != CLOCK_BOOTTIME && clock != CLOCK_REALTIME)
        return __real_clock_gettime(clock, time);
    *time = (struct timespec){.tv_sec = clock == CLOCK_REALTIME ? (time_t)simulation_wall_s : 1};
    return 0;
}

int64_t simulation_wall_ms(int64_t at)
{
    return simulation_wall_s * 1000 + (at + BASE - SECOND) / MS;
}

// --- the platform, but for processes

static struct instant simulation_now(struct platform *platform)
{
    const struct simulation *simulation = CONTAINER_OF(platform, struct simulation, platform);
    return (struct instant){.ns = simulation->now + BASE};
}

static void simulation_wake_at(struct platform *platform, struct instant at)
{
    struct simulation *simulation = CONTAINER_OF(platform, struct simulation, platform);
    simulation->wake_at = at.ns == INT64_MAX ? INT64_MAX : at.ns - BASE;
}

// --- what the story says

static unsigned *simulation_switch_of(struct simulation *simulation, enum item_kind kind)
{
    struct server *server = &simulation->server;
    switch ((int)kind) {
    case ITEM_FREEZE:
        return &server->frozen;
    case ITEM_SILENT_LOGIN:
        return &server->silent_login;
    case ITEM_SILENT_QUERY:
        return &server->silent_query;
    case ITEM_REFUSING:
    case ITEM_CRASH:
        return &server->refusing;
    case ITEM_STARTING:
        return &server->starting;
    case ITEM_FULL:
        return &server->full;
    case ITEM_DENYING:
        return &server->denying;
    case ITEM_SLOW:
        return &server->slow;
    case ITEM_BAD_VALUES:
        return &server->bad_values;
    case ITEM_NO_ROWS:
        return &server->no_rows;
    case ITEM_ERRORS:
        return &server->errors;
    case ITEM_LARGE:
        return &server->large;
    case ITEM_FRAGILE:
        return &server->fragile;
    case ITEM_CRASHING:
        return &simulation->crashing;
    case ITEM_NO_START:
        return &simulation->no_start;
    case ITEM_BABBLE:
        return &simulation->babble;
    case ITEM_PEERS_SILENT:
        return &simulation->peers_silent;
    case ITEM_PEERS_CRASHING:
        return &simulation->peers_crashing;
    case ITEM_PEERS_BABBLE:
        return &simulation->peers_babbling;
    default:
        return &simulation->other;
    }
}

static void simulation_note_silence(struct simulation *simulation)
{
    struct server *server = &simulation->server;
    bool all = server->frozen > 0;
    bool query = all || (server->silent_query > 0 && server->refusing == 0);
    if (!all)
        server->silent_since = INT64_MAX;
    else if (server->silent_since == INT64_MAX)
        server->silent_since = simulation->now;
    if (!query)
        server->query_silent_since = INT64_MAX;
    else if (server->query_silent_since == INT64_MAX)
        server->query_silent_since = simulation->now;
}

static void simulation_on_item_over(struct simulation *simulation, void *subject, uint64_t mark)
{
    assert(simulation != NULL); // for the analyzer, which doubts it where a switch within is none
    const struct item *item = subject;
    struct server *server = &simulation->server;
    unsigned *on = simulation_switch_of(simulation, item->kind);
    (void)mark;
    simulation_trace(simulation, "... is over: item %d", (int)item->kind);
    --*on;
    if (item->kind == ITEM_ROTATE || item->kind == ITEM_ROTATE_OURS)
        server->our_secret = server->secret = server->latest_secret;
    if (item->kind == ITEM_SUPERUSER)
        server->superuser = false;
    if (item->kind == ITEM_UPGRADE)
        server->upgraded = false;
    if (item->kind == ITEM_STOP)
        process_stop_all(simulation, false);
    simulation_note_silence(simulation);
    server_review(simulation);
    peers_review(simulation);
}

static void simulation_do_later(struct simulation *simulation, const struct item *item,
                                void (*todo)(struct simulation *, const struct item *))
{
    if (simulation->todo_count == ITEMS_MAX)
        return;
    simulation->todo[simulation->todo_count] = todo;
    simulation->todo_items[simulation->todo_count++] = item;
    simulation->readable = true;
}

static void simulation_restart(struct simulation *simulation, const struct item *item)
{
    (void)item;
    adapter_end(simulation);
    adapter_start(simulation);
}

static void simulation_drain(struct simulation *simulation, const struct item *item)
{
    adapter_drain(simulation, item->lasts);
}

static void simulation_ask_later(struct simulation *simulation, int64_t what)
{
    if (simulation->ask_count < sizeof simulation->asks / sizeof *simulation->asks)
        simulation->asks[simulation->ask_count++] = what;
    simulation->readable = true;
}

static void simulation_on_ask(struct simulation *simulation, void *subject, uint64_t mark)
{
    const struct item *item = subject;
    (void)mark;
    if (item->lasts > 0 && simulation->now > item->at + item->lasts)
        return;
    simulation_ask_later(simulation, item->b);
    simulation_at(simulation, simulation->now + item->a * MS, simulation_on_ask, subject, 0);
}

static void simulation_on_server_item(struct simulation *simulation, const struct item *item)
{
    struct server *server = &simulation->server;
    if (item->kind == ITEM_SLOW)
        server->slowness = item->a;
    if (item->kind == ITEM_FRAGILE)
        server->fragility = item->a;
    if (item->kind == ITEM_CRASH)
        server_crash(simulation);
    if (item->kind == ITEM_END_SESSIONS)
        server_end_sessions(simulation);
    if (item->kind == ITEM_STOP_SESSIONS)
        server_stop_sessions(simulation);
    if (item->kind == ITEM_ROTATE)
        server->secret = ++server->latest_secret;
    if (item->kind == ITEM_ROTATE_OURS)
        server->our_secret = ++server->latest_secret;
    if (item->kind == ITEM_SUPERUSER)
        server->superuser = true;
    if (item->kind == ITEM_UPGRADE)
        server->upgraded = true;
}

static void simulation_on_own_item(struct simulation *simulation, const struct item *item)
{
    if (item->kind == ITEM_STALL && simulation->stalled_until < simulation->now + item->lasts)
        simulation->stalled_until = simulation->now + item->lasts;
    if (item->kind == ITEM_STOP)
        process_stop_all(simulation, true);
    if (item->kind == ITEM_KILL)
        process_kill_all(simulation);
}

static void simulation_on_item(struct simulation *simulation, void *subject, uint64_t mark)
{
    assert(simulation != NULL); // for the analyzer, which doubts it where a switch within is none
    const struct item *item = subject;
    char words[160];
    (void)mark;
    story_describe_item(item, words, sizeof words);
    simulation_trace(simulation, "%s", words);
    unsigned *on = simulation_switch_of(simulation, item->kind);
    ++*on;
    if (story_item_is_server(item->kind))
        simulation_on_server_item(simulation, item);
    else if (story_item_is_own(item->kind))
        simulation_on_own_item(simulation, item);
    else if (item->kind == ITEM_ASK_EACH)
        simulation_on_ask(simulation, subject, 0);
    else if (item->kind == ITEM_STEP) {
        simulation_wall_s += item->a;
        simulation->stepped = simulation->now;
    } else if (item->kind == ITEM_RELOAD)
        simulation_do_later(simulation, item, adapter_reload);
    else if (item->kind == ITEM_RESTART)
        simulation_do_later(simulation, item, simulation_restart);
    else if (item->kind == ITEM_DRAIN)
        simulation_do_later(simulation, item, simulation_drain);
    for (int64_t i = 0; item->kind == ITEM_ASK_BURST && i < item->a; i++)
        simulation_ask_later(simulation, item->b);
    simulation_note_silence(simulation);
    server_review(simulation);
    if (item->lasts > 0 && item->kind != ITEM_ASK_EACH && item->kind != ITEM_DRAIN)
        simulation_at(simulation, simulation->now + item->lasts, simulation_on_item_over, subject,
                      0);
}

// --- the loop

static void simulation_ring(struct simulation *simulation)
{
    if (simulation->wake_at > simulation->now)
        return;
    simulation->wakes++;
    promise_on_wake(simulation);
    simulation->wake_at = INT64_MAX;
    platform_ring(&simulation->platform);
}

static void simulation_read_processes(struct simulation *simulation,
                                      const struct process_list *processes,
                                      bool (*deliver)(struct prober_process *process))
{
    struct prober_process *process = LIST_FIRST(processes);
    while (process != NULL && !simulation->failed) {
        struct prober_process *next = LIST_NEXT(process, entry);
        if (deliver(process))
            simulation->readable = true; // there may be more
        process = next;
    }
}

static void simulation_read_requests(struct simulation *simulation)
{
    for (size_t i = 0; i < simulation->ask_count && !simulation->failed; i++)
        client_ask(simulation, simulation->asks[i]);
    simulation->ask_count = 0;
}

// In one order or another.
static void simulation_read(struct simulation *simulation)
{
    bool requests_first = chance_once_in(&simulation->chance, 3);
    simulation->readable = false;
    if (requests_first)
        simulation_read_requests(simulation);
    simulation_read_processes(simulation, &simulation->processes, process_deliver);
    simulation_read_processes(simulation, &simulation->peers, peers_deliver);
    for (size_t i = 0; i < simulation->todo_count; i++)
        simulation->todo[i](simulation, simulation->todo_items[i]);
    simulation->todo_count = 0;
    adapter_look_at_drain(simulation);
    simulation_read_requests(simulation);
}

// Nobody goes through the list now.
static void simulation_bury(struct simulation *simulation)
{
    struct prober_process *process = LIST_FIRST(&simulation->processes);
    while (process != NULL) {
        struct prober_process *next = LIST_NEXT(process, entry);
        if (process->dead && process->owner == NULL) {
            LIST_REMOVE(process, entry);
            LIST_INSERT_HEAD(&simulation->buried, process, entry);
        }
        process = next;
    }
}

static void simulation_turn(struct simulation *simulation)
{
    simulation->turns++;
    if (chance_once_in(&simulation->chance, 2))
        simulation_ring(simulation);
    if (simulation->readable)
        simulation_read(simulation);
    simulation_ring(simulation);
    simulation->begins_batches = true;
    platform_before_wait(&simulation->platform);
    simulation->begins_batches = false;
    simulation_bury(simulation);
    if (!simulation->readable && simulation->wake_at > simulation->now)
        promise_after_turn(simulation);
}

// Goes on to whatever comes next. False if nothing does before the end.
static bool simulation_step(struct simulation *simulation, int64_t end)
{
    int64_t event = simulation->event_count > 0 ? simulation->events[0].at : INT64_MAX;
    int64_t wants = simulation->readable ? simulation->now : simulation->wake_at;
    int64_t loop = wants < end ? simulation_loop_at(simulation, wants) : INT64_MAX;
    if (event > end && loop > end) {
        simulation->now = end;
        return false;
    }
    if (event <= loop) {
        struct event first = simulation_take_event(simulation);
        simulation->now = first.at;
        first.happen(simulation, first.subject, first.mark);
    } else {
        simulation->now = loop;
        simulation_turn(simulation);
    }
    return !simulation->failed;
}

static void simulation_run_until(struct simulation *simulation, int64_t end)
{
    while (simulation_step(simulation, end))
        continue;
}

static void simulation_open(struct simulation *simulation, const struct story *story, FILE *trace)
{
    static struct platform_functions functions;
    *simulation = (struct simulation){.story = story,
                                      .chance = {.state = story->seed ^ 0x5eed},
                                      .wake_at = INT64_MAX,
                                      .trace = trace};
    functions = peers_functions();
    functions.now = simulation_now;
    functions.wake_at = simulation_wake_at;
    simulation->platform = platform_with(&functions);
    simulation->server = (struct server){.slowness = 1,
                                         .secret = 1,
                                         .latest_secret = 1,
                                         .our_secret = 1,
                                         .silent_since = INT64_MAX,
                                         .query_silent_since = INT64_MAX};
    LIST_INIT(&simulation->processes);
    LIST_INIT(&simulation->peers);
    LIST_INIT(&simulation->buried);
    TAILQ_INIT(&simulation->requests);
    TAILQ_INIT(&simulation->answered);
}

static void simulation_note_shortage(struct simulation *simulation, const struct item *item)
{
    bool counted = item->kind == ITEM_STARVE;
    if (!story_item_is_shortage(item->kind))
        return;
    simulation->shortages[simulation->shortage_count++] =
        (struct shortage){.from = item->at,
                          .to = item->at + item->lasts,
                          .percent = item->a,
                          .period = counted ? PERIOD : item->b * MS,
                          .counted = counted};
}

bool simulation_run(struct simulation *simulation, const struct story *story, FILE *trace)
{
    simulation_open(simulation, story, trace);
    for (size_t i = 0; i < story->count; i++) {
        const struct item *item = &story->items[i];
        simulation_note_shortage(simulation, item);
        simulation_at(simulation, item->at, simulation_on_item, (void *)(uintptr_t)item, 0);
    }
    adapter_start(simulation);
    simulation_run_until(simulation, story->length);
    if (!simulation->failed) {
        adapter_end(simulation);
        simulation_run_until(simulation, story->length + 60 * SECOND);
    }
    if (!simulation->failed)
        promise_at_end(simulation);
    return !simulation->failed;
}

void simulation_free(struct simulation *simulation)
{
    if (simulation->adapter.scheduler != NULL)
        adapter_end(simulation);
    client_free_all(simulation);
    process_free_all(simulation);
    peers_free_all(simulation);
    for (size_t i = 0; i < simulation->fact_count; i++)
        free(simulation->facts[i]);
    for (size_t i = 0; i < simulation->record_count; i++) {
        free(simulation->records[i]->facts);
        free(simulation->records[i]);
    }
    for (size_t i = 0; i < simulation->check_record_count; i++)
        free(simulation->check_records[i]);
    free(simulation->facts);
    free(simulation->records);
    free(simulation->check_records);
    free(simulation->server.held);
    free(simulation->events);
    alarms_free(&simulation->platform.alarms);
}
