// Settings: the table's defaults, flags over variables, and that a bad value names itself and
// leaves the default, for an adapter that does not serve gets its database killed.
#include "server/config/settings.h"

#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const variables[] = {
    "DBHEALTH_LISTEN",       "DBHEALTH_CHECKS",        "DBHEALTH_ENABLE",
    "DBHEALTH_DISABLE",      "DBHEALTH_TIMEOUT",       "DBHEALTH_CACHE",
    "DBHEALTH_DEADLINE",     "DBHEALTH_KEEP",          "DBHEALTH_DRAIN",
    "DBHEALTH_DRAIN_FILE",   "DBHEALTH_TLS_CERT",      "DBHEALTH_TLS_KEY",
    "DBHEALTH_LOG_FORMAT",   "DBHEALTH_LOG_LEVEL",     "DBHEALTH_DETAILS_LISTEN",
    "DBHEALTH_AGENT_LISTEN", "DBHEALTH_TLS_CLIENT_CA", "DBHEALTH_PEERS",
    "DBHEALTH_PEERS_CA"};

static void clear_environment(void)
{
    for (size_t i = 0; i < COUNT(variables); i++)
        assert_int_equal(unsetenv(variables[i]), 0);
}

static void add_words(FILE *file, const char *name, const struct words *words)
{
    fprintf(file, " %s=", name);
    for (size_t i = 0; i < words->count; i++)
        fprintf(file, "%s%s", i > 0 ? "|" : "", words->items[i]);
}

// All settings in one line; freed by the caller.
static char *show(const struct settings *settings)
{
    char *line = NULL;
    size_t length;
    FILE *file = open_memstream(&line, &length);
    assert_non_null(file);
    fprintf(file, "listen=%s", settings->listen);
    if (settings->details_listen[0] != '\0')
        fprintf(file, "|%s", settings->details_listen);
    add_words(file, "checks", &settings->checks);
    add_words(file, "enable", &settings->enable);
    add_words(file, "disable", &settings->disable);
    fprintf(file, " timeout=%lld cache=%lld deadline=%lld", (long long)settings->timeout.ms,
            (long long)settings->cache.ms, (long long)settings->deadline.ms);
    add_words(file, "keep", &settings->keep);
    fprintf(file, " drain=%lld drain-file=%s", (long long)settings->drain.ms, settings->drain_file);
    fprintf(file, " tls=%s|%s", settings->tls_cert, settings->tls_key);
    if (settings->tls_client_ca[0] != '\0')
        fprintf(file, "|%s", settings->tls_client_ca);
    if (settings->peers.count > 0)
        add_words(file, "peers", &settings->peers);
    if (settings->peers_ca[0] != '\0')
        fprintf(file, " peers-ca=%s", settings->peers_ca);
    fprintf(file, " log-format=%u log-level=%u", (unsigned)settings->log_format,
            (unsigned)settings->log_level);
    if (settings->agent_listen[0] != '\0')
        fprintf(file, " agent-listen=%s", settings->agent_listen);
    assert_int_equal(fclose(file), 0);
    return line;
}

enum { WORDS_MAX = 24 };

// Loads with these words on the command line, split at blanks, after the program's name.
static bool load(struct settings *settings, const char *words, struct error *error)
{
    static char name[] = "dbhealthd";
    char *argv[WORDS_MAX + 2] = {name};
    struct words list = {0};
    words_split(&list, words, " ");
    assert_true(list.count <= WORDS_MAX);
    for (size_t i = 0; i < list.count; i++)
        argv[i + 1] = list.items[i];
    struct words plain = {0};
    bool loaded = settings_load(settings, (int)list.count + 1, argv, NULL, 0, &plain, error);
    assert_int_equal(plain.count, 0);
    words_free(&list);
    return loaded;
}

