// See wire.h for the form. Every read is checked against what is left, and `broken` sticks, so that
// the decoders can read straight on and ask once at the end.
#include "common/wire.h"

#include "common/text.h"

#include <assert.h>
#include <string.h>

struct out {
    unsigned char *bytes; // WIRE_MAX of them
    size_t length;
    bool full;
};

struct in {
    const unsigned char *bytes;
    size_t length;
    size_t position;
    bool broken;
};

const char *verb_name(enum verb verb)
{
    static const char *const names[] = {
        [VERB_OPEN] = "open", [VERB_RUN] = "run", [VERB_CLOSE] = "close"};
    assert(verb >= VERB_OPEN && verb <= VERB_CLOSE);
    return names[verb];
}

void reply_free(struct reply *reply)
{
    result_free(reply->result);
    reply->result = NULL;
}

static void put(struct out *out, const void *bytes, size_t length)
{
    if (out->full || length > WIRE_MAX - out->length) {
        out->full = true;
        return;
    }
    memcpy(out->bytes + out->length, bytes, length);
    out->length += length;
}

static void put_u8(struct out *out, unsigned number)
{
    uint8_t byte = (uint8_t)number;
    put(out, &byte, sizeof byte);
}

static void put_u16(struct out *out, uint16_t number)
{
    put(out, &number, sizeof number);
}

static void put_u32(struct out *out, uint32_t number)
{
    put(out, &number, sizeof number);
}

static void put_u64(struct out *out, uint64_t number)
{
    put(out, &number, sizeof number);
}

// With its NUL, so that a decoded text can be used where it lies.
static void put_text(struct out *out, const char *text, size_t length)
{
    put_u32(out, (uint32_t)length);
    put(out, text, length);
    put_u8(out, 0);
}

static void take(struct in *in, void *bytes, size_t length)
{
    if (in->broken || length > in->length - in->position) {
        in->broken = true;
        memset(bytes, 0, length);
        return;
    }
    memcpy(bytes, in->bytes + in->position, length);
    in->position += length;
}

static unsigned take_u8(struct in *in)
{
    uint8_t byte;
    take(in, &byte, sizeof byte);
    return byte;
}

static uint16_t take_u16(struct in *in)
{
    uint16_t number;
    take(in, &number, sizeof number);
    return number;
}

static uint32_t take_u32(struct in *in)
{
    uint32_t number;
    take(in, &number, sizeof number);
    return number;
}

static uint64_t take_u64(struct in *in)
{
    uint64_t number;
    take(in, &number, sizeof number);
    return number;
}

// A flag is 0 or 1 and nothing else.
static bool take_flag(struct in *in)
{
    unsigned byte = take_u8(in);
    in->broken |= byte > 1;
    return byte == 1;
}

// Points into the message, with a NUL after it; "" once broken.
static const char *take_text(struct in *in, size_t *length)
{
    *length = take_u32(in);
    if (in->broken || *length >= in->length - in->position ||
        in->bytes[in->position + *length] != '\0') {
        in->broken = true;
        *length = 0;
        return "";
    }
    const char *text = (const char *)in->bytes + in->position;
    in->position += *length + 1;
    return text;
}

// Into a fixed array: a text without NUL that fits whole.
static void take_string(struct in *in, char *string, size_t capacity)
{
    size_t length;
    const char *text = take_text(in, &length);
    if (length >= capacity || strlen(text) != length) {
        in->broken = true;
        length = 0;
    }
    memcpy(string, text, length);
    string[length] = '\0';
}

// Words to be shown, of a process that a hostile server may have taken over.
static void take_words(struct in *in, char *words, size_t capacity)
{
    struct text text = text_in(words, capacity);
    size_t length;
    const char *taken = take_text(in, &length);
    in->broken |= length >= capacity || strlen(taken) != length;
    if (!in->broken)
        text_add_foreign(&text, taken, length);
}

static enum verb take_verb(struct in *in)
{
    unsigned verb = take_u8(in);
    if (verb < VERB_OPEN || verb > VERB_CLOSE) {
        in->broken = true;
        return VERB_CLOSE;
    }
    return (enum verb)verb;
}

static bool ended_well(const struct in *in)
{
    return !in->broken && in->position == in->length;
}

size_t call_encode(const struct call *call, unsigned char *bytes)
{
    struct out out = {.bytes = bytes};
    put_u32(&out, call->sequence);
    put_u8(&out, call->verb);
    put_u64(&out, (uint64_t)call->deadline.ns);
    if (call->verb == VERB_OPEN) {
        put_u8(&out, call->inspect);
        put_u64(&out, call->withheld);
    }
    if (call->verb == VERB_RUN) {
        put_u8(&out, call->last);
        put_u8(&out, call->read_only);
        put_u32(&out, (uint32_t)call->statement_limit.ms);
        put_u32(&out, call->max_rows);
        size_t length = strlen(call->sql);
        out.full |= length > WIRE_SQL_MAX;
        put_text(&out, call->sql, length);
    }
    return out.full ? 0 : out.length;
}

