// The log: what a line looks like in both forms, that it is never too long, and that a reader who
// does not read costs lines and never time. Standard error is a pipe while a line is written.
#include "server/base/log.h"

#include "unit.h"

#include <fcntl.h>
#include <jansson.h>
#include <limits.h>
#include <regex.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CAPTURE_MAX = 3 * PIPE_BUF, PATIENCE_S = 20 };

// Standard error as a pipe, from begin to end. If a write blocks, the alarm ends the test.
struct capture {
    int reading;
    int saved;
    char text[CAPTURE_MAX + 1];
};

static void begin(struct capture *capture)
{
    int ends[2];
    (void)fflush(stderr);
    capture->saved = dup(STDERR_FILENO);
    assert_true(capture->saved >= 0);
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    assert_true(dup2(ends[1], STDERR_FILENO) >= 0);
    close(ends[1]);
    capture->reading = ends[0];
    (void)alarm(PATIENCE_S);
}

// Takes out what is there now, as `text`; false if there was nothing.
static bool drain(struct capture *capture)
{
    assert_int_equal(fcntl(capture->reading, F_SETFL, O_NONBLOCK), 0);
    ssize_t length = read(capture->reading, capture->text, CAPTURE_MAX);
    capture->text[length > 0 ? length : 0] = '\0';
    return length > 0;
}

static void drain_all(struct capture *capture)
{
    while (drain(capture))
        continue;
}

static void end(struct capture *capture)
{
    (void)alarm(0);
    (void)dup2(capture->saved, STDERR_FILENO);
    close(capture->saved);
    close(capture->reading);
}

// What one event writes.
static void log_one(struct capture *capture, enum log_level level, const char *message,
                    const struct log_field *fields, size_t count)
{
    begin(capture);
    log_event(level, message, fields, count);
    (void)drain(capture);
    end(capture);
}

static const char *after_time(const char *line)
{
    const char *rest = strchr(line, ' ');
    assert_non_null(rest);
    return rest + 1;
}

static void a_line_has_time_level_and_message(void **state)
{
    (void)state;
    struct capture capture;
    regex_t form;
    log_configure(LOG_FORMAT_LOGFMT, LOG_DEBUG);
    log_one(&capture, LOG_INFO, "serving", NULL, 0);
    assert_int_equal(regcomp(&form,
                             "^time=20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}"
                             "\\.[0-9]{3}Z level=info msg=serving\n$",
                             REG_EXTENDED | REG_NOSUB),
                     0);
    assert_int_equal(regexec(&form, capture.text, 0, NULL, 0), 0);
    regfree(&form);
    log_one(&capture, LOG_DEBUG, "d", NULL, 0);
    assert_string_equal(after_time(capture.text), "level=debug msg=d\n");
    log_one(&capture, LOG_WARN, "w", NULL, 0);
    assert_string_equal(after_time(capture.text), "level=warn msg=w\n");
    log_one(&capture, LOG_ERROR, "e", NULL, 0);
    assert_string_equal(after_time(capture.text), "level=error msg=e\n");
}

static void values_are_quoted_where_they_must_be(void **state)
{
    (void)state;
    static const struct {
        const char *value, *shown;
    } cases[] = {
        {"plain", "plain"},
        {"a b", "\"a b\""},
        {"a=b", "\"a=b\""},
        {"\"", "\"\\\"\""},
        {"\\", "\"\\\\\""},
        {"say \"hi\\\"", "\"say \\\"hi\\\\\\\"\""},
        {" ", "\" \""},
        {"'single'", "'single'"},
        {"{}[],:;%s%n", "{}[],:;%s%n"},
        {"\xc3\xa4\xe2\x82\xac", "\xc3\xa4\xe2\x82\xac"},
    };
    log_configure(LOG_FORMAT_LOGFMT, LOG_INFO);
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct capture capture;
        char wanted[128];
        struct log_field fields[] = {LOG_TEXT("key", cases[i].value), LOG_NUMBER("n", -5)};
        (void)snprintf(wanted, sizeof wanted, "level=info msg=%s key=%s n=-5\n", cases[i].shown,
                       cases[i].shown);
        log_one(&capture, LOG_INFO, cases[i].value, fields, COUNT(fields));
        assert_string_equal(after_time(capture.text), wanted);
    }
}

