// Calls on the wire: one message has one meaning and one meaning one message. What is decoded
// encodes to the same bytes, and what is encoded comes back with every field.
//
// Input: a byte; if it is 0 the rest is a message, else a line of changes to a message (see
// take_changes) and the fields of the call that it is made of.
#include "fuzz.h"

#include "common/wire.h"

#include <stdlib.h>
#include <string.h>

static void must_be_the_same(const struct call *a, const struct call *b)
{
    MUST(a->sequence == b->sequence && a->verb == b->verb && a->deadline.ns == b->deadline.ns);
    MUST(a->inspect == b->inspect && a->withheld == b->withheld);
    MUST(a->last == b->last);
    MUST(a->read_only == b->read_only);
    MUST(a->statement_limit.ms == b->statement_limit.ms && a->max_rows == b->max_rows);
    MUST_EQUAL(a->sql, b->sql);
}

static void try_message(const unsigned char *message, size_t length)
{
    static unsigned char encoded[WIRE_MAX];
    struct call call;
    unsigned char *copy = malloc(length > 0 ? length : 1); // so that the sanitizer sees its end
    memcpy(copy, message, length);
    if (call_decode(copy, length, &call)) {
        MUST(verb_name(call.verb)[0] != '\0');
        MUST((call.sql != NULL) == (call.verb == VERB_RUN));
        MUST(call_encode(&call, encoded) == length);
        MUST(memcmp(encoded, copy, length) == 0);
    }
    free(copy);
}

static uint32_t take_u32(struct input *input)
{
    uint32_t number = 0;
    for (size_t i = 0; i < sizeof number; i++)
        number = number << 8 | take_byte(input);
    return number;
}

static uint64_t take_u64(struct input *input)
{
    uint64_t high = take_u32(input);
    return high << 32 | take_u32(input);
}

// The SQL is the caller's to free.
static char *take_call(struct input *input, struct call *call)
{
    static const enum verb verbs[] = {VERB_RUN, VERB_OPEN, VERB_CLOSE};
    *call = (struct call){.verb = verbs[take_byte(input) % 3], .sequence = take_u32(input)};
    call->deadline.ns = (int64_t)take_u64(input);
    if (call->verb == VERB_OPEN) {
        call->inspect = take_byte(input) % 2 == 1;
        call->withheld = take_u64(input);
    }
    if (call->verb != VERB_RUN)
        return NULL;
    call->last = take_byte(input) % 2 == 1;
    call->read_only = take_byte(input) % 2 == 1;
    call->statement_limit.ms = take_u32(input);
    call->max_rows = take_u32(input);
    char *sql = take_rest(input);
    call->sql = sql;
    return sql;
}

static void try_fields(struct input *input)
{
    unsigned char message[WIRE_MAX] = {0};
    struct input changes = *input;
    struct call call, again;
    free(take_line(input));
    char *sql = take_call(input, &call);
    size_t length = call_encode(&call, message);
    MUST((length > 0) == (sql == NULL || strlen(sql) <= WIRE_SQL_MAX));
    if (length > 0) {
        MUST(call_decode(message, length, &again));
        must_be_the_same(&call, &again);
        take_changes(&changes, message, &length, sizeof message);
        try_message(message, length);
    }
    free(sql);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct input input = input_of(bytes, length);
    if (take_byte(&input) == 0)
        try_message((const unsigned char *)input.bytes, input.left);
    else
        try_fields(&input);
    return 0;
}
