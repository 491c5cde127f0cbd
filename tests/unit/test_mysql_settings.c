// Which variables a server of which version is told about.
#include "prober/mysql_settings.h"

#include "unit.h"

#include <string.h>

// The number of assignments that begin with this.
static unsigned count_of(const char *name, enum flavor flavor, unsigned long version)
{
    unsigned found = 0;
    const char *assignment;
    for (size_t at = 0; (assignment = mysql_setting_next(&at, flavor, version)) != NULL;)
        found += strncmp(assignment, name, strlen(name)) == 0;
    return found;
}

static void a_version_is_told_what_it_has(void **state)
{
    static const struct {
        const char *name;
        enum flavor flavor;
        unsigned long version;
        unsigned count;
    } expected[] = {
        {"sql_mode = ", FLAVOR_MYSQL, 50600, 1},
        {"sql_mode = ", FLAVOR_MARIADB, 100500, 1},
        {"tx_isolation = ", FLAVOR_MYSQL, 50719, 1},
        {"transaction_isolation = ", FLAVOR_MYSQL, 50719, 0},
        {"tx_isolation = ", FLAVOR_MYSQL, 50720, 0},
        {"transaction_isolation = ", FLAVOR_MYSQL, 50720, 1},
        {"tx_isolation = ", FLAVOR_MARIADB, 101119, 1},
        {"transaction_isolation = ", FLAVOR_MARIADB, 101119, 0},
        {"transaction_isolation = ", FLAVOR_MARIADB, 110803, 1},
        {"information_schema_stats_expiry = ", FLAVOR_MYSQL, 50744, 0},
        {"information_schema_stats_expiry = ", FLAVOR_MYSQL, 80045, 1},
        {"information_schema_stats_expiry = ", FLAVOR_MARIADB, 110803, 0},
        {"cte_max_recursion_depth = ", FLAVOR_MYSQL, 50744, 0},
        {"cte_max_recursion_depth = ", FLAVOR_MYSQL, 80045, 1},
        {"group_replication_consistency = ", FLAVOR_MYSQL, 80013, 0},
        {"group_replication_consistency = ", FLAVOR_MYSQL, 90704, 1},
        {"group_replication_consistency = ", FLAVOR_MARIADB, 120000, 0},
        {"wsrep_sync_wait = ", FLAVOR_MARIADB, 100500, 1},
        {"wsrep_sync_wait = ", FLAVOR_MYSQL, 90704, 0},
        {"max_tmp_session_space_usage = ", FLAVOR_MARIADB, 101119, 0},
        {"max_tmp_session_space_usage = ", FLAVOR_MARIADB, 110803, 1},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(expected); i++)
        assert_int_equal(count_of(expected[i].name, expected[i].flavor, expected[i].version),
                         expected[i].count);
}

static void a_version_has_limits_and_read_only_transactions_or_not(void **state)
{
    (void)state;
    assert_false(mysql_setting_has_limit(50651));
    assert_false(mysql_setting_has_limit(50707));
    assert_true(mysql_setting_has_limit(50708));
    assert_true(mysql_setting_has_limit(80000));
    assert_true(mysql_setting_is_too_old(FLAVOR_MYSQL, 50562));
    assert_false(mysql_setting_is_too_old(FLAVOR_MYSQL, 50605));
    assert_true(mysql_setting_is_too_old(FLAVOR_MARIADB, 50568));
    assert_false(mysql_setting_is_too_old(FLAVOR_MARIADB, 100500));
}

static void a_version_is_read_whatever_it_is(void **state)
{
    static const struct {
        const char *text;
        unsigned long version;
    } expected[] = {
        {"9.7.4-2", 90704},
        {"8.0.36", 80036},
        {"10.11.19-MariaDB-0+deb12u1", 101119},
        {"10.11", 101100},
        {"10", 100000},
        {"", 0},
        {"1\n2", 10000},
        {"x.y.z", 0},
        {".", 0},
        {"1.2.3.4", 10203},
        {"5.7.999999", 50799},
        {"-1.2.3", 990203},
        {"99999999999999.1.1", 990101},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(expected); i++)
        assert_int_equal(mysql_setting_version(expected[i].text), expected[i].version);
}

static void what_makes_transactions_read_only_has_two_names(void **state)
{
    (void)state;
    assert_string_equal(mysql_setting_read_only(FLAVOR_MYSQL, 50719), "tx_read_only");
    assert_string_equal(mysql_setting_read_only(FLAVOR_MYSQL, 80000), "transaction_read_only");
    assert_string_equal(mysql_setting_read_only(FLAVOR_MARIADB, 101119), "tx_read_only");
    assert_string_equal(mysql_setting_read_only(FLAVOR_MARIADB, 110803), "transaction_read_only");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_version_is_told_what_it_has),
        cmocka_unit_test(a_version_has_limits_and_read_only_transactions_or_not),
        cmocka_unit_test(a_version_is_read_whatever_it_is),
        cmocka_unit_test(what_makes_transactions_read_only_has_two_names),
    };
    return RUN(tests);
}
