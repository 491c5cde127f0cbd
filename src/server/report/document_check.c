// See document_check.h. The draft knows pass, warn and fail; what is unknown is a failure where it
// fails the endpoint and a warning where it does not, and the member `verdict` says which it was.
#include "server/report/document_check.h"

#include "server/check/numbers.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

// --- values

static void document_check_duration(struct writer *writer, const char *key,
                                    struct duration duration)
{
    writer_seconds(writer, key, duration.ms * 1000);
}

// Of a check file, which may be broken, or of a server.
static void document_check_foreign(struct writer *writer, const char *key, const char *text)
{
    char *clean = report_clean(text);
    writer_string(writer, key, clean);
    free(clean);
}

// Text that is not empty.
static void document_check_words(struct writer *writer, const char *key, const char *words)
{
    writer_string(writer, key, words[0] != '\0' ? words : NULL);
}

// --- what the rules look at

// How long a rule must hold, and how long it does.
static void document_check_hold(struct writer *writer, const struct check_view *view,
                                const struct rule *rule)
{
    size_t index = (size_t)(rule - view->check->rules);
    if (rule->hold.ms == 0)
        return;
    document_check_duration(writer, "forSeconds", rule->hold);
    if (view->streaks != NULL && view->streaks->since[index].ns > 0)
        document_check_duration(writer, "heldSeconds", streaks_held(view->streaks, index));
}

static void document_check_limit(struct writer *writer, const struct check_view *view,
                                 const struct rule *rule, const struct params *overrides)
{
    static const char *const effects[] = {
        [RULE_FAIL] = "fail", [RULE_WARN] = "warn", [RULE_SKIP] = "skip"};
    const struct literal *limit = check_limit(view->check, rule, overrides);
    writer_open_object(writer, NULL);
    writer_string(writer, "effect", effects[rule->effect]);
    writer_string(writer, "comparison", comparison_text(rule->comparison));
    if (limit->type == LITERAL_NULL)
        writer_null(writer, "value");
    else if (limit->type == LITERAL_BOOLEAN)
        writer_boolean(writer, "value", limit->number != 0);
    else if (limit->type == LITERAL_NUMBER)
        writer_number(writer, "value", limit->text);
    else
        document_check_foreign(writer, "value", limit->string);
    writer_string(writer, "param", rule->param);
    if (!check_is_overridden(rule, overrides))
        document_check_hold(writer, view, rule);
    writer_close(writer);
}

static bool document_check_is_on(const struct rule *rule, const char *column)
{
    if (rule->column == NULL || column == NULL)
        return rule->column == column;
    return strcasecmp(rule->column, column) == 0; // as a server's columns are found
}

static void document_check_limits(struct writer *writer, const struct check_view *view,
                                  const char *column, const struct params *overrides)
{
    writer_open_array(writer, "limits");
    for (size_t i = 0; i < view->check->rule_count; i++) {
        const struct rule *rule = &view->check->rules[i];
        if (document_check_is_on(rule, column))
            document_check_limit(writer, view, rule, overrides);
    }
    writer_close(writer);
}

static void document_check_unit(struct writer *writer, const char *column)
{
    static const char *const units[] = {"seconds", "bytes", "ratio"};
    size_t length = strlen(column);
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        size_t unit_length = strlen(units[i]);
        bool ends =
            length >= unit_length && strcasecmp(column + length - unit_length, units[i]) == 0;
        if (ends && (length == unit_length || column[length - unit_length - 1] == '_'))
            writer_string(writer, "observedUnit", units[i]);
    }
}

static void document_check_value(struct writer *writer, const char *key, const struct value *value)
{
    if (value->type == VALUE_NUMBER)
        writer_number(writer, key, value->text);
    else if (value->type == VALUE_BOOLEAN)
        writer_boolean(writer, key, value_number(value) != 0);
    else if (value->type == VALUE_NULL)
        writer_null(writer, key);
    else
        document_check_foreign(writer, key, value->text);
}

// Writes what was seen of a column in the first row.
static void document_check_observed(struct writer *writer, const struct result *seen,
                                    const char *column)
{
    uint32_t index;
    if (seen == NULL || seen->kept_rows == 0 || !result_find_column(seen, column, &index))
        return;
    struct value value = result_value(seen, 0, index);
    document_check_value(writer, "observedValue", &value);
}

static void document_check_column(struct writer *writer, const struct check_view *view,
                                  const char *column, const struct params *overrides)
{
    writer_open_object(writer, NULL);
    document_check_foreign(writer, "name", column);
    document_check_observed(writer, view->seen, column);
    document_check_unit(writer, column);
    document_check_limits(writer, view, column, overrides);
    writer_close(writer);
}

static void document_check_row_count(struct writer *writer, const struct check_view *view,
                                     const struct params *overrides)
{
    writer_open_object(writer, NULL);
    writer_string(writer, "name", "rows");
    if (view->seen != NULL)
        writer_integer(writer, "observedValue", (int64_t)view->seen->row_count);
    writer_string(writer, "observedUnit", "rows");
    document_check_limits(writer, view, NULL, overrides);
    writer_close(writer);
}

