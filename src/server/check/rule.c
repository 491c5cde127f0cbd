// See rule.h. What cannot be known is bad news, so a NULL or NaN makes a rule hold whatever its
// operator. Only numbers, times and booleans have an order. Text that is a number from end to end
// is one where it meets a number; nothing else quietly turns into another thing.
#include "server/check/rule.h"

#include "common/memory.h"
#include "server/base/words.h"

#include <assert.h>
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { COLUMN_SHOWN = 64 }; // bytes of a column's name in a reason

// Where the parser is.
struct cursor {
    const char *text;
    const char *at;
};

static const char *const comparison_texts[] = {
    [RULE_EQ] = "==", [RULE_NE] = "!=", [RULE_LT] = "<",
    [RULE_LE] = "<=", [RULE_GT] = ">",  [RULE_GE] = ">="};

static void rule_skip_blanks(struct cursor *cursor)
{
    cursor->at += strspn(cursor->at, " \t");
}

// identifier = ( letter / "_" ) *( letter / digit / "_" ); 0: there is none.
static size_t rule_identifier_length(const char *text)
{
    if (!isalpha((unsigned char)text[0]) && text[0] != '_')
        return 0;
    size_t length = 1;
    while (isalnum((unsigned char)text[length]) || text[length] == '_')
        length++;
    return length;
}

// quoted = quote *( character / quote quote ) quote; what is between the outer two, one for two.
static bool rule_parse_quoted(struct cursor *cursor, char quote, char **string, struct error *error)
{
    const char *from = cursor->at + 1;
    char *copy = memory_new(strlen(from) + 1);
    size_t length = 0;
    while (*from != '\0' && !(from[0] == quote && from[1] != quote)) {
        from += from[0] == quote;
        copy[length++] = *from++;
    }
    if (*from != quote) {
        free(copy);
        return error_set(error, "the quote %c is never closed", quote);
    }
    *string = copy;
    cursor->at = from + 1;
    return true;
}

// quoted, with double quotes. Answers show the name: it must be fit for that.
static bool rule_parse_quoted_name(struct cursor *cursor, char **name, struct error *error)
{
    const char *start = cursor->at;
    if (!rule_parse_quoted(cursor, '"', name, error))
        return false;
    if ((*name)[0] != '\0' && text_is_clean(*name))
        return true;
    free(*name);
    *name = NULL;
    cursor->at = start;
    return error_set(error, "expected a column's name without control characters");
}

// subject = "rows" / identifier / quoted name
static bool rule_parse_subject(struct cursor *cursor, struct rule *rule, struct error *error)
{
    rule_skip_blanks(cursor);
    if (*cursor->at == '"')
        return rule_parse_quoted_name(cursor, &rule->column, error);
    size_t length = rule_identifier_length(cursor->at);
    if (length == 0)
        return error_set(error, "expected a column's name or `rows`");
    bool rows = length == 4 && strncmp(cursor->at, "rows", length) == 0;
    rule->column = rows ? NULL : memory_copy(cursor->at, length);
    cursor->at += length;
    return true;
}

const char *comparison_text(enum rule_comparison comparison)
{
    return comparison_texts[comparison];
}

bool comparison_from_text(const char *text, size_t length, enum rule_comparison *comparison)
{
    for (size_t i = 0; i < sizeof comparison_texts / sizeof *comparison_texts; i++) {
        if (strlen(comparison_texts[i]) == length &&
            strncmp(comparison_texts[i], text, length) == 0) {
            *comparison = (enum rule_comparison)i;
            return true;
        }
    }
    return false;
}

// operator = "==" / "!=" / "<" / "<=" / ">" / ">="
static bool rule_parse_comparison(struct cursor *cursor, struct rule *rule, struct error *error)
{
    rule_skip_blanks(cursor);
    size_t length = strspn(cursor->at, "=!<>");
    if (!comparison_from_text(cursor->at, length, &rule->comparison))
        return error_set(error, "expected an operator: == != < <= > >=");
    cursor->at += length;
    return true;
}

