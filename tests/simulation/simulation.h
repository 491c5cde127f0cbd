// The real scheduler, probers, judge and endpoints in a world of virtual time: a model of a
// database server, of prober processes, of our own CPU, of clients and of whoever reloads and ends
// the adapter. What happens to them stands in a story, drawn from a seed; what must never happen is
// in promises.c. All is one thread and has no clock: the same story ends in the same way.
#pragma once

#include "server/base/container_of.h"
#include "server/probing/scheduler.h"

#include <stdio.h>
#include <sys/queue.h>

#define MS     1000000LL // ns
#define SECOND (1000 * MS)
#define BASE   (1000 * SECOND) // the heart's instants are that much later: 0 has a meaning there

struct simulation;

// --- chance.c

struct chance {
    uint64_t state;
};

uint64_t chance_draw(struct chance *chance);
// From low to high, both included.
int64_t chance_between(struct chance *chance, int64_t low, int64_t high);
// True once in so many times.
bool chance_once_in(struct chance *chance, int64_t times);

// --- story.c: what the adapter is set up with, and what happens

enum { CHECKS_MAX = 8, ITEMS_MAX = 64, NAME_ROOM = 32 };

struct blueprint_check {
    bool used;
    unsigned prober; // index of prober_names
    const char *endpoint;
    int64_t timeout, cache, every; // ms
    bool writes, broken;
    bool unmeant; // for the server's version at first
    int64_t hold; // ms that its rule must have held; 0: it fails at once
};

enum item_kind {
    // of the server
    ITEM_FREEZE, // no answer to anything
    ITEM_SILENT_LOGIN,
    ITEM_SILENT_QUERY,
    ITEM_REFUSING,
    ITEM_STARTING,
    ITEM_FULL,
    ITEM_DENYING,
    ITEM_SLOW,          // a: times as slow
    ITEM_CRASH,         // sessions are lost; then it refuses, then it starts
    ITEM_END_SESSIONS,  // by an administrator
    ITEM_STOP_SESSIONS, // those that are open now never answer again
    ITEM_BAD_VALUES,    // the user's rules hold
    ITEM_NO_ROWS,
    ITEM_ERRORS,
    ITEM_FRAGILE,     // a statement ends its session, once in a times
    ITEM_LARGE,       // rows larger than a prober takes
    ITEM_ROTATE,      // another password at the server; ours follows after `lasts`
    ITEM_ROTATE_OURS, // the other way round
    ITEM_SUPERUSER,
    ITEM_UPGRADE, // to another version, and back
    // of us
    ITEM_STALL,      // the adapter stands still
    ITEM_STARVE,     // a: percent of a CPU, for all of us
    ITEM_STUTTER,    // likewise, by being stopped for the rest of each b ms, which nobody counts
    ITEM_STOP,       // the processes that are there are stopped
    ITEM_KILL,       // the processes that are there are killed
    ITEM_CRASHING,   // each process dies of its next call
    ITEM_SLOW_START, // a: ms that a process takes to be there
    ITEM_NO_START,   // it cannot be started
    ITEM_BABBLE,     // replies that fit no call
    // of peers
    ITEM_PEERS_SILENT,   // those that we ask answer nothing
    ITEM_PEERS_CRASHING, // who asks them dies of it
    ITEM_PEERS_BABBLE,   // its replies fit no call
    // of clients
    ITEM_ASK_EACH,  // a: period in ms, b: what; from then on, to the end or for `lasts`
    ITEM_ASK_BURST, // a: how many, b: what
    // of whoever runs it
    ITEM_RELOAD, // a: enum reload_kind, b: which check
    ITEM_DRAIN,
    ITEM_RESTART,
    ITEM_STEP, // of the wall clock; a: s
    ITEM_KINDS // not a kind
};

enum reload_kind {
    RELOAD_SAME,
    RELOAD_CHANGE,
    RELOAD_REMOVE,
    RELOAD_ADD,
    RELOAD_MOVE, // to another prober
    RELOAD_TARGET,
    RELOAD_KINDS // not a kind
};

