// Stories: drawn from a seed, and told in words.
#include "simulation.h"

#include <stdio.h>
#include <string.h>

const char *const prober_names[PROBERS] = {"liveness", "main", "reports"};

static const struct {
    const char *words; // with ~ for how long, # for a, & for b, and @ for what is asked for
    bool server, own;
    int64_t shortest, longest; // ms that it lasts
    int64_t least, most;       // a
    unsigned weight;           // how often it is drawn
} kinds[ITEM_KINDS] = {
    [ITEM_FREEZE] = {"the server answers nothing for ~", true, false, 50, 150000, 0, 0, 6},
    [ITEM_SILENT_LOGIN] = {"the server answers no login for ~", true, false, 50, 150000, 0, 0, 5},
    [ITEM_SILENT_QUERY] = {"the server answers no query for ~", true, false, 50, 90000, 0, 0, 5},
    [ITEM_REFUSING] = {"nothing listens for ~", true, false, 100, 20000, 0, 0, 3},
    [ITEM_STARTING] = {"the server is starting for ~", true, false, 100, 20000, 0, 0, 2},
    [ITEM_FULL] = {"the server is full for ~", true, false, 100, 20000, 0, 0, 2},
    [ITEM_DENYING] = {"the server denies us for ~", true, false, 100, 20000, 0, 0, 2},
    [ITEM_SLOW] = {"the server is # times as slow for ~", true, false, 100, 30000, 2, 400, 4},
    [ITEM_CRASH] = {"the server crashes, and is back after ~", true, false, 100, 20000, 0, 0, 4},
    [ITEM_END_SESSIONS] = {"an administrator ends all sessions", true, false, 0, 0, 0, 0, 2},
    [ITEM_STOP_SESSIONS] = {"the sessions that are open never answer again", true, false, 0, 0, 0,
                            0, 4},
    [ITEM_BAD_VALUES] = {"the values are bad for ~", true, false, 100, 20000, 0, 0, 3},
    [ITEM_NO_ROWS] = {"queries give no row for ~", true, false, 100, 20000, 0, 0, 1},
    [ITEM_ERRORS] = {"queries fail for ~", true, false, 100, 20000, 0, 0, 2},
    [ITEM_FRAGILE] = {"one statement in # ends its session, for ~", true, false, 100, 60000, 1, 8,
                      4},
    [ITEM_LARGE] = {"rows are too large for ~", true, false, 100, 20000, 0, 0, 1},
    [ITEM_ROTATE] = {"another password at the server; ours follows after ~", true, false, 100,
                     150000, 0, 0, 3},
    [ITEM_ROTATE_OURS] = {"another password of ours; the server's follows after ~", true, false,
                          100, 150000, 0, 0, 3},
    [ITEM_SUPERUSER] = {"the probe user is a superuser for ~", true, false, 100, 150000, 0, 0, 2},
    [ITEM_UPGRADE] = {"the server is of version 16 for ~", true, false, 100, 60000, 0, 0, 2},
    [ITEM_STALL] = {"the adapter stands still for ~", false, true, 20, 5000, 0, 0, 5},
    [ITEM_STARVE] = {"we get # percent of a CPU for ~", false, true, 100, 30000, 0, 30, 3},
    [ITEM_STUTTER] = {"we are stopped but for # percent of each & ms, for ~", false, true, 100,
                      30000, 1, 30, 3},
    [ITEM_STOP] = {"the prober processes are stopped for ~", false, true, 100, 20000, 0, 0, 3},
    [ITEM_KILL] = {"the prober processes are killed", false, true, 0, 0, 0, 0, 3},
    [ITEM_CRASHING] = {"each prober process dies of its next call for ~", false, true, 100, 60000,
                       0, 0, 2},
    [ITEM_SLOW_START] = {"a prober process takes # ms to be there, for ~", false, true, 100, 20000,
                         50, 8000, 3},
    [ITEM_NO_START] = {"no prober process can be started for ~", false, true, 100, 60000, 0, 0, 2},
    [ITEM_BABBLE] = {"prober processes reply what fits no call for ~", false, true, 100, 20000, 0,
                     0, 2},
    [ITEM_PEERS_SILENT] = {"the peers answer nothing for ~", false, false, 100, 90000, 0, 0, 0},
    [ITEM_PEERS_CRASHING] = {"who asks the peers dies of it for ~", false, false, 100, 60000, 0, 0,
                             0},
    [ITEM_PEERS_BABBLE] = {"who asks the peers replies what fits no call for ~", false, false, 100,
                           20000, 0, 0, 0},
    [ITEM_ASK_EACH] = {"@ is asked for every # ms", false, false, 0, 0, 100, 10000, 0},
    [ITEM_ASK_BURST] = {"@ is asked for # times at once", false, false, 0, 0, 1, 300, 9},
    [ITEM_RELOAD] = {"the configuration is reloaded", false, false, 0, 0, 0, 0, 8},
    [ITEM_DRAIN] = {"the adapter drains for ~, and starts anew", false, false, 100, 15000, 0, 0, 3},
    [ITEM_RESTART] = {"the adapter ends, and starts anew", false, false, 0, 0, 0, 0, 2},
    [ITEM_STEP] = {"the wall clock is set # s further", false, false, 0, 0, -100000, 100000, 1},
};

