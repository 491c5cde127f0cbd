// The settings: one table of flags and environment variables, with defaults that are text and go
// through the same parsers.
#pragma once

#include "server/words.h"

#include <stdio.h>

enum log_format { LOG_FORMAT_LOGFMT, LOG_FORMAT_JSON };

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

// Made by settings_load, emptied by settings_clear.
struct settings {
    char *listen;         // address:port, as http_listen reads it
    struct words checks;  // folders, or "library" for the installed one
    struct words disable; // names of checks to leave out
    struct duration timeout;
    bool timeout_given; // not the default
    struct duration cache;
    struct duration deadline;
    struct duration drain;
    char *drain_file; // "": none
    enum log_format log_format;
    enum log_level log_level;
    struct words problems; // what was wrong with values; the default stands in their place
};

// Reads the command line's flags over the environment's variables. False only for what cannot be
// served with: an unknown flag, one without a value or a word that is no flag. A bad value is a
// problem and leaves the default.
bool settings_load(struct settings *settings, int argc, char **argv, struct error *error)
    __attribute__((warn_unused_result));

void settings_clear(struct settings *settings);

// Prints the table for --help.
void settings_print(FILE *file);
