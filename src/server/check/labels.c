// See labels.h. What a rule looks at may be another thing in the next result, and would then name
// another row; so it is no name unless there is no better one.
#include "server/check/labels.h"

#include <string.h>
#include <strings.h>

enum { LABEL_SHOWN = 40, NAME_SHOWN = 80 }; // bytes, in a reason

static bool labels_is_text(const struct result *result, uint32_t column)
{
    enum column_type type = result_type(result, column);
    bool text = false;
    for (uint32_t row = 0; row < result->kept_rows && !text; row++)
        text = result_value(result, row, column).type == VALUE_STRING;
    return text && (type == COLUMN_PLAIN || type == COLUMN_OTHER);
}

static bool labels_is_looked_at(const struct check *check, const char *name)
{
    bool looked_at = false;
    for (size_t i = 0; i < check->rule_count; i++) {
        const struct rule *rule = &check->rules[i];
        looked_at |= rule->effect != RULE_SKIP && rule->column != NULL &&
                     strcasecmp(rule->column, name) == 0;
    }
    for (size_t i = 0; i < check->metric_columns.count; i++)
        looked_at |= strcasecmp(check->metric_columns.items[i], name) == 0;
    return looked_at;
}

static void labels_add(struct labels *labels, const struct result *result, uint32_t column)
{
    uint32_t first;
    bool again =
        result_find_column(result, result_column(result, column), &first) && first != column;
    if (labels->count < LABELS_MAX && !again)
        labels->columns[labels->count++] = column;
}

struct labels labels_of(const struct check *check, const struct result *result)
{
    struct labels labels = {.count = 0}, all = {.count = 0};
    for (uint32_t column = 0; column < result->column_count; column++) {
        if (!labels_is_text(result, column))
            continue;
        labels_add(&all, result, column);
        if (!labels_is_looked_at(check, result_column(result, column)))
            labels_add(&labels, result, column);
    }
    return labels.count > 0 ? labels : all;
}

static void labels_add_value(struct text *text, const struct value *value)
{
    size_t length = value->length;
    if (value->type == VALUE_NULL) {
        text_add(text, "null");
        return;
    }
    if (length > LABEL_SHOWN)
        length = text_valid_length(value->text, LABEL_SHOWN);
    text_add_foreign(text, value->text, length);
    if (length < value->length)
        text_add(text, "...");
}

void labels_add_name(const struct labels *labels, const struct result *result, uint32_t row,
                     struct text *text)
{
    char bytes[NAME_SHOWN + 1];
    struct text name = text_in(bytes, sizeof bytes);
    for (uint32_t i = 0; i < labels->count; i++) {
        struct value value = result_value(result, row, labels->columns[i]);
        text_add(&name, i > 0 ? ", " : "");
        labels_add_value(&name, &value);
    }
    if (name.length == 0)
        text_addf(&name, "row %u", row + 1);
    text_add(text, bytes);
}