// number = [ "-" / "+" ] 1*digit [ "." 1*digit ] [ "e" [ "-" / "+" ] 1*digit ]; 0: there is none.
static size_t rule_number_length(const char *text)
{
    size_t length = text[0] == '-' || text[0] == '+';
    size_t digits = strspn(text + length, "0123456789");
    if (digits == 0)
        return 0;
    length += digits;
    if (text[length] == '.') {
        digits = strspn(text + length + 1, "0123456789");
        if (digits == 0)
            return 0;
        length += 1 + digits;
    }
    if (text[length] == 'e' || text[length] == 'E') {
        size_t sign = text[length + 1] == '-' || text[length + 1] == '+';
        digits = strspn(text + length + 1 + sign, "0123456789");
        length += digits > 0 ? 1 + sign + digits : 0;
    }
    return length;
}

// word = "true" / "false" / "null", in whatever case
static bool rule_parse_word(struct cursor *cursor, struct literal *literal)
{
    static const struct {
        const char *word;
        enum literal_type type;
        int number;
    } words[] = {
        {"true", LITERAL_BOOLEAN, 1}, {"false", LITERAL_BOOLEAN, 0}, {"null", LITERAL_NULL, 0}};
    size_t length = rule_identifier_length(cursor->at);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strlen(words[i].word) == length &&
            strncasecmp(words[i].word, cursor->at, length) == 0) {
            *literal = (struct literal){.type = words[i].type, .number = words[i].number};
            cursor->at += length;
            return true;
        }
    }
    return false;
}

// Takes the string over.
static void rule_set_string(struct literal *literal, char *string)
{
    assert(string != NULL);
    bool is_time = iso_time_parse(string, strlen(string), &literal->time);
    literal->type = is_time ? LITERAL_TIME : LITERAL_STRING;
    literal->string = string;
}

// literal = quoted, with single quotes / number / word
static bool rule_parse_literal(struct cursor *cursor, struct literal *literal, struct error *error)
{
    rule_skip_blanks(cursor);
    size_t length = rule_number_length(cursor->at);
    if (*cursor->at == '\'') {
        char *string = NULL;
        if (!rule_parse_quoted(cursor, '\'', &string, error))
            return false;
        rule_set_string(literal, string);
        return true;
    }
    if (length > 0) {
        *literal = (struct literal){.type = LITERAL_NUMBER, .number = strtold(cursor->at, NULL)};
        if (!isfinite(literal->number)) // as a threshold, one that nothing reaches
            return error_set(error, "the number is too large");
        cursor->at += length;
        return true;
    }
    if (rule_parse_word(cursor, literal))
        return true;
    return error_set(error, "expected a number, a 'string', true, false or null");
}

static bool rule_orders(const struct rule *rule)
{
    return rule->comparison != RULE_EQ && rule->comparison != RULE_NE;
}

// What the grammar allows but no one can mean.
static bool rule_check_sense(const struct rule *rule, enum literal_type type, struct error *error)
{
    bool orders = rule_orders(rule);
    if (orders && (type == LITERAL_NULL || type == LITERAL_BOOLEAN))
        return error_set(error, "true, false and null can only be compared with == and !=");
    if (rule->column == NULL && type != LITERAL_NUMBER)
        return error_set(error, "`rows` can only be compared with a number; a column of that name "
                                "is written \"rows\"");
    if (orders && type == LITERAL_STRING)
        return error_set(error, "text has no order, expected a number without quotes, or a time "
                                "like '2026-01-31 12:00'; of an interval write extract(epoch FROM "
                                "...) in the statement");
    return true;
}

// literal, with blanks around it, and what of it people are shown
static bool rule_parse_written_literal(struct cursor *cursor, struct literal *literal,
                                       struct error *error)
{
    rule_skip_blanks(cursor);
    const char *start = cursor->at;
    if (!rule_parse_literal(cursor, literal, error))
        return false;
    literal->text = memory_copy(start, (size_t)(cursor->at - start));
    rule_skip_blanks(cursor);
    return true;
}

// literal and nothing more but blanks
static bool rule_parse_whole_literal(struct cursor *cursor, struct literal *literal,
                                     struct error *error)
{
    return rule_parse_written_literal(cursor, literal, error) &&
           (*cursor->at == '\0' || error_set(error, "expected nothing more after the value"));
}

