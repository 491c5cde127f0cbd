// See check_file.h. The header is every line from the top that is blank or begins with "--" (after
// blanks, if any), and each must be a key, a remark or an empty comment: a mistyped key never
// silently becomes a comment. For the same reason a known key further down is an error, not a
// comment of the statement's.
#include "server/check/check_file.h"

#include "common/digest.h"
#include "common/file.h"
#include "common/memory.h"
#include "common/wire.h"
#include "server/check/reserved.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_MAX = 256 * 1024, VALUE_MAX = 4096, DURATION_ROOM = 32, PLACE_ROOM = 1024 };

enum { KEY_COUNT = 21 };

enum {
    COLUMN_MAX = 255,      // bytes of a column's name that MySQL and MariaDB send
    POSTGRES_NAME_MAX = 63 // and that Postgres keeps (its NAMEDATALEN)
};

struct place {
    unsigned line, column; // from 1
};

struct parser {
    struct check *check;
    const struct check_defaults *defaults;
    struct place at;               // the line that the parser is in; in it, the value being read
    bool expanded;                 // a ${NAME} has moved what follows it: columns are the value's
    struct place given[KEY_COUNT]; // where this key was given last; line 0: nowhere
    struct place statement;        // where it begins; the end if there is none
    struct place long_name;        // the first column's name that Postgres would cut; line 0: none
    struct place hold;             // the first rule that ends in `for`; line 0: none
};

typedef bool key_parser(struct parser *parser, const char *value, struct error *error);

struct key {
    const char *name;
    key_parser *parse;
    bool repeats;
};

size_t check_file_stem_length(const char *file)
{
    static const char suffix[] = ".sql";
    size_t length = strlen(file);
    size_t stem = length >= strlen(suffix) ? length - strlen(suffix) : 0;
    return file[0] != '.' && strcmp(file + stem, suffix) == 0 ? stem : 0;
}

// The first fault is the one that is told: others often follow from it.
static void check_file_fault(struct parser *parser, struct place at, const struct error *error)
{
    struct check *check = parser->check;
    char bytes[sizeof error->text + PLACE_ROOM];
    struct text text = text_in(bytes, sizeof bytes);
    text_add_foreign(&text, check->place, strnlen(check->place, PLACE_ROOM - 32));
    text_addf(&text, ":%u:%u: %s", at.line, at.column, error->text);
    if (check->broken == NULL)
        check->broken = memory_string(bytes);
}

// description: any text
static bool check_file_parse_description(struct parser *parser, const char *value,
                                         struct error *error)
{
    char bytes[VALUE_MAX + 1];
    struct text text = text_in(bytes, sizeof bytes);
    text_add_foreign(&text, value, strlen(value));
    if (text.length == 0)
        return error_set(error, "expected a value");
    parser->check->description = memory_string(bytes);
    return true;
}

static bool check_file_check_endpoints(const struct words *words, struct error *error)
{
    for (size_t i = 0; i < words->count; i++) {
        if (!is_name(words->items[i]))
            return error_set(error, "'%.40s' is no endpoint's name, expected a-z, 0-9 and '-'",
                             words->items[i]);
        if (reserved_from_endpoints(words->items[i]))
            return error_set(error,
                             "'%s' cannot be an endpoint here, expected names like healthz, "
                             "readyz or replica, or `none` alone",
                             words->items[i]);
    }
    if (words->count == 0)
        return error_set(error, "expected names of endpoints, or none");
    return true;
}

// endpoints: none, or names with commas or blanks between them
static bool check_file_parse_endpoints(struct parser *parser, const char *value,
                                       struct error *error)
{
    struct words *endpoints = &parser->check->endpoints;
    words_free(endpoints);
    if (strcmp(value, "none") == 0)
        return true;
    words_split(endpoints, value, ", \t");
    if (check_file_check_endpoints(endpoints, error))
        return true;
    words_free(endpoints);
    words_add(endpoints, "readyz", strlen("readyz"));
    return false;
}

