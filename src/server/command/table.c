// See table.h. Each row is written to memory first, for only then it is known how many lines it
// takes. A window is as wide as it says only for characters of one column each; the terminal cuts
// what is wider.
#include "server/command/table.h"

#include "common/memory.h"
#include "server/report/report.h"

#include <stdlib.h>
#include <string.h>

enum {
    LEAST_DETAIL = 24, // columns; where fewer are left, details stand below
    BELOW = 4,         // and so far to the right
    OLD = 5            // seconds
};

// A row as written.
struct row {
    char *text;
    size_t lines;
    bool well;
};

// Where columns begin.
struct layout {
    int name;
    size_t detail;
    bool below; // details stand on lines of their own
};

static const char *table_colour_of(enum verdict verdict)
{
    static const char *const colours[VERDICT_COUNT] = {[VERDICT_PASS] = "\033[32m",
                                                       [VERDICT_WARN] = "\033[33m",
                                                       [VERDICT_FAIL] = "\033[31m",
                                                       [VERDICT_UNKNOWN] = "\033[35m",
                                                       [VERDICT_SKIPPED] = "\033[2m"};
    return colours[verdict];
}

static struct layout table_layout_of(const struct table *table)
{
    size_t name = strlen("CHECK");
    for (size_t i = 0; i < table->count; i++) {
        size_t length = strlen(table->views[i].check->name);
        name = length > name ? length : name;
    }
    struct layout layout = {.name = (int)name};
    layout.detail = name + strlen("  VERDICT      TIME  ");
    if (table->changed != NULL)
        layout.detail += strlen("   CHANGED");
    layout.below = table->width != 0 && layout.detail + LEAST_DETAIL > table->width;
    if (layout.below)
        layout.detail = BELOW;
    return layout;
}

static bool table_begins_character(char byte)
{
    return ((unsigned char)byte & 0xC0) != 0x80; // UTF-8
}

// The length of the words' first line: all, or up to a blank, or what fits if there is none.
static size_t table_first_line(const char *words, size_t columns)
{
    size_t taken = 0, blank = 0, i = 0;
    for (; words[i] != '\0'; i++) {
        if (words[i] == ' ')
            blank = i;
        if (table_begins_character(words[i]) && taken++ == columns)
            return blank > 0 ? blank : i;
    }
    return i;
}

// From the second line on indented.
static void table_print_words(FILE *out, const char *words, size_t indent, size_t width)
{
    size_t columns = width == 0 ? SIZE_MAX : width > indent + 1 ? width - indent : 1;
    for (;;) {
        size_t length = table_first_line(words, columns);
        fprintf(out, "%.*s\n", (int)length, words);
        words += length;
        words += strspn(words, " ");
        if (words[0] == '\0')
            return;
        fprintf(out, "%*s", (int)indent, "");
    }
}

static void table_add_changed(FILE *out, struct instant changed, struct instant now)
{
    static const struct {
        int64_t seconds;
        char name;
    } units[] = {{86400, 'd'}, {3600, 'h'}, {60, 'm'}, {1, 's'}};
    char text[16] = "-";
    int64_t seconds = instant_since(changed, now).ms / 1000;
    size_t unit = 0;
    while (units[unit].seconds > 1 && seconds < units[unit].seconds)
        unit++;
    if (changed.ns != 0)
        (void)snprintf(text, sizeof text, "%d%c ago", (int)(seconds / units[unit].seconds % 100000),
                       units[unit].name);
    fprintf(out, "  %8s", text);
}

static void table_print_head(FILE *out, const struct table *table, const struct layout *layout)
{
    fprintf(out, "%-*s  %-7s%s  %8s%s\n", layout->name, "CHECK", "VERDICT",
            table->changed != NULL ? "   CHANGED" : "", "TIME", layout->below ? "" : "  DETAIL");
}

