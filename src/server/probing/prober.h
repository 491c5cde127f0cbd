// A named prober: the queue of checks that are due on it, the batch under way, and the incarnations
// of its process that come and go underneath. It acts on events alone: a check is wanted, a process
// has replied or died, an alarm rings.
#pragma once

#include "server/check/statistics.h"
#include "server/probing/job.h"
#include "server/probing/platform.h"
#include "server/probing/refusal.h"

// What one probe of a check ended in.
struct probe {
    enum outcome outcome; // reportable, or one of the adapter's own
    enum verb stage;      // the verb that was outstanding
    const char *code;     // SQLSTATE or error number, "" if none; for the time of the call
    const char *message;  // the driver's words, for the log; for the time of the call
    struct instant started;
    struct instant ended;
    struct duration silent; // for an open or run left unanswered: how long by now; else 0
    struct duration held;   // not run now for want of answers; how long that will go on; else 0
    struct result *result;  // with OUTCOME_OK of a run; freed after the call unless taken
    bool superuser;         // the probe user is one
    bool unasked;           // its time means nothing: it was told before, or nothing ran
    bool refused; // the server refuses the secret; with OUTCOME_OK, the one before it still works
};

struct prober;

// Told for each job that was wanted, once or more: an open that stays unanswered gives `timeout` at
// its deadline, and what it brings later is told as well. May be called from within prober_want and
// prober_look.
typedef void prober_done(void *context, struct job *job, struct probe *probe);

// What a prober is made with; all but the refusal must outlive it.
struct prober_setup {
    struct platform *platform;
    enum engine engine;                   // whose program its processes run
    bool keeps;                           // it leaves its connection open between batches
    struct prober_statistics *statistics; // where what it does is counted, and its name
    struct refusal *refusal;              // what the probers of one server share; held
    prober_done *done;
    void *context;
};

// Nothing is started before the first batch. Freed by prober_end.
struct prober *prober_new(const struct prober_setup *setup);

// Puts a job into the queue, once: a job that is in the queue or under way stays there, but moves
// up if a request waits for it now. While the server leaves an open or the job's own run
// unanswered, or the program cannot be started, `done` is called at once, or after another look
// (EFFORT_PERIOD_MS) if the process may be about to reply. A job whose runs were left unanswered is
// held back for a while: the server is only asked to let us in, and what comes of that is told, or
// `unknown` if it does.
void prober_want(struct prober *prober, struct job *job, bool requested);

// No request waits for the job any more: it goes behind those that one waits for.
void prober_release(struct prober *prober, struct job *job);

// Takes a job that nobody waits for any more out of the prober's hands; `done` is not called for it
// any more. False if it runs now: it is done by its deadline.
bool prober_drop(struct prober *prober, struct job *job) __attribute__((warn_unused_result));

// Starts a batch of all that is queued, if none is under way. Called before the loop waits, so that
// what fell due at one moment shares a connection.
void prober_start_batch(struct prober *prober);

// Acts on what the process has sent by now, without waiting: before it is said that there is no
// answer.
void prober_look(struct prober *prober);

// What is to say of a job that was wanted and is not done when a request must be answered: timeout
// or starved with the time it has taken, or unknown with the job that is in its way.
struct unfinished {
    enum outcome outcome;
    struct duration ran;       // since its run, or its batch's open, began
    const struct check *ahead; // for unknown: what runs in its stead; NULL: nothing yet
};
struct unfinished prober_explain(struct prober *prober, const struct job *job);

// Ends the process politely, forgets all jobs, and frees the prober; `done` is not called any more.
// Not from within that.
void prober_end(struct prober *prober);

// True when only a restart of the adapter can help: the program could not be started, or crashed,
// 5 times in a row over at least 30 s. Never of one that asks peers: nobody is killed for what
// others say.
bool prober_is_beyond_help(const struct prober *prober);

const char *prober_name(const struct prober *prober);

const struct refusal *prober_refusal(const struct prober *prober);

// The sandbox that its latest process was in by its word, where that is not the server's; NULL: it
// is, or nothing is known. Lives as long as the prober.
const char *prober_sandbox(const struct prober *prober);

// Of its states, see prober.c; for tests and for people.
const char *prober_state_name(const struct prober *prober);

const struct prober_statistics *prober_statistics(const struct prober *prober);

// True while an open has its time.
bool prober_is_opening(const struct prober *prober);

// True while the server leaves an open unanswered past its deadline.
bool prober_is_pending(const struct prober *prober);

// The server, as of the latest open that it answered well.
struct server_seen {
    struct instant opened; // 0: none was
    enum flavor flavor;
    const char *version; // lives as long as the prober
};
struct server_seen prober_server(const struct prober *prober);