// param = "$" identifier, and blanks; the name of one of params
static bool rule_parse_param(struct cursor *cursor, const struct params *params, struct rule *rule,
                             enum literal_type *type, struct error *error)
{
    size_t length = rule_identifier_length(cursor->at + 1);
    rule->param = memory_copy(cursor->at + 1, length);
    const struct param *param = params_find(params, rule->param);
    if (param == NULL)
        return error_set(error, "no param of this name is given above");
    *type = param->value.type;
    cursor->at += 1 + length;
    rule_skip_blanks(cursor);
    return true;
}

// hold = [ "for" duration ], and nothing more but blanks
static bool rule_parse_hold(struct cursor *cursor, struct rule *rule, struct error *error)
{
    if (*cursor->at == '\0')
        return true;
    if (rule_identifier_length(cursor->at) != 3 || strncmp(cursor->at, "for", 3) != 0)
        return error_set(error, "expected nothing more after the %s, or `for` and a duration",
                         rule->param != NULL ? "param" : "value");
    if (rule->effect == RULE_SKIP)
        return error_set(error, "`for` is for rules that fail or warn: whether a check is skipped, "
                                "each result says by itself");
    cursor->at += 3;
    rule_skip_blanks(cursor);
    size_t length = strcspn(cursor->at, " \t");
    char *duration = memory_copy(cursor->at, length);
    bool parsed = parse_duration(duration, &rule->hold, error);
    free(duration);
    if (!parsed)
        return false;
    cursor->at += length;
    rule_skip_blanks(cursor);
    return *cursor->at == '\0' || error_set(error, "expected nothing more after the duration");
}

// rule = subject operator ( literal / param ) hold, with blanks between them as liked
static bool rule_parse_parts(struct cursor *cursor, const struct params *params, struct rule *rule,
                             struct error *error)
{
    enum literal_type type = LITERAL_NULL;
    if (!rule_parse_subject(cursor, rule, error) || !rule_parse_comparison(cursor, rule, error))
        return false;
    rule_skip_blanks(cursor);
    const char *value = cursor->at;
    if (*value == '$') {
        if (!rule_parse_param(cursor, params, rule, &type, error))
            return false;
    } else {
        if (!rule_parse_written_literal(cursor, &rule->literal, error))
            return false;
        type = rule->literal.type;
    }
    if (!rule_parse_hold(cursor, rule, error))
        return false;
    cursor->at = value;
    return rule_check_sense(rule, type, error);
}

bool rule_parse(const char *text, enum rule_effect effect, const struct params *params,
                struct rule *rule, size_t *offset, struct error *error)
{
    struct cursor cursor = {.text = text, .at = text};
    *rule = (struct rule){.effect = effect};
    bool parsed = rule_parse_parts(&cursor, params, rule, error);
    if (!parsed)
        rule_clear(rule);
    *offset = (size_t)(cursor.at - text);
    return parsed;
}

void rule_clear(struct rule *rule)
{
    free(rule->column);
    free(rule->param);
    literal_clear(&rule->literal);
    *rule = (struct rule){0};
}

void literal_clear(struct literal *literal)
{
    free(literal->string);
    free(literal->text);
    *literal = (struct literal){0};
}

static struct param *rule_add_param(struct params *params, const char *name)
{
    params->items = memory_grow(params->items, (params->count + 1) * sizeof *params->items);
    struct param *param = &params->items[params->count++];
    *param = (struct param){.name = memory_string(name)};
    return param;
}

bool params_add(struct params *params, const char *name, const char *value, struct error *error)
{
    struct cursor cursor = {.text = value, .at = value};
    size_t length = rule_identifier_length(name);
    if (length == 0 || name[length] != '\0')
        return error_set(error, "'%.40s' is no param's name, expected letters, digits and '_'",
                         name);
    if (params_find(params, name) != NULL)
        return error_set(error, "param %s is given a second time", name);
    struct param *param = rule_add_param(params, name);
    if (!rule_parse_whole_literal(&cursor, &param->value, error))
        return false;
    return param->value.type != LITERAL_NULL ||
           error_set(error, "null cannot be a param's default, expected a number, a 'string', true "
                            "or false");
}

