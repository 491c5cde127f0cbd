// The wire: what is encoded comes back the same, and no bytes whatever do harm. Messages lie in
// blocks of exactly their size, so that the address sanitizer sees a read past the end.
#include "common/wire.h"

#include "common/memory.h"

#include "unit.h"

#include <stdlib.h>
#include <string.h>

// A copy in a block of its own; freed by the caller.
static unsigned char *exactly(const unsigned char *bytes, size_t length)
{
    unsigned char *copy = malloc(length > 0 ? length : 1);
    assert_non_null(copy);
    memcpy(copy, bytes, length);
    return copy;
}

static bool decodes_as_call(const unsigned char *bytes, size_t length)
{
    struct call call;
    unsigned char *copy = exactly(bytes, length);
    bool decoded = call_decode(copy, length, &call);
    if (decoded && call.verb == VERB_RUN)
        assert_true(strlen(call.sql) <= WIRE_SQL_MAX);
    free(copy);
    return decoded;
}

static bool decodes_as_reply(const unsigned char *bytes, size_t length)
{
    static unsigned char again[WIRE_MAX];
    struct reply reply;
    unsigned char *copy = exactly(bytes, length);
    bool decoded = reply_decode(copy, length, &reply);
    if (decoded) // what is accepted is sound enough to be sent on
        assert_int_in_range(reply_encode(&reply, again), 1, WIRE_MAX);
    else
        assert_null(reply.result);
    reply_free(&reply);
    free(copy);
    return decoded;
}

// --- calls

static const struct call run_call = {.sequence = 0xFEDCBA98,
                                     .verb = VERB_RUN,
                                     .deadline = {0x0123456789ABCDEF},
                                     .last = true,
                                     .read_only = true,
                                     .statement_limit = {700},
                                     .max_rows = 3,
                                     .sql = "SELECT 'a', \"\xc3\xa4\"\n-- end"};

static void check_call(const struct call *call)
{
    static unsigned char bytes[WIRE_MAX];
    size_t length = call_encode(call, bytes);
    assert_int_in_range(length, 1, WIRE_MAX);
    unsigned char *copy = exactly(bytes, length);
    struct call back;
    assert_true(call_decode(copy, length, &back));
    assert_int_equal(back.sequence, call->sequence);
    assert_int_equal(back.verb, call->verb);
    assert_int_equal(back.deadline.ns, call->deadline.ns);
    assert_int_equal(back.inspect, call->inspect);
    assert_true(back.withheld == call->withheld);
    if (call->verb == VERB_RUN) {
        assert_int_equal(back.last, call->last);
        assert_int_equal(back.read_only, call->read_only);
        assert_int_equal(back.statement_limit.ms, call->statement_limit.ms);
        assert_int_equal(back.max_rows, call->max_rows);
        assert_string_equal(back.sql, call->sql);
    }
    free(copy);
}

static void every_field_of_a_call_comes_back(void **state)
{
    (void)state;
    check_call(&run_call);
    check_call(&(struct call){.verb = VERB_OPEN, .sequence = 1, .deadline = {1}});
    check_call(&(struct call){.verb = VERB_CLOSE, .sequence = UINT32_MAX, .deadline = {INT64_MAX}});
    check_call(&(struct call){.verb = VERB_OPEN, .deadline = {-1}});
    check_call(&(struct call){.verb = VERB_OPEN, .inspect = true});
    check_call(&(struct call){.verb = VERB_OPEN, .withheld = UINT64_MAX});
    check_call(&(struct call){.verb = VERB_RUN, .sql = ""});
    check_call(&(struct call){
        .verb = VERB_RUN, .statement_limit = {UINT32_MAX}, .max_rows = UINT32_MAX, .sql = "x"});
}

static void verbs_have_names(void **state)
{
    (void)state;
    assert_string_equal(verb_name(VERB_OPEN), "open");
    assert_string_equal(verb_name(VERB_RUN), "run");
    assert_string_equal(verb_name(VERB_CLOSE), "close");
}

