// See rows.h. A check that fails for one of a thousand rows must show that one: so the worst are
// chosen first, and then all that are chosen stand in the order of the result.
#include "server/check/rows.h"

#include "common/memory.h"
#include "server/check/numbers.h"
#include "server/check/verdict.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool rows_is_number(const struct result *result, uint32_t column)
{
    bool number = false;
    for (uint32_t row = 0; row < result->kept_rows && !number; row++) {
        enum value_type type = result_value(result, row, column).type;
        number = type == VALUE_NUMBER || type == VALUE_BOOLEAN;
    }
    return number;
}

// What a rule or `metrics` names, text though it be.
static bool rows_is_named(const struct check *check, const char *name)
{
    bool named = check->metric_columns.count > 0 && numbers_is_metric(check, name);
    for (size_t i = 0; i < check->rule_count; i++)
        named |= check->rules[i].column != NULL && strcasecmp(check->rules[i].column, name) == 0;
    return named;
}

// Adds a column under its name, made fit to show; false if it has none, or one like it is there.
static bool rows_add_column(struct result *kept, const struct result *result, uint32_t column)
{
    char bytes[RESULT_NAME_MAX + 1];
    struct text name = text_in(bytes, sizeof bytes);
    const char *own = result_column(result, column);
    uint32_t same;
    text_add_foreign(&name, own, strlen(own));
    if (name.length == 0 || result_find_column(kept, bytes, &same))
        return false;
    result_add_column(kept, bytes);
    if (!kept->cut)
        result_set_type(kept, result_type(result, column));
    return !kept->cut;
}

// Adds the columns that are shown, and says which of the result's they are.
static void rows_choose_columns(const struct check *check, const struct result *result,
                                struct rows *rows, uint32_t *columns)
{
    struct labels labels = labels_of(check, result);
    for (uint32_t i = 0; i < labels.count; i++) {
        columns[rows->kept->column_count] = labels.columns[i];
        (void)rows_add_column(rows->kept, result, labels.columns[i]);
    }
    rows->label_count = rows->kept->column_count;
    for (uint32_t i = 0; i < result->column_count && !rows->kept->cut; i++) {
        if (!rows_is_number(result, i) && !rows_is_named(check, result_column(result, i)))
            continue;
        columns[rows->kept->column_count] = i;
        (void)rows_add_column(rows->kept, result, i);
    }
}

// Puts VERDICT_SKIPPED in the place of the verdict of each row that is not to be shown: of those
// that a rule leaves out, and of the least bad that are too many. Returns how many the latter are.
static uint32_t rows_choose(uint8_t *verdicts, uint32_t count)
{
    static const enum verdict order[] = {VERDICT_UNKNOWN, VERDICT_FAIL, VERDICT_WARN, VERDICT_PASS};
    uint32_t shown = 0, left_out = 0;
    for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
        for (uint32_t row = 0; row < count; row++) {
            if (verdicts[row] != order[i] || shown++ < ROWS_SHOWN)
                continue;
            verdicts[row] = VERDICT_SKIPPED;
            left_out++;
        }
    }
    return left_out;
}

static bool rows_add_label(struct result *kept, const struct value *value)
{
    char bytes[ROWS_LABEL_MAX + 1];
    struct text clean = text_in(bytes, sizeof bytes);
    text_add_foreign(&clean, value->text, value->length);
    return result_add_value(kept, value->type, bytes, clean.length);
}

static bool rows_add(struct rows *rows, const struct result *result, uint32_t row,
                     const uint32_t *columns)
{
    bool fits = rows->kept->column_count > 0;
    for (uint32_t i = 0; i < rows->kept->column_count && fits; i++) {
        struct value value = result_value(result, row, columns[i]);
        fits = i < rows->label_count
                   ? rows_add_label(rows->kept, &value)
                   : result_add_value(rows->kept, value.type, value.text, value.length + value.cut);
    }
    return fits;
}

static void rows_add_all(const struct check *check, const struct result *result,
                         const struct streaks *streaks, struct rows *rows)
{
    uint32_t columns[RESULT_COLUMNS_MAX] = {0};
    uint8_t *verdicts = memory_new(result->kept_rows + 1);
    for (uint32_t row = 0; row < result->kept_rows; row++)
        verdicts[row] = (uint8_t)judge_row(check, result, row, NULL, streaks);
    rows_choose_columns(check, result, rows, columns);
    rows->left_out += rows_choose(verdicts, result->kept_rows);
    for (uint32_t row = 0; row < result->kept_rows; row++) {
        if (verdicts[row] != VERDICT_SKIPPED && !rows_add(rows, result, row, columns))
            rows->left_out++;
    }
    free(verdicts);
}

struct rows *rows_of(const struct check *check, const struct result *result,
                     const struct streaks *streaks)
{
    if (!check->each_row || result == NULL)
        return NULL;
    struct rows *rows = memory_new(sizeof *rows);
    *rows = (struct rows){.kept = result_new(), .left_out = result->row_count - result->kept_rows};
    rows->kept->row_count = result->row_count;
    rows_add_all(check, result, streaks, rows);
    return rows;
}

void rows_free(struct rows *rows)
{
    if (rows == NULL)
        return;
    result_free(rows->kept);
    free(rows);
}

void rows_add_name(const struct rows *rows, uint32_t row, struct text *text)
{
    struct labels labels = {.count = rows->label_count};
    for (uint32_t i = 0; i < labels.count; i++)
        labels.columns[i] = i;
    labels_add_name(&labels, rows->kept, row, text);
}

const char *rows_metric(const struct check *check, const struct rows *rows, uint32_t row,
                        uint32_t column)
{
    struct value value = result_value(rows->kept, row, column);
    const char *name = result_column(rows->kept, column);
    bool counts = value.type != VALUE_STRING || numbers_has_text(check, name);
    bool wanted = counts && column >= rows->label_count && numbers_is_metric(check, name);
    return wanted ? numbers_text(&value) : NULL;
}
