// dbhealthd lint [--format json] FILE|FOLDER...: the parser of check files, with no server and no
// URL. Faults go to stderr, where tools look for places; stdout has the sum, or JSON.
#include "common/memory.h"
#include "server/base/writer.h"
#include "server/command/command.h"
#include "server/config/config.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct tally {
    size_t files;
    struct words faults; // with their places
};

static void command_lint_add(struct tally *tally, const struct config *config)
{
    for (size_t i = 0; i < config->problems.count; i++) {
        const char *problem = config->problems.items[i];
        bool of_target =
            config->target_problem != NULL && strcmp(problem, config->target_problem) == 0;
        if (!of_target) // which is no matter here
            words_add(&tally->faults, problem, strlen(problem));
    }
    for (size_t i = 0; i < config->check_count; i++)
        tally->files += strcmp(config->checks[i]->name, config->checks[i]->place) != 0;
}

// Each folder or file by itself, so that none hides behind a later one of its name. The command
// line is read anew for each, because a configuration takes its settings over.
static bool command_lint_path(int argc, char **argv, const struct extra_flag *format, size_t index,
                              struct tally *tally)
{
    struct command_line line;
    if (!command_line_load(&line, argc, argv, format, 1, 1, SIZE_MAX))
        return false;
    words_free(&line.settings.checks);
    words_add(&line.settings.checks, line.words.items[index], strlen(line.words.items[index]));
    line.settings.lint = true;
    bool more = index + 1 < line.words.count;
    struct config *config = config_load(&line.settings);
    command_lint_add(tally, config);
    config_release(config);
    command_line_clear(&line);
    return more;
}

static void command_lint_write_fault(struct writer *writer, const char *text)
{
    struct fault fault = command_fault(text);
    writer_open_object(writer, NULL);
    if (fault.file > 0) {
        char *file = memory_copy(text, fault.file);
        writer_string(writer, "file", file);
        writer_integer(writer, "line", fault.line);
        writer_integer(writer, "column", fault.column);
        free(file);
    }
    writer_string(writer, "message", fault.message);
    writer_close(writer);
}

static void command_lint_print_json(const struct tally *tally)
{
    struct writer writer = {.out = stdout};
    writer_open_object(&writer, NULL);
    writer_string(&writer, "releaseId", DBHEALTH_VERSION);
    writer_integer(&writer, "checks", (int64_t)tally->files);
    writer_open_array(&writer, "faults");
    for (size_t i = 0; i < tally->faults.count; i++)
        command_lint_write_fault(&writer, tally->faults.items[i]);
    writer_close(&writer);
    writer_close(&writer);
}

static void command_lint_print_sum(const struct tally *tally)
{
    printf("%zu check%s, %zu fault%s\n", tally->files, tally->files == 1 ? "" : "s",
           tally->faults.count, tally->faults.count == 1 ? "" : "s");
}

int command_lint(int argc, char **argv)
{
    const char *format = "text";
    const struct extra_flag extra = {"format", &format, NULL};
    struct tally tally = {0};
    struct command_line line;
    if (!command_line_load(&line, argc, argv, &extra, 1, 1, SIZE_MAX))
        return STATUS_USAGE;
    command_line_clear(&line);
    bool json = strcmp(format, "json") == 0;
    if (!json && strcmp(format, "text") != 0)
        return command_refuse("--format: expected text or json");
    for (size_t index = 0; command_lint_path(argc, argv, &extra, index, &tally); index++)
        ;
    for (size_t i = 0; i < tally.faults.count; i++)
        command_print_fault(tally.faults.items[i]);
    (json ? command_lint_print_json : command_lint_print_sum)(&tally);
    int status = tally.faults.count > 0 ? STATUS_USAGE : STATUS_WELL;
    words_free(&tally.faults);
    return status;
}