// A string is taken as it is; the other types in a rule's grammar.
static bool rule_parse_override(const char *text, enum literal_type type, struct literal *literal,
                                struct error *error)
{
    struct cursor cursor = {.text = text, .at = text};
    if (type == LITERAL_STRING || type == LITERAL_TIME) {
        *literal = (struct literal){.text = memory_string(text)};
        rule_set_string(literal, memory_string(text));
        if (type == LITERAL_STRING)
            literal->type = type;
        return literal->type == type;
    }
    return rule_parse_whole_literal(&cursor, literal, error) && literal->type == type;
}

const char *param_type(const struct param *param)
{
    static const char *const names[] = {[LITERAL_NUMBER] = "a number",
                                        [LITERAL_STRING] = "a string",
                                        [LITERAL_TIME] = "a time",
                                        [LITERAL_BOOLEAN] = "true or false"};
    return names[param->value.type];
}

const struct param *params_find_other_type(const struct params *params, const struct params *others)
{
    for (size_t i = 0; i < params->count; i++) {
        const struct param *other = params_find(others, params->items[i].name);
        if (other != NULL && other->value.type != params->items[i].value.type)
            return &params->items[i];
    }
    return NULL;
}

bool params_override(struct params *params, const struct param *param, const char *text,
                     struct error *error)
{
    struct param *added = rule_add_param(params, param->name);
    enum literal_type type = param->value.type;
    if (rule_parse_override(text, type, &added->value, error))
        return true;
    return error_set(error, "%s: expected %s", param->name, param_type(param));
}

const struct param *params_find(const struct params *params, const char *name)
{
    for (size_t i = 0; i < params->count; i++) {
        if (strcmp(params->items[i].name, name) == 0)
            return &params->items[i];
    }
    return NULL;
}

void params_clear(struct params *params)
{
    for (size_t i = 0; i < params->count; i++) {
        free(params->items[i].name);
        literal_clear(&params->items[i].value);
    }
    free(params->items);
    *params = (struct params){0};
}

bool comparison_holds(enum rule_comparison comparison, int order)
{
    switch (comparison) {
    case RULE_EQ:
        return order == 0;
    case RULE_NE:
        return order != 0;
    case RULE_LT:
        return order < 0;
    case RULE_LE:
        return order <= 0;
    case RULE_GT:
        return order > 0;
    case RULE_GE:
        return order >= 0;
    }
    abort();
}

static int rule_compare_numbers(long double a, long double b)
{
    return (a > b) - (a < b);
}

static int rule_compare_strings(const struct value *value, const char *string)
{
    size_t length = strlen(string);
    size_t shorter = value->length < length ? value->length : length;
    int order = memcmp(value->text, string, shorter);
    return order != 0 ? order : (value->length > length) - (value->length < length);
}

// A piece of the check's file, where quotes may hold any character.
static void rule_add_written(struct text *why, const char *piece)
{
    text_add_foreign(why, piece, strlen(piece));
}

// A long one is shortened, so that there is room for what was seen.
static void rule_add_column(struct text *why, const char *column)
{
    size_t length = strlen(column);
    if (length > COLUMN_SHOWN)
        length = text_valid_length(column, COLUMN_SHOWN);
    text_add_foreign(why, column, length);
    if (column[length] != '\0')
        text_add(why, "...");
}

static enum rule_finding rule_tell(const struct rule *rule, const struct literal *literal,
                                   bool it_holds, const char *seen, size_t length, struct text *why)
{
    if (!it_holds)
        return RULE_HOLDS_NOT;
    rule_add_column(why, rule->column != NULL ? rule->column : "rows");
    text_add(why, " ");
    text_add_foreign(why, seen, length);
    text_addf(why, " %s ", comparison_texts[rule->comparison]);
    rule_add_written(why, literal->text); // a request's, perhaps
    return RULE_HOLDS;
}

// Something is there that compares with nothing.
static enum rule_finding rule_judge_unknowable(const struct rule *rule, const char *what,
                                               struct text *why)
{
    if (rule->effect == RULE_SKIP)
        return RULE_HOLDS_NOT;
    rule_add_column(why, rule->column);
    text_addf(why, " is %s", what);
    return RULE_HOLDS;
}

