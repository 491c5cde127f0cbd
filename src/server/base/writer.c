// See writer.h.
#include "server/base/writer.h"

#include "server/base/wall_time.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { INDENT = 2, PRECISION = 15, US_PER_S = 1000000 };

static const double integer_most = 9007199254740991;

// Takes the value over.
static void writer_add(struct writer *writer, const char *key, json_t *value)
{
    json_t *outer = writer->depth > 0 ? writer->open[writer->depth - 1] : NULL;
    if (value == NULL)
        abort(); // no memory, or text that has not been cleaned
    if (outer == NULL)
        return;
    int failed = json_is_object(outer) ? json_object_set_new(outer, key, value)
                                       : json_array_append_new(outer, value);
    if (failed != 0)
        abort();
}

static void writer_open(struct writer *writer, const char *key, json_t *container)
{
    assert(writer->depth < WRITER_DEPTH_MAX);
    writer_add(writer, key, container);
    writer->open[writer->depth++] = container;
}

void writer_open_object(struct writer *writer, const char *key)
{
    writer_open(writer, key, json_object());
}

void writer_open_array(struct writer *writer, const char *key)
{
    writer_open(writer, key, json_array());
}

// A '<' is in strings only, where it may be written so.
static void writer_print_in_html(FILE *out, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '<')
            fputs("\\u003c", out);
        else
            (void)fputc(*text, out);
    }
}

static void writer_print(const struct writer *writer, const json_t *document)
{
    size_t form = writer->compact ? JSON_COMPACT : JSON_INDENT(INDENT);
    char *text = json_dumps(document, form | JSON_REAL_PRECISION(PRECISION));
    if (text == NULL)
        abort();
    if (writer->in_html)
        writer_print_in_html(writer->out, text);
    else
        fputs(text, writer->out);
    (void)fputc('\n', writer->out);
    free(text);
}

void writer_close(struct writer *writer)
{
    assert(writer->depth > 0);
    writer->depth--;
    if (writer->depth > 0)
        return;
    writer_print(writer, writer->open[0]);
    json_decref(writer->open[0]);
}

void writer_string(struct writer *writer, const char *key, const char *text)
{
    if (text != NULL)
        writer_add(writer, key, json_string(text));
}

void writer_integer(struct writer *writer, const char *key, int64_t number)
{
    writer_add(writer, key, json_integer(number));
}

void writer_boolean(struct writer *writer, const char *key, bool is_true)
{
    writer_add(writer, key, json_boolean(is_true));
}

void writer_null(struct writer *writer, const char *key)
{
    writer_add(writer, key, json_null());
}

void writer_seconds(struct writer *writer, const char *key, int64_t us)
{
    if (us % US_PER_S == 0)
        writer_integer(writer, key, us / US_PER_S);
    else
        writer_add(writer, key, json_real((double)us / (double)US_PER_S));
}

void writer_time(struct writer *writer, const char *key, int64_t unix_ms)
{
    char time[WALL_TIME_MAX];
    wall_time_format_ms(unix_ms, time, sizeof time);
    writer_string(writer, key, time);
}

void writer_number(struct writer *writer, const char *key, const char *digits)
{
    double number = strtod(digits, NULL);
    bool has_digits = strpbrk(digits, "0123456789") != NULL;
    if (isnan(number))
        writer_string(writer, key, "NaN");
    else if (!has_digits)
        writer_string(writer, key, number > 0 ? "Infinity" : "-Infinity");
    else if (fabs(number) > integer_most)
        writer_string(writer, key, digits);
    else if (number == (double)(int64_t)number)
        writer_integer(writer, key, (int64_t)number);
    else
        writer_add(writer, key, json_real(number));
}
