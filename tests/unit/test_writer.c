// JSON as it is written: what stands between members, what is escaped, and the digits of numbers.
#include "server/base/writer.h"

#include "unit.h"

#include <jansson.h>
#include <stdlib.h>

static char *text;
static size_t length;

static struct writer start(void)
{
    struct writer writer = {.out = open_memstream(&text, &length)};
    assert_non_null(writer.out);
    return writer;
}

// Text that jansson can read, too.
static void expect(struct writer *writer, const char *wanted)
{
    json_error_t error;
    assert_int_equal(fclose(writer->out), 0);
    assert_string_equal(text, wanted);
    json_t *read = json_loads(text, JSON_REJECT_DUPLICATES, &error);
    if (read == NULL)
        fail_msg("%s: %s", error.text, text);
    json_decref(read);
    free(text);
}

static void write_all(struct writer *writer)
{
    writer_open_object(writer, NULL);
    writer_string(writer, "text", "a \"b\" \\c");
    writer_string(writer, "left out", NULL);
    writer_open_array(writer, "none");
    writer_close(writer);
    writer_open_array(writer, "row");
    writer_open_object(writer, NULL);
    writer_boolean(writer, "yes", true);
    writer_null(writer, "nothing");
    writer_close(writer);
    writer_integer(writer, NULL, -5);
    writer_close(writer);
    writer_open_array(writer, "list");
    writer_time(writer, NULL, INT64_C(1767225600007));
    writer_boolean(writer, NULL, false);
    writer_close(writer);
    writer_close(writer);
}

static void each_member_has_a_line(void **state)
{
    (void)state;
    struct writer writer = start();
    write_all(&writer);
    expect(&writer, "{\n"
                    "  \"text\": \"a \\\"b\\\" \\\\c\",\n"
                    "  \"none\": [],\n"
                    "  \"row\": [\n"
                    "    {\n"
                    "      \"yes\": true,\n"
                    "      \"nothing\": null\n"
                    "    },\n"
                    "    -5\n"
                    "  ],\n"
                    "  \"list\": [\n"
                    "    \"2026-01-01T00:00:00.007Z\",\n"
                    "    false\n"
                    "  ]\n"
                    "}\n");
}

static void all_of_it_may_be_one_line(void **state)
{
    (void)state;
    struct writer writer = start();
    writer.compact = true;
    write_all(&writer);
    expect(&writer, "{\"text\":\"a \\\"b\\\" \\\\c\",\"none\":[],"
                    "\"row\":[{\"yes\":true,\"nothing\":null},-5],"
                    "\"list\":[\"2026-01-01T00:00:00.007Z\",false]}\n");
}

static void nothing_ends_the_element_that_it_is_in(void **state)
{
    (void)state;
    struct writer writer = start();
    writer.in_html = writer.compact = true;
    writer_open_array(&writer, NULL);
    writer_string(&writer, NULL, "</script><!-- \x01 gr\xc3\xb6\xc3\x9f\x65r");
    writer_close(&writer);
    expect(&writer, "[\"\\u003c/script>\\u003c!-- \\u0001 gr\xc3\xb6\xc3\x9f\x65r\"]\n");
}

static void seconds_have_the_decimals_they_need(void **state)
{
    (void)state;
    struct writer writer = start();
    static const int64_t us[] = {0, 1, 1500, 100000, 2000000, 90061000001};
    writer.compact = true;
    writer_open_array(&writer, NULL);
    for (size_t i = 0; i < COUNT(us); i++)
        writer_seconds(&writer, NULL, us[i]);
    writer_close(&writer);
    expect(&writer, "[0,1e-6,0.0015,0.1,2,90061.000001]\n");
}

static void a_number_keeps_its_value(void **state)
{
    (void)state;
    static const struct {
        const char *digits, *wanted;
    } cases[] = {
        {"45", "[45]\n"},
        {"0.0740", "[0.074]\n"},
        {"0.33333333333333333333", "[0.333333333333333]\n"},
        {"-1.5e-07", "[-1.5e-7]\n"},
        {"1E+3", "[1000]\n"},
        {"1e-400", "[0]\n"},
        {"9007199254740991", "[9007199254740991]\n"},
        {"-9007199254740991", "[-9007199254740991]\n"},
        // What JSON spells in another way.
        {"+7", "[7]\n"},
        {"00042", "[42]\n"},
        {"-007.50", "[-7.5]\n"},
        {".5", "[0.5]\n"},
        {"-.5", "[-0.5]\n"},
        {"5.", "[5]\n"},
        {"5.e3", "[5000]\n"},
        {"000", "[0]\n"},
        // What its readers cannot hold.
        {"9007199254740992", "[\"9007199254740992\"]\n"},
        {"-18446744073709551615", "[\"-18446744073709551615\"]\n"},
        {"1e400", "[\"1e400\"]\n"},
        {"NaN", "[\"NaN\"]\n"},
        {"Infinity", "[\"Infinity\"]\n"},
        {"+Inf", "[\"Infinity\"]\n"},
        {"-Inf", "[\"-Infinity\"]\n"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct writer writer = start();
        writer.compact = true;
        writer_open_array(&writer, NULL);
        writer_number(&writer, NULL, cases[i].digits);
        writer_close(&writer);
        expect(&writer, cases[i].wanted);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_member_has_a_line),
        cmocka_unit_test(all_of_it_may_be_one_line),
        cmocka_unit_test(nothing_ends_the_element_that_it_is_in),
        cmocka_unit_test(seconds_have_the_decimals_they_need),
        cmocka_unit_test(a_number_keeps_its_value),
    };
    return RUN(tests);
}
