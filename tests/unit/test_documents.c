// The documents' tables against the code's: a setting, header key, outcome or metric that one has
// and the other has not fails here, and so does a status that the semantics table promises and the
// code does not give.
#include "common/memory.h"
#include "common/outcome.h"
#include "server/check/check_file.h"
#include "server/check/endpoint.h"
#include "server/check/history.h"
#include "server/config/settings.h"
#include "server/report/metrics.h"
#include "server/report/page_assets.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char *read_file(const char *path)
{
    static const size_t limit = 1024 * 1024;
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    char *text = memory_new(limit + 1);
    size_t length = fread(text, 1, limit, file);
    assert_true(feof(file) && length > 0);
    fclose(file);
    return text;
}

static char *front_page(void)
{
    return read_file(DBHEALTH_SOURCE "/README.md");
}

static char *manual(void)
{
    return read_file(DBHEALTH_SOURCE "/src/man/dbhealthd.8");
}

// The table row whose first cell begins with this code; a new string, cut at its line's end.
static char *find_row(const char *text, const char *code)
{
    char start[96];
    (void)snprintf(start, sizeof start, "\n| `%s`", code);
    const char *row = strstr(text, start);
    if (row == NULL) {
        fail_msg("the document has no table row for `%s`", code);
        abort(); // fail_msg() does not return, which its declaration does not say
    }
    return memory_copy(row + 1, strcspn(row + 1, "\n"));
}

// Cell number `index` of a row, from 0, without leading blanks; points into the row.
static const char *cell(const char *row, unsigned index)
{
    for (unsigned i = 0; i <= index; i++)
        row = strchr(row, '|') + 1;
    return row + strspn(row, " ");
}

// The cell is this text and nothing more.
static void expect_text(const char *row, unsigned index, const char *text)
{
    const char *found = cell(row, index);
    size_t length = strcspn(found, "|");
    while (length > 0 && found[length - 1] == ' ')
        length--;
    char *whole = memory_copy(found, length);
    assert_string_equal(whole, text);
    free(whole);
}

static unsigned status_at(const struct check *check, const char *endpoint, enum outcome outcome)
{
    struct circumstances settled = {0};
    struct check_view view = {.check = check};
    if (outcome == OUTCOME_OK)
        view.judgement.verdict = VERDICT_PASS;
    else
        view.judgement = judge(check, outcome, NULL, NULL, NULL);
    return endpoint_passes(endpoint_rule(endpoint), &view, NULL, 1, &settled) ? 200 : 503;
}

static struct check *shipped(const char *name)
{
    static const struct check_defaults defaults = {
        .timeout = {800}, .cache = {2000}, .deadline = {900}};
    char path[512];
    (void)snprintf(path, sizeof path, "%s/checks/postgres/%s.sql", DBHEALTH_SOURCE, name);
    struct check *check = check_file_load(name, path, &defaults);
    assert_null(check->broken);
    return check;
}

static void semantics_table_is_what_the_code_does(void **state)
{
    (void)state;
    char *text = front_page();
    struct check *alive = shipped("alive");
    struct check *accepting = shipped("accepting");
    for (unsigned i = 0; i < OUTCOME_COUNT; i++) {
        enum outcome outcome = (enum outcome)i;
        char *row = find_row(text, outcome_info(outcome)->code);
        expect_text(row, 1, outcome_info(outcome)->sentence);
        expect_text(row, 2, outcome_info(outcome)->advice);
        unsigned healthz = (unsigned)strtoul(cell(row, 3), NULL, 10);
        unsigned readyz = (unsigned)strtoul(cell(row, 4), NULL, 10);
        assert_int_equal(healthz, status_at(alive, "healthz", outcome));
        assert_int_equal(healthz, status_at(alive, "startupz", outcome));
        assert_int_equal(readyz, status_at(accepting, "readyz", outcome));
        free(row);
    }
    check_free(alive);
    check_free(accepting);
    free(text);
}

static void every_header_key_is_described(void **state)
{
    (void)state;
    char *text = read_file(DBHEALTH_SOURCE "/checks/README.md");
    char keys[512];
    struct words names = {0};
    check_file_keys(keys, sizeof keys);
    words_split(&names, keys, " ");
    assert_true(names.count > 0);
    for (size_t i = 0; i < names.count; i++) {
        // `fail` and `warn` share a row.
        const char *name = strcmp(names.items[i], "warn") == 0 ? "fail`, `warn" : names.items[i];
        free(find_row(text, name));
    }
    words_free(&names);
    free(text);
}

