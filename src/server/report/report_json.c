// The JSON of report.h. The draft knows pass, warn and fail; what is unknown is a failure where it
// fails the endpoint and a warning where it does not, and the member `verdict` says which it was.
#include "server/base/wall_time.h"
#include "server/report/report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *document_status_of(enum verdict verdict, bool fails)
{
    if (fails)
        return "fail";
    return verdict == VERDICT_PASS || verdict == VERDICT_SKIPPED ? "pass" : "warn";
}

static void document_set_string(json_t *object, const char *key, const char *text)
{
    int failed = json_object_set_new(object, key, json_string(text));
    if (failed != 0)
        abort(); // all text has been cleaned
}

// The draft has a list for each key, of the check's components; ours have one.
static json_t *document_check_object(const struct check_view *view, bool fails)
{
    json_t *object = json_object();
    enum verdict verdict = view->judgement.verdict;
    char detail[DETAIL_MAX];
    document_set_string(object, "componentType", "datastore");
    document_set_string(object, "status", document_status_of(verdict, fails));
    document_set_string(object, "verdict", verdict_name(verdict));
    document_set_string(object, "outcome", outcome_info(view->judgement.outcome)->code);
    if (view->dated) {
        char time[WALL_TIME_MAX];
        wall_time_format(view->started, time, sizeof time);
        document_set_string(object, "time", time);
    }
    report_detail(&view->judgement, detail, sizeof detail);
    if (verdict != VERDICT_PASS && detail[0] != '\0')
        document_set_string(object, "output", detail);
    return json_pack("[o]", object);
}

json_t *report_json_start(const char *status, const char *description)
{
    json_t *object = json_object();
    document_set_string(object, "status", status);
    document_set_string(object, "releaseId", DBHEALTH_VERSION);
    document_set_string(object, "description", description);
    return object;
}

// Sentences on what is not a check's, in the draft's member for them.
static json_t *document_notes_of(const struct report *report)
{
    json_t *notes = json_array();
    if (report->count == 0)
        (void)json_array_append_new(notes, json_string("there is no check to judge"));
    if (report->shows_drain)
        (void)json_array_append_new(notes, json_string("the adapter is draining"));
    for (size_t i = 0; report->not_excluded != NULL && i < report->not_excluded->count; i++)
        (void)json_array_append_new(notes,
                                    json_sprintf("cannot exclude %s: not a check of %s",
                                                 report->not_excluded->items[i], report->name));
    return notes;
}

json_t *report_json(const struct report *report)
{
    json_t *checks = json_object();
    bool warns = false;
    for (size_t i = 0; i < report->count; i++) {
        const struct check_view *view = &report->views[i];
        bool fails = verdict_fails(view->judgement.verdict, report->rule, &report->circumstances);
        warns |= strcmp(document_status_of(view->judgement.verdict, fails), "pass") != 0;
        (void)json_object_set_new(checks, view->check->name, document_check_object(view, fails));
    }
    const char *status = !report->passes ? "fail" : warns ? "warn" : "pass";
    json_t *object = report_json_start(status, report->name);
    json_t *notes = document_notes_of(report);
    if (json_array_size(notes) > 0)
        (void)json_object_set(object, "notes", notes);
    json_decref(notes);
    (void)json_object_set_new(object, "checks", checks);
    return object;
}

char *report_json_text(json_t *object, size_t *length)
{
    char *dumped = json_dumps(object, JSON_INDENT(2));
    json_decref(object);
    if (dumped == NULL)
        abort();
    char *text;
    int printed = asprintf(&text, "%s\n", dumped);
    free(dumped);
    if (printed < 0)
        abort();
    *length = (size_t)printed;
    return text;
}
