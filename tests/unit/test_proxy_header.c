// The PROXY protocol's header: where it ends, and what is none.
#include "server/http/proxy_header.h"

#include "unit.h"

#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#define BYTES(literal) (literal), sizeof(literal) - 1
#define SIGNATURE      "\r\n\r\n\0\r\nQUIT\n"

static const struct {
    const char *bytes;
    size_t count, length;
} cases[] = {
    {BYTES("PROXY TCP4 10.0.0.1 10.0.0.2 12345 80\r\nGET / HTTP/1.1\r\n"), 39},
    {BYTES("PROXY UNKNOWN\r\n"), 15},
    {BYTES("PROXY UNKNOWN\r"), 0},
    {BYTES("PROXY "), 0},
    {BYTES("PROXY"), 0},
    {BYTES("PROXYS / HTTP/1.1\r\n"), 0},
    {BYTES("POST / HTTP/1.1\r\n"), 0},
    {BYTES(""), 0},
    {BYTES("\r\n\r\nGET / HTTP/1.1\r\n"), 0},
    {BYTES(SIGNATURE), 0},
    {BYTES(SIGNATURE "\x20\0\0"), 0},
    {BYTES(SIGNATURE "\x20\0\0\0"), 16},
    {BYTES(SIGNATURE "\x20\0\0\0GET / HTTP/1.1\r\n"), 16},
    {BYTES(SIGNATURE "\x21\x11\0\x0cmnopqrstuvwxGET"), 28},
    {BYTES(SIGNATURE "\x21\x11\0\x0cmnopqrstuvw"), 0},
    {BYTES(SIGNATURE "\x21\x11\xff\xff"), 0},
};

static void each_ends_where_it_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        print_message("case %zu\n", i);
        assert_int_equal(proxy_header_length(cases[i].bytes, cases[i].count), cases[i].length);
    }
}

static size_t length_with_port(int digits)
{
    char bytes[200];
    int count = snprintf(bytes, sizeof bytes, "PROXY %0*d\r\nGET / HTTP/1.1\r\n", digits, 1);
    return proxy_header_length(bytes, (size_t)count);
}

static void a_line_has_a_limit(void **state)
{
    (void)state;
    assert_int_equal(length_with_port(99), 107);
    assert_int_equal(length_with_port(100), 0);
}

static void what_follows_stays(void **state)
{
    (void)state;
    int pair[2];
    char rest[64];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    assert_false(proxy_header_take(pair[0]));
    assert_int_equal(write(pair[1], "PROXY UNKNOWN\r\nGET /", 20), 20);
    assert_true(proxy_header_take(pair[0]));
    assert_false(proxy_header_take(pair[0]));
    assert_int_equal(read(pair[0], rest, sizeof rest), 5);
    close(pair[0]);
    close(pair[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_ends_where_it_says),
        cmocka_unit_test(a_line_has_a_limit),
        cmocka_unit_test(what_follows_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