bool call_decode(const unsigned char *bytes, size_t length, struct call *call)
{
    struct in in = {.bytes = bytes, .length = length};
    *call = (struct call){.sequence = take_u32(&in)};
    call->verb = take_verb(&in);
    call->deadline.ns = (int64_t)take_u64(&in);
    if (call->verb == VERB_OPEN) {
        call->inspect = take_flag(&in);
        call->withheld = take_u64(&in);
    }
    if (call->verb == VERB_RUN) {
        call->last = take_flag(&in);
        call->read_only = take_flag(&in);
        call->statement_limit.ms = take_u32(&in);
        call->max_rows = take_u32(&in);
        size_t sql_length;
        call->sql = take_text(&in, &sql_length);
        in.broken |= sql_length > WIRE_SQL_MAX || strlen(call->sql) != sql_length;
    }
    return ended_well(&in);
}

static void put_result(struct out *out, const struct result *result)
{
    put_u64(out, result->row_count);
    put_u8(out, result->cut);
    put_u16(out, (uint16_t)result->column_count);
    for (uint32_t i = 0; i < result->column_count; i++)
        put_text(out, result_column(result, i), strlen(result_column(result, i)));
    put_u32(out, result->kept_rows);
    for (uint32_t row = 0; row < result->kept_rows; row++) {
        for (uint32_t column = 0; column < result->column_count; column++) {
            struct value value = result_value(result, row, column);
            put_u8(out, value.type);
            put_u8(out, value.cut);
            put_text(out, value.text, value.length);
        }
    }
}

// The cut flag of a value travels by its length: a cut value is one byte longer than may be kept.
static bool take_value(struct in *in, struct result *result)
{
    unsigned type = take_u8(in);
    bool cut = take_flag(in);
    size_t length;
    const char *text = take_text(in, &length);
    bool sound =
        type <= VALUE_STRING && length <= RESULT_VALUE_MAX && (!cut || length == RESULT_VALUE_MAX);
    if (in->broken || !sound)
        return false;
    return result_add_value(result, (enum value_type)type, text, length + cut);
}

static bool take_columns(struct in *in, struct result *result)
{
    uint16_t count = take_u16(in);
    for (uint16_t i = 0; i < count && !in->broken; i++) {
        char name[RESULT_NAME_MAX + 1];
        take_string(in, name, sizeof name);
        result_add_column(result, name);
    }
    return !in->broken && result->column_count == count;
}

static bool take_result(struct in *in, struct result *result)
{
    result->row_count = take_u64(in);
    bool cut = take_flag(in);
    if (!take_columns(in, result))
        return false;
    uint32_t rows = take_u32(in);
    if (rows > 0 && (result->column_count == 0 || rows > result->row_count))
        return false;
    while (result->kept_rows < rows) {
        if (!take_value(in, result))
            return false;
    }
    result->cut = cut;
    return true;
}

size_t reply_encode(const struct reply *reply, unsigned char *bytes)
{
    struct out out = {.bytes = bytes};
    put_u32(&out, reply->sequence);
    put_u8(&out, reply->verb);
    put_u8(&out, reply->outcome);
    put_text(&out, reply->code, strlen(reply->code));
    put_text(&out, reply->message, strlen(reply->message));
    put_text(&out, reply->version, strlen(reply->version));
    put_u8(&out, reply->flavor);
    put_u8(&out, reply->superuser);
    put_u8(&out, reply->trial);
    put_u64(&out, reply->secret);
    put_u8(&out, reply->result != NULL);
    if (reply->result != NULL)
        put_result(&out, reply->result);
    assert(!out.full);
    return out.length;
}

bool reply_decode(const unsigned char *bytes, size_t length, struct reply *reply)
{
    struct in in = {.bytes = bytes, .length = length};
    *reply = (struct reply){.sequence = take_u32(&in)};
    reply->verb = take_verb(&in);
    unsigned outcome = take_u8(&in);
    take_words(&in, reply->code, sizeof reply->code);
    take_words(&in, reply->message, sizeof reply->message);
    take_words(&in, reply->version, sizeof reply->version);
    unsigned flavor = take_u8(&in);
    reply->superuser = take_flag(&in);
    unsigned trial = take_u8(&in);
    reply->secret = take_u64(&in);
    bool has_result = take_flag(&in);
    if (in.broken || !outcome_is_reportable((enum outcome)outcome) || flavor >= FLAVOR_COUNT ||
        trial >= TRIAL_COUNT)
        return false;
    reply->trial = (enum trial)trial;
    reply->outcome = (enum outcome)outcome;
    reply->flavor = (enum flavor)flavor;
    if (!has_result)
        return ended_well(&in);
    reply->result = result_new();
    if (take_result(&in, reply->result) && ended_well(&in))
        return true;
    reply_free(reply);
    return false;
}
