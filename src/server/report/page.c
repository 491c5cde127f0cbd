// See page.h. Every string that was not written here goes through page_text() or the JSON writer.
#include "server/report/page.h"

#include "common/text.h"
#include "server/base/words.h"
#include "server/check/numbers.h"
#include "server/report/document.h"
#include "server/report/page_assets.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { ROW_NAME_MAX = 128 }; // bytes

const char page_policy[] =
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const struct page_file *page_file(const char *name)
{
    static const struct page_file files[] = {
        {"page.css", "text/css; charset=utf-8", page_css},
        {"page.js", "text/javascript; charset=utf-8", page_js},
    };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        if (strcmp(name, files[i].name) == 0)
            return &files[i];
    }
    return NULL;
}

// --- text

// Fit for content and for attributes in double quotes.
static void page_text(FILE *out, const char *text)
{
    static const char special[] = "&<>\"'";
    static const char *const entities[] = {"&amp;", "&lt;", "&gt;", "&quot;", "&#39;"};
    char *clean = report_clean(text);
    for (const char *at = clean; *at != '\0'; at++) {
        const char *found = strchr(special, *at);
        if (found != NULL)
            fputs(entities[found - special], out);
        else
            fputc(*at, out);
    }
    free(clean);
}

// --- the table

// A row has what it is about, its state, and the rest in words.
static void page_open_row(FILE *out, const char *name, const char *state)
{
    fputs("<tr><th scope=\"row\">", out);
    page_text(out, name);
    fputs("</th><td>", out);
    page_text(out, state);
    fputs("</td><td>", out);
}

static void page_close_row(FILE *out)
{
    fputs("</td></tr>\n", out);
}

// Begins a line of a row's words.
static void page_begin_line(FILE *out, bool *begun)
{
    if (*begun)
        fputs("<br>", out);
    *begun = true;
}

// NULL or "": there is none.
static void page_write_line(FILE *out, const char *words, bool *begun)
{
    if (words == NULL || words[0] == '\0')
        return;
    page_begin_line(out, begun);
    page_text(out, words);
}

static void page_write_row(FILE *out, const char *name, const char *state, const char *words)
{
    page_open_row(out, name, state);
    page_text(out, words);
    page_close_row(out);
}

// What the rule looks at, as it was seen; false if nothing was.
static bool page_find_value(const struct check_view *view, const struct rule *rule, char *text,
                            size_t capacity)
{
    uint32_t column;
    if (view->seen == NULL)
        return false;
    if (rule->column == NULL) {
        (void)snprintf(text, capacity, "%" PRIu64, view->seen->row_count);
        return true;
    }
    if (view->seen->kept_rows == 0 || !result_find_column(view->seen, rule->column, &column))
        return false;
    struct value value = result_value(view->seen, 0, column);
    (void)snprintf(text, capacity, "%s", value.type == VALUE_NULL ? "null" : value.text);
    return true;
}

// "lag_seconds 45, fails > 30 for 20s"
static void page_write_value(FILE *out, const struct check_view *view, const struct rule *rule,
                             bool *begun)
{
    static const char *const effects[] = {
        [RULE_FAIL] = "fails", [RULE_WARN] = "warns", [RULE_SKIP] = "skipped"};
    char value[80];
    if (!page_find_value(view, rule, value, sizeof value))
        return;
    page_begin_line(out, begun);
    page_text(out, rule->column != NULL ? rule->column : "rows");
    fputs(" ", out);
    page_text(out, value);
    fprintf(out, ", %s ", effects[rule->effect]);
    page_text(out, comparison_text(rule->comparison));
    fputs(" ", out);
    page_text(out, check_limit(view->check, rule, NULL)->text);
    format_duration(rule->hold, value, sizeof value);
    if (rule->hold.ms > 0)
        fprintf(out, " for %s", value);
}

// "fail app: size_bytes 12, age_seconds 3"
static void page_write_row_of(FILE *out, const struct check_view *view, uint32_t row, bool *begun)
{
    const struct rows *rows = view->rows;
    char bytes[ROW_NAME_MAX];
    struct text name = text_in(bytes, sizeof bytes);
    const char *before = ": ";
    rows_add_name(rows, row, &name);
    page_begin_line(out, begun);
    fprintf(out, "%s ", verdict_name(judge_row(view->check, rows->kept, row, NULL, view->streaks)));
    page_text(out, bytes);
    for (uint32_t i = rows->label_count; i < rows->kept->column_count; i++) {
        struct value value = result_value(rows->kept, row, i);
        if (value.cut || value.length > SEEN_MAX)
            continue;
        fputs(before, out);
        page_text(out, result_column(rows->kept, i));
        fputs(" ", out);
        page_text(out, value.type == VALUE_NULL ? "null" : value.text);
        before = ", ";
    }
}

static void page_write_rows(FILE *out, const struct check_view *view, bool *begun)
{
    if (view->rows == NULL)
        return;
    for (uint32_t row = 0; row < view->rows->kept->kept_rows; row++)
        page_write_row_of(out, view, row, begun);
    if (view->rows->left_out > 0) {
        page_begin_line(out, begun);
        fprintf(out, "and %" PRIu64 " rows more", view->rows->left_out);
    }
}

