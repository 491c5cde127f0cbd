// Results are built value by value on both sides of the wire: by a driver from the library's rows,
// and by the decoder from a message. Names and values stand in one pool of bytes, so that a cached
// result of one number costs little more than the number.
#include "common/result.h"

#include "common/memory.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct cell {
    uint32_t offset; // in the pool
    uint16_t length;
    uint8_t type; // enum value_type
    uint8_t cut;
};

enum { POOL_STEP = 64, CELL_STEP = 8, CELL_WIRE_COST = 8 };

struct result *result_new(void)
{
    return memory_new(sizeof(struct result));
}

void result_free(struct result *result)
{
    if (result == NULL)
        return;
    free(result->cells);
    free(result->pool);
    free(result);
}

static bool result_add_cell(struct result *result, struct cell cell, const char *text)
{
    size_t needed = result->pool_length + cell.length + 1;
    if (needed + (result->cell_count + 1) * CELL_WIRE_COST > RESULT_BYTES_MAX)
        return false;
    size_t capacity = (result->pool_length + POOL_STEP - 1) / POOL_STEP * POOL_STEP;
    if (needed > capacity)
        result->pool = memory_grow(result->pool, (needed + POOL_STEP - 1) / POOL_STEP * POOL_STEP);
    if (result->cell_count % CELL_STEP == 0)
        result->cells =
            memory_grow(result->cells, (result->cell_count + CELL_STEP) * sizeof *result->cells);
    cell.offset = (uint32_t)result->pool_length;
    if (cell.length > 0)
        memcpy(result->pool + cell.offset, text, cell.length);
    result->pool[needed - 1] = '\0';
    result->pool_length = needed;
    result->cells[result->cell_count++] = cell;
    return true;
}

void result_add_column(struct result *result, const char *name)
{
    assert(result->cell_count == result->column_count);
    struct cell cell = {.length = (uint16_t)strnlen(name, RESULT_NAME_MAX)};
    if (result->column_count == RESULT_COLUMNS_MAX || !result_add_cell(result, cell, name))
        result->cut = true;
    else
        result->column_count++;
}

void result_set_type(struct result *result, enum column_type type)
{
    assert(result->cell_count == result->column_count && result->column_count > 0);
    result->cells[result->column_count - 1].type = (uint8_t)type;
}

static void result_drop_partial_row(struct result *result)
{
    size_t whole = result->column_count * ((size_t)result->kept_rows + 1);
    if (result->cell_count > whole)
        result->pool_length = result->cells[whole].offset;
    result->cell_count = whole;
}

static size_t result_count_digits(const char *text)
{
    return strspn(text, "0123456789");
}

// A sign, digits with or without a point, an exponent.
static bool result_is_decimal(const char *text)
{
    text += *text == '+' || *text == '-';
    size_t digits = result_count_digits(text);
    text += digits;
    if (*text == '.') {
        size_t fraction = result_count_digits(text + 1);
        digits += fraction;
        text += 1 + fraction;
    }
    if (digits > 0 && (*text == 'e' || *text == 'E')) {
        text++;
        text += *text == '+' || *text == '-';
        digits = result_count_digits(text);
        text += digits;
    }
    return digits > 0 && *text == '\0';
}

static bool result_is_one_of(const char *const *words, size_t count, const char *text)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(words[i], text) == 0)
            return true;
    }
    return false;
}

static bool result_is_of_type(enum value_type type, const char *text, size_t length)
{
    static const char *const booleans[] = {"true", "false"};
    static const char *const no_digits[] = {"NaN", "Infinity", "-Infinity", "+Inf", "-Inf"};
    if (type == VALUE_BOOLEAN)
        return length == strlen(text) && result_is_one_of(booleans, 2, text);
    if (type == VALUE_NUMBER)
        return length == strlen(text) &&
               (result_is_decimal(text) || result_is_one_of(no_digits, 5, text));
    return true;
}

bool result_add_value(struct result *result, enum value_type type, const char *text, size_t length)
{
    assert(result->column_count > 0);
    bool cut = length > RESULT_VALUE_MAX;
    struct cell cell = {
        .length = (uint16_t)(cut ? RESULT_VALUE_MAX : length), .type = (uint8_t)type, .cut = cut};
    if (!result_add_cell(result, cell, text)) {
        result_drop_partial_row(result);
        result->cut = true;
        return false;
    }
    const struct cell *added = &result->cells[result->cell_count - 1];
    if (!result_is_of_type(type, result->pool + added->offset, added->length)) {
        result->pool_length = added->offset;
        result->cell_count--;
        return result_add_value(result, VALUE_NUMBER, "NaN", strlen("NaN"));
    }
    if (result->cell_count % result->column_count == 0)
        result->kept_rows++;
    return true;
}

static size_t result_index(const struct result *result, uint32_t row, uint32_t column)
{
    assert(row < result->kept_rows && column < result->column_count);
    return (size_t)result->column_count * (row + (size_t)1) + column;
}

bool result_set_number(struct result *result, uint32_t row, uint32_t column, const char *digits)
{
    size_t index = result_index(result, row, column);
    struct cell cell = {.length = (uint16_t)strlen(digits), .type = VALUE_NUMBER};
    if (!result_add_cell(result, cell, digits))
        return false;
    result->cells[index] = result->cells[--result->cell_count]; // the old text stays in the pool
    return true;
}

const char *result_column(const struct result *result, uint32_t column)
{
    assert(column < result->column_count);
    return result->pool + result->cells[column].offset;
}

enum column_type result_type(const struct result *result, uint32_t column)
{
    assert(column < result->column_count);
    return (enum column_type)result->cells[column].type;
}

bool result_find_column(const struct result *result, const char *name, uint32_t *column)
{
    for (uint32_t i = 0; i < result->column_count; i++) {
        if (strcasecmp(result_column(result, i), name) == 0) {
            *column = i;
            return true;
        }
    }
    return false;
}

struct value result_value(const struct result *result, uint32_t row, uint32_t column)
{
    const struct cell *cell = &result->cells[result_index(result, row, column)];
    return (struct value){.type = (enum value_type)cell->type,
                          .cut = cell->cut != 0,
                          .text = result->pool + cell->offset,
                          .length = cell->length};
}

long double value_number(const struct value *value)
{
    assert(value->type == VALUE_NUMBER || value->type == VALUE_BOOLEAN);
    if (value->type == VALUE_BOOLEAN)
        return strcmp(value->text, "true") == 0 ? 1 : 0;
    return strtold(value->text, NULL);
}

bool value_spells_number(const struct value *value)
{
    return value->type == VALUE_STRING && !value->cut && value->length == strlen(value->text) &&
           result_is_decimal(value->text);
}
