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

static void wire_put(struct out *out, const void *bytes, size_t length)
{
    if (out->full || length > WIRE_MAX - out->length) {
        out->full = true;
        return;
    }
    memcpy(out->bytes + out->length, bytes, length);
    out->length += length;
}

static void wire_put_u8(struct out *out, unsigned number)
{
    uint8_t byte = (uint8_t)number;
    wire_put(out, &byte, sizeof byte);
}

static void wire_put_u16(struct out *out, uint16_t number)
{
    wire_put(out, &number, sizeof number);
}

static void wire_put_u32(struct out *out, uint32_t number)
{
    wire_put(out, &number, sizeof number);
}

static void wire_put_u64(struct out *out, uint64_t number)
{
    wire_put(out, &number, sizeof number);
}

// With its NUL, so that a decoded text can be used where it lies.
static void wire_put_text(struct out *out, const char *text, size_t length)
{
    wire_put_u32(out, (uint32_t)length);
    wire_put(out, text, length);
    wire_put_u8(out, 0);
}

static void wire_take(struct in *in, void *bytes, size_t length)
{
    if (in->broken || length > in->length - in->position) {
        in->broken = true;
        memset(bytes, 0, length);
        return;
    }
    memcpy(bytes, in->bytes + in->position, length);
    in->position += length;
}

static unsigned wire_take_u8(struct in *in)
{
    uint8_t byte;
    wire_take(in, &byte, sizeof byte);
    return byte;
}

static uint16_t wire_take_u16(struct in *in)
{
    uint16_t number;
    wire_take(in, &number, sizeof number);
    return number;
}

static uint32_t wire_take_u32(struct in *in)
{
    uint32_t number;
    wire_take(in, &number, sizeof number);
    return number;
}

static uint64_t wire_take_u64(struct in *in)
{
    uint64_t number;
    wire_take(in, &number, sizeof number);
    return number;
}

// A flag is 0 or 1 and nothing else.
static bool wire_take_flag(struct in *in)
{
    unsigned byte = wire_take_u8(in);
    in->broken |= byte > 1;
    return byte == 1;
}

