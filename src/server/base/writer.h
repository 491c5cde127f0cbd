// JSON (RFC 8259), given member by member and printed by jansson.
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum { WRITER_DEPTH_MAX = 16 };

// Starts with these fields set and the rest 0. Text must be UTF-8. A key is given within an object
// and NULL within an array and for the outermost value.
struct writer {
    FILE *out;
    bool compact; // one line without a blank, else a line a member
    bool in_html; // '<' is escaped: nothing ends the element that the text is in
    // Private:
    json_t *open[WRITER_DEPTH_MAX]; // what is open, the outermost first
    unsigned depth;
};

// Opens an object.
void writer_open_object(struct writer *writer, const char *key);

// Opens an array.
void writer_open_array(struct writer *writer, const char *key);

// Closes the innermost that is open. The outermost is printed then, and ends the line.
void writer_close(struct writer *writer);

void writer_string(struct writer *writer, const char *key, const char *text); // NULL: left out
void writer_integer(struct writer *writer, const char *key, int64_t number);
void writer_boolean(struct writer *writer, const char *key, bool is_true);
void writer_null(struct writer *writer, const char *key);

// A length of time in seconds, to the microsecond.
void writer_seconds(struct writer *writer, const char *key, int64_t us);

// Unix time in milliseconds as RFC 3339 has it, see wall_time.h.
void writer_time(struct writer *writer, const char *key, int64_t unix_ms);

// A number as a server gave it (VALUE_NUMBER of common/result.h), with 15 significant digits. What
// is beyond 9007199254740991, up to where every reader of JSON can tell integers apart (RFC 7493),
// is a string of the server's own digits instead; so are "NaN", "Infinity" and "-Infinity".
void writer_number(struct writer *writer, const char *key, const char *digits);
