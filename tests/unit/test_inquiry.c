// What peers are asked: where they are, as people write it, and the text that a prober gets.
#include "common/inquiry.h"

#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SELF "0123456789abcdef0123456789abcdef"

static void a_place_is_a_host_and_a_port(void **state)
{
    (void)state;
    static const struct {
        const char *text, *host;
        unsigned port;
        bool tls;
    } cases[] = {
        {"db-peers:8080", "db-peers", 8080, false},
        {"http://db-0.db.shop.svc.cluster.local:1", "db-0.db.shop.svc.cluster.local", 1, false},
        {"https://db:65535", "db", 65535, true},
        {"HTTPS://db:1/", "db", 1, true},
        {"10.0.0.7:8443", "10.0.0.7", 8443, false},
        {"https://[2001:db8::7]:8443", "2001:db8::7", 8443, true},
        {"db_0.my_service:80", "db_0.my_service", 80, false},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct place place;
        struct error error;
        print_message("%s\n", cases[i].text);
        assert_true(place_parse(cases[i].text, &place, &error));
        assert_string_equal(place.host, cases[i].host);
        assert_int_equal(place.port, cases[i].port);
        assert_int_equal(place.tls, cases[i].tls);
    }
}

static void what_is_no_place_is_refused(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "",
        "db",
        ":8080",
        "db:",
        "db:0",
        "db:65536",
        "db:080000",
        "db:8080x",
        "db:8080/readyz",
        "db:8080?a=b",
        "db:8080#a",
        "me@db:8080",
        "me:secret@db:8080",
        "ftp://db:8080",
        "https:/db:8080",
        "d%62:8080",
        "2001:db8::7:8080",
        "[::1]",
        "a b:1",
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct place place;
        struct error error, expected;
        (void)error_set(&expected, "'%s': expected [https://]HOST:PORT", cases[i]);
        print_message("%s\n", cases[i]);
        assert_false(place_parse(cases[i], &place, &error));
        assert_string_equal(error.text, expected.text);
    }
}

static void a_name_has_at_most_253_bytes(void **state)
{
    (void)state;
    char text[512];
    struct place place;
    struct error error;
    (void)snprintf(text, sizeof text, "https://%0*d:65535", PLACE_HOST_MAX, 0);
    assert_true(place_parse(text, &place, &error));
    assert_int_equal(strlen(place.host), PLACE_HOST_MAX);
    (void)snprintf(text, sizeof text, "%0*d:1", PLACE_HOST_MAX + 1, 0);
    assert_false(place_parse(text, &place, &error));
    (void)snprintf(text, sizeof text, "%0*d:1", 400, 0);
    assert_false(place_parse(text, &place, &error));
}

static void what_is_written_is_read(void **state)
{
    (void)state;
    char text[INQUIRY_TEXT_MAX];
    struct inquiry read;
    struct inquiry inquiry = {.instance = SELF,
                              .each = true,
                              .authorities = "/etc/my ca.pem",
                              .places = {{true, "db-0", 1}, {false, "::1", 65535}},
                              .count = 2};
    assert_true(inquiry_write(&inquiry, text));
    assert_string_equal(text, "instance " SELF "\neach\nauthorities /etc/my ca.pem\n"
                              "place https db-0 1\nplace http ::1 65535\n");
    assert_true(inquiry_read(text, &read));
    assert_memory_equal(&read, &inquiry, sizeof read);
}

static void the_longest_fits(void **state)
{
    (void)state;
    char text[INQUIRY_TEXT_MAX];
    struct inquiry inquiry = {.instance = SELF, .each = true, .count = INQUIRY_PLACES_MAX};
    struct inquiry read;
    memset(inquiry.authorities, 'a', sizeof inquiry.authorities - 1);
    for (size_t i = 0; i < inquiry.count; i++) {
        inquiry.places[i] = (struct place){.tls = true, .port = UINT16_MAX};
        memset(inquiry.places[i].host, 'h', PLACE_HOST_MAX);
    }
    assert_true(inquiry_write(&inquiry, text));
    assert_true(inquiry_read(text, &read));
    assert_memory_equal(&read, &inquiry, sizeof read);
}

static void a_file_of_two_lines_is_not_written(void **state)
{
    (void)state;
    char text[INQUIRY_TEXT_MAX];
    const struct inquiry inquiry = {.instance = SELF,
                                    .authorities = "/a\nplace http evil 1",
                                    .places = {{false, "a", 1}},
                                    .count = 1};
    assert_false(inquiry_write(&inquiry, text));
}

static void other_text_is_not_read(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "",
        "SELECT 1",
        "instance " SELF "\n",
        "place http a 1\n",
        "instance 1\nplace http a 1\n",
        "instance " SELF "\nplace ftp a 1\n",
        "instance " SELF "\nplace http a\n",
        "instance " SELF "\nplace http a 0\n",
        "instance " SELF "\nplace http a/b 1\n",
        "instance " SELF "\nplace http a 1 2\n",
        "instance " SELF "\nall\nplace http a 1\n",
    };
    struct inquiry inquiry;
    for (size_t i = 0; i < COUNT(cases); i++) {
        print_message("%s\n", cases[i]);
        assert_false(inquiry_read(cases[i], &inquiry));
    }
}

static void a_seventeenth_place_is_not_read(void **state)
{
    (void)state;
    struct inquiry inquiry;
    char *text;
    size_t length;
    FILE *file = open_memstream(&text, &length);
    assert_non_null(file);
    fprintf(file, "instance " SELF "\n");
    for (size_t i = 0; i <= INQUIRY_PLACES_MAX; i++)
        fprintf(file, "place http a 1\n");
    assert_int_equal(fclose(file), 0);
    assert_false(inquiry_read(text, &inquiry));
    free(text);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_place_is_a_host_and_a_port),
        cmocka_unit_test(what_is_no_place_is_refused),
        cmocka_unit_test(a_name_has_at_most_253_bytes),
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(the_longest_fits),
        cmocka_unit_test(a_file_of_two_lines_is_not_written),
        cmocka_unit_test(other_text_is_not_read),
        cmocka_unit_test(a_seventeenth_place_is_not_read),
    };
    return RUN(tests);
}