// A number that no rule looks at.
static void document_check_number(struct writer *writer, const struct result *numbers,
                                  uint32_t index)
{
    const char *column = result_column(numbers, index);
    writer_open_object(writer, NULL);
    writer_string(writer, "name", column);
    writer_number(writer, "observedValue", result_value(numbers, 0, index).text);
    document_check_unit(writer, column);
    writer_close(writer);
}

// True if one of the check's first `count` rules is on the column.
static bool document_check_is_ruled(const struct check *check, size_t count, const char *column)
{
    bool is_ruled = false;
    for (size_t i = 0; i < count; i++)
        is_ruled |= document_check_is_on(&check->rules[i], column);
    return is_ruled;
}

static void document_check_values(struct writer *writer, const struct check_view *view,
                                  const struct params *overrides)
{
    const struct check *check = view->check;
    writer_open_array(writer, "values");
    for (size_t i = 0; i < check->rule_count; i++) {
        const char *column = check->rules[i].column;
        if (document_check_is_ruled(check, i, column))
            continue;
        if (column != NULL)
            document_check_column(writer, view, column, overrides);
        else
            document_check_row_count(writer, view, overrides);
    }
    for (uint32_t i = 0; view->numbers != NULL && i < view->numbers->column_count; i++) {
        if (!document_check_is_ruled(check, check->rule_count, result_column(view->numbers, i)))
            document_check_number(writer, view->numbers, i);
    }
    writer_close(writer);
}

// --- each row

static void document_check_label(struct writer *writer, const struct rows *rows, uint32_t row,
                                 uint32_t column)
{
    struct value value = result_value(rows->kept, row, column);
    writer_open_object(writer, NULL);
    writer_string(writer, "name", result_column(rows->kept, column));
    document_check_value(writer, "value", &value);
    writer_close(writer);
}

static void document_check_row_value(struct writer *writer, const struct rows *rows, uint32_t row,
                                     uint32_t column)
{
    struct value value = result_value(rows->kept, row, column);
    if (value.cut || value.length > SEEN_MAX)
        return;
    writer_open_object(writer, NULL);
    writer_string(writer, "name", result_column(rows->kept, column));
    document_check_value(writer, "observedValue", &value);
    document_check_unit(writer, result_column(rows->kept, column));
    writer_close(writer);
}

static void document_check_row(struct writer *writer, const struct check_view *view, uint32_t row,
                               const struct params *overrides)
{
    const struct rows *rows = view->rows;
    writer_open_object(writer, NULL);
    writer_string(writer, "verdict",
                  verdict_name(judge_row(view->check, rows->kept, row, overrides, view->streaks)));
    writer_open_array(writer, "labels");
    for (uint32_t i = 0; i < rows->label_count; i++)
        document_check_label(writer, rows, row, i);
    writer_close(writer);
    writer_open_array(writer, "values");
    for (uint32_t i = rows->label_count; i < rows->kept->column_count; i++)
        document_check_row_value(writer, rows, row, i);
    writer_close(writer);
    writer_close(writer);
}

static void document_check_rows(struct writer *writer, const struct check_view *view,
                                const struct params *overrides)
{
    if (view->rows == NULL)
        return;
    writer_open_array(writer, "rows");
    for (uint32_t row = 0; row < view->rows->kept->kept_rows; row++)
        document_check_row(writer, view, row, overrides);
    writer_close(writer);
    writer_integer(writer, "rowsLeftOut", (int64_t)view->rows->left_out);
}

// --- the past

static void document_check_came(struct writer *writer, const char *key,
                                const struct past_result *result, const struct moment *moment)
{
    struct instant came = {.ns = (int64_t)result->came_s * 1000000000};
    writer_time(writer, key, moment_unix_ms(moment, came));
}

static void document_check_durations(struct writer *writer, const struct history *history,
                                     size_t left, size_t rest)
{
    writer_open_array(writer, "durationsSeconds");
    for (; left > rest; left--) {
        uint32_t took_us = history_result(history, left - 1)->took_us;
        if (took_us > 0)
            writer_seconds(writer, NULL, took_us);
        else
            writer_null(writer, NULL);
    }
    writer_close(writer);
}

// Of the `left` latest results, those that come first and to the same. Returns how many are left.
static size_t document_check_alike(struct writer *writer, const struct history *history,
                                   size_t left, const struct moment *moment)
{
    const struct past_result *first = history_result(history, left - 1), *latest = first, *next;
    size_t rest = left - 1;
    while (rest > 0 && (next = history_result(history, rest - 1))->verdict == first->verdict &&
           next->outcome == first->outcome) {
        latest = next;
        rest--;
    }
    writer_open_object(writer, NULL);
    writer_string(writer, "verdict", verdict_name((enum verdict)first->verdict));
    writer_string(writer, "outcome", outcome_info((enum outcome)first->outcome)->code);
    writer_integer(writer, "count", (int64_t)(left - rest));
    document_check_came(writer, "first", first, moment);
    document_check_came(writer, "latest", latest, moment);
    document_check_durations(writer, history, left, rest);
    writer_close(writer);
    return rest;
}

