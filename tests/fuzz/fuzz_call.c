// Calls on the wire: one message has one meaning and one meaning one message. What is decoded encodes
// to the same bytes, and what is encoded comes back with every field.
//
// Input: a byte; if it is 0 the rest is a message, else the fields of a call.
#include "fuzz.h"

#include "common/memory.h"
#include "common/wire.h"

#include <stdlib.h>
#include <string.h>

static unsigned char encoded[WIRE_MAX];

static void must_be_the_same(const struct call *a, const struct call *b)
{
    MUST(a->sequence == b->sequence && a->verb == b->verb && a->deadline.ns == b->deadline.ns);
    MUST(a->inspect == b->inspect && a->read_only == b->read_only);
    MUST(a->withheld == b->withheld);
    MUST(a->statement_limit.ms == b->statement_limit.ms && a->max_rows == b->max_rows);
    MUST_EQUAL(a->sql, b->sql);
}

static void try_message(const struct input *input)
{
    struct call call;
    if (!call_decode((const unsigned char *)input->bytes, input->left, &call))
        return;
    MUST(verb_name(call.verb)[0] != '\0');
    MUST((call.sql != NULL) == (call.verb == VERB_RUN));
    size_t length = call_encode(&call, encoded);
    MUST(length == input->left);
    MUST(memcmp(encoded, input->bytes, length) == 0);
}

static uint32_t take_u32(struct input *input)
{
    uint32_t number = 0;
    for (size_t i = 0; i < sizeof number; i++)
        number = number << 8 | take_byte(input);
    return number;
}

static void try_fields(struct input *input, unsigned kind)
{
    struct call call = {.verb = VERB_OPEN + (enum verb)(kind % VERB_CLOSE)};
    struct call again;
    call.sequence = take_u32(input);
    call.deadline.ns = (int64_t)((uint64_t)take_u32(input) << 32 | take_u32(input));
    if (call.verb == VERB_OPEN) {
        call.inspect = take_byte(input) % 2 == 1;
        call.withheld = take_u32(input);
    }
    char *sql = NULL;
    if (call.verb == VERB_RUN) {
        call.read_only = take_byte(input) % 2 == 1;
        call.statement_limit.ms = take_u32(input);
        call.max_rows = take_u32(input);
        call.sql = sql = take_rest(input);
    }
    size_t length = call_encode(&call, encoded);
    MUST((length > 0) == (sql == NULL || strlen(sql) <= WIRE_SQL_MAX));
    if (length > 0) {
        unsigned char *message = (unsigned char *)memory_copy((const char *)encoded, length);
        MUST(call_decode(message, length, &again));
        must_be_the_same(&call, &again);
        MUST(!call_decode(message, length - 1, &again));
        free(message);
    }
    free(sql);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct input input = input_of(bytes, length);
    unsigned kind = take_byte(&input);
    if (kind == 0)
        try_message(&input);
    else
        try_fields(&input, kind);
    return 0;
}
