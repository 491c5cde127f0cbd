// Check files: whatever the text and the environment, there is a check. A fault is told with a
// place that is in the file; a sound one keeps every bound, and written out from what was
// understood it is understood the same again.
//
// Input: lines "$NAME=VALUE" are the environment; the rest is the file.
#include "fuzz.h"
#include "fuzz_rules.h"

#include "common/memory.h"
#include "common/wire.h"
#include "server/check/check_file.h"
#include "server/check/reserved.h"
#include "server/check/verdict.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DAY_MS = 24 * 3600 * 1000, VALUE_MOST = 4096 };

static const char place[] = "folder/lag.sql";
static const struct check_defaults defaults = {
    .timeout = {800}, .cache = {2000}, .deadline = {900}};

static struct check *parse(const char *text, size_t length)
{
    return check_file_parse("lag", place, text, length, &defaults);
}

// --- faults

// The length of a line of the text, from 1 on; 0 for those that are not there.
static size_t line_length(const char *text, size_t length, unsigned long line)
{
    const char *end = text + length;
    while (line > 1 && text < end) {
        const char *feed = memchr(text, '\n', (size_t)(end - text));
        text = feed != NULL ? feed + 1 : end;
        line--;
    }
    const char *feed = memchr(text, '\n', (size_t)(end - text));
    return (size_t)((feed != NULL ? feed : end) - text);
}

static unsigned long count_lines(const char *text, size_t length)
{
    unsigned long lines = 1;
    for (size_t i = 0; i < length; i++)
        lines += text[i] == '\n';
    return lines;
}

// "folder/lag.sql:LINE:COLUMN: words", the place being one of the text or just behind it.
static void must_have_a_place(const char *broken, const char *text, size_t length)
{
    MUST(is_fit_line(broken));
    MUST(strncmp(broken, place, strlen(place)) == 0 && broken[strlen(place)] == ':');
    char *end;
    unsigned long line = strtoul(broken + strlen(place) + 1, &end, 10);
    MUST(*end == ':');
    unsigned long column = strtoul(end + 1, &end, 10);
    MUST(strncmp(end, ": ", 2) == 0 && end[2] != '\0');
    MUST(line >= 1 && line <= count_lines(text, length) + 1);
    MUST(column >= 1 && column <= line_length(text, length, line) + 1);
}

// --- bounds

static void must_be_names(const struct words *words)
{
    for (size_t i = 0; i < words->count; i++) {
        MUST(is_name(words->items[i]));
        MUST(!reserved_from_endpoints(words->items[i]));
    }
}

// True of every check, broken or not: endpoints and prober are used of both.
static void must_be_complete(const struct check *check)
{
    MUST_EQUAL(check->name, "lag");
    MUST_EQUAL(check->place, place);
    MUST(is_name(check->prober));
    MUST(check->sql != NULL);
    must_be_names(&check->endpoints);
    MUST(check->description == NULL || is_fit_line(check->description));
}

// Who asks for liveness has thresholds of its own.
static void must_hold_within_bounds(const struct check *check, const struct rule *rule)
{
    const struct words *endpoints = &check->endpoints;
    bool of_liveness = words_have(endpoints, "healthz") || words_have(endpoints, "startupz");
    MUST(rule->hold.ms >= 0 && rule->hold.ms <= DAY_MS);
    MUST(rule->hold.ms == 0 || (rule->effect != RULE_SKIP && !of_liveness));
}

static void must_be_within_bounds(const struct check *check)
{
    static unsigned char bytes[WIRE_MAX];
    MUST(check->timeout.ms >= 1 && check->timeout.ms <= DAY_MS);
    MUST(check->cache.ms >= 0 && check->cache.ms <= 2 * DAY_MS);
    MUST(check->every.ms == 0 || (check->every.ms >= 100 && check->every.ms <= DAY_MS));
    MUST(check->every.ms > 0 || check->timeout.ms <= defaults.deadline.ms);
    MUST(check->every.ms > 0 || !check->log_rows);
    MUST(text_valid_length(check->sql, strlen(check->sql)) == strlen(check->sql));
    MUST(check->peers == (check->sql[strspn(check->sql, " \t\r\n")] == '\0'));
    MUST(check->peers == (strcmp(check->prober, check_prober_of_peers) == 0));
    MUST(!check->peers || !words_have(&check->endpoints, "healthz"));
    struct call call = {.verb = VERB_RUN, .sql = check->sql};
    MUST(call_encode(&call, bytes) > 0);
    for (size_t i = 0; i < check->params.count; i++)
        MUST(check->params.items[i].value.type != LITERAL_NULL);
    for (size_t i = 0; i < check->rule_count; i++)
        must_hold_within_bounds(check, &check->rules[i]);
}