bool story_item_is_own(enum item_kind kind)
{
    return kinds[kind].own;
}

int64_t story_item_end(const struct item *item)
{
    int64_t last = item->kind == ITEM_SLOW_START ? item->a * MS : 0;
    return item->at + item->lasts + last;
}

bool story_item_is_server(enum item_kind kind)
{
    return kinds[kind].server;
}

static bool story_item_is_silence(enum item_kind kind)
{
    return kind == ITEM_FREEZE || kind == ITEM_SILENT_LOGIN || kind == ITEM_SILENT_QUERY;
}

bool story_item_is_shortage(enum item_kind kind)
{
    return kind == ITEM_STARVE || kind == ITEM_STUTTER;
}

// --- drawing

// Short ones are as likely as long ones.
static int64_t story_draw_length(struct chance *chance, int64_t shortest, int64_t longest)
{
    int64_t length = shortest;
    while (length < longest && !chance_once_in(chance, 4))
        length *= 2;
    length = chance_between(chance, shortest, length + 1);
    return length < longest ? length : longest;
}

static struct blueprint_check story_draw_check(struct chance *chance, size_t index)
{
    static const int64_t timeouts[] = {800, 800, 800, 300, 100, 900, 2500, 5000};
    static const int64_t caches[] = {2000, 2000, 0, 0, 500, 10000, 60000};
    static const int64_t periods[] = {1000, 5000, 10000, 60000};
    bool liveness = index == 0 || chance_once_in(chance, 8);
    struct blueprint_check check = {.used = true,
                                    .prober = liveness ? 0 : (unsigned)chance_between(chance, 1, 2),
                                    .endpoint = liveness                    ? "healthz"
                                                : chance_once_in(chance, 5) ? "group"
                                                                            : "readyz",
                                    .timeout = timeouts[chance_between(chance, 0, 7)],
                                    .cache = caches[chance_between(chance, 0, 6)]};
    if (chance_once_in(chance, liveness ? 12 : 4)) {
        check.every = periods[chance_between(chance, 0, 3)];
        check.timeout = chance_between(chance, 100, 3000);
        check.cache = check.every + check.timeout;
    }
    check.writes = chance_once_in(chance, 8);
    check.broken = chance_once_in(chance, 24);
    check.unmeant = chance_once_in(chance, 10);
    return check;
}

static enum item_kind story_draw_kind(struct chance *chance)
{
    unsigned sum = 0;
    for (size_t i = 0; i < ITEM_KINDS; i++)
        sum += kinds[i].weight;
    int64_t drawn = chance_between(chance, 0, sum - 1);
    size_t kind = 0;
    while (drawn >= kinds[kind].weight)
        drawn -= kinds[kind++].weight;
    return (enum item_kind)kind;
}

