// Log lines, of events and of a check's rows: whatever the words, there is one line of UTF-8 within
// its bound, and who reads it finds every field once and as it was given, or its beginning and
// "...", in both formats.
//
// Input: a byte for the format and the kind, then lines: the message and the fields' values, or a
// result (see take_result).
#include "fuzz.h"

#include "common/memory.h"
#include "common/text.h"
#include "server/base/log.h"

#include <fcntl.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FIELDS_MAX = 8, WORDS_MAX = 2048, MESSAGE_MAX = 128, PAIRS_MAX = RESULT_COLUMNS_MAX + 8 };

static const char *const keys[FIELDS_MAX] = {"check", "from",   "to",      "outcome",
                                             "errno", "reason", "message", "advice"};

// What a line says: the fields of an event, or the columns of a row.
struct pairs {
    char *keys[PAIRS_MAX];
    char *values[PAIRS_MAX];
    size_t count;
};

static void add_pair(struct pairs *pairs, char *key, char *value)
{
    MUST(pairs->count < PAIRS_MAX);
    for (size_t i = 0; i < pairs->count; i++)
        MUST(strcmp(pairs->keys[i], key) != 0);
    pairs->keys[pairs->count] = key;
    pairs->values[pairs->count++] = value;
}

static void clear_pairs(struct pairs *pairs)
{
    while (pairs->count > 0) {
        free(pairs->keys[--pairs->count]);
        free(pairs->values[pairs->count]);
    }
}

// --- reading a line again

// The value in logfmt at *at, which is moved past it. The caller's.
static char *take_value(const char **at)
{
    size_t length = 0;
    if (**at != '"') {
        const char *value = *at;
        *at += strcspn(*at, " ");
        MUST(memchr(value, '"', (size_t)(*at - value)) == NULL);
        return memory_copy(value, (size_t)(*at - value));
    }
    char *value = memory_new(strlen(*at));
    for (++*at; **at != '"'; ++*at) {
        *at += **at == '\\';
        MUST(**at != '\0');
        value[length++] = **at;
    }
    ++*at;
    return value;
}

static void read_logfmt(const char *line, struct pairs *pairs)
{
    while (*line != '\0') {
        size_t length = strcspn(line, "= \"");
        MUST(length > 0 && line[length] == '=');
        char *key = memory_copy(line, length);
        line += length + 1;
        add_pair(pairs, key, take_value(&line));
        MUST(*line == '\0' || (*line == ' ' && line[1] != '\0'));
        line += *line == ' ';
    }
}

static void read_json(const char *line, struct pairs *pairs)
{
    const char *key;
    json_t *value;
    json_t *object = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
    MUST(json_is_object(object));
    json_object_foreach(object, key, value)
    {
        const char *string = json_string_value(value);
        MUST(json_is_string(value) || json_is_number(value));
        add_pair(pairs, memory_string(key),
                 string != NULL ? memory_string(string) : json_dumps(value, JSON_ENCODE_ANY));
    }
    json_decref(object);
}

static bool begins_as(const char *found, const char *given)
{
    size_t length = strlen(found);
    return length >= 3 && strcmp(found + length - 3, "...") == 0 &&
           strncmp(found, given, length - 3) == 0;
}

static void must_find(const struct pairs *said, size_t index, const char *key, const char *given)
{
    MUST(index < said->count);
    const char *found = said->values[index];
    if (key != NULL)
        MUST_EQUAL(said->keys[index], key);
    char *end;
    double number = strtod(given, &end);
    if (end != given && *end == '\0' && strtod(found, NULL) == number) // JSON's are doubles
        return;
    if (!begins_as(found, given))
        MUST_EQUAL(found, given);
}

// --- writing one

