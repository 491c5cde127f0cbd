// See report_html.h. What needs eyes comes first: the verdict of the whole, the endpoints, then the
// checks by how bad they are, then the adapter itself. Every string that was not written here goes
// through html_text. Links are relative, so that the page works behind a path.
#include "server/report/report_html.h"

#include "server/report/html.h"
#include "server/report/page_assets.h"

#include <inttypes.h>
#include <string.h>

enum { NAMES_SHOWN = 8 };

// The worst first; the order of everything that is sorted.
static const struct {
    enum verdict verdict;
    const char *heading; // of those checks
    const char *count;   // behind their number: "2 fail"
} ranks[] = {{VERDICT_FAIL, "Failing", "fail"},
             {VERDICT_UNKNOWN, "Unknown", "unknown"},
             {VERDICT_WARN, "Warning", "warn"},
             {VERDICT_PASS, "Passing", "pass"},
             {VERDICT_SKIPPED, "Skipped", "skipped"}};

enum { RANKS = sizeof ranks / sizeof *ranks };

// --- the whole in one word

// What the page makes of everything; looks are names of verdicts, which have an icon and a colour.
struct mood {
    const char *look;
    const char *words;
};

static size_t count_of(const struct status_page *status, enum verdict verdict)
{
    size_t count = 0;
    for (size_t i = 0; i < status->config->check_count; i++)
        count += status->views[i].judgement.verdict == verdict;
    return count;
}

static bool passes(const struct status_page *status, const char *name)
{
    const struct endpoint *endpoint = config_endpoint(status->config, name);
    return status->passes[endpoint - status->config->endpoints];
}

static bool endpoint_has(const struct status_page *status, const struct endpoint *endpoint,
                         enum verdict verdict)
{
    bool has = false;
    for (size_t i = 0; i < endpoint->count; i++)
        has |= status->views[endpoint->checks[i]].judgement.verdict == verdict;
    return has;
}

static struct mood mood_unready(const struct status_page *status)
{
    const struct endpoint *readyz = config_endpoint(status->config, "readyz");
    if (endpoint_has(status, readyz, VERDICT_FAIL))
        return (struct mood){"fail", "Not ready"};
    if (status->circumstances.draining)
        return (struct mood){"fail", "Draining"};
    if (endpoint_has(status, readyz, VERDICT_UNKNOWN))
        return (struct mood){"unknown", "Not known to be ready"};
    return (struct mood){"fail", "Not ready: no check says so"};
}

static struct mood mood_of(const struct status_page *status)
{
    if (!passes(status, "healthz"))
        return (struct mood){"fail", "Down"};
    if (!passes(status, "readyz"))
        return mood_unready(status);
    if (count_of(status, VERDICT_FAIL) > 0)
        return (struct mood){"warn", "Ready, but not all is well"};
    if (count_of(status, VERDICT_WARN) + count_of(status, VERDICT_UNKNOWN) > 0 ||
        status->configuration_warning != NULL)
        return (struct mood){"warn", "Ready, with warnings"};
    return (struct mood){"pass", "Ready"};
}

// ": <a>accepting</a>, <a>lag</a> and 3 more".
static void write_names(FILE *page, const struct status_page *status, enum verdict verdict)
{
    size_t count = 0;
    for (size_t i = 0; i < status->config->check_count; i++) {
        const char *name = status->config->checks[i]->name;
        if (status->views[i].judgement.verdict != verdict || count++ >= NAMES_SHOWN)
            continue;
        fputs(count == 1 ? ": " : ", ", page);
        fprintf(page, "<a id=\"to-%s\" href=\"#check-%s\">%s</a>", name, name, name);
    }
    if (count > NAMES_SHOWN)
        fprintf(page, " and %zu more", count - NAMES_SHOWN);
}

// "2 fail: ...; 12 pass."
static void write_summary(FILE *page, const struct status_page *status)
{
    const char *before = "";
    fputs("<p class=\"summary\">", page);
    for (size_t i = 0; i < RANKS; i++) {
        size_t count = count_of(status, ranks[i].verdict);
        if (count == 0)
            continue;
        fprintf(page, "%s<b>%zu %s</b>", before, count, ranks[i].count);
        if (ranks[i].verdict != VERDICT_PASS && ranks[i].verdict != VERDICT_SKIPPED)
            write_names(page, status, ranks[i].verdict);
        before = "; ";
    }
    fputs(before[0] == '\0' ? "There is no check.</p>\n" : ".</p>\n", page);
}