// Our own faults never fail a check, and no check fails for what it tolerates.
static void must_judge_well(const struct check *check)
{
    for (unsigned i = 0; i < OUTCOME_COUNT; i++) {
        enum outcome outcome = (enum outcome)i;
        enum outcome_group group = outcome_info(outcome)->group;
        if (outcome == OUTCOME_OK)
            continue;
        struct judgement judgement = judge(check, outcome, NULL, NULL, NULL);
        bool tolerated = outcome_set_has(check->tolerate, outcome);
        if (outcome == OUTCOME_MISSING && check->skips_missing) {
            MUST(judgement.verdict == VERDICT_SKIPPED);
            continue;
        }
        MUST(judgement.outcome == outcome);
        MUST((judgement.verdict == VERDICT_UNKNOWN) == (group == GROUP_OWN));
        MUST((judgement.verdict == VERDICT_SKIPPED) == (group == GROUP_NONE));
        MUST(!tolerated || judgement.verdict == VERDICT_WARN);
    }
}

// --- writing a check as a file

static void write_words(struct written *file, const char *key, const struct words *words)
{
    write_format(file, "-- %s:%s", key, words->count == 0 ? " none" : "");
    for (size_t i = 0; i < words->count; i++)
        write_format(file, " %s", words->items[i]);
    write_format(file, "\n");
}

static void write_duration(struct written *file, const char *key, struct duration duration)
{
    char text[32];
    format_duration(duration, text, sizeof text);
    write_format(file, "-- %s: %s\n", key, text);
}

static void write_rules(struct written *file, const struct check *check)
{
    static const char *const effects[] = {
        [RULE_FAIL] = "fail", [RULE_WARN] = "warn", [RULE_SKIP] = "skip"};
    for (size_t i = 0; i < check->params.count; i++) {
        write_format(file, "-- param: %s = ", check->params.items[i].name);
        write_literal(file, &check->params.items[i].value);
        write_format(file, "\n");
    }
    for (size_t i = 0; i < check->rule_count; i++) {
        write_format(file, "-- %s: ", effects[check->rules[i].effect]);
        write_rule(file, &check->rules[i]);
        write_format(file, "\n");
    }
}

static void write_skips_missing(struct written *file, const struct check *check)
{
    write_format(file, check->skips_missing ? "-- skip: missing\n" : "");
}

static void write_tolerate(struct written *file, const struct check *check)
{
    if (check->tolerate.bits == 0)
        return;
    write_format(file, "-- tolerate:");
    for (unsigned i = 0; i < OUTCOME_COUNT; i++) {
        if (outcome_set_has(check->tolerate, (enum outcome)i))
            write_format(file, " %s", outcome_info((enum outcome)i)->code);
    }
    write_format(file, "\n");
}

// What only a check of a database has.
static void write_source(struct written *file, const struct check *check)
{
    if (check->peers) {
        write_format(file, "-- source: peers\n");
        return;
    }
    write_format(file, "-- prober: %s\n", check->prober);
    write_format(file, "-- writes: %s\n", check->writes ? "yes" : "no");
    for (size_t i = 0; i < check->grants.count; i++)
        write_format(file, "-- grants: %s\n", check->grants.items[i]);
    write_range(file, &check->range);
}

static void write_header(struct written *file, const struct check *check)
{
    if (check->description != NULL)
        write_format(file, "-- description: %s\n", check->description);
    write_words(file, "endpoints", &check->endpoints);
    write_source(file, check);
    write_duration(file, "timeout", check->timeout);
    if (check->cache.ms <= DAY_MS) // else it comes of `every`
        write_duration(file, "cache", check->cache);
    if (check->every.ms > 0)
        write_duration(file, "every", check->every);
    write_rules(file, check);
    write_skips_missing(file, check);
    write_tolerate(file, check);
    write_format(file, "-- enabled: %s\n", check->enabled ? "yes" : "no");
    if (check->metric_columns.count > 0)
        write_words(file, "metrics", &check->metric_columns);
    else
        write_format(file, "-- metrics: %s\n", check->metrics ? "yes" : "no");
    write_format(file, "-- rows: %s\n", check->each_row ? "each" : "first");
    write_format(file, "-- no-rows: %s\n", check->passes_empty ? "pass" : "fail");
    write_format(file, check->log_rows ? "-- log: rows\n" : "");
}

