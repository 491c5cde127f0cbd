// The page's Content-Security-Policy: what it allows beyond the page's own style and script is
// nothing. That the two hashes are right a browser says (tests/browser).
#include "server/report/page_policy.h"

#include "server/report/page_assets.h"
#include "unit.h"

#include <string.h>

static void nothing_from_elsewhere_is_allowed(void **state)
{
    (void)state;
    char policy[PAGE_POLICY_MAX];
    page_policy(policy, sizeof policy);
    assert_int_equal(strncmp(policy, "default-src 'none'; style-src 'sha256-", 38), 0);
    assert_non_null(strstr(policy, "'; script-src 'sha256-"));
    assert_non_null(strstr(policy, "; connect-src 'self'; img-src data:; base-uri 'none'; "
                                   "form-action 'none'; frame-ancestors 'none'"));
    assert_null(strstr(policy, "unsafe"));
    assert_null(strstr(policy, "http"));
    assert_null(strchr(policy, '*'));
}

// A script ends where a browser sees its end tag, whatever the language says.
static void assets_stay_in_their_elements(void **state)
{
    (void)state;
    assert_true(strlen(page_css) > 1000);
    assert_true(strlen(page_js) > 1000);
    assert_null(strcasestr(page_css, "</"));
    assert_null(strcasestr(page_js, "</"));
    assert_null(strcasestr(page_js, "<!--"));
    assert_null(strcasestr(page_css, "url("));
    assert_null(strcasestr(page_css, "@import"));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_from_elsewhere_is_allowed),
        cmocka_unit_test(assets_stay_in_their_elements),
    };
    return RUN(tests);
}
