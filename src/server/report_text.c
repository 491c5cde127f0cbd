// See report_text.h. Shows codes, the rule and the observed values; the server's own words stay in
// the log, for this port has no login.
#include "server/report_text.h"

void report_detail(const struct judgement *judgement, char *bytes, size_t capacity)
{
    const struct outcome_info *info = outcome_info(judgement->outcome);
    bool ruled = judgement->outcome == OUTCOME_OK || judgement->outcome == OUTCOME_FAILED;
    struct text text = text_in(bytes, capacity);
    if (ruled) {
        text_add(&text, judgement->reason);
        return;
    }
    text_addf(&text, "%s: %s", info->code, info->sentence);
    if (judgement->reason[0] != '\0')
        text_addf(&text, " (%s)", judgement->reason);
    if (info->advice[0] != '\0')
        text_addf(&text, "; %s", info->advice);
}

void report_check_line(FILE *body, const struct check_view *view, bool fails)
{
    static const char *const words[VERDICT_COUNT] = {[VERDICT_PASS] = "ok",
                                                     [VERDICT_WARN] = "warn",
                                                     [VERDICT_FAIL] = "failed",
                                                     [VERDICT_UNKNOWN] = "unknown",
                                                     [VERDICT_SKIPPED] = "skipped"};
    char detail[DETAIL_MAX];
    fprintf(body, "[%c]%s %s", fails ? '-' : '+', view->check->name,
            words[view->judgement.verdict]);
    report_detail(&view->judgement, detail, sizeof detail);
    fprintf(body, "%s%s\n", detail[0] != '\0' ? ": " : "", detail);
}

void report_line(FILE *body, bool well, const char *name, const char *words)
{
    fprintf(body, "[%c]%s %s\n", well ? '+' : '-', name, words);
}

void report_conclusion(FILE *body, const char *endpoint, bool passes)
{
    fprintf(body, "%s check %s\n", endpoint, passes ? "passed" : "failed");
}
