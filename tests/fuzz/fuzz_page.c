// The status page: whatever a check file and a reply say, it is UTF-8 whose elements are closed in
// the order in which they were opened, with no attribute or element that is not ours, the same each
// time, and without the server's own words.
//
// Input: a byte for the circumstances, then a view (see fuzz_views.h).
#include "fuzz.h"
#include "fuzz_views.h"

#include "common/memory.h"
#include "common/text.h"
#include "server/report/report_html.h"

#include <stdlib.h>
#include <string.h>

enum { DEPTH_MOST = 32, TAG_MOST = 16 };

static bool is_one_of(const char *name, const char *const *names, size_t count)
{
    bool is_one = false;
    for (size_t i = 0; i < count; i++)
        is_one |= strcmp(names[i], name) == 0;
    return is_one;
}

// Reads `name="value"` and returns what is behind it.
static const char *read_attribute(const char *at)
{
    static const char *const names[] = {"aria-hidden",
                                        "aria-label",
                                        "aria-labelledby",
                                        "charset",
                                        "class",
                                        "content",
                                        "cx",
                                        "cy",
                                        "d",
                                        "data-deadline",
                                        "datetime",
                                        "height",
                                        "href",
                                        "id",
                                        "lang",
                                        "name",
                                        "preserveAspectRatio",
                                        "r",
                                        "rel",
                                        "role",
                                        "rx",
                                        "scope",
                                        "type",
                                        "viewBox",
                                        "width"};
    char name[32] = "";
    size_t length = strcspn(at, "= >/");
    MUST(length < sizeof name);
    memcpy(name, at, length);
    at += length;
    if (*at != '=') {
        MUST(strcmp(name, "hidden") == 0);
        return at;
    }
    MUST(is_one_of(name, names, sizeof names / sizeof *names));
    MUST(at[1] == '"');
    const char *end = strchr(at + 2, '"');
    MUST(end != NULL && memchr(at + 2, '<', (size_t)(end - at - 2)) == NULL);
    return end + 1;
}

// Reads a tag from its '<' on, and returns what is behind it.
static const char *read_tag(const char *at, char (*open)[TAG_MOST], size_t *depth)
{
    static const char *const voids[] = {"meta", "link", "wbr"};
    char name[TAG_MOST] = "";
    bool ends = at[1] == '/';
    size_t length = strcspn(at + 1 + ends, " >/");
    MUST(length > 0 && length < sizeof name);
    memcpy(name, at + 1 + ends, length);
    at += 1 + ends + length;
    while (*at == ' ')
        at = read_attribute(at + 1);
    bool empty = *at == '/';
    at += empty;
    MUST(*at == '>');
    if (ends)
        MUST(*depth > 0 && strcmp(open[--*depth], name) == 0);
    else if (!empty && !is_one_of(name, voids, sizeof voids / sizeof *voids)) {
        MUST(*depth < DEPTH_MOST);
        memcpy(open[(*depth)++], name, sizeof name);
    }
    bool raw = !ends && (strcmp(name, "style") == 0 || strcmp(name, "script") == 0);
    return raw ? strstr(at, "</") : at + 1;
}

static void must_be_well_formed(const char *text)
{
    static const char doctype[] = "<!DOCTYPE html>\n";
    char open[DEPTH_MOST][TAG_MOST];
    size_t depth = 0;
    MUST(text_valid_length(text, strlen(text)) == strlen(text));
    MUST(strncmp(text, doctype, strlen(doctype)) == 0);
    text += strlen(doctype);
    while ((text = strchr(text, '<')) != NULL)
        text = read_tag(text, open, &depth);
    MUST(depth == 0);
}

static char *render(const struct status_page *status)
{
    char *text;
    size_t length;
    FILE *file = open_memstream(&text, &length);
    MUST(file != NULL);
    report_html(file, status);
    MUST(fclose(file) == 0);
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
    struct config config = {.checks = checks,
                            .check_count = 1,
                            .endpoints = endpoints,
                            .endpoint_count = 2,
                            .engine = (enum engine)(kind % 3)};
    bool passes[] = {(kind & 4) != 0, (kind & 8) != 0};
    struct prober_view prober = {.statistics = statistics_prober(statistics, "main"),
                                 .open_pending = (kind & 16) != 0};
    struct status_page status = {.config = &config,
                                 .views = &made->view,
                                 .passes = passes,
                                 .circumstances.draining = (kind & 32) != 0,
                                 .probers = &prober,
                                 .prober_count = 1,
                                 .statistics = statistics,
                                 .flavor = (kind & 64) != 0 ? "postgres" : NULL,
                                 .version = made->reply.version,
                                 .moment = {.now = {INT64_C(3000000000000)}, .unix_ms = 1}};
    char *text = render(&status);
    made->view.message = "other words";
    char *again = render(&status);
    MUST_EQUAL(text, again);
    must_be_well_formed(text);
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