static void a_statement_fits_up_to_its_bound(void **state)
{
    (void)state;
    static unsigned char bytes[WIRE_MAX];
    char *sql = memory_new(WIRE_SQL_MAX + 2);
    memset(sql, 's', WIRE_SQL_MAX);
    struct call call = {.verb = VERB_RUN, .sql = sql};
    check_call(&call);
    sql[WIRE_SQL_MAX] = 's';
    assert_int_equal(call_encode(&call, bytes), 0);
    free(sql);
}

static void every_truncation_of_a_call_is_refused(void **state)
{
    (void)state;
    unsigned char bytes[WIRE_MAX];
    struct call calls[] = {run_call, {.verb = VERB_OPEN}};
    for (size_t i = 0; i < COUNT(calls); i++) {
        size_t length = call_encode(&calls[i], bytes);
        for (size_t kept = 0; kept < length; kept++)
            assert_false(decodes_as_call(bytes, kept));
        assert_true(decodes_as_call(bytes, length));
        bytes[length] = 0;
        assert_false(decodes_as_call(bytes, length + 1));
    }
}

static void no_single_byte_changed_in_a_call_does_harm(void **state)
{
    (void)state;
    unsigned char bytes[WIRE_MAX];
    size_t length = call_encode(&run_call, bytes);
    for (size_t at = 0; at < length; at++) {
        unsigned char right = bytes[at];
        for (unsigned wrong = 0; wrong < 256; wrong++) {
            bytes[at] = (unsigned char)wrong;
            (void)decodes_as_call(bytes, length);
        }
        bytes[at] = right;
    }
    assert_true(decodes_as_call(bytes, length));
}

// Offsets in a run call: verb 4, last 13, read_only 14, length of sql 23, sql 27.
static void calls_that_mean_nothing_are_refused(void **state)
{
    (void)state;
    static const struct {
        size_t at;
        unsigned char byte;
    } cases[] = {
        {4, 0}, {4, 4}, {4, 255}, {13, 2}, {14, 2}, {14, 255}, {23, 0}, {26, 255}, {27, 0}, {31, 0},
    };
    unsigned char bytes[WIRE_MAX];
    size_t length = call_encode(&run_call, bytes);
    assert_int_equal(bytes[27], 'S');
    for (size_t i = 0; i < COUNT(cases); i++) {
        unsigned char right = bytes[cases[i].at];
        bytes[cases[i].at] = cases[i].byte;
        assert_false(decodes_as_call(bytes, length));
        bytes[cases[i].at] = right;
    }
}

// --- replies

// Two columns, two rows kept of five, all types.
static struct result *some_result(void)
{
    struct result *result = result_new();
    result_add_column(result, "lag");
    result_add_column(result, "state");
    result_set_type(result, COLUMN_INTERVAL);
    (void)result_add_value(result, VALUE_NUMBER, "1.5", 3);
    (void)result_add_value(result, VALUE_STRING, "a\0b", 3);
    (void)result_add_value(result, VALUE_NULL, NULL, 0);
    (void)result_add_value(result, VALUE_BOOLEAN, "true", 4);
    result->row_count = 5;
    return result;
}

static struct reply run_reply(struct result *result)
{
    return (struct reply){.sequence = 0xFEDCBA98, .verb = VERB_RUN, .result = result};
}

static void check_value(const struct value *value, const struct value *back)
{
    assert_int_equal(back->type, value->type);
    assert_int_equal(back->cut, value->cut);
    assert_int_equal(back->length, value->length);
    assert_memory_equal(back->text, value->text, value->length + 1);
}

