// One rule of a check: `column op literal` or `rows op n`, parsed once and judged on a result.
// Pure: no clock, no I/O. How long it has held, where it ends in `for`, is streaks.h's.
#pragma once

#include "common/error.h"
#include "common/instant.h"
#include "common/result.h"
#include "common/text.h"
#include "server/check/iso_time.h"

#include <stdbool.h>
#include <stddef.h>

enum rule_effect { RULE_FAIL, RULE_WARN, RULE_SKIP };

enum rule_comparison { RULE_EQ, RULE_NE, RULE_LT, RULE_LE, RULE_GT, RULE_GE };

// The comparison that length bytes of text spell; false if none.
bool comparison_from_text(const char *text, size_t length, enum rule_comparison *comparison)
    __attribute__((warn_unused_result));

// The comparison as rules spell it.
const char *comparison_text(enum rule_comparison comparison);

// Whether it holds for two things in this order: below, at or above 0, as of strcmp.
bool comparison_holds(enum rule_comparison comparison, int order);

// A time is a string in ISO form; where a column holds text it is no more than that.
enum literal_type { LITERAL_NULL, LITERAL_BOOLEAN, LITERAL_NUMBER, LITERAL_STRING, LITERAL_TIME };

// Made by the parsers below, emptied by literal_clear.
struct literal {
    enum literal_type type;
    long double number;   // of a number; 1 or 0 of a boolean
    char *string;         // of a string or time, owned; else NULL
    char *text;           // as written, for people
    struct iso_time time; // of a time
};

// A named value that rules refer to as $name and a request may override.
struct param {
    char *name;
    struct literal value; // never null
};

// Made by rule_parse, emptied by rule_clear.
struct rule {
    enum rule_effect effect;
    char *column; // NULL: the rule is on the number of rows
    enum rule_comparison comparison;
    struct literal literal; // if param is NULL
    char *param;            // the name after the '$'
    struct duration hold;   // how long it must have held, result by result, to count; 0: at once
};

// The params of a check, or of a request.
struct params {
    struct param *items;
    size_t count;
};

void literal_clear(struct literal *literal);

// Adds a param with this value as its default: a literal of a rule's grammar, but not null.
bool params_add(struct params *params, const char *name, const char *value, struct error *error)
    __attribute__((warn_unused_result));

// Adds an override: bare text that must be of the default's type.
bool params_override(struct params *params, const struct param *param, const char *text,
                     struct error *error) __attribute__((warn_unused_result));

// A param of the first whose namesake among the others is of another type; NULL if there is none.
const struct param *params_find_other_type(const struct params *params,
                                           const struct params *others);

// "a number", "a string", "a time" or "true or false".
const char *param_type(const struct param *param);

// NULL if there is none of this name.
const struct param *params_find(const struct params *params, const char *name);

void params_clear(struct params *params);

// Parses `subject operator literal [ for duration ]`, with blanks between them as liked. The
// subject is `rows`, an identifier or any name in double quotes; the operator is one of == != < <=
// > >=; the literal is a decimal number, a 'string' with '' for a quote (one that is no time only
// with == and !=), true, false or null (those three only with == and !=), or $name of one of the
// params. A rule that skips has no `for`. On false, *offset is where in the text the fault is.
bool rule_parse(const char *text, enum rule_effect effect, const struct params *params,
                struct rule *rule, size_t *offset, struct error *error)
    __attribute__((warn_unused_result));

void rule_clear(struct rule *rule);

enum rule_finding {
    RULE_HOLDS_NOT,
    RULE_HOLDS,
    RULE_NO_ROW, // there is no row to look at
    RULE_UNFIT   // the column is not there, or has another type: the check file is wrong
};

// Judges a kept row against a literal: the rule's own, or its param's. `why` gets what was seen,
// like "lag_seconds 45 > 30" or "lag_seconds is null", when the rule holds or is unfit. NULL and
// NaN make a rule hold, except == null, != null, and any that would skip the check: what is not
// known is no reason to look away. What has no order, or not the literal's, is unfit, and `why`
// says what the column holds and what to write.
enum rule_finding rule_judge_row(const struct rule *rule, const struct literal *literal,
                                 const struct result *result, uint32_t row, struct text *why);

// The same of the first row.
enum rule_finding rule_judge(const struct rule *rule, const struct literal *literal,
                             const struct result *result, struct text *why);
