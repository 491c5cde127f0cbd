// What is answered between the last probe and the exit, when nothing can be asked any more.
#include "server/answer/answer.h"

#include "unit.h"

#include <stdlib.h>
#include <string.h>

static struct service ending;

static int start(void **state)
{
    (void)state;
    struct settings settings;
    struct error error;
    struct words plain = {0};
    char flag[] = "--checks=library";
    char *argv[] = {flag, flag, NULL};
    (void)setenv("DATABASE_URL", "postgres://u@h/d", 1);
    if (!settings_load(&settings, 2, argv, NULL, 0, &plain, &error))
        return -1;
    ending.config = config_load(&settings);
    ending.statistics = statistics_new(0);
    return 0;
}

static int end(void **state)
{
    (void)state;
    config_release(ending.config);
    statistics_free(ending.statistics);
    return 0;
}

static void note(struct request *request)
{
    (void)request;
}

static void what_is_wrong_is_refused_and_readiness_fails(void **state)
{
    (void)state;
    static const struct {
        const char *target, *accept;
        unsigned status;
        const char *body; // its start
    } cases[] = {
        {"/readyz", "*/*", 503, "the adapter is ending\n"},
        {"/", "text/html", 503, "the adapter is ending\n"},
        {"/healthz", "*/*", 200, "the adapter is ending\n"},
        {"/liveness", "*/*", 200, "the adapter is ending\n"},
        {"/master", "*/*", 503, "the adapter is ending\n"},
        {"/livez", "*/*", 200, "the adapter is ending\n"},
        {"/metrics", "*/*", 200, "# the adapter is ending\n"},
        {"/status", "application/json", 503, "the adapter is ending\n"},
        {"/page.js", "*/*", 200, "//"},
        {"/readyz?format=xml", "*/*", 400, "format: expected json or text\n"},
        {"/metrics?exclude=a", "*/*", 400, "unknown parameter 'exclude'"},
        {"/livez/alive", "*/*", 404, "no such endpoint\n"},
        {"/Nothing", "*/*", 404, "no such endpoint\n"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct request *request = request_new(&ending, cases[i].target, NULL, note);
        request->may_have_details = true;
        print_message("%s\n", cases[i].target);
        request_parse(request, METHOD_GET, cases[i].accept);
        answer_request(request);
        const struct answer *answer = &request->answer;
        assert_int_equal(answer->status, cases[i].status);
        assert_int_equal(strncmp(answer->body, cases[i].body, strlen(cases[i].body)), 0);
        request_free(request);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_wrong_is_refused_and_readiness_fails),
    };
    return cmocka_run_group_tests(tests, start, end);
}