// The one outcome of all the checks that fail, or else are unknown, if there are several: the
// cause.
static const struct outcome_info *cause_of(const struct status_page *status)
{
    enum verdict verdict = count_of(status, VERDICT_FAIL) > 0 ? VERDICT_FAIL : VERDICT_UNKNOWN;
    enum outcome outcome = OUTCOME_OK;
    size_t count = 0;
    for (size_t i = 0; i < status->config->check_count; i++) {
        const struct judgement *judgement = &status->views[i].judgement;
        if (judgement->verdict != verdict)
            continue;
        if (count++ > 0 && judgement->outcome != outcome)
            return NULL;
        outcome = judgement->outcome;
    }
    return count > 1 && outcome != OUTCOME_FAILED ? outcome_info(outcome) : NULL;
}

static void write_cause(FILE *page, const struct status_page *status)
{
    const struct outcome_info *cause = cause_of(status);
    if (cause == NULL)
        return;
    fprintf(page, "<p class=\"cause\"><code>%s</code> ", cause->code);
    html_text(page, cause->sentence);
    if (cause->advice[0] != '\0') {
        fputs(". <b>What to do:</b> ", page);
        html_text(page, cause->advice);
    }
    fputs(".</p>\n", page);
}

// --- the server

// A check of a role that is not the server's is skipped; one whose rules were judged, well or not,
// is of a role that it plays. What came to no row says nothing of it.
static bool has_role(const struct status_page *status, const char *name)
{
    const struct endpoint *endpoint = config_endpoint(status->config, name);
    bool judged = false;
    for (size_t i = 0; endpoint != NULL && i < endpoint->count; i++) {
        enum outcome outcome = status->views[endpoint->checks[i]].judgement.outcome;
        judged |= outcome == OUTCOME_OK || outcome == OUTCOME_FAILED;
    }
    return judged;
}

static const char *role_of(const struct status_page *status)
{
    bool primary = has_role(status, "primary");
    bool replica = has_role(status, "replica");
    if (primary && replica)
        return "primary and replica";
    return primary ? "primary" : replica ? "replica" : NULL;
}

static void write_server(FILE *page, const struct status_page *status)
{
    static const char *const engines[] = {[ENGINE_NONE] = "No known server",
                                          [ENGINE_POSTGRES] = "Postgres",
                                          [ENGINE_MYSQL] = "MySQL or MariaDB"};
    static const struct {
        const char *flavor, *name;
    } names[] = {{"postgres", "Postgres"}, {"mysql", "MySQL"}, {"mariadb", "MariaDB"}};
    const char *product = engines[status->config->engine];
    for (size_t i = 0; status->flavor != NULL && i < sizeof names / sizeof *names; i++)
        product = strcmp(status->flavor, names[i].flavor) == 0 ? names[i].name : product;
    fprintf(page, "<p class=\"server\"><b>%s", product);
    if (status->flavor != NULL && status->version != NULL) {
        fputs(" ", page);
        html_text(page, status->version);
    }
    fputs("</b>", page);
    if (status->flavor == NULL && status->config->engine != ENGINE_NONE)
        fputs(", which has let no probe in yet", page);
    const char *role = role_of(status);
    if (role != NULL)
        fprintf(page, " &middot; <b>%s</b>", role);
    fputs(" &middot; as of ", page);
    html_time(page, status->moment.unix_ms, status->moment.unix_ms);
    fputs(" UTC</p>\n", page);
}

// --- endpoints

