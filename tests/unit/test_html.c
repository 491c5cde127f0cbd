// Pieces of HTML: nothing foreign can end an element or an attribute, and times are in words.
#include "server/report/html.h"

#include "unit.h"

#include <stdlib.h>
#include <string.h>

struct document {
    FILE *file;
    char *bytes;
    size_t length;
};

static struct document *new_document(void)
{
    struct document *document = calloc(1, sizeof *document);
    assert_non_null(document);
    document->file = open_memstream(&document->bytes, &document->length);
    assert_non_null(document->file);
    return document;
}

static void expect(struct document *document, const char *wanted)
{
    assert_int_equal(fclose(document->file), 0);
    assert_string_equal(document->bytes, wanted);
    free(document->bytes);
    free(document);
}

static void foreign_text_cannot_be_markup(void **state)
{
    (void)state;
    static const struct {
        const char *text, *wanted;
    } cases[] = {
        {"", ""},
        {"lag_seconds 45 > 30", "lag_seconds 45 &gt; 30"},
        {"<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"},
        {"\" onload='x' &amp;", "&quot; onload=&#39;x&#39; &amp;amp;"},
        {"a\nb\x1b[31m\xff", "a b [31m?"},
        {"gr\xc3\xb6\xc3\x9f\x65r", "gr\xc3\xb6\xc3\x9f\x65r"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct document *document = new_document();
        html_text(document->file, cases[i].text);
        expect(document, cases[i].wanted);
    }
}

static void long_text_is_cut(void **state)
{
    (void)state;
    char text[5001];
    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = '\0';
    struct document *document = new_document();
    html_text(document->file, text);
    (void)fflush(document->file);
    assert_int_equal(document->length, 1000);
    text[1000] = '\0';
    expect(document, text);
}

static void a_name_may_be_broken_at_its_underscores(void **state)
{
    (void)state;
    static const struct {
        const char *name, *wanted;
    } cases[] = {
        {"lag", "lag"},
        {"lag_seconds", "lag_<wbr>seconds"},
        {"_a__b_", "_<wbr>a_<wbr>_<wbr>b_"},
        {"<i>_&", "&lt;i&gt;_<wbr>&amp;"},
        {"a b", "a b"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct document *document = new_document();
        html_name(document->file, cases[i].name);
        expect(document, cases[i].wanted);
    }
}

static void a_span_has_its_two_largest_units(void **state)
{
    (void)state;
    static const struct {
        int64_t ms;
        const char *wanted;
    } cases[] = {
        {0, "0 s"},        {999, "0 s"},           {1000, "1 s"},
        {59999, "59 s"},   {60000, "1 min"},       {192000, "3 min 12 s"},
        {3600000, "1 h"},  {3659000, "1 h"},       {3660000, "1 h 1 min"},
        {86400000, "1 d"}, {187200000, "2 d 4 h"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct document *document = new_document();
        html_span(document->file, cases[i].ms);
        expect(document, cases[i].wanted);
    }
}

static void a_short_time_has_the_digits_that_matter(void **state)
{
    (void)state;
    static const struct {
        uint32_t us;
        const char *wanted;
    } cases[] = {{1, "0.00 ms"},     {42, "0.04 ms"},    {1234, "1.2 ms"},
                 {9990, "10.0 ms"},  {12345, "12 ms"},   {812345, "812 ms"},
                 {999999, "999 ms"}, {1000000, "1.0 s"}, {12345678, "12.3 s"}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct document *document = new_document();
        html_took(document->file, cases[i].us);
        expect(document, cases[i].wanted);
    }
}

static void an_amount_has_the_unit_that_its_column_says(void **state)
{
    (void)state;
    static const struct {
        const char *column, *text;
        double number;
        const char *wanted;
    } cases[] = {
        {"used_ratio", "0.950", 0.95, "0.950"},
        {"lag_seconds", "45.5", 45.5, "45.5"},
        {"lag_seconds", "21600", 21600, "6 h"},
        {"seconds", "1e30", 1e30, "1e30"},
        {"retained_bytes", "1023", 1023, "1023"},
        {"retained_bytes", "1536", 1536, "1.5 KiB"},
        {"Retained_Bytes", "10737418240", 10737418240.0, "10.0 GiB"},
        {"sessions", "10737418240", 10737418240.0, "10737418240"},
        {"rows", "<", -1, "&lt;"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct document *document = new_document();
        html_amount(document->file, cases[i].column, cases[i].text, cases[i].number);
        expect(document, cases[i].wanted);
    }
}

static void a_time_has_a_date_once_it_is_long_ago(void **state)
{
    (void)state;
    enum { HOUR_MS = 3600000 };
    int64_t time_ms = INT64_C(1767225600007);
    struct document *document = new_document();
    html_time(document->file, time_ms, time_ms + HOUR_MS);
    html_time(document->file, time_ms, time_ms + (int64_t)12 * HOUR_MS);
    html_clock(document->file, time_ms + 61000);
    expect(document, "<time datetime=\"2026-01-01T00:00:00Z\">00:00:00</time>"
                     "<time datetime=\"2026-01-01T00:00:00Z\">2026-01-01 00:00:00</time>"
                     "00:01:01");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(foreign_text_cannot_be_markup),
        cmocka_unit_test(long_text_is_cut),
        cmocka_unit_test(a_name_may_be_broken_at_its_underscores),
        cmocka_unit_test(a_span_has_its_two_largest_units),
        cmocka_unit_test(a_short_time_has_the_digits_that_matter),
        cmocka_unit_test(an_amount_has_the_unit_that_its_column_says),
        cmocka_unit_test(a_time_has_a_date_once_it_is_long_ago),
    };
    return RUN(tests);
}