static struct item story_draw_item(struct chance *chance, enum item_kind kind, int64_t at)
{
    struct item item = {.kind = kind, .at = at};
    if (kinds[kind].longest > 0)
        item.lasts = story_draw_length(chance, kinds[kind].shortest, kinds[kind].longest) * MS;
    item.a = chance_between(chance, kinds[kind].least, kinds[kind].most);
    if (story_item_is_shortage(kind) && chance_once_in(chance, 2))
        item.a = story_draw_length(chance, 1, 30);
    if (kind == ITEM_SLOW)
        item.a = story_draw_length(chance, 2, 400);
    if (kind == ITEM_ASK_BURST)
        item.a = story_draw_length(chance, 1, 300);
    if (kind == ITEM_ASK_BURST || kind == ITEM_ASK_EACH)
        item.b = chance_between(chance, 0, WHATS - 1);
    if (kind == ITEM_STUTTER)
        item.b = story_draw_length(chance, 20, 2000);
    if (kind == ITEM_RELOAD) {
        item.a = chance_between(chance, 0, RELOAD_KINDS - 1);
        item.b = chance_between(chance, 0, CHECKS_MAX - 1);
    }
    return item;
}

static void story_add(struct story *story, struct item item)
{
    if (story->count < ITEMS_MAX)
        story->items[story->count++] = item;
}

// Who asks all the time: a kubelet's probes and a few more, from early on.
static void story_add_clients(struct story *story, struct chance *chance)
{
    static const int64_t periods[] = {10000, 5000, 1000, 1000, 250};
    if (chance_once_in(chance, 12))
        return; // a story of background checks, or of rest
    for (int64_t i = chance_between(chance, 1, 4); i > 0; i--) {
        struct item item =
            story_draw_item(chance, ITEM_ASK_EACH, chance_between(chance, 0, 3000) * MS);
        item.a = periods[chance_between(chance, 0, 4)];
        if (chance_once_in(chance, 2))
            item.b = chance_between(chance, 0, 1);
        if (chance_once_in(chance, 4))
            item.lasts = chance_between(chance, 1000, 60000) * MS;
        story_add(story, item);
    }
}

// Often another one comes within a second, and requests at the moment of a reload or just when a
// silent server answers. A silence is ours or the server's: that is to be told apart, so both come
// together.
static void story_add_trouble(struct story *story, struct chance *chance, int64_t at)
{
    struct item item = story_draw_item(chance, story_draw_kind(chance), at);
    story_add(story, item);
    if (item.kind == ITEM_RELOAD && chance_once_in(chance, 2))
        story_add(story, story_draw_item(chance, ITEM_ASK_BURST, at));
    if (story_item_is_silence(item.kind) && chance_once_in(chance, 2))
        story_add(story,
                  story_draw_item(chance, ITEM_ASK_BURST,
                                  story_item_end(&item) + chance_between(chance, 0, 10) * MS));
    if (story_item_is_own(item.kind) && chance_once_in(chance, 2))
        story_add(story, story_draw_item(
                             chance, chance_once_in(chance, 2) ? ITEM_FREEZE : ITEM_SILENT_LOGIN,
                             at + chance_between(chance, 0, 1000) * MS));
    if (chance_once_in(chance, 2))
        story_add(story, story_draw_item(chance, story_draw_kind(chance),
                                         at + chance_between(chance, 0, 1000) * MS));
}

// Troubles come in clusters, so that they meet; then there is rest, in which all is well again.
static void story_add_troubles(struct story *story, struct chance *chance)
{
    int64_t at = chance_between(chance, 0, 8000) * MS;
    for (int64_t clusters = chance_between(chance, 1, 4); clusters > 0; clusters--) {
        int64_t span = story_draw_length(chance, 100, 60000);
        for (int64_t i = chance_between(chance, 1, 7); i > 0; i--)
            story_add_trouble(story, chance, at + chance_between(chance, 0, span) * MS);
        at += (span + chance_between(chance, 1000, 100000)) * MS;
    }
}