// The settings that these flags give, and the one problem with them ("": none).
static void expect(const char *flags, const char *shown, const char *problem)
{
    struct settings settings;
    struct error error;
    print_message("%s\n", flags);
    assert_true(load(&settings, flags, &error));
    struct settings original = settings;
    settings = settings_copy(&original); // which must stand on its own
    settings_clear(&original);
    char *line = show(&settings);
    assert_string_equal(line, shown);
    assert_int_equal(settings.problems.count, problem[0] != '\0');
    if (settings.problems.count > 0)
        assert_string_equal(settings.problems.items[0], problem);
    free(line);
    settings_clear(&settings);
    assert_null(settings.listen);
}

static const char defaults[] =
    "listen=:8080 checks=library enable= disable= timeout=800 cache=2000 "
    "deadline=900 keep= drain=10000 drain-file= tls=| log-format=0 log-level=1";

static const char all_others[] = "listen=127.0.0.1:1|:2 checks=/a|library enable=write "
                                 "disable=alive|lag timeout=500 cache=0 deadline=600 "
                                 "keep=main drain=0 drain-file=/d tls=/c|/k|/a "
                                 "peers=db:1|https://[::1]:2 peers-ca=/a log-format=1 "
                                 "log-level=3 agent-listen=:9";

static const struct {
    const char *flag, *variable, *value, *bad_value, *problem;
} settings_table[] = {
    {"--listen", "DBHEALTH_LISTEN", "127.0.0.1:1", NULL, NULL},
    {"--details-listen", "DBHEALTH_DETAILS_LISTEN", ":2", NULL, NULL},
    {"--agent-listen", "DBHEALTH_AGENT_LISTEN", ":9", NULL, NULL},
    {"--checks", "DBHEALTH_CHECKS", "/a::library:", NULL, NULL},
    {"--enable", "DBHEALTH_ENABLE", "write", "a,_", "'_' is no name, expected a-z, 0-9 and '-'"},
    {"--disable", "DBHEALTH_DISABLE", ",alive,lag,", "alive,La",
     "'La' is no name, expected a-z, 0-9 and '-'"},
    {"--timeout", "DBHEALTH_TIMEOUT", "500ms", "500",
     "'500' is not a duration, expected a number with a unit, like 500ms, 1.5s, 2m or 1h"},
    {"--cache", "DBHEALTH_CACHE", "0s", "25h", "'25h' is too long, expected at most 24h"},
    {"--deadline", "DBHEALTH_DEADLINE", "0.6s", "0ms", "'0ms' is out of range, expected 1ms to 1h"},
    {"--keep", "DBHEALTH_KEEP", "main", "main,Le", "'Le' is no name, expected a-z, 0-9 and '-'"},
    {"--drain", "DBHEALTH_DRAIN", "0ms", "2h", "'2h' is out of range, expected 0ms to 1h"},
    {"--drain-file", "DBHEALTH_DRAIN_FILE", "/d", NULL, NULL},
    {"--tls-cert", "DBHEALTH_TLS_CERT", "/c", NULL, NULL},
    {"--tls-key", "DBHEALTH_TLS_KEY", "/k", NULL, NULL},
    {"--tls-client-ca", "DBHEALTH_TLS_CLIENT_CA", "/a", NULL, NULL},
    {"--peers", "DBHEALTH_PEERS", "db:1,https://[::1]:2", "db:1,db",
     "'db': expected [https://]HOST:PORT"},
    {"--peers-ca", "DBHEALTH_PEERS_CA", "/a", NULL, NULL},
    {"--log-format", "DBHEALTH_LOG_FORMAT", "json", "JSON",
     "'JSON' is unknown, expected logfmt or json"},
    {"--log-level", "DBHEALTH_LOG_LEVEL", "error", "3",
     "'3' is unknown, expected debug, info, warn or error"},
};

static void without_flags_and_variables_all_is_default(void **state)
{
    (void)state;
    clear_environment();
    expect("", defaults, "");
}

static void an_empty_variable_is_none(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(variables); i++)
        assert_int_equal(setenv(variables[i], "", 1), 0);
    expect("", defaults, "");
    clear_environment();
}

