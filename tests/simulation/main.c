// simulate SECONDS [SEED [STORIES]]: runs stories for so long, or so many, from a seed on, and
// stops at the first that breaks a promise. That is shrunk to the fewest things that break the same
// promise, and printed. With --story SEED: that one, as a whole, with all that happens. With
// --speed: how fast this is.
#include "simulation.h"

#include "common/memory.h"
#include "server/base/log.h"

#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>

enum {
    LINES_MOST = 25, // of a story's end, when it is told
    PATIENCE = 10    // seconds of CPU for a story; it takes milliseconds
};

static const char hanging[] = "it never hangs";

static sigjmp_buf crash;
static volatile sig_atomic_t crashed_by;

static void main_on_crash(int number)
{
    crashed_by = number;
    siglongjmp(crash, 1);
}

struct totals {
    uint64_t stories, requests, calls;
    double virtual_seconds;
};

struct finding {
    bool found;
    int64_t at;
    char promise[64], how[BROKEN_MAX];
};

// An assertion of the heart that fails is a finding, too. What the story held is lost then.
static struct finding main_run(const struct story *story, FILE *trace, struct totals *totals)
{
    struct simulation *simulation = memory_new(sizeof *simulation);
    struct finding finding = {0};
    const struct itimerval patience = {.it_value = {.tv_sec = PATIENCE}};
    (void)setitimer(ITIMER_VIRTUAL, &patience, NULL);
    if (sigsetjmp(crash, 1) != 0) {
        finding = (struct finding){.found = true, .at = simulation->now};
        (void)snprintf(finding.promise, sizeof finding.promise,
                       crashed_by == SIGVTALRM ? hanging : "it never dies");
        (void)snprintf(finding.how, sizeof finding.how, "%s", strsignal(crashed_by));
        simulation_trace(simulation, "BROKEN: %s", finding.how);
        return finding;
    }
    finding.found = !simulation_run(simulation, story, trace);
    finding.at = simulation->failed_at;
    memcpy(finding.promise, simulation->promise, sizeof finding.promise);
    memcpy(finding.how, simulation->how, sizeof finding.how);
    totals->stories++;
    totals->requests += simulation->request_count;
    totals->calls += simulation->fact_count;
    totals->virtual_seconds += (double)simulation->now / SECOND;
    if (!finding.found)
        simulation_free(simulation);
    free(simulation);
    return finding;
}

// --- shrinking

static bool main_breaks_too(const struct story *story, const struct finding *finding)
{
    struct totals totals = {0};
    struct finding other = main_run(story, NULL, &totals);
    return other.found && strcmp(other.promise, finding->promise) == 0;
}

static bool main_try(struct story *story, struct story other, const struct finding *finding)
{
    if (!main_breaks_too(&other, finding))
        return false;
    *story = other;
    return true;
}

static bool main_drop_items(struct story *story, const struct finding *finding)
{
    bool dropped = false;
    for (size_t i = story->count; i-- > 0;) {
        struct story other = *story;
        other.count--;
        memmove(&other.items[i], &other.items[i + 1], (other.count - i) * sizeof *other.items);
        dropped |= main_try(story, other, finding);
    }
    return dropped;
}

static bool main_drop_checks(struct story *story, const struct finding *finding)
{
    bool dropped = false;
    for (size_t i = 0; i < CHECKS_MAX; i++) {
        struct story other = *story;
        other.checks[i].used = false;
        if (story->checks[i].used)
            dropped |= main_try(story, other, finding);
    }
    struct story other = *story;
    other.keep = 0;
    if (story->keep != 0)
        dropped |= main_try(story, other, finding);
    return dropped;
}

static bool main_shorten(struct story *story, const struct finding *finding)
{
    bool shorter = false;
    for (size_t i = 0; i < story->count; i++) {
        struct story other = *story;
        struct item *item = &other.items[i];
        if (item->kind == ITEM_ASK_BURST && item->a > 1) {
            item->a /= 2;
            shorter |= main_try(story, other, finding);
        }
        other = *story;
        item = &other.items[i];
        if (item->lasts > 2 * MS) {
            item->lasts /= 2;
            shorter |= main_try(story, other, finding);
        }
        other = *story;
        item = &other.items[i];
        if (item->at > 2 * MS) {
            item->at = item->at / 2 / MS * MS;
            shorter |= main_try(story, other, finding);
        }
    }
    return shorter;
}

static struct story main_shrink(struct story story, const struct finding *finding)
{
    struct story cut = story;
    cut.length = finding->at + MS < story.length ? finding->at + MS : story.length;
    (void)main_try(&story, cut, finding);
    for (unsigned round = 0; round < 12; round++) {
        bool smaller = main_drop_items(&story, finding);
        smaller |= main_drop_checks(&story, finding);
        smaller |= main_shorten(&story, finding);
        if (!smaller)
            break;
    }
    return story;
}

static void main_print_last_lines(const char *text)
{
    unsigned lines = 0;
    const char *from = text + strlen(text);
    while (from > text && (from[-1] != '\n' || lines++ < LINES_MOST + 1))
        from--;
    printf("%s%s", from > text ? "        ...\n" : "", from);
}