// Of the `left` latest minutes, likewise.
static unsigned document_check_minutes_alike(struct writer *writer, const struct history *history,
                                             unsigned left, const struct moment *moment)
{
    enum verdict verdict = history_minute(history, left - 1, moment->now);
    struct instant start = history_minute_start(left - 1, moment->now);
    unsigned rest = left - 1;
    while (rest > 0 && history_minute(history, rest - 1, moment->now) == verdict)
        rest--;
    writer_open_object(writer, NULL);
    writer_time(writer, "start", moment_unix_ms(moment, start));
    writer_integer(writer, "minutes", left - rest);
    if (verdict < VERDICT_COUNT)
        writer_string(writer, "verdict", verdict_name(verdict));
    else
        writer_null(writer, "verdict");
    writer_close(writer);
    return rest;
}

static void document_check_history(struct writer *writer, const struct history *history,
                                   const struct moment *moment)
{
    writer_open_object(writer, "history");
    writer_open_array(writer, "results");
    for (size_t left = history->count; left > 0;)
        left = document_check_alike(writer, history, left, moment);
    writer_close(writer);
    writer_open_array(writer, "minutes");
    for (unsigned left = HISTORY_MINUTES; left > 0;)
        left = document_check_minutes_alike(writer, history, left, moment);
    writer_close(writer);
    writer_close(writer);
}

// --- a check

static void document_check_since(struct writer *writer, const struct check_view *view,
                                 const struct moment *moment)
{
    const struct history *history = &view->statistics->history;
    if (!report_is_settled(view))
        return;
    writer_time(writer, "since", moment_unix_ms(moment, history->since));
    writer_boolean(writer, "changed", history->changed);
}

static const char *document_check_status_of(enum verdict verdict, bool fails)
{
    if (fails)
        return "fail";
    return verdict == VERDICT_PASS || verdict == VERDICT_SKIPPED ? "pass" : "warn";
}

static void document_check_judgement(struct writer *writer, const struct check_view *view,
                                     bool fails, const struct moment *moment)
{
    const struct judgement *judgement = &view->judgement;
    const struct outcome_info *info = outcome_info(judgement->outcome);
    char detail[DETAIL_MAX];
    writer_string(writer, "status", document_check_status_of(judgement->verdict, fails));
    writer_string(writer, "verdict", verdict_name(judgement->verdict));
    document_check_since(writer, view, moment);
    writer_string(writer, "outcome", info->code);
    writer_string(writer, "sentence", info->sentence);
    document_check_words(writer, "advice", info->advice);
    document_check_words(writer, "reason", judgement->reason);
    report_detail(judgement, detail, sizeof detail);
    if (judgement->verdict != VERDICT_PASS)
        document_check_words(writer, "output", detail);
}

static int64_t document_check_took_us(const struct check_view *view)
{
    const struct past_result *latest = history_result(&view->statistics->history, 0);
    return latest != NULL ? latest->took_us : view->took.ms * 1000;
}

// At the period's end, or at a request that finds the result too old.
static struct instant document_check_next_run(const struct check_view *view)
{
    struct instant period = instant_add(view->started, view->check->every);
    bool periodic = view->check->every.ms > 0 && instant_before(period, view->fresh_until);
    return periodic ? period : view->fresh_until;
}

static void document_check_run(struct writer *writer, const struct check_view *view,
                               const struct moment *moment)
{
    const struct check *check = view->check;
    if (view->dated) {
        writer_time(writer, "time", moment_unix_ms(moment, view->started));
        document_check_duration(writer, "ageSeconds", instant_since(view->started, moment->now));
        if (document_check_took_us(view) > 0) // else there was no run
            writer_seconds(writer, "durationSeconds", document_check_took_us(view));
        writer_time(writer, "nextRun", moment_unix_ms(moment, document_check_next_run(view)));
    }
    writer_string(writer, "prober", check->prober);
    document_check_duration(writer, "timeoutSeconds", check->timeout);
    document_check_duration(writer, "cacheSeconds", check->cache);
    if (check->every.ms > 0)
        document_check_duration(writer, "everySeconds", check->every);
}

static void document_check_names(struct writer *writer, const char *key, const struct words *words)
{
    writer_open_array(writer, key);
    for (size_t i = 0; i < words->count; i++)
        writer_string(writer, NULL, words->items[i]);
    writer_close(writer);
}

// The draft has a list for each key, of the check's components; ours have one.
void document_check_write(struct writer *writer, const struct report *report,
                          const struct check_view *view)
{
    bool fails = verdict_fails(view->judgement.verdict, report->rule, &report->circumstances);
    writer_open_array(writer, view->check->name);
    writer_open_object(writer, NULL);
    writer_string(writer, "componentType", "datastore");
    writer_string(writer, "description", view->check->description);
    document_check_names(writer, "endpoints", &view->check->endpoints);
    document_check_judgement(writer, view, fails, &report->moment);
    document_check_run(writer, view, &report->moment);
    document_check_values(writer, view, report->overrides);
    document_check_rows(writer, view, report->overrides);
    if (report->history)
        document_check_history(writer, &view->statistics->history, &report->moment);
    writer_close(writer);
    writer_close(writer);
}
