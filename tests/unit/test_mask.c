#include "unit.h"

#include "common/target_load.h"
#include "supervisor/mask.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// The value of a variable in what the server gets; NULL if it is not there.
static const char *masked(char **environment, const char *name)
{
    for (size_t length = strlen(name); *environment != NULL; environment++) {
        if (strncmp(*environment, name, length) == 0 && (*environment)[length] == '=')
            return *environment + length + 1;
    }
    return NULL;
}

static void free_environment(char **environment)
{
    for (char **at = environment; *at != NULL; at++) {
        bool ours = true;
        for (size_t i = 0; environ[i] != NULL; i++)
            ours &= *at != environ[i];
        if (ours)
            free(*at);
    }
    free(environment);
}

struct row {
    const char *name, *value, *expected;
};

// Each alone, beside the URL of the row if that is none itself.
static void assert_rows(const char *url, const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        (void)clearenv();
        if (url != NULL)
            (void)setenv("DATABASE_URL", url, 1);
        (void)setenv(rows[i].name, rows[i].value, 1);
        char **environment = mask_environment();
        assert_string_equal(masked(environment, rows[i].name), rows[i].expected);
        free_environment(environment);
    }
}

static void test_urls(void **state)
{
    static const struct row rows[] = {
        {"DATABASE_URL", "postgres://u:secret@h/", "postgres://u:***@h:5432/postgres"},
        {"DATABASE_URL", "postgres://u@h/d", "postgres://u@h:5432/d"},
        {"DATABASE_URL", "mysql://u:s%40e@[::1]:1/d?ssl-mode=REQUIRED",
         "mysql://u:***@%3A%3A1:1/d?ssl-mode=REQUIRED"},
        {"DATABASE_URL", "mysql://u:s@h/?socket=/run/a%20b",
         "mysql://u:***@:3306/?socket=%2Frun%2Fa%20b"},
        {"DATABASE_URL", "postgres://u@h/d?pass%77ord=secret&sslpassword=secret",
         "postgres://u:***@h:5432/d?sslpassword=***"},
        {"DATABASE_URL", "", ""},
        {"DATABASE_URL", "postgres://u:sec/ret@h/d", "postgres:***"},
        {"DATABASE_URL", "mariadb://u:sec#ret@h/d", "mysql:***"},
        {"DATABASE_URL", "s3cret", "***"},
    };
    (void)state;
    assert_rows(NULL, rows, COUNT(rows));
}

static void test_names(void **state)
{
    static const struct row rows[] = {
        {"POSTGRES_PASSWORD", "secret", "***"},
        {"MYSQL_ROOT_PASSWORD", "secret", "***"},
        {"MARIADB_PASSWORD", "", ""},
        {"PGPASSWORD", "secret", "***"},
        {"MYSQL_PWD", "secret", "***"},
        {"password", "secret", "***"},
        {"API_TOKEN", "secret", "***"},
        {"DATABASE_PASSWORD_FILE", "/run/secrets/password", "/run/secrets/password"},
        {"POSTGRES_PASSWORD_FILE", "/run/secrets/password", "/run/secrets/password"},
        {"POSTGRES_USER", "secretary", "secretary"},
        {"DBHEALTH_CHECKS", "/secret", "/secret"},
        {"OLDPWD", "/home/token", "/home/token"},
        {"SECRET_PLACE", "/dev/null", "/dev/null"},
        {"SECRET_PLACE", "/nonexistent/secret", "***"},
        {"OTHER", "PASSWORD=", "PASSWORD="},
    };
    (void)state;
    assert_rows(NULL, rows, COUNT(rows));
}

