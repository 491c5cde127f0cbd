// See text.h. Everything that comes from a database server passes through text_add_foreign before
// a log line or a body shows it, so that no message forges a second log line or moves a terminal.
#include "common/text.h"

#include <assert.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

struct text text_in(char *bytes, size_t capacity)
{
    assert(capacity > 0);
    bytes[0] = '\0';
    return (struct text){.bytes = bytes, .capacity = capacity};
}

static size_t text_room(const struct text *text)
{
    return text->capacity - 1 - text->length;
}

// All or nothing: a character that does not fit in whole closes the text.
static void text_add_whole(struct text *text, const char *bytes, size_t length)
{
    if (text->cut || length > text_room(text)) {
        text->cut = true;
        return;
    }
    memcpy(text->bytes + text->length, bytes, length);
    text->length += length;
    text->bytes[text->length] = '\0';
}

static bool text_is_continuation(unsigned char byte)
{
    return (byte & 0xC0) == 0x80;
}

// The length in bytes of the UTF-8 character at bytes, and its code point; 0 if it is not valid
// (RFC 3629: no overlong form, no surrogate, nothing above U+10FFFF).
static size_t text_decode(const unsigned char *bytes, size_t length, uint32_t *point)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    unsigned char first = bytes[0];
    size_t size = first < 0x80 ? 1 : first >> 5 == 0x6 ? 2 : first >> 4 == 0xE ? 3 : 4;
    if (size == 4 && first >> 3 != 0x1E)
        return 0;
    if (size > length)
        return 0;
    *point = size == 1 ? first : first & (0xFFU >> (size + 1));
    for (size_t i = 1; i < size; i++) {
        if (!text_is_continuation(bytes[i]))
            return 0;
        *point = *point << 6 | (bytes[i] & 0x3FU);
    }
    bool valid =
        *point >= least[size] && *point <= 0x10FFFF && (*point < 0xD800 || *point > 0xDFFF);
    return valid ? size : 0;
}

size_t text_valid_length(const char *bytes, size_t length)
{
    size_t valid = 0;
    while (valid < length && bytes[valid] != '\0') {
        uint32_t point;
        size_t size = text_decode((const unsigned char *)bytes + valid, length - valid, &point);
        if (size == 0)
            break;
        valid += size;
    }
    return valid;
}

// Characters that could end a line or change how a terminal shows what follows.
static bool text_is_unfit(uint32_t point)
{
    return point < 0x20 || (point >= 0x7F && point <= 0x9F) || point == 0x2028 || point == 0x2029 ||
           (point >= 0x202A && point <= 0x202E) || (point >= 0x2066 && point <= 0x2069) ||
           point == 0xFEFF;
}

void text_add(struct text *text, const char *string)
{
    const unsigned char *bytes = (const unsigned char *)string;
    size_t left = strlen(string);
    while (left > 0 && !text->cut) {
        uint32_t point;
        size_t size = text_decode(bytes, left, &point);
        size = size > 0 ? size : 1;
        text_add_whole(text, (const char *)bytes, size);
        bytes += size;
        left -= size;
    }
}

void text_add_foreign(struct text *text, const char *bytes, size_t length)
{
    const unsigned char *at = (const unsigned char *)bytes;
    bool gap = false;
    bool started = false;
    while (length > 0 && !text->cut) {
        uint32_t point = '?';
        size_t size = text_decode(at, length, &point);
        if (size > 0 && text_is_unfit(point)) {
            gap = started;
        } else {
            if (gap)
                text_add_whole(text, " ", 1);
            text_add_whole(text, size > 0 ? (const char *)at : "?", size > 0 ? size : 1);
            gap = false;
            started = true;
        }
        size = size > 0 ? size : 1;
        at += size;
        length -= size;
    }
}

// vsnprintf cuts between bytes: what is left of a character at the end goes too.
static void text_drop_partial_character(struct text *text)
{
    size_t start = text->length;
    while (start > 0 && text_is_continuation((unsigned char)text->bytes[start - 1]))
        start--;
    start -= start > 0;
    uint32_t point;
    size_t left = text->length - start;
    if (left > 0 && text_decode((const unsigned char *)text->bytes + start, left, &point) != left)
        text->length = start;
    text->bytes[text->length] = '\0';
}

bool text_is_clean(const char *string)
{
    const unsigned char *at = (const unsigned char *)string;
    size_t left = strlen(string), size;
    for (; left > 0; at += size, left -= size) {
        uint32_t point;
        size = text_decode(at, left, &point);
        if (size == 0 || text_is_unfit(point))
            return false;
    }
    return true;
}

void text_addf(struct text *text, const char *format, ...)
{
    if (text->cut)
        return;
    va_list arguments;
    va_start(arguments, format);
    int needed = vsnprintf(text->bytes + text->length, text_room(text) + 1, format, arguments);
    va_end(arguments);
    assert(needed >= 0);
    text->cut = (size_t)needed > text_room(text);
    text->length += text->cut ? text_room(text) : (size_t)needed;
    if (text->cut)
        text_drop_partial_character(text);
}
