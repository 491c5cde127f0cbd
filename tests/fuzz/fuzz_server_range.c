// Ranges of servers: bounds that parse come back the same when they are written out, and say of a
// server's version what its numbers say, however large they are.
//
// Input: a line with flavors, a line with bounds, a line with a server's version.
#include "fuzz.h"
#include "fuzz_rules.h"

#include <stdlib.h>
#include <string.h>

#define DIGITS "0123456789"

static struct words split(const char *text)
{
    struct words words = {0};
    words_split(&words, text, ", \t");
    return words;
}

static void must_come_back(const struct server_range *range)
{
    struct server_range again = {0};
    struct written text = {0};
    struct error error;
    for (size_t i = 0; i < range->bound_count; i++) {
        write_format(&text, i > 0 ? ", " : "");
        write_bound(&text, &range->bounds[i]);
    }
    MUST(range_add_versions(&again, text.bytes, &error));
    MUST(again.bound_count == range->bound_count);
    for (size_t i = 0; i < range->bound_count; i++) {
        const struct version_bound *a = &range->bounds[i], *b = &again.bounds[i];
        MUST(a->comparison == b->comparison && a->count == b->count);
        MUST(memcmp(a->parts, b->parts, a->count * sizeof *a->parts) == 0);
    }
    free(text.bytes);
}

// Digits compared as numbers without a limit.
static int compare_digits(const char *a, size_t a_length, const char *b, size_t b_length)
{
    for (; a_length > 0 && *a == '0'; a++)
        a_length--;
    for (; b_length > 0 && *b == '0'; b++)
        b_length--;
    if (a_length != b_length)
        return a_length > b_length ? 1 : -1;
    return memcmp(a, b, a_length);
}

// The first parts that differ decide, as many as the bound has.
static int compare_parts(const char *version, const char *bound, size_t parts)
{
    int order = 0;
    while (order == 0 && parts-- > 0) {
        size_t length = strspn(version, DIGITS), bound_length = strspn(bound, DIGITS);
        order = compare_digits(version, length, bound, bound_length);
        version += length + (version[length] == '.' && strspn(version + length + 1, DIGITS) > 0);
        bound += bound_length + 1;
    }
    return order;
}

static void must_compare_as_numbers(const struct server_range *range, const char *version)
{
    if (version[0] < '0' || version[0] > '9')
        return;
    for (size_t i = 0; i < range->bound_count; i++) {
        const struct version_bound *bound = &range->bounds[i];
        struct server_range one = {.bound_count = 1, .bounds[0] = *bound};
        struct written text = {0};
        write_bound(&text, bound);
        const char *numbers = text.bytes + strcspn(text.bytes, DIGITS);
        int order = compare_parts(version, numbers, bound->count);
        MUST(range_has(&one, FLAVOR_UNKNOWN, version) ==
             comparison_holds(bound->comparison, order));
        free(text.bytes);
    }
}

// One of two opposite bounds holds for a version that begins with a number, and none for another.
static void must_have_an_opposite(const struct server_range *range, const char *version)
{
    bool numbered = version[0] >= '0' && version[0] <= '9';
    for (size_t i = 0; i < range->bound_count; i++) {
        struct server_range one = {.bound_count = 1}, other = {.bound_count = 1};
        one.bounds[0] = other.bounds[0] = range->bounds[i];
        other.bounds[0].comparison = opposite_of(range->bounds[i].comparison);
        bool has = range_has(&one, FLAVOR_UNKNOWN, version);
        bool other_has = range_has(&other, FLAVOR_UNKNOWN, version);
        MUST(has + other_has == (numbered ? 1 : 0));
        MUST(has || !range_has(range, FLAVOR_POSTGRES, version));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct input input = input_of(bytes, length);
    struct server_range range = {0};
    struct error error;
    char *flavors = take_line(&input);
    char *bounds = take_line(&input);
    char *version = take_line(&input);
    struct words words = split(flavors);
    if (!range_add_flavors(&range, &words, &error))
        must_be_told(&error);
    else
        MUST(range.flavors != 0 && range.flavors >> FLAVOR_COUNT == 0);
    if (range_add_versions(&range, bounds, &error)) {
        must_come_back(&range);
        must_have_an_opposite(&range, version);
        must_compare_as_numbers(&range, version);
    } else {
        must_be_told(&error);
    }
    words_free(&words);
    free(flavors);
    free(bounds);
    free(version);
    return 0;
}