// source: sql or peers
static bool check_file_parse_source(struct parser *parser, const char *value, struct error *error)
{
    parser->check->peers = strcmp(value, "peers") == 0;
    return parser->check->peers || strcmp(value, "sql") == 0 ||
           error_set(error, "expected sql or peers");
}

// prober: a name
static bool check_file_parse_prober(struct parser *parser, const char *value, struct error *error)
{
    if (!is_name(value))
        return error_set(error, "'%.40s' is no prober's name, expected a-z, 0-9 and '-'", value);
    if (strcmp(value, check_prober_of_peers) == 0)
        return error_set(error, "'%s' is the prober of `source: peers` alone, expected another",
                         value);
    parser->check->prober = memory_string(value);
    return true;
}

// timeout: a duration above 0
static bool check_file_parse_timeout(struct parser *parser, const char *value, struct error *error)
{
    struct duration *timeout = &parser->check->timeout;
    if (!parse_duration(value, timeout, error))
        return false;
    return timeout->ms > 0 || error_set(error, "expected more than 0");
}

// cache: a duration
static bool check_file_parse_cache(struct parser *parser, const char *value, struct error *error)
{
    return parse_duration(value, &parser->check->cache, error);
}

// every: a duration from 100ms on
static bool check_file_parse_every(struct parser *parser, const char *value, struct error *error)
{
    struct duration every;
    if (!parse_duration(value, &every, error))
        return false;
    if (every.ms < 100)
        return error_set(error, "expected at least 100ms");
    parser->check->every = every;
    return true;
}

// A column that the file names must be one that a server can send.
static bool check_file_check_column(struct parser *parser, const char *name, struct error *error)
{
    size_t length = strlen(name);
    if (length > COLUMN_MAX)
        return error_set(error, "the column's name is too long, expected at most %d bytes",
                         COLUMN_MAX);
    if (length > POSTGRES_NAME_MAX && parser->long_name.line == 0)
        parser->long_name = parser->at;
    return true;
}

// fail, warn: a rule, see rule.h
static bool check_file_add_rule(struct parser *parser, const char *value, enum rule_effect effect,
                                struct error *error)
{
    struct check *check = parser->check;
    struct rule rule;
    size_t offset;
    if (!rule_parse(value, effect, &check->params, &rule, &offset, error)) {
        parser->at.column += parser->expanded ? 0 : (unsigned)offset;
        return false;
    }
    check->rules = memory_grow(check->rules, (check->rule_count + 1) * sizeof *check->rules);
    check->rules[check->rule_count++] = rule;
    if (rule.hold.ms > 0 && parser->hold.line == 0)
        parser->hold = parser->at;
    return rule.column == NULL || check_file_check_column(parser, rule.column, error);
}

static bool check_file_parse_fail(struct parser *parser, const char *value, struct error *error)
{
    return check_file_add_rule(parser, value, RULE_FAIL, error);
}

static bool check_file_parse_warn(struct parser *parser, const char *value, struct error *error)
{
    return check_file_add_rule(parser, value, RULE_WARN, error);
}

// skip: a rule, or the word missing
static bool check_file_parse_skip(struct parser *parser, const char *value, struct error *error)
{
    bool missing = strcmp(value, outcome_info(OUTCOME_MISSING)->code) == 0;
    parser->check->skips_missing |= missing;
    return missing || check_file_add_rule(parser, value, RULE_SKIP, error);
}

// tolerate: codes of outcomes or groups of them, with commas or blanks between them
static bool check_file_parse_tolerate(struct parser *parser, const char *value, struct error *error)
{
    struct words words = {0};
    bool sound = true;
    words_split(&words, value, ", \t");
    for (size_t i = 0; i < words.count && sound; i++) {
        if (!outcome_set_add(&parser->check->tolerate, words.items[i]))
            sound = error_set(error,
                              "'%.40s' is no outcome that can be tolerated, expected codes of "
                              "what a server can do, like denied or saturated, or `answered` or "
                              "`silent` for all of a group",
                              words.items[i]);
    }
    if (words.count == 0)
        sound = error_set(error, "expected outcomes");
    words_free(&words);
    return sound;
}