static void every_setting_comes_from_its_variable(void **state)
{
    (void)state;
    assert_int_equal(COUNT(settings_table), COUNT(variables));
    for (size_t i = 0; i < COUNT(settings_table); i++)
        assert_int_equal(setenv(settings_table[i].variable, settings_table[i].value, 1), 0);
    expect("", all_others, "");
    clear_environment();
}

static void every_setting_comes_from_its_flag_in_either_form(void **state)
{
    (void)state;
    clear_environment();
    expect(
        "--listen 127.0.0.1:1 --checks /a::library: --enable write --disable ,alive,lag, --timeout "
        "500ms "
        "--cache 0s --deadline=0.6s --details-listen :2",
        "listen=127.0.0.1:1|:2 checks=/a|library enable=write disable=alive|lag timeout=500 "
        "cache=0 "
        "deadline=600 keep= drain=10000 drain-file= tls=| log-format=0 log-level=1",
        "");
    expect("--agent-listen :9 --drain=0ms --drain-file=/d --tls-cert=/c --tls-key=/k "
           "--tls-client-ca /a --log-format "
           "json --log-level "
           "error",
           "listen=:8080 checks=library enable= disable= timeout=800 cache=2000 deadline=900 keep= "
           "drain=0 "
           "drain-file=/d tls=/c|/k|/a log-format=1 "
           "log-level=3 agent-listen=:9",
           "");
}

static void a_flag_wins_over_its_variable_and_the_last_over_the_first(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(settings_table); i++)
        assert_int_equal(setenv(settings_table[i].variable, settings_table[i].value, 1), 0);
    expect("--cache 1s --log-level=warn --disable x --cache=3s",
           "listen=127.0.0.1:1|:2 checks=/a|library enable=write disable=x timeout=500 cache=3000 "
           "deadline=600 "
           "keep=main drain=0 drain-file=/d tls=/c|/k|/a peers=db:1|https://[::1]:2 peers-ca=/a "
           "log-format=1 log-level=2 agent-listen=:9",
           "");
    clear_environment();
}

static void a_bad_variable_names_itself_and_leaves_the_default(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(settings_table); i++) {
        struct error problem;
        if (settings_table[i].bad_value == NULL)
            continue;
        clear_environment();
        assert_int_equal(setenv(settings_table[i].variable, settings_table[i].bad_value, 1), 0);
        (void)error_set(&problem, "%s: %s", settings_table[i].variable, settings_table[i].problem);
        expect("", defaults, problem.text);
    }
    clear_environment();
}

static void a_bad_flag_names_itself_and_leaves_the_default(void **state)
{
    (void)state;
    clear_environment();
    for (size_t i = 0; i < COUNT(settings_table); i++) {
        struct error flags, problem;
        if (settings_table[i].bad_value == NULL)
            continue;
        (void)error_set(&flags, "%s %s", settings_table[i].flag, settings_table[i].bad_value);
        (void)error_set(&problem, "%s: %s", settings_table[i].flag, settings_table[i].problem);
        expect(flags.text, defaults, problem.text);
    }
}

static void durations_keep_to_their_ranges(void **state)
{
    (void)state;
    static const struct {
        const char *flags;
        bool within;
    } cases[] = {
        {"--timeout 1ms", true},
        {"--timeout 0ms", false},
        {"--deadline 1h --timeout 1h", true},
        {"--deadline 1h --timeout 3600001ms", false},
        {"--deadline 3600001ms", false},
        {"--cache 0ms", true},
        {"--cache 24h", true},
        {"--cache 86400001ms", false},
        {"--drain 0s", true},
        {"--drain 1h", true},
        {"--drain 61m", false},
        {"--drain -1s", false},
    };
    clear_environment();
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct settings settings;
        struct error error;
        print_message("%s\n", cases[i].flags);
        assert_true(load(&settings, cases[i].flags, &error));
        assert_int_equal(settings.problems.count, !cases[i].within);
        settings_clear(&settings);
    }
}

