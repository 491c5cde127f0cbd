#include "unit.h"

#include "server/config/certificate.h"

#include <time.h>

enum { DAY = 86400 };

#define TEN_YEARS (INT64_C(3650) * DAY)

static void test_when_our_own_expires(void **state)
{
    static const int64_t in_2026 = INT64_C(1796000000), in_2036 = INT64_C(2085000000);
    (void)state;
    assert_int_equal(certificate_own_expiry(in_2026, 64), in_2026 + TEN_YEARS);
    assert_int_equal(certificate_own_expiry(in_2036, 64), in_2036 + TEN_YEARS);
    assert_int_equal(certificate_own_expiry(in_2026, 32), in_2026 + TEN_YEARS);
    assert_int_equal(certificate_own_expiry(in_2036, 32), INT32_MAX);
    assert_int_equal(certificate_own_expiry(0, 32), TEN_YEARS);
}

static void test_one_is_made(void **state)
{
    (void)state;
    struct certificate *own = certificate_make();
    int64_t now = time(NULL);
    assert_int_in_range(certificate_expiry(own), now + DAY, now + TEN_YEARS);
    assert_true(certificate_equal(own, own));
    assert_false(certificate_equal(own, NULL));
    certificate_release(own);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_when_our_own_expires),
        cmocka_unit_test(test_one_is_made),
    };
    return RUN(tests);
}