static void main_tell(const struct story *story, const struct finding *finding)
{
    struct totals totals = {0};
    char *text;
    size_t size;
    printf("\nseed %llu breaks a promise: %s\n", (unsigned long long)story->seed, finding->promise);
    (void)fflush(stdout);
    if (freopen("/dev/null", "w", stderr) == NULL) // the same assertion fails again and again
        abort();
    bool hangs = strcmp(finding->promise, hanging) == 0; // which takes too long to be tried often
    struct story shortest = hangs ? *story : main_shrink(*story, finding);
    printf("\nThe shortest story that does:\n");
    story_print(&shortest);
    printf("\nWhat happens in it:\n");
    FILE *trace = open_memstream(&text, &size);
    if (trace == NULL)
        abort();
    struct finding last = main_run(&shortest, trace, &totals);
    (void)fclose(trace);
    main_print_last_lines(text);
    free(text);
    printf("\n%s: %s\n", last.promise, last.how);
    printf("all of it: tests/simulation/run --story %llu\n", (unsigned long long)story->seed);
}

// --- what is to be done

static double main_cpu_seconds(void)
{
    return (double)clock() / CLOCKS_PER_SEC;
}

// For so many seconds of CPU: what is found does not depend on what else the machine has to do.
static int main_run_stories(double seconds, uint64_t seed, uint64_t most)
{
    struct totals totals = {0};
    printf("seed %llu and on\n", (unsigned long long)seed);
    for (uint64_t i = 0; i < most; i++) {
        struct story story = story_draw(seed + i);
        struct finding finding = main_run(&story, NULL, &totals);
        if (finding.found) {
            main_tell(&story, &finding);
            return 1;
        }
        if (main_cpu_seconds() >= seconds)
            break;
    }
    double cpu = main_cpu_seconds();
    printf("%llu stories kept all promises: %.0f hours, %llu requests, %llu calls; in %.1f s of "
           "CPU: %.0f hours/s, %.0f requests/min\n",
           (unsigned long long)totals.stories, totals.virtual_seconds / 3600,
           (unsigned long long)totals.requests, (unsigned long long)totals.calls, cpu,
           totals.virtual_seconds / 3600 / cpu, (double)totals.requests / cpu * 60);
    return 0;
}

static int main_run_one(uint64_t seed)
{
    struct totals totals = {0};
    struct story story = story_draw(seed);
    story_print(&story);
    struct finding finding = main_run(&story, stdout, &totals);
    if (finding.found)
        printf("\n%s: %s\n", finding.promise, finding.how);
    return finding.found;
}

// How fast it is: at rest, with a check every hour, and with a login that stays pending for ever;
// and with requests alone.
static int main_measure(void)
{
    static const struct {
        const char *name;
        int64_t hours;
        struct item item;
        int64_t every; // ms
    } rows[] = {
        {"at rest", 100000, {.kind = ITEM_STEP}, 3600000},
        {"a login pending",
         10000,
         {.kind = ITEM_FREEZE, .at = MS, .lasts = INT64_MAX / 4},
         3600000},
        {"asked each 10 s", 100, {.kind = ITEM_ASK_EACH, .a = 10000, .b = WHAT_ALL}, 0},
        {"asked each 10 ms", 5, {.kind = ITEM_ASK_EACH, .a = 10, .b = WHAT_ALL}, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct story story = {.seed = 1, .length = rows[i].hours * 3600 * SECOND, .count = 1};
        struct totals totals = {0};
        story.items[0] = rows[i].item;
        story.checks[0] = (struct blueprint_check){.used = true,
                                                   .endpoint = "healthz",
                                                   .timeout = 800,
                                                   .cache = 2000,
                                                   .every = rows[i].every};
        double began = main_cpu_seconds();
        struct finding finding = main_run(&story, NULL, &totals);
        double cpu = main_cpu_seconds() - began;
        printf("%-17s %.0f hours/s, %.0f requests/min%s%s\n", rows[i].name,
               totals.virtual_seconds / 3600 / cpu, (double)totals.requests / cpu * 60,
               finding.found ? ": " : "", finding.found ? finding.how : "");
    }
    return 0;
}

int main(int count, char **arguments)
{
    log_configure(LOG_FORMAT_LOGFMT, LOG_ERROR + 1); // which of them says nothing
    (void)signal(SIGABRT, main_on_crash);
    (void)signal(SIGSEGV, main_on_crash);
    (void)signal(SIGVTALRM, main_on_crash);
    if (count == 3 && strcmp(arguments[1], "--story") == 0)
        return main_run_one(strtoull(arguments[2], NULL, 10));
    if (count == 2 && strcmp(arguments[1], "--speed") == 0)
        return main_measure();
    if (count < 2 || count > 4) {
        fprintf(stderr, "usage: simulate SECONDS [SEED [STORIES]] | --story SEED | --speed\n");
        return 2;
    }
    uint64_t seed = count > 2 ? strtoull(arguments[2], NULL, 10) : (uint64_t)time(NULL) * 1000;
    uint64_t most = count > 3 ? strtoull(arguments[3], NULL, 10) : UINT64_MAX;
    return main_run_stories(strtod(arguments[1], NULL), seed, most);
}
