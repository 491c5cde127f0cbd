// Check files: what every key gives, what every mistake says and where, and that no file however
// hostile does more than break its own check.
#include "server/check/check_file.h"

#include "common/memory.h"
#include "common/target.h"
#include "common/text.h"
#include "common/wire.h"

#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct check_defaults defaults = {
    .timeout = {800}, .cache = {2000}, .deadline = {900}};

static struct check *parse_bytes(const char *text, size_t length)
{
    char *copy = malloc(length + (length == 0)); // no byte more: the sanitizer watches its end
    assert_non_null(copy);
    memcpy(copy, text, length);
    struct check *check = check_file_parse("lag", "dir/lag.sql", copy, length, &defaults);
    free(copy);
    return check;
}

static struct check *parse(const char *text)
{
    return parse_bytes(text, strlen(text));
}

// A check that must be sound.
static struct check *sound(const char *text)
{
    struct check *check = parse(text);
    if (check->broken != NULL)
        fail_msg("'%s' is broken: %s", text, check->broken);
    return check;
}

static void broken(const char *text, const char *message)
{
    struct check *check = parse(text);
    print_message("%.200s\n", text);
    if (check->broken == NULL)
        fail_msg("not broken");
    assert_string_equal(check->broken, message);
    check_free(check);
}

static void check_words(const struct words *words, const char *wanted)
{
    char joined[256];
    struct text text = text_in(joined, sizeof joined);
    for (size_t i = 0; i < words->count; i++)
        text_addf(&text, "%s%s", i > 0 ? " " : "", words->items[i]);
    assert_string_equal(joined, wanted);
}

// --- what a file gives

static void a_statement_alone_has_all_defaults(void **state)
{
    (void)state;
    struct check *check = sound("SELECT 1;\n");
    assert_string_equal(check->name, "lag");
    assert_string_equal(check->place, "dir/lag.sql");
    assert_null(check->description);
    check_words(&check->endpoints, "readyz");
    assert_string_equal(check->prober, "main");
    assert_int_equal(check->timeout.ms, 800);
    assert_int_equal(check->cache.ms, 2000);
    assert_int_equal(check->every.ms, 0);
    assert_int_equal(check->rule_count, 0);
    assert_int_equal(check->tolerate.bits, 0);
    assert_false(check->skips_missing);
    assert_false(check->writes);
    assert_true(check->metrics);
    assert_int_equal(check->metric_columns.count, 0);
    assert_false(check->each_row);
    assert_false(check->passes_empty);
    assert_false(check->log_rows);
    assert_true(check->enabled);
    assert_int_equal(check->grants.count, 0);
    assert_string_equal(check->sql, "SELECT 1;");
    check_free(check);
}

static void every_key_is_taken(void **state)
{
    (void)state;
    struct check *check = sound("-- description: The replica applies soon: enough.\n"
                                "-- endpoints:   replica, read-only\n"
                                "-- prober:      slow\n"
                                "-- timeout:     5s\n"
                                "-- cache:       1m\n"
                                "-- every:       30s\n"
                                "-- fail:        lag_seconds > 30\n"
                                "-- fail:        rows == 0\n"
                                "-- warn:        lag_seconds > 10\n"
                                "-- tolerate:    denied, saturated\n"
                                "-- writes:      yes\n"
                                "-- skip:        role == 'primary'\n"
                                "-- skip:        missing\n"
                                "-- rows:        each\n"
                                "-- no-rows:     pass\n"
                                "-- log:         rows\n"
                                "-- enabled:     no\n"
                                "-- metrics:     lag_seconds, Read_Pos\n"
                                "-- grants:      GRANT pg_monitor TO $user;\n"
                                "-- grants:      CREATE SCHEMA IF NOT EXISTS a\n"
                                "SELECT lag_seconds\n"
                                "  FROM lag;\n"
                                "\n");
    assert_string_equal(check->description, "The replica applies soon: enough.");
    check_words(&check->endpoints, "replica read-only");
    assert_string_equal(check->prober, "slow");
    assert_int_equal(check->timeout.ms, 5000);
    assert_int_equal(check->cache.ms, 60000);
    assert_int_equal(check->every.ms, 30000);
    assert_int_equal(check->rule_count, 4);
    assert_int_equal(check->rules[0].effect, RULE_FAIL);
    assert_string_equal(check->rules[0].column, "lag_seconds");
    assert_null(check->rules[1].column);
    assert_int_equal(check->rules[2].effect, RULE_WARN);
    assert_true(check->skips_missing);
    assert_true(outcome_set_has(check->tolerate, OUTCOME_DENIED));
    assert_true(outcome_set_has(check->tolerate, OUTCOME_SATURATED));
    assert_false(outcome_set_has(check->tolerate, OUTCOME_QUOTA));
    assert_true(check->writes);
    assert_int_equal(check->rules[3].effect, RULE_SKIP);
    assert_true(check->each_row);
    assert_true(check->passes_empty);
    assert_true(check->log_rows);
    assert_false(check->enabled);
    assert_true(check->metrics);
    check_words(&check->metric_columns, "lag_seconds Read_Pos");
    assert_int_equal(check->grants.count, 2);
    assert_string_equal(check->grants.items[0], "GRANT pg_monitor TO $user;");
    assert_string_equal(check->sql, "SELECT lag_seconds\n  FROM lag;");
    check_free(check);
}

