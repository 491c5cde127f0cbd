// What dbhealthd-ask gets from whoever listens on the adapter's port: a body lies within what came
// and is as long as told, more of the same bytes changes no verdict, and dead is 503 alone.
//
// Input: the bytes.
#include "fuzz.h"

#include "client/http_answer.h"

#include <stdlib.h>
#include <string.h>

static void must_be_whole(const struct http_answer *answer, const char *bytes, size_t length)
{
    MUST(answer->status >= 100 && answer->status <= 999);
    MUST(answer->body >= bytes && answer->body <= bytes + length);
    MUST(answer->length <= (size_t)(bytes + length - answer->body));
    MUST(!http_answer_says_dead(answer) || answer->status == 503);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct http_answer answer, again;
    char *copy = malloc(length + 1);
    memcpy(copy, bytes, length);
    copy[length] = 'x';
    enum http_answer_kind kind = http_answer_read(copy, length, &answer);
    enum http_answer_kind later = http_answer_read(copy, length + 1, &again);
    MUST(kind == HTTP_ANSWER_PART || later == kind);
    if (kind == HTTP_ANSWER_WHOLE) {
        must_be_whole(&answer, copy, length);
        MUST(again.status == answer.status && again.length == answer.length);
    }
    free(copy);
    return 0;
}
