// The log: lines to stderr, and rows of checks to stdout, that never block. The only module with
// state of its own.
#pragma once

#include "common/result.h"

#include <stddef.h>
#include <stdint.h>

enum log_format { LOG_FORMAT_LOGFMT, LOG_FORMAT_JSON };

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

// A key and its value; a text that is NULL or "" leaves the field out.
struct log_field {
    const char *key;
    const char *text;
    int64_t number; // the value if is_number
    bool is_number;
    bool is_numeric; // the text is a number as JSON writes them
};

#define LOG_TEXT(key_, text_)                                                                      \
    (struct log_field)                                                                             \
    {                                                                                              \
        .key = (key_), .text = (text_)                                                             \
    }
#define LOG_NUMBER(key_, number_)                                                                  \
    (struct log_field)                                                                             \
    {                                                                                              \
        .key = (key_), .number = (number_), .is_number = true                                      \
    }

// Has the lines go on without blocking, whatever stderr and stdout are from now on; before it is
// called, and after one of them has become another file, a terminal that nobody reads may block.
void log_open(void);

// Sets form and least level; before it is called, everything from info on is written as logfmt.
void log_configure(enum log_format format, enum log_level level);

// True if lines of this level are written: ask before making one that costs something.
bool log_is_on(enum log_level level);

// Writes one line of at most 4 KiB: time (UTC), level, msg and the fields in order; where they
// don't fit, the longest values are cut and end in "...". Foreign text in a field must have been
// cleaned by text_add_foreign. If stderr has no room now, the line is dropped and counted, and the
// next line that is written to it says how many were.
void log_event(enum log_level level, const char *message, const struct log_field *fields,
               size_t count);

#define LOG_EVENT(level, message, ...)                                                             \
    log_event((level), (message), (const struct log_field[]){__VA_ARGS__},                         \
              sizeof((const struct log_field[]){__VA_ARGS__}) / sizeof(struct log_field))

// Writes a kept row of a check's result to stdout, as log_event writes a line, at level info: msg
// is "row", then `check` and the columns. A column whose name is taken has a '_' after it; NULL is
// left out.
void log_row(const char *check, const struct result *result, uint32_t row);

// How many lines have been dropped since the process began.
uint64_t log_lines_dropped(void);