// writes: yes or no
static bool check_file_parse_writes(struct parser *parser, const char *value, struct error *error)
{
    return parse_yes_no(value, &parser->check->writes, error);
}

// param: name = literal, see rule.h
static bool check_file_parse_param(struct parser *parser, const char *value, struct error *error)
{
    const char *equals = strchr(value, '=');
    if (equals == NULL)
        return error_set(error, "expected NAME = DEFAULT");
    size_t length = (size_t)(equals - value);
    while (length > 0 && strchr(" \t", value[length - 1]) != NULL)
        length--;
    char *name = memory_copy(value, length);
    bool added;
    if (reserved_key(name) != RESERVED_COUNT)
        added = error_set(error, "%s has a meaning in every query, expected another name", name);
    else if (reserved_cache_buster(name))
        added = error_set(error,
                          "%.40s is ignored in every query, for monitors add it to get around "
                          "caches, expected another name",
                          name);
    else
        added = params_add(&parser->check->params, name, equals + 1, error);
    free(name);
    return added;
}

// flavor: products, with commas or blanks between them
static bool check_file_parse_flavor(struct parser *parser, const char *value, struct error *error)
{
    struct words words = {0};
    words_split(&words, value, ", \t");
    bool sound = range_add_flavors(&parser->check->range, &words, error);
    words_free(&words);
    return sound;
}

// server-version: bounds, see server_range.h
static bool check_file_parse_server_version(struct parser *parser, const char *value,
                                            struct error *error)
{
    return range_add_versions(&parser->check->range, value, error);
}

// metrics: yes, no, or names of columns with commas or blanks between them
static bool check_file_parse_metrics(struct parser *parser, const char *value, struct error *error)
{
    struct check *check = parser->check;
    if (strcmp(value, "yes") == 0 || strcmp(value, "no") == 0)
        return parse_yes_no(value, &check->metrics, error);
    words_split(&check->metric_columns, value, ", \t");
    for (size_t i = 0; i < check->metric_columns.count; i++) {
        if (!check_file_check_column(parser, check->metric_columns.items[i], error))
            return false;
    }
    return check->metric_columns.count > 0 ||
           error_set(error, "expected yes, no or names of columns");
}

// rows: each or first
static bool check_file_parse_rows(struct parser *parser, const char *value, struct error *error)
{
    parser->check->each_row = strcmp(value, "each") == 0;
    return parser->check->each_row || strcmp(value, "first") == 0 ||
           error_set(error, "expected first or each");
}

// no-rows: pass or fail
static bool check_file_parse_no_rows(struct parser *parser, const char *value, struct error *error)
{
    parser->check->passes_empty = strcmp(value, "pass") == 0;
    return parser->check->passes_empty || strcmp(value, "fail") == 0 ||
           error_set(error, "expected fail or pass");
}

// log: rows
static bool check_file_parse_log(struct parser *parser, const char *value, struct error *error)
{
    parser->check->log_rows = strcmp(value, "rows") == 0;
    return parser->check->log_rows ||
           error_set(error, "'%.40s' cannot be logged, expected rows", value);
}

// enabled: yes or no
static bool check_file_parse_enabled(struct parser *parser, const char *value, struct error *error)
{
    return parse_yes_no(value, &parser->check->enabled, error);
}

// grants: a statement
static bool check_file_parse_grants(struct parser *parser, const char *value, struct error *error)
{
    (void)error;
    words_add(&parser->check->grants, value, strlen(value));
    return true;
}

// The header keys: a key is added here, in its function above and in checks/README.md.
static const struct key keys[KEY_COUNT] = {
    {"description", check_file_parse_description, false},
    {"endpoints", check_file_parse_endpoints, false},
    {"source", check_file_parse_source, false},
    {"prober", check_file_parse_prober, false},
    {"timeout", check_file_parse_timeout, false},
    {"cache", check_file_parse_cache, false},
    {"every", check_file_parse_every, false},
    {"param", check_file_parse_param, true},
    {"fail", check_file_parse_fail, true},
    {"warn", check_file_parse_warn, true},
    {"skip", check_file_parse_skip, true},
    {"rows", check_file_parse_rows, false},
    {"no-rows", check_file_parse_no_rows, false},
    {"tolerate", check_file_parse_tolerate, false},
    {"writes", check_file_parse_writes, false},
    {"metrics", check_file_parse_metrics, false},
    {"log", check_file_parse_log, false},
    {"enabled", check_file_parse_enabled, false},
    {"grants", check_file_parse_grants, true},
    {"flavor", check_file_parse_flavor, false},
    {"server-version", check_file_parse_server_version, false},
};