static void empty_texts_are_left_out_and_zeroes_are_not(void **state)
{
    (void)state;
    struct capture capture;
    struct log_field fields[] = {LOG_TEXT("a", NULL), LOG_TEXT("b", ""), LOG_NUMBER("c", 0),
                                 LOG_NUMBER("d", INT64_MIN), LOG_NUMBER("e", INT64_MAX)};
    log_configure(LOG_FORMAT_LOGFMT, LOG_INFO);
    log_one(&capture, LOG_INFO, "m", fields, COUNT(fields));
    assert_string_equal(after_time(capture.text),
                        "level=info msg=m c=0 d=-9223372036854775808 e=9223372036854775807\n");
    log_configure(LOG_FORMAT_JSON, LOG_INFO);
    log_one(&capture, LOG_INFO, "m", fields, COUNT(fields));
    assert_null(strstr(capture.text, "\"a\""));
    assert_null(strstr(capture.text, "\"b\""));
    assert_non_null(strstr(capture.text, "\"c\":0,\"d\":-9223372036854775808,"));
}

static void json_lines_are_json_whatever_the_text(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "plain",
        "a \"quoted\" \\ word",
        "{\"not\":\"nested\"}",
        "\xc3\xa4\xf0\x9f\x98\x80",
        "%s%n",
        "</script>",
        "\t\n\x01",
    };
    log_configure(LOG_FORMAT_JSON, LOG_INFO);
    for (size_t i = 0; i < COUNT(texts); i++) {
        struct capture capture;
        struct log_field fields[] = {LOG_TEXT("key", texts[i]), LOG_NUMBER("n", 7)};
        log_one(&capture, LOG_WARN, texts[i], fields, COUNT(fields));
        char *newline = strchr(capture.text, '\n');
        assert_non_null(newline);
        assert_string_equal(newline, "\n"); // one line
        json_t *line = json_loads(capture.text, JSON_REJECT_DUPLICATES, NULL);
        assert_non_null(line);
        assert_string_equal(json_string_value(json_object_get(line, "msg")), texts[i]);
        assert_string_equal(json_string_value(json_object_get(line, "level")), "warn");
        assert_string_equal(json_string_value(json_object_get(line, "key")), texts[i]);
        assert_int_equal(json_integer_value(json_object_get(line, "n")), 7);
        assert_non_null(json_string_value(json_object_get(line, "time")));
        assert_int_equal(json_object_size(line), 5);
        json_decref(line);
    }
}

static void what_is_below_the_level_is_not_written(void **state)
{
    (void)state;
    static const enum log_level levels[] = {LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR};
    for (size_t least = 0; least < COUNT(levels); least++) {
        log_configure(LOG_FORMAT_LOGFMT, levels[least]);
        for (size_t level = 0; level < COUNT(levels); level++) {
            struct capture capture;
            log_one(&capture, levels[level], "m", NULL, 0);
            assert_int_equal(capture.text[0] != '\0', level >= least);
        }
    }
}

// A text of `length` two-byte characters; freed by the caller.
static char *long_text(size_t length)
{
    char *text = malloc(2 * length + 1);
    assert_non_null(text);
    for (size_t i = 0; i < length; i++)
        memcpy(text + 2 * i, "\xc3\xa4", 2);
    text[2 * length] = '\0';
    return text;
}

// Whatever has to give way, the line ends as lines do and what is short stays whole.
static void check_shortened(enum log_format format, size_t length, const char *after)
{
    struct capture capture;
    char *text = long_text(length);
    struct log_field fields[] = {LOG_TEXT("k", text), LOG_TEXT("after", "x")};
    log_configure(format, LOG_INFO);
    log_one(&capture, LOG_INFO, "m", fields, COUNT(fields));
    size_t written = strlen(capture.text);
    assert_int_in_range(written, PIPE_BUF * 3 / 4, PIPE_BUF);
    assert_non_null(strstr(capture.text, after));
    assert_string_equal(strstr(capture.text, after), after);
    json_t *valid = json_stringn(capture.text, written);
    assert_non_null(valid);
    json_decref(valid);
    free(text);
}

static void a_long_value_is_cut_between_characters_and_the_line_stays_whole(void **state)
{
    (void)state;
    for (size_t length = 2030; length < 2060; length++) {
        check_shortened(LOG_FORMAT_LOGFMT, length, "... after=x\n");
        check_shortened(LOG_FORMAT_JSON, length, "...\",\"after\":\"x\"}\n");
    }
    check_shortened(LOG_FORMAT_LOGFMT, 100000, "... after=x\n");
    check_shortened(LOG_FORMAT_JSON, 100000, "...\",\"after\":\"x\"}\n");
}