static void check_result(const struct result *result, const struct result *back)
{
    assert_int_equal(back->row_count, result->row_count);
    assert_int_equal(back->column_count, result->column_count);
    assert_int_equal(back->kept_rows, result->kept_rows);
    assert_int_equal(back->cut, result->cut);
    for (uint32_t column = 0; column < result->column_count; column++) {
        assert_string_equal(result_column(back, column), result_column(result, column));
        for (uint32_t row = 0; row < result->kept_rows; row++) {
            struct value value = result_value(result, row, column);
            struct value other = result_value(back, row, column);
            check_value(&value, &other);
        }
    }
}

// Sends it there and back, and frees what it owns.
static void check_reply(struct reply *reply)
{
    static unsigned char bytes[WIRE_MAX];
    size_t length = reply_encode(reply, bytes);
    assert_int_in_range(length, 1, WIRE_MAX);
    unsigned char *copy = exactly(bytes, length);
    struct reply back;
    assert_true(reply_decode(copy, length, &back));
    free(copy);
    assert_int_equal(back.sequence, reply->sequence);
    assert_int_equal(back.verb, reply->verb);
    assert_int_equal(back.outcome, reply->outcome);
    assert_string_equal(back.code, reply->code);
    assert_string_equal(back.message, reply->message);
    assert_string_equal(back.version, reply->version);
    assert_int_equal(back.flavor, reply->flavor);
    assert_int_equal(back.superuser, reply->superuser);
    assert_int_equal(back.trial, reply->trial);
    assert_true(back.secret == reply->secret);
    assert_string_equal(back.sandbox, reply->sandbox);
    assert_int_equal(back.result != NULL, reply->result != NULL);
    if (reply->result != NULL && back.result != NULL)
        check_result(reply->result, back.result);
    reply_free(&back);
    assert_null(back.result);
    reply_free(reply);
}

static void every_field_of_a_reply_comes_back(void **state)
{
    (void)state;
    struct reply run = run_reply(some_result());
    check_reply(&run);
    struct reply opened = {.sequence = 1,
                           .verb = VERB_OPEN,
                           .version = "10.11.6-MariaDB",
                           .flavor = FLAVOR_MARIADB,
                           .superuser = true,
                           .sandbox = "seccomp on; landlock off: why"};
    check_reply(&opened);
    struct reply denied = {.sequence = UINT32_MAX,
                           .verb = VERB_OPEN,
                           .outcome = OUTCOME_DENIED,
                           .code = "28P01",
                           .message = "password authentication failed for \xc3\xbc",
                           .trial = TRIAL_REFUSED,
                           .secret = UINT64_MAX};
    check_reply(&denied);
    struct reply closed = {.verb = VERB_CLOSE};
    check_reply(&closed);
    struct reply empty = run_reply(result_new());
    check_reply(&empty);
}

static void every_reportable_outcome_flavor_and_trial_comes_back(void **state)
{
    (void)state;
    for (unsigned outcome = 0; outcome < OUTCOME_COUNT; outcome++) {
        struct reply reply = {.verb = VERB_OPEN, .outcome = (enum outcome)outcome};
        unsigned char bytes[WIRE_MAX];
        if (outcome_is_reportable((enum outcome)outcome))
            check_reply(&reply);
        else
            assert_false(decodes_as_reply(bytes, reply_encode(&reply, bytes)));
    }
    for (unsigned flavor = 0; flavor < FLAVOR_COUNT; flavor++) {
        struct reply reply = {.verb = VERB_OPEN, .flavor = (enum flavor)flavor};
        check_reply(&reply);
    }
    for (unsigned trial = 0; trial < TRIAL_COUNT; trial++) {
        struct reply reply = {.verb = VERB_OPEN, .trial = (enum trial)trial};
        check_reply(&reply);
    }
}

