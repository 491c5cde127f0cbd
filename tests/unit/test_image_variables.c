// The official images' variables: which identity wins, files, and contradictions by name.
#include "common/image_variables.h"

#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// Sets "NAME=value NAME=value ..." and clears every other variable of the process.
static void set_environment(const char *words)
{
    char copy[512];
    char *rest = NULL;
    assert_int_equal(clearenv(), 0);
    (void)snprintf(copy, sizeof copy, "%s", words);
    for (char *word = strtok_r(copy, " ", &rest); word != NULL; word = strtok_r(NULL, " ", &rest)) {
        char *equals = strchr(word, '=');
        *equals = '\0';
        assert_int_equal(setenv(word, equals + 1, 1), 0);
    }
}

static void same(const char *got, const char *wanted)
{
    assert_int_equal(got != NULL, wanted != NULL);
    if (wanted != NULL)
        assert_string_equal(got, wanted);
}

static void the_least_privileged_identity_is_taken(void **state)
{
    (void)state;
    static const struct {
        const char *environment;
        enum engine engine;
        const char *user, *password, *database;
    } cases[] = {
        {"POSTGRES_PASSWORD=p", ENGINE_POSTGRES, "postgres", "p", "postgres"},
        {"POSTGRES_USER=u POSTGRES_PASSWORD=p", ENGINE_POSTGRES, "u", "p", "u"},
        {"POSTGRES_USER=u POSTGRES_DB=d", ENGINE_POSTGRES, "u", NULL, "d"},
        {"MYSQL_USER=u MYSQL_PASSWORD=p MYSQL_ROOT_PASSWORD=r", ENGINE_MYSQL, "u", "p", NULL},
        {"MARIADB_USER=m MARIADB_PASSWORD=q MARIADB_DATABASE=d MYSQL_USER=u", ENGINE_MYSQL, "m",
         "q", "d"},
        {"MARIADB_ROOT_PASSWORD=r MYSQL_USER=u MYSQL_PASSWORD=p", ENGINE_MYSQL, "u", "p", NULL},
        {"MYSQL_ROOT_PASSWORD=r MYSQL_DATABASE=d", ENGINE_MYSQL, "root", "r", "d"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct target target = {0};
        struct error error;
        bool found;
        print_message("%s\n", cases[i].environment);
        set_environment(cases[i].environment);
        assert_true(image_variables_load(&target, &found, &error));
        assert_true(found);
        assert_int_equal(target.engine, cases[i].engine);
        same(target.user, cases[i].user);
        same(target.password, cases[i].password);
        same(target.database, cases[i].database);
        target_wipe(&target);
    }
}

static void other_variables_are_none(void **state)
{
    (void)state;
    static const char *const cases[] = {"",
                                        "PATH=/bin",
                                        "POSTGRES_HOST_AUTH_METHOD=trust",
                                        "MYSQL_DATABASE=d",
                                        "MYSQL_PASSWORD=p",
                                        "MYSQL_ALLOW_EMPTY_PASSWORD=yes"};
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct target target = {0};
        struct error error;
        bool found;
        print_message("%s\n", cases[i]);
        set_environment(cases[i]);
        assert_true(image_variables_load(&target, &found, &error));
        assert_false(found);
    }
}

static void names_come_from_files_and_the_passwords_file_is_left_to_the_prober(void **state)
{
    (void)state;
    char path[] = "/tmp/image-variables-XXXXXX";
    char environment[256];
    int file = mkstemp(path);
    assert_true(file >= 0);
    assert_int_equal(write(file, "from-file\n", 10), 10);
    close(file);
    (void)snprintf(environment, sizeof environment,
                   "POSTGRES_USER_FILE=%s POSTGRES_PASSWORD_FILE=/secret POSTGRES_DB_FILE=%s", path,
                   path);
    set_environment(environment);
    struct target target = {0};
    struct error error;
    bool found;
    assert_true(image_variables_load(&target, &found, &error));
    assert_string_equal(target.user, "from-file");
    assert_string_equal(target.database, "from-file");
    assert_string_equal(target.password_file, "/secret");
    assert_string_equal(target.password_variable, "POSTGRES_PASSWORD_FILE");
    assert_null(target.password);
    target_wipe(&target);
    assert_int_equal(unlink(path), 0);
}

// As with an empty variable: the default holds, where there is one.
static void an_empty_file_is_no_value(void **state)
{
    (void)state;
    char path[] = "/tmp/image-variables-XXXXXX";
    char environment[256];
    char message[256];
    int file = mkstemp(path);
    assert_true(file >= 0);
    assert_int_equal(write(file, "\n", 1), 1);
    close(file);
    (void)snprintf(environment, sizeof environment,
                   "POSTGRES_USER_FILE=%s POSTGRES_PASSWORD=p POSTGRES_DB_FILE=%s", path, path);
    set_environment(environment);
    struct target target = {0};
    struct error error;
    bool found;
    assert_true(image_variables_load(&target, &found, &error));
    assert_string_equal(target.user, "postgres");
    assert_string_equal(target.database, "postgres");
    target_wipe(&target);
    (void)snprintf(environment, sizeof environment, "MYSQL_USER_FILE=%s MYSQL_PASSWORD=p", path);
    set_environment(environment);
    assert_false(image_variables_load(&target, &found, &error));
    (void)snprintf(message, sizeof message, "MYSQL_USER_FILE: expected a user's name in the file");
    assert_string_equal(error.text, message);
    target_wipe(&target);
    assert_int_equal(unlink(path), 0);
}

static void contradictions_name_the_variables(void **state)
{
    (void)state;
    static const struct {
        const char *environment, *message;
    } cases[] = {
        {"POSTGRES_PASSWORD=p POSTGRES_PASSWORD_FILE=/f",
         "POSTGRES_PASSWORD and POSTGRES_PASSWORD_FILE are both set, expected one"},
        {"POSTGRES_USER=u POSTGRES_USER_FILE=/f",
         "POSTGRES_USER and POSTGRES_USER_FILE are both set, expected one"},
        {"POSTGRES_PASSWORD=p MYSQL_ROOT_PASSWORD=r",
         "POSTGRES_PASSWORD and MYSQL_ROOT_PASSWORD name two kinds of database, expected "
         "DATABASE_URL"},
        {"MYSQL_USER_FILE=/tmp/nonexistent-user",
         "MYSQL_USER_FILE: cannot open /tmp/nonexistent-user: No such file or directory"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct target target = {0};
        struct error error;
        bool found;
        print_message("%s\n", cases[i].environment);
        set_environment(cases[i].environment);
        assert_false(image_variables_load(&target, &found, &error));
        assert_string_equal(error.text, cases[i].message);
        target_wipe(&target);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_least_privileged_identity_is_taken),
        cmocka_unit_test(other_variables_are_none),
        cmocka_unit_test(names_come_from_files_and_the_passwords_file_is_left_to_the_prober),
        cmocka_unit_test(an_empty_file_is_no_value),
        cmocka_unit_test(contradictions_name_the_variables),
    };
    return RUN(tests);
}