static void a_timeout_above_the_deadline_is_a_problem_and_cut_to_it(void **state)
{
    (void)state;
    struct settings settings;
    struct error error;
    clear_environment();
    assert_true(load(&settings, "--timeout 2s --deadline 1s", &error));
    assert_int_equal(settings.problems.count, 1);
    assert_string_equal(settings.problems.items[0],
                        "DBHEALTH_TIMEOUT: above DBHEALTH_DEADLINE, expected at most that");
    assert_int_equal(settings.timeout.ms, 1000);
    settings_clear(&settings);
    assert_true(load(&settings, "--timeout 1s --deadline 1s", &error));
    assert_int_equal(settings.problems.count, 0);
    settings_clear(&settings);
}

// Who sets a shorter deadline need not know that there is a timeout.
static void a_deadline_below_the_default_timeout_just_lowers_it(void **state)
{
    (void)state;
    clear_environment();
    expect("--deadline 500ms",
           "listen=:8080 checks=library enable= disable= timeout=500 cache=2000 deadline=500 keep= "
           "drain=10000 "
           "drain-file= tls=| log-format=0 log-level=1",
           "");
}

static void every_problem_is_kept(void **state)
{
    (void)state;
    struct settings settings;
    struct error error;
    clear_environment();
    assert_int_equal(setenv("DBHEALTH_CACHE", "x", 1), 0);
    assert_true(load(&settings, "--cache y --drain z --log-level loud", &error));
    assert_int_equal(settings.problems.count, 4);
    settings_clear(&settings);
    clear_environment();
}

static void what_cannot_be_served_with_is_refused_by_name(void **state)
{
    (void)state;
    static const struct {
        const char *words, *message;
    } cases[] = {
        {"--nothing", "--nothing: unknown flag; see dbhealthd --help"},
        {"--nothing=5", "--nothing=5: unknown flag; see dbhealthd --help"},
        {"--listen :1 --nothing 5", "--nothing: unknown flag; see dbhealthd --help"},
        {"-x", "-x: unknown flag; see dbhealthd --help"},
        {"-help", "-help: unknown flag; see dbhealthd --help"},
        {"--listen :1 -xyz", "-xyz: unknown flag; see dbhealthd --help"},
        {"--log x", "--log: unknown flag; see dbhealthd --help"}, // of two
        {"--database-url mysql://u:p@h", "--database-url: unknown flag; see dbhealthd --help"},
        {"--timeout", "--timeout: expected a value"},
        {"--listen :1 --timeout", "--timeout: expected a value"},
    };
    clear_environment();
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct settings settings;
        struct error error = {"none"};
        print_message("%s\n", cases[i].words);
        assert_false(load(&settings, cases[i].words, &error));
        assert_string_equal(error.text, cases[i].message);
        settings_clear(&settings);
    }
    expect("", defaults, ""); // and no trace of it is left
}

static void what_is_no_flag_is_handed_on_in_order(void **state)
{
    (void)state;
    static char arguments[][16] = {"check", "a", "--cache", "1s", "-", "b", "--", "--c"};
    char *argv[COUNT(arguments) + 1] = {NULL};
    for (size_t i = 0; i < COUNT(arguments); i++)
        argv[i] = arguments[i];
    struct settings settings;
    struct words words = {0};
    struct error error;
    clear_environment();
    assert_true(settings_load(&settings, COUNT(arguments), argv, NULL, 0, &words, &error));
    assert_int_equal(settings.cache.ms, 1000);
    static const char *const wanted[] = {"a", "-", "b", "--c"};
    assert_int_equal(words.count, COUNT(wanted));
    for (size_t i = 0; i < COUNT(wanted); i++)
        assert_string_equal(words.items[i], wanted[i]);
    words_free(&words);
    settings_clear(&settings);
}

