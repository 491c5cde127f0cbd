// Foreign bytes made fit to show: one line, valid UTF-8, bounded.
#pragma once

#include <stdbool.h>
#include <stddef.h>

// A string under construction in a buffer that the caller owns. It is NUL-terminated at all times;
// what does not fit is left out and `cut` is set.
struct text {
    char *bytes;
    size_t capacity; // of bytes, the NUL included; at least 1
    size_t length;
    bool cut;
};

// Makes an empty text in bytes[capacity].
struct text text_in(char *bytes, size_t capacity);

// The length of the longest start of bytes that is valid UTF-8 (RFC 3629) without a NUL; length if
// all of it is.
size_t text_valid_length(const char *bytes, size_t length);

// Appends a string as it is, cut at a whole UTF-8 character.
void text_add(struct text *text, const char *string);

// Appends length bytes from a server, a file or the network: invalid UTF-8 becomes '?', each run of
// control characters, line ends, the Unicode line separators and directional overrides becomes one
// space. Leading and trailing ones are dropped.
void text_add_foreign(struct text *text, const char *bytes, size_t length);

// True if text_add_foreign would leave it as it is, given the room.
bool text_is_clean(const char *string);

// Appends formatted words, cut if they do not fit.
void text_addf(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
