// See prebuilt.h. Whether a response may be given again is not known here but to answer.c: this is
// asked at each request, so nothing has to tell the table what changes.
#include "server/http/prebuilt.h"

#include <stdio.h>
#include <string.h>

static void prebuilt_empty(struct prebuilt *slot)
{
    if (slot->response != NULL)
        MHD_destroy_response(slot->response);
    *slot = (struct prebuilt){0};
}

static const struct prebuilt *prebuilt_find(const struct prebuilt_table *table,
                                            const struct request *request)
{
    for (size_t i = 0; i < PREBUILT_MAX; i++) {
        const struct prebuilt *slot = &table->slots[i];
        if (strcmp(slot->target, request->target) == 0 &&
            slot->details == request->may_have_details)
            return slot;
    }
    return NULL;
}

static struct prebuilt *prebuilt_slot_for(struct prebuilt_table *table,
                                          const struct request *request)
{
    const struct prebuilt *same = prebuilt_find(table, request);
    if (same != NULL)
        return &table->slots[same - table->slots];
    struct prebuilt *slot = &table->slots[table->next];
    table->next = (table->next + 1) % PREBUILT_MAX;
    return slot;
}

void prebuilt_keep(struct prebuilt_table *table, const struct request *request,
                   struct MHD_Response *response)
{
    const struct answer *answer = &request->answer;
    if (answer->validity.until.ns == 0 || strlen(request->target) >= PREBUILT_TARGET_MAX) {
        MHD_destroy_response(response);
        return;
    }
    struct prebuilt *slot = prebuilt_slot_for(table, request);
    prebuilt_empty(slot);
    *slot = (struct prebuilt){.details = request->may_have_details,
                              .status = answer->status,
                              .validity = answer->validity,
                              .response = response};
    (void)snprintf(slot->target, sizeof slot->target, "%s", request->target);
}

const struct prebuilt *prebuilt_take(const struct prebuilt_table *table,
                                     const struct request *request)
{
    const struct prebuilt *found = prebuilt_find(table, request);
    if (found == NULL || found->response == NULL)
        return NULL;
    return answer_again(request->service, &found->validity, found->status) ? found : NULL;
}

void prebuilt_clear(struct prebuilt_table *table)
{
    for (size_t i = 0; i < PREBUILT_MAX; i++)
        prebuilt_empty(&table->slots[i]);
}
