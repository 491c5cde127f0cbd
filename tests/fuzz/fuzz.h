// What every fuzz target includes. A target is one function that is given bytes, makes of them what
// the code under test takes, and says what must hold of what comes back, beyond "no crash".
// Inputs are lines of text where that is possible: seeds, dictionaries and findings can be read.
#pragma once

#include "common/error.h"
#include "common/result.h"
#include "server/base/words.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// The target; 0 if the input may join the corpus, -1 if not.
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

// Ends the process as a finding if the condition is false.
#define MUST(condition)                                                                            \
    ((condition) ? (void)0 : fuzz_found(__FILE__, __LINE__, "not so: " #condition))

// The same for two strings, either of which may be NULL.
#define MUST_EQUAL(a, b) fuzz_must_equal(__FILE__, __LINE__, (a), (b))

_Noreturn void fuzz_found(const char *file, int line, const char *what);
void fuzz_must_equal(const char *file, int line, const char *a, const char *b);

// The text is one line of UTF-8 that can neither end a line nor steer a terminal.
bool is_fit_line(const char *text);

// The error says something, in such a line.
void must_be_told(const struct error *error);

// --- taking an input apart

// What is left of an input.
struct input {
    const char *bytes;
    size_t left;
};

struct input input_of(const uint8_t *bytes, size_t length);

// The next line without its end; "" if nothing is left. A NUL in it ends it early. The caller's.
char *take_line(struct input *input);

// The next byte; 0 if nothing is left.
unsigned take_byte(struct input *input);

// All that is left, as a string. The caller's.
char *take_rest(struct input *input);

// Takes lines "$NAME=VALUE" from the front, and makes them the whole environment until
// environment_end.
void environment_begin(struct input *input);
void environment_end(void);

// Takes what a query gave: a line with the number of all rows, a line of column names with tabs
// between them, |NUMBER behind one for its type, and a line a kept row, each value with a character
// for its type before it: - null, ? boolean, # number, else a string; * and 9 are a string and a
// number of so many bytes as the number after them says. The caller's.
struct result *take_result(struct input *input);

// Takes a line of changes and makes them in a message: "OFFSET=BYTE" sets one, "-COUNT" cuts so
// many off its end, "+COUNT" adds so many zeros, up to the capacity. So a message that is nearly
// right is found in one step, whatever its form is by then.
void take_changes(struct input *input, unsigned char *message, size_t *length, size_t capacity);

// --- writing what is to be parsed again

// A string that grows; starts as {0}, and is freed with free(written.bytes).
struct written {
    char *bytes; // NULL: nothing yet
    size_t length;
};

void write_bytes(struct written *written, const char *bytes, size_t length);
void write_format(struct written *written, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

// Every byte but letters and digits as %XX.
void write_escaped(struct written *written, const char *text);

// In quotes, each of them within doubled.
void write_quoted(struct written *written, const char *text, char quote);

bool same_words(const struct words *a, const struct words *b);