static void test_values(void **state)
{
    static const struct row rows[] = {
        {"JDBC", "jdbc://h?secret=correct horse", "***"},
        {"OTHER", "correct hors", "correct hors"},
        {"POSTGRES_USER", "correct horse", "correct horse"},
        {"DBHEALTH_CHECKS", "/correct horse", "/correct horse"},
        {"KEY_FILE", "/correct horse", "/correct horse"},
    };
    static const struct row shorter[] = {{"HOME", "/root", "/root"}};
    (void)state;
    assert_rows("postgres://u:correct%20horse@h/", rows, COUNT(rows));
    assert_rows("postgres://u:root@h/", shorter, COUNT(shorter));
}

// What stands in a URL is encoded, each time in its own way.
static void test_encoded_values(void **state)
{
    static const struct row rows[] = {
        {"APP_DSN", "postgres://h/d?user=u&password=p%40ss-horse", "***"},
        {"APP_DSN", "jdbc:mysql://h/d?password=%70%40ss%2dhorse", "***"},
        {"APP_RAW", "host=x password=p@ss-horse", "***"},
        {"APP_ODD", "100%, 5%4", "100%, 5%4"},
        {"POSTGRES_USER", "p%40ss-horse", "p%40ss-horse"},
    };
    static const struct row of_key[] = {
        {"APP_DSN", "postgres://u@h/d?sslpassword=key%2dhorse", "***"}};
    (void)state;
    assert_rows("postgres://u:p%40ss%2Dhorse@h/", rows, COUNT(rows));
    assert_rows("postgres://u@h/?sslpassword=key%2Dhorse", of_key, COUNT(of_key));
}

// Of whatever length, and of another user.
static void test_urls_with_a_password(void **state)
{
    static const struct row rows[] = {
        {"APP_DSN", "postgres://u:abc123@h/d", "***"},
        {"APP_DSN", "amqp://other:s3@h", "***"},
        {"APP_DSN", "wrong://u:s/c?r#t@h", "***"},
        {"MYSQL_URL", "mysql://root:s3@h/", "***"},
        {"DATABASE_PUBLIC_URL", "postgres://u:s3@h/", "***"},
        {"APP_DSN", "postgres://u@h:5432/d", "postgres://u@h:5432/d"},
        {"PLACE", "http://h:80/", "http://h:80/"},
        {"DBHEALTH_PEERS", "https://u:s3@h", "https://u:s3@h"},
        {"PLACE_FILE", "/a://b:c@d", "/a://b:c@d"},
    };
    (void)state;
    assert_rows("postgres://u:abc123@h/", rows, COUNT(rows));
}

static void test_a_value_of_another_secret(void **state)
{
    (void)state;
    (void)clearenv();
    (void)setenv("MYSQL_PASSWORD", "correct horse", 1);
    (void)setenv("APPLICATION", "dsn correct horse", 1);
    char **environment = mask_environment();
    assert_string_equal(masked(environment, "APPLICATION"), "***");
    assert_string_equal(getenv("APPLICATION"), "dsn correct horse");
    free_environment(environment);
}

// The server says what it would say of the URL itself.
static void test_what_is_wrong(void **state)
{
    static const char *const urls[] = {"postgres://u:sec/ret@h/d", "mysql://h/", "nonsense",
                                       "postgres:***"};
    (void)state;
    for (size_t i = 0; i < COUNT(urls); i++) {
        struct target target;
        struct error before, after;
        (void)clearenv();
        (void)setenv("DATABASE_URL_PROBLEM", "somebody's own", 1);
        (void)setenv("DATABASE_URL", urls[i], 1);
        char **environment = mask_environment();
        assert_false(target_load(&target, &before));
        enum engine engine = target.engine;
        target_wipe(&target);
        char **ours = environ;
        environ = environment;
        assert_false(target_load(&target, &after));
        environ = ours;
        assert_string_equal(after.text, before.text);
        assert_int_equal(target.engine, engine);
        target_wipe(&target);
        free_environment(environment);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_urls),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_encoded_values),
        cmocka_unit_test(test_urls_with_a_password),
        cmocka_unit_test(test_a_value_of_another_secret),
        cmocka_unit_test(test_what_is_wrong),
    };
    return RUN(tests);
}
