// The plain bodies of report.h. They show codes, the rule and the observed values; the server's
// messages stay in the log, for this port has no login.
#include "server/report/report.h"

#include "common/memory.h"
#include "common/text.h"

#include <string.h>

// False if rules decided, and the reason is all there is to say.
static bool report_text_add_reason(const struct judgement *judgement, struct text *text)
{
    const struct outcome_info *info = outcome_info(judgement->outcome);
    if (judgement->outcome == OUTCOME_OK || judgement->outcome == OUTCOME_FAILED) {
        text_add(text, judgement->reason);
        return false;
    }
    bool named = judgement->outcome == OUTCOME_SKIPPED || judgement->outcome == OUTCOME_UNKNOWN;
    if (!named) // else the verdict's name says it
        text_addf(text, "%s: ", info->code);
    text_add(text, info->sentence);
    if (judgement->reason[0] != '\0')
        text_addf(text, " (%s)", judgement->reason);
    return true;
}

void report_reason(const struct judgement *judgement, char *bytes, size_t capacity)
{
    struct text text = text_in(bytes, capacity);
    (void)report_text_add_reason(judgement, &text);
}

void report_detail(const struct judgement *judgement, char *bytes, size_t capacity)
{
    const char *advice = outcome_info(judgement->outcome)->advice;
    struct text text = text_in(bytes, capacity);
    if (report_text_add_reason(judgement, &text) && advice[0] != '\0')
        text_addf(&text, "; %s", advice);
}

bool report_is_settled(const struct check_view *view)
{
    const struct past_result *latest = history_result(&view->statistics->history, 0);
    return view->dated && latest != NULL && latest->verdict == (uint8_t)view->judgement.verdict;
}

char *report_clean(const char *text)
{
    size_t length = strlen(text);
    char *bytes = memory_new(length + 1); // it never gets longer
    struct text clean = text_in(bytes, length + 1);
    text_add_foreign(&clean, text, length);
    return bytes;
}

bool report_has_role(const struct report *report, const char *role)
{
    bool judged = false;
    for (size_t i = 0; i < report->count; i++) {
        enum outcome outcome = report->views[i].judgement.outcome;
        if (words_have(&report->views[i].check->endpoints, role))
            judged |= outcome == OUTCOME_OK || outcome == OUTCOME_FAILED;
    }
    return judged;
}

const char *report_prober_status(const struct prober_view *prober)
{
    return prober->beyond_help ? "fail" : prober->open_pending ? "warn" : "pass";
}

const char *report_prober_output(const struct prober_view *prober)
{
    if (prober->beyond_help)
        return "it crashes or cannot be started";
    return prober->open_pending ? "the server has not answered its login" : NULL;
}

void report_line(FILE *body, bool well, const char *name, const char *words)
{
    fprintf(body, "[%c]%s %s\n", well ? '+' : '-', name, words);
}

void report_name(FILE *body, const char *name)
{
    fprintf(body, "[-]%s\n", name);
}

void report_conclusion(FILE *body, const char *name, bool passes)
{
    fprintf(body, "%s check %s\n", name, passes ? "passed" : "failed");
}

void report_check_line(FILE *body, const struct check_view *view, bool fails)
{
    static const char *const words[VERDICT_COUNT] = {[VERDICT_PASS] = "ok",
                                                     [VERDICT_WARN] = "warn",
                                                     [VERDICT_FAIL] = "failed",
                                                     [VERDICT_UNKNOWN] = "unknown",
                                                     [VERDICT_SKIPPED] = "skipped"};
    char detail[DETAIL_MAX];
    report_detail(&view->judgement, detail, sizeof detail);
    fprintf(body, "[%c]%s %s%s%s\n", fails ? '-' : '+', view->check->name,
            words[view->judgement.verdict], detail[0] != '\0' ? ": " : "", detail);
}

static void report_text_end(FILE *body, const struct report *report)
{
    if (report->shows_warning)
        fprintf(body, "%s check passed with a warning\n", report->name);
    else
        report_conclusion(body, report->name, report->passes);
}

void report_names(FILE *body, const struct report *report)
{
    for (size_t i = 0; i < report->count; i++) {
        const struct check_view *view = &report->views[i];
        if (verdict_fails(view->judgement.verdict, report->rule, &report->circumstances))
            report_name(body, view->check->name);
    }
    if (report->count == 0 && !report->passes)
        report_name(body, "checks");
    if (report->shows_drain)
        report_name(body, "drain");
    report_text_end(body, report);
}

void report_text(FILE *body, const struct report *report)
{
    for (size_t i = 0; i < report->count; i++) {
        enum verdict verdict = report->views[i].judgement.verdict;
        report_check_line(body, &report->views[i],
                          verdict_fails(verdict, report->rule, &report->circumstances));
    }
    if (report->count == 0)
        report_line(body, report->passes, "checks", "none to judge");
    if (report->shows_drain)
        report_line(body, false, "drain", "failed: the adapter is draining");
    for (size_t i = 0; report->not_excluded != NULL && i < report->not_excluded->count; i++)
        fprintf(body, "warn: cannot exclude %s: not a check of %s\n",
                report->not_excluded->items[i], report->name);
    report_text_end(body, report);
}
