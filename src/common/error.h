// Why something failed, in words for the person who can mend it.
#pragma once

#include <stdarg.h>
#include <stdbool.h>

// Owned by the caller, who makes one on the stack and passes it down. The text says where the fault
// is (file:line:column or the name of a variable) and what was expected. It never holds a secret,
// and it is one line of valid UTF-8 whatever is quoted in it.
struct error {
    char text[512];
};

// Sets the text (cut if it does not fit) and returns false, so that a function can end with
// `return error_set(error, ...)`.
bool error_set(struct error *error, const char *format, ...) __attribute__((format(printf, 2, 3)));

// Puts the formatted words (at most 255 bytes of them) and ": " before the text; returns false
// likewise.
bool error_prefix(struct error *error, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