struct item {
    enum item_kind kind;
    int64_t at, lasts; // ns
    int64_t a, b;
};

struct story {
    uint64_t seed;
    int64_t length; // ns
    struct blueprint_check checks[CHECKS_MAX];
    unsigned keep; // bits of probers
    bool peers;    // there is a check that asks them
    struct item items[ITEMS_MAX];
    size_t count;
};

enum { PROBERS = 3 };
extern const char *const prober_names[PROBERS]; // the first is of /healthz alone

// What a client asks for, by number: an endpoint, or one check alone.
enum {
    WHAT_HEALTHZ,
    WHAT_READYZ,
    WHAT_STARTUPZ,
    WHAT_ALL,
    WHAT_CHECK,
    WHATS = WHAT_CHECK + CHECKS_MAX,
    WHAT_PEERS = WHATS // of another endpoint
};

struct story story_draw(uint64_t seed);
// "12.345 s  the server leaves logins unanswered for 20.0 s".
void story_describe_item(const struct item *item, char *text, size_t capacity);
void story_print(const struct story *story);
bool story_item_is_own(enum item_kind kind);      // a fault of ours
int64_t story_item_end(const struct item *item);  // of what it does: the last start that it slows
bool story_item_is_server(enum item_kind kind);   // a fault of the server
bool story_item_is_shortage(enum item_kind kind); // of the CPU: we have a percent of it

// --- server.c: the model of the server

// One call of a prober, from us to the server and back.
struct fact {
    uint32_t id;
    struct prober_process *process;
    struct prober_record *record;
    struct call call;    // without its SQL
    char sql[NAME_ROOM]; // of a run; "" else
    const char *text;    // where its check has that
    int64_t begun;       // its statement's time, at the server; 0: not yet
    int64_t received;    // by the server, all of it; 0: not yet
    int64_t answered;    // by the server; 0: not yet
    int64_t arrived;     // where we can read it; 0: not yet
    int64_t delivered;   // to its owner; 0: not yet
    int64_t sent;
    int64_t job_began;    // the earliest that the result may be dated
    int64_t silent_since; // of the first of the calls in a row that were left unanswered; 0: none
    enum outcome outcome;
    enum trial trial;
    int64_t value;
    bool rows, superuser, on_kept, perhaps_on_kept, held;
    bool upgraded;          // the server was, when it was opened
    bool user_is_superuser; // as was known when it was delivered
    bool old_secret;        // likewise
    bool new_one_refused;   // and its successor, as was known then
    bool was_dead;          // the session was, before it was sent
    bool behind_goodbye;    // of an earlier session, which hangs
    bool killed;            // with its process
    bool is_silence;        // counted as one
    bool was_pending;       // when it was answered
    int64_t row_since;      // of a run: the rule has held since then, at most; 0: that is not known
    bool row_is_sure;       // since then and no other time
};

struct server {
    unsigned frozen, silent_login, silent_query, refusing, starting, full, denying, slow;
    unsigned bad_values, no_rows, errors, large, fragile;
    int64_t slowness, fragility;
    bool superuser, upgraded;
    uint64_t secret, our_secret; // what it accepts, and what we have
    uint64_t latest_secret;
    struct fact **held; // calls that it has and does not answer
    size_t held_count;
    int64_t silent_since; // all of it; INT64_MAX: it is not
    int64_t query_silent_since;
};

void server_take(struct simulation *simulation, struct fact *fact);
void server_review(struct simulation *simulation); // after a change
void server_crash(struct simulation *simulation);
void server_end_sessions(struct simulation *simulation);
void server_stop_sessions(struct simulation *simulation);

// --- process.c: the model of prober processes; they are the platform's

