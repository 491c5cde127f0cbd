// See check.h.
#include "server/check.h"

#include <stdlib.h>

void check_free(struct check *check)
{
    if (check == NULL)
        return;
    for (size_t i = 0; i < check->rule_count; i++)
        rule_clear(&check->rules[i]);
    free(check->rules);
    params_clear(&check->params);
    words_free(&check->endpoints);
    words_free(&check->metric_columns);
    words_free(&check->grants);
    free(check->name);
    free(check->place);
    free(check->broken);
    free(check->description);
    free(check->prober);
    free(check->sql);
    free(check);
}