static struct mood endpoint_mood(const struct status_page *status, const struct endpoint *endpoint)
{
    bool fails = endpoint_has(status, endpoint, VERDICT_FAIL);
    bool unknown = endpoint_has(status, endpoint, VERDICT_UNKNOWN);
    bool warns = endpoint_has(status, endpoint, VERDICT_WARN);
    if (status->passes[endpoint - status->config->endpoints]) {
        if (unknown || warns)
            return (struct mood){"warn", unknown ? "passes, unknown" : "passes, warns"};
        return (struct mood){"pass", "passes"};
    }
    if (fails)
        return (struct mood){"fail", "fails"};
    if (endpoint->rule->draining_fails && status->circumstances.draining)
        return (struct mood){"fail", "drains"};
    if (unknown)
        return (struct mood){"unknown", "unknown"};
    return (struct mood){"skipped", endpoint->count == 0 ? "no check" : "not its role"};
}

static void write_endpoint(FILE *page, const struct status_page *status,
                           const struct endpoint *endpoint)
{
    struct mood mood = endpoint_mood(status, endpoint);
    bool passes = status->passes[endpoint - status->config->endpoints];
    fprintf(page, "<li class=\"%s\"><a id=\"endpoint-%s\" href=\"%s?verbose\">", mood.look,
            endpoint->name, endpoint->name);
    html_icon(page, mood.look);
    fprintf(page, " <b>/%s</b> <span>%s</span> <code>%u</code></a></li>\n", endpoint->name,
            mood.words, passes ? 200U : 503U);
}

static void write_endpoints(FILE *page, const struct status_page *status)
{
    fputs("<h2 class=\"unseen\">Endpoints</h2>\n<ul class=\"endpoints\">\n", page);
    for (size_t i = 0; i < status->config->endpoint_count; i++)
        write_endpoint(page, status, &status->config->endpoints[i]);
    fputs("</ul>\n", page);
}

// --- what is wrong beyond the checks

static void begin_notice(FILE *page)
{
    fputs("<p class=\"notice\">", page);
    html_icon(page, "warn");
    fputs(" <span>", page);
}

static void end_notice(FILE *page)
{
    fputs("</span></p>\n", page);
}

static bool leaves_unanswered(const struct prober_view *prober)
{
    return prober->open_pending && !prober->beyond_help;
}

static bool is_beyond_help(const struct prober_view *prober)
{
    return prober->beyond_help;
}

// The probers of which this is so, after the words.
static void write_prober_notice(FILE *page, const struct status_page *status,
                                bool (*is_so)(const struct prober_view *prober), const char *words)
{
    size_t count = 0;
    for (size_t i = 0; i < status->prober_count; i++) {
        if (!is_so(&status->probers[i]))
            continue;
        if (count++ == 0)
            begin_notice(page);
        fprintf(page, "%s<b>%s</b>", count == 1 ? words : ", ",
                status->probers[i].statistics->name);
    }
    if (count > 0) {
        fputs(".", page);
        end_notice(page);
    }
}

static void write_notices(FILE *page, const struct status_page *status)
{
    if (status->circumstances.draining) {
        begin_notice(page);
        fputs("The adapter is draining: readiness fails until that is over.", page);
        end_notice(page);
    }
    if (status->configuration_warning != NULL) {
        begin_notice(page);
        fputs("The adapter&#39;s configuration: ", page);
        html_text(page, status->configuration_warning);
        fputs(".", page);
        end_notice(page);
    }
    write_prober_notice(page, status, is_beyond_help,
                        "Not the server&#39;s fault: a prober crashes or cannot be started, so "
                        "<b>/livez</b> fails. It is ");
    write_prober_notice(page, status, leaves_unanswered,
                        "The server has not answered the login of ");
}

// --- the checks

static void write_checks(FILE *page, const struct status_page *status)
{
    for (size_t i = 0; i < RANKS; i++) {
        size_t count = count_of(status, ranks[i].verdict);
        const char *look = verdict_name(ranks[i].verdict);
        if (count == 0)
            continue;
        fprintf(page,
                "<section class=\"group\" aria-labelledby=\"are-%s\">\n<h2 id=\"are-%s\">%s "
                "<span class=\"count\">%zu</span></h2>\n<ul class=\"checks\">\n",
                look, look, ranks[i].heading, count);
        for (size_t j = 0; j < status->config->check_count; j++) {
            if (status->views[j].judgement.verdict == ranks[i].verdict)
                report_html_check(page, &status->views[j], &status->moment);
        }
        fputs("</ul>\n</section>\n", page);
    }
}

