// The status page: what it says of each state, that nothing foreign gets out of its place, and that
// its elements are closed in the order in which they were opened, however many checks there are.
#include "server/report/report_html.h"

#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CHECKS = 40, NOW_S = 100000 };

static char readyz_name[] = "readyz";
static char healthz_name[] = "healthz";
static char replica_name[] = "replica";
static char primary_name[] = "primary";

// An adapter at one moment, made by hand: readyz has all checks, healthz, primary and replica have
// the first, if there is one.
struct scene {
    struct check checks[CHECKS];
    struct check *pointers[CHECKS];
    char names[CHECKS][16];
    size_t indices[CHECKS];
    struct check_view views[CHECKS];
    struct endpoint endpoints[4];
    bool passes[4];
    struct config config;
    struct prober_view probers[1];
    struct statistics *statistics;
    struct status_page status;
};

static char main_name[] = "main";

static void add_checks(struct scene *scene, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        (void)snprintf(scene->names[i], sizeof scene->names[i], "check-%02zu", i);
        scene->checks[i] = (struct check){.name = scene->names[i], .prober = main_name};
        scene->pointers[i] = &scene->checks[i];
        scene->indices[i] = i;
        scene->views[i] =
            (struct check_view){.check = &scene->checks[i],
                                .judgement = {.verdict = VERDICT_PASS, .outcome = OUTCOME_OK},
                                .message = "",
                                .statistics = statistics_check(scene->statistics, scene->names[i])};
    }
}

static struct scene *new_scene(size_t count)
{
    struct scene *scene = calloc(1, sizeof *scene);
    assert_non_null(scene);
    char *names[] = {readyz_name, healthz_name, replica_name, primary_name};
    scene->statistics = statistics_new(INT64_C(1767225500042));
    add_checks(scene, count);
    for (size_t i = 0; i < COUNT(names); i++)
        scene->endpoints[i] = (struct endpoint){.name = names[i],
                                                .rule = endpoint_rule(names[i]),
                                                .checks = scene->indices,
                                                .count = i == 0 ? count : count > 0};
    scene->config = (struct config){.engine = ENGINE_POSTGRES,
                                    .checks = scene->pointers,
                                    .check_count = count,
                                    .endpoints = scene->endpoints,
                                    .endpoint_count = COUNT(names)};
    scene->probers[0] =
        (struct prober_view){.statistics = statistics_prober(scene->statistics, "main")};
    scene->status = (struct status_page){
        .config = &scene->config,
        .views = scene->views,
        .passes = scene->passes,
        .probers = scene->probers,
        .prober_count = 1,
        .statistics = scene->statistics,
        .flavor = "postgres",
        .version = "15.8",
        .moment = {.now = {NOW_S * INT64_C(1000000000)}, .unix_ms = INT64_C(1767225600000)}};
    return scene;
}

static void free_scene(struct scene *scene)
{
    statistics_free(scene->statistics);
    free(scene);
}

static void add_result(struct scene *scene, size_t check, int64_t seconds_ago, enum verdict verdict,
                       enum outcome outcome)
{
    struct instant came = {(NOW_S - seconds_ago) * INT64_C(1000000000)};
    struct arrival arrival = {.came = came,
                              .took_ns = 1500000,
                              .judgement = {.verdict = verdict, .outcome = outcome},
                              .held_until = instant_add(came, (struct duration){2000})};
    struct check_view *view = &scene->views[check];
    history_add(&statistics_check(scene->statistics, view->check->name)->history, &arrival);
    view->judgement = arrival.judgement;
    view->dated = true;
    view->started = came;
}

// --- reading it

// The elements that have no end.
static bool is_void(const char *name)
{
    static const char *const names[] = {"!DOCTYPE", "meta", "link", "wbr"};
    bool is_one = false;
    for (size_t i = 0; i < COUNT(names); i++)
        is_one |= strcmp(name, names[i]) == 0;
    return is_one;
}

// Past what a style or script element has within.
static const char *skip_raw(const char *at, const char *name)
{
    char end[16];
    (void)snprintf(end, sizeof end, "</%s>", name);
    const char *found = strstr(at, end);
    assert_non_null(found);
    return found;
}