// Rules that must hold for a while, and at rest a time in which they do; drawn apart, so that the
// rest of each story is as it was before there were any.
static void story_add_holds(struct story *story, int64_t end)
{
    static const int64_t holds[] = {0, 0, 1000, 3000, 20000};
    struct chance chance = {.state = ~story->seed};
    for (size_t i = 0; i < CHECKS_MAX; i++) {
        struct blueprint_check *check = &story->checks[i];
        int64_t hold = holds[chance_between(&chance, 0, 4)];
        if (check->prober != 0 && !check->broken && !check->unmeant)
            check->hold = hold;
    }
    int64_t at = end + chance_between(&chance, 70, 100) * SECOND;
    int64_t lasts = chance_between(&chance, 2, 40) * SECOND;
    if (chance_once_in(&chance, 2))
        story_add(story, (struct item){.kind = ITEM_BAD_VALUES, .at = at, .lasts = lasts});
    at += chance_between(&chance, 0, lasts / MS) * MS;
    if (chance_once_in(&chance, 2))
        story_add(story, story_draw_item(&chance, ITEM_RELOAD, at));
    if (chance_once_in(&chance, 3))
        story_add(story, (struct item){.kind = ITEM_ERRORS, .at = at, .lasts = SECOND});
}

// Who asks for them all the time, and what becomes of it; drawn apart, likewise.
static void story_add_peers(struct story *story, int64_t end)
{
    struct chance chance = {.state = story->seed * 3 + 1};
    static const int64_t periods[] = {5000, 1000, 1000, 250};
    story->peers = chance_once_in(&chance, 3);
    if (!story->peers)
        return;
    story_add(story, (struct item){.kind = ITEM_ASK_EACH,
                                   .at = chance_between(&chance, 0, 3000) * MS,
                                   .lasts = chance_once_in(&chance, 2) ? end : 0,
                                   .a = periods[chance_between(&chance, 0, 3)],
                                   .b = WHAT_PEERS});
    for (int64_t i = chance_between(&chance, 0, 6); i > 0; i--) {
        enum item_kind kind =
            (enum item_kind)chance_between(&chance, ITEM_PEERS_SILENT, ITEM_PEERS_BABBLE);
        story_add(story, story_draw_item(&chance, kind, chance_between(&chance, 0, end / MS) * MS));
    }
}

static int64_t story_end_of(const struct story *story)
{
    int64_t end = 0;
    for (size_t i = 0; i < story->count; i++) {
        const struct item *item = &story->items[i];
        int64_t item_end = item->at + item->lasts;
        if (item->kind != ITEM_ASK_EACH && item_end > end)
            end = item_end;
    }
    return end;
}

// A silence of which others come late: we have trouble just when another login takes the place of
// the first, or a process dies of which a run is held back; drawn apart, likewise.
static void story_add_late_trouble(struct story *story, int64_t end)
{
    static const enum item_kind silences[] = {ITEM_FREEZE, ITEM_SILENT_LOGIN, ITEM_SILENT_LOGIN,
                                              ITEM_SILENT_QUERY};
    static const enum item_kind troubles[] = {ITEM_STALL, ITEM_STARVE,     ITEM_STUTTER, ITEM_STOP,
                                              ITEM_STOP,  ITEM_SLOW_START, ITEM_KILL};
    struct chance chance = {.state = story->seed * 5 + 2};
    if (!chance_once_in(&chance, 3))
        return;
    int64_t at = end + chance_between(&chance, 20, 60) * SECOND;
    int64_t lasts = 10 * SECOND + chance_between(&chance, -300, 2000) * MS;
    if (chance_once_in(&chance, 3))
        lasts += chance_between(&chance, 0, 30) * SECOND;
    story_add(
        story,
        (struct item){.kind = silences[chance_between(&chance, 0, 3)], .at = at, .lasts = lasts});
    for (int64_t i = chance_between(&chance, 1, 2); i > 0; i--)
        story_add(story,
                  story_draw_item(&chance, troubles[chance_between(&chance, 0, 6)],
                                  at + 10 * SECOND + chance_between(&chance, -1500, 1500) * MS));
    story_add(story, (struct item){.kind = ITEM_ASK_EACH,
                                   .at = at + chance_between(&chance, 0, 10) * SECOND,
                                   .lasts = chance_between(&chance, 1, 8) * SECOND,
                                   .a = 100,
                                   .b = chance_between(&chance, 0, WHATS - 1)});
}

