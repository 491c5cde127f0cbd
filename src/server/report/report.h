// What an answer says of an endpoint, before it is text or JSON. Both renderings are pure but for
// the clock.
#pragma once

#include "server/check/endpoint.h"

#include <jansson.h>
#include <stdio.h>

// Lives for one answer; points to what others own.
struct report {
    const char *name; // of the endpoint
    const struct endpoint_rule *rule;
    const struct check_view *views;
    size_t count;
    struct circumstances circumstances;
    bool passes;
    bool shows_drain;                 // draining is one of the reasons it fails for
    const struct words *not_excluded; // names in `exclude` that are no check of it; NULL: none
};

enum { DETAIL_MAX = 512 };

// What there is to say beside the verdict: the rule that holds and the value seen, or the outcome
// in words and what to do about it; "" if nothing is to be said. The same words in bodies, tables
// and JSON.
void report_detail(const struct judgement *judgement, char *bytes, size_t capacity);

// One check's line.
void report_check_line(FILE *body, const struct check_view *view, bool fails);

// "[+]name words" or "[-]name words": a line of a plain body for something that is no check.
void report_line(FILE *body, bool well, const char *name, const char *words);

// "readyz check passed", "readyz check failed".
void report_conclusion(FILE *body, const char *name, bool passes);

// The whole plain body, as Kubernetes' own components write it: a line a check ("[+]alive ok",
// "[-]lag failed: lag_seconds 45 > 30"), then the conclusion.
void report_text(FILE *body, const struct report *report);

// The object of application/health+json (draft-inadarei-api-health-check-06). The caller's.
json_t *report_json(const struct report *report);

// An object with status, releaseId and description, for what is no endpoint of checks.
json_t *report_json_start(const char *status, const char *description);

// The object as text with a line's end, for the caller to free. Takes the object over.
char *report_json_text(json_t *object, size_t *length);