static const char *read_tag(const char *at, char (*open)[16], size_t *depth)
{
    char name[16] = "";
    bool ends = at[1] == '/';
    const char *end = strchr(at, '>');
    assert_non_null(end);
    assert_int_equal(sscanf(at + 1 + ends, "%15[A-Za-z0-9!]", name), 1);
    if (ends) {
        assert_true(*depth > 0);
        assert_string_equal(open[--*depth], name);
    } else if (!is_void(name) && end[-1] != '/') {
        memcpy(open[(*depth)++], name, sizeof name);
        assert_true(*depth < 32);
        if (strcmp(name, "style") == 0 || strcmp(name, "script") == 0)
            return skip_raw(end, name);
    }
    return end + 1;
}

static void must_be_well_formed(const char *text)
{
    char open[32][16];
    size_t depth = 0;
    while ((text = strchr(text, '<')) != NULL)
        text = read_tag(text, open, &depth);
    assert_int_equal(depth, 0);
}

static char *render(struct scene *scene)
{
    char *text;
    size_t length;
    FILE *file = open_memstream(&text, &length);
    assert_non_null(file);
    for (size_t i = 0; i < scene->config.endpoint_count; i++)
        scene->passes[i] = endpoint_passes(scene->endpoints[i].rule, scene->views,
                                           scene->endpoints[i].count, &scene->status.circumstances);
    report_html(file, &scene->status);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(strlen(text), length);
    must_be_well_formed(text);
    return text;
}

static void expect(struct scene *scene, const char *wanted)
{
    char *text = render(scene);
    if (strstr(text, wanted) == NULL)
        fail_msg("not in the page: %s\n%s", wanted, strstr(text, "<main"));
    free(text);
}

static void expect_not(struct scene *scene, const char *unwanted)
{
    char *text = render(scene);
    if (strstr(text, unwanted) != NULL)
        fail_msg("in the page: %s", unwanted);
    free(text);
}

// --- tests