static enum rule_finding rule_refuse(const struct rule *rule, const char *what, struct text *why)
{
    text_add(why, "column ");
    rule_add_column(why, rule->column);
    text_addf(why, " %s", what);
    return RULE_UNFIT;
}

static enum rule_finding rule_judge_null(const struct rule *rule, const struct literal *literal,
                                         const struct value *value, struct text *why)
{
    bool is_null = value->type == VALUE_NULL;
    bool it_holds = is_null == (rule->comparison == RULE_EQ);
    if (!it_holds || !is_null)
        return rule_tell(rule, literal, it_holds, value->text, value->length, why);
    rule_add_column(why, rule->column);
    text_add(why, " is null");
    return RULE_HOLDS;
}

// What a column may hold that has no order here, or none with what a rule compares it with.
struct misfit {
    const char *type;
    const char *before, *after; // of the column, in the statement: so it becomes a number
    bool has_equals;            // it has one text for each value: == and != with a string tell
};

static const struct misfit misfits[COLUMN_TYPES] = {
    [COLUMN_PLAIN] = {"text", "CAST(", " AS ...)", true},
    [COLUMN_DATE] = {"a date", "extract(epoch FROM ", ")", false},
    [COLUMN_TIMESTAMP] = {"a timestamp", "extract(epoch FROM ", ")", false},
    [COLUMN_TIME] = {"a time of day", "extract(epoch FROM ", ")", false},
    [COLUMN_INTERVAL] = {"an interval", "extract(epoch FROM ", ")", false},
    [COLUMN_MONEY] = {"money", "", "::numeric", false},
    [COLUMN_LSN] = {"a pg_lsn", "pg_wal_lsn_diff(", ", '0/0')", true},
    [COLUMN_XID] = {"an xid", "age(", ")", true},
    [COLUMN_JSON] = {"JSON", "(", " ->> ...)::numeric", false},
    [COLUMN_ARRAY] = {"an array", "cardinality(", ")", true},
    [COLUMN_BITS] = {"a bit string", "", "::bit(64)::bigint", true},
    [COLUMN_DATETIME] = {"a date or time", "UNIX_TIMESTAMP(", ")", false},
    [COLUMN_DURATION] = {"a TIME", "TIME_TO_SEC(", ")", false},
    [COLUMN_DOCUMENT] = {"JSON", "JSON_VALUE(", ", '$...')", false},
    [COLUMN_OTHER] = {"of a type without an order here", "a comparison of ", "", true},
};

static enum rule_finding rule_refuse_type(const struct rule *rule, const struct literal *literal,
                                          enum column_type type, struct text *why)
{
    static const char *const others[] = {[LITERAL_NULL] = "null",
                                         [LITERAL_BOOLEAN] = "true or false",
                                         [LITERAL_NUMBER] = "a number",
                                         [LITERAL_STRING] = "a string",
                                         [LITERAL_TIME] = "a time"};
    const struct misfit *misfit = &misfits[type];
    text_add(why, "column ");
    rule_add_column(why, rule->column);
    text_addf(why, " is %s and the rule compares it with %s: in the SQL, write %s", misfit->type,
              others[literal->type], misfit->before);
    rule_add_column(why, rule->column);
    text_add(why, misfit->after);
    return RULE_UNFIT;
}

static enum rule_finding rule_judge_string(const struct rule *rule, const struct literal *literal,
                                           const struct value *value, struct text *why)
{
    if (value->type != VALUE_STRING)
        return rule_refuse(rule, "is not a string, and the rule compares it with one", why);
    if (value->cut)
        return rule_refuse(rule, "is longer than can be compared", why);
    int order = rule_compare_strings(value, literal->string);
    return rule_tell(rule, literal, comparison_holds(rule->comparison, order), value->text,
                     value->length, why);
}

static enum rule_finding rule_judge_number(const struct rule *rule, const struct literal *literal,
                                           const struct value *value, struct text *why)
{
    bool spelled = literal->type == LITERAL_NUMBER && value_spells_number(value);
    if (value->cut)
        return rule_refuse(rule, "is longer than can be compared", why);
    if (value->type == VALUE_STRING && !spelled)
        return rule_refuse(rule, "is a string, and the rule compares it with no string", why);
    long double number = spelled ? strtold(value->text, NULL) : value_number(value);
    if (isnan(number))
        return rule_judge_unknowable(rule, "NaN", why);
    int order = rule_compare_numbers(number, literal->number);
    return rule_tell(rule, literal, comparison_holds(rule->comparison, order), value->text,
                     value->length, why);
}

