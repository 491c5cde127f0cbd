// Routes: which targets lead where. What cannot be a name leads nowhere before anything looks for
// it.
#include "server/answer/route.h"
#include "server/check/reserved.h"

#include "common/text.h"

#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void check_route(const char *target, enum route_kind kind, const char *endpoint,
                        const char *check)
{
    struct route route;
    print_message("%s\n", target);
    route_parse(target, &route);
    assert_int_equal(route.kind, kind);
    if (kind == ROUTE_ENDPOINT || kind == ROUTE_FILE) {
        assert_string_equal(route.endpoint, endpoint);
        assert_string_equal(route.check, check);
    }
    route_clear(&route);
}

static void paths_lead_to_endpoints_and_their_checks(void **state)
{
    (void)state;
    static const struct {
        const char *target, *endpoint, *check;
    } cases[] = {
        {"/", "readyz", ""},
        {"/?verbose", "readyz", ""},
        {"/healthz", "healthz", ""},
        {"/healthz/", "healthz", ""},
        {"/readyz/lag", "readyz", "lag"},
        {"/readyz/lag/", "readyz", "lag"},
        {"/read-only", "read-only", ""},
        {"/readyz/livez", "readyz", "livez"},
        {"/%68ealthz", "healthz", ""},
        {"/read%2Donly/l%61g", "read-only", "lag"},
        {"/read%2donly", "read-only", ""},
        {"http://h/healthz", "healthz", ""},
        {"http://h:8080/readyz/lag?verbose", "readyz", "lag"},
        {"https://u@[::1]:1/healthz/", "healthz", ""},
        {"http://h", "readyz", ""},
        {"http://h/", "readyz", ""},
        {"http://h?verbose", "readyz", ""},
        {"/healthz#there", "healthz", ""},
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        check_route(cases[i].target, ROUTE_ENDPOINT, cases[i].endpoint, cases[i].check);
}

static void livez_has_no_checks(void **state)
{
    (void)state;
    check_route("/livez", ROUTE_LIVEZ, NULL, NULL);
    check_route("/livez/", ROUTE_LIVEZ, NULL, NULL);
    check_route("/livez?verbose", ROUTE_LIVEZ, NULL, NULL);
    check_route("http://h/livez", ROUTE_LIVEZ, NULL, NULL);
    check_route("/livez/alive", ROUTE_NOWHERE, NULL, NULL);
}

static void the_page_has_two_files(void **state)
{
    (void)state;
    check_route("/page.css", ROUTE_FILE, "page.css", "");
    check_route("/page.js?verbose", ROUTE_FILE, "page.js", "");
    check_route("/page%2Ejs/", ROUTE_FILE, "page.js", "");
    check_route("/page.html", ROUTE_NOWHERE, NULL, NULL);
    check_route("/page.js/alive", ROUTE_NOWHERE, NULL, NULL);
    check_route("/readyz/page.js", ROUTE_NOWHERE, NULL, NULL);
}

static void status_and_metrics_have_no_checks_of_their_own(void **state)
{
    (void)state;
    check_route("/status", ROUTE_STATUS, NULL, NULL);
    check_route("/metrics", ROUTE_METRICS, NULL, NULL);
    check_route("/metrics/", ROUTE_METRICS, NULL, NULL);
    check_route("/metrics/alive", ROUTE_NOWHERE, NULL, NULL);
}

static void fixed_names_are_those_with_a_kind_of_their_own(void **state)
{
    (void)state;
    const char *name;
    size_t count = 0;
    while ((name = reserved_path_name(count)) != NULL) {
        struct route route;
        char target[NAME_MAX_LENGTH + 2];
        (void)snprintf(target, sizeof target, "/%s", name);
        route_parse(target, &route);
        assert_int_not_equal(route.kind, ROUTE_ENDPOINT);
        assert_true(reserved_path(name) != RESERVED_COUNT);
        route_clear(&route);
        count++;
    }
    assert_int_equal(count, 3);
    assert_int_equal(reserved_path("readyz"), RESERVED_COUNT);
    assert_int_equal(reserved_path(""), RESERVED_COUNT);
}

static void what_is_no_name_leads_nowhere(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "//",
        "//healthz",
        "//h/healthz",
        "/healthz//",
        "/readyz//lag",
        "/readyz/lag/more",
        "/readyz/lag//",
        "/Healthz",
        "/health_z",
        "/healthz.html",
        "/healthz%20",
        "/healthz%2Flag",
        "/healthz%00",
        "/healthz%00evil",
        "/readyz/lag%00",
        "/.",
        "/..",
        "/../healthz",
        "/readyz/../healthz",
        "/%2e%2e/healthz",
        "/%C3%A4",
        "/h%61lthz%0a",
        "*",
        "/;x=1",
        "/a,b",
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        check_route(cases[i], ROUTE_NOWHERE, NULL, NULL);
}

static void names_may_be_as_long_as_names_are(void **state)
{
    (void)state;
    char target[2 * NAME_MAX_LENGTH + 8], name[NAME_MAX_LENGTH + 2];
    memset(name, 'n', sizeof name);
    name[NAME_MAX_LENGTH] = '\0';
    (void)snprintf(target, sizeof target, "/%s/%s", name, name);
    check_route(target, ROUTE_ENDPOINT, name, name);
    name[NAME_MAX_LENGTH] = 'n';
    name[NAME_MAX_LENGTH + 1] = '\0';
    (void)snprintf(target, sizeof target, "/%s", name);
    check_route(target, ROUTE_NOWHERE, NULL, NULL);
    (void)snprintf(target, sizeof target, "/readyz/%s", name);
    check_route(target, ROUTE_NOWHERE, NULL, NULL);
}

static void the_query_asks_for_more_or_less(void **state)
{
    (void)state;
    static const struct {
        const char *target;
        bool verbose;
        const char *exclude;
    } cases[] = {
        {"/readyz", false, ""},
        {"/readyz?", false, ""},
        {"/readyz?verbose", true, ""},
        {"/readyz?verbose=", true, ""},
        {"/readyz?verbose=1", true, ""},
        {"/readyz?verbose&verbose", true, ""},
        {"/readyz?&verbose&", true, ""},
        {"/readyz?%76erbose", true, ""},
        {"/readyz?exclude=a", false, "a|"},
        {"/readyz?exclude=a,b", false, "a|b|"},
        {"/readyz?exclude=a%2Cb", false, "a|b|"},
        {"/readyz?exclude=,a,,b,", false, "a|b|"},
        {"/readyz?exclude=a&verbose&exclude=b", true, "a|b|"},
        {"/readyz?exclude=", false, ""},
        {"/readyz?exclude", false, ""},
        {"/readyz/lag?verbose", true, ""},
        {"http://h/readyz?exclude=a&verbose", true, "a|"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct route route;
        char joined[64];
        struct text text = text_in(joined, sizeof joined);
        print_message("%s\n", cases[i].target);
        route_parse(cases[i].target, &route);
        assert_int_equal(route.kind, ROUTE_ENDPOINT);
        assert_int_equal(route.verbose, cases[i].verbose);
        for (size_t j = 0; j < route.exclude.count; j++)
            text_addf(&text, "%s|", route.exclude.items[j]);
        assert_string_equal(joined, cases[i].exclude);
        route_clear(&route);
    }
}

static void check_bad(const char *target, const char *message)
{
    struct route route;
    print_message("%s\n", target);
    route_parse(target, &route);
    assert_int_equal(route.kind, ROUTE_BAD);
    assert_string_equal(route.error.text, message);
    route_clear(&route);
}

static void bad_targets_say_why(void **state)
{
    (void)state;
    static const char no_url[] = "the request's target is no valid URL";
    static const char *const targets[] = {
        "/%",    "/%4", "/%zz",  "/a b",     "/\x7f",       "/\xc3\xa4", "/?a=%zz",
        "/?a=[", "/\"", "/a\nb", "http://[", "/?verbose=%", "/{x}",      "http://h:x/"};
    for (size_t i = 0; i < COUNT(targets); i++)
        check_bad(targets[i], no_url);
    static const char nul[] = "a NUL character (%00) cannot be part of a query";
    check_bad("/replica?max=5%00x", nul);
    check_bad("/readyz?verbose%00", nul);
}

// What is answered about each would be many times as long as the request.
static void only_so_many_checks_are_excluded(void **state)
{
    (void)state;
    char target[256];
    struct text text = text_in(target, sizeof target);
    text_add(&text, "/readyz?exclude=a");
    for (unsigned i = 1; i < 64; i++)
        text_add(&text, ",a");
    check_route(target, ROUTE_ENDPOINT, "readyz", "");
    text_add(&text, "&exclude=b");
    check_bad(target, "exclude: expected at most 64 names");
}

static void other_keys_may_be_params_of_checks(void **state)
{
    (void)state;
    struct route route;
    route_parse("/replica?max=5&verbose&name=a%20b&empty", &route);
    assert_int_equal(route.kind, ROUTE_ENDPOINT);
    assert_true(route.verbose);
    assert_int_equal(route.param_names.count, 3);
    assert_string_equal(route.param_names.items[0], "max");
    assert_string_equal(route.param_values.items[0], "5");
    assert_string_equal(route.param_values.items[1], "a b");
    assert_string_equal(route.param_values.items[2], "");
    route_clear(&route);
}

// Which of two values counts would be a guess, and thousands would be kept while the request waits.
static void params_are_given_once_and_not_too_many(void **state)
{
    (void)state;
    char target[512];
    struct text text = text_in(target, sizeof target);
    check_bad("/replica?max=5&b=1&max=50", "max is given a second time");
    check_bad("/replica?a%1b%0a=1&a%1b%0a=1", "a  is given a second time");
    text_add(&text, "/replica?p0");
    for (unsigned i = 1; i < 32; i++)
        text_addf(&text, "&p%u", i);
    check_route(target, ROUTE_ENDPOINT, "replica", "");
    text_add(&text, "&p32");
    check_bad(target, "more than 32 parameters in the query");
}

// And so often as it likes, for it is no param.
static void what_monitors_add_to_get_around_caches_is_ignored(void **state)
{
    (void)state;
    static const char *const added[] = {"uptime_kuma_cachebuster=ab12cd",
                                        "_=1764455000000",
                                        "_",
                                        "_x%20y=1",
                                        "1764455000000",
                                        "cachebuster=1",
                                        "noCache=1",
                                        "cb=x",
                                        "nocache",
                                        "t=1",
                                        "ts=1",
                                        "rand=0.5",
                                        "_=1&_=2"};
    static const char *const paths[] = {"/readyz", "/",        "/replica/lag", "/livez",
                                        "/status", "/metrics", "/page.js"};
    for (size_t i = 0; i < COUNT(added); i++) {
        for (size_t j = 0; j < COUNT(paths); j++) {
            char target[128];
            struct route route;
            (void)snprintf(target, sizeof target, "%s?verbose&%s", paths[j], added[i]);
            print_message("%s\n", target);
            route_parse(target, &route);
            assert_int_not_equal(route.kind, ROUTE_BAD);
            assert_true(route.verbose);
            assert_int_equal(route.param_names.count, 0);
            route_clear(&route);
        }
    }
    check_bad("/metrics?cachebusters=1", "unknown parameter 'cachebusters' in the query, expected "
                                         "verbose or format=text");
    check_bad("/metrics?1x=1",
              "unknown parameter '1x' in the query, expected verbose or format=text");
}

static void a_warning_has_the_status_that_is_asked_for(void **state)
{
    (void)state;
    static const struct {
        const char *target;
        unsigned status;
    } cases[] = {{"/readyz", 200},           {"/readyz?warn=429", 429},
                 {"/?warn=503", 503},        {"/replica/lag?verbose&warn=429", 429},
                 {"/readyz?warn=200", 200},  {"/readyz?warn=429&warn=503", 503},
                 {"/readyz?warn=%3429", 429}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct route route;
        print_message("%s\n", cases[i].target);
        route_parse(cases[i].target, &route);
        assert_int_equal(route.kind, ROUTE_ENDPOINT);
        assert_int_equal(route.warn_status, cases[i].status);
        route_clear(&route);
    }
    static const char *const bad[] = {"/readyz?warn", "/readyz?warn=", "/readyz?warn=500",
                                      "/readyz?warn=+429", "/readyz?warn=yes"};
    for (size_t i = 0; i < COUNT(bad); i++)
        check_bad(bad[i], "warn: expected 429, 503 or 200");
    check_bad("/metrics?warn=429",
              "unknown parameter 'warn' in the query, expected verbose or format=text");
}

static void the_format_may_be_said(void **state)
{
    (void)state;
    static const struct {
        const char *target;
        enum format format;
        bool root;
    } cases[] = {
        {"/readyz?format=json", FORMAT_JSON, false}, {"/readyz?format=text", FORMAT_TEXT, false},
        {"/readyz", FORMAT_UNSAID, false},           {"/", FORMAT_UNSAID, true},
        {"/?format=html", FORMAT_HTML, true},        {"/?format=json", FORMAT_JSON, true},
        {"http://h?format=text", FORMAT_TEXT, true}, {"/readyz/?verbose", FORMAT_UNSAID, false},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct route route;
        print_message("%s\n", cases[i].target);
        route_parse(cases[i].target, &route);
        assert_int_equal(route.kind, ROUTE_ENDPOINT);
        assert_int_equal(route.format, cases[i].format);
        assert_int_equal(route.root, cases[i].root);
        route_clear(&route);
    }
    check_bad("/readyz?format=xml", "format: expected json or text");
    check_bad("/readyz?format", "format: expected json or text");
    check_bad("/readyz?format=html", "format: expected json or text");
    check_bad("/?format=xml", "format: expected json, html or text");
}

// A key that a path would ignore is refused, and the words say which it has.
static void each_path_has_its_own_keys(void **state)
{
    (void)state;
    static const struct {
        const char *target, *message;
    } refused[] = {
        {"/livez?exclude=a", "unknown parameter 'exclude' in the query, expected verbose, "
                             "format=text or format=json"},
        {"/livez?history", "unknown parameter 'history' in the query, expected verbose, "
                           "format=text or format=json"},
        {"/livez?max=5", "unknown parameter 'max' in the query, expected verbose, "
                         "format=text or format=json"},
        {"/livez?format=html", "format: expected json or text"},
        {"/status?exclude=a", "unknown parameter 'exclude' in the query, expected verbose, "
                              "history or format=json"},
        {"/status?a%1b%0a=5", "unknown parameter 'a' in the query, expected verbose, "
                              "history or format=json"},
        {"/status?format=text", "format: expected json"},
        {"/metrics?exclude=a",
         "unknown parameter 'exclude' in the query, expected verbose or format=text"},
        {"/metrics?history",
         "unknown parameter 'history' in the query, expected verbose or format=text"},
        {"/metrics?format=json", "format: expected text"},
        {"/page.js?format=text", "unknown parameter 'format' in the query, expected verbose"},
        {"/page.css?exclude=a", "unknown parameter 'exclude' in the query, expected verbose"},
    };
    for (size_t i = 0; i < COUNT(refused); i++)
        check_bad(refused[i].target, refused[i].message);
    check_route("/livez?verbose&format=json", ROUTE_LIVEZ, NULL, NULL);
    check_route("/status?history&format=json&verbose", ROUTE_STATUS, NULL, NULL);
    check_route("/metrics?verbose&format=text", ROUTE_METRICS, NULL, NULL);
    check_route("/a_b?verbose&history&exclude=a&max=5", ROUTE_NOWHERE, NULL, NULL);
}

static void long_targets_are_answered_like_others(void **state)
{
    (void)state;
    enum { LONG = 100000 };
    char *target = malloc(LONG + 1);
    assert_non_null(target);
    memset(target, 'a', LONG);
    target[LONG] = '\0';
    target[0] = '/';
    check_route(target, ROUTE_NOWHERE, NULL, NULL);
    memset(target, '/', LONG);
    target[1] = 'a';
    check_route(target, ROUTE_NOWHERE, NULL, NULL);
    static const char excluding[] = "/readyz?exclude=";
    memset(target, ',', LONG);
    memcpy(target, excluding, strlen(excluding));
    check_route(target, ROUTE_ENDPOINT, "readyz", "");
    free(target);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_lead_to_endpoints_and_their_checks),
        cmocka_unit_test(livez_has_no_checks),
        cmocka_unit_test(the_page_has_two_files),
        cmocka_unit_test(status_and_metrics_have_no_checks_of_their_own),
        cmocka_unit_test(fixed_names_are_those_with_a_kind_of_their_own),
        cmocka_unit_test(what_is_no_name_leads_nowhere),
        cmocka_unit_test(names_may_be_as_long_as_names_are),
        cmocka_unit_test(the_query_asks_for_more_or_less),
        cmocka_unit_test(bad_targets_say_why),
        cmocka_unit_test(only_so_many_checks_are_excluded),
        cmocka_unit_test(other_keys_may_be_params_of_checks),
        cmocka_unit_test(params_are_given_once_and_not_too_many),
        cmocka_unit_test(what_monitors_add_to_get_around_caches_is_ignored),
        cmocka_unit_test(a_warning_has_the_status_that_is_asked_for),
        cmocka_unit_test(the_format_may_be_said),
        cmocka_unit_test(each_path_has_its_own_keys),
        cmocka_unit_test(long_targets_are_answered_like_others),
    };
    return RUN(tests);
}
