// See numbers.h. A scraper refuses everything it was given for one number it cannot read, or for
// one name that is not UTF-8. A number's text is one by its grammar as well: result.c sees to that.
#include "server/check/numbers.h"

#include "common/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

// What a double cannot hold is infinite for Prometheus, which would refuse the digits.
const char *numbers_text(const struct value *value)
{
    if (value->type == VALUE_BOOLEAN)
        return value_number(value) != 0 ? "1" : "0";
    if ((value->type != VALUE_NUMBER && !value_spells_number(value)) || value->cut)
        return NULL;
    double number = strtod(value->text, NULL);
    if (isnan(number))
        return NULL;
    if (isinf(number))
        return number > 0 ? "+Inf" : "-Inf";
    return value->text;
}

static bool numbers_has_column(const struct result *result, const char *name)
{
    bool has = false;
    for (uint32_t i = 0; i < result->column_count; i++)
        has |= strcmp(result_column(result, i), name) == 0;
    return has;
}

// By the name that the server gave, whatever its case, as rules name columns.
bool numbers_is_metric(const struct check *check, const char *column)
{
    bool wanted = check->metric_columns.count == 0;
    for (size_t i = 0; i < check->metric_columns.count; i++)
        wanted |= strcasecmp(check->metric_columns.items[i], column) == 0;
    return check->metrics && wanted;
}

bool numbers_has_text(const struct check *check, const char *column)
{
    bool has = check->metric_columns.count > 0 && numbers_is_metric(check, column);
    for (size_t i = 0; i < check->rule_count; i++) {
        const struct rule *rule = &check->rules[i];
        has |= rule->column != NULL && strcasecmp(rule->column, column) == 0 &&
               check_limit(check, rule, NULL)->type == LITERAL_NUMBER;
    }
    return has;
}

// Adds the names of columns to show, and their values to texts in the same order; how many.
static uint32_t numbers_choose(const struct check *check, const struct result *result,
                               struct result *chosen, const char **texts)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < result->column_count; i++) {
        char bytes[RESULT_NAME_MAX + 1];
        struct text name = text_in(bytes, sizeof bytes);
        const char *column = result_column(result, i);
        struct value value = result_value(result, 0, i);
        bool counts = value.type != VALUE_STRING || numbers_has_text(check, column);
        const char *text = counts ? numbers_text(&value) : NULL;
        text_add_foreign(&name, column, strlen(column));
        if (text == NULL || name.length == 0 || numbers_has_column(chosen, bytes))
            continue;
        texts[count++] = text;
        result_add_column(chosen, bytes);
    }
    return count;
}

struct result *numbers_of(const struct check *check, const struct result *result)
{
    const char *texts[RESULT_COLUMNS_MAX];
    if (result == NULL || result->kept_rows == 0)
        return NULL;
    struct result *chosen = result_new();
    uint32_t count = numbers_choose(check, result, chosen, texts);
    bool fits = count > 0; // what fitted before does
    for (uint32_t i = 0; i < count && fits; i++)
        fits = result_add_value(chosen, VALUE_NUMBER, texts[i], strlen(texts[i]));
    if (fits)
        return chosen;
    result_free(chosen);
    return NULL;
}

// Whether the first row's value may be told: what has no end is not.
static bool numbers_may_be_seen(const struct result *result, uint32_t column)
{
    struct value value = result_value(result, 0, column);
    return !value.cut && value.length <= SEEN_MAX;
}

static bool numbers_add_seen(struct result *seen, const struct value *value)
{
    char bytes[SEEN_MAX + 1];
    struct text clean = text_in(bytes, sizeof bytes);
    text_add_foreign(&clean, value->text, value->length);
    return result_add_value(seen, value->type, bytes, clean.length);
}

struct result *seen_of(const struct check *check, const struct result *result)
{
    uint32_t columns[RESULT_COLUMNS_MAX], count = 0, column;
    if (check->rule_count == 0 || result == NULL)
        return NULL;
    struct result *seen = result_new();
    seen->row_count = result->row_count;
    for (size_t i = 0; i < check->rule_count && result->kept_rows > 0 && !check->each_row; i++) {
        const char *name = check->rules[i].column;
        if (name == NULL || numbers_has_column(seen, name) || count == RESULT_COLUMNS_MAX ||
            !result_find_column(result, name, &column) || !numbers_may_be_seen(result, column))
            continue;
        columns[count++] = column;
        result_add_column(seen, name);
    }
    bool fits = true;
    for (uint32_t i = 0; i < count && fits; i++) {
        struct value value = result_value(result, 0, columns[i]);
        fits = numbers_add_seen(seen, &value);
    }
    return seen;
}
