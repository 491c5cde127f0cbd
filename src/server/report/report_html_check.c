// One check on the page of report_html.h: what it is and since when, why and what to do, what was
// seen and what it is held against, and its past.
#include "server/report/report_html.h"

#include "server/report/html.h"

#include <inttypes.h>
#include <string.h>

enum { ENTRIES_SHOWN = 8 };

// --- values against limits

static const struct literal *limit_of(const struct check *check, const struct rule *rule)
{
    const struct param *param =
        rule->param != NULL ? params_find(&check->params, rule->param) : NULL;
    return param != NULL ? &param->value : &rule->literal;
}

static bool same_subject(const struct rule *one, const struct rule *other)
{
    if (one->column == NULL || other->column == NULL)
        return one->column == other->column;
    return strcmp(one->column, other->column) == 0;
}

static bool is_first_of_subject(const struct check *check, size_t index)
{
    bool first = true;
    for (size_t i = 0; i < index; i++)
        first &= !same_subject(&check->rules[i], &check->rules[index]);
    return first;
}

// A value of the first row, or how many rows there were, and the same as a number, or -1.
struct seen {
    char text[80];
    long double number;
    bool is_number;
};

// False if there is nothing to show.
static bool see(const struct check_view *view, const struct rule *rule, struct seen *seen)
{
    uint32_t column;
    *seen = (struct seen){.number = -1};
    if (rule->column == NULL) {
        seen->is_number = true;
        seen->number = (long double)view->seen->row_count;
        (void)snprintf(seen->text, sizeof seen->text, "%" PRIu64, view->seen->row_count);
        return true;
    }
    if (view->seen->kept_rows == 0 || !result_find_column(view->seen, rule->column, &column))
        return false;
    struct value value = result_value(view->seen, 0, column);
    seen->is_number = value.type == VALUE_NUMBER;
    if (seen->is_number)
        seen->number = value_number(&value);
    (void)snprintf(seen->text, sizeof seen->text, "%s",
                   value.type == VALUE_NULL ? "null" : value.text);
    return true;
}

// The share of the limit that the value has come to, as a bar; the words beside it say the same.
static void write_gauge(FILE *page, const struct rule *rule, const struct literal *limit,
                        long double number)
{
    enum { FULL = 60 };
    bool upper = rule->comparison == RULE_GT || rule->comparison == RULE_GE;
    if (!upper || limit->type != LITERAL_NUMBER || !(limit->number > 0) || !(number >= 0))
        return;
    long double share = number / limit->number;
    unsigned width = share >= 1 ? FULL : (unsigned)(share * FULL);
    fprintf(page,
            "<svg class=\"gauge\" viewBox=\"0 0 %d 6\" aria-hidden=\"true\"><rect class=\"all\" "
            "width=\"%d\" height=\"6\" rx=\"3\"/><rect class=\"used\" width=\"%u\" height=\"6\" "
            "rx=\"3\"/></svg>",
            FULL, FULL, width);
}

static const char *subject_of(const struct rule *rule)
{
    return rule->column != NULL ? rule->column : "rows";
}

static void write_limits(FILE *page, const struct check *check, size_t index)
{
    static const char *const words[] = {
        [RULE_FAIL] = "fails", [RULE_WARN] = "warns", [RULE_SKIP] = "skipped"};
    const char *before = "";
    for (size_t i = index; i < check->rule_count; i++) {
        const struct rule *rule = &check->rules[i];
        const struct literal *limit = limit_of(check, rule);
        if (!same_subject(rule, &check->rules[index]))
            continue;
        fprintf(page, "%s<span>%s ", before, words[rule->effect]);
        html_text(page, comparison_text(rule->comparison));
        fputs(" ", page);
        if (limit->type == LITERAL_NUMBER)
            html_amount(page, subject_of(rule), limit->text, (double)limit->number);
        else
            html_text(page, limit->text);
        fputs("</span>", page);
        before = ", ";
    }
}

// Of a check that passes, what is no number says nothing: it is what it should be.
static void write_value(FILE *page, const struct check_view *view, size_t index)
{
    const struct rule *rule = &view->check->rules[index];
    bool passes = view->judgement.verdict == VERDICT_PASS;
    struct seen seen;
    if (!see(view, rule, &seen) || (passes && !seen.is_number))
        return;
    fputs("<tr><th scope=\"row\"><code>", page);
    html_name(page, subject_of(rule));
    fputs("</code></th><td><b>", page);
    if (seen.is_number)
        html_amount(page, subject_of(rule), seen.text, (double)seen.number);
    else
        html_text(page, seen.text);
    fputs("</b></td><td>", page);
    write_gauge(page, rule, limit_of(view->check, rule), seen.number);
    fputs("</td><td class=\"limits\">", page);
    write_limits(page, view->check, index);
    fputs("</td></tr>\n", page);
}

