// Which settings a server of which version is told.
#include "prober/postgres_settings.h"

#include "unit.h"

#include <string.h>

// The number of statements that set this.
static unsigned count_of(const char *name, int version)
{
    static const char start[] = "SET LOCAL ";
    unsigned found = 0;
    const char *statement;
    for (size_t at = 0; (statement = postgres_setting_next(&at, version)) != NULL;) {
        assert_int_equal(strncmp(statement, start, strlen(start)), 0);
        found += strncmp(statement + strlen(start), name, strlen(name)) == 0;
    }
    return found;
}

static void a_version_is_told_what_it_has(void **state)
{
    static const struct {
        const char *name;
        int version;
        unsigned count;
    } expected[] = {
        {"search_path = ", 120000, 1},
        {"search_path = ", 180004, 1},
        {"jit = ", 100023, 0},
        {"jit = ", 120022, 1},
        {"transaction_timeout = ", 160014, 0},
        {"transaction_timeout = ", 170000, 1},
        {"restrict_nonsystem_relation_kind = ", 110022, 0},
        {"restrict_nonsystem_relation_kind = ", 120019, 0},
        {"restrict_nonsystem_relation_kind = ", 120020, 1},
        {"restrict_nonsystem_relation_kind = ", 130015, 0},
        {"restrict_nonsystem_relation_kind = ", 130016, 1},
        {"restrict_nonsystem_relation_kind = ", 140012, 0},
        {"restrict_nonsystem_relation_kind = ", 140013, 1},
        {"restrict_nonsystem_relation_kind = ", 150007, 0},
        {"restrict_nonsystem_relation_kind = ", 150008, 1},
        {"restrict_nonsystem_relation_kind = ", 160003, 0},
        {"restrict_nonsystem_relation_kind = ", 160004, 1},
        {"restrict_nonsystem_relation_kind = ", 180004, 1},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(expected); i++)
        assert_int_equal(count_of(expected[i].name, expected[i].version), expected[i].count);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {cmocka_unit_test(a_version_is_told_what_it_has)};
    return RUN(tests);
}
