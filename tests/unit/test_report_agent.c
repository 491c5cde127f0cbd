// The line that an agent check of HAProxy gets: from what is known of an endpoint's checks, word
// for word.
#include "server/report/report.h"

#include "unit.h"

#include <stdlib.h>
#include <string.h>

enum { CHECKS_MOST = 2, PARAMS_MOST = 2 };

static char lag_name[] = "lag", role_name[] = "role", weight_name[] = "weight";
static struct param weight_off = {.name = weight_name, .value = {.type = LITERAL_NUMBER}};
static struct param weight_on = {.name = weight_name,
                                 .value = {.type = LITERAL_NUMBER, .number = 1}};

struct row {
    enum verdict verdict;
    enum outcome outcome;
    const char *reason;
    const char *weight;        // NULL: it has no such column
    const struct param *param; // NULL: it has none that is called so
};

struct scene {
    struct row rows[CHECKS_MOST];
    size_t count;
    const char *endpoint;
    bool drains, no_details;
    unsigned peers;                // a bit for each row that tells of others
    unsigned status;               // 0: as the verdicts say
    const struct param *overrides; // NULL: none
    const char *line;
    enum agent_word word;
};

// clang-format off
static const struct scene scenes[] = {
    {{{VERDICT_PASS, OUTCOME_OK, "", NULL, NULL}}, 1, "replica",
     .line = "ready up\n", .word = AGENT_UP},
    {{{VERDICT_WARN, OUTCOME_OK, "lag 9 > 5", NULL, NULL}}, 1, "replica",
     .line = "ready up\n", .word = AGENT_UP},
    {{{VERDICT_WARN, OUTCOME_OK, "lag 9 > 5", NULL, NULL}}, 1, "replica", .status = 429,
     .line = "ready up\n", .word = AGENT_UP},
    {{{VERDICT_WARN, OUTCOME_OK, "lag 9 > 5", NULL, NULL}}, 1, "replica", .status = 503,
     .line = "ready down #lag: lag 9 > 5\n", .word = AGENT_DOWN},
    {{{VERDICT_FAIL, OUTCOME_FAILED, "lag 45 > 30", NULL, NULL}}, 1, "replica",
     .line = "ready down #lag: lag 45 > 30\n", .word = AGENT_DOWN},
    {{{VERDICT_FAIL, OUTCOME_FAILED, "lag 45 > 30", NULL, NULL}}, 1, "replica", .no_details = true,
     .line = "ready down #lag\n", .word = AGENT_DOWN},
    {{{VERDICT_FAIL, OUTCOME_FAILED, "text is # 1 #", NULL, NULL}}, 1, "replica",
     .line = "ready down #lag: text is   1  \n", .word = AGENT_DOWN},
    {{{VERDICT_FAIL, OUTCOME_REFUSED, "", NULL, NULL},
      {VERDICT_UNKNOWN, OUTCOME_UNKNOWN, "", NULL, NULL}}, 2, "replica",
     .line = "ready down #lag: refused: nothing listens at the server's address; "
             "role: not known yet\n", .word = AGENT_DOWN},
    {{{VERDICT_PASS, OUTCOME_OK, "", NULL, NULL},
      {VERDICT_UNKNOWN, OUTCOME_CRASHED, "", NULL, NULL}}, 2, "healthz",
     .line = "ready up\n", .word = AGENT_UP},
    {{{VERDICT_SKIPPED, OUTCOME_SKIPPED, "", NULL, NULL}}, 1, "replica",
     .line = "maint\n", .word = AGENT_MAINT},
    {{{VERDICT_SKIPPED, OUTCOME_SKIPPED, "", NULL, NULL}}, 1, "replica", .drains = true,
     .line = "maint\n", .word = AGENT_MAINT},
    {{{VERDICT_SKIPPED, OUTCOME_SKIPPED, "", NULL, NULL}}, 1, "healthz",
     .line = "ready up\n", .word = AGENT_UP},
    {{{VERDICT_SKIPPED, OUTCOME_SKIPPED, "", NULL, NULL},
      {VERDICT_PASS, OUTCOME_OK, "", NULL, NULL}}, 2, "replica",
     .line = "ready up\n", .word = AGENT_UP},
    {{{VERDICT_SKIPPED, OUTCOME_SKIPPED, "", NULL, NULL},
      {VERDICT_FAIL, OUTCOME_TIMEOUT, "", NULL, NULL}}, 2, "replica",
     .line = "ready down #role: timeout: the server gave no answer in time\n", .word = AGENT_DOWN},
    // What others say is of no role of this server.
    {{{VERDICT_SKIPPED, OUTCOME_SKIPPED, "", NULL, NULL},
      {VERDICT_PASS, OUTCOME_OK, "", NULL, NULL}}, 2, "sole-primary",
     .peers = 2, .line = "maint\n", .word = AGENT_MAINT},
    {{{VERDICT_SKIPPED, OUTCOME_SKIPPED, "", NULL, NULL},
      {VERDICT_FAIL, OUTCOME_FAILED, "x", NULL, NULL}}, 2, "sole-primary",
     .peers = 2, .line = "maint\n", .word = AGENT_MAINT},
    {{{VERDICT_PASS, OUTCOME_OK, "", NULL, NULL}}, 1, "sole-primary",
     .peers = 1, .line = "ready down #there is no check to judge\n", .word = AGENT_DOWN},
    {{{VERDICT_PASS, OUTCOME_OK, "", NULL, NULL},
      {VERDICT_FAIL, OUTCOME_FAILED, "rival", NULL, NULL}}, 2, "sole-primary",
     .peers = 2, .line = "ready down #role: rival\n", .word = AGENT_DOWN},
    {{{0}}, 0, "replica",
     .line = "ready down #there is no check to judge\n", .word = AGENT_DOWN},
    {{{VERDICT_PASS, OUTCOME_OK, "", NULL, NULL}}, 1, "replica", .drains = true,
     .line = "drain up\n", .word = AGENT_DRAIN},
    {{{VERDICT_FAIL, OUTCOME_REFUSED, "", NULL, NULL}}, 1, "replica", .drains = true,
     .no_details = true, .line = "drain down #lag\n", .word = AGENT_DRAIN},
    // Weights.
    {{{VERDICT_PASS, OUTCOME_OK, "", "75", NULL}}, 1, "replica",
     .line = "ready up 75%\n", .word = AGENT_UP},
    {{{VERDICT_WARN, OUTCOME_OK, "", "33.5", NULL}}, 1, "replica",
     .line = "ready up 34%\n", .word = AGENT_UP},
    {{{VERDICT_PASS, OUTCOME_OK, "", "-7", NULL}}, 1, "replica",
     .line = "ready up 0%\n", .word = AGENT_UP},
    {{{VERDICT_PASS, OUTCOME_OK, "", "1e30", NULL}}, 1, "replica",
     .line = "ready up 25600%\n", .word = AGENT_UP},
    {{{VERDICT_PASS, OUTCOME_OK, "", "+Inf", NULL}}, 1, "replica",
     .line = "ready up 25600%\n", .word = AGENT_UP},
    {{{VERDICT_PASS, OUTCOME_OK, "", "80", NULL}, {VERDICT_PASS, OUTCOME_OK, "", "20", NULL}}, 2,
     "replica", .line = "ready up 20%\n", .word = AGENT_UP},
    {{{VERDICT_SKIPPED, OUTCOME_SKIPPED, "", "5", NULL},
      {VERDICT_PASS, OUTCOME_OK, "", "20", NULL}}, 2, "replica",
     .line = "ready up 20%\n", .word = AGENT_UP},
    {{{VERDICT_FAIL, OUTCOME_FAILED, "x", "75", NULL}}, 1, "replica",
     .line = "ready down #lag: x\n", .word = AGENT_DOWN},
    {{{VERDICT_SKIPPED, OUTCOME_SKIPPED, "", "5", &weight_on},
      {VERDICT_PASS, OUTCOME_OK, "", NULL, NULL}}, 2, "read-only",
     .line = "ready up 100%\n", .word = AGENT_UP},
    {{{VERDICT_SKIPPED, OUTCOME_SKIPPED, "", "5", &weight_off},
      {VERDICT_PASS, OUTCOME_OK, "", NULL, NULL}}, 2, "read-only",
     .line = "ready up\n", .word = AGENT_UP},
    {{{VERDICT_PASS, OUTCOME_OK, "", "75", &weight_off}}, 1, "replica",
     .line = "ready up\n", .word = AGENT_UP},
    {{{VERDICT_PASS, OUTCOME_OK, "", "75", &weight_off}}, 1, "replica", .overrides = &weight_on,
     .line = "ready up 75%\n", .word = AGENT_UP},
    {{{VERDICT_PASS, OUTCOME_OK, "", "75", &weight_on}}, 1, "replica",
     .line = "ready up 75%\n", .word = AGENT_UP},
    {{{VERDICT_PASS, OUTCOME_OK, "", "75", &weight_on}}, 1, "replica", .overrides = &weight_off,
     .line = "ready up\n", .word = AGENT_UP},
};
// clang-format on