// A prober's words go into log lines, whoever has taken the prober over.
static void words_of_a_reply_are_fit_to_show(void **state)
{
    (void)state;
    struct reply reply = {.verb = VERB_OPEN,
                          .outcome = OUTCOME_DENIED,
                          .code = "1\n2",
                          .message = "no\nlevel=error \x1b[31m\xff",
                          .version = "\r15",
                          .sandbox = "seccomp on\n"};
    unsigned char bytes[WIRE_MAX];
    size_t length = reply_encode(&reply, bytes);
    struct reply back;
    assert_true(reply_decode(bytes, length, &back));
    assert_string_equal(back.code, "1 2");
    assert_string_equal(back.message, "no level=error  [31m?");
    assert_string_equal(back.version, "15");
    assert_string_equal(back.sandbox, "seccomp on");
}

static void flags_of_a_cut_come_back(void **state)
{
    (void)state;
    char longer[RESULT_VALUE_MAX + 1];
    memset(longer, 'v', sizeof longer);
    struct result *result = result_new();
    result_add_column(result, "v");
    assert_true(result_add_value(result, VALUE_STRING, longer, sizeof longer));
    assert_true(result_add_value(result, VALUE_STRING, longer, RESULT_VALUE_MAX));
    result->row_count = 7;
    result->cut = true;
    struct reply reply = run_reply(result);
    check_reply(&reply);
}

// The longest texts and a result filled to its bound with values of this length.
static void check_fullest_reply(unsigned columns, size_t name_length, size_t value_length)
{
    char name[RESULT_NAME_MAX + 1] = "";
    static char value[RESULT_VALUE_MAX + 1];
    memset(name, 'n', name_length);
    memset(value, 'v', sizeof value);
    struct result *result = result_new();
    for (unsigned i = 0; i < columns; i++)
        result_add_column(result, name);
    while (result_add_value(result, VALUE_STRING, value, value_length))
        result->row_count = result->kept_rows;
    assert_true(result->kept_rows > 0);
    struct reply reply = run_reply(result);
    memset(reply.code, 'c', sizeof reply.code - 1);
    memset(reply.message, 'm', sizeof reply.message - 1);
    memset(reply.version, 'v', sizeof reply.version - 1);
    check_reply(&reply);
}

static void the_largest_possible_reply_fits(void **state)
{
    (void)state;
    static const size_t lengths[] = {0, 1, 7, 63, 300, 850, RESULT_VALUE_MAX, RESULT_VALUE_MAX + 1};
    static const unsigned columns[] = {1, 2, 13};
    for (size_t i = 0; i < COUNT(lengths); i++) {
        for (size_t j = 0; j < COUNT(columns); j++)
            check_fullest_reply(columns[j], RESULT_NAME_MAX, lengths[i]);
    }
    check_fullest_reply(RESULT_COLUMNS_MAX, RESULT_NAME_MAX, 0);
    check_fullest_reply(RESULT_COLUMNS_MAX, RESULT_NAME_MAX, 600);
    check_fullest_reply(RESULT_COLUMNS_MAX, 63, 800);
    check_fullest_reply(RESULT_COLUMNS_MAX, 0, 0);
}

static void every_truncation_of_a_reply_is_refused(void **state)
{
    (void)state;
    unsigned char bytes[WIRE_MAX];
    struct reply replies[] = {run_reply(some_result()),
                              {.verb = VERB_OPEN, .code = "08", .message = "m", .version = "15"}};
    for (size_t i = 0; i < COUNT(replies); i++) {
        size_t length = reply_encode(&replies[i], bytes);
        for (size_t kept = 0; kept < length; kept++)
            assert_false(decodes_as_reply(bytes, kept));
        assert_true(decodes_as_reply(bytes, length));
        bytes[length] = 0;
        assert_false(decodes_as_reply(bytes, length + 1));
        reply_free(&replies[i]);
    }
}

static void no_single_byte_changed_in_a_reply_does_harm(void **state)
{
    (void)state;
    unsigned char bytes[WIRE_MAX];
    struct reply reply = run_reply(some_result());
    size_t length = reply_encode(&reply, bytes);
    for (size_t at = 0; at < length; at++) {
        unsigned char right = bytes[at];
        for (unsigned wrong = 0; wrong < 256; wrong++) {
            bytes[at] = (unsigned char)wrong;
            (void)decodes_as_reply(bytes, length);
        }
        bytes[at] = right;
    }
    assert_true(decodes_as_reply(bytes, length));
    reply_free(&reply);
}