static void write_values(FILE *page, const struct check_view *view)
{
    if (view->seen == NULL)
        return;
    fputs("<table class=\"values\">\n", page);
    for (size_t i = 0; i < view->check->rule_count; i++) {
        if (is_first_of_subject(view->check, i))
            write_value(page, view, i);
    }
    fputs("</table>\n", page);
}

// --- a check

// The history is of results. An answer that could not wait for one has a verdict of its own.
static void write_since(FILE *page, const struct check_view *view, const struct moment *moment)
{
    const struct history *history = &view->statistics->history;
    const struct past_result *latest = history_result(history, 0);
    bool settled =
        view->dated && latest != NULL && latest->verdict == (uint8_t)view->judgement.verdict;
    fprintf(page, "<p class=\"since\"><b>%s</b> ", verdict_name(view->judgement.verdict));
    if (!settled) {
        fputs("at this moment</p>\n", page);
        return;
    }
    if (history->changed) {
        fputs("for ", page);
        html_span(page, instant_since(history->since, moment->now).ms);
    }
    fputs(history->changed ? ", since " : "since before ", page);
    html_time(page, moment_unix_ms(moment, history->since), moment->unix_ms);
    fputs("</p>\n", page);
}

static void write_outcome(FILE *page, const struct check_view *view)
{
    const struct judgement *judgement = &view->judgement;
    const struct outcome_info *info = outcome_info(judgement->outcome);
    bool ruled = judgement->outcome == OUTCOME_OK || judgement->outcome == OUTCOME_FAILED;
    fputs("<p class=\"outcome\">", page);
    if (judgement->outcome != OUTCOME_OK)
        fprintf(page, "<code>%s</code> ", info->code);
    if (ruled && judgement->reason[0] != '\0') {
        html_text(page, judgement->reason);
    } else {
        html_text(page, info->sentence);
        if (judgement->reason[0] != '\0') {
            fputs(" (", page);
            html_text(page, judgement->reason);
            fputs(")", page);
        }
    }
    fputs("</p>\n", page);
    if (info->advice[0] != '\0') {
        fputs("<p class=\"advice\"><b>What to do:</b> ", page);
        html_text(page, info->advice);
        fputs("</p>\n", page);
    }
}

static void write_description(FILE *page, const struct check *check)
{
    if (check->description == NULL)
        return;
    fputs("<p class=\"description\">", page);
    html_text(page, check->description);
    fputs("</p>\n", page);
}

static void write_term(FILE *page, const char *term, const char *value)
{
    fprintf(page, "<dt>%s</dt><dd>", term);
    html_text(page, value);
    fputs("</dd>\n", page);
}

static void write_duration(FILE *page, const char *term, struct duration duration)
{
    char text[32];
    format_duration(duration, text, sizeof text);
    if (duration.ms > 0)
        write_term(page, term, text);
}

static void write_settings(FILE *page, const struct check *check)
{
    fputs("<dl>\n<dt>Endpoints</dt><dd>", page);
    for (size_t i = 0; i < check->endpoints.count; i++)
        fprintf(page, "%s/%s", i > 0 ? " " : "", check->endpoints.items[i]);
    fputs(check->endpoints.count == 0 ? "none</dd>\n" : "</dd>\n", page);
    write_term(page, "Prober", check->prober);
    write_duration(page, "Timeout", check->timeout);
    write_duration(page, "Cache", check->cache);
    write_duration(page, "Every", check->every);
    fputs("</dl>\n", page);
}

static void write_numbers(FILE *page, const struct check_view *view)
{
    const struct result *numbers = view->numbers;
    if (numbers == NULL)
        return;
    fputs("<dl>\n", page);
    for (uint32_t i = 0; i < numbers->column_count; i++) {
        fputs("<dt><code>", page);
        html_name(page, result_column(numbers, i));
        fputs("</code></dt><dd>", page);
        html_text(page, result_value(numbers, 0, i).text);
        fputs("</dd>\n", page);
    }
    fputs("</dl>\n", page);
}

