// dbhealthd check [--format json] [--watch[=1s]] [NAME...]: the same scheduler and probers as when
// serving; once, or again and again.
#include "server/command/command.h"

#include "common/memory.h"
#include "server/command/rounds.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    ASK_LIMIT_MS = 3600 * 1000, // each check's own timeout is what ends the request
    LEAST_INTERVAL_MS = 100     // between rounds
};

static bool command_check_refuse_name(const struct config *config, const char *name)
{
    fprintf(stderr, "dbhealthd: there is no check %s; there are:", name);
    for (size_t i = 0; i < config->check_count; i++)
        fprintf(stderr, " %s", config->checks[i]->name);
    fprintf(stderr, "\n");
    return false;
}

// The checks named, or all; false if one is not there.
static bool command_check_select_checks(const struct config *config, const struct words *names,
                                        size_t *checks, size_t *count)
{
    *count = names->count > 0 ? names->count : config->check_count;
    for (size_t i = 0; i < *count; i++) {
        checks[i] = names->count > 0 ? config_find_check(config, names->items[i]) : i;
        if (checks[i] == config->check_count)
            return command_check_refuse_name(config, names->items[i]);
    }
    return true;
}

static int command_check_run(struct command_line *line, struct rounds_options options)
{
    struct runner runner;
    size_t count;
    int status = STATUS_USAGE;
    if (options.interval.ms > 0)
        line->settings.cache = (struct duration){0}; // each round asks anew
    runner_start(&runner, &line->settings, (struct duration){.ms = ASK_LIMIT_MS});
    const struct config *config = runner.config;
    size_t *checks = memory_new((config->check_count + line->words.count + 1) * sizeof *checks);
    if (command_check_select_checks(config, &line->words, checks, &count)) {
        status = rounds_run(&runner, checks, count, options);
    } else {
        runner_end(&runner);
        runner_run(&runner);
    }
    free(checks);
    runner_free(&runner);
    return status;
}

// No --watch: 0.
static bool command_check_parse_interval(const char *text, struct duration *interval,
                                         struct error *error)
{
    *interval = (struct duration){0};
    return text == NULL ||
           command_parse_duration("watch", text, LEAST_INTERVAL_MS, interval, error);
}

int command_check(int argc, char **argv)
{
    const char *format = "text", *interval = NULL;
    const struct extra_flag extra[] = {{"format", &format, NULL}, {"watch", &interval, "1s"}};
    struct command_line line;
    struct error error;
    struct rounds_options options;
    if (!command_line_load(&line, argc, argv, extra, 2, 0, SIZE_MAX))
        return STATUS_USAGE;
    options.json = strcmp(format, "json") == 0;
    int status;
    if (!options.json && strcmp(format, "text") != 0)
        status = command_refuse("--format: expected text or json");
    else if (!command_check_parse_interval(interval, &options.interval, &error))
        status = command_refuse("%s", error.text);
    else
        status = command_check_run(&line, options);
    command_line_clear(&line);
    return status;
}
