// See fuzz.h.
#include "fuzz.h"

#include "common/memory.h"
#include "common/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { VARIABLES_MAX = 32, LONG_VALUE_MOST = 2 * RESULT_VALUE_MAX };

_Noreturn void fuzz_found(const char *file, int line, const char *what)
{
    (void)fprintf(stderr, "%s:%d: %s\n", file, line, what);
    abort();
}

void fuzz_must_equal(const char *file, int line, const char *a, const char *b)
{
    if (a == b || (a != NULL && b != NULL && strcmp(a, b) == 0))
        return;
    (void)fprintf(stderr, "first:  %s\nsecond: %s\n", a != NULL ? a : "(none)",
                  b != NULL ? b : "(none)");
    fuzz_found(file, line, "the two above differ");
}

// Line ends of Unicode, the controls of C1, directional overrides and the byte order mark; that
// U+0080 to U+009F are all of C2 80 to C2 9F is why the first two bytes are enough there.
static bool is_unfit_here(const unsigned char *at)
{
    if (at[0] < 0x20 || at[0] == 0x7F)
        return true;
    if (at[0] == 0xC2)
        return at[1] < 0xA0;
    if (at[0] == 0xE2 && at[1] == 0x80)
        return at[2] == 0xA8 || at[2] == 0xA9 || (at[2] >= 0xAA && at[2] <= 0xAE);
    if (at[0] == 0xE2 && at[1] == 0x81)
        return at[2] >= 0xA6 && at[2] <= 0xA9;
    return at[0] == 0xEF && at[1] == 0xBB && at[2] == 0xBF;
}

bool is_fit_line(const char *text)
{
    size_t length = strlen(text);
    if (text_valid_length(text, length) != length)
        return false;
    for (size_t i = 0; i < length; i++) {
        if (is_unfit_here((const unsigned char *)text + i))
            return false;
    }
    return true;
}

void must_be_told(const struct error *error)
{
    MUST(memchr(error->text, '\0', sizeof error->text) != NULL);
    MUST(error->text[0] != '\0');
    MUST(is_fit_line(error->text));
}

struct input input_of(const uint8_t *bytes, size_t length)
{
    return (struct input){.bytes = (const char *)bytes, .left = length};
}

static void skip(struct input *input, size_t length)
{
    input->bytes += length;
    input->left -= length;
}

char *take_line(struct input *input)
{
    if (input->left == 0)
        return memory_string("");
    const char *end = memchr(input->bytes, '\n', input->left);
    size_t length = end != NULL ? (size_t)(end - input->bytes) : input->left;
    char *line = memory_copy(input->bytes, length);
    skip(input, length + (end != NULL));
    return line;
}

unsigned take_byte(struct input *input)
{
    if (input->left == 0)
        return 0;
    unsigned byte = (unsigned char)*input->bytes;
    skip(input, 1);
    return byte;
}

char *take_rest(struct input *input)
{
    char *rest = input->left > 0 ? memory_copy(input->bytes, input->left) : memory_string("");
    skip(input, input->left);
    return rest;
}

static void change(const char *word, unsigned char *message, size_t *length, size_t capacity)
{
    char *end;
    size_t number = strtoul(word + (strchr("+-", word[0]) != NULL), &end, 10);
    if (word[0] == '-')
        *length -= number < *length ? number : *length;
    else if (word[0] == '+' && number <= capacity - *length)
        *length += number; // they are zeros: nobody has written behind the message
    else if (*end == '=' && number < *length)
        message[number] = (unsigned char)strtoul(end + 1, NULL, 10);
}

void take_changes(struct input *input, unsigned char *message, size_t *length, size_t capacity)
{
    char *rest = NULL;
    char *line = take_line(input);
    for (char *word = strtok_r(line, " ", &rest); word != NULL; word = strtok_r(NULL, " ", &rest))
        change(word, message, length, capacity);
    free(line);
}

// setenv() would keep a copy of every value for ever.
static struct {
    char **ours; // the process's own
    char *variables[VARIABLES_MAX + 1];
    size_t count;
} environment;

void environment_begin(struct input *input)
{
    environment.ours = environ;
    while (environment.count < VARIABLES_MAX && input->left > 0 && *input->bytes == '$') {
        skip(input, 1);
        environment.variables[environment.count++] = take_line(input);
    }
    environ = environment.variables;
}