static void peers_are_asked_no_sql(void **state)
{
    (void)state;
    struct check *check = sound("-- source: peers\n-- endpoints: role\n-- fail: peers < 2\n\n");
    assert_true(check->peers);
    assert_string_equal(check->prober, check_prober_of_peers);
    assert_string_equal(check->sql, "");
    check_free(check);
    check = sound("-- source: sql\nSELECT 1");
    assert_false(check->peers);
    assert_string_equal(check->prober, "main");
    check_free(check);
}

static void the_keys_are_listed(void **state)
{
    (void)state;
    char keys[256], cut[8];
    check_file_keys(keys, sizeof keys);
    assert_string_equal(
        keys, "description endpoints source prober timeout cache every param fail warn skip "
              "rows no-rows tolerate writes metrics log enabled grants flavor server-version");
    check_file_keys(cut, sizeof cut);
    assert_string_equal(cut, "descrip");
}

static void the_prober_follows_from_the_endpoints(void **state)
{
    (void)state;
    static const struct {
        const char *text, *prober;
    } cases[] = {
        {"SELECT 1", "main"},
        {"-- endpoints: readyz\nSELECT 1", "main"},
        {"-- endpoints: healthz\nSELECT 1", "liveness"},
        {"-- endpoints: startupz\nSELECT 1", "liveness"},
        {"-- endpoints: readyz healthz\nSELECT 1", "liveness"},
        {"-- endpoints: none\nSELECT 1", "background"},
        {"-- endpoints: healthz\n-- prober: main\nSELECT 1", "main"},
        {"-- prober: x\n-- endpoints: none\nSELECT 1", "x"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct check *check = sound(cases[i].text);
        assert_string_equal(check->prober, cases[i].prober);
        check_free(check);
    }
}

static void no_endpoints_is_not_the_default_endpoint(void **state)
{
    (void)state;
    struct check *check = sound("-- endpoints: none\nSELECT 1");
    assert_int_equal(check->endpoints.count, 0);
    check_free(check);
}

static void the_cache_covers_the_period_unless_it_is_given(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t cache;
    } cases[] = {
        {"-- every: 10s\nSELECT 1", 10800},
        {"-- every: 10s\n-- timeout: 5s\nSELECT 1", 15000},
        {"-- timeout: 5s\n-- every: 10s\nSELECT 1", 15000},
        {"-- every: 10s\n-- cache: 0ms\nSELECT 1", 0},
        {"-- cache: 0s\nSELECT 1", 0},
        {"-- cache: 7s\nSELECT 1", 7000},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct check *check = sound(cases[i].text);
        assert_int_equal(check->cache.ms, cases[i].cache);
        check_free(check);
    }
}

static void the_layout_of_a_header_is_free(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "-- fail: x > 1\nSELECT 1",
        "--fail:x > 1\nSELECT 1",
        "--\tfail\t:\tx > 1  \t\nSELECT 1",
        "\n\n-- fail: x > 1\n\n--\n-- \nSELECT 1",
        "-- # a remark: with a colon\n-- fail: x > 1\n--# another\nSELECT 1",
        "  -- fail: x > 1\n\t\nSELECT 1",
        "-- x-owner: someone else's key\n-- fail: x > 1\n-- x-: y\nSELECT 1",
        "-- fail: x > 1\n   SELECT 1",
        "-- fail: x > 1\r\nSELECT 1\r\n",
        "\r\n-- fail: x > 1\r\n\r\nSELECT 1\r\n\r\n",
        "\xef\xbb\xbf-- fail: x > 1\nSELECT 1\n",
        "\xef\xbb\xbf-- fail: x > 1\r\nSELECT 1\r\n",
    };
    for (size_t i = 0; i < COUNT(texts); i++) {
        print_message("case %zu\n", i);
        struct check *check = sound(texts[i]);
        assert_int_equal(check->rule_count, 1);
        assert_string_equal(check->rules[0].literal.text, "1");
        assert_non_null(strstr(check->sql, "SELECT 1"));
        assert_string_equal(strstr(check->sql, "SELECT 1"), "SELECT 1");
        check_free(check);
    }
}

