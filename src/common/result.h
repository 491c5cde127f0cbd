// The rows that a check's query gave: typed, bounded, in one object.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum value_type {
    VALUE_NULL,
    VALUE_BOOLEAN, // text is "true" or "false"
    VALUE_NUMBER,  // text is a decimal, or NaN, Infinity or Inf, these two with a sign perhaps
    VALUE_STRING   // any bytes, a NUL after them
};

// What a column holds, as far as it decides what may be compared. The order is the wire's.
enum column_type {
    COLUMN_PLAIN, // booleans, numbers, text
    // Postgres:
    COLUMN_DATE,
    COLUMN_TIMESTAMP, // with a time zone or without
    COLUMN_TIME,
    COLUMN_INTERVAL,
    COLUMN_MONEY,
    COLUMN_LSN,
    COLUMN_XID,
    COLUMN_JSON,
    COLUMN_ARRAY,
    COLUMN_BITS,
    // MySQL and MariaDB:
    COLUMN_DATETIME, // DATE, DATETIME and TIMESTAMP
    COLUMN_DURATION, // TIME
    COLUMN_DOCUMENT, // JSON
    // Both:
    COLUMN_OTHER, // neither plain nor one of those
    COLUMN_TYPES  // not a type
};

enum {
    RESULT_COLUMNS_MAX = 64,     // of one result
    RESULT_NAME_MAX = 256,       // bytes of a column's name; the rest is cut. MySQL sends so many
    RESULT_VALUE_MAX = 4096,     // bytes of a value; the rest is cut and `cut` says so
    RESULT_BYTES_MAX = 56 * 1024 // of all names and values, with what each costs on the wire
};

// One value; text points into the result and lives as long as it.
struct value {
    enum value_type type;
    bool cut; // the server sent more than RESULT_VALUE_MAX bytes
    const char *text;
    size_t length; // of text, without the NUL
};

struct cell;

// Made by result_new, freed by result_free.
struct result {
    uint64_t row_count; // all rows that the server sent
    uint32_t column_count;
    uint32_t kept_rows; // those whose values are here, the first ones
    bool cut;           // a column or a row within the caller's limit did not fit
    // Private: cells are the column names, then the values row by row.
    struct cell *cells;
    size_t cell_count;
    char *pool;
    size_t pool_length;
};

// An empty result with no column; owned by the caller.
struct result *result_new(void);

void result_free(struct result *result); // NULL is fine

// Adds a column; only before the first value. A name is cut at RESULT_NAME_MAX; past
// RESULT_COLUMNS_MAX nothing is added and `cut` is set (give values for the added columns only).
void result_add_column(struct result *result, const char *name);

// Says what the column added last holds; each is COLUMN_PLAIN at first.
void result_set_type(struct result *result, enum column_type type);

// Adds a value, column by column and row by row; kept_rows counts whole rows. A number or boolean
// whose text is none becomes NaN: a server may call anything a number. False when there is no
// room, and then the row it belongs to, which must be the last, is dropped and `cut` is set.
bool result_add_value(struct result *result, enum value_type type, const char *text, size_t length);

// Puts a number in the place of a kept row's value. False, with nothing changed, when there is no
// room.
bool result_set_number(struct result *result, uint32_t row, uint32_t column, const char *digits)
    __attribute__((warn_unused_result));

// The name of a column, cut at RESULT_NAME_MAX.
const char *result_column(const struct result *result, uint32_t column);

enum column_type result_type(const struct result *result, uint32_t column);

// The column with this name whatever its case (ASCII), the first if several; false if none has it.
bool result_find_column(const struct result *result, const char *name, uint32_t *column)
    __attribute__((warn_unused_result));

// A value of a kept row.
struct value result_value(const struct result *result, uint32_t row, uint32_t column);

// A number's or boolean's (1 or 0) value. Its type must be one of the two.
long double value_number(const struct value *value);

// Whether the value is a string that is a decimal number from its first byte to its last.
bool value_spells_number(const struct value *value);