// The manual page's list item that begins so, to its end: its head is the first line. A new string.
static char *find_item(const char *manual, const char *head)
{
    char start[96];
    (void)snprintf(start, sizeof start, "\n.It %s", head);
    const char *item = strstr(manual, start);
    if (item == NULL) {
        fail_msg("the manual has no item for %s", head);
        abort(); // fail_msg() does not return, which its declaration does not say
    }
    const char *next = strstr(item + 1, "\n.It ");
    const char *end = strstr(item, "\n.El");
    if (next != NULL && next < end)
        end = next;
    return memory_copy(item + 1, (size_t)(end - item - 1));
}

// How many list items begin so.
static size_t count_items(const char *manual, const char *head)
{
    char start[96];
    (void)snprintf(start, sizeof start, "\n.It %s", head);
    size_t count = 0;
    for (const char *at = manual; (at = strstr(at, start)) != NULL; at++)
        count++;
    return count;
}

// Line breaks become blanks, and the escape of a backquote one.
static void flatten(char *text)
{
    const char *from = text;
    for (char *to = text; (*to = *from) != '\0'; to++, from++) {
        if (*from == '\n')
            *to = ' ';
        if (strncmp(from, "\\(ga", 4) == 0) {
            *to = '`';
            from += 3;
        }
    }
}

// Cuts the item behind its head; gives what stands below.
static char *cut_head(char *item)
{
    char *end = strchr(item, '\n');
    assert_non_null(end);
    *end = '\0';
    return end + 1;
}

static void expect_default(const char *entry, const char *text)
{
    char words[96];
    (void)snprintf(words, sizeof words, "The default is\n.Cm %s .", text);
    if (text[0] == '\0')
        assert_null(strstr(entry, "The default is"));
    else
        assert_non_null(strstr(entry, words));
}

static void every_setting_is_described(void **state)
{
    (void)state;
    char *text = manual();
    struct setting_row setting;
    size_t count = 0;
    for (; settings_row(count, &setting); count++) {
        char words[96];
        (void)snprintf(words, sizeof words, "Fl -%s Ar ", setting.flag);
        char *item = find_item(text, words);
        char *entry = cut_head(item);
        (void)snprintf(words, sizeof words, " , Ev %s", setting.variable);
        assert_string_equal(strstr(item, " , Ev "), words);
        expect_default(entry, setting.default_text);
        free(item);
    }
    assert_int_equal(count_items(text, "Fl -"), count);
    free(text);
}

// Name, labels and help; the text of /metrics has the same help.
static void every_metric_is_described(void **state)
{
    (void)state;
    char *text = manual();
    const struct metric_family *family;
    for (size_t i = 0; (family = metrics_family(i)) != NULL; i++) {
        char head[96];
        (void)snprintf(head, sizeof head, "Cm %s%s%s%s%s\n", family->name,
                       family->label[0] != '\0' ? " Ns Brq Ar " : "", family->label,
                       family->second_label[0] != '\0' ? " , " : "", family->second_label);
        char *item = find_item(text, head);
        char *entry = cut_head(item);
        flatten(entry);
        assert_string_equal(entry, family->help);
        free(item);
    }
    free(text);
}

// Every item that looks like a metric's is one's.
static void every_metric_described_is_there(void **state)
{
    (void)state;
    char *text = manual();
    size_t families = 0;
    while (metrics_family(families) != NULL)
        families++;
    assert_int_equal(count_items(text, "Cm dbhealthd_") + count_items(text, "Cm process_"),
                     families);
    free(text);
}

// The section on the page has these words, and the numbers in them are the code's.
static void the_status_page_is_as_described(void **state)
{
    (void)state;
    char *text = manual();
    char words[64];
    char *section = strstr(text, "\n.Ss The status page\n");
    assert_non_null(section);
    flatten(section);
    (void)snprintf(words, sizeof words, "the latest %d runs", HISTORY_RESULTS);
    assert_non_null(strstr(section, words));
    assert_int_equal(HISTORY_MINUTES, 60);
    assert_non_null(strstr(section, "a bar a minute of the last hour"));
    (void)snprintf(words, sizeof words, "in memory, %.1f KB a check",
                   (double)sizeof(struct history) / 1000);
    assert_non_null(strstr(section, words));
    assert_non_null(strstr(section, "fetched anew every 5 s"));
    assert_non_null(strstr(page_js, "PERIOD_MS = 5000;"));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(semantics_table_is_what_the_code_does),
        cmocka_unit_test(every_header_key_is_described),
        cmocka_unit_test(every_setting_is_described),
        cmocka_unit_test(every_metric_is_described),
        cmocka_unit_test(every_metric_described_is_there),
        cmocka_unit_test(the_status_page_is_as_described),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