struct story story_draw(uint64_t seed)
{
    struct chance chance = {.state = seed};
    struct story story = {.seed = seed};
    int64_t checks = chance_between(&chance, 1, CHECKS_MAX);
    for (size_t i = 0; i < CHECKS_MAX; i++) {
        story.checks[i] = story_draw_check(&chance, i);
        story.checks[i].used = (int64_t)i < checks;
    }
    story.keep = chance_once_in(&chance, 3) ? (unsigned)chance_between(&chance, 1, 7) : 0;
    story_add_clients(&story, &chance);
    story_add_troubles(&story, &chance);
    story_add_holds(&story, story_end_of(&story));
    story_add_peers(&story, story_end_of(&story));
    story_add_late_trouble(&story, story_end_of(&story));
    int64_t rest = chance_once_in(&chance, 8) ? 3600 * SECOND : 160 * SECOND;
    story.length = story_end_of(&story) + rest;
    return story;
}

// --- telling

static void story_name_what(int64_t what, char *text, size_t capacity)
{
    static const char *const names[] = {"/healthz", "/readyz", "/startupz", "/status"};
    if (what < WHAT_CHECK)
        (void)snprintf(text, capacity, "%s", names[what]);
    else if (what == WHAT_PEERS)
        (void)snprintf(text, capacity, "/sole-primary");
    else
        (void)snprintf(text, capacity, "check c%lld", (long long)what - WHAT_CHECK);
}

// The words, with what they stand for put in.
static void story_write(const char *words, const struct item *item, struct text *text)
{
    char what[NAME_ROOM];
    story_name_what(item->b, what, sizeof what);
    for (; *words != '\0'; words++) {
        if (*words == '~')
            text_addf(text, "%lld.%03lld s", (long long)(item->lasts / SECOND),
                      (long long)(item->lasts / MS % 1000));
        else if (*words == '#')
            text_addf(text, "%lld", (long long)item->a);
        else if (*words == '&')
            text_addf(text, "%lld", (long long)item->b);
        else if (*words == '@')
            text_add(text, what);
        else
            text_addf(text, "%c", *words);
    }
}

void story_describe_item(const struct item *item, char *words, size_t capacity)
{
    static const char *const reloads[RELOAD_KINDS] = {
        [RELOAD_SAME] = "nothing has changed", [RELOAD_CHANGE] = "has changed",
        [RELOAD_REMOVE] = "is removed",        [RELOAD_ADD] = "is added",
        [RELOAD_MOVE] = "has another prober",  [RELOAD_TARGET] = "another server"};
    struct text text = text_in(words, capacity);
    story_write(kinds[item->kind].words, item, &text);
    if (item->kind == ITEM_RELOAD) {
        bool of_check = item->a != RELOAD_SAME && item->a != RELOAD_TARGET;
        text_add(&text, ": ");
        if (of_check)
            text_addf(&text, "c%lld ", (long long)item->b);
        text_add(&text, reloads[item->a]);
    }
    if (item->kind == ITEM_ASK_EACH && item->lasts > 0)
        story_write(", for ~", item, &text);
}

static void story_print_check(const struct story *story, size_t index)
{
    const struct blueprint_check *check = &story->checks[index];
    printf("  check c%zu of /%s on prober %s: timeout %lld ms, cache %lld ms", index,
           check->endpoint, prober_names[check->prober], (long long)check->timeout,
           (long long)check->cache);
    if (check->every > 0)
        printf(", every %lld ms", (long long)check->every);
    if (check->hold > 0)
        printf(", fails after %lld ms", (long long)check->hold);
    printf("%s%s%s\n", check->writes ? ", writes" : "", check->broken ? ", broken" : "",
           check->unmeant ? ", for version 16 only" : "");
}

void story_print(const struct story *story)
{
    char words[160];
    for (size_t i = 0; i < CHECKS_MAX; i++) {
        if (story->checks[i].used)
            story_print_check(story, i);
    }
    for (size_t i = 0; i < PROBERS; i++) {
        if (story->keep >> i & 1)
            printf("  prober %s keeps its connection\n", prober_names[i]);
    }
    for (size_t i = 0; i < story->count; i++) {
        const struct item *item = &story->items[i];
        story_describe_item(item, words, sizeof words);
        printf("  %9.3f s  %s\n", (double)item->at / SECOND, words);
    }
}
