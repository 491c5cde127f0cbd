// What all commands share: see command.h.
#include "server/command/command.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int command_refuse(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)fputs("dbhealthd: ", stderr);
    (void)vfprintf(stderr, format, arguments);
    (void)fputs("\n", stderr);
    va_end(arguments);
    return STATUS_USAGE;
}

// fault = file ":" line ":" column ": " message
struct fault command_fault(const char *text)
{
    static const char digits[] = "0123456789";
    for (const char *at = strchr(text, ':'); at != NULL; at = strchr(at + 1, ':')) {
        const char *colon = at + 1 + strspn(at + 1, digits);
        const char *end = *colon == ':' ? colon + 1 + strspn(colon + 1, digits) : colon;
        if (colon > at + 1 && end > colon + 1 && strncmp(end, ": ", 2) == 0)
            return (struct fault){.file = (size_t)(at - text),
                                  .line = (unsigned)strtoul(at + 1, NULL, 10),
                                  .column = (unsigned)strtoul(colon + 1, NULL, 10),
                                  .message = end + 2};
    }
    return (struct fault){.message = text};
}

void command_print_fault(const char *text)
{
    if (command_fault(text).file > 0)
        (void)fprintf(stderr, "%s\n", text);
    else
        (void)command_refuse("%s", text);
}

bool command_line_load(struct command_line *line, int argc, char **argv,
                       const struct extra_flag *extra, size_t extra_count, size_t least_words,
                       size_t most_words)
{
    struct error error;
    *line = (struct command_line){0};
    bool loaded =
        settings_load(&line->settings, argc, argv, extra, extra_count, &line->words, &error);
    if (loaded && line->words.count < least_words)
        loaded = error_set(&error, "%s: expected more arguments; see dbhealthd --help", argv[0]);
    if (loaded && line->words.count > most_words)
        loaded = error_set(&error, "%.100s: unexpected; see dbhealthd --help",
                           line->words.items[most_words]);
    if (loaded)
        return true;
    (void)command_refuse("%s", error.text);
    command_line_clear(line);
    return false;
}

void command_line_clear(struct command_line *line)
{
    settings_clear(&line->settings);
    words_free(&line->words);
}

bool command_parse_duration(const char *flag, const char *text, int64_t least_ms,
                            struct duration *duration, struct error *error)
{
    char least[32];
    if (!parse_duration(text, duration, error))
        return error_prefix(error, "--%s", flag);
    format_duration((struct duration){least_ms}, least, sizeof least);
    return duration->ms >= least_ms || error_set(error, "--%s: expected at least %s", flag, least);
}
