// What an answer says, before it is text (here), JSON (document.h) or the page (page.h). All three
// are pure.
#pragma once

#include "common/sandbox.h"
#include "common/text.h"
#include "server/base/wall_time.h"
#include "server/check/statistics.h"
#include "server/config/config.h"

#include <stdio.h>

// The server, as far as it is known.
struct server_view {
    enum engine engine;
    const char *flavor, *version; // NULL: no prober has seen it yet
};

// What is said of a prober.
struct prober_view {
    const struct prober_statistics *statistics;
    bool open_pending;   // the server leaves its login unanswered
    bool beyond_help;    // as of prober_is_beyond_help
    const char *sandbox; // as of prober_sandbox
};

// The adapter as a whole.
struct adapter_view {
    const struct config *config; // whose checks are those of the report, in its order
    const bool *passes;          // of its endpoints, in its order
    const struct prober_view *probers;
    size_t prober_count;
    const struct statistics *statistics;
    const char *configuration_warning; // NULL: nothing is wrong with it
    const struct sandbox *sandbox;     // that it is in
};

// Lives for one answer; points to what others own.
struct report {
    const char *name; // of the endpoint
    const struct endpoint_rule *rule;
    const struct check_view *views;
    size_t count;
    struct circumstances circumstances;
    bool passes;
    bool warns;                       // it passes, with a warning
    bool shows_warning;               // a client takes that for less than well
    bool shows_drain;                 // draining is one of the reasons it fails for
    const struct words *not_excluded; // names in `exclude` that are no check of it; NULL: none
    // For JSON and the page only:
    const struct params *overrides; // the request's values for params; NULL: none
    bool history;                   // the past is told too
    struct moment moment;
    const struct server_view *server;   // NULL: it is not told of
    const struct adapter_view *adapter; // likewise
};

enum { DETAIL_MAX = 512 };

// What there is to say beside the verdict: the rule that holds and the value seen, or the outcome
// in words and what to do about it; "" if nothing is to be said. The same words in bodies, tables
// and JSON.
void report_detail(const struct judgement *judgement, char *bytes, size_t capacity);

// Likewise without what to do about it.
void report_reason(const struct judgement *judgement, char *bytes, size_t capacity);

// True if the verdict is that of a result, so that the check's history says since when it holds: an
// answer that could not wait for one, or judged by the request's own params, has another.
bool report_is_settled(const struct check_view *view);

// A foreign text made fit to show, whole; to be freed.
char *report_clean(const char *text);

// True if the server plays the role, "primary" or "replica": a check of the endpoint of this name
// was judged. One of a role that is not the server's is skipped, and what came to no row says
// nothing of it.
bool report_has_role(const struct report *report, const char *role);

// How a prober is: "pass", "warn" or "fail".
const char *report_prober_status(const struct prober_view *prober);

// Why; NULL if it passes.
const char *report_prober_output(const struct prober_view *prober);

// One check's line.
void report_check_line(FILE *body, const struct check_view *view, bool fails);

// "[+]name words" or "[-]name words": a line of a plain body for something that is no check.
void report_line(FILE *body, bool well, const char *name, const char *words);

// "[-]name": the line of what fails where no details are told.
void report_name(FILE *body, const char *name);

// "readyz check passed", "readyz check failed".
void report_conclusion(FILE *body, const char *name, bool passes);

// The plain body where no details are told: the names of what fails ("[-]lag"), a line each, then
// the conclusion.
void report_names(FILE *body, const struct report *report);

// The whole plain body, as Kubernetes' own components write it: a line a check ("[+]alive ok",
// "[-]lag failed: lag_seconds 45 > 30"), then the conclusion.
void report_text(FILE *body, const struct report *report);

enum { AGENT_LINE_MAX = 256 };

// The line that an agent check of HAProxy gets (its manual, "agent-check"), of at most
// AGENT_LINE_MAX - 1 bytes: "ready up", with a weight ("75%") where one of its checks has a column
// weight_percent; "drain up" where the report shows a drain, of which `passes` is to know nothing;
// "maint" where all checks are skipped, for then the server has not the role; "ready down #lag:
// lag_seconds 45 > 30" where it is not well, with names alone where no details may be told. Each
// ends in a line end.
enum agent_word report_agent(const struct report *report, bool well, bool details,
                             struct text *line);

// The line where what was asked for is not there, and what is wrong with it.
void report_agent_refusal(const char *words, struct text *line);
