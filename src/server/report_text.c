// See report_text.h. Shows codes, the rule and the observed values; the server's own words stay in
// the log, for this port has no login.
#include "server/report_text.h"

// What there is to say beside the verdict: the rule that holds, or the outcome in words.
static void report_detail(FILE *body, const struct judgement *judgement)
{
    const struct outcome_info *info = outcome_info(judgement->outcome);
    bool ruled = judgement->outcome == OUTCOME_OK || judgement->outcome == OUTCOME_FAILED;
    if (ruled && judgement->reason[0] != '\0')
        fprintf(body, ": %s", judgement->reason);
    else if (judgement->reason[0] != '\0')
        fprintf(body, ": %s: %s (%s)", info->code, info->sentence, judgement->reason);
    else if (judgement->outcome != OUTCOME_OK)
        fprintf(body, ": %s: %s", info->code, info->sentence);
}

void report_check_line(FILE *body, const struct check_view *view, bool fails)
{
    static const char *const words[VERDICT_COUNT] = {[VERDICT_PASS] = "ok",
                                                     [VERDICT_WARN] = "warn",
                                                     [VERDICT_FAIL] = "failed",
                                                     [VERDICT_UNKNOWN] = "unknown",
                                                     [VERDICT_SKIPPED] = "skipped"};
    fprintf(body, "[%c]%s %s", fails ? '-' : '+', view->check->name,
            words[view->judgement.verdict]);
    report_detail(body, &view->judgement);
    fputc('\n', body);
}

void report_line(FILE *body, bool well, const char *name, const char *words)
{
    fprintf(body, "[%c]%s %s\n", well ? '+' : '-', name, words);
}

void report_conclusion(FILE *body, const char *endpoint, bool passes)
{
    fprintf(body, "%s check %s\n", endpoint, passes ? "passed" : "failed");
}