static enum rule_finding rule_judge_plain(const struct rule *rule, const struct literal *literal,
                                          const struct value *value, struct text *why)
{
    if (literal->type != LITERAL_STRING && literal->type != LITERAL_TIME)
        return rule_judge_number(rule, literal, value, why);
    if (value->type == VALUE_STRING && rule_orders(rule))
        return rule_refuse_type(rule, literal, COLUMN_PLAIN, why);
    return rule_judge_string(rule, literal, value, why);
}

static enum rule_finding rule_judge_time(const struct rule *rule, const struct literal *literal,
                                         enum column_type type, const struct value *value,
                                         struct text *why)
{
    struct iso_time time;
    bool of_day = type == COLUMN_TIME || type == COLUMN_DURATION;
    if (literal->type == LITERAL_STRING)
        return rule_refuse(rule,
                           of_day ? "is a time, expected one like '23:59' to compare it with"
                                  : "is a time, expected one like '2026-01-31 12:00' to "
                                    "compare it with",
                           why);
    if (literal->type != LITERAL_TIME || literal->time.of_day != of_day)
        return rule_refuse_type(rule, literal, type, why);
    if (!iso_time_parse(value->text, value->length, &time) || time.of_day != of_day)
        return rule_refuse(rule, "is a time that cannot be read", why);
    int order = iso_time_compare(&time, &literal->time);
    return rule_tell(rule, literal, comparison_holds(rule->comparison, order), value->text,
                     value->length, why);
}

static bool rule_is_time(enum column_type type)
{
    return type == COLUMN_DATE || type == COLUMN_TIMESTAMP || type == COLUMN_TIME ||
           type == COLUMN_DATETIME || type == COLUMN_DURATION;
}

// A value that is there, and a literal that is not null.
static enum rule_finding rule_judge_value(const struct rule *rule, const struct literal *literal,
                                          enum column_type type, const struct value *value,
                                          struct text *why)
{
    bool string = literal->type == LITERAL_STRING || literal->type == LITERAL_TIME;
    if (type == COLUMN_PLAIN)
        return rule_judge_plain(rule, literal, value, why);
    if (rule_is_time(type))
        return rule_judge_time(rule, literal, type, value, why);
    if (string && misfits[type].has_equals && !rule_orders(rule))
        return rule_judge_string(rule, literal, value, why);
    return rule_refuse_type(rule, literal, type, why);
}

static enum rule_finding rule_judge_rows(const struct rule *rule, const struct literal *literal,
                                         const struct result *result, struct text *why)
{
    char count[24];
    struct text seen = text_in(count, sizeof count);
    text_addf(&seen, "%llu", (unsigned long long)result->row_count);
    int order = rule_compare_numbers((long double)result->row_count, literal->number);
    return rule_tell(rule, literal, comparison_holds(rule->comparison, order), count, seen.length,
                     why);
}

enum rule_finding rule_judge_row(const struct rule *rule, const struct literal *literal,
                                 const struct result *result, uint32_t row, struct text *why)
{
    if (rule->column == NULL)
        return rule_judge_rows(rule, literal, result, why);
    uint32_t column;
    if (!result_find_column(result, rule->column, &column))
        return rule_refuse(rule, "is not in the result", why);
    if (result->kept_rows == 0)
        return RULE_NO_ROW;
    struct value value = result_value(result, row, column);
    if (literal->type == LITERAL_NULL)
        return rule_judge_null(rule, literal, &value, why);
    if (value.type == VALUE_NULL)
        return rule_judge_unknowable(rule, "null", why);
    return rule_judge_value(rule, literal, result_type(result, column), &value, why);
}

enum rule_finding rule_judge(const struct rule *rule, const struct literal *literal,
                             const struct result *result, struct text *why)
{
    return rule_judge_row(rule, literal, result, 0, why);
}
