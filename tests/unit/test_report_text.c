// Plain bodies: each kind of line, word for word, for people and scripts both read them.
#include "server/report/report.h"

#include "unit.h"

#include <stdlib.h>
#include <string.h>

static char alive_name[] = "alive";
static const struct check alive = {.name = alive_name};

static void expect_line(enum verdict verdict, enum outcome outcome, const char *reason, bool fails,
                        const char *wanted)
{
    struct check_view view = {.check = &alive,
                              .judgement = {.verdict = verdict, .outcome = outcome}};
    (void)snprintf(view.judgement.reason, sizeof view.judgement.reason, "%s", reason);
    char *body = NULL;
    size_t length;
    FILE *file = open_memstream(&body, &length);
    assert_non_null(file);
    report_check_line(file, &view, fails);
    assert_int_equal(fclose(file), 0);
    assert_string_equal(body, wanted);
    free(body);
}

static void a_check_that_is_well_takes_few_words(void **state)
{
    (void)state;
    expect_line(VERDICT_PASS, OUTCOME_OK, "", false, "[+]alive ok\n");
}

static void a_rule_that_holds_is_shown_with_what_was_seen(void **state)
{
    (void)state;
    expect_line(VERDICT_FAIL, OUTCOME_FAILED, "lag 45 > 30", true,
                "[-]alive failed: lag 45 > 30\n");
    expect_line(VERDICT_WARN, OUTCOME_OK, "lag 45 > 30", false, "[+]alive warn: lag 45 > 30\n");
    expect_line(VERDICT_WARN, OUTCOME_FAILED, "lag is null", false, "[+]alive warn: lag is null\n");
}

static void an_outcome_is_shown_with_its_code_and_whose_fault_it_is(void **state)
{
    (void)state;
    expect_line(VERDICT_FAIL, OUTCOME_REFUSED, "", true,
                "[-]alive failed: refused: nothing listens at the server's address; start "
                "the server, or correct host and port in the URL\n");
    expect_line(VERDICT_WARN, OUTCOME_DENIED, "", false,
                "[+]alive warn: denied: the server refused the probe user; check user, "
                "password, database and grants of the probe user, and whether the server "
                "demands TLS\n");
    expect_line(VERDICT_FAIL, OUTCOME_NO_ROW, "", true,
                "[-]alive failed: no_row: the query gave no row to judge; make the "
                "query give a row, or say `no-rows: pass` in its file\n");
    expect_line(VERDICT_UNKNOWN, OUTCOME_UNKNOWN, "not reached: lag ran 780 ms", true,
                "[-]alive unknown: not known yet (not reached: lag ran 780 ms)\n");
    expect_line(VERDICT_FAIL, OUTCOME_TIMEOUT, "no answer for 12.3 s", true,
                "[-]alive failed: timeout: the server gave no answer in time (no answer for "
                "12.3 s); see whether it is stopped, overloaded or out of I/O\n");
    expect_line(
        VERDICT_UNKNOWN, OUTCOME_CONFIG, "column lag is not in the result", true,
        "[-]alive unknown: config: the adapter's configuration is wrong, so nothing was "
        "asked (column lag is not in the result); not the server's fault: the adapter's log "
        "names the place\n");
    expect_line(VERDICT_SKIPPED, OUTCOME_SKIPPED, "", false,
                "[+]alive skipped: not meant for this server\n");
}

// The mark says what the endpoint makes of it, the word what the check found.
static void mark_and_verdict_are_two_things(void **state)
{
    (void)state;
    expect_line(VERDICT_UNKNOWN, OUTCOME_CRASHED, "", false,
                "[+]alive unknown: crashed: the adapter's prober process died or could not be "
                "started; not the server's fault: look in the adapter's log and report it\n");
    expect_line(VERDICT_UNKNOWN, OUTCOME_CRASHED, "", true,
                "[-]alive unknown: crashed: the adapter's prober process died or could not be "
                "started; not the server's fault: look in the adapter's log and report it\n");
}

static void other_lines_have_the_same_form(void **state)
{
    (void)state;
    char *body = NULL;
    size_t length;
    FILE *file = open_memstream(&body, &length);
    assert_non_null(file);
    report_line(file, true, "prober-main", "ok");
    report_line(file, false, "drain", "failed: the adapter is draining");
    report_conclusion(file, "readyz", false);
    report_conclusion(file, "healthz", true);
    assert_int_equal(fclose(file), 0);
    assert_string_equal(body, "[+]prober-main ok\n"
                              "[-]drain failed: the adapter is draining\n"
                              "readyz check failed\n"
                              "healthz check passed\n");
    free(body);
}

static void expect_names(const struct report *report, const char *wanted)
{
    char *body = NULL;
    size_t length;
    FILE *file = open_memstream(&body, &length);
    assert_non_null(file);
    report_names(file, report);
    assert_int_equal(fclose(file), 0);
    assert_string_equal(body, wanted);
    free(body);
}

static void where_no_details_are_told_only_names_are(void **state)
{
    (void)state;
    static char lag_name[] = "lag", size_name[] = "size";
    static const struct check lag = {.name = lag_name}, size = {.name = size_name};
    const struct check_view views[] = {
        {.check = &alive, .judgement = {.verdict = VERDICT_WARN, .reason = "a secret"}},
        {.check = &lag, .judgement = {.verdict = VERDICT_FAIL, .reason = "a secret"}},
        {.check = &size, .judgement = {.verdict = VERDICT_UNKNOWN, .reason = "a secret"}}};
    struct report report = {
        .name = "readyz", .rule = endpoint_rule("readyz"), .views = views, .count = COUNT(views)};
    expect_names(&report, "[-]lag\n[-]size\nreadyz check failed\n");
    report.shows_drain = true;
    report.count = 1;
    expect_names(&report, "[-]drain\nreadyz check failed\n");
    report.shows_drain = false;
    report.passes = report.warns = report.shows_warning = true;
    expect_names(&report, "readyz check passed with a warning\n");
    expect_names(&(struct report){.name = "readyz", .rule = report.rule},
                 "[-]checks\nreadyz check failed\n");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_check_that_is_well_takes_few_words),
        cmocka_unit_test(a_rule_that_holds_is_shown_with_what_was_seen),
        cmocka_unit_test(an_outcome_is_shown_with_its_code_and_whose_fault_it_is),
        cmocka_unit_test(mark_and_verdict_are_two_things),
        cmocka_unit_test(other_lines_have_the_same_form),
        cmocka_unit_test(where_no_details_are_told_only_names_are),
    };
    return RUN(tests);
}
