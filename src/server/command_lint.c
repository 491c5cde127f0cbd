// dbhealthd lint FOLDER...: the parser of check files, with no server and no URL.
#include "server/command.h"
#include "server/config.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

static int lint(struct settings *settings)
{
    struct config *config = config_load(settings);
    size_t faults = 0;
    for (size_t i = 0; i < config->problems.count; i++) {
        const char *problem = config->problems.items[i];
        bool of_target =
            config->target_problem != NULL && strcmp(problem, config->target_problem) == 0;
        if (of_target)
            continue; // no matter here
        printf("%s\n", problem);
        faults++;
    }
    size_t files = 0;
    for (size_t i = 0; i < config->check_count; i++)
        files += strcmp(config->checks[i]->name, config->checks[i]->place) != 0;
    printf("%zu checks, %zu faults\n", files, faults);
    config_release(config);
    return faults > 0 ? STATUS_USAGE : STATUS_WELL;
}

int command_lint(int argc, char **argv)
{
    struct command_line line;
    if (!command_line_load(&line, argc, argv, NULL, 0, 1, SIZE_MAX))
        return STATUS_USAGE;
    words_free(&line.settings.checks);
    line.settings.checks = line.words;
    line.words = (struct words){0};
    int status = lint(&line.settings);
    command_line_clear(&line);
    return status;
}
