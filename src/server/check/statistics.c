// See statistics.h. All amounts are bounded by configuration. Nothing is forgotten, not even what a
// reload has dropped: a counter that came back lower would look like a restart.
#include "server/check/statistics.h"

#include "common/memory.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { NS_PER_MS = 1000000 };

// A kept connection answers in a fraction of a millisecond, a login takes 1 to 50 ms, the default
// timeout is 0.8 s, and a check with `every` may take as long as it likes.
static const struct duration_bound bounds[DURATION_BOUNDS] = {
    {1 * NS_PER_MS, "0.001"}, {5 * NS_PER_MS / 2, "0.0025"}, {5 * NS_PER_MS, "0.005"},
    {10 * NS_PER_MS, "0.01"}, {25 * NS_PER_MS, "0.025"},     {50 * NS_PER_MS, "0.05"},
    {100 * NS_PER_MS, "0.1"}, {250 * NS_PER_MS, "0.25"},     {500 * NS_PER_MS, "0.5"},
    {1000 * NS_PER_MS, "1"},  {10000LL * NS_PER_MS, "10"},
};

// All that answer.c gives.
static const unsigned codes[ANSWER_CODES] = {200, 400, 403, 404, 405, 429, 503};

struct statistics *statistics_new(int64_t began_ms)
{
    struct statistics *statistics = memory_new(sizeof *statistics);
    statistics->began_ms = statistics->reloads.last_success_ms = began_ms;
    return statistics;
}

// Every kind of item begins with its name.
static char **statistics_name_of(void *item)
{
    return item;
}

static void statistics_clear(struct named_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        free(*statistics_name_of(list->items[i]));
        free(list->items[i]);
    }
    free(list->items);
}

void statistics_free(struct statistics *statistics)
{
    statistics_clear(&statistics->checks);
    statistics_clear(&statistics->probers);
    statistics_clear(&statistics->endpoints);
    free(statistics);
}

// Where the item of this name is, or should be.
static size_t statistics_find_place(const struct named_list *list, const char *name)
{
    size_t first = 0, past = list->count;
    while (first < past) {
        size_t middle = first + (past - first) / 2;
        if (strcmp(*statistics_name_of(list->items[middle]), name) < 0)
            first = middle + 1;
        else
            past = middle;
    }
    return first;
}

static void *statistics_find_or_add(struct named_list *list, const char *name, size_t size)
{
    size_t place = statistics_find_place(list, name);
    if (place < list->count && strcmp(*statistics_name_of(list->items[place]), name) == 0)
        return list->items[place];
    void *item = memory_new(size);
    *statistics_name_of(item) = memory_string(name);
    list->items = memory_grow(list->items, (list->count + 1) * sizeof(void *));
    void **at = list->items + place;
    memmove(at + 1, at, (list->count++ - place) * sizeof(void *));
    *at = item;
    return item;
}

struct check_statistics *statistics_check(struct statistics *statistics, const char *name)
{
    return statistics_find_or_add(&statistics->checks, name, sizeof(struct check_statistics));
}

struct prober_statistics *statistics_prober(struct statistics *statistics, const char *name)
{
    return statistics_find_or_add(&statistics->probers, name, sizeof(struct prober_statistics));
}

struct endpoint_statistics *statistics_endpoint(struct statistics *statistics, const char *name)
{
    return statistics_find_or_add(&statistics->endpoints, name, sizeof(struct endpoint_statistics));
}

void check_statistics_add_run(struct check_statistics *check, int64_t duration_ns)
{
    size_t i = 0;
    while (i < DURATION_BOUNDS && duration_ns > bounds[i].ns)
        i++;
    check->durations[i]++;
    check->duration_sum_ns += duration_ns;
}

void endpoint_statistics_add(struct endpoint_statistics *endpoint, unsigned status)
{
    size_t i = 0;
    while (i < ANSWER_CODES && codes[i] != status)
        i++;
    assert(i < ANSWER_CODES);
    endpoint->answers[i]++;
}

const struct duration_bound *duration_bound(size_t index)
{
    assert(index < DURATION_BOUNDS);
    return &bounds[index];
}

unsigned answer_code(size_t index)
{
    assert(index < ANSWER_CODES);
    return codes[index];
}

const char *agent_word_name(enum agent_word word)
{
    static const char *const names[AGENT_WORDS] = {[AGENT_FAIL] = "fail",
                                                   [AGENT_UP] = "up",
                                                   [AGENT_DRAIN] = "drain",
                                                   [AGENT_MAINT] = "maint",
                                                   [AGENT_DOWN] = "down"};
    assert(word < AGENT_WORDS);
    return names[word];
}

const char *cache_use_name(enum cache_use use)
{
    static const char *const names[CACHE_USES] = {"hit", "join", "miss"};
    assert(use < CACHE_USES);
    return names[use];
}

const char *reload_result_name(enum reload_result result)
{
    static const char *const names[RELOAD_RESULTS] = {"success", "unchanged", "failure"};
    assert(result < RELOAD_RESULTS);
    return names[result];
}
