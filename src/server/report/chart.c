// See chart.h. Sizes are in units of the viewBox; the style sheet says how large they are shown and
// in which colours.
#include "server/report/chart.h"

#include "server/report/html.h"

#include <inttypes.h>

enum {
    LINE_STEP = 2, // from run to run
    LINE_WIDTH = LINE_STEP * HISTORY_RESULTS,
    LINE_HEIGHT = 24,
    LINE_MARGIN = 2,
    BAR_STEP = 5, // from minute to minute
    BARS_WIDTH = BAR_STEP * HISTORY_MINUTES,
    BARS_HEIGHT = 24,
    MS_PER_MINUTE = 60000
};

// --- latency

// The shortest and the longest of the runs that are kept, and the latest; all 0: there is none.
struct extent {
    uint32_t least, most, latest;
    unsigned runs;
};

static struct extent extent_of(const struct history *history)
{
    struct extent extent = {.runs = 0};
    for (unsigned back = 0; back < history->count; back++) {
        uint32_t took = history_result(history, back)->took_us;
        if (took == 0)
            continue;
        if (extent.runs++ == 0)
            extent = (struct extent){took, took, took, 1};
        extent.least = took < extent.least ? took : extent.least;
        extent.most = took > extent.most ? took : extent.most;
    }
    return extent;
}

// The older to the left. A result from no run interrupts the line; a lone one is a dot (h0).
static void draw_line(FILE *page, const struct history *history, uint32_t most)
{
    bool begins = true;
    for (unsigned back = history->count; back-- > 0;) {
        uint64_t took = history_result(history, back)->took_us;
        uint64_t height = took * (LINE_HEIGHT - 2 * LINE_MARGIN) * 10 / most;
        uint64_t y = (LINE_HEIGHT - LINE_MARGIN) * 10 - height;
        if (took > 0)
            fprintf(page, "%s%u %" PRIu64 ".%" PRIu64 "%s", begins ? "M" : "L",
                    LINE_WIDTH - LINE_STEP * (back + 1), y / 10, y % 10, begins ? "h0" : "");
        begins = took == 0;
    }
}

void chart_latency(FILE *page, const struct history *history)
{
    struct extent extent = extent_of(history);
    if (extent.runs == 0) {
        fputs("<p class=\"latency\"></p>\n", page);
        return;
    }
    fprintf(page,
            "<p class=\"latency\"><svg viewBox=\"0 0 %d %d\" preserveAspectRatio=\"none\" "
            "role=\"img\" aria-label=\"Time of the latest runs (%u): ",
            LINE_WIDTH, LINE_HEIGHT, extent.runs);
    html_took(page, extent.least);
    fputs(" to ", page);
    html_took(page, extent.most);
    fputs("\"><path class=\"line\" d=\"", page);
    draw_line(page, history, extent.most);
    fputs("\"/></svg> <span>", page);
    html_took(page, extent.latest);
    fputs("<span class=\"most\"> &middot; max ", page);
    html_took(page, extent.most);
    fputs("</span></span></p>\n", page);
}

// --- the last hour

// What a bar is drawn as, from its left upper corner on. A failure stands out above all; a warning
// is broken, and what is unknown is hollow (its line is drawn, not its area).
static const char *const shapes[VERDICT_COUNT + 1] = {
    [VERDICT_PASS] = "5h4v19h-4z",    [VERDICT_WARN] = "5h4v8h-4zm0 10h4v9h-4z",
    [VERDICT_FAIL] = "0h4v24h-4z",    [VERDICT_UNKNOWN] = "5.5h3v18h-3z",
    [VERDICT_SKIPPED] = "18h4v6h-4z", [VERDICT_COUNT] = "22h5v1h-5z"};

static const char *word_of(enum verdict verdict)
{
    return verdict < VERDICT_COUNT ? verdict_name(verdict) : "no result";
}

static void draw_bar(FILE *page, unsigned index, enum verdict verdict)
{
    fprintf(page, "M%u%s %s", index * BAR_STEP, verdict == VERDICT_UNKNOWN ? ".5" : "",
            shapes[verdict]);
}

// The minutes from `back` on that have the same verdict: how many.
static unsigned count_alike(const struct history *history, unsigned back, struct instant now)
{
    enum verdict verdict = history_minute(history, back, now);
    unsigned count = 1;
    while (count <= back && history_minute(history, back - count, now) == verdict)
        count++;
    return count;
}

