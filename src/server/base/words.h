// The small values of settings and check files: durations, yes and no, names and lists of them.
// All parsers take the whole text and refuse anything after the value.
#pragma once

#include "common/error.h"
#include "common/instant.h"

#include <stdbool.h>
#include <stddef.h>

enum { NAME_MAX_LENGTH = 63 };

// A number with a unit, like 500ms, 1.5s, 2m, 1h; at most 24h. Rounded up to a whole millisecond,
// so that a small value never becomes "none".
bool parse_duration(const char *text, struct duration *duration, struct error *error)
    __attribute__((warn_unused_result));

// Writes it as parse_duration reads it, in the largest unit that fits without a fraction.
void format_duration(struct duration duration, char *text, size_t capacity);

// "yes" or "no".
bool parse_yes_no(const char *text, bool *yes, struct error *error)
    __attribute__((warn_unused_result));

// True for one or more of a-z, 0-9 and '-', at most NAME_MAX_LENGTH: the names of checks, endpoints
// and probers.
bool is_name(const char *text);

// A list of strings; the array and each string are owned.
struct words {
    char **items;
    size_t count;
};

// Adds a copy.
void words_add(struct words *words, const char *bytes, size_t length);

// True if the list has this word.
bool words_have(const struct words *words, const char *word);

// Splits at any of the separators; empty pieces are left out.
void words_split(struct words *words, const char *text, const char *separators);

// Frees the strings and the array.
void words_free(struct words *words);