// "fail since 2026-01-01T03:00:00.000Z, 12 s old"
static void page_describe_verdict(const struct check_view *view, const struct moment *moment,
                                  char *words, size_t capacity)
{
    struct text text = text_in(words, capacity);
    char time[WALL_TIME_MAX];
    text_add(&text, verdict_name(view->judgement.verdict));
    if (report_is_settled(view)) {
        wall_time_format_ms(moment_unix_ms(moment, view->statistics->history.since), time,
                            sizeof time);
        text_addf(&text, " since %s", time);
    } else {
        text_add(&text, " at this moment");
    }
    if (view->dated)
        text_addf(&text, ", %" PRId64 " s old",
                  instant_since(view->started, moment->now).ms / 1000);
}

static void page_write_check(FILE *out, const struct check_view *view, const struct moment *moment)
{
    char verdict[WALL_TIME_MAX + 48], detail[DETAIL_MAX];
    bool begun = false;
    page_describe_verdict(view, moment, verdict, sizeof verdict);
    report_detail(&view->judgement, detail, sizeof detail);
    page_open_row(out, view->check->name, verdict);
    page_write_line(out, detail, &begun);
    page_write_line(out, view->check->description, &begun);
    for (size_t i = 0; i < view->check->rule_count; i++)
        page_write_value(out, view, &view->check->rules[i], &begun);
    page_write_rows(out, view, &begun);
    page_close_row(out);
}

static void page_write_server(FILE *out, const struct report *report)
{
    const struct server_view *server = report->server;
    bool primary = report_has_role(report, "primary"), replica = report_has_role(report, "replica");
    const char *one = primary ? "primary" : replica ? "replica" : "";
    char words[128] = "not known yet";
    if (server->flavor != NULL)
        (void)snprintf(words, sizeof words, "%s %s", server->flavor, server->version);
    page_write_row(out, "server", primary && replica ? "primary and replica" : one, words);
}

static void page_write_prober(FILE *out, const struct prober_view *prober)
{
    const struct prober_statistics *counts = prober->statistics;
    char name[NAME_MAX_LENGTH + 16];
    bool begun = false;
    (void)snprintf(name, sizeof name, "prober %s", counts->name);
    page_open_row(out, name, report_prober_status(prober));
    page_write_line(out, report_prober_output(prober), &begun);
    page_begin_line(out, &begun);
    fprintf(out, "logins %" PRIu64 ", starts %" PRIu64 ", kills %" PRIu64 ", crashes %" PRIu64,
            counts->connections, counts->starts, counts->kills, counts->crashes);
    page_close_row(out);
}

static void page_write_drain(FILE *out, const struct circumstances *circumstances)
{
    char since[WALL_TIME_MAX];
    if (circumstances->draining_since_ms == 0)
        return;
    wall_time_format_ms(circumstances->draining_since_ms, since, sizeof since);
    fprintf(out, "<br>draining since %s", since);
}

static void page_write_adapter(FILE *out, const struct report *report)
{
    const struct adapter_view *adapter = report->adapter;
    page_open_row(out, "adapter", report->circumstances.draining ? "draining" : "");
    page_text(out, "dbhealthd " DBHEALTH_VERSION);
    page_write_drain(out, &report->circumstances);
    page_close_row(out);
    if (adapter->configuration_warning != NULL)
        page_write_row(out, "configuration", "warn", adapter->configuration_warning);
    for (size_t i = 0; i < adapter->prober_count; i++)
        page_write_prober(out, &adapter->probers[i]);
}

static void page_write_table(FILE *out, const struct report *report)
{
    const struct adapter_view *adapter = report->adapter;
    fputs("<table class=\"plain\">\n<caption>", out);
    report_conclusion(out, "readyz", report->passes);
    fputs("</caption>\n", out);
    for (size_t i = 0; i < adapter->config->endpoint_count; i++) {
        char path[NAME_MAX_LENGTH + 2];
        (void)snprintf(path, sizeof path, "/%s", adapter->config->endpoints[i].name);
        page_write_row(out, path, adapter->passes[i] ? "200" : "503", "");
    }
    for (size_t i = 0; i < report->count; i++)
        page_write_check(out, &report->views[i], &report->moment);
    page_write_server(out, report);
    page_write_adapter(out, report);
    fputs("</table>\n", out);
}

static void page_write_document(FILE *out, const struct report *report)
{
    struct writer writer = {.out = out, .compact = true, .in_html = true};
    document_write(&writer, report);
}

// --- the page

// The file has a mark where each part goes.
static const struct {
    const char *mark;
    void (*write)(FILE *out, const struct report *report);
} parts[] = {{"{{table}}\n", page_write_table}, {"{{document}}\n", page_write_document}};

void page_write(FILE *out, const struct report *report)
{
    const char *rest = page_html;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        const char *mark = strstr(rest, parts[i].mark);
        if (mark == NULL)
            abort(); // page.html is part of the program
        fwrite(rest, 1, (size_t)(mark - rest), out);
        parts[i].write(out, report);
        rest = mark + strlen(parts[i].mark);
    }
    fputs(rest, out);
}