static void a_line_that_cannot_be_cut_to_4_kib_is_dropped_and_counted(void **state)
{
    (void)state;
    static const enum log_format formats[] = {LOG_FORMAT_LOGFMT, LOG_FORMAT_JSON};
    static const char *const told[] = {"dropped\" lines=1\n", "dropped\",\"lines\":1}\n"};
    struct log_field fields[400];
    for (size_t i = 0; i < COUNT(formats); i++) {
        struct capture capture;
        char keys[COUNT(fields)][16];
        for (size_t j = 0; j < COUNT(fields); j++) {
            (void)snprintf(keys[j], sizeof keys[j], "key%zu", 100000 + j);
            fields[j] = (struct log_field){.key = keys[j], .text = "x"};
        }
        log_configure(formats[i], LOG_INFO);
        log_one(&capture, LOG_INFO, "m", fields, COUNT(fields));
        assert_string_equal(capture.text, "");
        log_one(&capture, LOG_INFO, "next", NULL, 0);
        assert_non_null(strstr(capture.text, told[i]));
        assert_non_null(strstr(capture.text, "next"));
    }
}

// --- rows

static const char *const row_names[] = {"query", "calls", "a b",  "time", "msg",
                                        "QUERY", "query", "none", "ok",   "not_a_number"};
static const struct {
    enum value_type type;
    const char *text;
} row_values[] = {
    {VALUE_STRING, "SELECT\n  1,\t'\x1b[31m'"},
    {VALUE_NUMBER, "12.50"},
    {VALUE_STRING, "x=\"y\""},
    {VALUE_NUMBER, "-3"},
    {VALUE_STRING, "\xff"},
    {VALUE_STRING, "upper"},
    {VALUE_STRING, "twice"},
    {VALUE_NULL, ""},
    {VALUE_BOOLEAN, "true"},
    {VALUE_NUMBER, "NaN"},
};

static void log_one_row(struct capture *capture, int *saved)
{
    struct result *result = result_new();
    for (size_t i = 0; i < COUNT(row_names); i++)
        result_add_column(result, row_names[i]);
    for (size_t i = 0; i < COUNT(row_names); i++)
        assert_true(result_add_value(result, row_values[i].type, row_values[i].text,
                                     strlen(row_values[i].text)));
    begin(capture); // standard error's pipe stands in for standard output
    (void)fflush(stdout);
    *saved = dup(STDOUT_FILENO);
    assert_true(dup2(STDERR_FILENO, STDOUT_FILENO) >= 0);
    log_row("slow", result, 0);
    (void)dup2(*saved, STDOUT_FILENO);
    close(*saved);
    (void)drain(capture);
    end(capture);
    result_free(result);
}

static void a_row_is_one_line_whatever_its_values_hold(void **state)
{
    (void)state;
    struct capture capture;
    int saved;
    log_configure(LOG_FORMAT_LOGFMT, LOG_INFO);
    log_one_row(&capture, &saved);
    assert_string_equal(after_time(capture.text),
                        "level=info msg=row check=slow query=\"SELECT   1, ' [31m'\" calls=12.50 "
                        "a_b=\"x=\\\"y\\\"\" time_=-3 msg_=? QUERY=upper query_=twice ok=true "
                        "not_a_number=NaN\n");
    log_configure(LOG_FORMAT_JSON, LOG_INFO);
    log_one_row(&capture, &saved);
    assert_non_null(strstr(capture.text,
                           "\"msg\":\"row\",\"check\":\"slow\",\"query\":\"SELECT   1, ' [31m'\","
                           "\"calls\":12.5,\"a_b\":\"x=\\\"y\\\"\",\"time_\":-3,\"msg_\":\"?\","
                           "\"QUERY\":\"upper\",\"query_\":\"twice\",\"ok\":\"true\","
                           "\"not_a_number\":\"NaN\"}\n"));
    log_configure(LOG_FORMAT_LOGFMT, LOG_WARN);
    log_one_row(&capture, &saved);
    assert_string_equal(capture.text, "");
}

// --- a reader who does not read

static void fill(void)
{
    static const char filling[PIPE_BUF];
    assert_int_equal(fcntl(STDERR_FILENO, F_SETFL, O_NONBLOCK), 0);
    while (write(STDERR_FILENO, filling, sizeof filling) > 0)
        continue;
    assert_int_equal(fcntl(STDERR_FILENO, F_SETFL, 0), 0); // a write would block now
}