struct prober_process {
    LIST_ENTRY(prober_process) entry;
    struct simulation *simulation;
    const struct prober_process_events *events;
    void *owner; // NULL: no more events
    struct prober_record *record;
    unsigned number;
    bool born, dead, killed, stopped, ending;
    bool replied;
    bool death_is_known;
    struct fact *fact; // of the call that it has
    bool taken;        // that call
    bool crashes, babbles;
    bool hangs_in_goodbye;
    uint64_t worked; // the secret of its latest login; 0: none
    bool session, session_is_dead, session_is_stopped;
    enum outcome dead_outcome; // what a run on the dead session ends in
    uint64_t step;             // events of earlier ones are void
    void (*deferred)(struct simulation *simulation, void *subject, uint64_t mark);
    struct fact *replies[4]; // that can be read
    size_t reply_count;
    int64_t phase_began, phase_cost; // on the CPU; cost 0: not
    struct cpu_time cpu;             // of phases before
    int64_t held_ns, held_since;     // how long the server has had its calls; since 0: has none
    uint32_t last_sequence;
    struct peers *peers; // of who asks them; NULL: it asks the server
};

LIST_HEAD(process_list, prober_process);

extern const struct platform_functions process_functions;

void process_answer(struct simulation *simulation, struct fact *fact);
void process_stop_all(struct simulation *simulation, bool stopped);
void process_kill_all(struct simulation *simulation);
// Hands over what can be read of one; true if there was something.
bool process_deliver(struct prober_process *process);
int64_t process_held_ns(const struct prober_process *process, int64_t at);
void process_go_on_after_goodbye(struct prober_process *process);
void process_free_all(struct simulation *simulation);

// --- peers.c: the model of who asks the adapters of other servers

// Of all processes; those of process.c behind them.
struct platform_functions peers_functions(void);
bool peers_deliver(struct prober_process *process); // as process_deliver
void peers_review(struct simulation *simulation);   // after a change
bool peers_may_wake(const struct simulation *simulation);
void peers_free_all(struct simulation *simulation);

// --- promises.c: what must hold

// What is noted of a prober of a scheduler.
struct prober_record {
    const struct prober *prober;
    char name[NAME_ROOM];
    uint64_t target;
    unsigned index;                 // of prober_names
    bool current, keeps;            // it is the scheduler's
    struct prober_process *process; // the one that is up
    unsigned failures;              // in a row
    int64_t first_failure, latest_failure;
    unsigned unanswered_opens; // in a row, each replaced by another
    int64_t inspected;         // 0: never
    bool superuser;
    struct fact *opened; // the latest open that went well
    bool ran;            // something, or nothing needed to, since
    int64_t began;       // the latest batch of which that is certain
    struct fact **facts; // its calls, in their order
    size_t fact_count, fact_room;
};

// What is noted of a check: of its SQL, with its version, and a target.
struct check_record {
    char sql[NAME_ROOM];
    uint64_t target;
    const char *prober;
    struct fact *latest;  // run
    unsigned silences;    // that can only be the server's, in a row
    int64_t silent_since; // the first of these
    int64_t held_until;
    bool troubled;    // one of them may have been for a fault of ours
    int64_t asked;    // when a request asked for it first since it was run; 0: none has
    int64_t told;     // when it was told last that a login gets no answer
    int64_t calm;     // when it was first asked for after our latest trouble had been forgotten
    uint64_t changes; // scheduler_changes, when a request was told this:
    int64_t began;
    enum outcome outcome;
    int64_t row_since; // of its runs, the first in a row at which its rule held; 0: there is none
    int64_t row_latest;
    bool row_is_sure; // nothing else may have ended it
};

struct prober_record *promise_record_of(const struct simulation *simulation,
                                        const struct prober *prober);

#define DEADLINE     (900 * MS)
#define COMMON_CACHE (2 * SECOND)

bool promise_is_own(enum outcome outcome);
bool promise_is_silent(enum outcome outcome);
struct check_record *promise_check_record(struct simulation *simulation, const char *sql,
                                          uint64_t target, const char *prober);
size_t promise_index_of(const struct check *check); // of its prober's name
bool promise_ends_session(enum outcome outcome);
// When the secret that was refused may be shown again.
int64_t promise_next_try(const struct simulation *simulation);