static void the_statement_is_left_as_it_is(void **state)
{
    (void)state;
    static const struct {
        const char *text, *sql;
    } cases[] = {
        {"SELECT 1", "SELECT 1"},
        {"\xef\xbb\xbfSELECT 1", "SELECT 1"},
        {"-- fail: x > 1\nSELECT\r\n  1;\r\n", "SELECT\r\n  1;"},
        {"SELECT '${HOME}'", "SELECT '${HOME}'"},
        {"/* a comment */ SELECT 1", "/* a comment */ SELECT 1"},
        {"# MySQL's\nSELECT 1", "# MySQL's\nSELECT 1"},
        {"SELECT 1 -- why\n-- because\n", "SELECT 1 -- why\n-- because"},
        {"SELECT '\xc3\xa4' -- fail: no key, not at the start\n",
         "SELECT '\xc3\xa4' -- fail: no key, not at the start"},
        {"SELECT 1\n-- note: no key of ours\n", "SELECT 1\n-- note: no key of ours"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct check *check = sound(cases[i].text);
        assert_string_equal(check->sql, cases[i].sql);
        check_free(check);
    }
}

// --- variables

static void values_come_from_the_environment_or_their_default(void **state)
{
    (void)state;
    static const struct {
        const char *value, *description;
    } cases[] = {
        {"${SET}", "it is set"},
        {"${SET:-not this}", "it is set"},
        {"${UNSET:-a default}", "a default"},
        {"${EMPTY:-a default}", "a default"},
        {"a${EMPTY}b", "ab"},
        {"${UNSET:-}x", "x"},
        {"${UNSET:-a:-b}", "a:-b"},
        {"${UNSET:-${SET}", "${SET"},
        {"[${SET}|${UNSET:-d}|${SET}]", "[it is set|d|it is set]"},
        {"${NESTED}", "${SET}"}, // what comes out is not looked at again
        {"${FOREIGN}", "two lines?"},
        {"$SET", "$SET"},
        {"$ {SET}", "$ {SET}"},
        {"{SET}", "{SET}"},
        {"100%", "100%"},
    };
    assert_int_equal(setenv("SET", "it is set", 1), 0);
    assert_int_equal(setenv("EMPTY", "", 1), 0);
    assert_int_equal(setenv("NESTED", "${SET}", 1), 0);
    assert_int_equal(setenv("FOREIGN", "two\nlines\xff\n", 1), 0);
    assert_int_equal(unsetenv("UNSET"), 0);
    for (size_t i = 0; i < COUNT(cases); i++) {
        char text[256];
        (void)snprintf(text, sizeof text, "-- description: %s\nSELECT 1", cases[i].value);
        struct check *check = sound(text);
        assert_string_equal(check->description, cases[i].description);
        check_free(check);
    }
    struct check *check = sound("-- fail: lag > ${MAX_LAG:-30}\nSELECT 1");
    assert_true(check->rules[0].literal.number == 30);
    check_free(check);
}

static void mistakes_in_variables_are_told(void **state)
{
    (void)state;
    static const char form[] = "expected ${NAME} or ${NAME:-default}";
    static const struct {
        const char *value;
        unsigned column; // of the line
        const char *message;
    } cases[] = {
        {"${UNSET}", 17, "the environment has no UNSET, and no default is given"},
        {"ab ${UNSET}", 20, "the environment has no UNSET, and no default is given"},
        {"${SET", 17, form},
        {"${}", 17, form},
        {"${:-x}", 17, form},
        {"${SET:-x", 17, form},
        {"${SET-x}", 17, form},
        {"${SET:x}", 17, form},
        {"${SE T}", 17, form},
        {"${EMPTY}", 17, "expected a value"},
        {"${UNSET:-}", 17, "expected a value"},
        {"\x01\x1b", 17, "expected a value"},
        {"\xe2\x80\xae", 17, "expected a value"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        char text[256], message[256];
        (void)snprintf(text, sizeof text, "-- description: %s\nSELECT 1", cases[i].value);
        (void)snprintf(message, sizeof message, "dir/lag.sql:1:%u: description: %s",
                       cases[i].column, cases[i].message);
        broken(text, message);
    }
    // Columns behind a variable are no longer those of the file: the value's own is told.
    broken("-- fail: ${UNSET:-lag} > x\nSELECT 1",
           "dir/lag.sql:1:10: fail: expected a number, a 'string', true, false or null");
}

// --- mistakes

#define KEYS                                                                                       \
    "description endpoints source prober timeout cache every param fail warn skip rows no-rows "   \
    "tolerate "                                                                                    \
    "writes metrics log enabled grants flavor server-version"
#define DURATION "is not a duration, expected a number with a unit, like 500ms, 1.5s, 2m or 1h"
#define NO_HOLD                                                                                    \
    "a check of healthz or startupz has no rule with `for`: their clients count failures "         \
    "themselves, as failureThreshold of a probe does"

static void mistakes_are_told_with_line_and_column(void **state)
{
    (void)state;
    static const struct {
        const char *text, *message;
    } cases[] = {
        // the form of the header
        {"", "1:1: no SQL statement, expected one below the header"},
        {"\n\n", "3:1: no SQL statement, expected one below the header"},
        {"-- fail: x > 1", "2:1: no SQL statement, expected one below the header"},
        {"-- fail: x > 1\n", "2:1: no SQL statement, expected one below the header"},
        {"-- fail: x > 1\n \t\r\n", "3:1: no SQL statement, expected one below the header"},
        {"\xef\xbb\xbf", "1:1: no SQL statement, expected one below the header"},
        {"-- just words\nSELECT 1",
         "1:4: expected `-- key: value` or `-- # remark` above the statement"},
        {"-- Fail: x > 1\nSELECT 1",
         "1:4: expected `-- key: value` or `-- # remark` above the statement"},
        {"-----\nSELECT 1", "1:3: expected `-- key: value` or `-- # remark` above the statement"},
        {"-- : x\nSELECT 1", "1:4: expected `-- key: value` or `-- # remark` above the statement"},
        {"-- fail = 1\nSELECT 1",
         "1:4: expected `-- key: value` or `-- # remark` above the statement"},
        {"-- fail: x > 1\n  -- fial: x > 1\nSELECT 1",
         "2:6: unknown key 'fial', expected one of: " KEYS},
        {"--endpoint: a\nSELECT 1", "1:3: unknown key 'endpoint', expected one of: " KEYS},
        {"-- x: a\nSELECT 1", "1:4: unknown key 'x', expected one of: " KEYS},
        {"-- cache: 1s\n-- timeout: 1ms\n-- cache: 1s\nSELECT 1",
         "3:4: cache is given a second time"},
        {"-- fail:\nSELECT 1", "1:9: fail: expected a value"},
        {"-- fail: \t \nSELECT 1", "1:9: fail: expected a value"},
        {"SELECT 1\n-- fail: x > 1\n",
         "2:4: key 'fail' after the statement began, expected it above"},
        {"-- warn: x > 1\nSELECT 1\n  -- cache: 1s\n",
         "3:6: key 'cache' after the statement began, expected it above"},
        {"/* 2024 */\n--timeout: 1s\nSELECT 1",
         "2:3: key 'timeout' after the statement began, expected it above"},
        // each key
        {"-- endpoints: Readyz\nSELECT 1",
         "1:15: endpoints: 'Readyz' is no endpoint's name, expected a-z, 0-9 and '-'"},
        {"-- endpoints: a/b\nSELECT 1",
         "1:15: endpoints: 'a/b' is no endpoint's name, expected a-z, 0-9 and '-'"},
        {"-- endpoints: ,\nSELECT 1", "1:15: endpoints: expected names of endpoints, or none"},
        {"-- endpoints: readyz, livez\nSELECT 1",
         "1:15: endpoints: 'livez' cannot be an endpoint here, expected names like healthz, readyz "
         "or replica, or `none` alone"},
        {"-- endpoints: status\nSELECT 1",
         "1:15: endpoints: 'status' cannot be an endpoint here, expected names like healthz, "
         "readyz or replica, or `none` alone"},
        {"-- endpoints: metrics\nSELECT 1",
         "1:15: endpoints: 'metrics' cannot be an endpoint here, expected names like healthz, "
         "readyz or replica, or `none` alone"},
        {"-- endpoints: none, readyz\nSELECT 1",
         "1:15: endpoints: 'none' cannot be an endpoint here, expected names like healthz, readyz "
         "or replica, or `none` alone"},
        {"-- prober: a b\nSELECT 1",
         "1:12: prober: 'a b' is no prober's name, expected a-z, 0-9 and '-'"},
        {"-- prober: peers\nSELECT 1",
         "1:12: prober: 'peers' is the prober of `source: peers` alone, expected another"},
        {"-- source: others\nSELECT 1", "1:12: source: expected sql or peers"},
        {"-- source: peers\nSELECT 1",
         "2:1: a statement, but peers are asked no SQL: expected none"},
        {"-- endpoints: readyz, healthz\n-- source: peers\n",
         "1:15: endpoints: healthz and startupz end a container, and `source: peers` says nothing "
         "of "
         "this server: expected others"},
        {"-- source: peers\n-- endpoints: startupz\n",
         "2:15: endpoints: healthz and startupz end a container, and `source: peers` says nothing "
         "of "
         "this server: expected others"},
        {"-- source: peers\n-- endpoints: sole-primary primary\n",
         "2:15: endpoints: peers ask each other for primary and replica, so what they say is no "
         "part of these: expected others"},
        {"-- source: peers\n-- endpoints: replica\n",
         "2:15: endpoints: peers ask each other for primary and replica, so what they say is no "
         "part of these: expected others"},
        {"-- source: peers\n-- prober: main\n",
         "2:12: not with `source: peers`, which asks no database"},
        {"-- writes: no\n-- source: peers\n",
         "1:12: not with `source: peers`, which asks no database"},
        {"-- source: peers\n-- grants: GRANT x\n",
         "2:12: not with `source: peers`, which asks no database"},
        {"-- source: peers\n-- flavor: mysql\n",
         "2:12: not with `source: peers`, which asks no database"},
        {"-- source: peers\n-- server-version: > 1\n",
         "2:20: not with `source: peers`, which asks no database"},
        {"-- timeout: 500\nSELECT 1", "1:13: timeout: '500' " DURATION},
        {"-- timeout: 0ms\nSELECT 1", "1:13: timeout: expected more than 0"},
        {"-- timeout: 25h\nSELECT 1", "1:13: timeout: '25h' is too long, expected at most 24h"},
        {"-- cache: soon\nSELECT 1", "1:11: cache: 'soon' " DURATION},
        {"-- every: 99ms\nSELECT 1", "1:11: every: expected at least 100ms"},
        {"-- every: 0s\nSELECT 1", "1:11: every: expected at least 100ms"},
        {"-- every: -1s\nSELECT 1", "1:11: every: '-1s' " DURATION},
        {"-- fail: lag > 30 s\nSELECT 1",
         "1:19: fail: expected nothing more after the value, or `for` and a duration"},
        {"-- fail: lag > 30 for 20\nSELECT 1", "1:23: fail: '20' " DURATION},
        {"--   warn:   lag = 30\nSELECT 1", "1:18: warn: expected an operator: == != < <= > >="},
        {"-- fail: state == 'a\nSELECT 1", "1:19: fail: the quote ' is never closed"},
        {"-- tolerate: ,\nSELECT 1", "1:14: tolerate: expected outcomes"},
        {"-- tolerate: denied crashed\nSELECT 1",
         "1:14: tolerate: 'crashed' is no outcome that can be tolerated, expected codes of what a "
         "server can do, like denied or saturated, or `answered` or `silent` for all of a group"},
        {"-- writes: true\nSELECT 1", "1:12: writes: 'true' is neither yes nor no"},
        // what only fits together
        {"-- warn: lag > 1\n-- fail: lag > 30 for 20s\n-- endpoints: replica healthz\nSELECT 1",
         "2:10: " NO_HOLD},
        {"-- endpoints: startupz\n-- warn: lag > 30 for 20s\nSELECT 1", "2:10: " NO_HOLD},
        {"SELECT 1\n-- cache: 1s", "2:4: key 'cache' after the statement began, expected it above"},
        {"-- cache: 1s\n-- timeout: 901ms\nSELECT 1",
         "2:13: timeout 901ms is above the deadline of a request, 900ms: expected at most that, or "
         "the key "
         "every"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        char message[512];
        (void)snprintf(message, sizeof message, "dir/lag.sql:%s", cases[i].message);
        broken(cases[i].text, message);
    }
}

static const char *repeated(char character, size_t count)
{
    static char bytes[300];
    assert_true(count < sizeof bytes);
    memset(bytes, character, count);
    bytes[count] = '\0';
    return bytes;
}

static struct check *parse_for(enum engine engine, const char *format, const char *name)
{
    char text[512];
    struct check_defaults for_engine = defaults;
    for_engine.engine = engine;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    (void)snprintf(text, sizeof text, format, name);
#pragma GCC diagnostic pop
    return check_file_parse("lag", "lag.sql", text, strlen(text), &for_engine);
}

static void check_name(enum engine engine, const char *format, const char *name,
                       const char *message)
{
    struct check *check = parse_for(engine, format, name);
    print_message("%s %.20s...: %s\n", format, name, message != NULL ? message : "sound");
    if (message == NULL)
        assert_null(check->broken);
    else
        assert_non_null(check->broken);
    if (message != NULL)
        assert_string_equal(check->broken, message);
    check_free(check);
}

static void a_column_name_that_no_server_can_send_is_refused(void **state)
{
    (void)state;
    enum { MOST = 255 };
    static const struct {
        const char *format, *message;
    } cases[] = {
        {"-- fail: %s > 1\nSELECT 1",
         "lag.sql:1:10: fail: the column's name is too long, expected at most 255 bytes"},
        {"-- x-a: b\n-- warn:  \"%s\" > 1\nSELECT 1",
         "lag.sql:2:11: warn: the column's name is too long, expected at most 255 bytes"},
        {"-- skip: %s > 1\nSELECT 1",
         "lag.sql:1:10: skip: the column's name is too long, expected at most 255 bytes"},
        {"-- metrics: n, %s\nSELECT 1",
         "lag.sql:1:13: metrics: the column's name is too long, expected at most 255 bytes"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        check_name(ENGINE_MYSQL, cases[i].format, repeated('n', MOST), NULL);
        check_name(ENGINE_NONE, cases[i].format, repeated('n', MOST + 1), cases[i].message);
        check_name(ENGINE_MYSQL, cases[i].format, repeated('n', MOST + 1), cases[i].message);
    }
}

// Postgres cuts such a name in the statement, too, and so sends no column that has it.
static void a_column_name_that_postgres_would_cut_is_refused_for_postgres(void **state)
{
    (void)state;
    static const struct {
        enum engine engine;
        const char *format;
        unsigned column; // 0: sound
    } cases[] = {
        {ENGINE_POSTGRES, "-- fail: %s > 1\nSELECT 1", 10},
        {ENGINE_POSTGRES, "-- warn: \"%s\" > 1\n-- flavor: mysql postgres\nSELECT 1", 10},
        {ENGINE_POSTGRES, "-- metrics: %s\nSELECT 1", 13},
        {ENGINE_POSTGRES, "-- fail: %s > 1\n-- flavor: mysql\nSELECT 1", 0},
        {ENGINE_MYSQL, "-- fail: %s > 1\nSELECT 1", 0},
        {ENGINE_MYSQL, "-- fail: %s > 1\n-- flavor: postgres\nSELECT 1", 0},
        {ENGINE_NONE, "-- fail: %s > 1\n-- flavor: postgres\nSELECT 1", 10},
        {ENGINE_NONE, "-- fail: %s > 1\n-- flavor: postgres mariadb\nSELECT 1", 10},
        {ENGINE_NONE, "-- fail: %s > 1\nSELECT 1", 10}, // as lint without a URL
        {ENGINE_NONE, "-- fail: %s > 1\n-- flavor: mysql mariadb\nSELECT 1", 0},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        char message[128];
        (void)snprintf(message, sizeof message,
                       "lag.sql:1:%u: Postgres cuts the column's name, expected at most 63 bytes",
                       cases[i].column);
        check_name(cases[i].engine, cases[i].format, repeated('n', 63), NULL);
        check_name(cases[i].engine, cases[i].format, repeated('n', 64),
                   cases[i].column > 0 ? message : NULL);
    }
}

static void a_timeout_at_the_deadline_or_with_a_period_is_sound(void **state)
{
    (void)state;
    check_free(sound("-- timeout: 900ms\nSELECT 1"));
    check_free(sound("-- timeout: 24h\n-- every: 100ms\nSELECT 1"));
    check_free(sound("-- every: 1s\n-- timeout: 901ms\nSELECT 1"));
}

static void only_the_first_mistake_is_told(void **state)
{
    (void)state;
    broken("-- fail: x\n-- fial: y\n-- every: 1\n",
           "dir/lag.sql:1:11: fail: expected an operator: == != < <= > >=");
}

static void the_rest_of_a_broken_file_stands(void **state)
{
    (void)state;
    struct check *check = parse("-- description: d\n-- fail: x\n-- every: 1ms\n"
                                "-- endpoints: healthz\n-- timeout: 0s\nSELECT 1");
    assert_non_null(check->broken);
    assert_string_equal(check->description, "d");
    check_words(&check->endpoints, "healthz");
    assert_string_equal(check->prober, "liveness");
    assert_int_equal(check->timeout.ms, 800);
    assert_int_equal(check->every.ms, 0); // no timer on a period that was refused
    check_free(check);
    check = parse("-- endpoints: a b C\nSELECT 1");
    assert_non_null(check->broken);
    check_words(&check->endpoints, "readyz"); // somewhere it must be seen
    check_free(check);
}

static void bytes_that_are_no_text_are_told_with_their_place(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t length;
        const char *message;
    } cases[] = {
        {"SELECT 1\0", 9, "1:9: byte 0x00 is no UTF-8 text"},
        {"\0", 1, "1:1: byte 0x00 is no UTF-8 text"},
        {"-- cache: 1s\nSEL\0ECT 1", 22, "2:4: byte 0x00 is no UTF-8 text"},
        {"-- fail: x\n\nSELECT '\xe4'", 22, "3:9: byte 0xE4 is no UTF-8 text"},
        {"\xff\xfe-\0-\0", 6, "1:1: byte 0xFF is no UTF-8 text"}, // UTF-16
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        char message[256];
        struct check *check = parse_bytes(cases[i].text, cases[i].length);
        (void)snprintf(message, sizeof message, "dir/lag.sql:%s", cases[i].message);
        assert_string_equal(check->broken, message);
        check_free(check);
    }
}

// --- hostile files

struct builder {
    char *text;
    size_t length;
    FILE *file;
};

static FILE *begin(struct builder *builder)
{
    *builder = (struct builder){0};
    builder->file = open_memstream(&builder->text, &builder->length);
    assert_non_null(builder->file);
    return builder->file;
}

static struct check *parse_built(struct builder *builder)
{
    assert_int_equal(fclose(builder->file), 0);
    struct check *check = parse_bytes(builder->text, builder->length);
    free(builder->text);
    return check;
}

static void repeat(FILE *file, const char *text, unsigned times)
{
    for (unsigned i = 0; i < times; i++)
        fputs(text, file);
}

static void lines_of_64_kib_are_refused_in_few_words(void **state)
{
    (void)state;
    static const struct {
        const char *before, *filling, *after, *message;
    } cases[] = {
        {"-- description: ", "d", "\nSELECT 1",
         "dir/lag.sql:1:17: description: expected at most 4096 bytes"},
        {"-- fail: ", "x", " > 1\nSELECT 1", "dir/lag.sql:1:10: fail: expected at most 4096 bytes"},
        {"-- fail: x == '", "''", "'\nSELECT 1",
         "dir/lag.sql:1:10: fail: expected at most 4096 bytes"},
        {"-- endpoints: ", "a ", "\nSELECT 1",
         "dir/lag.sql:1:15: endpoints: expected at most 4096 bytes"},
        {"-- ", "w", "\nSELECT 1",
         "dir/lag.sql:1:4: expected `-- key: value` or `-- # remark` above the statement"},
        {"SELECT '", "s", "'",
         "dir/lag.sql:1:1: the statement is too long, expected at most 49152 bytes"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct builder builder;
        FILE *file = begin(&builder);
        fputs(cases[i].before, file);
        repeat(file, cases[i].filling, 65536);
        fputs(cases[i].after, file);
        struct check *check = parse_built(&builder);
        assert_non_null(check->broken);
        assert_string_equal(check->broken, cases[i].message);
        check_free(check);
    }
}

static void a_key_of_64_kib_is_refused_in_few_words(void **state)
{
    (void)state;
    struct builder builder;
    FILE *file = begin(&builder);
    fputs("-- ", file);
    repeat(file, "k", 65536);
    fputs(": v\nSELECT 1", file);
    struct check *check = parse_built(&builder);
    assert_non_null(check->broken);
    static const char start[] = "dir/lag.sql:1:4: unknown key 'kkkk";
    assert_memory_equal(check->broken, start, strlen(start));
    assert_int_in_range(strlen(check->broken), strlen(start), 600);
    check_free(check);
}

static void a_statement_up_to_its_bound_is_kept_whole(void **state)
{
    (void)state;
    struct builder builder;
    repeat(begin(&builder), "s", WIRE_SQL_MAX);
    repeat(builder.file, "\n", 10);
    struct check *check = parse_built(&builder);
    assert_null(check->broken);
    assert_int_equal(strlen(check->sql), WIRE_SQL_MAX);
    check_free(check);
}

static void values_up_to_their_bound_are_kept_whole(void **state)
{
    (void)state;
    for (unsigned length = 4095; length <= 4097; length++) {
        struct builder builder;
        fputs("-- description: ", begin(&builder));
        repeat(builder.file, "d", length);
        fputs("\nSELECT 1", builder.file);
        struct check *check = parse_built(&builder);
        assert_int_equal(check->broken == NULL, length <= 4096);
        if (check->broken == NULL)
            assert_int_equal(strlen(check->description), length);
        check_free(check);
    }
}

static void quotes_however_deep_are_parsed_once(void **state)
{
    (void)state;
    struct builder builder;
    fputs("-- flavor: mysql\n-- fail: x == '", begin(&builder));
    repeat(builder.file, "''", 2000);
    fputs("'\n-- fail: \"", builder.file);
    repeat(builder.file, "\"\"", 255);
    fputs("\" == 1\nSELECT 1", builder.file);
    struct check *check = parse_built(&builder);
    assert_null(check->broken);
    assert_int_equal(strlen(check->rules[0].literal.string), 2000);
    assert_int_equal(strlen(check->rules[1].column), 255);
    check_free(check);
}

static void thousands_of_rules_are_all_kept(void **state)
{
    (void)state;
    struct builder builder;
    FILE *file = begin(&builder);
    for (unsigned i = 0; i < 4000; i++)
        fprintf(file, "-- %s: c%u > %u\n", i % 2 == 0 ? "fail" : "warn", i, i);
    fputs("SELECT 1", file);
    struct check *check = parse_built(&builder);
    assert_null(check->broken);
    assert_int_equal(check->rule_count, 4000);
    assert_string_equal(check->rules[3999].column, "c3999");
    check_free(check);
}

static void thousands_of_mistakes_are_one(void **state)
{
    (void)state;
    struct builder builder;
    FILE *file = begin(&builder);
    repeat(file, "-- fail: x == '\n-- cache: 1\n-- ${\n-- description: ${\n", 5000);
    fputs("SELECT 1\n", file);
    repeat(file, "-- cache: 1s\n", 5000);
    struct check *check = parse_built(&builder);
    assert_string_equal(check->broken, "dir/lag.sql:1:15: fail: the quote ' is never closed");
    check_free(check);
}

static void random_files_never_do_harm(void **state)
{
    (void)state;
    static const char *const pieces[] = {
        "-- ",   "--",     "\n",     "\r\n", "fail", "warn:", ": ",   "endpoints: ",  "none",
        "every", "${",     "}",      ":-",   "'",    "\"",    "==",   " > ",          "rows",
        "1",     "5s",     "SELECT", " ",    "\t",   "\xff",  "\xc3", "\xef\xbb\xbf", "cache:",
        "#",     "x-a: b", ",",      "null", "$SET", ";",     "/*",   "timeout: ",    "tolerate: ",
    };
    unsigned seed = 99;
    for (unsigned round = 0; round < 20000; round++) {
        char bytes[512];
        struct text text = text_in(bytes, sizeof bytes);
        for (unsigned i = 0; i < 4 + round % 24; i++) {
            const char *piece = pieces[(size_t)rand_r(&seed) % COUNT(pieces)];
            text_add(&text, piece);
        }
        struct check *check = parse_bytes(bytes, text.length);
        assert_true((check->broken != NULL) || check->sql[0] != '\0');
        assert_true(check->timeout.ms > 0);
        check_free(check);
    }
}

static void a_description_is_fit_to_show(void **state)
{
    (void)state;
    struct check *check = sound("-- description: a\x1b[31m \xe2\x80\xae"
                                "b\rc\nSELECT 1");
    assert_string_equal(check->description, "a [31m  b c");
    check_free(check);
    check = parse("-- description: \xc3\nSELECT 1");
    assert_non_null(check->broken);
    assert_string_equal(check->description, "?");
    check_free(check);
}

static void a_long_or_foreign_place_keeps_the_files_name(void **state)
{
    (void)state;
    char filling[400], place[512];
    memset(filling, 'p', sizeof filling);
    (void)snprintf(place, sizeof place, "a\nb\xff%.*slag.sql", (int)sizeof filling, filling);
    struct check *check = check_file_parse("lag", place, "", 0, &defaults);
    assert_memory_equal(check->broken, "a b?pp", 6);
    assert_non_null(strstr(check->broken, "plag.sql:1:1: no SQL statement"));
    check_free(check);
}

// --- files

static char folder[] = "/tmp/dbhealth-check-XXXXXX";

static const char *path_of(const char *name)
{
    static char path[128];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static void write_file(const char *path, const char *text, size_t length)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, length, file), length);
    assert_int_equal(fclose(file), 0);
}

static void load_breaks(const char *path, const char *message)
{
    char wanted[512];
    struct check *check = check_file_load("lag", path, &defaults);
    (void)snprintf(wanted, sizeof wanted, "%s:%s", path, message);
    assert_non_null(check->broken);
    assert_string_equal(check->broken, wanted);
    assert_string_equal(check->name, "lag");
    check_words(&check->endpoints, "readyz");
    check_free(check);
}

static void files_are_loaded(void **state)
{
    (void)state;
    static const char text[] = "-- endpoints: replica\nSELECT 1\n";
    write_file(path_of("f"), text, strlen(text));
    struct check *check = check_file_load("lag", path_of("f"), &defaults);
    assert_null(check->broken);
    assert_string_equal(check->place, path_of("f"));
    assert_string_equal(check->sql, "SELECT 1");
    check_free(check);
    write_file(path_of("f"), "", 0);
    load_breaks(path_of("f"), "1:1: no SQL statement, expected one below the header");
}

// A FIFO without a writer would hold an open() up for ever: the alarm ends the test then.
static void what_is_no_file_of_a_sensible_size_is_refused(void **state)
{
    (void)state;
    enum { MEGABYTE = 1024 * 1024 };
    static const char expected[] = "1:1: expected a regular file of at most 262144 bytes";
    char *big = memory_new(MEGABYTE);
    memset(big, ' ', MEGABYTE);
    (void)alarm(20);
    write_file(path_of("f"), big, MEGABYTE);
    load_breaks(path_of("f"), expected);
    write_file(path_of("f"), big, 262145);
    load_breaks(path_of("f"), expected);
    big[0] = 's';
    write_file(path_of("f"), big, 262144);
    struct check *check = check_file_load("lag", path_of("f"), &defaults);
    assert_null(check->broken);
    check_free(check);
    free(big);
    load_breaks(folder, expected);
    load_breaks("/dev/zero", expected);
    assert_int_equal(mkfifo(path_of("fifo"), 0600), 0);
    load_breaks(path_of("fifo"), expected);
    assert_int_equal(unlink(path_of("fifo")), 0);
    load_breaks(path_of("missing"), "1:1: cannot open: No such file or directory");
    (void)alarm(0);
}

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) == NULL;
}