void check_file_keys(char *bytes, size_t capacity)
{
    struct text text = text_in(bytes, capacity);
    for (size_t i = 0; i < KEY_COUNT; i++)
        text_addf(&text, "%s%s", i > 0 ? " " : "", keys[i].name);
}

static bool check_file_find_key(const char *name, size_t length, size_t *index)
{
    for (size_t i = 0; i < KEY_COUNT; i++) {
        if (strlen(keys[i].name) == length && strncmp(keys[i].name, name, length) == 0) {
            *index = i;
            return true;
        }
    }
    return false;
}

// Where the key was given which this function parses; line 0: nowhere.
static struct place check_file_given(const struct parser *parser, key_parser *parse)
{
    size_t i = 0;
    while (keys[i].parse != parse)
        i++;
    return parser->given[i];
}

static const char *check_file_variable_end(const char *name)
{
    return name + strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_");
}

// Appends what the ${NAME} or ${NAME:-default} at *at stands for, and moves past it.
static bool check_file_expand_one(const char **at, struct text *expanded, struct error *error)
{
    const char *name = *at + 2;
    const char *end = check_file_variable_end(name);
    const char *close = strchr(end, '}');
    bool has_default = strncmp(end, ":-", 2) == 0;
    if (end == name || close == NULL || (end != close && !has_default))
        return error_set(error, "expected ${NAME} or ${NAME:-default}");
    char *copy = memory_copy(name, (size_t)(end - name));
    const char *value = getenv(copy);
    bool found = value != NULL && (value[0] != '\0' || !has_default);
    if (found)
        text_add_foreign(expanded, value, strlen(value));
    else if (has_default)
        text_add_foreign(expanded, end + 2, (size_t)(close - end - 2));
    else
        (void)error_set(error, "the environment has no %.100s, and no default is given", copy);
    free(copy);
    *at = close + 1;
    return found || has_default;
}

// value = *( text / "${" name [ ":-" default ] "}" )
static bool check_file_expand(struct parser *parser, const char *value, struct text *expanded,
                              struct error *error)
{
    const char *start = value;
    while (*value != '\0') {
        const char *variable = strstr(value, "${");
        size_t plain = variable != NULL ? (size_t)(variable - value) : strlen(value);
        text_addf(expanded, "%.*s", (int)plain, value);
        value += plain;
        if (variable == NULL)
            break;
        parser->expanded = true;
        if (!check_file_expand_one(&value, expanded, error)) {
            parser->at.column += (unsigned)(variable - start);
            return false;
        }
    }
    if (expanded->cut)
        return error_set(error, "expected at most %d bytes", VALUE_MAX);
    return true;
}

static void check_file_take_value(struct parser *parser, const struct key *key, const char *value)
{
    struct error error;
    char bytes[VALUE_MAX + 1];
    struct text expanded = text_in(bytes, sizeof bytes);
    parser->expanded = false;
    bool taken = check_file_expand(parser, value, &expanded, &error);
    if (taken && expanded.length == 0)
        taken = error_set(&error, "expected a value");
    if (!taken || !key->parse(parser, bytes, &error)) {
        (void)error_prefix(&error, "%s", key->name);
        check_file_fault(parser, parser->at, &error);
    }
}

// The place of what is `at` in the line that the parser is in.
static struct place check_file_place_in(const struct parser *parser, const char *line,
                                        const char *at)
{
    return (struct place){.line = parser->at.line, .column = (unsigned)(at - line) + 1};
}

static size_t check_file_key_length(const char *text)
{
    return strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-");
}