static void an_extra_flag_takes_the_place_of_a_setting(void **state)
{
    (void)state;
    static char arguments[][16] = {"wait", "--timeout=5s", "--cache=0s"};
    char *argv[COUNT(arguments) + 1] = {NULL};
    for (size_t i = 0; i < COUNT(arguments); i++)
        argv[i] = arguments[i];
    const char *timeout = "60s";
    const struct extra_flag extra[] = {{"timeout", &timeout, NULL}};
    struct settings settings;
    struct words words = {0};
    struct error error;
    clear_environment();
    assert_true(settings_load(&settings, COUNT(arguments), argv, extra, 1, &words, &error));
    assert_string_equal(timeout, "5s");
    assert_int_equal(settings.timeout.ms, 800);
    assert_int_equal(settings.cache.ms, 0);
    settings_clear(&settings);
}

static void expect_watch(char *flag, const char *wanted)
{
    char name[] = "check";
    char *argv[] = {name, flag, name, NULL};
    const char *watch = NULL;
    const struct extra_flag extra[] = {{"watch", &watch, "1s"}};
    struct settings settings;
    struct words words = {0};
    struct error error;
    assert_true(settings_load(&settings, 3, argv, extra, 1, &words, &error));
    assert_string_equal(watch, wanted);
    assert_int_equal(words.count, 1); // what stands behind the flag is no value of it
    words_free(&words);
    settings_clear(&settings);
}

static void there_are_sixteen_peers_at_most(void **state)
{
    (void)state;
    static const char sixteen[] = "--peers a:1,b:1,c:1,d:1,e:1,f:1,g:1,h:1,i:1,j:1,k:1,l:1,m:1,n:1,"
                                  "o:1,p:1";
    char flags[128];
    struct settings settings;
    struct error error;
    clear_environment();
    assert_true(load(&settings, sixteen, &error));
    assert_int_equal(settings.peers.count, 16);
    settings_clear(&settings);
    (void)snprintf(flags, sizeof flags, "%s,q:1", sixteen);
    expect(flags, defaults, "--peers: 17 adapters, expected at most 16");
}

static void an_extra_flag_may_stand_without_a_value(void **state)
{
    (void)state;
    static char bare[] = "--watch", given[] = "--watch=5s";
    clear_environment();
    expect_watch(bare, "1s");
    expect_watch(given, "5s");
}

static void every_row_can_be_walked(void **state)
{
    (void)state;
    struct setting_row row;
    size_t count = 0;
    for (; settings_row(count, &row); count++) {
        assert_string_equal(row.flag, settings_table[count].flag + strlen("--"));
        assert_string_equal(row.variable, settings_table[count].variable);
    }
    assert_int_equal(count, COUNT(settings_table));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_flags_and_variables_all_is_default),
        cmocka_unit_test(an_empty_variable_is_none),
        cmocka_unit_test(every_setting_comes_from_its_variable),
        cmocka_unit_test(every_setting_comes_from_its_flag_in_either_form),
        cmocka_unit_test(a_flag_wins_over_its_variable_and_the_last_over_the_first),
        cmocka_unit_test(a_bad_variable_names_itself_and_leaves_the_default),
        cmocka_unit_test(a_bad_flag_names_itself_and_leaves_the_default),
        cmocka_unit_test(durations_keep_to_their_ranges),
        cmocka_unit_test(a_timeout_above_the_deadline_is_a_problem_and_cut_to_it),
        cmocka_unit_test(a_deadline_below_the_default_timeout_just_lowers_it),
        cmocka_unit_test(every_problem_is_kept),
        cmocka_unit_test(what_cannot_be_served_with_is_refused_by_name),
        cmocka_unit_test(what_is_no_flag_is_handed_on_in_order),
        cmocka_unit_test(an_extra_flag_takes_the_place_of_a_setting),
        cmocka_unit_test(there_are_sixteen_peers_at_most),
        cmocka_unit_test(an_extra_flag_may_stand_without_a_value),
        cmocka_unit_test(every_row_can_be_walked),
    };
    return RUN(tests);
}
