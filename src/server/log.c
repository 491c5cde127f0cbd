// See log.h. Whether there is room is asked of poll(): a pipe that polls writable takes PIPE_BUF
// (4 KiB) whole without blocking, and no line is longer. Setting O_NONBLOCK instead would change
// the descriptor for everyone who shares it, a shell for one.
#include "server/log.h"

#include "common/text.h"
#include "server/wall_time.h"

#include <jansson.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = PIPE_BUF };

static struct {
    enum log_format format;
    enum log_level least;
    uint64_t dropped; // since the last line that was written
} logger = {.least = LOG_INFO};

static const char *const level_names[] = {"debug", "info", "warn", "error"};

void log_configure(enum log_format format, enum log_level level)
{
    logger.format = format;
    logger.least = level;
}

static bool is_left_out(const struct log_field *field)
{
    return !field->is_number && (field->text == NULL || field->text[0] == '\0');
}

// Bare where that is unambiguous, else in quotes with \" and \\ inside.
static void add_value(struct text *line, const char *value)
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

static void write_logfmt(struct text *line, const char *time, enum log_level level,
                         const char *message, const struct log_field *fields, size_t count)
{
    text_addf(line, "time=%s level=%s msg=", time, level_names[level]);
    add_value(line, message);
    for (size_t i = 0; i < count; i++) {
        if (is_left_out(&fields[i]))
            continue;
        text_addf(line, " %s=", fields[i].key);
        if (fields[i].is_number)
            text_addf(line, "%lld", (long long)fields[i].number);
        else
            add_value(line, fields[i].text);
    }
}

static void write_json(struct text *line, const char *time, enum log_level level,
                       const char *message, const struct log_field *fields, size_t count)
{
    json_t *object =
        json_pack("{s:s, s:s, s:s}", "time", time, "level", level_names[level], "msg", message);
    for (size_t i = 0; i < count; i++) {
        if (is_left_out(&fields[i]))
            continue;
        json_t *value =
            fields[i].is_number ? json_integer(fields[i].number) : json_string(fields[i].text);
        (void)json_object_set_new(object, fields[i].key, value);
    }
    size_t length = json_dumpb(object, line->bytes, line->capacity - 1, JSON_COMPACT);
    line->cut = length > line->capacity - 1;
    line->length = line->cut ? 0 : length;
    line->bytes[line->length] = '\0';
    json_decref(object);
}

static void emit(struct text *line)
{
    struct pollfd ready = {.fd = STDERR_FILENO, .events = POLLOUT};
    bool writable = poll(&ready, 1, 0) == 1 && (ready.revents & POLLOUT) != 0;
    line->bytes[line->length++] = '\n';
    if (!writable || write(STDERR_FILENO, line->bytes, line->length) != (ssize_t)line->length)
        logger.dropped++;
}

void log_event(enum log_level level, const char *message, const struct log_field *fields,
               size_t count)
{
    char bytes[LINE_MAX_BYTES];
    char time[WALL_TIME_MAX];
    if (level < logger.least)
        return;
    if (logger.dropped > 0) {
        struct log_field dropped = LOG_NUMBER("lines", (int64_t)logger.dropped);
        logger.dropped = 0;
        log_event(logger.least > LOG_WARN ? logger.least : LOG_WARN, "log lines dropped", &dropped,
                  1);
        if (logger.dropped > 0) { // the line itself was dropped
            logger.dropped = (uint64_t)dropped.number + 1;
            return;
        }
    }
    struct text line = text_in(bytes, sizeof bytes); // a byte stays free for the line's end
    wall_time_format(instant_now(), time, sizeof time);
    if (logger.format == LOG_FORMAT_JSON)
        write_json(&line, time, level, message, fields, count);
    else
        write_logfmt(&line, time, level, message, fields, count);
    if (line.length > 0)
        emit(&line);
    else
        logger.dropped++;
}