// key-line = key blanks ":" blanks value, at `at` in the line
static void check_file_take_key_line(struct parser *parser, const char *line, const char *at)
{
    struct error error;
    size_t length = check_file_key_length(at);
    size_t index;
    const char *colon = at + length + strspn(at + length, " \t");
    if (length == 0 || *colon != ':') {
        (void)error_set(&error, "expected `-- key: value` or `-- # remark` above the statement");
        check_file_fault(parser, check_file_place_in(parser, line, at), &error);
        return;
    }
    if (strncmp(at, "x-", 2) == 0)
        return; // another tool's
    if (!check_file_find_key(at, length, &index)) {
        char names[256];
        check_file_keys(names, sizeof names);
        (void)error_set(&error, "unknown key '%.*s', expected one of: %s", (int)length, at, names);
        check_file_fault(parser, check_file_place_in(parser, line, at), &error);
        return;
    }
    if (!keys[index].repeats && parser->given[index].line != 0) {
        (void)error_set(&error, "%s is given a second time", keys[index].name);
        check_file_fault(parser, check_file_place_in(parser, line, at), &error);
        return;
    }
    const char *value = colon + 1 + strspn(colon + 1, " \t");
    parser->at = check_file_place_in(parser, line, value);
    parser->given[index] = parser->at;
    check_file_take_value(parser, &keys[index], value);
}

// What a line of comment says, without blanks before it; NULL if the line is none.
static const char *check_file_comment_of(const char *line)
{
    const char *at = line + strspn(line, " \t");
    return strncmp(at, "--", 2) == 0 ? at + 2 + strspn(at + 2, " \t") : NULL;
}

// header-line = "--" blanks [ "#" remark / "x-" anything, for other tools / key-line ]
static void check_file_take_header_line(struct parser *parser, const char *line, const char *at)
{
    if (*at != '\0' && *at != '#' && strncmp(at, "x-", 2) != 0)
        check_file_take_key_line(parser, line, at);
}

static void check_file_refuse_late_key(struct parser *parser, const char *line, const char *at)
{
    struct error error;
    size_t index;
    size_t length = check_file_key_length(at);
    if (at[length] != ':' || !check_file_find_key(at, length, &index))
        return;
    (void)error_set(&error, "key '%s' after the statement began, expected it above",
                    keys[index].name);
    check_file_fault(parser, check_file_place_in(parser, line, at), &error);
}

// A copy of the line at text, without its end and trailing blanks.
static char *check_file_copy_line(const char *text)
{
    size_t length = strcspn(text, "\n");
    while (length > 0 && strchr(" \t\r", text[length - 1]) != NULL)
        length--;
    return memory_copy(text, length);
}

static const char *check_file_next_line(const char *text)
{
    text += strcspn(text, "\n");
    return *text == '\n' ? text + 1 : text;
}

// file = [ byte order mark ] *( header-line / blank line ) statement, in which no line is a key's.
// Walks all lines; returns where the statement begins.
static const char *check_file_take_lines(struct parser *parser, const char *text)
{
    const char *statement = NULL;
    if (strncmp(text, "\xEF\xBB\xBF", 3) == 0)
        text += 3;
    for (parser->at.line = 1; *text != '\0'; text = check_file_next_line(text), parser->at.line++) {
        char *line = check_file_copy_line(text);
        const char *comment = check_file_comment_of(line);
        if (statement == NULL && *line != '\0' && comment == NULL) {
            statement = text;
            parser->statement = (struct place){parser->at.line, 1};
        }
        if (comment != NULL && statement == NULL)
            check_file_take_header_line(parser, line, comment);
        else if (comment != NULL)
            check_file_refuse_late_key(parser, line, comment);
        free(line);
    }
    if (statement != NULL)
        return statement;
    parser->statement = (struct place){parser->at.line, 1};
    return text;
}

