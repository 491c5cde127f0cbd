// From the bytes of a prober to the body of an answer: whatever a check file and a reply say, a
// body is well-formed, a line for each thing it tells, all renderings agree, and the server's own
// words are not in it.
//
// Input: a byte for the circumstances, then a view (see fuzz_views.h).
#include "fuzz.h"
#include "fuzz_views.h"

#include "common/memory.h"
#include "common/text.h"
#include "server/report/document.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static const char *const endpoints[] = {"readyz", "healthz", "startupz", "replica"};

static size_t count_lines(const char *text)
{
    size_t lines = 0;
    for (; *text != '\0'; text++)
        lines += *text == '\n';
    return lines;
}

static void must_be_fit_lines(const char *body)
{
    char *copy = memory_string(body);
    char *rest = NULL;
    for (char *line = strtok_r(copy, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest))
        MUST(is_fit_line(line));
    free(copy);
}

static char *render(const struct report *report)
{
    char *body;
    size_t length;
    FILE *file = open_memstream(&body, &length);
    MUST(file != NULL);
    report_text(file, report);
    MUST(fclose(file) == 0);
    MUST(strlen(body) == length && length > 0 && body[length - 1] == '\n');
    return body;
}

static void must_not_tell_the_message(const struct report *report, const char *body)
{
    struct report other = *report;
    struct check_view view = report->views[0];
    view.message = "other words";
    other.views = &view;
    char *other_body = render(&other);
    MUST_EQUAL(body, other_body);
    free(other_body);
}

static void try_text(const struct report *report, const char *detail)
{
    const struct check_view *view = &report->views[0];
    bool fails = verdict_fails(view->judgement.verdict, report->rule, &report->circumstances);
    char *body = render(report);
    MUST(count_lines(body) == 2 + report->shows_drain + report->not_excluded->count);
    MUST(strncmp(body, fails ? "[-]lag " : "[+]lag ", 7) == 0);
    MUST((strstr(body, " check passed\n") != NULL) == report->passes);
    MUST(strstr(body, detail) != NULL);
    must_be_fit_lines(body);
    must_not_tell_the_message(report, body);
    free(body);
}

static const char *member(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

static char *write_document(const struct report *report)
{
    char *body;
    size_t length;
    struct writer writer = {.out = open_memstream(&body, &length)};
    MUST(writer.out != NULL);
    document_write(&writer, report);
    MUST(fclose(writer.out) == 0);
    MUST(strlen(body) == length && body[length - 1] == '\n');
    return body;
}

static void try_json(const struct report *report, const char *detail)
{
    char *body = write_document(report);
    MUST(text_valid_length(body, strlen(body)) == strlen(body));
    json_t *object = json_loads(body, JSON_REJECT_DUPLICATES, NULL);
    const struct check_view *view = &report->views[0];
    MUST(json_is_object(object));
    MUST((strcmp(member(object, "status"), "fail") == 0) == !report->passes);
    const json_t *check =
        json_array_get(json_object_get(json_object_get(object, "checks"), "lag"), 0);
    MUST_EQUAL(member(check, "verdict"), verdict_name(view->judgement.verdict));
    MUST_EQUAL(member(check, "outcome"), outcome_info(view->judgement.outcome)->code);
    bool told = view->judgement.verdict != VERDICT_PASS && detail[0] != '\0';
    MUST_EQUAL(member(check, "output"), told ? detail : NULL);
    json_decref(object);
    free(body);
}

// One line with one remark at most, whose first words HAProxy knows.
static void try_agent(const struct report *report, bool details)
{
    static const char *const starts[] = {"ready up", "ready down #lag", "drain up",
                                         "drain down #lag", "maint\n"};
    char bytes[AGENT_LINE_MAX];
    struct text line = text_in(bytes, sizeof bytes);
    enum agent_word word = report_agent(report, report->passes, details, &line);
    bool known = false;
    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++)
        known |= strncmp(bytes, starts[i], strlen(starts[i])) == 0;
    MUST(known);
    MUST(strlen(bytes) == line.length && strchr(bytes, '\n') == bytes + line.length - 1);
    MUST(strchr(bytes, '#') == strrchr(bytes, '#'));
    MUST((strstr(bytes, " up") != NULL) == report->passes);
    MUST((word == AGENT_DRAIN) == (bytes[0] == 'd') && (word == AGENT_MAINT) == (bytes[0] == 'm'));
    bytes[line.length - 1] = '\0';
    MUST(is_fit_line(bytes));
}

static void try_report(const struct check_view *view, unsigned circumstances)
{
    struct words excluded = {0};
    char detail[DETAIL_MAX];
    const char *name = endpoints[circumstances % 4];
    if ((circumstances & 16) != 0)
        words_add(&excluded, "nope", 4);
    struct report report = {.name = name,
                            .rule = endpoint_rule(name),
                            .views = view,
                            .count = 1,
                            .circumstances.draining = (circumstances & 4) != 0,
                            .circumstances.young = (circumstances & 8) != 0,
                            .not_excluded = &excluded,
                            .history = (circumstances & 32) != 0,
                            .moment = {.now = {INT64_C(3000000000000)}, .unix_ms = 1}};
    report.passes = endpoint_passes(report.rule, view, NULL, 1, &report.circumstances);
    report.shows_drain = report.circumstances.draining && report.rule->draining_fails;
    report_detail(&view->judgement, detail, sizeof detail);
    MUST(is_fit_line(detail));
    try_text(&report, detail);
    try_json(&report, detail);
    report.circumstances.draining = false;
    report.passes = endpoint_passes(report.rule, view, NULL, 1, &report.circumstances);
    try_agent(&report, (circumstances & 64) != 0);
    words_free(&excluded);
}

// None of our own faults fails /healthz.
static void must_not_kill(const struct check_view *view)
{
    struct circumstances settled = {0};
    if (outcome_info(view->judgement.outcome)->group == GROUP_OWN)
        MUST(endpoint_passes(endpoint_rule("healthz"), view, NULL, 1, &settled));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct input input = input_of(bytes, length);
    struct fuzz_view made;
    unsigned circumstances = take_byte(&input);
    view_begin(&made, &input);
    must_not_kill(&made.view);
    try_report(&made.view, circumstances);
    view_end(&made);
    return 0;
}
