// Pieces of HTML: text made safe, points in time and lengths of time in words.
#pragma once

#include <stdint.h>
#include <stdio.h>

// Writes any text, fit for content and for attributes in double quotes: cleaned to one line of
// UTF-8 of at most 1,000 bytes, and escaped.
void html_text(FILE *page, const char *text);

// The icon of this look, the name of a verdict: its form and colour. Words beside it say the same.
void html_icon(FILE *page, const char *look);

// The two largest units of a length of time, in whole seconds: "12 s", "3 min 12 s", "2 d 4 h".
void html_span(FILE *page, int64_t ms);

// A short time with the digits that matter: "0.04 ms", "1.2 ms", "35 ms", "1.2 s".
void html_took(FILE *page, uint32_t us);

// A name of several words with underscores between, where it may be broken.
void html_name(FILE *page, const char *name);

// A number: as it is written, but large ones of seconds or bytes, as the column's name says, in
// larger units: "2 h", "10.0 GiB".
void html_amount(FILE *page, const char *column, const char *text, double number);

// A <time> element: the time of day in UTC, and the date of what is half a day or more from now.
void html_time(FILE *page, int64_t unix_ms, int64_t now_unix_ms);

// Without the element, for attributes: "21:36:20".
void html_clock(FILE *page, int64_t unix_ms);
