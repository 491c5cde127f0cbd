// dbhealthd lint FOLDER...: the parser of check files, with no server and no URL.
#include "server/command/command.h"
#include "server/config/config.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

struct tally {
    size_t files;
    size_t faults;
};

static void command_lint_print_problems(const struct config *config, struct tally *tally)
{
    for (size_t i = 0; i < config->problems.count; i++) {
        const char *problem = config->problems.items[i];
        bool of_target =
            config->target_problem != NULL && strcmp(problem, config->target_problem) == 0;
        if (of_target)
            continue; // no matter here
        printf("%s\n", problem);
        tally->faults++;
    }
    for (size_t i = 0; i < config->check_count; i++)
        tally->files += strcmp(config->checks[i]->name, config->checks[i]->place) != 0;
}

// Each folder by itself, so that no file hides behind a later one of its name. The command line is
// read anew for each, because a configuration takes its settings over.
static bool command_lint_folder(int argc, char **argv, size_t index, struct tally *tally)
{
    struct command_line line;
    if (!command_line_load(&line, argc, argv, NULL, 0, 1, SIZE_MAX))
        return false;
    words_free(&line.settings.checks);
    words_add(&line.settings.checks, line.words.items[index], strlen(line.words.items[index]));
    line.settings.enable_all = true;
    bool more = index + 1 < line.words.count;
    struct config *config = config_load(&line.settings);
    command_lint_print_problems(config, tally);
    config_release(config);
    command_line_clear(&line);
    return more;
}

int command_lint(int argc, char **argv)
{
    struct tally tally = {0};
    size_t index = 0;
    struct command_line line;
    if (!command_line_load(&line, argc, argv, NULL, 0, 1, SIZE_MAX))
        return STATUS_USAGE;
    command_line_clear(&line);
    while (command_lint_folder(argc, argv, index, &tally))
        index++;
    printf("%zu check%s, %zu fault%s\n", tally.files, tally.files == 1 ? "" : "s", tally.faults,
           tally.faults == 1 ? "" : "s");
    return tally.faults > 0 ? STATUS_USAGE : STATUS_WELL;
}
