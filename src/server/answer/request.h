// A request, from the socket to the last byte of its answer: HTTP makes it, everyone who has a part
// in the answer gets a pointer to it, and HTTP frees it.
#pragma once

#include "server/answer/accept.h"
#include "server/answer/route.h"
#include "server/answer/service.h"
#include "server/report/report.h"

#include <stdio.h>

enum method { METHOD_GET, METHOD_HEAD, METHOD_OPTIONS, METHOD_OTHER };

// How long an answer is the one to the very same request. All zeros: for one request only.
struct validity {
    struct instant until; // its Age is right and all results that it uses are young enough
    uint64_t changes;     // of the scheduler: nothing has become known since
    bool draining;        // it was given while that was so
    size_t checks;        // how many results it uses
    struct endpoint_statistics *counts; // where it is counted
};

struct answer {
    unsigned status;      // of HTTP; 0: there is none yet
    const char *type;     // of the body: static
    char *body;           // owned until HTTP takes it
    size_t length;        // of the body
    enum agent_word word; // of an answer to an agent check; AGENT_FAIL: the body says why
    bool warns;           // what was asked for is well, but with a warning
    int64_t age;          // whole seconds, of the oldest result used; -1: none was used
    const char *policy;   // Content-Security-Policy: static; NULL: none
    struct validity validity;
};

struct request {
    // Who asks and what for; set by who made it before the request is answered.
    void *asker; // theirs, for nobody else to look into
    struct service *service;
    char *target;          // as it came, undecoded; owned
    bool may_have_details; // else no more than status, `ok` and names
    enum method method;
    struct route route;
    enum media media; // wanted of the answer's body
    bool agent;       // an agent check of HAProxy asks, and gets a line; see report.h

    // What it is answered from, while checks are run for it; see request_hold_config.
    struct config *config; // held: what the request began with is what it ends with; NULL: nothing
    const struct endpoint *endpoint; // of config
    struct params overrides;         // the request's own values for params

    // The answer. `answered` is called once, when it is there: from within answer_request perhaps,
    // and by the deadline at the latest.
    struct answer answer;
    void (*answered)(struct request *request);
};

// Copies the target. Never NULL.
struct request *request_new(struct service *service, const char *target, void *asker,
                            void (*answered)(struct request *request));

// NULL is fine.
void request_free(struct request *request);

// Takes the target apart and decides which media type the answer has: the query's `format`, else
// what of the header `accept` (NULL: there is none) suits the path.
void request_parse(struct request *request, enum method method, const char *accept);

// Likewise of a line that an agent check has sent: the target.
void request_parse_line(struct request *request);

// True if the body is to be the JSON document.
bool request_wants_json(const struct request *request);

// Holds the configuration of this moment for the request.
void request_hold_config(struct request *request);

// A body that is written piece by piece.
struct body {
    FILE *file;
    char *bytes;
    size_t length;
};

void body_open(struct body *body);

// The status of HTTP for what the report says, with the status that the query wants for a warning,
// which the answer gets a header for.
unsigned request_status(struct request *request, const struct report *report);

// Each of these answers the request, and counts the answer. Age as in struct answer.

// With plain words, which an agent check gets as a refusal.
void request_reply_words(struct request *request, unsigned status, const char *words, int64_t age);

// With the error's text on a line.
void request_reply_error(struct request *request, unsigned status, const struct error *error);

// With the body, which is closed, of this type; plain text if NULL.
void request_reply_body(struct request *request, unsigned status, const char *type,
                        struct body *body, int64_t age);

// Likewise with a body of JSON, of the media type that the request wants.
void request_reply_json(struct request *request, unsigned status, struct body *body, int64_t age);

// An agent check with the line for what the report says.
void request_reply_agent(struct request *request, unsigned status, const struct report *report);

// The age of the oldest result among the views; -1: there is none.
int64_t request_age(const struct check_view *views, size_t count);
