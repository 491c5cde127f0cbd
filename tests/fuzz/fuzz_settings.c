// Settings from the environment and the command line: whatever is given, what comes out is within
// its bounds, each problem is a line that begins with what the person set, and the settings written
// out as flags are understood the same, whatever the environment says.
//
// Input: lines "$NAME=VALUE" are the environment; every other line is an argument.
#include "fuzz.h"

#include "common/memory.h"
#include "server/config/settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ARGUMENTS_MAX = 64, HOUR_MS = 3600 * 1000 };

struct arguments {
    char *items[ARGUMENTS_MAX + 1]; // a NULL at the end, as main() gets them
    int count;
};

static void add_argument(struct arguments *arguments, char *argument)
{
    MUST(arguments->count < ARGUMENTS_MAX);
    arguments->items[arguments->count++] = argument;
}

static void free_arguments(struct arguments *arguments)
{
    while (arguments->count > 0)
        free(arguments->items[--arguments->count]);
}

// What a setting's or flag's message begins with.
static bool names_a_setting(const char *problem)
{
    struct setting_row row;
    for (size_t i = 0; settings_row(i, &row); i++) {
        char flag[64];
        (void)snprintf(flag, sizeof flag, "--%s: ", row.flag);
        size_t length = strlen(row.variable);
        if (strncmp(problem, flag, strlen(flag)) == 0 ||
            (strncmp(problem, row.variable, length) == 0 &&
             strncmp(problem + length, ": ", 2) == 0))
            return true;
    }
    return false;
}

static void must_be_within(struct duration duration, int64_t least_ms, int64_t most_ms)
{
    struct duration again;
    struct error error;
    char text[32];
    MUST(duration.ms >= least_ms && duration.ms <= most_ms);
    format_duration(duration, text, sizeof text);
    MUST(parse_duration(text, &again, &error));
    MUST(again.ms == duration.ms);
}

static void must_be_names(const struct words *words)
{
    for (size_t i = 0; i < words->count; i++)
        MUST(is_name(words->items[i]));
}

static void must_be_sound(const struct settings *settings)
{
    MUST(settings->listen != NULL && settings->drain_file != NULL);
    must_be_names(&settings->enable);
    must_be_names(&settings->disable);
    must_be_names(&settings->keep);
    must_be_within(settings->timeout, 1, HOUR_MS);
    must_be_within(settings->cache, 0, 24 * HOUR_MS);
    must_be_within(settings->deadline, 1, HOUR_MS);
    must_be_within(settings->drain, 0, HOUR_MS);
    MUST(settings->timeout.ms <= settings->deadline.ms);
    MUST(settings->log_format <= LOG_FORMAT_JSON && settings->log_level <= LOG_ERROR);
    for (size_t i = 0; i < settings->problems.count; i++) {
        MUST(is_fit_line(settings->problems.items[i]));
        MUST(names_a_setting(settings->problems.items[i]));
    }
}

// --- writing settings as flags

static void add_flag(struct arguments *arguments, const char *name, const char *value)
{
    struct written flag = {0};
    write_format(&flag, "--%s=%s", name, value);
    add_argument(arguments, flag.bytes);
}

static void add_words(struct arguments *arguments, const char *name, const struct words *words,
                      const char *separator)
{
    struct written list = {0};
    write_format(&list, "%s", words->count == 0 ? separator : "");
    for (size_t i = 0; i < words->count; i++)
        write_format(&list, "%s%s", i > 0 ? separator : "", words->items[i]);
    add_flag(arguments, name, list.bytes);
    free(list.bytes);
}

static void add_duration(struct arguments *arguments, const char *name, struct duration duration)
{
    char text[32];
    format_duration(duration, text, sizeof text);
    add_flag(arguments, name, text);
}

static void write_flags(struct arguments *arguments, const struct settings *settings)
{
    static const char *const formats[] = {"logfmt", "json"};
    static const char *const levels[] = {"debug", "info", "warn", "error"};
    add_argument(arguments, memory_string("dbhealthd"));
    add_flag(arguments, "listen", settings->listen);
    add_flag(arguments, "agent-listen", settings->agent_listen);
    add_words(arguments, "checks", &settings->checks, ":");
    add_words(arguments, "enable", &settings->enable, ",");
    add_words(arguments, "disable", &settings->disable, ",");
    add_words(arguments, "keep", &settings->keep, ",");
    add_duration(arguments, "timeout", settings->timeout);
    add_duration(arguments, "cache", settings->cache);
    add_duration(arguments, "deadline", settings->deadline);
    add_duration(arguments, "drain", settings->drain);
    add_flag(arguments, "drain-file", settings->drain_file);
    add_flag(arguments, "log-format", formats[settings->log_format]);
    add_flag(arguments, "log-level", levels[settings->log_level]);
}

static void must_be_the_same(const struct settings *a, const struct settings *b)
{
    MUST_EQUAL(a->listen, b->listen);
    MUST_EQUAL(a->agent_listen, b->agent_listen);
    MUST_EQUAL(a->drain_file, b->drain_file);
    MUST(same_words(&a->checks, &b->checks));
    MUST(same_words(&a->enable, &b->enable));
    MUST(same_words(&a->disable, &b->disable));
    MUST(same_words(&a->keep, &b->keep));
    MUST(a->timeout.ms == b->timeout.ms && a->cache.ms == b->cache.ms);
    MUST(a->deadline.ms == b->deadline.ms && a->drain.ms == b->drain.ms);
    MUST(a->log_format == b->log_format && a->log_level == b->log_level);
}

static void must_come_back(const struct settings *settings)
{
    struct arguments arguments = {0};
    struct settings again;
    struct words words = {0};
    struct error error;
    write_flags(&arguments, settings);
    MUST(settings_load(&again, arguments.count, arguments.items, NULL, 0, &words, &error));
    MUST(words.count == 0);
    must_be_the_same(settings, &again);
    for (size_t i = 0; i < again.problems.count; i++) // nothing is wrong with a flag of ours
        MUST(again.problems.items[i][0] != '-');
    settings_clear(&again);
    free_arguments(&arguments);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct input input = input_of(bytes, length);
    struct arguments arguments = {0};
    struct settings settings;
    struct words words = {0};
    struct error error;
    const char *format = "text";
    const struct extra_flag extra[] = {{"format", &format, NULL}};
    environment_begin(&input);
    add_argument(&arguments, memory_string("dbhealthd"));
    while (input.left > 0 && arguments.count < ARGUMENTS_MAX)
        add_argument(&arguments, take_line(&input));
    if (settings_load(&settings, arguments.count, arguments.items, extra, 1, &words, &error)) {
        must_be_sound(&settings);
        must_come_back(&settings);
    } else {
        must_be_told(&error);
    }
    MUST(words.count < (size_t)arguments.count);
    MUST(format != NULL);
    settings_clear(&settings);
    words_free(&words);
    free_arguments(&arguments);
    environment_end();
    return 0;
}
