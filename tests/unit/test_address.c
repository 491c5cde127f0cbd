// Addresses to listen on: what is taken, what is refused, and where one asks who listens there.
#include "server/base/address.h"

#include "unit.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

// "any " if it is, and the address as DBHEALTH_LISTEN has it.
static void show(const struct address *address, char *shown, size_t capacity)
{
    char host[INET6_ADDRSTRLEN];
    bool v4 = address->socket.plain.sa_family == AF_INET;
    const void *number = &address->socket.v6.sin6_addr;
    if (v4)
        number = &address->socket.v4.sin_addr;
    assert_int_equal(address->length, v4 ? sizeof address->socket.v4 : sizeof address->socket.v6);
    assert_non_null(inet_ntop(address->socket.plain.sa_family, number, host, sizeof host));
    (void)snprintf(shown, capacity, v4 ? "%s%s:%u" : "%s[%s]:%u", address->any ? "any " : "", host,
                   (unsigned)ntohs(address->socket.v6.sin6_port)); // where IPv4 has it too
}

static void an_address_and_a_port(void **state)
{
    (void)state;
    static const struct {
        const char *text, *listens, *asked;
    } cases[] = {
        {":8080", "any [::]:8080", "127.0.0.1:8080"},
        {"127.0.0.1:8080", "127.0.0.1:8080", "127.0.0.1:8080"},
        {"10.1.2.3:1", "10.1.2.3:1", "10.1.2.3:1"},
        {"0.0.0.0:65535", "0.0.0.0:65535", "127.0.0.1:65535"},
        {"[::1]:0", "[::1]:0", "[::1]:0"},
        {"::1:9", "[::1]:9", "[::1]:9"},
        {"[::]:8080", "[::]:8080", "[::1]:8080"},
        {"[2001:db8::7]:00080", "[2001:db8::7]:80", "[2001:db8::7]:80"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct address address;
        struct error error;
        char shown[80];
        print_message("%s\n", cases[i].text);
        assert_true(address_parse(cases[i].text, &address, &error));
        show(&address, shown, sizeof shown);
        assert_string_equal(shown, cases[i].listens);
        struct address asked = address_to_ask(&address);
        show(&asked, shown, sizeof shown);
        assert_string_equal(shown, cases[i].asked);
    }
}

static void what_is_none_is_refused(void **state)
{
    (void)state;
    static const char form[] = "expected ADDRESS:PORT or :PORT";
    static const char number[] = "expected a numeric address before the port";
    static const struct {
        const char *text, *error;
    } cases[] = {
        {"", form},
        {"8080", form},
        {":", form},
        {"127.0.0.1", form},
        {"127.0.0.1:", form},
        {"127.0.0.1:65536", form},
        {"127.0.0.1:000080", form},
        {"127.0.0.1:-1", form},
        {"127.0.0.1: 80", form},
        {"127.0.0.1:http", form},
        {"0000000000000000000000000000000000000000000000000000000000000001:80", form},
        {"localhost:8080", number},
        {"[]:8080", number},
        {"[:8080", number},
        {"[::1:8080", number},
        {"[[::1]]:8080", number},
        {" :8080", number},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct address address;
        struct error error;
        print_message("%s\n", cases[i].text);
        assert_false(address_parse(cases[i].text, &address, &error));
        assert_string_equal(error.text, cases[i].error);
    }
}

static void two_that_nobody_can_listen_at(void **state)
{
    (void)state;
    static const struct {
        const char *one, *other;
        bool collide;
    } cases[] = {
        {":8080", ":8080", true},
        {":8080", ":8081", false},
        {":0", ":0", false},
        {"127.0.0.1:0", "127.0.0.1:0", false},
        {":8080", "127.0.0.1:8080", true},
        {":8080", "[::1]:8080", true},
        {"[::]:8080", "10.1.2.3:8080", true},
        {"0.0.0.0:8080", "10.1.2.3:8080", true},
        {"0.0.0.0:8080", "[::1]:8080", false},
        {"0.0.0.0:8080", ":8080", true},
        {"10.1.2.3:8080", "10.1.2.3:8080", true},
        {"10.1.2.3:8080", "10.1.2.4:8080", false},
        {"[2001:db8::7]:80", "2001:db8:0::7:80", true},
        {"[2001:db8::7]:80", "[2001:db8::8]:80", false},
        {"127.0.0.1:80", "[::1]:80", false},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct address one, other;
        struct error error;
        print_message("%s %s\n", cases[i].one, cases[i].other);
        assert_true(address_parse(cases[i].one, &one, &error));
        assert_true(address_parse(cases[i].other, &other, &error));
        assert_int_equal(address_collides(&one, &other), cases[i].collide);
        assert_int_equal(address_collides(&other, &one), cases[i].collide);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_address_and_a_port),
        cmocka_unit_test(what_is_none_is_refused),
        cmocka_unit_test(two_that_nobody_can_listen_at),
    };
    return RUN(tests);
}
