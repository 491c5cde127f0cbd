// /metrics: a scraper refuses the whole text for one line that it cannot read. Whatever a check
// file and a reply say, each line is one of Prometheus' format, each family stands together below
// its type, no series comes twice, and every label is UTF-8 that can be read back.
//
// Input: a byte for the circumstances, then a view (see fuzz_views.h).
#include "fuzz.h"
#include "fuzz_views.h"

#include "common/memory.h"
#include "common/text.h"
#include "server/check/numbers.h"
#include "server/report/metrics.h"

#include <stdlib.h>
#include <string.h>

// --- reading the text

// What a scraper has read so far.
struct reader {
    char *family; // whose samples may come: the name of the latest TYPE; NULL: none yet
    struct words families;
    struct words series; // name and labels
};

static size_t name_length(const char *text)
{
    return strspn(text, "abcdefghijklmnopqrstuvwxyz_");
}

// A label's, which a server's column may have named: not with two '_', which are Prometheus' own.
static size_t label_length(const char *text)
{
    MUST(strncmp(text, "__", 2) != 0 && strspn(text, "0123456789") == 0);
    return strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
}

// A label's value in quotes, in which only \\, \" and \n begin with a backslash.
static const char *read_quoted(const char *at)
{
    MUST(*at == '"');
    for (at++; *at != '"'; at++) {
        MUST(*at != '\0');
        if (*at != '\\')
            continue;
        at++;
        MUST(*at != '\0' && strchr("\\\"n", *at) != NULL);
    }
    return at + 1;
}

static const char *read_labels(const char *at)
{
    struct words names = {.count = 0};
    if (*at != '{')
        return at;
    do {
        size_t length = label_length(++at);
        MUST(length > 0 && at[length] == '=');
        char *name = memory_copy(at, length);
        MUST(!words_have(&names, name));
        words_add(&names, name, length);
        free(name);
        at = read_quoted(at + length + 1);
    } while (*at == ',');
    words_free(&names);
    MUST(*at == '}');
    return at + 1;
}

static void read_number(const char *text)
{
    char *end;
    MUST(strspn(text, "0123456789+-.eE") == strlen(text) || strcmp(text, "+Inf") == 0 ||
         strcmp(text, "-Inf") == 0);
    (void)strtod(text, &end);
    MUST(end != text && *end == '\0');
}

static void read_sample(struct reader *reader, const char *line)
{
    const char *at = line + name_length(line);
    MUST(reader->family != NULL && strncmp(line, reader->family, strlen(reader->family)) == 0);
    at = read_labels(at);
    MUST(*at == ' ');
    char *series = memory_copy(line, (size_t)(at - line));
    MUST(!words_have(&reader->series, series));
    words_add(&reader->series, series, strlen(series));
    free(series);
    read_number(at + 1);
}

static void read_type(struct reader *reader, const char *line)
{
    size_t length = name_length(line);
    MUST(length > 0 && line[length] == ' ');
    free(reader->family);
    reader->family = memory_copy(line, length);
    MUST(!words_have(&reader->families, reader->family));
    words_add(&reader->families, reader->family, length);
}

static void read_line(struct reader *reader, const char *line)
{
    MUST(is_fit_line(line) && line[0] != '\0');
    if (strncmp(line, "# TYPE ", 7) == 0)
        read_type(reader, line + 7);
    else if (line[0] != '#')
        read_sample(reader, line);
    else
        MUST(strncmp(line, "# HELP ", 7) == 0);
}

static void read_text(const char *text)
{
    struct reader reader = {.family = NULL};
    while (*text != '\0') {
        size_t length = strcspn(text, "\n");
        MUST(text[length] == '\n');
        char *line = memory_copy(text, length);
        read_line(&reader, line);
        free(line);
        text += length + 1;
    }
    MUST(words_have(&reader.families, "dbhealthd_build_info"));
    words_free(&reader.families);
    words_free(&reader.series);
    free(reader.family);
}

// --- writing it

static char *render(const struct metrics *metrics)
{
    char *text;
    size_t length;
    FILE *file = open_memstream(&text, &length);
    MUST(file != NULL);
    metrics_write(file, metrics);
    MUST(fclose(file) == 0);
    MUST(strlen(text) == length);
    return text;
}

// As many values as columns that the check wants to be metrics, and no others; of each row, no
// more.
static void must_show(const char *text, const struct fuzz_view *made)
{
    size_t shown = 0, wanted = 0;
    const struct check *check = made->check;
    const struct result *numbers = made->numbers;
    for (uint32_t i = 0; numbers != NULL && i < numbers->column_count; i++)
        wanted += numbers_is_metric(check, result_column(numbers, i));
    for (const char *at = text; (at = strstr(at, "\ndbhealthd_check_value{")) != NULL; at++)
        shown++;
    if (made->rows == NULL)
        MUST(shown == wanted);
    else
        MUST(shown <= (size_t)made->rows->kept->kept_rows * made->rows->kept->column_count);
}

static void try_metrics(struct fuzz_view *made, struct statistics *statistics, unsigned kind)
{
    static char readyz[] = "readyz", listen[] = ":9";
    static const char *const flavors[] = {NULL, "postgres", "mysql", "mariadb", "pgbouncer"};
    struct check *checks[] = {made->check};
    struct endpoint endpoint = {.name = readyz};
    struct config config = {.settings.agent_listen = listen,
                            .checks = checks,
                            .check_count = 1,
                            .endpoints = &endpoint,
                            .endpoint_count = 1,
                            .engine = (enum engine)(kind % 3)};
    bool passes = (kind & 4) != 0;
    struct prober_view prober = {.statistics = statistics_prober(statistics, "main")};
    struct server_view server = {.flavor = flavors[kind / 8 % 5], .version = made->reply.version};
    struct adapter_view adapter = {
        .config = &config, .passes = &passes, .probers = &prober, .prober_count = 1};
    struct report report = {.views = &made->view,
                            .count = 1,
                            .circumstances = {.draining = (kind & 32) != 0},
                            .server = &server,
                            .adapter = &adapter};
    struct metrics metrics = {.report = &report, .statistics = statistics};
    char *text = render(&metrics);
    char *again = render(&metrics);
    MUST_EQUAL(text, again);
    read_text(text);
    must_show(text, made);
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
    made.view.statistics = statistics_check(statistics, "lag");
    try_metrics(&made, statistics, kind);
    view_end(&made);
    statistics_free(statistics);
    return 0;
}