void environment_end(void)
{
    environ = environment.ours;
    while (environment.count > 0) {
        free(environment.variables[--environment.count]);
        environment.variables[environment.count] = NULL;
    }
}

static void add_long_value(struct result *result, const char *text)
{
    size_t length = strtoul(text + 1, NULL, 10) % LONG_VALUE_MOST;
    char *bytes = memory_new(length + 1);
    memset(bytes, text[0] == '9' ? '9' : 'x', length);
    (void)result_add_value(result, text[0] == '9' ? VALUE_NUMBER : VALUE_STRING, bytes, length);
    free(bytes);
}

static void add_value(struct result *result, const char *text, size_t length)
{
    switch (length > 0 ? text[0] : '-') {
    case '-':
        (void)result_add_value(result, VALUE_NULL, "", 0);
        return;
    case '?':
        text = text[1] == 't' ? "true" : "false";
        (void)result_add_value(result, VALUE_BOOLEAN, text, strlen(text));
        return;
    case '#':
        (void)result_add_value(result, VALUE_NUMBER, text + 1, length - 1);
        return;
    case '*':
    case '9':
        add_long_value(result, text);
        return;
    default:
        (void)result_add_value(result, VALUE_STRING, text + 1, length - 1);
    }
}

static void add_row(struct result *result, const char *line)
{
    uint32_t kept = result->kept_rows;
    for (uint32_t i = 0; i < result->column_count && !result->cut; i++) {
        size_t length = strcspn(line, "\t");
        add_value(result, line, length);
        line += length + (line[length] == '\t');
    }
    MUST(result->cut || result->kept_rows == kept + 1);
}

// NAME, or NAME|NUMBER for a type other than the plain one.
static void add_column(struct result *result, char *name)
{
    char *bar = strrchr(name, '|');
    unsigned long type = bar != NULL ? strtoul(bar + 1, NULL, 10) : 0;
    if (bar != NULL)
        *bar = '\0';
    uint32_t count = result->column_count;
    result_add_column(result, name);
    if (result->column_count > count)
        result_set_type(result, (enum column_type)(type % COLUMN_TYPES));
}

struct result *take_result(struct input *input)
{
    struct result *result = result_new();
    char *count = take_line(input);
    char *names = take_line(input);
    char *rest = NULL;
    for (char *name = strtok_r(names, "\t", &rest); name != NULL;
         name = strtok_r(NULL, "\t", &rest))
        add_column(result, name);
    while (input->left > 0 && result->column_count > 0 && !result->cut) {
        char *line = take_line(input);
        add_row(result, line);
        free(line);
    }
    result->row_count = strtoull(count, NULL, 10);
    if (result->row_count < result->kept_rows)
        result->row_count = result->kept_rows;
    free(count);
    free(names);
    return result;
}

void write_bytes(struct written *written, const char *bytes, size_t length)
{
    written->bytes = memory_grow(written->bytes, written->length + length + 1);
    memcpy(written->bytes + written->length, bytes, length);
    written->length += length;
    written->bytes[written->length] = '\0';
}

void write_format(struct written *written, const char *format, ...)
{
    char *text;
    va_list arguments;
    va_start(arguments, format);
    int length = vasprintf(&text, format, arguments);
    va_end(arguments);
    MUST(length >= 0);
    write_bytes(written, text, (size_t)length);
    free(text);
}

void write_escaped(struct written *written, const char *text)
{
    for (; *text != '\0'; text++) {
        bool plain = (*text >= '0' && *text <= '9') || (*text >= 'a' && *text <= 'z') ||
                     (*text >= 'A' && *text <= 'Z');
        write_format(written, plain ? "%c" : "%%%02X", (unsigned char)*text);
    }
}

void write_quoted(struct written *written, const char *text, char quote)
{
    write_bytes(written, &quote, 1);
    for (; *text != '\0'; text++) {
        if (*text == quote)
            write_bytes(written, &quote, 1);
        write_bytes(written, text, 1);
    }
    write_bytes(written, &quote, 1);
}

bool same_words(const struct words *a, const struct words *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++) {
        if (strcmp(a->items[i], b->items[i]) != 0)
            return false;
    }
    return true;
}
