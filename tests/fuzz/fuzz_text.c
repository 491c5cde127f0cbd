// Foreign bytes made fit to show: whatever they are, the text is one line of valid UTF-8 within its
// bound, what was fit already is left alone, and cleaning it once is enough. Another library judges
// what is UTF-8.
//
// Input: a byte for the room there is, then the bytes.
#include "fuzz.h"

#include "common/error.h"
#include "common/memory.h"
#include "common/text.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static bool is_utf8(const char *bytes, size_t length)
{
    json_t *string = json_stringn(bytes, length);
    json_decref(string);
    return string != NULL;
}

static void must_be_a_text(const struct text *text)
{
    MUST(text->length < text->capacity && text->bytes[text->length] == '\0');
    MUST(strlen(text->bytes) == text->length);
}

static void must_clean(const char *bytes, size_t length, size_t capacity)
{
    char *room = malloc(capacity); // of this size, so that the sanitizer sees its end
    char *again = malloc(capacity);
    struct text text = text_in(room, capacity);
    struct text twice = text_in(again, capacity);
    text_add_foreign(&text, bytes, length);
    must_be_a_text(&text);
    MUST(is_fit_line(room) && is_utf8(room, text.length));
    text_add_foreign(&twice, room, text.length);
    MUST_EQUAL(room, again);
    MUST(!twice.cut);
    if (!text.cut)
        MUST(text.length <= length);
    free(room);
    free(again);
}

// As it is, when it is fit.
static void must_leave_alone(const char *string, size_t capacity)
{
    char *room = malloc(capacity);
    struct text text = text_in(room, capacity);
    text_add_foreign(&text, string, strlen(string));
    MUST(strncmp(room, string, text.length) == 0);
    MUST(text.cut == (strlen(string) > text.length));
    MUST(!text.cut || text.length + 4 >= capacity); // no more than one character was left out
    size_t length = text.length;
    text_add(&text, text.cut ? "x" : "");
    text_add_foreign(&text, "x", text.cut);
    MUST(text.length == length); // nothing follows what was left out
    free(room);
}

// What is unfit around a text that is fit leaves no trace.
static void must_drop_what_is_around(const char *string)
{
    struct written around = {0};
    char *room = malloc(strlen(string) + 1);
    struct text text = text_in(room, strlen(string) + 1);
    write_format(&around, "\n\xe2\x80\xae%s\x7f\xc2\x85", string);
    text_add_foreign(&text, around.bytes, around.length);
    MUST_EQUAL(room, string);
    free(around.bytes);
    free(room);
}

// Both ways to add words cut them at the same character.
static void must_cut_alike(const char *string, size_t capacity)
{
    char *room = malloc(capacity);
    char *other_room = malloc(capacity);
    struct text text = text_in(room, capacity);
    struct text other = text_in(other_room, capacity);
    text_add(&text, string);
    text_addf(&other, "%s", string);
    must_be_a_text(&text);
    must_be_a_text(&other);
    if (is_utf8(string, strlen(string))) {
        MUST_EQUAL(room, other_room);
        MUST(text.cut == other.cut);
        MUST(is_utf8(room, text.length));
    }
    free(room);
    free(other_room);
}

static void must_find_what_is_valid(const char *bytes, size_t length)
{
    size_t valid = text_valid_length(bytes, length);
    MUST(valid <= length && is_utf8(bytes, valid));
    MUST(memchr(bytes, '\0', valid) == NULL);
    MUST((valid == length) == (is_utf8(bytes, length) && memchr(bytes, '\0', length) == NULL));
}

static void must_be_fit_errors(const char *string)
{
    struct error error;
    MUST(!error_set(&error, "said %s here", string));
    must_be_told(&error);
    MUST(!error_prefix(&error, "at %s", string));
    must_be_told(&error);
    MUST(strncmp(error.text, "at", 2) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct input input = input_of(bytes, length);
    size_t capacity = take_byte(&input) + 1;
    const char *foreign = input.left > 0 ? input.bytes : "";
    size_t foreign_length = input.left;
    char *string = take_rest(&input);
    must_clean(foreign, foreign_length, capacity);
    must_find_what_is_valid(foreign, foreign_length);
    must_cut_alike(string, capacity);
    if (is_fit_line(string)) {
        must_leave_alone(string, capacity);
        must_drop_what_is_around(string);
    }
    must_be_fit_errors(string);
    free(string);
    return 0;
}