static void write_legend(FILE *page)
{
    static const enum verdict order[] = {VERDICT_PASS,    VERDICT_WARN,    VERDICT_FAIL,
                                         VERDICT_UNKNOWN, VERDICT_SKIPPED, VERDICT_COUNT};
    fputs("<p class=\"legend\">A bar a minute of the last hour, by its worst result: ", page);
    for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
        fputs("<span>", page);
        chart_sample(page, order[i]);
        fputs("</span> ", page);
    }
    fputs("</p>\n", page);
}

// --- the adapter

static void write_prober(FILE *page, const struct prober_view *prober)
{
    const struct prober_statistics *counts = prober->statistics;
    const char *look = prober->beyond_help ? "fail" : prober->open_pending ? "warn" : "pass";
    fprintf(page, "<tr><th scope=\"row\">%s</th><td>", counts->name);
    html_icon(page, look);
    fprintf(page, " %s</td>",
            prober->beyond_help    ? "crashes or cannot be started"
            : prober->open_pending ? "login unanswered"
                                   : "well");
    fprintf(page,
            "<td>%" PRIu64 "</td><td>%" PRIu64 "</td><td>%" PRIu64 "</td><td>%" PRIu64
            "</td></tr>\n",
            counts->connections, counts->starts, counts->kills, counts->crashes);
}

static void write_probers(FILE *page, const struct status_page *status)
{
    fputs("<div class=\"wide\"><table>\n<caption>Probers</caption>\n<thead><tr>"
          "<th scope=\"col\">Name</th><th scope=\"col\">State</th><th scope=\"col\">Logins</th>"
          "<th scope=\"col\">Starts</th><th scope=\"col\">Kills</th>"
          "<th scope=\"col\">Crashes</th></tr></thead>\n<tbody>\n",
          page);
    for (size_t i = 0; i < status->prober_count; i++)
        write_prober(page, &status->probers[i]);
    fputs("</tbody></table></div>\n", page);
}

static void write_configuration(FILE *page, const struct status_page *status)
{
    const struct reload_statistics *reloads = &status->statistics->reloads;
    fputs("<dt>Configuration</dt><dd>", page);
    html_icon(page, status->configuration_warning != NULL ? "warn" : "pass");
    fputs(" read at ", page);
    html_time(page, reloads->last_success_ms, status->moment.unix_ms);
    fprintf(page,
            "; reloads since the start: %" PRIu64 ", refused: %" PRIu64 "; mistakes: %zu</dd>\n",
            reloads->counts[RELOAD_SUCCESS], reloads->counts[RELOAD_FAILURE],
            status->config->problems.count);
}

static void write_adapter(FILE *page, const struct status_page *status)
{
    fputs("<section class=\"adapter\" aria-labelledby=\"adapter\">\n"
          "<h2 id=\"adapter\">The adapter</h2>\n<dl>\n",
          page);
    fputs("<dt>Version</dt><dd>dbhealthd " DBHEALTH_VERSION ", running since ", page);
    html_time(page, status->statistics->began_ms, status->moment.unix_ms);
    fputs("</dd>\n", page);
    write_configuration(page, status);
    fputs("<dt>Draining</dt><dd>", page);
    fputs(status->circumstances.draining ? "yes</dd>\n</dl>\n" : "no</dd>\n</dl>\n", page);
    write_probers(page, status);
    fputs("<p class=\"links\">The same for programs: <a id=\"to-status\" href=\"status\">/status"
          "</a>, <a id=\"to-metrics\" href=\"metrics\">/metrics</a>, <a id=\"to-livez\" "
          "href=\"livez?verbose\">/livez</a></p>\n</section>\n",
          page);
}

// --- the document