void promise_on_start(struct simulation *simulation, struct prober_process *process);
// After its failures.
bool promise_may_start(const struct prober_record *record, int64_t at);
void promise_on_failure(struct simulation *simulation, struct prober_record *record);
void promise_on_death(struct simulation *simulation, const struct fact *fact); // NULL: it had none
void promise_on_call(struct simulation *simulation, struct fact *fact);
void promise_on_delivered(struct simulation *simulation, struct fact *fact);
void promise_on_kill(struct simulation *simulation, struct prober_process *process);
void promise_on_goodbye(struct simulation *simulation, const struct prober_process *process);
void promise_on_wake(struct simulation *simulation);
void promise_after_turn(struct simulation *simulation);
void promise_on_gone(struct simulation *simulation); // serve.c would end
void promise_on_staying(struct simulation *simulation);
void promise_on_statistics(struct simulation *simulation);
void promise_on_statistics_of_checks(struct simulation *simulation);
void promise_at_end(struct simulation *simulation);

// The promise is broken: notes the first, and the story ends.
void promise_broken(struct simulation *simulation, const char *promise, const char *how, ...)
    __attribute__((format(printf, 3, 4)));

// --- rows.c: for how long a rule has held

// A run of it has been answered in time.
void promise_note_row(struct simulation *simulation, struct check_record *known, struct fact *fact);
// A check may have been told something that is no run's answer.
void promise_note_disturbance(struct simulation *simulation);
// A check has come with a reload, in the place of another of its name; NULL: there was none.
void promise_on_new_check(struct simulation *simulation, const struct check *check,
                          const struct check *before);
// What a run comes to whose value is bad; `claimed` if both are true.
enum outcome promise_outcome_of_row(const struct simulation *simulation, const struct fact *fact,
                                    enum outcome claimed);
// True if "for 8 s of 20 s" is so.
bool promise_row_is_told(const struct simulation *simulation, const struct fact *fact,
                         const char *reason);

// --- clients.c

struct request {
    TAILQ_ENTRY(request) entry;
    struct simulation *simulation;
    uint64_t number;
    int64_t what;
    const char *name; // of the endpoint
    int64_t asked;
    bool answered;
    struct config *config;
    const struct endpoint_rule *rule;
    size_t checks[CHECKS_MAX];
    size_t count;
};

TAILQ_HEAD(request_list, request);

void client_ask(struct simulation *simulation, int64_t what);
void promise_on_ask(struct simulation *simulation, const struct request *request);
// In claims.c.
void promise_on_answer(struct request *request, const struct check_view *views, size_t count);
void promise_on_answer_of_peers(const struct request *request, const struct check_view *views,
                                size_t count);
void client_free_all(struct simulation *simulation);

// --- adapter.c: the heart, and who configures it

struct adapter {
    struct scheduler *scheduler; // NULL: it is not up
    struct config *config;
    struct statistics *statistics;
    int64_t started;
    unsigned versions[CHECKS_MAX];
    unsigned moved[CHECKS_MAX]; // how many probers further on
    bool removed[CHECKS_MAX];
    int64_t born[CHECKS_MAX]; // when its object was made
    uint64_t target;
    int64_t draining_since; // 0: not
    bool drain_looks, drain_over;
    int64_t changed;                           // when it was last reloaded, drained or started
    struct prober_statistics counted[PROBERS]; // by us, since it was started
    uint64_t asked;                            // likewise: for a check, by a request
    uint64_t results[CHECKS_MAX];              // likewise: of its runs, with rows or none
};

