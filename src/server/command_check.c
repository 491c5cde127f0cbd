// dbhealthd check [--format json] [NAME...]: the same scheduler and probers as when serving, once.
#include "server/command.h"

#include "common/memory.h"
#include "server/probing.h"
#include "server/report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct checking {
    struct probing probing;
    bool json;
    int status;
};

static const char *colour_of(enum verdict verdict)
{
    static const char *const colours[VERDICT_COUNT] = {[VERDICT_PASS] = "\033[32m",
                                                       [VERDICT_WARN] = "\033[33m",
                                                       [VERDICT_FAIL] = "\033[31m",
                                                       [VERDICT_UNKNOWN] = "\033[35m",
                                                       [VERDICT_SKIPPED] = "\033[2m"};
    const char *no_colour = getenv("NO_COLOR"); // https://no-color.org
    bool coloured = isatty(STDOUT_FILENO) && (no_colour == NULL || no_colour[0] == '\0');
    return coloured ? colours[verdict] : "";
}

static int name_width(const struct check_view *views, size_t count)
{
    size_t width = strlen("CHECK");
    for (size_t i = 0; i < count; i++) {
        size_t length = strlen(views[i].check->name);
        width = length > width ? length : width;
    }
    return (int)width;
}

static void print_row(const struct check_view *view, int width)
{
    char detail[DETAIL_MAX];
    const char *colour = colour_of(view->judgement.verdict);
    const char *plain = colour[0] != '\0' ? "\033[0m" : "";
    report_detail(&view->judgement, detail, sizeof detail);
    printf("%-*s  %s%-7s%s  %5lld ms  %s\n", width, view->check->name, colour,
           verdict_name(view->judgement.verdict), plain, (long long)view->took.ms, detail);
    if (view->message[0] != '\0')
        printf("%-*s  %s\n", width + 20, "", view->message);
}

static void print_table(const struct check_view *views, size_t count)
{
    int width = name_width(views, count);
    printf("%-*s  %-7s  %8s  %s\n", width, "CHECK", "VERDICT", "TIME", "DETAIL");
    for (size_t i = 0; i < count; i++)
        print_row(&views[i], width);
}

static void print_json(const struct check_view *views, size_t count, bool passes)
{
    struct report report = {.name = "check",
                            .rule = endpoint_rule("readyz"),
                            .views = views,
                            .count = count,
                            .passes = passes};
    size_t length;
    char *text = report_json_text(report_json(&report), &length);
    fputs(text, stdout);
    free(text);
}

static void on_views(void *context, struct check_view *views, size_t count)
{
    struct checking *checking = context;
    struct circumstances settled = {0};
    bool passes = endpoint_passes(endpoint_rule("readyz"), views, count, &settled);
    if (checking->json)
        print_json(views, count, passes);
    else
        print_table(views, count);
    bool problems = checking->probing.config->problems.count > 0;
    checking->status = problems ? STATUS_USAGE : passes ? STATUS_WELL : STATUS_UNWELL;
    probing_end(&checking->probing);
}

static bool find_check(const struct config *config, const char *name, size_t *check)
{
    for (size_t i = 0; i < config->check_count; i++) {
        if (strcmp(config->checks[i]->name, name) == 0) {
            *check = i;
            return true;
        }
    }
    fprintf(stderr, "dbhealthd: there is no check %s; there are:", name);
    for (size_t i = 0; i < config->check_count; i++)
        fprintf(stderr, " %s", config->checks[i]->name);
    fprintf(stderr, "\n");
    return false;
}

// The checks named, or all; false if one is not there.
static bool select_checks(const struct config *config, const struct words *names, size_t *checks,
                          size_t *count)
{
    *count = names->count > 0 ? names->count : config->check_count;
    for (size_t i = 0; i < *count; i++)
        checks[i] = i;
    for (size_t i = 0; i < names->count; i++) {
        if (!find_check(config, names->items[i], &checks[i]))
            return false;
    }
    return true;
}

static int run_checks(struct command_line *line, bool json)
{
    struct checking checking = {.json = json, .status = STATUS_USAGE};
    size_t count;
    probing_start(&checking.probing, &line->settings);
    const struct config *config = checking.probing.config;
    size_t *checks = memory_new((config->check_count + line->words.count + 1) * sizeof *checks);
    if (select_checks(config, &line->words, checks, &count))
        scheduler_ask(checking.probing.scheduler, checks, count, on_views, &checking);
    else
        probing_end(&checking.probing);
    free(checks);
    probing_run(&checking.probing);
    probing_free(&checking.probing);
    return checking.status;
}

int command_check(int argc, char **argv)
{
    const char *format = "text";
    const struct extra_flag extra[] = {{"format", &format}};
    struct command_line line;
    if (!command_line_load(&line, argc, argv, extra, 1, 0, SIZE_MAX))
        return STATUS_USAGE;
    bool json = strcmp(format, "json") == 0;
    int status = json || strcmp(format, "text") == 0
                     ? run_checks(&line, json)
                     : command_refuse("--format: expected text or json");
    command_line_clear(&line);
    return status;
}