// The detail, and in a window how old it is, where that is more than somebody who looks would
// guess.
static void table_describe(const struct table *table, const struct check_view *view,
                           struct instant now, char *detail, size_t capacity)
{
    report_detail(&view->judgement, detail, capacity);
    long long age = (long long)(instant_since(view->started, now).ms / 1000);
    size_t length = strlen(detail);
    if (table->changed != NULL && view->dated && age >= OLD)
        (void)snprintf(detail + length, capacity - length, "%s%lld s old", length > 0 ? "; " : "",
                       age);
}

static void table_print_row(FILE *out, const struct table *table, size_t index,
                            const struct layout *layout, struct instant now)
{
    const struct check_view *view = &table->views[index];
    enum verdict verdict = view->judgement.verdict;
    char detail[DETAIL_MAX + 64];
    table_describe(table, view, now, detail, sizeof detail);
    fprintf(out, "%-*s  %s%-7s%s", layout->name, view->check->name,
            table->coloured ? table_colour_of(verdict) : "", verdict_name(verdict),
            table->coloured ? "\033[0m" : "");
    if (table->changed != NULL)
        table_add_changed(out, table->changed[index], now);
    fprintf(out, "  %5lld ms", (long long)view->took.ms);
    if (!layout->below)
        fputs("  ", out);
    else if (detail[0] != '\0')
        fprintf(out, "\n%*s", BELOW, "");
    table_print_words(out, detail, layout->detail, table->width);
    if (view->message[0] == '\0')
        return;
    fprintf(out, "%*s", (int)layout->detail, "");
    table_print_words(out, view->message, layout->detail, table->width);
}

static struct row table_write_row(const struct table *table, size_t index,
                                  const struct layout *layout, struct instant now)
{
    enum verdict verdict = table->views[index].judgement.verdict;
    struct row row = {.well = verdict == VERDICT_PASS || verdict == VERDICT_SKIPPED};
    size_t length;
    FILE *out = open_memstream(&row.text, &length);
    if (out == NULL)
        abort();
    table_print_row(out, table, index, layout, now);
    (void)fclose(out);
    for (size_t i = 0; i < length; i++)
        row.lines += row.text[i] == '\n';
    return row;
}

// With no room for all, what is not well stands first, and the last line says what is missing. If
// not even the rows of one kind fit, each of them is but its first line.
static void table_print_best(FILE *out, const struct row *rows, size_t count, size_t room)
{
    size_t lines[] = {0, 0}, hidden[] = {0, 0}; // of what is not well, and of what is
    for (size_t i = 0; i < count; i++)
        lines[rows[i].well] += rows[i].lines;
    room--;
    for (int well = 0; well <= 1; well++) {
        bool cut = lines[well] > room;
        for (size_t i = 0; i < count; i++) {
            size_t taken = cut ? 1 : rows[i].lines;
            if (rows[i].well != well)
                continue;
            hidden[well] += taken > room;
            if (taken > room)
                continue;
            fprintf(out, "%.*s", cut ? (int)strcspn(rows[i].text, "\n") + 1 : -1, rows[i].text);
            room -= taken;
        }
    }
    fprintf(out, "%zu more, %zu of them not well\n", hidden[0] + hidden[1], hidden[0]);
}

void table_print(FILE *out, const struct table *table, struct instant now)
{
    const struct layout layout = table_layout_of(table);
    struct row *rows = memory_new((table->count + 1) * sizeof *rows);
    size_t lines = 1;
    for (size_t i = 0; i < table->count; i++) {
        rows[i] = table_write_row(table, i, &layout, now);
        lines += rows[i].lines;
    }
    bool fits = table->height == 0 || lines <= table->height;
    table_print_head(out, table, &layout);
    if (!fits && table->height > 1)
        table_print_best(out, rows, table->count, table->height - 1);
    for (size_t i = 0; i < table->count; i++) {
        if (fits)
            fputs(rows[i].text, out);
        free(rows[i].text);
    }
    free(rows);
}
