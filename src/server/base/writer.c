// See writer.h. What is open is known to the caller, who closes it: only how deep it is, and
// whether a comma is due, is kept here.
#include "server/base/writer.h"

#include "server/base/wall_time.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { INDENT = 2, US_PER_S = 1000000 };

static const double integer_most = 9007199254740991;

static bool writer_breaks_lines(const struct writer *writer)
{
    return !writer->compact && writer->row == 0;
}

static void writer_put(struct writer *writer, const char *bytes, size_t length)
{
    (void)fwrite_unlocked(bytes, 1, length, writer->out);
}

static void writer_begin_line(struct writer *writer)
{
    static const char blanks[] = "\n                                ";
    size_t length = 1 + (size_t)writer->depth * INDENT;
    assert(length < sizeof blanks);
    writer_put(writer, blanks, length);
}

// In quotes. Control characters are in no text that has been cleaned, and would be no JSON.
static void writer_quote(struct writer *writer, const char *text)
{
    const char *plain = text;
    putc_unlocked('"', writer->out);
    for (; *text != '\0'; text++) {
        unsigned char byte = (unsigned char)*text;
        bool escaped = byte < ' ' || (byte == '<' && writer->in_html);
        if (!escaped && byte != '"' && byte != '\\')
            continue;
        writer_put(writer, plain, (size_t)(text - plain));
        fprintf(writer->out, escaped ? "\\u%04x" : "\\%c", byte);
        plain = text + 1;
    }
    writer_put(writer, plain, (size_t)(text - plain));
    putc_unlocked('"', writer->out);
}

// What stands before each value.
static void writer_begin(struct writer *writer, const char *key)
{
    if (writer->filled)
        putc_unlocked(',', writer->out);
    if (writer->depth > 0 && writer_breaks_lines(writer))
        writer_begin_line(writer);
    else if (writer->filled && !writer->compact)
        putc_unlocked(' ', writer->out);
    writer->filled = true;
    if (key != NULL) {
        writer_quote(writer, key);
        writer_put(writer, ": ", writer->compact ? 1 : 2);
    }
}

void writer_open(struct writer *writer, const char *key, char bracket)
{
    writer_begin(writer, key);
    putc_unlocked(bracket, writer->out);
    writer->depth++;
    writer->filled = false;
}

void writer_open_row(struct writer *writer, const char *key, char bracket)
{
    writer_open(writer, key, bracket);
    if (writer->row == 0)
        writer->row = writer->depth;
}

void writer_close(struct writer *writer, char bracket)
{
    assert(writer->depth > 0);
    writer->depth--;
    if (writer->filled && writer_breaks_lines(writer))
        writer_begin_line(writer);
    if (writer->row > writer->depth)
        writer->row = 0;
    putc_unlocked(bracket, writer->out);
    writer->filled = true;
    if (writer->depth == 0)
        putc_unlocked('\n', writer->out);
}

void writer_string(struct writer *writer, const char *key, const char *text)
{
    if (text == NULL)
        return;
    writer_begin(writer, key);
    writer_quote(writer, text);
}

void writer_integer(struct writer *writer, const char *key, int64_t number)
{
    writer_begin(writer, key);
    fprintf(writer->out, "%" PRId64, number);
}

void writer_boolean(struct writer *writer, const char *key, bool is_true)
{
    writer_begin(writer, key);
    fputs(is_true ? "true" : "false", writer->out);
}

void writer_null(struct writer *writer, const char *key)
{
    writer_begin(writer, key);
    fputs("null", writer->out);
}

void writer_seconds(struct writer *writer, const char *key, int64_t us)
{
    int decimals = 6;
    int64_t fraction = us % US_PER_S;
    assert(us >= 0);
    writer_begin(writer, key);
    fprintf(writer->out, "%" PRId64, us / US_PER_S);
    if (fraction == 0)
        return;
    for (; fraction % 10 == 0; fraction /= 10)
        decimals--;
    fprintf(writer->out, ".%0*" PRId64, decimals, fraction);
}

void writer_time(struct writer *writer, const char *key, int64_t unix_ms)
{
    char time[WALL_TIME_MAX];
    wall_time_format_ms(unix_ms, time, sizeof time);
    writer_string(writer, key, time);
}

// JSON wants no plus sign, no zero before another digit, and a digit on both sides of a point.
static void writer_put_digits(struct writer *writer, const char *digits)
{
    if (*digits == '-')
        putc_unlocked('-', writer->out);
    digits += *digits == '-' || *digits == '+';
    while (digits[0] == '0' && digits[1] >= '0' && digits[1] <= '9')
        digits++;
    if (*digits == '.')
        putc_unlocked('0', writer->out);
    size_t whole = strspn(digits, "0123456789");
    fprintf(writer->out, "%.*s", (int)whole, digits);
    digits += whole;
    if (digits[0] == '.' && (digits[1] < '0' || digits[1] > '9'))
        digits++;
    fputs(digits, writer->out);
}

void writer_number(struct writer *writer, const char *key, const char *digits)
{
    double number = strtod(digits, NULL);
    bool has_digits = strpbrk(digits, "0123456789") != NULL;
    writer_begin(writer, key);
    if (isnan(number))
        writer_quote(writer, "NaN");
    else if (!has_digits)
        writer_quote(writer, number > 0 ? "Infinity" : "-Infinity");
    else if (fabs(number) > integer_most)
        writer_quote(writer, digits);
    else
        writer_put_digits(writer, digits);
}
