// Which check runs when, and what is known of each: caches, single flight, background runs.
// Requests come here with a set of checks and get a view of each, at once or by their deadline.
#pragma once

#include "server/config/config.h"
#include "server/probing/prober.h"

struct scheduler;

// Starts with nothing known. A request is answered within the deadline. Holds a reference to the
// configuration. Counts in statistics, which must outlive it, as the platform must. Background runs
// begin at once.
struct scheduler *scheduler_new(struct platform *platform, struct config *config,
                                struct duration deadline, struct statistics *statistics);

// Until there is a first result, has one prober at a time log in: a secret that is refused is shown
// once, not once a prober. For commands; one that serves must not wait.
void scheduler_log_in_one_by_one(struct scheduler *scheduler);

// Goes over to another configuration; the requests that wait get their answers from the one that
// they began with. Of a check that is the very same object in both all is kept (its result, its
// period, its run under way), and so are probers by their names; but nothing if the target is
// another. What is not kept is neither logged nor counted any more. Not from within a call of
// scheduler_ready.
void scheduler_reload(struct scheduler *scheduler, struct config *config);

// Answers every request that waits with what is known, ends the probers politely, and frees itself.
// Not from within a call of scheduler_ready; and who is answered must not ask anew.
void scheduler_end(struct scheduler *scheduler);

// Told once, with a view of each check in the order asked for; they last for the call and may be
// changed. Never more than the deadline after scheduler_ask, and possibly from within it.
typedef void scheduler_ready(void *context, struct check_view *views, size_t count);

// Asks for these checks (indices into the configuration's). A result that is young enough is used;
// of what is missing, one run each is started, before the loop waits, or joined. At the deadline
// the answer is given with what there is then. A result that the request waited for may be older
// than its check's cache, for its run may have begun before the request: by no more than the
// check's timeout, or that of the check whose login it shared.
void scheduler_ask(struct scheduler *scheduler, const size_t *checks, size_t count,
                   scheduler_ready *ready, void *context);

// Runs the checks of /healthz in the background, whatever their cache.
void scheduler_refresh_liveness(struct scheduler *scheduler);

// True if a probe that began after this instant found no server there any more: refused or
// unreachable.
bool scheduler_server_is_gone(const struct scheduler *scheduler, struct instant after);

// A number that is another one after each result and reload: as long as it is the same, what is
// known of every check is the same.
uint64_t scheduler_changes(const struct scheduler *scheduler);

// The probers, for /livez and /metrics.
size_t scheduler_prober_count(const struct scheduler *scheduler);
const struct prober *scheduler_prober(const struct scheduler *scheduler, size_t index);

// The server as the prober saw it that has looked last.
struct server_seen scheduler_server(const struct scheduler *scheduler);