// One shape of that many minutes up to `back`, and what it says when it is pointed at.
static void draw_alike(FILE *page, enum verdict verdict, unsigned back, unsigned count)
{
    unsigned index = HISTORY_MINUTES - 1 - back;
    fprintf(page, "<path class=\"%s\" d=\"",
            verdict < VERDICT_COUNT ? verdict_name(verdict) : "none");
    for (unsigned i = index; i < index + count && verdict < VERDICT_COUNT; i++)
        draw_bar(page, i, verdict);
    if (verdict == VERDICT_COUNT)
        fprintf(page, "M%u 22h%uv1h-%uz", index * BAR_STEP, count * BAR_STEP, count * BAR_STEP);
    fputs("\"><title>", page);
}

static void draw_bars(FILE *page, const struct history *history, const struct moment *moment)
{
    unsigned left = HISTORY_MINUTES;
    while (left > 0) {
        enum verdict verdict = history_minute(history, left - 1, moment->now);
        unsigned count = count_alike(history, left - 1, moment->now);
        draw_alike(page, verdict, left - 1, count);
        struct instant start = history_minute_start(left - 1, moment->now);
        int64_t start_ms = moment_unix_ms(moment, start);
        int64_t end_ms = start_ms + (int64_t)count * MS_PER_MINUTE;
        html_clock(page, start_ms);
        fputs(" to ", page);
        html_clock(page, end_ms < moment->unix_ms ? end_ms : moment->unix_ms);
        fprintf(page, ": %s</title></path>", word_of(verdict));
        left -= count;
    }
}

// Of the minutes of the last hour: how many had each verdict.
struct tally {
    unsigned counts[VERDICT_COUNT + 1];
};

static struct tally tally_of(const struct history *history, struct instant now)
{
    struct tally tally = {{0}};
    for (unsigned back = 0; back < HISTORY_MINUTES; back++)
        tally.counts[history_minute(history, back, now)]++;
    return tally;
}

// "Last hour, by minute: 2 fail, 57 pass, 1 no result".
static void describe_hour(FILE *page, const struct tally *tally)
{
    static const enum verdict order[] = {VERDICT_FAIL, VERDICT_UNKNOWN, VERDICT_WARN,
                                         VERDICT_PASS, VERDICT_SKIPPED, VERDICT_COUNT};
    const char *before = "Last hour, by minute: ";
    for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
        if (tally->counts[order[i]] == 0)
            continue;
        fprintf(page, "%s%u %s", before, tally->counts[order[i]], word_of(order[i]));
        before = ", ";
    }
}

// Below the bars; a warning counts as the endpoints count it.
static void write_axis(FILE *page, const struct tally *tally)
{
    unsigned judged = HISTORY_MINUTES - tally->counts[VERDICT_COUNT];
    unsigned well = tally->counts[VERDICT_PASS] + tally->counts[VERDICT_WARN];
    fputs("<p class=\"axis\"><span>1 h ago</span>", page);
    if (judged > tally->counts[VERDICT_SKIPPED])
        fprintf(page, "<span>%u of %u min well</span>", well,
                judged - tally->counts[VERDICT_SKIPPED]);
    fputs("<span>now</span></p>\n", page);
}

void chart_hour(FILE *page, const struct history *history, const struct moment *moment)
{
    fprintf(page,
            "<svg class=\"hour\" viewBox=\"0 0 %d %d\" preserveAspectRatio=\"none\" role=\"img\" "
            "aria-label=\"",
            BARS_WIDTH, BARS_HEIGHT);
    struct tally tally = tally_of(history, moment->now);
    describe_hour(page, &tally);
    fputs("\">", page);
    draw_bars(page, history, moment);
    fputs("</svg>\n", page);
    write_axis(page, &tally);
}

void chart_sample(FILE *page, enum verdict verdict)
{
    fprintf(page, "<svg class=\"sample\" viewBox=\"0 0 %d %d\" aria-hidden=\"true\">", BAR_STEP - 1,
            BARS_HEIGHT);
    fprintf(page, "<path class=\"%s\" d=\"",
            verdict < VERDICT_COUNT ? verdict_name(verdict) : "none");
    draw_bar(page, 0, verdict);
    fprintf(page, "\"/></svg> %s", word_of(verdict));
}
