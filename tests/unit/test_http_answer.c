// What dbhealthd-ask makes of what came over HTTP: whole, a part, or strange; dead or not.
#include "client/http_answer.h"

#include "unit.h"

#include <stdlib.h>
#include <string.h>

#define DEAD "[-]alive failed: timeout\nhealthz check failed\n"
#define HEAD "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 46\r\n"

// A copy of exactly its size, so that a sanitizer sees its end; the answer may point into it.
static char *copy;

static enum http_answer_kind read_copy(const char *text, size_t length, struct http_answer *answer)
{
    free(copy);
    copy = malloc(length > 0 ? length : 1);
    memcpy(copy, text, length);
    return http_answer_read(copy, length, answer);
}

static int drop_copy(void **state)
{
    (void)state;
    free(copy);
    copy = NULL;
    return 0;
}

static void each_beginning_of_an_answer_is_a_part(void **state)
{
    (void)state;
    static const char text[] = HEAD "\r\n" DEAD;
    struct http_answer answer;
    for (size_t length = 0; length < strlen(text); length++)
        assert_int_equal(read_copy(text, length, &answer), HTTP_ANSWER_PART);
    assert_int_equal(read_copy(text, strlen(text), &answer), HTTP_ANSWER_WHOLE);
    assert_int_equal(answer.status, 503);
    assert_int_equal(answer.length, strlen(DEAD));
    assert_memory_equal(answer.body, DEAD, strlen(DEAD));
}

static void what_follows_an_answer_is_none_of_it(void **state)
{
    (void)state;
    static const char text[] = "HTTP/1.0 200 OK\r\ncontent-length:2\r\n\r\nokHTTP";
    struct http_answer answer;
    assert_int_equal(read_copy(text, strlen(text), &answer), HTTP_ANSWER_WHOLE);
    assert_int_equal(answer.status, 200);
    assert_int_equal(answer.length, 2);
}

static void what_is_no_answer_is_strange(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "x",
        "\x15\x03\x01", // of TLS
        "HTTP/2",
        "HTTP/1.2 200 OK\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 20\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 099 OK\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 5O3 OK\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1  503 OK\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 503 OK\r\n\r\n", // of no length
        "HTTP/1.1 503 OK\r\nContent-Length:\r\n\r\n",
        "HTTP/1.1 503 OK\r\nContent-Length: -1\r\n\r\n",
        "HTTP/1.1 503 OK\r\nContent-Length: 0x1\r\n\r\n",
        "HTTP/1.1 503 OK\r\nContent-Length: 0 \r\n\r\n",
        "HTTP/1.1 503 OK\r\nContent-Length: 999999999\r\n\r\n",
        "HTTP/1.1 503 OK\r\nContent-Length: 0\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 503 OK\r\nContent-Length: 0\r\nContent-Length: 1\r\n\r\n",
        "HTTP/1.1 503 OK\r\nContent-Length : 0\r\n\r\n",
        "HTTP/1.1 503 OK\r\n Content-Length: 0\r\n\r\n",
        "\r\n\r\n",
    };
    for (size_t i = 0; i < COUNT(texts); i++) {
        struct http_answer answer;
        assert_int_equal(read_copy(texts[i], strlen(texts[i]), &answer), HTTP_ANSWER_STRANGE);
    }
}

static void a_head_without_an_end_is_strange(void **state)
{
    (void)state;
    char head[8192] = "HTTP/1.1 503 OK\r\nA: ";
    struct http_answer answer;
    memset(head + strlen(head), 'a', sizeof head - strlen(head));
    assert_int_equal(read_copy(head, sizeof head, &answer), HTTP_ANSWER_STRANGE);
}

static void dead_is_what_the_adapter_calls_so(void **state)
{
    (void)state;
    static const struct {
        unsigned status;
        const char *body;
        bool dead;
    } cases[] = {
        {503, DEAD, true},
        {503, "x check failed\n", true},
        {200, DEAD, false},
        {500, DEAD, false},
        {503, "", false},
        {503, "no healthy upstream", false}, // of a proxy
        {503, "healthz check failed\nnot", false},
        {503, "healthz check passed\n", false},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct http_answer answer = {cases[i].status, cases[i].body, strlen(cases[i].body)};
        assert_int_equal(http_answer_says_dead(&answer), cases[i].dead);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(each_beginning_of_an_answer_is_a_part, drop_copy),
        cmocka_unit_test_teardown(what_follows_an_answer_is_none_of_it, drop_copy),
        cmocka_unit_test_teardown(what_is_no_answer_is_strange, drop_copy),
        cmocka_unit_test_teardown(a_head_without_an_end_is_strange, drop_copy),
        cmocka_unit_test(dead_is_what_the_adapter_calls_so),
    };
    return RUN(tests);
}
