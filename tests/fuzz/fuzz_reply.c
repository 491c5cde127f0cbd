// Replies on the wire, which come from a process that talks to a server we don't trust. What is
// decoded keeps every bound, can be shown as it is, and comes back the same; what a driver can make
// of a server's answer always fits into a message and comes back with every value.
//
// Input: a byte; if it is 0 the rest is a message, else a code, a message and a version, each a line,
// and a result (see take_result).
#include "fuzz.h"

#include "common/memory.h"
#include "common/text.h"
#include "common/wire.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static unsigned char encoded[WIRE_MAX];

static bool decode_encoded(const struct reply *reply, struct reply *again)
{
    size_t length = reply_encode(reply, encoded);
    MUST(length > 0 && length <= WIRE_MAX);
    unsigned char *message = (unsigned char *)memory_copy((const char *)encoded, length);
    bool decoded = reply_decode(message, length, again);
    free(message);
    return decoded;
}

static void must_be_the_same_result(const struct result *a, const struct result *b)
{
    MUST(a->row_count == b->row_count && a->cut == b->cut);
    MUST(a->column_count == b->column_count && a->kept_rows == b->kept_rows);
    for (uint32_t i = 0; i < a->column_count; i++)
        MUST_EQUAL(result_column(a, i), result_column(b, i));
    for (uint32_t i = 0; i < a->kept_rows * a->column_count; i++) {
        struct value one = result_value(a, i / a->column_count, i % a->column_count);
        struct value other = result_value(b, i / a->column_count, i % a->column_count);
        MUST(one.type == other.type && one.cut == other.cut && one.length == other.length);
        MUST(memcmp(one.text, other.text, one.length + 1) == 0);
    }
}

static void must_come_back(const struct reply *reply)
{
    struct reply again;
    MUST(decode_encoded(reply, &again));
    MUST(again.sequence == reply->sequence && again.verb == reply->verb);
    MUST(again.outcome == reply->outcome && again.flavor == reply->flavor);
    MUST(again.superuser == reply->superuser);
    MUST(again.trial == reply->trial && again.secret == reply->secret);
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
    if (reply->result != NULL)
        must_be_sound_result(reply->result);
}

static void try_message(const struct input *input)
{
    struct reply reply;
    if (reply_decode((const unsigned char *)input->bytes, input->left, &reply)) {
        must_be_sound(&reply);
        must_come_back(&reply);
        reply_free(&reply);
    } else {
        MUST(reply.result == NULL);
    }
}

static void take_words(struct input *input, char *words, size_t capacity)
{
    char *line = take_line(input);
    struct text text = text_in(words, capacity);
    text_add_foreign(&text, line, strlen(line));
    free(line);
}

static void try_fields(struct input *input, unsigned kind)
{
    struct reply reply = {.sequence = kind, .verb = VERB_RUN, .outcome = OUTCOME_OK};
    reply.flavor = (enum flavor)(kind % FLAVOR_COUNT);
    reply.superuser = kind % 2 == 1;
    reply.trial = (enum trial)(kind % TRIAL_COUNT);
    reply.secret = kind;
    take_words(input, reply.code, sizeof reply.code);
    take_words(input, reply.message, sizeof reply.message);
    take_words(input, reply.version, sizeof reply.version);
    reply.result = take_result(input);
    must_be_sound(&reply);
    must_come_back(&reply);
    reply_free(&reply);
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
