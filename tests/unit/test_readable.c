// Which folders and files the sandboxed server may read.
#include "server/config/readable.h"

#include "unit.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { COMMAND_MAX = 8 * PATH_MAX };

static char root[PATH_MAX];

// Runs a shell's words in the root.
static void make(const char *words)
{
    char command[COMMAND_MAX];
    (void)snprintf(command, sizeof command, "cd '%s' && %s", root, words);
    assert_int_equal(system(command), 0);
}

static int set_up(void **state)
{
    char made[] = "/tmp/dbhealth-readable-XXXXXX";
    (void)state;
    (void)clearenv();
    (void)setenv("PATH", "/usr/bin:/bin", 1);
    return mkdtemp(made) != NULL && realpath(made, root) != NULL ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    make("rm -r \"$PWD\"");
    return 0;
}

static const char *in_root(const char *name)
{
    static char paths[4][2 * PATH_MAX];
    static unsigned next;
    char *path = paths[next++ % COUNT(paths)];
    (void)snprintf(path, sizeof paths[0], "%s%s%s", root, name[0] != '\0' ? "/" : "", name);
    return path;
}

// What may be read, seen from the root: "" for itself; what lies elsewhere is left out.
static void assert_readable(struct settings *settings, const char *const *wanted, size_t count)
{
    struct words paths = readable_paths(settings);
    size_t found = 0;
    for (size_t i = 0; i < paths.count; i++)
        found += strncmp(paths.items[i], root, strlen(root)) == 0;
    for (size_t i = 0; i < count; i++)
        assert_true(words_have(&paths, in_root(wanted[i])));
    assert_int_equal(found, count);
    words_free(&paths);
}

static void assert_readable_of(const char *checks, const char *certificate,
                               const char *const *wanted, size_t count)
{
    static char none[] = "";
    struct settings settings = {.tls_cert = none, .tls_key = none, .tls_client_ca = none};
    if (certificate != NULL)
        settings.tls_cert = (char *)(uintptr_t)certificate;
    if (checks != NULL)
        words_add(&settings.checks, checks, strlen(checks));
    assert_readable(&settings, wanted, count);
    words_free(&settings.checks);
}