// The lines that were dropped while the pipe was full, as the next line tells.
static void check_full_pipe(enum log_format format, enum log_level least, const char *first,
                            const char *second)
{
    struct capture capture;
    uint64_t before = log_lines_dropped();
    log_configure(format, least);
    begin(&capture);
    fill();
    for (unsigned i = 0; i < 3; i++)
        log_event(LOG_ERROR, "unread", NULL, 0);
    log_event(LOG_DEBUG, "not asked for", NULL, 0);
    drain_all(&capture);
    log_event(LOG_ERROR, "read", NULL, 0);
    (void)drain(&capture);
    end(&capture);
    const char *newline = strchr(capture.text, '\n');
    assert_non_null(newline);
    assert_non_null(strstr(capture.text, first));
    assert_true(strstr(capture.text, first) < newline);
    assert_non_null(strstr(newline + 1, second));
    log_one(&capture, LOG_ERROR, "after", NULL, 0);
    assert_null(strstr(capture.text, "dropped")); // told once
    assert_non_null(strstr(capture.text, "after"));
    assert_int_equal(log_lines_dropped(), before + 3); // and kept
}

static void a_full_pipe_costs_lines_and_the_next_one_counts_them(void **state)
{
    (void)state;
    check_full_pipe(LOG_FORMAT_LOGFMT, LOG_INFO, "level=warn msg=\"log lines dropped\" lines=3\n",
                    "level=error msg=read\n");
    check_full_pipe(LOG_FORMAT_JSON, LOG_INFO, "\"log lines dropped\",\"lines\":3}\n",
                    "\"msg\":\"read\"}\n");
}

static void drops_are_told_whatever_the_level(void **state)
{
    (void)state;
    check_full_pipe(LOG_FORMAT_LOGFMT, LOG_ERROR, "level=error msg=\"log lines dropped\" lines=3\n",
                    "level=error msg=read\n");
}

// Room for the line that tells of drops, and none for the one behind it.
static void drops_go_on_being_counted_while_room_is_scarce(void **state)
{
    (void)state;
    struct capture capture;
    char page[PIPE_BUF];
    log_configure(LOG_FORMAT_LOGFMT, LOG_INFO);
    begin(&capture);
    fill();
    for (unsigned i = 0; i < 5; i++)
        log_event(LOG_INFO, "unread", NULL, 0);
    assert_int_equal(read(capture.reading, page, sizeof page), sizeof page);
    log_event(LOG_INFO, "unread too", NULL, 0);
    log_event(LOG_INFO, "unread too", NULL, 0);
    drain_all(&capture);
    log_event(LOG_INFO, "read", NULL, 0);
    (void)drain(&capture);
    end(&capture);
    assert_non_null(strstr(capture.text, "msg=\"log lines dropped\" lines=2\n"));
    assert_non_null(strstr(capture.text, "msg=read\n"));
}

static void a_reader_who_has_gone_costs_lines_too(void **state)
{
    (void)state;
    struct capture capture;
    log_configure(LOG_FORMAT_LOGFMT, LOG_INFO);
    void (*before)(int) = signal(SIGPIPE, SIG_IGN); // as serve.c does
    begin(&capture);
    close(capture.reading);
    log_event(LOG_INFO, "unread", NULL, 0);
    log_event(LOG_INFO, "unread", NULL, 0);
    capture.reading = dup(capture.saved);
    end(&capture);
    (void)signal(SIGPIPE, before);
    log_one(&capture, LOG_INFO, "read", NULL, 0);
    assert_non_null(strstr(capture.text, "lines=2\n"));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_has_time_level_and_message),
        cmocka_unit_test(values_are_quoted_where_they_must_be),
        cmocka_unit_test(empty_texts_are_left_out_and_zeroes_are_not),
        cmocka_unit_test(json_lines_are_json_whatever_the_text),
        cmocka_unit_test(what_is_below_the_level_is_not_written),
        cmocka_unit_test(a_long_value_is_cut_between_characters_and_the_line_stays_whole),
        cmocka_unit_test(a_line_that_cannot_be_cut_to_4_kib_is_dropped_and_counted),
        cmocka_unit_test(a_row_is_one_line_whatever_its_values_hold),
        cmocka_unit_test(a_full_pipe_costs_lines_and_the_next_one_counts_them),
        cmocka_unit_test(drops_are_told_whatever_the_level),
        cmocka_unit_test(drops_go_on_being_counted_while_room_is_scarce),
        cmocka_unit_test(a_reader_who_has_gone_costs_lines_too),
    };
    return RUN(tests);
}