static void check_file_take_statement(struct parser *parser, const char *statement)
{
    struct error error;
    size_t length = strlen(statement);
    while (length > 0 && strchr(" \t\r\n", statement[length - 1]) != NULL)
        length--;
    if (parser->check->peers) {
        (void)error_set(&error, "a statement, but peers are asked no SQL: expected none");
        if (length > 0)
            check_file_fault(parser, parser->statement, &error);
    } else if (length == 0) {
        (void)error_set(&error, "no SQL statement, expected one below the header");
        check_file_fault(parser, parser->statement, &error);
    } else if (length > WIRE_SQL_MAX) {
        (void)error_set(&error, "the statement is too long, expected at most %d bytes",
                        WIRE_SQL_MAX);
        check_file_fault(parser, parser->statement, &error);
    } else {
        free(parser->check->sql);
        parser->check->sql = memory_copy(statement, length);
    }
}

static bool check_file_is_of_liveness(const struct check *check)
{
    return words_have(&check->endpoints, "healthz") || words_have(&check->endpoints, "startupz");
}

static const char *check_file_default_prober(const struct check *check)
{
    if (check->peers)
        return check_prober_of_peers;
    if (check_file_is_of_liveness(check))
        return "liveness";
    return check->endpoints.count > 0 && !check->log_rows ? "main" : "background";
}

static void check_file_fill_in(struct parser *parser)
{
    struct check *check = parser->check;
    const struct check_defaults *defaults = parser->defaults;
    if (check->endpoints.count == 0 &&
        check_file_given(parser, check_file_parse_endpoints).line == 0)
        words_add(&check->endpoints, "readyz", strlen("readyz"));
    if (check->prober == NULL)
        check->prober = memory_string(check_file_default_prober(check));
    if (check->timeout.ms == 0)
        check->timeout = defaults->timeout;
    if (check_file_given(parser, check_file_parse_cache).line == 0)
        check->cache = check->every.ms > 0
                           ? (struct duration){.ms = check->every.ms + check->timeout.ms}
                           : defaults->cache;
}

// True if the check may run on Postgres: on this server, or, if that is not known, on one.
static bool check_file_is_for_postgres(const struct parser *parser)
{
    unsigned flavors = parser->check->range.flavors;
    unsigned postgres = 1U << FLAVOR_POSTGRES;
    bool meant = flavors == 0 || (flavors & postgres) != 0;
    return parser->defaults->engine != ENGINE_MYSQL && meant;
}

// Postgres cuts a long name in the statement, too, and then sends no column that has all of it.
static void check_file_check_long_name(struct parser *parser)
{
    struct error error;
    if (parser->long_name.line == 0 || !check_file_is_for_postgres(parser))
        return;
    (void)error_set(&error, "Postgres cuts the column's name, expected at most %d bytes",
                    POSTGRES_NAME_MAX);
    check_file_fault(parser, parser->long_name, &error);
}

// Without a rule only the first row would be looked at, quietly.
static void check_file_check_rows(struct parser *parser)
{
    const struct check *check = parser->check;
    struct error error;
    bool ruled = check->endpoints.count == 0;
    for (size_t i = 0; i < check->rule_count; i++)
        ruled |= check->rules[i].column != NULL;
    if (!check->each_row || ruled)
        return;
    (void)error_set(&error, "rows: each row is judged by rules on its columns, expected one");
    check_file_fault(parser, check_file_given(parser, check_file_parse_rows), &error);
}

// Who asks there has a threshold of its own, which the rule's would be added to: a database that is
// dead would be restarted later than its manifest says.
static void check_file_check_hold(struct parser *parser)
{
    struct error error;
    if (parser->hold.line == 0 || !check_file_is_of_liveness(parser->check))
        return;
    (void)error_set(&error, "a check of healthz or startupz has no rule with `for`: their clients "
                            "count failures themselves, as failureThreshold of a probe does");
    check_file_fault(parser, parser->hold, &error);
}

// Nobody is killed for what others say; nor are two to wait for each other, as those would that ask
// for what such a check is a part of.
static void check_file_check_peers_endpoints(struct parser *parser)
{
    const struct words *endpoints = &parser->check->endpoints;
    struct error error;
    if (check_file_is_of_liveness(parser->check))
        (void)error_set(&error, "endpoints: healthz and startupz end a container, and `source: "
                                "peers` says nothing of this server: expected others");
    else if (words_have(endpoints, "primary") || words_have(endpoints, "replica"))
        (void)error_set(&error, "endpoints: peers ask each other for primary and replica, so what "
                                "they say is no part of these: expected others");
    else
        return;
    check_file_fault(parser, check_file_given(parser, check_file_parse_endpoints), &error);
}