static void random_bytes_do_no_harm(void **state)
{
    (void)state;
    unsigned seed = 4711;
    unsigned char bytes[128];
    struct reply reply = run_reply(some_result());
    unsigned char sound[WIRE_MAX];
    size_t sound_length = reply_encode(&reply, sound);
    reply_free(&reply);
    assert_int_in_range(sound_length, 1, sizeof bytes);
    for (unsigned round = 0; round < 20000; round++) {
        memcpy(bytes, sound, sound_length);
        for (unsigned i = 0; i < 1 + round % 6; i++)
            bytes[(size_t)rand_r(&seed) % sound_length] = (unsigned char)rand_r(&seed);
        (void)decodes_as_reply(bytes, sound_length);
        (void)decodes_as_call(bytes, sound_length);
        for (size_t i = 0; i < sizeof bytes; i++)
            bytes[i] = (unsigned char)rand_r(&seed);
        (void)decodes_as_reply(bytes, sizeof bytes);
        (void)decodes_as_call(bytes, sizeof bytes);
    }
}

// --- replies by hand, where a sound encoder cannot make them

struct message {
    unsigned char bytes[2 * WIRE_MAX];
    size_t length;
};

static void add(struct message *message, const void *bytes, size_t length)
{
    assert_true(length <= sizeof message->bytes - message->length);
    memcpy(message->bytes + message->length, bytes, length);
    message->length += length;
}

static void add_u8(struct message *message, unsigned number)
{
    unsigned char byte = (unsigned char)number;
    add(message, &byte, 1);
}

static void add_text(struct message *message, const char *text, size_t length)
{
    uint32_t number = (uint32_t)length;
    add(message, &number, sizeof number);
    add(message, text, length);
    add_u8(message, 0);
}

// Up to and with has_result.
static void add_head(struct message *message)
{
    uint32_t sequence = 1;
    uint64_t secret = 0;
    message->length = 0;
    add(message, &sequence, sizeof sequence);
    add_u8(message, VERB_RUN);
    add_u8(message, OUTCOME_OK);
    for (unsigned i = 0; i < 3; i++)
        add_text(message, "", 0);
    add_u8(message, FLAVOR_UNKNOWN);
    add_u8(message, false); // superuser
    add_u8(message, TRIAL_NONE);
    add(message, &secret, sizeof secret);
    add_u8(message, true);
}

// Up to and with the number of kept rows; each column is "c".
static void add_shape(struct message *message, uint64_t row_count, uint16_t columns, uint32_t rows)
{
    add_head(message);
    add(message, &row_count, sizeof row_count);
    add_u8(message, false);
    add(message, &columns, sizeof columns);
    for (unsigned i = 0; i < columns; i++) {
        add_text(message, "c", 1);
        add_u8(message, COLUMN_PLAIN);
    }
    add(message, &rows, sizeof rows);
}

static void add_value(struct message *message, unsigned type, unsigned cut, size_t length)
{
    static char text[RESULT_VALUE_MAX + 1];
    memset(text, '1', sizeof text);
    add_u8(message, type);
    add_u8(message, cut);
    add_text(message, text, length);
}

