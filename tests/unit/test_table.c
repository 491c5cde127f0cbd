// The table of `check` in windows of any size: nothing beyond its edges, nothing lost that fits,
// and what is not well before what is.
#include "server/command/table.h"

#include "unit.h"

#include <stdlib.h>
#include <string.h>

enum { CHECKS = 5, NAME_COLUMN = 16 };

static char names[CHECKS][NAME_COLUMN] = {"accepting", "alive", "a-longer-name", "lag", "slots"};
static struct check checks[CHECKS];
static const struct instant now = {.ns = 1000000000000};
static const char message[] = "FATAL: das Kennwort f\u00fcr \u00bbprobe\u00ab ist falsch";

static struct check_view view_of(size_t index, enum verdict verdict, enum outcome outcome)
{
    checks[index].name = names[index];
    return (struct check_view){.check = &checks[index],
                               .judgement = {.verdict = verdict, .outcome = outcome},
                               .dated = true,
                               .started = now,
                               .took = {12},
                               .message = ""};
}

// accepting and slots are not well.
static void make_views(struct check_view views[CHECKS])
{
    for (size_t i = 0; i < CHECKS; i++)
        views[i] = view_of(i, VERDICT_PASS, OUTCOME_OK);
    views[0] = view_of(0, VERDICT_FAIL, OUTCOME_DENIED);
    views[0].message = message;
    views[4] = view_of(4, VERDICT_UNKNOWN, OUTCOME_CONFIG);
}

static char *print(const struct table *table)
{
    char *text = NULL;
    size_t length;
    FILE *out = open_memstream(&text, &length);
    assert_non_null(out);
    table_print(out, table, now);
    assert_int_equal(fclose(out), 0);
    return text;
}

static size_t count_lines(const char *text)
{
    size_t lines = 0;
    for (; *text != '\0'; text++)
        lines += *text == '\n';
    return lines;
}

// Characters of the longest line, not bytes.
static size_t widest(const char *text)
{
    size_t most = 0, width = 0;
    for (; *text != '\0'; text++) {
        width += ((unsigned char)*text & 0xC0) != 0x80;
        if (*text == '\n')
            width = 0;
        most = width > most ? width : most;
    }
    return most;
}

static void expect_words(const char *text, const char *words)
{
    char copy[256], *rest = NULL;
    (void)snprintf(copy, sizeof copy, "%s", words);
    for (char *word = strtok_r(copy, " ", &rest); word != NULL; word = strtok_r(NULL, " ", &rest)) {
        if (strstr(text, word) == NULL)
            fail_msg("no %s in:\n%s", word, text);
    }
}

static void without_a_window_a_check_is_a_line_and_its_message_another(void **state)
{
    (void)state;
    struct check_view views[CHECKS];
    make_views(views);
    char *text = print(&(struct table){.views = views, .count = CHECKS});
    assert_int_equal(count_lines(text), 1 + CHECKS + 1);
    assert_non_null(strstr(text, "\nalive          pass        12 ms  \n"));
    assert_non_null(strstr(text, message));
    assert_non_null(strstr(text, " FATAL: das"));
    free(text);
}

static void no_line_is_wider_than_the_window_and_no_word_is_lost(void **state)
{
    (void)state;
    static const struct instant changed[CHECKS];
    struct check_view views[CHECKS];
    make_views(views);
    for (size_t width = 42; width < 200; width++) {
        char *text = print(
            &(struct table){.views = views, .count = CHECKS, .changed = changed, .width = width});
        assert_int_in_range(widest(text), 1, width);
        expect_words(text, outcome_info(OUTCOME_DENIED)->advice);
        expect_words(text, outcome_info(OUTCOME_CONFIG)->advice);
        expect_words(text, message);
        free(text);
    }
}

static void no_window_is_too_small(void **state)
{
    (void)state;
    struct check_view views[CHECKS];
    make_views(views);
    for (size_t width = 1; width < 50; width++) {
        for (size_t height = 2; height < 50; height++) {
            char *text = print(
                &(struct table){.views = views, .count = CHECKS, .width = width, .height = height});
            assert_int_in_range(count_lines(text), 1, height);
            free(text);
        }
    }
}

static void what_is_not_well_stands_first_where_there_is_no_room(void **state)
{
    (void)state;
    struct check_view views[CHECKS];
    make_views(views);
    char *text =
        print(&(struct table){.views = views, .count = CHECKS, .width = 200, .height = CHECKS});
    assert_non_null(strstr(text, "\naccepting "));
    assert_non_null(strstr(text, "\nslots "));
    assert_null(strstr(text, "\nalive "));
    assert_non_null(strstr(text, "\n3 more, 0 of them not well\n"));
    free(text);
    text = print(&(struct table){.views = views, .count = CHECKS, .width = 50, .height = 4});
    assert_non_null(strstr(text, "\naccepting ")); // without its details
    assert_non_null(strstr(text, "\nslots "));
    assert_int_equal(count_lines(text), 4);
    free(text);
    text = print(&(struct table){.views = views, .count = CHECKS, .width = 50, .height = 3});
    assert_non_null(strstr(text, "\n4 more, 1 of them not well\n"));
    free(text);
}

static void expect_changed(int64_t seconds, const char *wanted)
{
    struct check_view view = view_of(0, VERDICT_PASS, OUTCOME_OK);
    struct instant changed = {.ns = seconds < 0 ? 0 : now.ns - seconds * 1000000000};
    char *text = print(&(struct table){.views = &view, .count = 1, .changed = &changed});
    if (strstr(text, wanted) == NULL)
        fail_msg("no %s in:\n%s", wanted, text);
    free(text);
}

static void the_latest_change_is_told_in_its_largest_unit(void **state)
{
    (void)state;
    expect_changed(-1, "pass            -     12 ms");
    expect_changed(0, "pass       0s ago     12 ms");
    expect_changed(59, "  59s ago  ");
    expect_changed(60, "   1m ago  ");
    expect_changed(999, "  16m ago  ");
}

static void a_result_that_is_old_says_so_in_a_window(void **state)
{
    (void)state;
    struct check_view view = view_of(0, VERDICT_PASS, OUTCOME_OK);
    view.started.ns -= 30000000000;
    char *text = print(&(struct table){.views = &view, .count = 1});
    assert_null(strstr(text, "old"));
    free(text);
    expect_changed(-1, "12 ms  \n");
    struct instant changed = {0};
    text = print(&(struct table){.views = &view, .count = 1, .changed = &changed});
    assert_non_null(strstr(text, "12 ms  30 s old\n"));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_window_a_check_is_a_line_and_its_message_another),
        cmocka_unit_test(no_line_is_wider_than_the_window_and_no_word_is_lost),
        cmocka_unit_test(no_window_is_too_small),
        cmocka_unit_test(what_is_not_well_stands_first_where_there_is_no_room),
        cmocka_unit_test(the_latest_change_is_told_in_its_largest_unit),
        cmocka_unit_test(a_result_that_is_old_says_so_in_a_window),
    };
    return RUN(tests);
}