// Points into the message, with a NUL after it; "" once broken.
static const char *wire_take_text(struct in *in, size_t *length)
{
    *length = wire_take_u32(in);
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
static void wire_take_string(struct in *in, char *string, size_t capacity)
{
    size_t length;
    const char *text = wire_take_text(in, &length);
    if (length >= capacity || strlen(text) != length) {
        in->broken = true;
        length = 0;
    }
    memcpy(string, text, length);
    string[length] = '\0';
}

// Words to be shown, of a process that a hostile server may have taken over.
static void wire_take_words(struct in *in, char *words, size_t capacity)
{
    struct text text = text_in(words, capacity);
    size_t length;
    const char *taken = wire_take_text(in, &length);
    in->broken |= length >= capacity || strlen(taken) != length;
    if (!in->broken)
        text_add_foreign(&text, taken, length);
}

static enum verb wire_take_verb(struct in *in)
{
    unsigned verb = wire_take_u8(in);
    if (verb < VERB_OPEN || verb > VERB_CLOSE) {
        in->broken = true;
        return VERB_CLOSE;
    }
    return (enum verb)verb;
}

static bool wire_ended_well(const struct in *in)
{
    return !in->broken && in->position == in->length;
}

size_t call_encode(const struct call *call, unsigned char *bytes)
{
    struct out out = {.bytes = bytes};
    wire_put_u32(&out, call->sequence);
    wire_put_u8(&out, call->verb);
    wire_put_u64(&out, (uint64_t)call->deadline.ns);
    if (call->verb == VERB_OPEN) {
        wire_put_u8(&out, call->inspect);
        wire_put_u64(&out, call->withheld);
    }
    if (call->verb == VERB_RUN) {
        wire_put_u8(&out, call->last);
        wire_put_u8(&out, call->read_only);
        wire_put_u32(&out, (uint32_t)call->statement_limit.ms);
        wire_put_u32(&out, call->max_rows);
        size_t length = strlen(call->sql);
        out.full |= length > WIRE_SQL_MAX;
        wire_put_text(&out, call->sql, length);
    }
    return out.full ? 0 : out.length;
}

bool call_decode(const unsigned char *bytes, size_t length, struct call *call)
{
    struct in in = {.bytes = bytes, .length = length};
    *call = (struct call){.sequence = wire_take_u32(&in)};
    call->verb = wire_take_verb(&in);
    call->deadline.ns = (int64_t)wire_take_u64(&in);
    if (call->verb == VERB_OPEN) {
        call->inspect = wire_take_flag(&in);
        call->withheld = wire_take_u64(&in);
    }
    if (call->verb == VERB_RUN) {
        call->last = wire_take_flag(&in);
        call->read_only = wire_take_flag(&in);
        call->statement_limit.ms = wire_take_u32(&in);
        call->max_rows = wire_take_u32(&in);
        size_t sql_length;
        call->sql = wire_take_text(&in, &sql_length);
        in.broken |= sql_length > WIRE_SQL_MAX || strlen(call->sql) != sql_length;
    }
    return wire_ended_well(&in);
}

static void wire_put_result(struct out *out, const struct result *result)
{
    wire_put_u64(out, result->row_count);
    wire_put_u8(out, result->cut);
    wire_put_u16(out, (uint16_t)result->column_count);
    for (uint32_t i = 0; i < result->column_count; i++) {
        wire_put_text(out, result_column(result, i), strlen(result_column(result, i)));
        wire_put_u8(out, result_type(result, i));
    }
    wire_put_u32(out, result->kept_rows);
    for (uint32_t row = 0; row < result->kept_rows; row++) {
        for (uint32_t column = 0; column < result->column_count; column++) {
            struct value value = result_value(result, row, column);
            wire_put_u8(out, value.type);
            wire_put_u8(out, value.cut);
            wire_put_text(out, value.text, value.length);
        }
    }
}

// The cut flag of a value travels by its length: a cut value is one byte longer than may be kept.
static bool wire_take_value(struct in *in, struct result *result)
{
    unsigned type = wire_take_u8(in);
    bool cut = wire_take_flag(in);
    size_t length;
    const char *text = wire_take_text(in, &length);
    bool sound =
        type <= VALUE_STRING && length <= RESULT_VALUE_MAX && (!cut || length == RESULT_VALUE_MAX);
    if (in->broken || !sound)
        return false;
    return result_add_value(result, (enum value_type)type, text, length + cut);
}

static bool wire_take_columns(struct in *in, struct result *result)
{
    uint16_t count = wire_take_u16(in);
    for (uint16_t i = 0; i < count && !in->broken; i++) {
        char name[RESULT_NAME_MAX + 1];
        wire_take_string(in, name, sizeof name);
        unsigned type = wire_take_u8(in);
        in->broken |= type >= COLUMN_TYPES;
        result_add_column(result, name);
        if (!in->broken && result->column_count > i)
            result_set_type(result, (enum column_type)type);
    }
    return !in->broken && result->column_count == count;
}

static bool wire_take_result(struct in *in, struct result *result)
{
    result->row_count = wire_take_u64(in);
    bool cut = wire_take_flag(in);
    if (!wire_take_columns(in, result))
        return false;
    uint32_t rows = wire_take_u32(in);
    if (rows > 0 && (result->column_count == 0 || rows > result->row_count))
        return false;
    while (result->kept_rows < rows) {
        if (!wire_take_value(in, result))
            return false;
    }
    result->cut = cut;
    return true;
}

size_t reply_encode(const struct reply *reply, unsigned char *bytes)
{
    struct out out = {.bytes = bytes};
    wire_put_u32(&out, reply->sequence);
    wire_put_u8(&out, reply->verb);
    wire_put_u8(&out, reply->outcome);
    wire_put_text(&out, reply->code, strlen(reply->code));
    wire_put_text(&out, reply->message, strlen(reply->message));
    wire_put_text(&out, reply->version, strlen(reply->version));
    wire_put_u8(&out, reply->flavor);
    wire_put_u8(&out, reply->superuser);
    wire_put_u8(&out, reply->trial);
    wire_put_u64(&out, reply->secret);
    if (reply->verb == VERB_OPEN)
        wire_put_text(&out, reply->sandbox, strlen(reply->sandbox));
    wire_put_u8(&out, reply->result != NULL);
    if (reply->result != NULL)
        wire_put_result(&out, reply->result);
    assert(!out.full);
    return out.length;
}

bool reply_decode(const unsigned char *bytes, size_t length, struct reply *reply)
{
    struct in in = {.bytes = bytes, .length = length};
    *reply = (struct reply){.sequence = wire_take_u32(&in)};
    reply->verb = wire_take_verb(&in);
    unsigned outcome = wire_take_u8(&in);
    wire_take_words(&in, reply->code, sizeof reply->code);
    wire_take_words(&in, reply->message, sizeof reply->message);
    wire_take_words(&in, reply->version, sizeof reply->version);
    unsigned flavor = wire_take_u8(&in);
    reply->superuser = wire_take_flag(&in);
    unsigned trial = wire_take_u8(&in);
    reply->secret = wire_take_u64(&in);
    if (reply->verb == VERB_OPEN)
        wire_take_words(&in, reply->sandbox, sizeof reply->sandbox);
    bool has_result = wire_take_flag(&in);
    if (in.broken || !outcome_is_reportable((enum outcome)outcome) || flavor >= FLAVOR_COUNT ||
        trial >= TRIAL_COUNT)
        return false;
    reply->trial = (enum trial)trial;
    reply->outcome = (enum outcome)outcome;
    reply->flavor = (enum flavor)flavor;
    if (!has_result)
        return wire_ended_well(&in);
    reply->result = result_new();
    if (wire_take_result(&in, reply->result) && wire_ended_well(&in))
        return true;
    reply_free(reply);
    return false;
}