void adapter_start(struct simulation *simulation);
void adapter_end(struct simulation *simulation);
void adapter_reload(struct simulation *simulation, const struct item *item);
void adapter_drain(struct simulation *simulation, int64_t lasts);
void adapter_look_at_drain(struct simulation *simulation); // a quarter of a second later
// The blueprint of its check.
size_t adapter_index(const char *sql);
// When the check of this SQL became what it is.
int64_t adapter_born(const struct simulation *simulation, const char *sql);
// True if the run is of a check that the configuration has, and not of one that was there before.
bool adapter_has(const struct simulation *simulation, const struct fact *fact);
// For how many ms the rule of the check of this SQL must have held.
int64_t adapter_hold_of(const struct simulation *simulation, const char *sql);
struct check *adapter_check_of(const struct simulation *simulation, const char *sql);

// --- simulation.c: time, and the loop

struct event {
    int64_t at;
    uint64_t order;
    void (*happen)(struct simulation *simulation, void *subject, uint64_t mark);
    void *subject;
    uint64_t mark;
};

// A time in which we get a part of the CPU only: at the beginning of each period.
struct shortage {
    int64_t from, to;
    int64_t percent, period;
    bool counted; // by the kernel, as time for which a process has waited
};

enum { SHORTAGES_MAX = ITEMS_MAX, BROKEN_MAX = 400 };

struct simulation {
    const struct story *story;
    struct chance chance;
    struct platform platform;
    int64_t now;
    struct event *events; // a heap
    size_t event_count, event_room;
    uint64_t order;
    int64_t wake_at;
    int64_t stalled_until;
    struct shortage shortages[SHORTAGES_MAX];
    size_t shortage_count;
    bool readable;       // something waits for the loop
    bool begins_batches; // all that is queued is taken
    void (*todo[ITEMS_MAX])(struct simulation *simulation, const struct item *item);
    const struct item *todo_items[ITEMS_MAX];
    size_t todo_count;
    int64_t asks[4096]; // what clients have asked for, and the loop has not seen yet
    size_t ask_count;
    struct server server;
    struct process_list processes;
    struct process_list peers;  // of another kind
    struct process_list buried; // those that are dead and of no more interest
    unsigned process_count;
    unsigned crashing, no_start, babble, other;
    unsigned peers_silent, peers_crashing, peers_babbling;
    int64_t peers_disturbed; // the latest time; 0: never
    struct fact **facts;
    size_t fact_count, fact_room;
    struct prober_record **records;
    size_t record_count;
    struct check_record **check_records;
    size_t check_record_count;
    struct request_list requests; // that wait
    struct request_list answered; // the latest
    size_t answered_count;
    int64_t answered_at; // the latest
    uint64_t request_count;
    struct adapter adapter;
    bool ending;       // scheduler_end is under way
    int64_t disturbed; // the latest time; see promise_note_disturbance
    uint64_t refused;  // the secret that the target has refused; 0: none
    uint64_t refused_target;
    unsigned refusals;                           // in a row
    int64_t refused_since, refused_at, shown_at; // the first, the latest; and a try since then
    uint64_t wakes, turns;
    int64_t stepped; // the wall clock was set, the latest time
    FILE *trace;     // NULL: nothing is written
    bool failed;
    int64_t failed_at;
    char promise[64], how[BROKEN_MAX];
};

// Runs a story. True if all promises were kept.
bool simulation_run(struct simulation *simulation, const struct story *story, FILE *trace);
void simulation_free(struct simulation *simulation);

void simulation_at(struct simulation *simulation, int64_t at,
                   void (*happen)(struct simulation *simulation, void *subject, uint64_t mark),
                   void *subject, uint64_t mark);
// When a piece of work that begins now and needs so much of the CPU is done.
int64_t simulation_cpu_end(const struct simulation *simulation, int64_t at, int64_t cost);
// What it has had of the CPU at a time before that, and how long it has waited: waits that are
// over.
struct cpu_time simulation_cpu_of(const struct simulation *simulation, int64_t began, int64_t cost,
                                  int64_t at);
// True if there was a fault of ours in this time.
bool simulation_had_own_trouble(const struct simulation *simulation, int64_t from, int64_t to);
// Unix time, as the wall clock is by now.
int64_t simulation_wall_ms(int64_t at);
void simulation_trace(const struct simulation *simulation, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
