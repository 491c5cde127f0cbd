// The status page: whatever a check file and a reply say, its table is UTF-8 whose elements are
// closed in the order in which they were opened, with no attribute or element that is not ours, its
// document is JSON that does not end its element, and the server's own words are in neither.
//
// Input: a byte for the circumstances, then a view (see fuzz_views.h).
#include "fuzz.h"
#include "fuzz_views.h"

#include "common/text.h"
#include "server/report/page.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum { DEPTH_MOST = 8, TAG_MOST = 64 };

// Reads a tag from its '<' on, and returns what is behind it.
static const char *read_tag(const char *at, char (*open)[TAG_MOST], size_t *depth)
{
    static const char *const ours[] = {"table class=\"plain\"", "caption", "tr", "td",
                                       "th scope=\"row\"",      "br"};
    char tag[TAG_MOST] = "";
    bool ends = at[1] == '/', known = ends;
    const char *end = strchr(at, '>');
    MUST(end != NULL && end - at < TAG_MOST);
    memcpy(tag, at + 1 + ends, (size_t)(end - at - 1 - ends));
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
        known |= strcmp(tag, ours[i]) == 0;
    MUST(known);
    tag[strcspn(tag, " ")] = '\0';
    if (ends) {
        MUST(*depth > 0);
        *depth -= 1;
        MUST(strcmp(open[*depth], tag) == 0);
    } else if (strcmp(tag, "br") != 0) {
        MUST(*depth < DEPTH_MOST);
        memcpy(open[(*depth)++], tag, sizeof tag);
    }
    return end + 1;
}

// The table ends where its element does, and nothing in it is markup but ours.
static void must_be_a_table(const char *page)
{
    char open[DEPTH_MOST][TAG_MOST];
    size_t depth = 0;
    const char *at = strstr(page, "<table class=\"plain\">");
    const char *end = strstr(page, "</main>");
    MUST(at != NULL && end != NULL && at < end);
    while ((at = strchr(at, '<')) != NULL && at < end) {
        at = read_tag(at, open, &depth);
        MUST(depth > 0 || strspn(at, "\n") == (size_t)(end - at));
    }
    MUST(depth == 0);
}

static void must_have_a_document(const char *page)
{
    static const char mark[] = "<script id=\"document\" type=\"application/json\">";
    const char *start = strstr(page, mark);
    MUST(start != NULL);
    start += strlen(mark);
    const char *end = strchr(start, '<');
    MUST(end != NULL && strncmp(end, "</script>", 9) == 0);
    json_t *document = json_loadb(start, (size_t)(end - start), JSON_REJECT_DUPLICATES, NULL);
    MUST(json_is_object(document));
    MUST(json_object_get(json_object_get(document, "checks"), "lag") != NULL);
    json_decref(document);
}

static char *render(const struct report *report)
{
    char *text;
    size_t length;
    FILE *out = open_memstream(&text, &length);
    MUST(out != NULL);
    page_write(out, report);
    MUST(fclose(out) == 0);
    MUST(strlen(text) == length);
    return text;
}

static void add_history(struct fuzz_view *made, struct statistics *statistics, unsigned kind)
{
    struct check_statistics *check = statistics_check(statistics, "lag");
    made->view.statistics = check;
    for (unsigned i = 0; i < kind % 128; i++) {
        struct arrival arrival = {.came = {INT64_C(1000000000) * (i * (kind % 7) * 20 + 1)},
                                  .took_ns = (int64_t)i * kind * 1000,
                                  .judgement = made->view.judgement};
        history_add(&check->history, &arrival);
    }
}

static void try_page(struct fuzz_view *made, struct statistics *statistics, unsigned kind)
{
    static char readyz[] = "readyz", healthz[] = "healthz";
    static size_t first[] = {0};
    struct check *checks[] = {made->check};
    struct endpoint endpoints[] = {{readyz, endpoint_rule(readyz), first, 1},
                                   {healthz, endpoint_rule(healthz), first, 1}};
    struct config config = {
        .checks = checks, .check_count = 1, .endpoints = endpoints, .endpoint_count = 2};
    bool passes[] = {(kind & 4) != 0, (kind & 8) != 0};
    struct prober_view prober = {.statistics = statistics_prober(statistics, "main"),
                                 .open_pending = (kind & 16) != 0};
    struct server_view server = {.engine = (enum engine)(kind % 3),
                                 .flavor = (kind & 64) != 0 ? "postgres" : NULL,
                                 .version = made->reply.version};
    static const struct sandbox sandbox = {.seccomp = "on", .landlock = "on: files"};
    struct adapter_view adapter = {.config = &config,
                                   .sandbox = &sandbox,
                                   .passes = passes,
                                   .probers = &prober,
                                   .prober_count = 1,
                                   .statistics = statistics};
    struct report report = {.name = "status",
                            .rule = endpoint_rule(readyz),
                            .views = &made->view,
                            .count = 1,
                            .circumstances.draining = (kind & 32) != 0,
                            .history = true,
                            .moment = {.now = {INT64_C(3000000000000)}, .unix_ms = 1},
                            .server = &server,
                            .adapter = &adapter};
    char *text = render(&report);
    made->view.message = "other words";
    char *again = render(&report);
    MUST_EQUAL(text, again);
    MUST(text_valid_length(text, strlen(text)) == strlen(text));
    must_be_a_table(text);
    must_have_a_document(text);
    free(text);
    free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct input input = input_of(bytes, length);
    struct fuzz_view made;
    struct statistics *statistics = statistics_new(1);
    unsigned kind = take_byte(&input);
    view_begin(&made, &input);
    add_history(&made, statistics, kind);
    try_page(&made, statistics, kind);
    view_end(&made);
    statistics_free(statistics);
    return 0;
}
