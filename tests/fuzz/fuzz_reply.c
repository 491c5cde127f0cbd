// Replies on the wire, which come from a process that talks to a server we don't trust. What is
// decoded keeps every bound, can be shown as it is, and comes back the same; what a driver can make
// of a server's answer always fits into a message and comes back with every value.
//
// Input: a byte; if it is 0 the rest is a message, else a line of changes to a message (see
// take_changes) and the reply that it is made of (see fuzz_replies.h).
#include "fuzz.h"
#include "fuzz_replies.h"

#include "common/memory.h"
#include "common/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

// A copy of exactly its size, so that the sanitizer sees its end.
static bool decode(const unsigned char *message, size_t length, struct reply *reply)
{
    unsigned char *copy = malloc(length > 0 ? length : 1);
    memcpy(copy, message, length);
    bool decoded = reply_decode(copy, length, reply);
    free(copy);
    return decoded;
}

static void must_be_the_same_result(const struct result *a, const struct result *b)
{
    MUST(a->row_count == b->row_count && a->cut == b->cut);
    MUST(a->column_count == b->column_count && a->kept_rows == b->kept_rows);
    for (uint32_t i = 0; i < a->column_count; i++)
        MUST_EQUAL(result_column(a, i), result_column(b, i));
    for (uint32_t i = 0; i < a->column_count; i++)
        MUST(result_type(a, i) == result_type(b, i));
    for (uint32_t i = 0; i < a->kept_rows * a->column_count; i++) {
        struct value one = result_value(a, i / a->column_count, i % a->column_count);
        struct value other = result_value(b, i / a->column_count, i % a->column_count);
        MUST(one.type == other.type && one.cut == other.cut && one.length == other.length);
        MUST(memcmp(one.text, other.text, one.length + 1) == 0);
    }
}

static void must_come_back(const struct reply *reply)
{
    static unsigned char bytes[WIRE_MAX];
    struct reply again;
    MUST(decode(bytes, reply_encode(reply, bytes), &again));
    MUST(again.sequence == reply->sequence && again.verb == reply->verb);
    MUST(again.outcome == reply->outcome && again.flavor == reply->flavor);
    MUST(again.superuser == reply->superuser && again.trial == reply->trial);
    MUST(again.secret == reply->secret);
    MUST_EQUAL(again.sandbox, reply->sandbox);
    MUST_EQUAL(again.code, reply->code);
    MUST_EQUAL(again.message, reply->message);
    MUST_EQUAL(again.version, reply->version);
    MUST((again.result != NULL) == (reply->result != NULL));
    if (reply->result != NULL)
        must_be_the_same_result(reply->result, again.result);
    reply_free(&again);
}

static void must_be_sound_value(const struct value *value)
{
    MUST(value->length <= RESULT_VALUE_MAX && value->text[value->length] == '\0');
    MUST(!value->cut || value->length == RESULT_VALUE_MAX);
    if (value->type == VALUE_BOOLEAN)
        MUST(strcmp(value->text, "true") == 0 || strcmp(value->text, "false") == 0);
    if (value->type == VALUE_NUMBER) { // all of it is one
        char *end;
        (void)strtold(value->text, &end);
        MUST(value->length > 0 && end == value->text + value->length);
        MUST(is_fit_line(value->text));
    }
}

static void must_be_sound_result(const struct result *result)
{
    uint32_t column;
    MUST(result->column_count <= RESULT_COLUMNS_MAX && result->kept_rows <= result->row_count);
    MUST(result->column_count > 0 || result->kept_rows == 0);
    for (uint32_t i = 0; i < result->column_count; i++) {
        MUST(strlen(result_column(result, i)) <= RESULT_NAME_MAX);
        MUST(result_type(result, i) < COLUMN_TYPES);
        MUST(result_find_column(result, result_column(result, i), &column) && column <= i);
    }
    for (uint32_t i = 0; i < result->kept_rows * result->column_count; i++) {
        struct value value = result_value(result, i / result->column_count, //
                                          i % result->column_count);
        must_be_sound_value(&value);
    }
}

static void must_be_sound(const struct reply *reply)
{
    MUST(outcome_is_reportable(reply->outcome) && reply->flavor < FLAVOR_COUNT);
    MUST(reply->trial < TRIAL_COUNT);
    MUST(verb_name(reply->verb)[0] != '\0');
    MUST(is_fit_line(reply->code) && is_fit_line(reply->message) && is_fit_line(reply->version));
    MUST(is_fit_line(reply->sandbox));
    if (reply->result != NULL)
        must_be_sound_result(reply->result);
}

static void try_message(const unsigned char *message, size_t length)
{
    struct reply reply;
    if (decode(message, length, &reply)) {
        must_be_sound(&reply);
        must_come_back(&reply);
        reply_free(&reply);
    } else {
        MUST(reply.result == NULL);
    }
}

static void clean(char *words, size_t capacity)
{
    char *copy = memory_string(words);
    struct text text = text_in(words, capacity);
    text_add_foreign(&text, copy, strlen(copy));
    free(copy);
}

static void try_fields(struct input *input)
{
    unsigned char message[WIRE_MAX] = {0};
    struct input changes = *input;
    struct reply reply;
    free(take_line(input));
    take_reply(input, &reply);
    size_t length = reply_encode(&reply, message);
    take_changes(&changes, message, &length, sizeof message);
    try_message(message, length);
    clean(reply.code, sizeof reply.code);
    clean(reply.message, sizeof reply.message);
    clean(reply.version, sizeof reply.version);
    clean(reply.sandbox, sizeof reply.sandbox);
    must_be_sound(&reply);
    must_come_back(&reply);
    reply_free(&reply);
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