static int remove_folder(void **state)
{
    (void)state;
    (void)unlink(path_of("f"));
    (void)unlink(path_of("fifo"));
    return rmdir(folder);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_statement_alone_has_all_defaults),
        cmocka_unit_test(every_key_is_taken),
        cmocka_unit_test(peers_are_asked_no_sql),
        cmocka_unit_test(the_keys_are_listed),
        cmocka_unit_test(the_prober_follows_from_the_endpoints),
        cmocka_unit_test(no_endpoints_is_not_the_default_endpoint),
        cmocka_unit_test(the_cache_covers_the_period_unless_it_is_given),
        cmocka_unit_test(the_layout_of_a_header_is_free),
        cmocka_unit_test(the_statement_is_left_as_it_is),
        cmocka_unit_test(values_come_from_the_environment_or_their_default),
        cmocka_unit_test(mistakes_in_variables_are_told),
        cmocka_unit_test(mistakes_are_told_with_line_and_column),
        cmocka_unit_test(a_column_name_that_no_server_can_send_is_refused),
        cmocka_unit_test(a_column_name_that_postgres_would_cut_is_refused_for_postgres),
        cmocka_unit_test(a_timeout_at_the_deadline_or_with_a_period_is_sound),
        cmocka_unit_test(only_the_first_mistake_is_told),
        cmocka_unit_test(the_rest_of_a_broken_file_stands),
        cmocka_unit_test(bytes_that_are_no_text_are_told_with_their_place),
        cmocka_unit_test(lines_of_64_kib_are_refused_in_few_words),
        cmocka_unit_test(a_key_of_64_kib_is_refused_in_few_words),
        cmocka_unit_test(a_statement_up_to_its_bound_is_kept_whole),
        cmocka_unit_test(values_up_to_their_bound_are_kept_whole),
        cmocka_unit_test(quotes_however_deep_are_parsed_once),
        cmocka_unit_test(thousands_of_rules_are_all_kept),
        cmocka_unit_test(thousands_of_mistakes_are_one),
        cmocka_unit_test(random_files_never_do_harm),
        cmocka_unit_test(a_description_is_fit_to_show),
        cmocka_unit_test(a_long_or_foreign_place_keeps_the_files_name),
        cmocka_unit_test(files_are_loaded),
        cmocka_unit_test(what_is_no_file_of_a_sensible_size_is_refused),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