static const char icons[] =
    "<svg class=\"unseen\" aria-hidden=\"true\"><defs>\n"
    "<symbol id=\"icon-pass\" viewBox=\"0 0 16 16\"><circle cx=\"8\" cy=\"8\" r=\"8\"/>"
    "<path d=\"M4.5 8.3l2.4 2.4 4.6-5\"/></symbol>\n"
    "<symbol id=\"icon-warn\" viewBox=\"0 0 16 16\"><path class=\"area\" d=\"M8 .8L16 15H0z\"/>"
    "<path d=\"M8 6v4M8 12.2v.6\"/></symbol>\n"
    "<symbol id=\"icon-fail\" viewBox=\"0 0 16 16\"><path class=\"area\" d=\"M4.7 0h6.6L16 4.7v6.6"
    "L11.3 16H4.7L0 11.3V4.7z\"/><path d=\"M5 5l6 6M11 5l-6 6\"/></symbol>\n"
    "<symbol id=\"icon-unknown\" viewBox=\"0 0 16 16\"><path class=\"area\" d=\"M8 0l8 8-8 "
    "8-8-8z\"/>"
    "<path d=\"M6.2 6.4C6.2 3.8 10 4 9.8 6.3 9.7 7.6 8 7.7 8 9.2M8 11.4v.6\"/></symbol>\n"
    "<symbol id=\"icon-skipped\" viewBox=\"0 0 16 16\"><circle cx=\"8\" cy=\"8\" r=\"8\"/>"
    "<path d=\"M4.5 8h7\"/></symbol>\n"
    "</defs></svg>\n";

// The tab's icon: form and colour of the mood.
static void write_tab_icon(FILE *page, const char *look)
{
    static const struct {
        const char *look, *drawing;
    } drawings[] = {{"pass", "%3Ccircle cx='8' cy='8' r='8' fill='%231a7f37'/%3E"},
                    {"warn", "%3Cpath d='M8 1l8 14H0z' fill='%23d29922'/%3E"},
                    {"fail",
                     "%3Cpath d='M0 0h16v16H0z' fill='%23cf222e'/%3E%3Cpath d='M4 4l8 8M12 4l-8 8' "
                     "stroke='%23fff' stroke-width='2'/%3E"},
                    {"unknown", "%3Cpath d='M8 0l8 8-8 8-8-8z' fill='%238250df'/%3E"}};
    size_t i = sizeof drawings / sizeof *drawings - 1;
    while (i > 0 && strcmp(drawings[i].look, look) != 0)
        i--;
    fprintf(page,
            "<link rel=\"icon\" href=\"data:image/svg+xml,%%3Csvg "
            "xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%%3E%s%%3C/svg%%3E\">\n",
            drawings[i].drawing);
}

static void write_head(FILE *page, const struct mood *mood)
{
    fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
          "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
          "<meta name=\"color-scheme\" content=\"light dark\">\n"
          "<meta name=\"robots\" content=\"noindex\">\n",
          page);
    fprintf(page, "<title>%s - dbhealthd</title>\n", mood->words);
    write_tab_icon(page, mood->look);
    fprintf(page, "<style>%s</style>\n</head>\n<body>\n", page_css);
}

static void write_main(FILE *page, const struct status_page *status, const struct mood *mood)
{
    fprintf(page, "<main id=\"main\" data-deadline=\"%" PRId64 "\">\n<div class=\"hero %s\">\n<h1>",
            status->config->settings.deadline.ms, mood->look);
    html_icon(page, mood->look);
    fprintf(page, " %s</h1>\n", mood->words);
    write_cause(page, status);
    write_summary(page, status);
    write_server(page, status);
    fputs("</div>\n", page);
    write_endpoints(page, status);
    write_notices(page, status);
    write_checks(page, status);
    write_legend(page);
    write_adapter(page, status);
    fputs("</main>\n", page);
}

void report_html(FILE *page, const struct status_page *status)
{
    struct mood mood = mood_of(status);
    write_head(page, &mood);
    fputs("<header class=\"top\"><p class=\"brand\">dbhealthd</p>"
          "<p id=\"live\">Reload the page to see what is new.</p>"
          "<button id=\"pause\" type=\"button\" hidden>Pause</button></header>\n"
          "<p id=\"lost\" role=\"alert\" hidden></p>\n<p id=\"said\" class=\"unseen\" "
          "role=\"status\"></p>\n",
          page);
    fputs(icons, page);
    write_main(page, status, &mood);
    fprintf(page, "<script>%s</script>\n</body>\n</html>\n", page_js);
}
