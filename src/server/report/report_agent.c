// The lines that HAProxy's agent checks get (report.h). HAProxy keeps what an earlier line has said
// until a later one takes it back, and several HAProxys may ask; so each line says all of it: the
// administrative state (ready, drain, maint), and the health (up, down, fail) beside it.
#include "server/report/report.h"

#include <stdlib.h>
#include <string.h>

enum { WEIGHT_ALL = 100, WEIGHT_MOST = 25600 }; // HAProxy takes no more

// Words for HAProxy's log and page, which are to be one remark: the first line of them.
static void report_agent_add_remark(struct text *line, const char *words)
{
    char remark[AGENT_LINE_MAX];
    size_t length = strcspn(words, "\r\n");
    if (length >= sizeof remark)
        length = sizeof remark - 1;
    for (size_t i = 0; i < length; i++)
        remark[i] = words[i] == '#' ? ' ' : words[i];
    remark[length] = '\0';
    text_add(line, " #");
    text_add(line, remark);
}

static void report_agent_end(struct text *line)
{
    line->capacity++; // the place that was kept for it, whatever has been cut
    line->cut = false;
    text_add(line, "\n");
}

static void report_agent_add_reason(struct text *reasons, const struct check_view *view,
                                    bool details)
{
    char reason[DETAIL_MAX];
    text_addf(reasons, "%s%s", reasons->length > 0 ? "; " : "", view->check->name);
    if (!details)
        return;
    report_reason(&view->judgement, reason, sizeof reason);
    text_addf(reasons, ": %s", reason);
}

// What fails it, or what it is warned of where that is as bad.
static void report_agent_add_reasons(struct text *line, const struct report *report, bool details)
{
    char bytes[AGENT_LINE_MAX];
    struct text reasons = text_in(bytes, sizeof bytes);
    for (size_t i = 0; i < report->count; i++) {
        enum verdict verdict = report->views[i].judgement.verdict;
        if (report->passes ? verdict == VERDICT_WARN
                           : verdict_fails(verdict, report->rule, &report->circumstances))
            report_agent_add_reason(&reasons, &report->views[i], details);
    }
    report_agent_add_remark(line, reasons.length > 0 ? bytes : "there is no check to judge");
}

// Every check says that it is not meant for this server now, but for those that tell of others.
static bool report_agent_is_other_role(const struct report *report)
{
    bool any = false, other = !report->passes;
    for (size_t i = 0; i < report->count; i++) {
        const struct check_view *view = &report->views[i];
        any |= !view->check->peers;
        other &= view->check->peers || view->judgement.verdict == VERDICT_SKIPPED;
    }
    return any && other;
}

// Whether a check gives a weight: as it likes, unless it has a param for that, which may be 0.
enum giving { GIVING_FREELY, GIVING_NEVER, GIVING_ALWAYS };

static enum giving report_agent_giving(const struct check *check, const struct params *overrides)
{
    static const char name[] = "weight";
    const struct param *own = params_find(&check->params, name);
    const struct param *given = overrides != NULL ? params_find(overrides, name) : NULL;
    if (own == NULL)
        return GIVING_FREELY;
    return (given != NULL ? given : own)->value.number != 0 ? GIVING_ALWAYS : GIVING_NEVER;
}

// In percent; -1: the check gives none. One that always gives has all of it where it is skipped: a
// replica's weight is not to stay with the primary that it has become.
static int report_agent_weight_of(const struct check_view *view, const struct params *overrides)
{
    enum giving giving = report_agent_giving(view->check, overrides);
    uint32_t column;
    if (view->judgement.verdict == VERDICT_SKIPPED)
        return giving == GIVING_ALWAYS ? WEIGHT_ALL : -1;
    if (giving == GIVING_NEVER || view->numbers == NULL ||
        !result_find_column(view->numbers, "weight_percent", &column))
        return -1;
    double percent = strtod(result_value(view->numbers, 0, column).text, NULL);
    if (percent < 0)
        return 0;
    return percent < (double)WEIGHT_MOST ? (int)(percent + 0.5) : WEIGHT_MOST;
}

// The least that a check gives.
static void report_agent_add_weight(struct text *line, const struct report *report)
{
    int least = -1;
    for (size_t i = 0; i < report->count; i++) {
        int weight = report_agent_weight_of(&report->views[i], report->overrides);
        if (weight >= 0 && (least < 0 || weight < least))
            least = weight;
    }
    if (least >= 0)
        text_addf(line, " %d%%", least);
}

enum agent_word report_agent(const struct report *report, bool well, bool details,
                             struct text *line)
{
    line->capacity--;
    if (report_agent_is_other_role(report)) {
        text_add(line, "maint");
        report_agent_end(line);
        return AGENT_MAINT;
    }
    text_addf(line, "%s %s", report->shows_drain ? "drain" : "ready", well ? "up" : "down");
    if (well)
        report_agent_add_weight(line, report);
    else
        report_agent_add_reasons(line, report, details);
    report_agent_end(line);
    if (report->shows_drain)
        return AGENT_DRAIN;
    return well ? AGENT_UP : AGENT_DOWN;
}

void report_agent_refusal(const char *words, struct text *line)
{
    line->capacity--;
    text_add(line, "ready fail");
    report_agent_add_remark(line, words);
    report_agent_end(line);
}
