// See log.h. A row is a line like any other, but for another stream.
#include "server/base/log.h"

#include "common/memory.h"
#include "common/output.h"
#include "common/text.h"
#include "server/base/wall_time.h"

#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    LINE_MAX_BYTES = PIPE_BUF,
    VALUE_LEAST = 16,  // bytes that a value is not cut below
    SHORTENED_ROOM = 4 // for "..." and the NUL
};

static struct {
    struct output errors, rows;
    enum log_format format;
    enum log_level least;
    uint64_t dropped; // lines, ever
    uint64_t told;    // how many of these the log has been told of
} logger = {.errors = {.descriptor = STDERR_FILENO},
            .rows = {.descriptor = STDOUT_FILENO},
            .least = LOG_INFO};

static const char *const level_names[] = {"debug", "info", "warn", "error"};

void log_configure(enum log_format format, enum log_level level)
{
    logger.format = format;
    logger.least = level;
}

void log_open(void)
{
    output_close(&logger.errors);
    output_close(&logger.rows);
    logger.errors = output_open(STDERR_FILENO);
    logger.rows = output_open(STDOUT_FILENO);
}

bool log_is_on(enum log_level level)
{
    return level >= logger.least;
}

static bool log_is_left_out(const struct log_field *field)
{
    return !field->is_number && (field->text == NULL || field->text[0] == '\0');
}

// One line to be.
struct line {
    struct output *output;
    enum log_level level;
    const char *time;
    const char *message;
    const struct log_field *fields;
    size_t count;
};

// The value, cut to `most` bytes; copy[most + SHORTENED_ROOM] has room for that.
static const char *log_shortened(const char *value, size_t most, char *copy)
{
    size_t length = strlen(value);
    if (length <= most)
        return value;
    struct text cut = text_in(copy, most + SHORTENED_ROOM);
    text_addf(&cut, "%.*s...", (int)text_valid_length(value, most), value);
    return copy;
}

// Bare where that is unambiguous, else in quotes with \" and \\ inside.
static void log_add_value(struct text *line, const char *value)
{
    if (strpbrk(value, " =\"\\") == NULL) {
        text_add(line, value);
        return;
    }
    text_add(line, "\"");
    for (const char *at = value; *at != '\0';) {
        size_t plain = strcspn(at, "\"\\");
        text_addf(line, "%.*s", (int)plain, at);
        at += plain;
        if (*at != '\0')
            text_addf(line, "\\%c", *at++);
    }
    text_add(line, "\"");
}

static void log_write_logfmt(struct text *text, const struct line *line, size_t most)
{
    char copy[LINE_MAX_BYTES + SHORTENED_ROOM];
    text_addf(text, "time=%s level=%s msg=", line->time, level_names[line->level]);
    log_add_value(text, line->message);
    for (size_t i = 0; i < line->count; i++) {
        const struct log_field *field = &line->fields[i];
        if (log_is_left_out(field))
            continue;
        text_addf(text, " %s=", field->key);
        if (field->is_number)
            text_addf(text, "%lld", (long long)field->number);
        else
            log_add_value(text, log_shortened(field->text, most, copy));
    }
}

static json_t *log_json_value(const struct log_field *field, size_t most)
{
    char copy[LINE_MAX_BYTES + SHORTENED_ROOM];
    json_t *number = NULL;
    if (field->is_number)
        return json_integer(field->number);
    if (field->is_numeric)
        number = json_loads(field->text, JSON_DECODE_ANY, NULL);
    return json_is_number(number) ? number : json_string(log_shortened(field->text, most, copy));
}

static void log_write_json(struct text *text, const struct line *line, size_t most)
{
    json_t *object = json_pack("{s:s, s:s, s:s}", "time", line->time, "level",
                               level_names[line->level], "msg", line->message);
    for (size_t i = 0; i < line->count; i++) {
        const struct log_field *field = &line->fields[i];
        if (!log_is_left_out(field))
            (void)json_object_set_new(object, field->key, log_json_value(field, most));
    }
    size_t length = json_dumpb(object, text->bytes, text->capacity - 1, JSON_COMPACT);
    text->cut = length > text->capacity - 1;
    text->length = text->cut ? 0 : length;
    text->bytes[text->length] = '\0';
    json_decref(object);
}

