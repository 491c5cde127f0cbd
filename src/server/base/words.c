// See words.h. Used by dbhealthd only: probers get their values over the wire.
#include "server/base/words.h"

#include "common/memory.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct unit {
    const char *name;
    int64_t ms;
};

// The largest last: format_duration walks it backwards.
static const struct unit units[] = {{"ms", 1}, {"s", 1000}, {"m", 60 * 1000}, {"h", 3600 * 1000}};

enum { UNIT_COUNT = sizeof units / sizeof *units, LONGEST_MS = 24 * 3600 * 1000 };

static bool words_find_unit(const char *name, int64_t *ms)
{
    for (size_t i = 0; i < UNIT_COUNT; i++) {
        if (strcmp(units[i].name, name) == 0) {
            *ms = units[i].ms;
            return true;
        }
    }
    return false;
}

// What is too long may come out as anything that is too long.
static int64_t words_whole_units(const char *digits, size_t count)
{
    int64_t number = 0;
    for (size_t i = 0; i < count && number <= LONGEST_MS; i++)
        number = number * 10 + (digits[i] - '0');
    return number;
}

// The digits after the point, from the last on. Whole numbers, for 2.007 s in binary fractions is
// above 2007 ms; and each step may round up, for a whole number is added to it in the next.
static int64_t words_fraction_ms(const char *digits, size_t count, int64_t unit)
{
    int64_t ms = 0;
    while (count-- > 0)
        ms = ((digits[count] - '0') * unit + ms + 9) / 10;
    return ms;
}

// duration = 1*digit [ "." 1*digit ] ( "ms" / "s" / "m" / "h" )
bool parse_duration(const char *text, struct duration *duration, struct error *error)
{
    static const char decimal[] = "0123456789";
    size_t whole = strspn(text, decimal);
    const char *fraction = text + whole + (text[whole] == '.');
    size_t places = text[whole] == '.' ? strspn(fraction, decimal) : 0;
    bool complete = whole > 0 && (places > 0 || text[whole] != '.');
    int64_t unit;
    if (!complete || !words_find_unit(fraction + places, &unit))
        return error_set(error,
                         "'%.40s' is not a duration, expected a number with a unit, like "
                         "500ms, 1.5s, 2m or 1h",
                         text);
    int64_t ms = words_whole_units(text, whole) * unit + words_fraction_ms(fraction, places, unit);
    if (ms > LONGEST_MS)
        return error_set(error, "'%.40s' is too long, expected at most 24h", text);
    duration->ms = ms;
    return true;
}

void format_duration(struct duration duration, char *text, size_t capacity)
{
    size_t i = UNIT_COUNT - 1;
    while (i > 0 && (duration.ms == 0 || duration.ms % units[i].ms != 0))
        i--;
    (void)snprintf(text, capacity, "%" PRId64 "%s", duration.ms / units[i].ms, units[i].name);
}

// "yes" / "no"
bool parse_yes_no(const char *text, bool *yes, struct error *error)
{
    *yes = strcmp(text, "yes") == 0;
    if (!*yes && strcmp(text, "no") != 0)
        return error_set(error, "'%.40s' is neither yes nor no", text);
    return true;
}

// name = 1*63( lower-case letter / digit / "-" )
bool is_name(const char *text)
{
    size_t length = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-");
    return length > 0 && length <= NAME_MAX_LENGTH && text[length] == '\0';
}

void words_add(struct words *words, const char *bytes, size_t length)
{
    words->items = memory_grow(words->items, (words->count + 1) * sizeof *words->items);
    words->items[words->count++] = memory_copy(bytes, length);
}

bool words_have(const struct words *words, const char *word)
{
    for (size_t i = 0; i < words->count; i++) {
        if (strcmp(words->items[i], word) == 0)
            return true;
    }
    return false;
}

// words = *separator [ word *( 1*separator word ) ] *separator
void words_split(struct words *words, const char *text, const char *separators)
{
    text += strspn(text, separators);
    while (*text != '\0') {
        size_t length = strcspn(text, separators);
        words_add(words, text, length);
        text += length;
        text += strspn(text, separators);
    }
}

void words_free(struct words *words)
{
    for (size_t i = 0; i < words->count; i++)
        free(words->items[i]);
    free(words->items);
    *words = (struct words){0};
}