static void shapes_that_contradict_themselves_are_refused(void **state)
{
    (void)state;
    static const struct {
        uint64_t row_count;
        uint16_t columns;
        uint32_t rows, values;
        bool sound;
    } cases[] = {
        {1, 1, 1, 1, true},
        {9, 1, 1, 1, true},
        {9, 1, 0, 0, true},
        {9, 0, 0, 0, true},
        {1, RESULT_COLUMNS_MAX, 1, RESULT_COLUMNS_MAX, true},
        {1, RESULT_COLUMNS_MAX + 1, 1, RESULT_COLUMNS_MAX + 1, false},
        {1, UINT16_MAX / 16, 0, 0, false},
        {0, 1, 1, 1, false}, // more rows kept than there were
        {1, 0, 1, 0, false}, // a row without columns
        {UINT64_MAX, 0, UINT32_MAX, 0, false},
        {UINT64_MAX, 1, UINT32_MAX, 1, false},
        {2, 2, 2, 3, false}, // a row that ends early
        {2, 2, 1, 3, false}, // a value too many
    };
    static struct message message;
    for (size_t i = 0; i < COUNT(cases); i++) {
        print_message("case %zu\n", i);
        add_shape(&message, cases[i].row_count, cases[i].columns, cases[i].rows);
        for (uint32_t j = 0; j < cases[i].values; j++)
            add_value(&message, VALUE_NUMBER, false, 1);
        assert_int_equal(decodes_as_reply(message.bytes, message.length), cases[i].sound);
    }
}

static void values_that_contradict_themselves_are_refused(void **state)
{
    (void)state;
    static const struct {
        unsigned type, cut;
        size_t length;
        bool sound;
    } cases[] = {
        {VALUE_STRING, 0, RESULT_VALUE_MAX, true},
        {VALUE_STRING, 1, RESULT_VALUE_MAX, true},
        {VALUE_STRING, 0, RESULT_VALUE_MAX + 1, false},
        {VALUE_STRING, 1, RESULT_VALUE_MAX + 1, false},
        {VALUE_STRING, 1, RESULT_VALUE_MAX - 1, false},
        {VALUE_STRING, 2, 1, false},
        {VALUE_STRING + 1, 0, 1, false},
        {255, 0, 1, false},
    };
    static struct message message;
    for (size_t i = 0; i < COUNT(cases); i++) {
        add_shape(&message, 1, 1, 1);
        add_value(&message, cases[i].type, cases[i].cut, cases[i].length);
        assert_int_equal(decodes_as_reply(message.bytes, message.length), cases[i].sound);
    }
}

// The last bytes of such a message: the column's type, no row kept.
static void types_that_are_none_are_refused(void **state)
{
    (void)state;
    static struct message message;
    add_shape(&message, 0, 1, 0);
    for (unsigned number = 0; number < 256; number++) {
        message.bytes[message.length - sizeof(uint32_t) - 1] = (unsigned char)number;
        assert_int_equal(decodes_as_reply(message.bytes, message.length), number < COLUMN_TYPES);
    }
}

static void results_above_their_bound_are_refused(void **state)
{
    (void)state;
    enum { ROWS = RESULT_BYTES_MAX / RESULT_VALUE_MAX + 1 };
    static struct message message;
    add_shape(&message, ROWS, 1, ROWS);
    for (unsigned i = 0; i < ROWS; i++)
        add_value(&message, VALUE_STRING, false, RESULT_VALUE_MAX);
    assert_true(message.length < WIRE_MAX);
    assert_false(decodes_as_reply(message.bytes, message.length));
}

// Offsets in a reply without texts: verb 4, outcome 5, flavor 21, superuser 22, trial 23, secret
// 24, has_result 32; that of an open has another text.
static void numbers_that_name_nothing_are_refused(void **state)
{
    (void)state;
    unsigned char bytes[WIRE_MAX];
    struct reply reply = {.verb = VERB_CLOSE, .outcome = OUTCOME_LOST, .flavor = FLAVOR_MARIADB};
    size_t length = reply_encode(&reply, bytes);
    assert_int_equal(length, 33);
    for (unsigned number = 0; number < 256; number++) {
        bytes[4] = (unsigned char)number;
        assert_int_equal(decodes_as_reply(bytes, length),
                         number == VERB_RUN || number == VERB_CLOSE);
        bytes[4] = VERB_CLOSE;
        bytes[5] = (unsigned char)number;
        assert_int_equal(decodes_as_reply(bytes, length),
                         outcome_is_reportable((enum outcome)number));
        bytes[5] = OUTCOME_LOST;
        bytes[21] = (unsigned char)number;
        assert_int_equal(decodes_as_reply(bytes, length), number < FLAVOR_COUNT);
        bytes[21] = FLAVOR_MARIADB;
        bytes[23] = (unsigned char)number;
        assert_int_equal(decodes_as_reply(bytes, length), number < TRIAL_COUNT);
        bytes[23] = TRIAL_NONE;
        bytes[32] = (unsigned char)number;
        assert_int_equal(decodes_as_reply(bytes, length), number == 0);
        bytes[32] = 0;
    }
}

