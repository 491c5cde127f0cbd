// The target: which URLs are understood, what each mistake says, and that no password is shown or
// left behind. free() is wrapped (CMakeLists.txt): each block that the module frees is searched.
#include "common/target.h"
#include "common/target_load.h"

#include "common/memory.h"

#include "unit.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

// --- what is left in freed memory

static const char *watched; // no freed block may hold these bytes; NULL: not watching
static unsigned remnants;

void __real_free(void *block);
void __wrap_free(void *block);

void __wrap_free(void *block)
{
    if (block != NULL && watched != NULL &&
        memmem(block, malloc_usable_size(block), watched, strlen(watched)) != NULL)
        remnants++;
    __real_free(block);
}

// --- URLs that are understood

struct understood {
    const char *url;
    enum engine engine;
    const char *host, *socket;
    uint16_t port;
    const char *user, *password, *database;
};

static void same(const char *got, const char *wanted)
{
    assert_int_equal(got != NULL, wanted != NULL);
    if (wanted != NULL)
        assert_string_equal(got, wanted);
}

static void check_understood(const struct understood *wanted)
{
    struct target target;
    struct error error;
    print_message("%s\n", wanted->url);
    if (!target_parse(&target, wanted->url, &error))
        fail_msg("%s", error.text);
    assert_int_equal(target.engine, wanted->engine);
    same(target.host, wanted->host);
    same(target.socket, wanted->socket);
    assert_int_equal(target.port, wanted->port);
    same(target.user, wanted->user);
    same(target.password, wanted->password);
    same(target.database, wanted->database);
    assert_null(target.password_file);
    target_wipe(&target);
    assert_null(target.password);
    assert_int_equal(target.engine, ENGINE_NONE);
}

#define PG ENGINE_POSTGRES
#define MY ENGINE_MYSQL

