// JSON (RFC 8259), written member by member. No tree is built of it, and a number keeps the digits
// that it came with, which a library that holds numbers as doubles would change.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

// Starts with these fields set and the rest 0. Text must be UTF-8. A key is given within an object
// and NULL within an array and for the outermost value.
struct writer {
    FILE *out;
    bool compact; // one line without a blank; else a line a member, but for what is within a row
    bool in_html; // '<' is escaped: nothing ends the element that the text is in
    // Private:
    unsigned depth;
    unsigned row; // the depth of the outermost row that is open; 0: none
    bool filled;  // what is open has a member
};

// Opens an object '{' or an array '['.
void writer_open(struct writer *writer, const char *key, char bracket);

// Likewise, and all that is in it stands on one line.
void writer_open_row(struct writer *writer, const char *key, char bracket);

// Closes the innermost that is open; the bracket must be its own. The outermost ends the line.
void writer_close(struct writer *writer, char bracket);

void writer_string(struct writer *writer, const char *key, const char *text); // NULL: left out
void writer_integer(struct writer *writer, const char *key, int64_t number);
void writer_boolean(struct writer *writer, const char *key, bool is_true);
void writer_null(struct writer *writer, const char *key);

// A length of time as seconds, with as many of six decimals as it needs.
void writer_seconds(struct writer *writer, const char *key, int64_t us);

// Unix time in milliseconds as RFC 3339 has it, see wall_time.h.
void writer_time(struct writer *writer, const char *key, int64_t unix_ms);

// A number as a server gave it (VALUE_NUMBER of common/result.h), in its own digits. What is beyond
// 9007199254740991, up to where every reader of JSON can tell integers apart (RFC 7493), is a
// string of them instead; so are "NaN", "Infinity" and "-Infinity".
void writer_number(struct writer *writer, const char *key, const char *digits);