// What is of a database server alone.
static void check_file_check_peers(struct parser *parser)
{
    static key_parser *const foreign[] = {check_file_parse_prober, check_file_parse_writes,
                                          check_file_parse_grants, check_file_parse_flavor,
                                          check_file_parse_server_version};
    struct error error;
    if (!parser->check->peers)
        return;
    check_file_check_peers_endpoints(parser);
    (void)error_set(&error, "not with `source: peers`, which asks no database");
    for (size_t i = 0; i < sizeof foreign / sizeof *foreign; i++) {
        struct place given = check_file_given(parser, foreign[i]);
        if (given.line > 0)
            check_file_fault(parser, given, &error);
    }
}

// What each key allows but not together.
static void check_file_check_sense(struct parser *parser)
{
    const struct check *check = parser->check;
    struct error error;
    check_file_check_rows(parser);
    check_file_check_hold(parser);
    check_file_check_peers(parser);
    if (check->every.ms > 0)
        return;
    if (check->timeout.ms > parser->defaults->deadline.ms) {
        char timeout[DURATION_ROOM], deadline[DURATION_ROOM];
        format_duration(check->timeout, timeout, sizeof timeout);
        format_duration(parser->defaults->deadline, deadline, sizeof deadline);
        (void)error_set(&error,
                        "timeout %s is above the deadline of a request, %s: expected at most that, "
                        "or the key every",
                        timeout, deadline);
        struct place given = check_file_given(parser, check_file_parse_timeout);
        check_file_fault(parser, given.line > 0 ? given : (struct place){1, 1}, &error);
    }
    if (check->log_rows) {
        (void)error_set(&error, "log: rows are logged period by period, expected the key every");
        check_file_fault(parser, check_file_given(parser, check_file_parse_log), &error);
    }
}

// A NUL or bad UTF-8 anywhere: such bytes would be cut off or refused much later.
static void check_file_check_bytes(struct parser *parser, const char *text, size_t length)
{
    struct error error;
    const char *end = text + text_valid_length(text, length);
    if (end == text + length)
        return;
    const char *line = text;
    for (const char *at = text; (at = memchr(at, '\n', (size_t)(end - at))) != NULL; line = ++at)
        parser->at.line++;
    (void)error_set(&error, "byte 0x%02X is no UTF-8 text", (unsigned char)*end);
    check_file_fault(parser, check_file_place_in(parser, line, end), &error);
}

struct check *check_file_parse(const char *name, const char *place, const char *text, size_t length,
                               const struct check_defaults *defaults)
{
    assert(text != NULL);
    struct check *check = memory_new(sizeof *check);
    *check = (struct check){.references = 1,
                            .digest = digest_add(DIGEST_EMPTY, text, length),
                            .name = memory_string(name),
                            .place = memory_string(place),
                            .sql = memory_string(""),
                            .metrics = true,
                            .enabled = true};
    struct parser parser = {.check = check, .defaults = defaults, .at = {1, 1}};
    check_file_check_bytes(&parser, text, length);
    char *copy = memory_copy(text, length);
    const char *statement = check_file_take_lines(&parser, copy);
    check_file_take_statement(&parser, statement);
    check_file_fill_in(&parser);
    check_file_check_long_name(&parser);
    check_file_check_sense(&parser);
    free(copy);
    return check;
}

struct check *check_file_load(const char *name, const char *place,
                              const struct check_defaults *defaults)
{
    struct error error;
    char *text = NULL;
    size_t length = 0;
    bool got = file_read(place, FILE_MAX, &text, &length, &error);
    struct check *check = check_file_parse(name, place, got ? text : "", length, defaults);
    if (!got) {
        struct parser parser = {.check = check, .at = {1, 1}};
        free(check->broken);
        check->broken = NULL;
        check_file_fault(&parser, parser.at, &error);
    }
    free(text);
    return check;
}