static void urls_are_taken_apart(void **state)
{
    (void)state;
    static const struct understood cases[] = {
        {"postgres://u:p@h:5433/d", PG, "h", NULL, 5433, "u", "p", "d"},
        {"postgresql://u:p@h/d", PG, "h", NULL, 5432, "u", "p", "d"},
        {"POSTGRES://u:p@h/d", PG, "h", NULL, 5432, "u", "p", "d"},
        {"mysql://u:p@h/d", MY, "h", NULL, 3306, "u", "p", "d"},
        {"mariadb://u:p@h:1/d", MY, "h", NULL, 1, "u", "p", "d"},
        {"postgres://u@h", PG, "h", NULL, 5432, "u", NULL, "postgres"},
        {"postgres://u@h/", PG, "h", NULL, 5432, "u", NULL, "postgres"},
        {"postgres://u:@h/d", PG, "h", NULL, 5432, "u", "", "d"},
        {"mysql://u@h", MY, "h", NULL, 3306, "u", NULL, NULL},
        {"mysql://u@h/", MY, "h", NULL, 3306, "u", NULL, NULL},
        {"postgres://u:p@", PG, "127.0.0.1", NULL, 5432, "u", "p", "postgres"},
        {"postgres://u:p@/d", PG, "127.0.0.1", NULL, 5432, "u", "p", "d"},
        {"postgres://u:p@h:/d", PG, "h", NULL, 5432, "u", "p", "d"},
        {"postgres://u:p@h:65535/d", PG, "h", NULL, 65535, "u", "p", "d"},
        {"postgres://u:p@h:0065535/d", PG, "h", NULL, 65535, "u", "p", "d"},
        {"postgres://u:p@[::1]:5433/d", PG, "::1", NULL, 5433, "u", "p", "d"},
        {"mysql://u:p@[2001:db8::1]/d", MY, "2001:db8::1", NULL, 3306, "u", "p", "d"},
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        check_understood(&cases[i]);
}

static void parts_are_percent_decoded(void **state)
{
    (void)state;
    static const struct understood cases[] = {
        {"postgres://a%40b:p%3A%2F%3F%23%5B%5D%40%25@h/x%20y", PG, "h", NULL, 5432, "a@b",
         "p:/?#[]@%", "x y"},
        {"postgres://u:a:b:c@h/d", PG, "h", NULL, 5432, "u", "a:b:c", "d"},
        {"postgres://u:%c3%a4@h/d", PG, "h", NULL, 5432, "u", "\xc3\xa4", "d"},
        {"postgres://u:%2500@h/d", PG, "h", NULL, 5432, "u", "%00", "d"},
        {"postgres://u:a+b@h/d", PG, "h", NULL, 5432, "u", "a+b", "d"},
        {"postgres://u:p@h/a%2Fb", PG, "h", NULL, 5432, "u", "p", "a/b"},
        {"postgres://u:!$&'()*+,;=-._~@h/d", PG, "h", NULL, 5432, "u", "!$&'()*+,;=-._~", "d"},
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        check_understood(&cases[i]);
}

static void sockets_have_a_form_for_each_engine(void **state)
{
    (void)state;
    static const struct understood cases[] = {
        {"postgres://u@%2Frun%2Fpg/d", PG, NULL, "/run/pg", 5432, "u", NULL, "d"},
        {"postgres://u@/d?host=/run/pg", PG, NULL, "/run/pg", 5432, "u", NULL, "d"},
        {"postgres:///d?host=/run/pg&user=u&port=5433", PG, NULL, "/run/pg", 5433, "u", NULL, "d"},
        {"mysql://u:p@localhost/d?socket=/run/my.sock", MY, NULL, "/run/my.sock", 3306, "u", "p",
         "d"},
        {"mysql://u@%2Frun%2Fmy.sock/d", MY, NULL, "/run/my.sock", 3306, "u", NULL, "d"},
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        check_understood(&cases[i]);
}

static void parameters_of_libpq_take_the_place_of_parts(void **state)
{
    (void)state;
    static const struct understood cases[] = {
        {"postgres://h?user=u&password=p%26q&dbname=d", PG, "h", NULL, 5432, "u", "p&q", "d"},
        {"postgres:///?host=h&port=1&user=u", PG, "h", NULL, 1, "u", NULL, "postgres"},
        {"postgres://a:b@h/c?user=u&password=p&dbname=d", PG, "h", NULL, 5432, "u", "p", "d"},
        {"postgres://u:p@h/d?", PG, "h", NULL, 5432, "u", "p", "d"},
        {"postgres://u@h/d?password=a+b", PG, "h", NULL, 5432, "u", "a+b", "d"},
        {"postgres://u@h/d?dbname=", PG, "h", NULL, 5432, "u", NULL, "postgres"},
        {"postgres://u@h/d?host=", PG, "127.0.0.1", NULL, 5432, "u", NULL, "d"},
        {"mysql://u@h/d?socket=", MY, "h", NULL, 3306, "u", NULL, "d"},
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        check_understood(&cases[i]);
}

static void other_parameters_go_to_the_library(void **state)
{
    (void)state;
    struct target target;
    struct error error;
    assert_true(target_parse(&target,
                             "postgres://u@h/d?sslmode=verify-full&sslrootcert=%2Fca.pem&"
                             "options=-c%20work_mem%3D1",
                             &error));
    assert_int_equal(target.parameter_count, 3);
    assert_string_equal(target_parameter(&target, "sslmode"), "verify-full");
    assert_string_equal(target_parameter(&target, "sslrootcert"), "/ca.pem");
    assert_string_equal(target_parameter(&target, "options"), "-c work_mem=1");
    assert_null(target_parameter(&target, "sslkey"));
    target_wipe(&target);
    assert_int_equal(target.parameter_count, 0);
    assert_true(target_parse(&target, "mysql://u@h?ssl-mode=REQUIRED&tls-version=", &error));
    assert_string_equal(target_parameter(&target, "ssl-mode"), "REQUIRED");
    assert_string_equal(target_parameter(&target, "tls-version"), "");
    target_wipe(&target);
}

// --- URLs that are not

#define EXPECTED "expected postgres://, mysql:// or mariadb:// and USER:PASSWORD@HOST:PORT/DATABASE"

static void mistakes_say_what_was_expected(void **state)
{
    (void)state;
    static const char not_a_url[] =
        ", " EXPECTED "; characters with a meaning in URLs are written as %XX in user and password";
    static const struct {
        const char *url;
        enum engine engine;
        const char *message;
    } cases[] = {
        {"", ENGINE_NONE, "the scheme is unknown, " EXPECTED},
        {"h:5432", ENGINE_NONE, "the scheme is unknown, " EXPECTED},
        {"http://u:p@h/d", ENGINE_NONE, "the scheme is unknown, " EXPECTED},
        {" postgres://u:p@h/d", ENGINE_NONE, "the scheme is unknown, " EXPECTED},
        {"postgresql+psycopg2://u:p@h/d", ENGINE_NONE, "the scheme is unknown, " EXPECTED},
        {"postgres", PG, "no '//' or a '#': " EXPECTED "; a '#' in the password is written %23"},
        {"postgres:u@h", PG,
         "no '//' or a '#': " EXPECTED "; a '#' in the password is written %23"},
        {"postgres:/u@h", PG,
         "no '//' or a '#': " EXPECTED "; a '#' in the password is written %23"},
        {"mysql://u:p@h/d#x", MY,
         "no '//' or a '#': " EXPECTED "; a '#' in the password is written %23"},
        {"postgres://", PG, "no user, " EXPECTED},
        {"postgres://h/d", PG, "no user, " EXPECTED},
        {"postgres://@h/d", PG, "no user, " EXPECTED},
        {"postgres://:p@h/d", PG, "no user, " EXPECTED},
        {"postgres://h/d?user=", PG, "no user, " EXPECTED},
        {"postgres://u:p@h:0/d", PG, "the port is not a number from 1 to 65535"},
        {"postgres://u:p@h:65536/d", PG, "the port is not a number from 1 to 65535"},
        {"postgres://u:p@h:99999999999999999999/d", PG, "the port is not a number from 1 to 65535"},
        {"postgres://u:p@h:0000005432/d", PG, "the port is not a number from 1 to 65535"},
        {"postgres://u@h/d?port=", PG, "the port is not a number from 1 to 65535"},
        {"postgres://u@h/d?port=5432x", PG, "the port is not a number from 1 to 65535"},
        {"postgres://u@h/d?port=-1", PG, "the port is not a number from 1 to 65535"},
        {"postgres://u:p@h/a/b", PG,
         "more than one '/' after the host: a '/' within the database's name or the password is "
         "written %2F"},
        {"postgres://u:p@h/a/", PG,
         "more than one '/' after the host: a '/' within the database's name or the password is "
         "written %2F"},
        {"postgres://u:p%00q@h/d", PG, "a NUL character (%00) cannot be part of a URL"},
        {"postgres://u%00:p@h/d", PG, "a NUL character (%00) cannot be part of a URL"},
        {"postgres://u:p@h%00/d", PG, "a NUL character (%00) cannot be part of a URL"},
        {"postgres://u:p@h/d%00", PG, "a NUL character (%00) cannot be part of a URL"},
        {"postgres://u@h/d?password=p%00q", PG, "a NUL character (%00) cannot be part of a URL"},
        {"postgres://u:p@h1,h2/d", PG,
         "several hosts: one adapter serves one server, expected one host"},
        {"postgres://u@/d?host=/run/a,/run/b", PG,
         "several hosts: one adapter serves one server, expected one host"},
        {"postgres://u@/d?host=a,b", PG,
         "several hosts: one adapter serves one server, expected one host"},
        {"postgres://u@h/d?sslmode", PG, "parameter sslmode has no value"},
        {"postgres://u@h/d?user", PG, "parameter user has no value"},
        {"postgres://u@h/d?sslmode=a&sslmode=a", PG, "parameter sslmode is given twice"},
        {"mysql://u@h/d?ssl-mode=a&x=1", MY,
         "parameter 2 after the '?' is unknown, expected one of: socket ssl-mode ssl-ca ssl-capath "
         "ssl-cert ssl-key ssl-crl ssl-cipher tls-version server-public-key-path"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct target target;
        struct error error = {"none"};
        print_message("%s\n", cases[i].url);
        assert_false(target_parse(&target, cases[i].url, &error));
        assert_string_equal(error.text, cases[i].message);
        assert_int_equal(target.engine, cases[i].engine);
        target_wipe(&target);
    }
    static const struct {
        const char *url;
        unsigned position;
    } places[] = {
        {"postgres://u:p@ss@h/d", 18},    {"postgres://u:a b@h/d", 15},
        {"postgres://u:a%zz@h/d", 16},    {"postgres://u:a/b@h/d", 15},
        {"postgres://u:[@h/d", 14},       {"postgres://u@h:54x/d", 18},
        {"postgres://u@h1:1,h2:2/d", 18},
    };
    for (size_t i = 0; i < COUNT(places); i++) {
        struct target target;
        struct error error;
        char wanted[512];
        print_message("%s\n", places[i].url);
        (void)snprintf(wanted, sizeof wanted, "not a URL from character %u on%s",
                       places[i].position, not_a_url);
        assert_false(target_parse(&target, places[i].url, &error));
        assert_string_equal(error.text, wanted);
        target_wipe(&target);
    }
}

static void parameters_of_the_other_engine_are_refused(void **state)
{
    (void)state;
    static const char *const urls[] = {
        "mysql://u@h/d?sslmode=require",      "mysql://u@h/d?password=p",
        "postgres://u@h/d?socket=/s",         "postgres://u@h/d?ssl-mode=a",
        "postgres://u@h/d?SSLMODE=require",   "postgres://u@h/d?service=x",
        "postgres://u@h/d?passfile=x",        "postgres://u@h/d?hostaddr=::1",
        "postgres://u@h/d?client_encoding=x",
    };
    for (size_t i = 0; i < COUNT(urls); i++) {
        struct target target;
        struct error error;
        assert_false(target_parse(&target, urls[i], &error));
        assert_non_null(strstr(error.text, "parameter 1 after the '?' is unknown"));
        target_wipe(&target);
    }
}

// --- secrets

// The two halves of a password with a character between them that a URL may not have there.
static const char half_one[] = "ZqXwPa";
static const char half_two[] = "KpVbTt";

// Any four characters of either half in a row, whatever their case.
static bool shows_secret(const char *text)
{
    static const char *const halves[] = {half_one, half_two};
    for (size_t i = 0; i < COUNT(halves); i++) {
        for (size_t at = 0; at + 4 <= strlen(halves[i]); at++) {
            char piece[5] = "";
            memcpy(piece, halves[i] + at, 4);
            if (strcasestr(text, piece) != NULL)
                return true;
        }
    }
    return false;
}

static void check_shows_nothing(const char *url)
{
    struct target target;
    struct error error = {""};
    char described[512] = "";
    if (target_parse(&target, url, &error))
        target_describe(&target, described, sizeof described);
    target_wipe(&target);
    if (shows_secret(error.text) || shows_secret(described))
        fail_msg("%s: '%s' '%s'", url, error.text, described);
}

static void no_error_and_no_description_shows_any_part_of_a_password(void **state)
{
    (void)state;
    static const char *const forms[] = {
        "postgres://u:%s@h/d",
        "mysql://u:%s@h:3306/d?ssl-mode=x",
        "mariadb://u:%s@h:port/d",
        "postgres://u:%s@h",
        "postgres://u:1%s@h/d",
        "postgres://u:%s@h/d?user=%%00",
        "postgres://u:%s@a,b/d",
        "postgres://:%s@h/d",
        "postgres://u:%s@h/d/e",
        "mysql://u:%s@h/d?nothing=1",
        "postgres://u@h/d?password=%s",
        "postgres://u:%s@h:0/d",
        "postgres://u:%s@[::1",
        "postgres:u:%s@h",
        "nothing://u:%s@h/d",
        "u:%s@h/d",
        "postgres://u@h/d?password=%s&port=x",
        "postgres://u:%s@h/d?sslmode",
        "postgres://u:%s@h/d?sslpassword=%s",
    };
    for (unsigned between = 1; between < 256; between++) {
        char password[32], url[256];
        (void)snprintf(password, sizeof password, "%s%c%s", half_one, (int)between, half_two);
        for (size_t i = 0; i < COUNT(forms); i++) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
            (void)snprintf(url, sizeof url, forms[i], password, password);
#pragma GCC diagnostic pop
            check_shows_nothing(url);
        }
    }
}

static void freed_memory_holds_no_password(void **state)
{
    (void)state;
    static const char *const urls[] = {
        "postgres://u:ZqXwPa@h/d",
        "postgres://u:ZqXwPa@h/d?password=ZqXwPa",
        "postgres://u:ZqXwPa@h/d/e",
        "postgres://u:ZqXwPa%00@h/d",
        "postgres://u@h/d?password=ZqXwPa%00",
        "postgres://u@h/d?password=ZqXwPa&port=x",
        "postgres://u@h/d?sslpassword=ZqXwPa",
        "postgres://u@h/d?sslpassword=ZqXwPa&sslpassword=ZqXwPa",
        "mysql://u:ZqXwPa@a,b/d",
        "mysql://:ZqXwPa@h",
    };
    watched = half_one;
    remnants = 0;
    for (size_t i = 0; i < COUNT(urls); i++) {
        struct target target;
        struct error error;
        bool parsed = target_parse(&target, urls[i], &error);
        (void)parsed;
        target_wipe(&target);
        if (remnants != 0)
            print_message("%s\n", urls[i]);
        assert_int_equal(remnants, 0);
    }
    char *block = memory_string(half_one); // the search itself works
    free(block);
    assert_int_equal(remnants, 1);
    watched = NULL;
}

static void descriptions_mask_the_password(void **state)
{
    (void)state;
    static const struct {
        const char *url, *shown;
    } cases[] = {
        {"postgres://u:p@h/d", "postgres://u:***@h:5432/d"},
        {"postgresql://u@h:5433", "postgres://u@h:5433/postgres"},
        {"mariadb://u:p@h", "mysql://u:***@h:3306/"},
        {"postgres://u:p@h/d?sslpassword=q", "postgres://u:***@h:5432/d"},
        {"postgres://u@h/d?password=q", "postgres://u:***@h:5432/d"},
        {"postgres://u@%2Frun%2Fpg/d", "postgres://u@/run/pg:5432/d"},
        {"mysql://u@h/d?socket=/my.sock", "mysql://u@/my.sock/d"},
        {"postgres://u%0Ax@h/d%1B", "postgres://u x@h:5432/d"},
        {"postgres://u@[::1]/d", "postgres://u@[::1]:5432/d"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct target target;
        struct error error;
        char shown[128], cut[12];
        assert_true(target_parse(&target, cases[i].url, &error));
        target_describe(&target, shown, sizeof shown);
        assert_string_equal(shown, cases[i].shown);
        target_describe(&target, cut, sizeof cut);
        assert_memory_equal(cut, shown, sizeof cut - 1);
        target_wipe(&target);
    }
}

// --- variables and files

static char folder[] = "/tmp/dbhealth-target-XXXXXX";

static const char *in_folder(const char *name)
{
    static char path[128];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static const char *file_with(const char *bytes, size_t length)
{
    const char *path = in_folder("secret");
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, length, file), length);
    assert_int_equal(fclose(file), 0);
    return path;
}

static void set_variables(const char *url, const char *url_file, const char *password_file)
{
    const char *const pairs[][2] = {{"DATABASE_URL", url},
                                    {"DATABASE_URL_FILE", url_file},
                                    {"DATABASE_PASSWORD_FILE", password_file}};
    for (size_t i = 0; i < COUNT(pairs); i++) {
        if (pairs[i][1] != NULL)
            assert_int_equal(setenv(pairs[i][0], pairs[i][1], 1), 0);
        else
            assert_int_equal(unsetenv(pairs[i][0]), 0);
    }
}

static void load_fails(const char *message)
{
    struct target target;
    struct error error = {"none"};
    assert_false(target_load(&target, &error));
    assert_string_equal(error.text, message);
    target_wipe(&target);
}

static void the_url_comes_from_one_variable_or_one_file(void **state)
{
    (void)state;
    struct target target;
    struct error error;
    set_variables(NULL, NULL, NULL);
    load_fails("DATABASE_URL: not set, " EXPECTED);
    set_variables("", "", NULL);
    load_fails("DATABASE_URL: not set, " EXPECTED);
    set_variables("mysql://u@h", "/dev/null", NULL);
    load_fails("DATABASE_URL and DATABASE_URL_FILE are both set, expected one");
    set_variables("mysql://h", NULL, NULL);
    load_fails("DATABASE_URL: no user, " EXPECTED);
    set_variables("mysql://u:p@h", NULL, NULL);
    assert_true(target_load(&target, &error));
    assert_string_equal(target.password, "p");
    target_wipe(&target);
    static const char url[] = "postgres://u:ZqXwPa@h/d\n";
    set_variables(NULL, file_with(url, strlen(url)), NULL);
    watched = half_one;
    remnants = 0;
    assert_true(target_load(&target, &error));
    assert_string_equal(target.database, "d");
    assert_string_equal(target.password, "ZqXwPa");
    target_wipe(&target);
    assert_int_equal(remnants, 0);
    watched = NULL;
    set_variables(NULL, file_with("mysql://h\n", 10), NULL);
    load_fails("DATABASE_URL_FILE: no user, " EXPECTED);
}

static void password_is(const char *bytes, size_t length, const char *wanted)
{
    struct target target;
    struct error error;
    set_variables("mysql://u:old@h", NULL, file_with(bytes, length));
    assert_true(target_load(&target, &error));
    assert_string_equal(target.password_file, in_folder("secret"));
    assert_string_equal(target.password, "old");
    assert_true(target_load_password(&target, &error));
    assert_string_equal(target.password, wanted);
    target_wipe(&target);
}

static void the_password_file_wins_and_loses_one_newline(void **state)
{
    (void)state;
    password_is("new", 3, "new");
    password_is("new\n", 4, "new");
    password_is("new\n\n", 5, "new\n");
    password_is(" n w ", 5, " n w ");
    password_is("\n", 1, "");
    password_is("", 0, "");
    password_is("%41:/@", 6, "%41:/@");
}

static void a_rotated_password_is_read_at_the_next_call(void **state)
{
    (void)state;
    struct target target;
    struct error error;
    set_variables("mysql://u@h", NULL, file_with("ZqXwPa", 6));
    assert_true(target_load(&target, &error));
    assert_null(target.password);
    watched = half_one;
    remnants = 0;
    assert_true(target_load_password(&target, &error));
    assert_string_equal(target.password, "ZqXwPa");
    (void)file_with("second", 6);
    assert_true(target_load_password(&target, &error));
    assert_string_equal(target.password, "second");
    assert_int_equal(remnants, 0);
    watched = NULL;
    target_wipe(&target);
}

static void without_a_file_the_password_stays(void **state)
{
    (void)state;
    struct target target;
    struct error error;
    set_variables("mysql://u:p@h", NULL, "");
    assert_true(target_load(&target, &error));
    assert_true(target_load_password(&target, &error));
    assert_string_equal(target.password, "p");
    target_wipe(&target);
}

static void password_fails(const char *path, const char *format)
{
    struct target target;
    struct error error = {"none"};
    char wanted[512];
    set_variables("mysql://u@h", NULL, path);
    assert_true(target_load(&target, &error));
    assert_false(target_load_password(&target, &error));
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    (void)snprintf(wanted, sizeof wanted, format, path);
#pragma GCC diagnostic pop
    assert_string_equal(error.text, wanted);
    target_wipe(&target);
}

// A FIFO without a writer would hold an open() up for ever: the alarm ends the test then.
static void what_is_no_file_of_text_is_refused_at_once(void **state)
{
    (void)state;
    enum { SECRET_MAX = 8192 };
    static char big[SECRET_MAX + 2];
    memset(big, 'b', sizeof big);
    (void)alarm(20);
    password_fails(in_folder("missing"), "DATABASE_PASSWORD_FILE: cannot open %s: No such file or "
                                         "directory");
    password_fails(folder, "DATABASE_PASSWORD_FILE: cannot read %s: expected a regular file");
    assert_int_equal(mkfifo(in_folder("fifo"), 0600), 0);
    password_fails(in_folder("fifo"),
                   "DATABASE_PASSWORD_FILE: cannot read %s: expected a regular file");
    assert_int_equal(unlink(in_folder("fifo")), 0);
    password_fails("/dev/zero", "DATABASE_PASSWORD_FILE: cannot read %s: expected a regular file");
    password_fails(file_with(big, SECRET_MAX + 1),
                   "DATABASE_PASSWORD_FILE: %s: expected at most 8192 bytes of text");
    password_fails(file_with("a\0b", 3),
                   "DATABASE_PASSWORD_FILE: %s: expected at most 8192 bytes of text");
    big[SECRET_MAX] = '\0';
    password_is(big, SECRET_MAX, big);
    (void)alarm(0);
}

// Someone puts the secret itself where the name of its file belongs.
static void a_secret_in_the_place_of_a_file_name_is_not_shown(void **state)
{
    (void)state;
    struct target target;
    struct error error;
    set_variables("mysql://u@h", NULL, "ZqXwPaKpVbTt");
    assert_true(target_load(&target, &error));
    assert_false(target_load_password(&target, &error));
    assert_false(shows_secret(error.text));
    assert_string_equal(error.text, "DATABASE_PASSWORD_FILE: cannot open the file that it names: "
                                    "No such file or directory");
    target_wipe(&target);
    set_variables(NULL, "postgres://u:ZqXwPaKpVbTt@h/d", NULL);
    assert_false(target_load(&target, &error));
    assert_false(shows_secret(error.text));
    target_wipe(&target);
}

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) == NULL;
}

static int remove_folder(void **state)
{
    (void)state;
    (void)unlink(in_folder("secret"));
    (void)unlink(in_folder("fifo"));
    return rmdir(folder);
}

// The pairs are of one server and database, or not.
static void digests_tell_servers_apart_and_not_users(void **state)
{
    (void)state;
    static const struct {
        const char *one, *other;
        bool equal;
    } pairs[] = {
        {"postgres://u:p@h/d", "postgres://u:p@h/d", true},
        {"postgres://u:p@h/d", "postgresql://v:q@h:5432/d?sslcert=/c&sslkey=/k", true},
        {"postgres://u@h", "postgres://u@h/postgres", true},
        {"mysql://u@h", "mariadb://v@h?ssl-cert=/c", true},
        {"postgres://u@h/d", "mysql://u@h:5432/d", false},
        {"postgres://u@h/d", "postgres://u@i/d", false},
        {"postgres://u@h/d", "postgres://u@h:5433/d", false},
        {"postgres://u@h/d", "postgres://u@h/e", false},
        {"postgres://u@h/d", "postgres://u@h/d?sslmode=require", false},
        {"postgres://u@h/d?sslmode=prefer", "postgres://u@h/d?sslmode=require", false},
        {"mysql://u@h", "mysql://u@h/h", false},
        {"mysql://u@127.0.0.1", "mysql://u@/?socket=127.0.0.1", false},
    };
    for (size_t i = 0; i < COUNT(pairs); i++) {
        struct target one, other;
        struct error error;
        print_message("%s %s\n", pairs[i].one, pairs[i].other);
        assert_true(target_parse(&one, pairs[i].one, &error));
        assert_true(target_parse(&other, pairs[i].other, &error));
        assert_int_equal(target_digest(&one) == target_digest(&other), pairs[i].equal);
        target_wipe(&one);
        target_wipe(&other);
    }
}

static void check_files(const char *const *variables, const char *wanted)
{
    const char *paths[TARGET_FILES_MAX];
    char found[256] = "";
    for (size_t i = 0; variables[i] != NULL; i += 2)
        assert_int_equal(setenv(variables[i], variables[i + 1], 1), 0);
    size_t count = target_load_files(paths);
    for (size_t i = 0; i < count; i++)
        (void)snprintf(found + strlen(found), sizeof found - strlen(found), "%s ", paths[i]);
    assert_string_equal(found, wanted);
    for (size_t i = 0; variables[i] != NULL; i += 2)
        assert_int_equal(unsetenv(variables[i]), 0);
}

static void the_files_that_are_read_are_those_to_watch(void **state)
{
    (void)state;
    static const char *const none[] = {NULL};
    static const char *const url[] = {"DATABASE_URL", "postgres://u@h", "POSTGRES_USER_FILE", "/u",
                                      NULL};
    static const char *const file[] = {"DATABASE_URL_FILE", "/url", "POSTGRES_USER_FILE", "/u",
                                       NULL};
    static const char *const image[] = {"POSTGRES_USER_FILE",
                                        "/user",
                                        "POSTGRES_DB_FILE",
                                        "/db",
                                        "MARIADB_USER_FILE",
                                        "/other",
                                        "POSTGRES_PASSWORD_FILE",
                                        "/password",
                                        NULL};
    check_files(none, "");
    check_files(url, "");
    check_files(file, "/url ");
    check_files(image, "/user /db /other ");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(urls_are_taken_apart),
        cmocka_unit_test(parts_are_percent_decoded),
        cmocka_unit_test(sockets_have_a_form_for_each_engine),
        cmocka_unit_test(parameters_of_libpq_take_the_place_of_parts),
        cmocka_unit_test(other_parameters_go_to_the_library),
        cmocka_unit_test(mistakes_say_what_was_expected),
        cmocka_unit_test(parameters_of_the_other_engine_are_refused),
        cmocka_unit_test(no_error_and_no_description_shows_any_part_of_a_password),
        cmocka_unit_test(freed_memory_holds_no_password),
        cmocka_unit_test(descriptions_mask_the_password),
        cmocka_unit_test(digests_tell_servers_apart_and_not_users),
        cmocka_unit_test(the_files_that_are_read_are_those_to_watch),
        cmocka_unit_test(the_url_comes_from_one_variable_or_one_file),
        cmocka_unit_test(the_password_file_wins_and_loses_one_newline),
        cmocka_unit_test(a_rotated_password_is_read_at_the_next_call),
        cmocka_unit_test(without_a_file_the_password_stays),
        cmocka_unit_test(what_is_no_file_of_text_is_refused_at_once),
        cmocka_unit_test(a_secret_in_the_place_of_a_file_name_is_not_shown),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