static void it_says_in_a_word_how_things_are(void **state)
{
    (void)state;
    static const struct {
        enum verdict alive, other;
        const char *words;
    } cases[] = {
        {VERDICT_PASS, VERDICT_PASS, "</svg> Ready</h1>"},
        {VERDICT_WARN, VERDICT_PASS, "</svg> Ready, with warnings</h1>"},
        {VERDICT_PASS, VERDICT_SKIPPED, "</svg> Ready</h1>"},
        {VERDICT_PASS, VERDICT_FAIL, "</svg> Not ready</h1>"},
        {VERDICT_PASS, VERDICT_UNKNOWN, "</svg> Not known to be ready</h1>"},
        {VERDICT_UNKNOWN, VERDICT_FAIL, "</svg> Not ready</h1>"},
        {VERDICT_FAIL, VERDICT_PASS, "</svg> Down</h1>"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct scene *scene = new_scene(2);
        scene->views[0].judgement.verdict = cases[i].alive;
        scene->views[1].judgement.verdict = cases[i].other;
        expect(scene, cases[i].words);
        free_scene(scene);
    }
}

static void what_fails_elsewhere_is_told_of_a_server_that_is_ready(void **state)
{
    (void)state;
    struct scene *scene = new_scene(2);
    scene->endpoints[0].count = 1;
    scene->views[1].judgement.verdict = VERDICT_FAIL;
    expect(scene, "</svg> Ready, but not all is well</h1>");
    free_scene(scene);
}

static void draining_and_having_no_check_are_not_ready(void **state)
{
    (void)state;
    struct scene *scene = new_scene(1);
    scene->status.circumstances.draining = true;
    expect(scene, "</svg> Draining</h1>");
    expect(scene, "<span>drains</span> <code>503</code>");
    free_scene(scene);
    scene = new_scene(0);
    expect(scene, "</svg> Not ready: no check says so</h1>");
    expect(scene, "There is no check.");
    free_scene(scene);
}

static void each_verdict_is_a_word_and_a_form(void **state)
{
    (void)state;
    for (unsigned i = 0; i < VERDICT_COUNT; i++) {
        struct scene *scene = new_scene(1);
        char wanted[128];
        const char *name = verdict_name((enum verdict)i);
        add_result(scene, 0, 65, (enum verdict)i, OUTCOME_SERVER_ERROR);
        (void)snprintf(wanted, sizeof wanted, "<li class=\"check %s\" id=\"check-check-00\">",
                       name);
        expect(scene, wanted);
        (void)snprintf(wanted, sizeof wanted, "<b>%s</b> since before ", name);
        expect(scene, wanted);
        (void)snprintf(wanted, sizeof wanted, "href=\"#icon-%s\"/></svg> check-00</h3>", name);
        expect(scene, wanted);
        (void)snprintf(wanted, sizeof wanted, "Last hour, by minute: 1 %s, 59 no result", name);
        expect(scene, wanted);
        free_scene(scene);
    }
}

static void what_does_not_pass_says_why_and_what_to_do(void **state)
{
    (void)state;
    for (unsigned i = OUTCOME_FAILED; i < OUTCOME_SKIPPED; i++) {
        struct scene *scene = new_scene(1);
        struct judgement judgement = {.verdict = VERDICT_FAIL, .outcome = (enum outcome)i};
        const struct outcome_info *info = outcome_info(judgement.outcome);
        char wanted[128];
        scene->views[0].judgement = judgement;
        (void)snprintf(wanted, sizeof wanted, "<p class=\"outcome\"><code>%s</code> ", info->code);
        expect(scene, wanted);
        if (info->advice[0] != '\0')
            expect(scene, "<b>What to do:</b> ");
        free_scene(scene);
    }
}

static void the_reason_is_shown_with_the_outcome(void **state)
{
    (void)state;
    struct scene *scene = new_scene(1);
    scene->views[0].judgement = (struct judgement){VERDICT_FAIL, OUTCOME_FAILED, "lag 45 > 30"};
    expect(scene, "<code>failed</code> lag 45 &gt; 30</p>");
    scene->views[0].judgement =
        (struct judgement){VERDICT_FAIL, OUTCOME_TIMEOUT, "no answer for 12.3 s"};
    expect(scene, "<code>timeout</code> the server gave no answer in time (no answer for 12.3 s)");
    free_scene(scene);
}

static void one_cause_of_several_failures_is_told_once_for_all(void **state)
{
    (void)state;
    struct scene *scene = new_scene(3);
    for (size_t i = 0; i < 2; i++)
        scene->views[i].judgement = (struct judgement){VERDICT_FAIL, OUTCOME_REFUSED, ""};
    expect(scene, "<p class=\"cause\"><code>refused</code> nothing listens at the server&#39;s "
                  "address. <b>What to do:</b> start the server, or correct host and port in the "
                  "URL.</p>");
    scene->views[1].judgement.outcome = OUTCOME_TIMEOUT;
    expect_not(scene, "class=\"cause\"");
    scene->views[1].judgement.verdict = VERDICT_PASS;
    expect_not(scene, "class=\"cause\"");
    free_scene(scene);
}

static void since_when_is_told(void **state)
{
    (void)state;
    struct scene *scene = new_scene(1);
    add_result(scene, 0, 500, VERDICT_PASS, OUTCOME_OK);
    add_result(scene, 0, 400, VERDICT_PASS, OUTCOME_OK);
    expect(scene,
           "<b>pass</b> since before <time datetime=\"2025-12-31T23:51:40Z\">23:51:40</time></p>");
    add_result(scene, 0, 200, VERDICT_FAIL, OUTCOME_REFUSED);
    expect(scene, "<b>fail</b> for 3 min 20 s, since "
                  "<time datetime=\"2025-12-31T23:56:40Z\">23:56:40</time></p>");
    free_scene(scene);
}

// An answer that could not wait for a result must not take the date of the one before.
static void what_is_no_result_holds_at_this_moment(void **state)
{
    (void)state;
    struct scene *scene = new_scene(1);
    add_result(scene, 0, 500, VERDICT_PASS, OUTCOME_OK);
    scene->views[0].dated = false;
    scene->views[0].judgement.verdict = VERDICT_FAIL;
    expect(scene, "<b>fail</b> at this moment</p>");
    scene->views[0].judgement.verdict = VERDICT_PASS;
    expect(scene, "<b>pass</b> at this moment</p>");
    free_scene(scene);
}

static void results_in_a_row_are_told_together(void **state)
{
    (void)state;
    struct scene *scene = new_scene(1);
    for (int i = 0; i < 20; i++)
        add_result(scene, 0, 100 - i, i < 15 ? VERDICT_PASS : VERDICT_FAIL,
                   i < 15 ? OUTCOME_OK : OUTCOME_LOST);
    expect(scene, "<tr><td>5&times;</td><td><svg class=\"icon fail\" aria-hidden=\"true\">"
                  "<use href=\"#icon-fail\"/></svg> fail <code>lost</code></td>");
    expect(scene, "<tr><td>15&times;</td>");
    expect(scene, "Time of the latest runs (20): 1.5 ms to 1.5 ms");
    free_scene(scene);
}

static void values_stand_beside_their_limits(void **state)
{
    (void)state;
    char column[] = "used", limit[] = "0.95", lower[] = "0.8", param[] = "most";
    struct rule rules[] = {
        {.effect = RULE_FAIL,
         .column = column,
         .comparison = RULE_GT,
         .literal = {LITERAL_NUMBER, 0.95L, NULL, limit}},
        {.effect = RULE_WARN, .column = column, .comparison = RULE_GT, .param = param},
        {.effect = RULE_FAIL, .comparison = RULE_LT, .literal = {LITERAL_NUMBER, 1, NULL, limit}}};
    struct param params[] = {{param, {LITERAL_NUMBER, 0.8L, NULL, lower}}};
    struct scene *scene = new_scene(1);
    struct result *seen = result_new();
    scene->checks[0].rules = rules;
    scene->checks[0].rule_count = COUNT(rules);
    scene->checks[0].params = (struct params){params, 1};
    result_add_column(seen, "used");
    assert_true(result_add_value(seen, VALUE_NUMBER, "0.5", 3));
    seen->row_count = 3;
    scene->views[0].seen = seen;
    expect(scene, "<code>used</code></th><td><b>0.5</b></td><td><svg class=\"gauge\"");
    expect(scene, "<rect class=\"used\" width=\"31\"");
    expect(scene,
           "<td class=\"limits\"><span>fails &gt; 0.95</span>, <span>warns &gt; 0.8</span></td>");
    expect(scene, "<code>rows</code></th><td><b>3</b></td><td></td><td class=\"limits\"><span>"
                  "fails &lt; 0.95</span></td>");
    free_scene(scene);
    result_free(seen);
}

static void foreign_strings_stay_text(void **state)
{
    (void)state;
    char description[] = "<b>bold</b> & \"more\"", column[] = "<i>", text[] = "'</script>'";
    struct rule rule = {.effect = RULE_WARN,
                        .column = column,
                        .comparison = RULE_EQ,
                        .literal = {LITERAL_STRING, 0, text, text}};
    struct scene *scene = new_scene(1);
    struct result *numbers = result_new();
    result_add_column(numbers, "<i>");
    assert_true(result_add_value(numbers, VALUE_NUMBER, "1", 1));
    scene->checks[0].description = description;
    scene->checks[0].rules = &rule;
    scene->checks[0].rule_count = 1;
    scene->views[0].seen = numbers;
    scene->views[0].numbers = numbers;
    scene->views[0].judgement = (struct judgement){VERDICT_FAIL, OUTCOME_FAILED, "<i> 1 > '&'"};
    scene->status.version = "15<u>";
    scene->status.configuration_warning = "<s>";
    expect(scene, "&lt;b&gt;bold&lt;/b&gt; &amp; &quot;more&quot;");
    expect(scene, "warns == &#39;&lt;/script&gt;&#39;");
    expect(scene, "Postgres 15&lt;u&gt;");
    static const char *const unwanted[] = {"<i>", "<b>bold", "<u>", "<s>", "'</script>"};
    for (size_t i = 0; i < COUNT(unwanted); i++)
        expect_not(scene, unwanted[i]);
    free_scene(scene);
    result_free(numbers);
}

static void the_message_of_the_server_is_not_shown(void **state)
{
    (void)state;
    struct scene *scene = new_scene(1);
    scene->views[0].judgement = (struct judgement){VERDICT_FAIL, OUTCOME_SERVER_ERROR, ""};
    scene->views[0].message = "FATAL: secret words";
    expect_not(scene, "secret");
    free_scene(scene);
}

static void the_server_and_its_role_are_told(void **state)
{
    (void)state;
    struct scene *scene = new_scene(2);
    expect(scene, "<b>Postgres 15.8</b> &middot; <b>primary and replica</b>");
    scene->endpoints[2].checks = &scene->indices[1];
    scene->views[0].judgement.verdict = VERDICT_SKIPPED;
    scene->views[0].judgement.outcome = OUTCOME_SKIPPED;
    expect(scene, "&middot; <b>replica</b>");
    expect(scene, "<b>/primary</b> <span>not its role</span> <code>503</code>");
    scene->views[1].judgement = (struct judgement){VERDICT_FAIL, OUTCOME_TIMEOUT, ""};
    expect(scene, "<b>Postgres 15.8</b> &middot; as of ");
    scene->status.flavor = NULL;
    expect(scene, "<b>Postgres</b>, which has let no probe in yet &middot; as of");
    free_scene(scene);
}

static void the_adapters_own_state_is_told(void **state)
{
    (void)state;
    struct scene *scene = new_scene(1);
    expect_not(scene, "class=\"notice\"");
    scene->status.configuration_warning = "it is wrong";
    expect(scene, "configuration: it is wrong.</span></p>");
    expect(scene, "Ready, with warnings");
    scene->probers[0].open_pending = true;
    expect(scene, "The server has not answered the login of <b>main</b>.");
    expect(scene, " login unanswered</td>");
    scene->probers[0].beyond_help = true;
    expect(scene, "so <b>/livez</b> fails. It is <b>main</b>.");
    expect_not(scene, "The server has not answered");
    free_scene(scene);
}

static const char *place_of(const char *text, const char *name)
{
    char id[32];
    (void)snprintf(id, sizeof id, "id=\"check-%s\"", name);
    const char *found = strstr(text, id);
    assert_non_null(found);
    return found;
}

static void the_worst_come_first_among_forty(void **state)
{
    (void)state;
    struct scene *scene = new_scene(CHECKS);
    static const enum verdict order[] = {VERDICT_FAIL, VERDICT_UNKNOWN, VERDICT_WARN, VERDICT_PASS,
                                         VERDICT_SKIPPED};
    for (size_t i = 0; i < CHECKS; i++)
        for (int64_t ago = 3600; ago > 0; ago -= 30)
            add_result(scene, i, ago, order[4 - i % 5], OUTCOME_OK);
    char *text = render(scene);
    const char *before = text;
    for (size_t i = 0; i < CHECKS; i++) {
        const char *place = place_of(text, scene->names[4 - i / 8 + i % 8 * 5]);
        assert_true(before < place);
        before = place;
    }
    assert_non_null(strstr(text, "<b>8 fail</b>: <a id=\"to-check-04\" href=\"#check-check-04\">"));
    free(text);
    free_scene(scene);
}

static void names_beyond_eight_are_counted(void **state)
{
    (void)state;
    struct scene *scene = new_scene(CHECKS);
    for (size_t i = 0; i < CHECKS; i++)
        scene->views[i].judgement.verdict = VERDICT_FAIL;
    expect(scene, ">check-07</a> and 32 more.</p>");
    free_scene(scene);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_says_in_a_word_how_things_are),
        cmocka_unit_test(what_fails_elsewhere_is_told_of_a_server_that_is_ready),
        cmocka_unit_test(draining_and_having_no_check_are_not_ready),
        cmocka_unit_test(each_verdict_is_a_word_and_a_form),
        cmocka_unit_test(what_does_not_pass_says_why_and_what_to_do),
        cmocka_unit_test(the_reason_is_shown_with_the_outcome),
        cmocka_unit_test(one_cause_of_several_failures_is_told_once_for_all),
        cmocka_unit_test(since_when_is_told),
        cmocka_unit_test(what_is_no_result_holds_at_this_moment),
        cmocka_unit_test(results_in_a_row_are_told_together),
        cmocka_unit_test(values_stand_beside_their_limits),
        cmocka_unit_test(foreign_strings_stay_text),
        cmocka_unit_test(the_message_of_the_server_is_not_shown),
        cmocka_unit_test(the_server_and_its_role_are_told),
        cmocka_unit_test(the_adapters_own_state_is_told),
        cmocka_unit_test(the_worst_come_first_among_forty),
        cmocka_unit_test(names_beyond_eight_are_counted),
    };
    return RUN(tests);
}