// The longest values give way until the line fits.
static bool log_emit(const struct line *line)
{
    char bytes[LINE_MAX_BYTES];
    struct text text;
    size_t most = LINE_MAX_BYTES;
    do {
        text = text_in(bytes, sizeof bytes); // a byte stays free for the line's end
        if (logger.format == LOG_FORMAT_JSON)
            log_write_json(&text, line, most);
        else
            log_write_logfmt(&text, line, most);
        most -= most / 8;
    } while (text.cut && most >= VALUE_LEAST);
    if (text.cut)
        return false;
    text.bytes[text.length++] = '\n';
    return output_line(line->output, text.bytes, text.length);
}

// True if nothing is left to be told.
static bool log_tell_dropped(const char *time)
{
    uint64_t dropped = logger.dropped;
    struct log_field field = LOG_NUMBER("lines", (int64_t)(dropped - logger.told));
    struct line line = {.output = &logger.errors,
                        .level = logger.least > LOG_WARN ? logger.least : LOG_WARN,
                        .time = time,
                        .message = "log lines dropped",
                        .fields = &field,
                        .count = 1};
    if (dropped > logger.told && log_emit(&line))
        logger.told = dropped;
    return logger.told == dropped;
}

void log_event(enum log_level level, const char *message, const struct log_field *fields,
               size_t count)
{
    char time[WALL_TIME_MAX];
    if (level < logger.least)
        return;
    wall_time_format(instant_now(), time, sizeof time);
    struct line line = {.output = &logger.errors,
                        .level = level,
                        .time = time,
                        .message = message,
                        .fields = fields,
                        .count = count};
    if (!log_tell_dropped(time) || !log_emit(&line))
        logger.dropped++;
}

// --- rows

enum {
    SUFFIX_ROOM = RESULT_COLUMNS_MAX + 8, // for a '_' for each name that may be taken, and the NUL
    ROW_FIELDS_MAX = RESULT_COLUMNS_MAX + 1
};

static bool log_is_taken(char *const *keys, size_t count, const char *key)
{
    static const char *const own[] = {"time", "level", "msg", "check"};
    bool taken = false;
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        taken |= strcmp(own[i], key) == 0;
    for (size_t i = 1; i < count; i++)
        taken |= strcmp(keys[i], key) == 0;
    return taken;
}

// What a key of logfmt cannot hold becomes '_', in JSON too: one name in both.
static char *log_new_key(char *const *keys, size_t count, const char *column)
{
    size_t room = strlen(column) + SUFFIX_ROOM;
    char *key = memory_new(room);
    struct text text = text_in(key, room);
    text_add_foreign(&text, column, strlen(column));
    for (size_t i = 0; i < text.length; i++) {
        if (strchr(" =\"\\", key[i]) != NULL)
            key[i] = '_';
    }
    while ((text.length == 0 || log_is_taken(keys, count, key)) && !text.cut)
        text_add(&text, "_");
    return key;
}

static char *log_clean(const struct value *value)
{
    char *bytes = memory_new(value->length + 1);
    struct text text = text_in(bytes, value->length + 1);
    text_add_foreign(&text, value->text, value->length);
    return bytes;
}

void log_row(const char *check, const struct result *result, uint32_t row)
{
    struct log_field fields[ROW_FIELDS_MAX] = {LOG_TEXT("check", check)};
    char *keys[ROW_FIELDS_MAX], *values[ROW_FIELDS_MAX]; // of the columns, from 1 on
    char time[WALL_TIME_MAX];
    size_t count = 1;
    if (LOG_INFO < logger.least)
        return;
    for (uint32_t i = 0; i < result->column_count; i++) {
        struct value value = result_value(result, row, i);
        if (value.type == VALUE_NULL)
            continue;
        keys[count] = log_new_key(keys, count, result_column(result, i));
        values[count] = log_clean(&value);
        fields[count] = (struct log_field){
            .key = keys[count], .text = values[count], .is_numeric = value.type == VALUE_NUMBER};
        count++;
    }
    wall_time_format(instant_now(), time, sizeof time);
    struct line line = {.output = &logger.rows,
                        .level = LOG_INFO,
                        .time = time,
                        .message = "row",
                        .fields = fields,
                        .count = count};
    if (!log_emit(&line))
        logger.dropped++;
    while (count-- > 1) {
        free(keys[count]);
        free(values[count]);
    }
}

uint64_t log_lines_dropped(void)
{
    return logger.dropped;
}