static struct params params_of(const struct param *param)
{
    static struct param items[PARAMS_MOST];
    static size_t next;
    if (param == NULL)
        return (struct params){0};
    struct param *item = &items[next++ % PARAMS_MOST];
    *item = *param;
    return (struct params){.items = item, .count = 1};
}

static struct result *numbers_with(const char *weight)
{
    if (weight == NULL)
        return NULL;
    struct result *numbers = result_new();
    result_add_column(numbers, "weight_percent");
    assert_true(result_add_value(numbers, VALUE_NUMBER, weight, strlen(weight)));
    return numbers;
}

static void expect(const struct scene *scene)
{
    struct check checks[CHECKS_MOST] = {{.name = lag_name}, {.name = role_name}};
    struct check_view views[CHECKS_MOST];
    struct result *numbers[CHECKS_MOST] = {NULL};
    struct params overrides = params_of(scene->overrides);
    char bytes[AGENT_LINE_MAX];
    struct text line = text_in(bytes, sizeof bytes);
    memset(views, 0, sizeof views);
    for (size_t i = 0; i < scene->count; i++) {
        const struct row *row = &scene->rows[i];
        checks[i].params = params_of(row->param);
        checks[i].peers = (scene->peers & 1U << i) != 0;
        views[i].check = &checks[i];
        views[i].numbers = numbers[i] = numbers_with(row->weight);
        views[i].judgement = (struct judgement){.verdict = row->verdict, .outcome = row->outcome};
        (void)snprintf(views[i].judgement.reason, REASON_MAX, "%s", row->reason);
    }
    struct report report = {.rule = endpoint_rule(scene->endpoint),
                            .views = views,
                            .count = scene->count,
                            .shows_drain = scene->drains,
                            .overrides = &overrides};
    report.passes = endpoint_passes(report.rule, views, NULL, scene->count, &report.circumstances);
    bool well = scene->status != 0 ? scene->status != 503 : report.passes;
    assert_int_equal(report_agent(&report, well, !scene->no_details, &line), scene->word);
    assert_string_equal(bytes, scene->line);
    for (size_t i = 0; i < scene->count; i++)
        result_free(numbers[i]);
}

