// One rule of a check: `column op literal` or `rows op n`, parsed once and judged on a result.
// Pure: no clock, no I/O.
#pragma once

#include "common/error.h"
#include "common/result.h"
#include "common/text.h"

#include <stdbool.h>
#include <stddef.h>

enum rule_effect { RULE_FAIL, RULE_WARN };

enum rule_comparison { RULE_EQ, RULE_NE, RULE_LT, RULE_LE, RULE_GT, RULE_GE };

enum literal_type { LITERAL_NULL, LITERAL_BOOLEAN, LITERAL_NUMBER, LITERAL_STRING };

struct literal {
    enum literal_type type;
    long double number; // of a number; 1 or 0 of a boolean
    char *string;       // of a string, owned; else NULL
};

// Made by rule_parse, emptied by rule_clear.
struct rule {
    enum rule_effect effect;
    char *column; // NULL: the rule is on the number of rows
    enum rule_comparison comparison;
    struct literal literal;
    char *literal_text; // as written, for people
};

// Grammar: SUBJECT OP LITERAL, blanks between them as liked. SUBJECT is `rows`, an identifier or any
// name in double quotes; OP is one of == != < <= > >=; LITERAL is a decimal number, a 'string' with
// '' for a quote, true, false or null (those three only with == and !=). On false, *offset is where
// in the text the fault is.
bool rule_parse(const char *text, enum rule_effect effect, struct rule *rule, size_t *offset,
                struct error *error) __attribute__((warn_unused_result));

void rule_clear(struct rule *rule);

enum rule_finding {
    RULE_HOLDS_NOT,
    RULE_HOLDS,
    RULE_NO_ROW, // there is no row to look at
    RULE_UNFIT   // the column is not there, or has another type: the check file is wrong
};

// Judges the first row. `why` gets what was seen, like "lag_seconds 45 > 30" or "lag_seconds is
// null", when the rule holds or is unfit. NULL and NaN make a rule hold, except == null, != null.
enum rule_finding rule_judge(const struct rule *rule, const struct result *result,
                             struct text *why);
