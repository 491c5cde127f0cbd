// What counts as a change of the files that are watched, however it comes about, and what does not.
#include "server/config/watch.h"

#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char root[] = "/tmp/dbhealthd-watch.XXXXXX";

// Each after the one before. Watched are a folder `checks` and a file `url`.
static void every_change_is_seen(void **state)
{
    (void)state;
    static const struct {
        const char *command;
        bool changes;
    } steps[] = {
        {"true", false},
        {"mkdir checks", true},
        {"echo 'SELECT 1' > checks/a.sql", true},
        {"echo 'SELECT 10' > checks/a.sql", true}, // in place
        {"touch -d 2000-01-01 checks/a.sql", true},
        {"cat checks/a.sql", false},
        {"for f in README a.sql~ .a.sql.swp; do echo > checks/$f; done; echo > other", false},
        {"cp -p checks/a.sql new && mv new checks/a.sql", true}, // the same in another file
        {"mv checks/a.sql checks/b.sql", true},
        {"rm checks/b.sql", true},
        {"mkdir v1 v2 && echo 1 > v1/a.sql && cp -p v1/a.sql v2 && ln -s v1 ..data", false},
        {"ln -s ../..data/a.sql checks/a.sql", true}, // as of a ConfigMap
        {"ln -s v2 new && mv -T new ..data", true},
        {"rm ..data", true}, // the link leads nowhere
        {"mv checks gone", true},
        {"mv gone checks", true},
        {"echo postgres://u@h/d > url", true},
        {"echo mysql://u@h/d > new && mv new url", true},
        {"rm url", true},
        {"rm -r checks", true},
    };
    struct watch watch = {0};
    assert_int_equal(chdir(root), 0);
    words_add(&watch.folders, "checks", strlen("checks"));
    words_add(&watch.files, "url", strlen("url"));
    uint64_t seen = watch_look(&watch);
    for (size_t i = 0; i < COUNT(steps); i++) {
        print_message("%s\n", steps[i].command);
        assert_int_equal(system(steps[i].command), 0);
        assert_int_equal(watch_look(&watch) != seen, steps[i].changes);
        seen = watch_look(&watch);
        assert_true(watch_look(&watch) == seen);
    }
    watch_clear(&watch);
}

static int make_root(void **state)
{
    (void)state;
    return mkdtemp(root) == NULL;
}

static int remove_root(void **state)
{
    (void)state;
    char command[64];
    (void)snprintf(command, sizeof command, "rm -r %s", root);
    return system(command);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_change_is_seen),
    };
    return cmocka_run_group_tests(tests, make_root, remove_root);
}