static void each_line_is_as_told(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(scenes); i++) {
        print_message("%s", scenes[i].line);
        expect(&scenes[i]);
    }
}

static void refuse(const char *words, const char *wanted)
{
    char bytes[AGENT_LINE_MAX];
    struct text line = text_in(bytes, sizeof bytes);
    report_agent_refusal(words, &line);
    assert_string_equal(bytes, wanted);
}

static void a_refusal_says_what_was_wrong(void **state)
{
    (void)state;
    refuse("no such endpoint\n", "ready fail #no such endpoint\n");
    refuse("x # y\rz", "ready fail #x   y\n");
    refuse("", "ready fail #\n");
}

// It ends in a line end, or HAProxy would take no word of it.
static void what_is_long_is_cut(void **state)
{
    (void)state;
    char words[2 * AGENT_LINE_MAX];
    char bytes[AGENT_LINE_MAX];
    struct text line = text_in(bytes, sizeof bytes);
    memset(words, 'x', sizeof words);
    words[sizeof words - 1] = '\0';
    report_agent_refusal(words, &line);
    assert_int_equal(strlen(bytes), AGENT_LINE_MAX - 1);
    assert_int_equal(bytes[AGENT_LINE_MAX - 2], '\n');
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_line_is_as_told),
        cmocka_unit_test(a_refusal_says_what_was_wrong),
        cmocka_unit_test(what_is_long_is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