// Calls write with a file in the place of a standard stream, and reads what is written: a line,
// which is taken apart.
static void capture(int descriptor, void (*write_line)(const void *), const void *context,
                    enum log_format format, struct pairs *said)
{
    static int file = -1;
    char line[2 * PIPE_BUF];
    if (file < 0)
        file = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    MUST(file >= 0 && ftruncate(file, 0) == 0 && lseek(file, 0, SEEK_SET) == 0);
    int own = dup(descriptor);
    MUST(own >= 0 && dup2(file, descriptor) >= 0);
    log_configure(format, LOG_DEBUG);
    write_line(context);
    MUST(dup2(own, descriptor) >= 0);
    close(own);
    ssize_t length = pread(file, line, sizeof line, 0);
    MUST(length > 0 && length <= PIPE_BUF && line[length - 1] == '\n');
    line[length - 1] = '\0';
    MUST(strlen(line) == (size_t)length - 1 && is_fit_line(line));
    if (format == LOG_FORMAT_JSON)
        read_json(line, said);
    else
        read_logfmt(line, said);
}

// --- events

struct event {
    const char *message;
    const struct log_field *fields;
    size_t count;
};

static void write_event(const void *context)
{
    const struct event *event = context;
    log_event(LOG_ERROR, event->message, event->fields, event->count);
}

static void try_event(enum log_format format, const struct event *event)
{
    struct pairs said = {.count = 0};
    size_t found = 3;
    capture(STDERR_FILENO, write_event, event, format, &said);
    must_find(&said, 1, "level", "error");
    must_find(&said, 2, "msg", event->message);
    for (size_t i = 0; i < event->count; i++) {
        const struct log_field *field = &event->fields[i];
        char number[24];
        (void)snprintf(number, sizeof number, "%lld", (long long)field->number);
        if (field->is_number || field->text[0] != '\0')
            must_find(&said, found++, field->key, field->is_number ? number : field->text);
    }
    MUST(said.count == found);
    clear_pairs(&said);
}

static char *take_words(struct input *input, size_t most)
{
    char words[WORDS_MAX];
    struct text text = text_in(words, most);
    char *line = take_line(input);
    text_add_foreign(&text, line, strlen(line));
    free(line);
    return memory_string(words);
}

static void try_words(struct input *input, enum log_format format)
{
    struct log_field fields[FIELDS_MAX];
    char *values[FIELDS_MAX];
    size_t count = 0;
    char *message = take_words(input, MESSAGE_MAX);
    for (; count < FIELDS_MAX && input->left > 0; count++) {
        values[count] = take_words(input, WORDS_MAX);
        fields[count] = LOG_TEXT(keys[count], values[count]);
        if (count == 4)
            fields[count] = LOG_NUMBER(keys[count], strtoll(values[count], NULL, 0));
    }
    struct event event = {.message = message, .fields = fields, .count = count};
    if (message[0] != '\0')
        try_event(format, &event);
    while (count > 0)
        free(values[--count]);
    free(message);
}

// --- rows

static void write_row(const void *context)
{
    log_row("lag", context, 0);
}

static void try_row(const struct result *result, enum log_format format)
{
    struct pairs said = {.count = 0};
    size_t found = 4;
    capture(STDOUT_FILENO, write_row, result, format, &said);
    must_find(&said, 2, "msg", "row");
    must_find(&said, 3, "check", "lag");
    for (uint32_t i = 0; i < result->column_count; i++) {
        char words[RESULT_VALUE_MAX + 1];
        struct text text = text_in(words, sizeof words);
        struct value value = result_value(result, 0, i);
        text_add_foreign(&text, value.text, value.length);
        if (value.type != VALUE_NULL && text.length > 0)
            must_find(&said, found++, NULL, words);
    }
    MUST(said.count == found);
    clear_pairs(&said);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct input input = input_of(bytes, length);
    unsigned kind = take_byte(&input);
    enum log_format format = kind % 2 == 0 ? LOG_FORMAT_LOGFMT : LOG_FORMAT_JSON;
    if ((kind & 2) == 0) {
        try_words(&input, format);
        return 0;
    }
    struct result *result = take_result(&input);
    if (result->kept_rows > 0)
        try_row(result, format);
    result_free(result);
    return 0;
}