#define READABLE(checks, certificate, ...)                                                         \
    assert_readable_of((checks), (certificate), (const char *const[]){__VA_ARGS__},                \
                       sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

static void a_folder_of_checks_and_the_one_it_is_in(void **state)
{
    (void)state;
    make("mkdir -p a/checks");
    READABLE(in_root("a/checks"), NULL, "a", "a/checks");
}

static void not_the_folder_above_with_a_secret_in_it(void **state)
{
    (void)state;
    make("mkdir -p a/checks a/deep; echo secret >a/deep/password");
    (void)setenv("DATABASE_URL", "postgres://u@h/", 1);
    (void)setenv("DATABASE_PASSWORD_FILE", in_root("a/deep/password"), 1);
    READABLE(in_root("a/checks"), NULL, "a/checks");
}

static void a_link_hides_no_secret(void **state)
{
    (void)state;
    make("mkdir -p a/checks a/real elsewhere; echo secret >a/real/password;"
         " ln -s ../a/real/password elsewhere/password");
    (void)setenv("DATABASE_URL", "postgres://u@h/", 1);
    (void)setenv("DATABASE_PASSWORD_FILE", in_root("elsewhere/password"), 1);
    READABLE(in_root("a/checks"), NULL, "a/checks");
}

static void not_a_home(void **state)
{
    (void)state;
    make("mkdir -p home/checks");
    (void)setenv("HOME", in_root("home"), 1);
    READABLE(in_root("home/checks"), NULL, "home/checks");
}

static void not_the_root(void **state)
{
    struct words paths;
    static char none[] = "";
    struct settings settings = {.tls_cert = none, .tls_key = none, .tls_client_ca = none};
    (void)state;
    words_add(&settings.checks, "/tmp", strlen("/tmp"));
    words_add(&settings.checks, "/etc/dpkg", strlen("/etc/dpkg"));
    paths = readable_paths(&settings);
    assert_true(words_have(&paths, "/tmp"));
    assert_true(words_have(&paths, "/etc/dpkg"));
    assert_false(words_have(&paths, "/"));
    assert_false(words_have(&paths, "/etc"));
    words_free(&paths);
    words_free(&settings.checks);
}

static void a_link_to_a_folder_and_links_in_it(void **state)
{
    (void)state;
    make("mkdir -p one/checks two three; ln -s ../one/checks two/link; echo 1 >three/file;"
         " ln -s ../../three/file one/checks/a.sql; ln -s ../../one/checks/a.sql one/checks/other");
    READABLE(in_root("two/link"), NULL, "two", "one/checks", "three");
}

static void a_file_as_its_folder(void **state)
{
    (void)state;
    make("mkdir -p tls archive; echo 1 >archive/1.pem; ln -s ../archive/1.pem tls/tls.crt");
    READABLE(NULL, in_root("tls/tls.crt"), "tls", "archive");
    static char none[] = "", authority[256];
    (void)snprintf(authority, sizeof authority, "%s", in_root("tls/tls.crt"));
    struct settings settings = {.tls_cert = none, .tls_key = none, .tls_client_ca = authority};
    assert_readable(&settings, (const char *const[]){"tls", "archive"}, 2);
}

static void a_file_beside_a_secret_as_it_is_now(void **state)
{
    (void)state;
    make("mkdir -p v/..1; echo 1 >v/..1/tls.crt; echo 2 >v/..1/password; ln -s ..1 v/..data;"
         " ln -s ..data/tls.crt v/tls.crt; ln -s ..data/password v/password");
    (void)setenv("POSTGRES_PASSWORD_FILE", in_root("v/password"), 1);
    READABLE(NULL, in_root("v/tls.crt"), "v/..1/tls.crt");
}

static void what_is_not_there_yet(void **state)
{
    (void)state;
    make("mkdir -p a");
    READABLE(in_root("a/b/checks"), in_root("a/c/tls.crt"), "a");
}

static void the_url_file_and_the_images(void **state)
{
    (void)state;
    make("mkdir -p a b; echo x >a/url");
    (void)setenv("DATABASE_URL_FILE", in_root("a/url"), 1);
    READABLE(NULL, NULL, "a");
    (void)unsetenv("DATABASE_URL_FILE");
    (void)setenv("MYSQL_USER_FILE", in_root("b/user"), 1);
    READABLE(NULL, NULL, "b");
}

static void relative_paths(void **state)
{
    (void)state;
    make("mkdir -p a/checks");
    assert_int_equal(chdir(in_root("a")), 0);
    READABLE("checks", NULL, "a", "a/checks");
    READABLE("./checks", NULL, "a", "a/checks");
    assert_int_equal(chdir("/"), 0);
}

// What is doubtful of checks in this folder of the root; "" for nothing.
static void assert_doubt(const char *folder, const char *wanted)
{
    char expected[4 * PATH_MAX] = "";
    struct settings settings = {0};
    struct words doubts = {0};
    words_add(&settings.checks, "library", strlen("library"));
    words_add(&settings.checks, in_root(folder), strlen(in_root(folder)));
    if (wanted[0] != '\0')
        (void)snprintf(expected, sizeof expected,
                       "DBHEALTH_CHECKS: %s is in the folder %s, so the process that answers HTTP "
                       "can read it; expected it elsewhere",
                       in_root(wanted), in_root(folder));
    readable_find_doubts(&settings, &doubts);
    assert_int_equal(doubts.count, wanted[0] != '\0');
    assert_string_equal(doubts.count > 0 ? doubts.items[0] : "", expected);
    words_free(&doubts);
    words_free(&settings.checks);
}

static void a_secret_among_checks_is_doubtful(void **state)
{
    (void)state;
    make("mkdir -p a/checks/deep a/beside; echo x >a/checks/deep/password; ln -s checks a/link;"
         " echo x >a/beside/password; ln -s ../beside/password a/checks/password;"
         " ln -s ../checks/deep/password a/beside/link");
    (void)setenv("DATABASE_URL", "postgres://u@h/", 1);
    assert_doubt("a/checks", "");
    (void)setenv("DATABASE_PASSWORD_FILE", in_root("a/checks/deep/password"), 1);
    assert_doubt("a/checks", "a/checks/deep/password");
    assert_doubt("a/link", "a/checks/deep/password");
    assert_doubt("a", "a/checks/deep/password");
    assert_doubt("a/beside", "");
    (void)setenv("DATABASE_PASSWORD_FILE", in_root("a/beside/link"), 1);
    assert_doubt("a/checks", "a/beside/link");
    (void)setenv("DATABASE_PASSWORD_FILE", in_root("a/checks/password"), 1);
    assert_doubt("a/checks", ""); // a link, that leads out
    (void)setenv("DATABASE_PASSWORD_FILE", in_root("a/checks/gone"), 1);
    assert_doubt("a/checks", "a/checks/gone");
    (void)unsetenv("DATABASE_PASSWORD_FILE");
    (void)setenv("HOME", in_root("a/checks"), 1);
    assert_doubt("a/checks", ""); // so it is with who starts it there by hand
}

static void a_key_among_checks_is_doubtful(void **state)
{
    char url[2 * PATH_MAX];
    (void)state;
    make("mkdir -p a/checks; echo x >a/checks/key");
    (void)snprintf(url, sizeof url, "mysql://u@h/?ssl-key=%s", in_root("a/checks/key"));
    (void)setenv("DATABASE_URL", url, 1);
    assert_doubt("a/checks", "a/checks/key");
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_folder_of_checks_and_the_one_it_is_in),
        TEST(not_the_folder_above_with_a_secret_in_it),
        TEST(a_link_hides_no_secret),
        TEST(not_a_home),
        TEST(not_the_root),
        TEST(a_link_to_a_folder_and_links_in_it),
        TEST(a_file_as_its_folder),
        TEST(a_file_beside_a_secret_as_it_is_now),
        TEST(what_is_not_there_yet),
        TEST(the_url_file_and_the_images),
        TEST(relative_paths),
        TEST(a_secret_among_checks_is_doubtful),
        TEST(a_key_among_checks_is_doubtful),
    };
    return RUN(tests);
}