static void texts_that_do_not_fit_their_field_are_refused(void **state)
{
    (void)state;
    static const struct {
        unsigned field;
        size_t length;
        bool with_nul, sound;
    } cases[] = {
        {0, REPLY_CODE_MAX - 1, false, true},
        {0, REPLY_CODE_MAX, false, false},
        {1, REPLY_MESSAGE_MAX - 1, false, true},
        {1, REPLY_MESSAGE_MAX, false, false},
        {2, REPLY_VERSION_MAX - 1, false, true},
        {2, REPLY_VERSION_MAX, false, false},
        {0, 3, true, false},
        {1, 3, true, false},
        {2, 3, true, false},
        {3, SANDBOX_TEXT_MAX - 1, false, true},
        {3, SANDBOX_TEXT_MAX, false, false},
        {3, 3, true, false},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        static struct message message;
        char text[REPLY_MESSAGE_MAX + 1];
        uint32_t sequence = 1;
        uint64_t secret = 0;
        memset(text, 't', sizeof text);
        text[1] = cases[i].with_nul ? '\0' : 't';
        message.length = 0;
        add(&message, &sequence, sizeof sequence);
        add_u8(&message, VERB_OPEN);
        add_u8(&message, OUTCOME_LOST);
        for (unsigned field = 0; field < 3; field++)
            add_text(&message, text, field == cases[i].field ? cases[i].length : 0);
        add_u8(&message, FLAVOR_UNKNOWN);
        add_u8(&message, false); // superuser
        add_u8(&message, TRIAL_NONE);
        add(&message, &secret, sizeof secret);
        add_text(&message, text, cases[i].field == 3 ? cases[i].length : 0);
        add_u8(&message, false);
        assert_int_equal(decodes_as_reply(message.bytes, message.length), cases[i].sound);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_field_of_a_call_comes_back),
        cmocka_unit_test(verbs_have_names),
        cmocka_unit_test(a_statement_fits_up_to_its_bound),
        cmocka_unit_test(every_truncation_of_a_call_is_refused),
        cmocka_unit_test(no_single_byte_changed_in_a_call_does_harm),
        cmocka_unit_test(calls_that_mean_nothing_are_refused),
        cmocka_unit_test(every_field_of_a_reply_comes_back),
        cmocka_unit_test(every_reportable_outcome_flavor_and_trial_comes_back),
        cmocka_unit_test(words_of_a_reply_are_fit_to_show),
        cmocka_unit_test(flags_of_a_cut_come_back),
        cmocka_unit_test(the_largest_possible_reply_fits),
        cmocka_unit_test(every_truncation_of_a_reply_is_refused),
        cmocka_unit_test(no_single_byte_changed_in_a_reply_does_harm),
        cmocka_unit_test(random_bytes_do_no_harm),
        cmocka_unit_test(shapes_that_contradict_themselves_are_refused),
        cmocka_unit_test(values_that_contradict_themselves_are_refused),
        cmocka_unit_test(types_that_are_none_are_refused),
        cmocka_unit_test(results_above_their_bound_are_refused),
        cmocka_unit_test(numbers_that_name_nothing_are_refused),
        cmocka_unit_test(texts_that_do_not_fit_their_field_are_refused),
    };
    return RUN(tests);
}