// Results in a row with the same outcome: how many, when, how long they took.
struct entry {
    const struct past_result *latest, *first;
    unsigned count;
    uint32_t least_us, most_us;
};

static struct entry take_entry(const struct history *history, size_t *back)
{
    const struct past_result *latest = history_result(history, *back);
    struct entry entry = {.latest = latest, .least_us = latest->took_us};
    const struct past_result *result = latest;
    while (result != NULL && result->verdict == latest->verdict &&
           result->outcome == latest->outcome) {
        entry.first = result;
        entry.count++;
        entry.least_us = result->took_us < entry.least_us ? result->took_us : entry.least_us;
        entry.most_us = result->took_us > entry.most_us ? result->took_us : entry.most_us;
        result = history_result(history, ++*back);
    }
    return entry;
}

static void write_came(FILE *page, const struct past_result *result, const struct moment *moment)
{
    struct instant came = {.ns = (int64_t)result->came_s * 1000000000};
    html_time(page, moment_unix_ms(moment, came), moment->unix_ms);
}

static void write_entry(FILE *page, const struct entry *entry, const struct moment *moment)
{
    const char *verdict = verdict_name((enum verdict)entry->latest->verdict);
    fprintf(page, "<tr><td>%u&times;</td><td>", entry->count);
    html_icon(page, verdict);
    fprintf(page, " %s <code>%s</code></td><td>", verdict,
            outcome_info((enum outcome)entry->latest->outcome)->code);
    write_came(page, entry->first, moment);
    if (entry->count > 1) {
        fputs(" to ", page);
        write_came(page, entry->latest, moment);
    }
    fputs("</td><td>", page);
    if (entry->most_us > 0)
        html_took(page, entry->least_us);
    if (entry->most_us > entry->least_us) {
        fputs(" to ", page);
        html_took(page, entry->most_us);
    }
    fputs("</td></tr>\n", page);
}

static void write_results(FILE *page, const struct check_view *view, const struct moment *moment)
{
    const struct history *history = &view->statistics->history;
    size_t back = 0;
    if (history_result(history, 0) == NULL)
        return;
    fprintf(page,
            "<table>\n<caption>The latest results (%u)</caption>\n<thead><tr>"
            "<th scope=\"col\">Results</th><th scope=\"col\">Verdict, outcome</th>"
            "<th scope=\"col\">When (UTC)</th><th scope=\"col\">Took</th></tr></thead>\n<tbody>\n",
            history->count);
    for (unsigned i = 0; i < ENTRIES_SHOWN && history_result(history, back) != NULL; i++) {
        struct entry entry = take_entry(history, &back);
        write_entry(page, &entry, moment);
    }
    fputs("</tbody></table>\n", page);
    if (history_result(history, back) != NULL)
        fprintf(page, "<p>... and %zu before these.</p>\n", history->count - back);
}

static void write_details(FILE *page, const struct check_view *view, const struct moment *moment)
{
    fprintf(page,
            "<details id=\"details-%s\"><summary id=\"summary-%s\">Details<span class=\"unseen\"> "
            "of %s</span></summary>\n<div class=\"inside\">\n",
            view->check->name, view->check->name, view->check->name);
    write_numbers(page, view);
    write_settings(page, view->check);
    write_results(page, view, moment);
    fputs("</div></details>\n", page);
}

void report_html_check(FILE *page, const struct check_view *view, const struct moment *moment)
{
    enum verdict verdict = view->judgement.verdict;
    const char *look = verdict_name(verdict);
    fprintf(page, "<li class=\"check %s\" id=\"check-%s\">\n<div class=\"who\">\n<h3>", look,
            view->check->name);
    html_icon(page, look);
    fprintf(page, " %s</h3>\n", view->check->name);
    write_since(page, view, moment);
    fputs("</div>\n<div class=\"what\">\n", page);
    if (verdict != VERDICT_PASS && verdict != VERDICT_SKIPPED)
        write_outcome(page, view);
    write_description(page, view->check);
    if (verdict != VERDICT_SKIPPED)
        write_values(page, view);
    fputs("</div>\n", page);
    chart_latency(page, &view->statistics->history);
    fputs("<div class=\"past\">\n", page);
    chart_hour(page, &view->statistics->history, moment);
    fputs("</div>\n", page);
    write_details(page, view, moment);
    fputs("</li>\n", page);
}
