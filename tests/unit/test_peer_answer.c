// What a peer says of a role, which is not to be trusted.
#include "prober/peer_answer.h"

#include "unit.h"

#include <stdio.h>
#include <string.h>

#define SELF "0123456789abcdef0123456789abcdef"

static bool answer_of(unsigned status, const char *body, struct peer_answer *answer)
{
    struct error error;
    print_message("%u %s\n", status, body);
    return peer_answer_read(status, body, strlen(body), answer, &error);
}

// What the document with these checks says of the role.
static void expect(const char *checks, bool holds, double since)
{
    char body[1024];
    struct peer_answer answer;
    (void)snprintf(body, sizeof body, "{\"time\": \"2026-11-30T10:00:00.500Z\", \"checks\": {%s}}",
                   checks);
    assert_true(answer_of(200, body, &answer));
    assert_int_equal(answer.holds, holds);
    assert_int_equal((int)(answer.since_seconds * 1000), (int)(since * 1000));
    assert_string_equal(answer.instance, "");
    assert_false(answer.draining);
}

static void a_role_holds_if_a_check_passes_and_none_fails(void **state)
{
    (void)state;
    expect("\"a\": [{\"verdict\": \"pass\", \"since\": \"2026-11-30T09:59:58.000Z\"}]", true, 2.5);
    expect("\"a\": [{\"verdict\": \"warn\", \"since\": \"2026-11-30T10:00:00Z\"}]", true, 0.5);
    expect("\"a\": [{\"verdict\": \"pass\"}]", true, -1);
    expect("\"a\": [{\"verdict\": \"pass\"}], \"b\": [{\"verdict\": \"skipped\"}]", true, -1);
    expect("\"a\": [{\"verdict\": \"pass\"}], \"b\": [{\"verdict\": \"fail\"}]", false, -1);
    expect("\"a\": [{\"verdict\": \"unknown\"}]", false, -1);
    expect("\"a\": [{\"verdict\": \"skipped\"}]", false, -1);
    expect("\"a\": [{\"verdict\": \"perhaps\"}]", false, -1);
    expect("\"a\": [], \"b\": 1, \"c\": [1]", false, -1);
    expect("", false, -1);
}

static void the_latest_change_counts(void **state)
{
    (void)state;
    expect("\"a\": [{\"verdict\": \"pass\", \"since\": \"2026-11-30T09:00:00.000Z\"}],"
           "\"b\": [{\"verdict\": \"pass\", \"since\": \"2026-11-30T09:59:00.500Z\"}]",
           true, 60);
    // A time that is none, and one that has not come yet.
    expect("\"a\": [{\"verdict\": \"pass\", \"since\": \"yesterday\"}]", true, -1);
    expect("\"a\": [{\"verdict\": \"pass\", \"since\": \"2026-11-30T11:00:00Z\"}]", true, -1);
    expect("\"a\": [{\"verdict\": \"pass\", \"since\": \"2026-11-30T09:00:00+01:00\"}]", true, -1);
}

static void who_it_is_and_whether_it_drains(void **state)
{
    (void)state;
    struct peer_answer answer;
    assert_true(answer_of(503, "{\"instance\": \"" SELF "\", \"draining\": true, \"checks\": {}}",
                          &answer));
    assert_string_equal(answer.instance, SELF);
    assert_true(answer.draining);
    assert_true(answer_of(200, "{\"draining\": \"yes\", \"checks\": {}}", &answer));
    assert_false(answer.draining);
}

static void a_path_that_is_not_there_is_no_role(void **state)
{
    (void)state;
    struct peer_answer answer;
    assert_true(answer_of(404, "there is no endpoint", &answer));
    assert_false(answer.holds);
}

static void what_no_adapter_says_is_refused(void **state)
{
    (void)state;
    static const struct {
        unsigned status;
        const char *body, *words;
    } cases[] = {
        {200, "ok", "what it says is no document of an adapter"},
        {200, "[]", "what it says is no document of an adapter"},
        {200, "{}", "what it says is no document of an adapter"},
        {200, "{\"checks\": []}", "what it says is no document of an adapter"},
        {200, "{\"checks\": {}, \"checks\": {}}", "what it says is no document of an adapter"},
        {200, "{\"checks\": {}, \"instance\": 1}", "what it says is no document of an adapter"},
        {200, "{\"checks\": {}, \"instance\": \"" SELF "0\"}",
         "what it says is no document of an adapter"},
        {200, "{\"checks\": {}, \"instance\": \"0123456789ABCDEF0123456789ABCDEF\"}",
         "what it says is no document of an adapter"},
        {200, "{\"checks\": {}} {}", "what it says is no document of an adapter"},
        {403, "", "it says 403: ask where it listens for details"},
        {301, "", "it says 301, expected 200 or 503"},
        {500, "{\"checks\": {}}", "it says 500, expected 200 or 503"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct peer_answer answer;
        struct error error;
        print_message("%s\n", cases[i].body);
        assert_false(peer_answer_read(cases[i].status, cases[i].body, strlen(cases[i].body),
                                      &answer, &error));
        assert_string_equal(error.text, cases[i].words);
        assert_false(answer.holds);
        assert_string_equal(answer.instance, "");
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_role_holds_if_a_check_passes_and_none_fails),
        cmocka_unit_test(the_latest_change_counts),
        cmocka_unit_test(who_it_is_and_whether_it_drains),
        cmocka_unit_test(a_path_that_is_not_there_is_no_role),
        cmocka_unit_test(what_no_adapter_says_is_refused),
    };
    return RUN(tests);
}