static bool is_trimmed(const char *value)
{
    return value[0] != '\0' && strchr(" \t\r", value[0]) == NULL &&
           strchr(" \t\r", value[strlen(value) - 1]) == NULL;
}

// What a file cannot say: blanks around a value that came from the environment, a variable that
// another one's value names, and a value that quotes have made too long.
static bool is_writable(const struct check *check, const char *header)
{
    bool whole = check->description == NULL || is_trimmed(check->description);
    for (size_t i = 0; i < check->grants.count; i++)
        whole &= is_trimmed(check->grants.items[i]);
    if (!whole || strstr(header, "${") != NULL)
        return false;
    for (size_t longest; *header != '\0'; header += longest + 1) {
        longest = strcspn(header, "\n");
        if (longest > VALUE_MOST)
            return false;
    }
    return true;
}

static void must_be_the_same(const struct check *check, const struct check *other)
{
    struct written header = {0}, other_header = {0};
    MUST_EQUAL(other->broken, NULL);
    MUST(check->timeout.ms == other->timeout.ms && check->cache.ms == other->cache.ms);
    MUST(check->every.ms == other->every.ms);
    write_header(&header, check);
    write_header(&other_header, other);
    MUST_EQUAL(header.bytes, other_header.bytes);
    free(header.bytes);
    free(other_header.bytes);
}

static void must_come_back(const struct check *check)
{
    struct written file = {0};
    write_header(&file, check);
    if (is_writable(check, file.bytes)) {
        write_format(&file, "%s", check->sql);
        struct check *other = parse(file.bytes, file.length);
        must_be_the_same(check, other);
        MUST_EQUAL(check->sql, other->sql);
        check_free(other);
    }
    free(file.bytes);
}

// --- other files that say the same

// Appends what stands for the ${NAME} or ${NAME:-default} at *at, which is moved past it. False if
// that would not be the same in its place: it begins with a blank, say, or it is in a remark and
// none.
static bool write_variable(struct written *file, const char **at)
{
    size_t name_length = strcspn(*at + 2, "}:\n");
    const char *plain = *at + 2 + name_length;
    const char *end = strchr(plain, '}');
    if (end == NULL || (end != plain && strncmp(plain, ":-", 2) != 0))
        return false;
    char *name = memory_copy(*at + 2, name_length);
    const char *value = getenv(name);
    size_t length = value != NULL ? strlen(value) : 0;
    free(name);
    if (length == 0 && end != plain) {
        value = plain + 2;
        length = (size_t)(end - value);
    }
    *at = end + 1;
    char *copy = memory_copy(value != NULL ? value : "", length);
    bool same = is_trimmed(copy) && is_fit_line(copy) && strstr(copy, "$") == NULL;
    write_bytes(file, copy, length);
    free(copy);
    return same;
}

// Variables are no more than what stands for them.
static void must_not_mind_variables(const struct check *check, const char *text, size_t length)
{
    struct written file = {0};
    char *copy = memory_copy(text, length);
    while (length > 0 && strchr(" \t\r\n", copy[length - 1]) != NULL)
        length--;
    const char *statement = copy + length - strlen(check->sql);
    bool same = strstr(copy, "${") != NULL;
    const char *at = copy;
    while (at < statement && same) {
        if (strncmp(at, "${", 2) == 0)
            same = write_variable(&file, &at);
        else
            write_bytes(&file, at++, 1);
    }
    if (same && at == statement) {
        write_format(&file, "%s", check->sql);
        struct check *other = parse(file.bytes, file.length);
        must_be_the_same(check, other);
        check_free(other);
    }
    free(copy);
    free(file.bytes);
}

// A file says the same with the line ends of another system.
static void must_not_mind_line_ends(const struct check *check, const char *text, size_t length)
{
    struct written file = {0};
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '\n')
            write_bytes(&file, "\r", 1);
        write_bytes(&file, text + i, 1);
    }
    if (strlen(check->sql) + count_lines(text, length) <= WIRE_SQL_MAX) {
        struct check *other = parse(file.bytes, file.length);
        must_be_the_same(check, other);
        check_free(other);
    }
    free(file.bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct input input = input_of(bytes, length);
    environment_begin(&input);
    const char *text = input.left > 0 ? input.bytes : "";
    struct check *check = parse(text, input.left);
    must_be_complete(check);
    must_judge_well(check);
    if (check->broken != NULL) {
        must_have_a_place(check->broken, text, input.left);
    } else {
        must_be_within_bounds(check);
        must_come_back(check);
        must_not_mind_line_ends(check, text, input.left);
        must_not_mind_variables(check, text, input.left);
    }
    check_free(check);
    environment_end();
    return 0;
}
