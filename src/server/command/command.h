// The commands beside serving. Each gets its own name as argv[0] and returns the exit status:
// 0 well, 1 not well, 2 wrong usage or configuration.
#pragma once

#include "server/config/settings.h"

enum { STATUS_WELL = 0, STATUS_UNWELL = 1, STATUS_USAGE = 2 };

// What a command was called with, in full.
struct command_line {
    struct settings settings;
    struct words words; // what is no flag
};

// Reads the command line, with the command's extra flags and a number of words in this range.
// False, with the reason on stderr and nothing to free, if it is wrong.
bool command_line_load(struct command_line *line, int argc, char **argv,
                       const struct extra_flag *extra, size_t extra_count, size_t least_words,
                       size_t most_words) __attribute__((warn_unused_result));

void command_line_clear(struct command_line *line);

// Reads the value of a flag of a command's own that is a duration, of so many milliseconds at
// least.
bool command_parse_duration(const char *flag, const char *text, int64_t least_ms,
                            struct duration *duration, struct error *error)
    __attribute__((warn_unused_result));

// Says what is wrong on stderr; returns STATUS_USAGE.
int command_refuse(const char *format, ...) __attribute__((format(printf, 1, 2)));

// What is wrong with configuration, taken apart.
struct fault {
    size_t file;           // length of the file's name, which the text begins with; 0: of no file
    unsigned line, column; // in it
    const char *message;   // in the text, behind the place
};

// Of a text like "file:line:column: message", or of any other.
struct fault command_fault(const char *text);

// Prints a line on stderr that tools find the place in.
void command_print_fault(const char *text);

// Runs checks once and prints a table.
int command_check(int argc, char **argv);

// Judges check files without a server.
int command_lint(int argc, char **argv);

// Asks a running adapter.
int command_get(int argc, char **argv);

// Makes or removes the drain file, and says what the adapter saw.
int command_drain(int argc, char **argv);

// Waits until an endpoint passes.
int command_wait(int argc, char **argv);

// Prints the SQL that makes the probe user.
int command_grants(int argc, char **argv);

// Copies dbhealthd-ask into a folder.
int command_install(int argc, char **argv);
