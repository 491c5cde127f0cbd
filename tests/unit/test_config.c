// Configuration as a whole: what becomes of folders, names and mistakes. Whatever is wrong, there
// is a configuration, and it says so where it is asked.
#include "server/config/config.h"

#include "common/text.h"

#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_ROOM = 256 };

// A folder of this test's own, with folders `a` and `b` in it.
static char root[PATH_ROOM];

static const char *in_root(const char *name)
{
    static char paths[4][2 * PATH_ROOM]; // as many are in use at once
    static unsigned next;
    char *path = paths[next++ % COUNT(paths)];
    (void)snprintf(path, sizeof paths[0], "%s/%s", root, name);
    return path;
}

static void write_file(const char *name, const char *text)
{
    FILE *file = fopen(in_root(name), "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static int set_up(void **state)
{
    (void)state;
    (void)snprintf(root, sizeof root, "/tmp/dbhealth-config-XXXXXX");
    if (mkdtemp(root) == NULL || mkdir(in_root("a"), 0700) != 0 || mkdir(in_root("b"), 0700) != 0)
        return -1;
    (void)setenv("DATABASE_URL", "postgres://u:secret@h/d", 1);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    char command[PATH_ROOM + 16];
    (void)snprintf(command, sizeof command, "rm -r '%s'", root);
    return system(command);
}

// Loads the folders (separated by ':', below root) with more flags, split at blanks.
static struct config *load(const char *folders, const char *flags)
{
    struct settings settings;
    struct error error;
    struct words names = {0}, words = {0}, plain = {0};
    char list[2048];
    struct text text = text_in(list, sizeof list);
    char *argv[16] = {NULL};
    words_split(&names, folders, ":");
    text_add(&text, "--checks=");
    for (size_t i = 0; i < names.count; i++) {
        bool library = strcmp(names.items[i], "library") == 0;
        text_addf(&text, "%s:", library ? "library" : in_root(names.items[i]));
    }
    words_split(&words, flags, " ");
    argv[0] = argv[1] = list;
    for (size_t i = 0; i < words.count; i++)
        argv[i + 2] = words.items[i];
    if (!settings_load(&settings, (int)words.count + 2, argv, NULL, 0, &plain, &error))
        fail_msg("%s", error.text);
    words_free(&words);
    words_free(&names);
    struct config *config = config_load(&settings);
    assert_null(settings.listen); // taken over
    return config;
}

static void check_names(const struct config *config, const char *wanted)
{
    char names[1024];
    struct text text = text_in(names, sizeof names);
    for (size_t i = 0; i < config->check_count; i++)
        text_addf(&text, "%s%s", i > 0 ? " " : "", config->checks[i]->name);
    assert_string_equal(names, wanted);
}

// The checks of an endpoint by name; "-" if there is no such endpoint.
static void check_endpoint(const struct config *config, const char *name, const char *wanted)
{
    const struct endpoint *endpoint = config_endpoint(config, name);
    char names[1024];
    struct text text = text_in(names, sizeof names);
    for (size_t i = 0; endpoint != NULL && i < endpoint->count; i++)
        text_addf(&text, "%s%s", i > 0 ? " " : "", config->checks[endpoint->checks[i]]->name);
    assert_string_equal(endpoint != NULL ? names : "-", wanted);
}

static const struct check *check_of(const struct config *config, const char *name)
{
    size_t found = config_find_check(config, name);
    if (found == config->check_count)
        fail_msg("no check %s", name);
    return config->checks[found];
}

static void check_problems(const struct config *config, const char *first, const char *second)
{
    const char *const wanted[] = {first, second};
    size_t count = 0;
    while (count < COUNT(wanted) && wanted[count] != NULL) {
        assert_true(config->problems.count > count);
        assert_string_equal(config->problems.items[count], wanted[count]);
        count++;
    }
    assert_int_equal(config->problems.count, count);
}

static const char *about(const char *format, const char *path)
{
    static char texts[2][1024];
    static unsigned next;
    char *text = texts[next++ % COUNT(texts)];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    (void)snprintf(text, sizeof texts[0], format, path);
#pragma GCC diagnostic pop
    return text;
}

// --- sound configurations

static void checks_are_read_from_all_folders_and_sorted(void **state)
{
    (void)state;
    write_file("a/lag.sql", "-- endpoints: replica readyz\nSELECT 1");
    write_file("a/alive.sql", "-- endpoints: healthz\nSELECT 1");
    write_file("b/zeal.sql", "SELECT 1");
    write_file("b/disk.sql", "-- endpoints: none\nSELECT 1");
    struct config *config = load("b:a", "");
    check_problems(config, NULL, NULL);
    check_names(config, "alive disk lag zeal");
    check_endpoint(config, "healthz", "alive");
    check_endpoint(config, "startupz", "");
    check_endpoint(config, "readyz", "lag zeal");
    check_endpoint(config, "replica", "lag");
    check_endpoint(config, "livez", "-");
    check_endpoint(config, "none", "-");
    check_endpoint(config, "", "-");
    assert_int_equal(config->endpoint_count, 4);
    config_release(config);
}

static void endpoints_have_their_rules_and_probers_their_names(void **state)
{
    (void)state;
    write_file("a/alive.sql", "-- endpoints: healthz startupz\nSELECT 1");
    write_file("a/lag.sql", "-- endpoints: replica\nSELECT 1");
    write_file("a/size.sql", "-- endpoints: none\nSELECT 1");
    write_file("a/slow.sql", "-- prober: heavy\nSELECT 1");
    write_file("a/slow2.sql", "-- prober: heavy\nSELECT 1");
    struct config *config = load("a", "");
    assert_ptr_equal(config_endpoint(config, "healthz")->rule, endpoint_rule("healthz"));
    assert_ptr_equal(config_endpoint(config, "replica")->rule, endpoint_rule("replica"));
    assert_int_equal(config->probers.count, 4);
    assert_true(words_have(&config->probers, "liveness"));
    assert_true(words_have(&config->probers, "main"));
    assert_true(words_have(&config->probers, "background"));
    assert_true(words_have(&config->probers, "heavy"));
    config_release(config);
}

static void names_of_other_tools_lead_to_endpoints_unless_a_file_has_them(void **state)
{
    (void)state;
    write_file("a/primary.sql", "-- endpoints: primary\nSELECT 1");
    write_file("a/standby.sql", "-- endpoints: standby replica\nSELECT 1");
    struct config *config = load("a", "");
    check_endpoint(config, "primary", "primary");
    assert_string_equal(config_endpoint(config, "master")->name, "primary");
    assert_string_equal(config_endpoint(config, "liveness")->name, "healthz");
    assert_string_equal(config_endpoint(config, "standby")->name, "standby");
    assert_string_equal(config_endpoint(config, "secondary")->name, "replica");
    assert_null(config_endpoint(config, "Master"));
    assert_int_equal(config->endpoint_count, 6);
    config_release(config);
    write_file("b/leader.sql", "-- endpoints: leader\nSELECT 1");
    config = load("a:b", "");
    check_endpoint(config, "primary", "primary");
    check_endpoint(config, "leader", "leader");
    config_release(config);
    config = load("b", "");
    assert_null(config_endpoint(config, "master"));
    config_release(config);
}

static void a_later_folder_replaces_a_check_of_the_same_name(void **state)
{
    (void)state;
    write_file("a/lag.sql", "-- endpoints: replica\nSELECT 1");
    write_file("a/other.sql", "SELECT 1");
    write_file("b/lag.sql", "SELECT 2");
    struct config *config = load("a:b", "");
    check_problems(config, NULL, NULL);
    check_names(config, "lag other");
    assert_string_equal(check_of(config, "lag")->place, in_root("b/lag.sql"));
    assert_string_equal(check_of(config, "lag")->sql, "SELECT 2");
    check_endpoint(config, "replica", "-");
    check_endpoint(config, "readyz", "lag other");
    config_release(config);
    config = load("b:a", "");
    assert_string_equal(check_of(config, "lag")->sql, "SELECT 1");
    config_release(config);
}

static void a_replaced_file_may_be_as_broken_as_it_likes(void **state)
{
    (void)state;
    write_file("a/lag.sql", "-- fial: x\n");
    write_file("b/lag.sql", "SELECT 2");
    struct config *config = load("a:b", "");
    check_problems(config, NULL, NULL);
    config_release(config);
}

static void disabled_checks_are_left_out_of_every_folder(void **state)
{
    (void)state;
    write_file("a/lag.sql", "SELECT 1");
    write_file("a/other.sql", "SELECT 1");
    write_file("a/broken.sql", "-- fial: x\n");
    write_file("b/lag.sql", "SELECT 2");
    struct config *config = load("a:b", "--disable lag,broken,nothing");
    check_problems(config, NULL, NULL);
    check_names(config, "other");
    config_release(config);
}

static void check_warnings(const struct config *config, const char *wanted)
{
    char found[2048];
    struct text text = text_in(found, sizeof found);
    for (size_t i = 0; i < config->warnings.count; i++)
        text_addf(&text, "%s%s", i > 0 ? "\n" : "", config->warnings.items[i]);
    assert_string_equal(found, wanted);
}

// One setting may serve several engines, but a misspelled name would do nothing and nobody know.
static void names_that_nothing_has_are_warned_of(void **state)
{
    (void)state;
    write_file("a/lag.sql", "-- prober: reports\nSELECT 1");
    write_file("a/extra.sql", "-- enabled: no\n-- prober: slow\nSELECT 1");
    struct config *config = load("a", "--enable extras,lag --disable lags --keep report,slow");
    check_problems(config, NULL, NULL);
    check_names(config, "lag");
    check_warnings(config, "DBHEALTH_ENABLE: there is no 'extras'; expected the name of a check, "
                           "which is its file's without .sql\n"
                           "DBHEALTH_DISABLE: there is no 'lags'; expected the name of a check, "
                           "which is its file's without .sql\n"
                           "DBHEALTH_KEEP: there is no 'report'; expected liveness, main, "
                           "background or what a check file names as its prober");
    config_release(config);
}

static void names_that_something_has_are_not_warned_of(void **state)
{
    (void)state;
    write_file("a/lag.sql", "-- prober: reports\nSELECT 1");
    write_file("a/extra.sql", "-- enabled: no\nSELECT 1");
    write_file("a/bad.sql", "-- fial: x\nSELECT 1");
    struct config *config =
        load("a", "--enable extra,bad --disable extra,bad --keep reports,liveness,main,background");
    check_names(config, "lag");
    check_warnings(config, "");
    config_release(config);
}

static void without_an_engine_no_name_is_doubted(void **state)
{
    (void)state;
    (void)setenv("DATABASE_URL", "", 1);
    struct config *config = load("library", "--enable write --disable alive");
    check_warnings(config, "");
    config_release(config);
}

static void other_files_are_left_alone(void **state)
{
    (void)state;
    write_file("a/lag.sql", "SELECT 1");
    write_file("a/README.md", "words");
    write_file("a/lag.sql.bak", "words");
    write_file("a/.hidden.sql", "words");
    write_file("a/.sql", "words");
    write_file("a/sql", "words");
    struct config *config = load("a", "");
    check_problems(config, NULL, NULL);
    check_names(config, "lag");
    config_release(config);
}

// As the kubelet mounts a ConfigMap: links to a folder that is swapped.
static void links_are_followed(void **state)
{
    (void)state;
    assert_int_equal(mkdir(in_root("a/..2024"), 0700), 0);
    write_file("a/..2024/lag.sql", "SELECT 5");
    assert_int_equal(symlink("..2024", in_root("a/..data")), 0);
    assert_int_equal(symlink("..data/lag.sql", in_root("a/lag.sql")), 0);
    struct config *config = load("a", "");
    check_problems(config, NULL, NULL);
    check_names(config, "lag");
    assert_string_equal(check_of(config, "lag")->sql, "SELECT 5");
    config_release(config);
}

static void a_name_given_twice_is_one_place(void **state)
{
    (void)state;
    write_file("a/lag.sql", "-- endpoints: readyz, replica, readyz, replica\nSELECT 1");
    struct config *config = load("a:a", "");
    check_problems(config, NULL, NULL);
    check_names(config, "lag");
    check_endpoint(config, "readyz", "lag");
    check_endpoint(config, "replica", "lag");
    config_release(config);
}

static void settings_are_the_checks_defaults(void **state)
{
    (void)state;
    write_file("a/lag.sql", "SELECT 1");
    struct config *config = load("a", "--timeout 300ms --cache 7s --deadline 400ms");
    assert_int_equal(check_of(config, "lag")->timeout.ms, 300);
    assert_int_equal(check_of(config, "lag")->cache.ms, 7000);
    assert_int_equal(config->settings.deadline.ms, 400);
    config_release(config);
    write_file("a/lag.sql", "-- timeout: 401ms\nSELECT 1");
    config = load("a", "--timeout 300ms --deadline 400ms");
    assert_non_null(check_of(config, "lag")->broken);
    config_release(config);
}

static void a_configuration_lives_until_its_last_holder_lets_go(void **state)
{
    (void)state;
    write_file("a/lag.sql", "SELECT 1");
    struct config *config = load("a", "");
    assert_int_equal(config->references, 1);
    assert_ptr_equal(config_hold(config), config);
    config_release(config);
    check_names(config, "lag");
    config_release(config);
}

// --- the target

static void the_target_is_shown_without_its_secret(void **state)
{
    (void)state;
    write_file("a/lag.sql", "SELECT 1");
    struct config *config = load("a", "");
    assert_int_equal(config->engine, ENGINE_POSTGRES);
    assert_string_equal(config->target, "postgres://u:***@h:5432/d");
    config_release(config);
    assert_int_equal(setenv("DATABASE_URL", "mariadb://u:secret@h", 1), 0);
    config = load("a", "");
    assert_int_equal(config->engine, ENGINE_MYSQL);
    assert_string_equal(config->target, "mysql://u:***@h:3306/");
    config_release(config);
}

// A check of its own carries what no check file has caused.
static void check_configuration_check(const struct config *config, const char *problem)
{
    const struct check *check = check_of(config, "configuration");
    assert_string_equal(check->broken, problem);
    assert_string_equal(check->prober, "liveness");
    assert_non_null(strstr("healthz startupz readyz", check->endpoints.items[0]));
    assert_int_equal(check->endpoints.count, 3);
}

static void without_a_url_all_else_is_served(void **state)
{
    (void)state;
    static const char problem[] = "DATABASE_URL: not set, expected postgres://, mysql:// or "
                                  "mariadb:// and USER:PASSWORD@HOST:PORT/DATABASE";
    assert_int_equal(unsetenv("DATABASE_URL"), 0);
    write_file("a/lag.sql", "SELECT 1");
    struct config *config = load("a:library", "");
    check_problems(config, problem, NULL);
    assert_int_equal(config->engine, ENGINE_NONE);
    assert_string_equal(config->target, "");
    check_names(config, "configuration lag"); // no library without an engine
    check_configuration_check(config, problem);
    check_endpoint(config, "healthz", "configuration");
    check_endpoint(config, "startupz", "configuration");
    check_endpoint(config, "readyz", "configuration lag");
    config_release(config);
}

// The probers read the URL anew at every open: a mistake may be mended without a restart.
static void a_bad_url_of_a_known_engine_is_a_problem_for_the_probers_alone(void **state)
{
    (void)state;
    assert_int_equal(setenv("DATABASE_URL", "postgres://u:secret@h:0/d", 1), 0);
    write_file("a/lag.sql", "SELECT 1");
    struct config *config = load("a", "");
    check_problems(config, "DATABASE_URL: the port is not a number from 1 to 65535", NULL);
    assert_int_equal(config->engine, ENGINE_POSTGRES);
    check_names(config, "lag");
    assert_null(check_of(config, "lag")->broken);
    config_release(config);
}

// --- mistakes

static void a_name_that_cannot_be_one_is_told_and_the_rest_runs(void **state)
{
    (void)state;
    write_file("a/lag.sql", "SELECT 1");
    write_file("a/Lag_2.sql", "SELECT 1");
    struct config *config = load("a", "");
    const char *problem =
        about("%s:1:1: expected a name of a-z, 0-9 and '-' before .sql", in_root("a/Lag_2.sql"));
    check_problems(config, problem, NULL);
    check_names(config, "configuration lag");
    check_configuration_check(config, problem);
    config_release(config);
}

static void a_folder_that_cannot_be_read_is_told_and_the_rest_runs(void **state)
{
    (void)state;
    write_file("a/lag.sql", "SELECT 1");
    write_file("file", "no folder");
    struct config *config = load("missing:a:file", "");
    const char *missing = about("DBHEALTH_CHECKS: cannot read folder %s: No such file or directory",
                                in_root("missing"));
    check_problems(
        config, missing,
        about("DBHEALTH_CHECKS: cannot read folder %s: Not a directory", in_root("file")));
    check_names(config, "configuration lag");
    check_configuration_check(config, missing);
    config_release(config);
}

static void a_folder_without_checks_is_told(void **state)
{
    (void)state;
    write_file("b/README.md", "words");
    struct config *config = load("b", "");
    check_problems(config, about("DBHEALTH_CHECKS: no .sql file in folder %s", in_root("b")), NULL);
    check_names(config, "configuration");
    config_release(config);
}

static void a_library_that_is_not_there_is_told(void **state)
{
    (void)state;
    struct config *config = load("library", "");
    assert_int_equal(config->problems.count, 1);
    assert_non_null(strstr(config->problems.items[0], "DBHEALTH_CHECKS: cannot read folder "));
    assert_non_null(strstr(config->problems.items[0], "checks/postgres: "));
    config_release(config);
    assert_int_equal(setenv("DATABASE_URL", "mariadb://u@h", 1), 0);
    config = load("library", "");
    assert_non_null(strstr(config->problems.items[0], "checks/mysql: "));
    config_release(config);
}

static void a_broken_file_is_a_problem_of_its_own_check(void **state)
{
    (void)state;
    write_file("a/lag.sql", "-- endpoints: replica\n-- fail: x\nSELECT 1");
    write_file("a/other.sql", "SELECT 1");
    assert_int_equal(mkdir(in_root("a/dir.sql"), 0700), 0);
    struct config *config = load("a", "");
    const char *of_dir =
        about("%s:1:1: expected a regular file of at most 262144 bytes", in_root("a/dir.sql"));
    const char *of_lag =
        about("%s:2:11: fail: expected an operator: == != < <= > >=", in_root("a/lag.sql"));
    check_problems(config, of_dir, of_lag);
    check_names(config, "dir lag other");
    assert_string_equal(check_of(config, "lag")->broken, of_lag);
    assert_null(check_of(config, "other")->broken);
    check_endpoint(config, "replica", "lag");
    check_endpoint(config, "readyz", "dir other");
    config_release(config);
}

static void a_reserved_endpoint_breaks_its_check_where_it_is_seen(void **state)
{
    (void)state;
    static const char *const reserved[] = {"livez", "status", "metrics", "none,readyz"};
    for (size_t i = 0; i < COUNT(reserved); i++) {
        char text[128];
        (void)snprintf(text, sizeof text, "-- endpoints: %s\nSELECT 1", reserved[i]);
        write_file("a/lag.sql", text);
        struct config *config = load("a", "");
        assert_int_equal(config->problems.count, 1);
        assert_non_null(check_of(config, "lag")->broken);
        check_endpoint(config, reserved[i], "-");
        check_endpoint(config, "readyz", "lag");
        config_release(config);
    }
}

static void a_bad_setting_is_told_by_readiness(void **state)
{
    (void)state;
    static const char problem[] = "--cache: '5' is not a duration, expected a number with a unit, "
                                  "like 500ms, 1.5s, 2m or 1h";
    write_file("a/lag.sql", "SELECT 1");
    struct config *config = load("a", "--cache 5");
    check_problems(config, problem, NULL);
    check_configuration_check(config, problem);
    assert_int_equal(check_of(config, "lag")->cache.ms, 2000);
    config_release(config);
}

static void the_configuration_checks_name_is_not_for_files(void **state)
{
    (void)state;
    write_file("a/configuration.sql", "-- endpoints: replica\nSELECT 1");
    struct config *config = load("a", "");
    check_problems(config,
                   about("%s:1:1: this name is the adapter's own, expected another",
                         in_root("a/configuration.sql")),
                   NULL);
    check_names(config, "configuration");
    assert_string_equal(check_of(config, "configuration")->place, "configuration");
    check_endpoint(config, "healthz", "configuration");
    config_release(config);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

// --- from one configuration to the next

static void add_words(struct text *text, const char *label, const struct words *words)
{
    for (size_t i = 0; i < words->count; i++)
        text_addf(text, "%s%s", label, words->items[i]);
}

// Names with +, ~ and - for added, changed and removed, then what else there is.
static void check_changes(const struct config *later, const struct config_changes *changes,
                          const char *wanted)
{
    char found[1024];
    struct text text = text_in(found, sizeof found);
    add_words(&text, " +", &changes->added);
    add_words(&text, " ~", &changes->changed);
    add_words(&text, " -", &changes->removed);
    text_addf(&text, "%s%s", changes->certificate ? " certificate" : "",
              changes->target ? " target" : "");
    for (size_t i = 0; i < changes->problems.count; i++) {
        const char *place = strstr(changes->problems.items[i], root);
        text_addf(&text, " !%s", place != NULL ? place + strlen(root) : changes->problems.items[i]);
    }
    assert_string_equal(found, wanted);
    assert_int_equal(config_changes_any(changes), wanted[0] != '\0' && wanted[1] != '!');
    assert_true(later->references == 1);
}

static struct config *succeed(struct config *earlier, const char *folders, const char *wanted)
{
    struct config *later = load(folders, "");
    struct config_changes changes = config_succeed(later, earlier);
    check_changes(later, &changes, wanted);
    config_changes_clear(&changes);
    config_release(earlier);
    return later;
}

// A request gives it one value for all of an endpoint.
static void a_param_has_one_type_in_an_endpoint(void **state)
{
    (void)state;
    write_file("a/one.sql",
               "-- endpoints: readyz lag\n-- param: most = 10\n-- fail: a > $most\nSELECT 1 a");
    write_file("a/two.sql",
               "-- endpoints: lag\n-- param: most = '10'\n-- fail: a == $most\nSELECT 1 a");
    write_file("a/three.sql",
               "-- endpoints: other\n-- param: most = true\n-- fail: a == $most\nSELECT 1 a");
    write_file("a/four.sql",
               "-- endpoints: lag\n-- param: most = 3\n-- fail: a > $most\nSELECT 1 a");
    struct config *config = load("a", "");
    assert_null(check_of(config, "one")->broken);
    assert_null(check_of(config, "three")->broken);
    assert_null(check_of(config, "four")->broken);
    const char *broken = check_of(config, "two")->broken;
    assert_non_null(broken);
    assert_non_null(strstr(broken, "/a/two.sql:1:1: param most is a string here and a number in "));
    assert_non_null(strstr(broken, "/a/four.sql, which is in lag too: expected one type"));
    assert_true(words_have(&config->problems, broken));
    write_file("a/two.sql",
               "-- endpoints: lag\n-- param: most = 10\n-- fail: a > $most\nSELECT 1 a");
    config = succeed(config, "a", " ~two");
    assert_null(check_of(config, "two")->broken);
    config_release(config);
}

// Whichever of the two is read first.
static void an_endpoint_that_includes_another_has_its_params(void **state)
{
    (void)state;
    static const char text[] = "-- endpoints: sole-primary\n-- param: most = '10'\n"
                               "-- fail: a == $most\nSELECT 1 a";
    static const char included[] = "-- endpoints: primary\n-- param: most = 10\n"
                                   "-- fail: a > $most\nSELECT 1 a";
    for (size_t i = 0; i < 2; i++) {
        write_file("a/one.sql", i == 0 ? text : included);
        write_file("a/two.sql", i == 0 ? included : text);
        struct config *config = load("a", "");
        const char *broken = check_of(config, "two")->broken;
        assert_non_null(broken);
        assert_non_null(strstr(broken, "which is in sole-primary too: expected one type"));
        config_release(config);
    }
}

// It is broken for what another file says; when that is mended, it is itself another check.
static void a_param_is_well_when_the_other_is_mended(void **state)
{
    (void)state;
    write_file("a/one.sql", "-- param: most = 10\n-- fail: a > $most\nSELECT 1 a");
    write_file("a/two.sql", "-- param: most = '10'\n-- fail: a == $most\nSELECT 1 a");
    struct config *config = load("a", "");
    assert_non_null(check_of(config, "two")->broken);
    write_file("a/one.sql", "-- param: most = '3'\n-- fail: a == $most\nSELECT 1 a");
    config = succeed(config, "a", " ~one ~two");
    assert_null(check_of(config, "two")->broken);
    write_file("a/one.sql", "-- param: most = 10\n-- fail: a > $most\nSELECT 1 a");
    struct config *later = load("a", "");
    struct config_changes changes = config_succeed(later, config);
    assert_int_equal(changes.problems.count, 1);
    config_changes_clear(&changes);
    config_release(later);
    config_release(config);
}

static void an_equal_check_goes_over_as_the_same_object(void **state)
{
    (void)state;
    write_file("a/one.sql", "SELECT 1");
    write_file("a/two.sql", "SELECT 2");
    write_file("a/three.sql", "SELECT 3");
    struct config *config = load("a", "");
    const struct check *two = check_of(config, "two");
    config = succeed(config, "a", "");
    assert_ptr_equal(check_of(config, "two"), two);
    write_file("a/one.sql", "SELECT 1 ");
    write_file("a/four.sql", "SELECT 4");
    (void)remove(in_root("a/three.sql"));
    config = succeed(config, "a", " +four ~one -three");
    assert_ptr_equal(check_of(config, "two"), two);
    assert_string_equal(two->sql, "SELECT 2");
    write_file("b/two.sql", "SELECT 2"); // replaces it, from another place
    config = succeed(config, "a:b", " ~two");
    config_release(config);
}

static void what_was_wrong_before_is_no_new_problem(void **state)
{
    (void)state;
    write_file("a/one.sql", "SELECT 1");
    write_file("a/two.sql", "-- x\nSELECT 1");
    struct config *config = load("a:b", ""); // b has no file
    config = succeed(config, "a:b", "");
    write_file("a/two.sql", "\n-- y\nSELECT 1");
    config = succeed(config, "a:b", " ~two");
    write_file("b/three.sql", "SELECT 3");
    config = succeed(config, "a:b", " +three -configuration");
    config_release(config);
}

static void what_was_well_before_is_a_new_problem(void **state)
{
    (void)state;
    write_file("a/one.sql", "SELECT 1");
    struct config *config = load("a", "");
    write_file("a/one.sql", "-- x\nSELECT 1");
    write_file("a/two.sql", "SELECT");
    write_file("a/new.sql", "");
    config = succeed(config, "a",
                     " +new +two ~one !/a/new.sql:1:1: no SQL statement, expected one "
                     "below the header !/a/one.sql:1:4: expected `-- key: value` or "
                     "`-- # remark` above the statement");
    config = succeed(config, "b", " +configuration -new -one -two !/b");
    config_release(config);
}

static void another_server_or_user_is_a_change(void **state)
{
    (void)state;
    write_file("a/one.sql", "SELECT 1");
    struct config *config = load("a", "");
    (void)setenv("DATABASE_URL", "postgres://u:other@h/d", 1);
    config = succeed(config, "a", "");
    (void)setenv("DATABASE_URL", "postgres://v:other@h/d", 1);
    uint64_t digest = config->target_digest;
    config = succeed(config, "a", " target");
    assert_true(config->target_digest == digest);
    (void)setenv("DATABASE_URL", "postgres://v:other@h/e", 1);
    config = succeed(config, "a", " target");
    assert_true(config->target_digest != digest);
    (void)setenv("DATABASE_URL", "postgres://v:other@h:0/e", 1);
    config =
        succeed(config, "a", " target !DATABASE_URL: the port is not a number from 1 to 65535");
    config_release(config);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(checks_are_read_from_all_folders_and_sorted),
        TEST(endpoints_have_their_rules_and_probers_their_names),
        TEST(names_of_other_tools_lead_to_endpoints_unless_a_file_has_them),
        TEST(a_later_folder_replaces_a_check_of_the_same_name),
        TEST(a_replaced_file_may_be_as_broken_as_it_likes),
        TEST(disabled_checks_are_left_out_of_every_folder),
        TEST(names_that_nothing_has_are_warned_of),
        TEST(names_that_something_has_are_not_warned_of),
        TEST(without_an_engine_no_name_is_doubted),
        TEST(other_files_are_left_alone),
        TEST(links_are_followed),
        TEST(a_name_given_twice_is_one_place),
        TEST(settings_are_the_checks_defaults),
        TEST(a_configuration_lives_until_its_last_holder_lets_go),
        TEST(the_target_is_shown_without_its_secret),
        TEST(without_a_url_all_else_is_served),
        TEST(a_bad_url_of_a_known_engine_is_a_problem_for_the_probers_alone),
        TEST(a_name_that_cannot_be_one_is_told_and_the_rest_runs),
        TEST(a_folder_that_cannot_be_read_is_told_and_the_rest_runs),
        TEST(a_folder_without_checks_is_told),
        TEST(a_library_that_is_not_there_is_told),
        TEST(a_broken_file_is_a_problem_of_its_own_check),
        TEST(a_reserved_endpoint_breaks_its_check_where_it_is_seen),
        TEST(a_bad_setting_is_told_by_readiness),
        TEST(the_configuration_checks_name_is_not_for_files),
        TEST(a_param_has_one_type_in_an_endpoint),
        TEST(an_endpoint_that_includes_another_has_its_params),
        TEST(a_param_is_well_when_the_other_is_mended),
        TEST(an_equal_check_goes_over_as_the_same_object),
        TEST(what_was_wrong_before_is_no_new_problem),
        TEST(what_was_well_before_is_a_new_problem),
        TEST(another_server_or_user_is_a_change),
    };
    return RUN(tests);
}
