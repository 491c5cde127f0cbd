// See route.h. uriparser does the percent-decoding; a name that is no possible name of an endpoint
// or check leads nowhere before it is looked up.
#include "server/answer/route.h"

#include "common/memory.h"
#include "common/text.h"
#include "server/check/reserved.h"
#include "server/report/page.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uriparser/Uri.h>

// The last two bound what a request of a few KiB can make of itself: what is answered of names that
// cannot be excluded is many times as long as they are, and params are kept while the request
// waits.
enum { PARTS_MAX = 2, EXCLUDE_MAX = 64, PARAMS_MAX = 32 };

enum { VERBOSE = 1U << RESERVED_VERBOSE, HISTORY = 1U << RESERVED_HISTORY };
enum { FORMAT = 1U << RESERVED_FORMAT, EXCLUDE = 1U << RESERVED_EXCLUDE };
enum { WARN = 1U << RESERVED_WARN };
enum { TEXT = 1U << FORMAT_TEXT, JSON = 1U << FORMAT_JSON, HTML = 1U << FORMAT_HTML };

// What the query of a path may have.
struct query {
    unsigned keys, formats;
    bool params;                 // of checks
    const char *expected;        // all of it, in words
    const char *expected_format; // likewise
};

static const struct query query_of_checks = {
    VERBOSE | HISTORY | FORMAT | EXCLUDE | WARN, TEXT | JSON, true,
    "verbose, history, format=text, format=json, exclude=NAME,..., warn=429, warn=503 or a param "
    "of a check here",
    "json or text"};
static const struct query query_of_root = {
    VERBOSE | HISTORY | FORMAT | EXCLUDE | WARN, TEXT | JSON | HTML, true,
    "verbose, history, format=text, format=json, format=html, exclude=NAME,..., warn=429, warn=503 "
    "or a param of a check here",
    "json, html or text"};
static const struct query query_of_livez = {VERBOSE | FORMAT, TEXT | JSON, false,
                                            "verbose, format=text or format=json", "json or text"};
static const struct query query_of_status = {VERBOSE | HISTORY | FORMAT, JSON, false,
                                             "verbose, history or format=json", "json"};
static const struct query query_of_metrics = {VERBOSE | FORMAT, TEXT, false,
                                              "verbose or format=text", "text"};
static const struct query query_of_file = {VERBOSE, 0, false, "verbose", ""};

static const struct query *route_query_of(const struct route *route)
{
    static const struct query *const queries[] = {
        [ROUTE_ENDPOINT] = &query_of_checks, [ROUTE_LIVEZ] = &query_of_livez,
        [ROUTE_STATUS] = &query_of_status,   [ROUTE_METRICS] = &query_of_metrics,
        [ROUTE_FILE] = &query_of_file,       [ROUTE_NOWHERE] = &query_of_checks,
        [ROUTE_BAD] = &query_of_checks,
    };
    return route->root ? &query_of_root : queries[route->kind];
}

// Copies a segment of the path. False if it is no name, and no file of the page has it.
static bool route_take_name(const UriTextRangeA *segment, char *name)
{
    char *decoded = memory_copy(segment->first, (size_t)(segment->afterLast - segment->first));
    const char *end = uriUnescapeInPlaceA(decoded);
    bool is_one =
        decoded + strlen(decoded) == end && (is_name(decoded) || page_file(decoded) != NULL);
    if (is_one)
        (void)snprintf(name, NAME_MAX_LENGTH + 1, "%s", decoded);
    free(decoded);
    return is_one;
}

static enum route_kind route_kind_of(const char *name, size_t parts)
{
    static const enum route_kind kinds[] = {[RESERVED_LIVEZ] = ROUTE_LIVEZ,
                                            [RESERVED_METRICS] = ROUTE_METRICS,
                                            [RESERVED_STATUS] = ROUTE_STATUS};
    enum reserved path = reserved_path(name);
    enum route_kind kind = path != RESERVED_COUNT ? kinds[path] : ROUTE_ENDPOINT;
    if (page_file(name) != NULL)
        kind = ROUTE_FILE;
    return kind == ROUTE_ENDPOINT || parts == 1 ? kind : ROUTE_NOWHERE;
}

// path = "/" [ name [ "/" name ] ] [ "/" ], of an endpoint and a check
static enum route_kind route_take_path(const UriUriA *uri, struct route *route)
{
    char *parts[PARTS_MAX] = {route->endpoint, route->check};
    size_t count = 0;
    for (const UriPathSegmentA *segment = uri->pathHead; segment != NULL; segment = segment->next) {
        bool empty = segment->text.afterLast == segment->text.first;
        if (empty && segment->next == NULL)
            break; // a '/' at the end changes nothing
        if (count == PARTS_MAX || !route_take_name(&segment->text, parts[count]))
            return ROUTE_NOWHERE;
        count++;
    }
    route->root = count == 0;
    if (route->root)
        (void)snprintf(route->endpoint, sizeof route->endpoint, "readyz");
    if (page_file(route->check) != NULL)
        return ROUTE_NOWHERE;
    return route_kind_of(route->endpoint, count);
}

// format = "text" / "json" / "html", of which a path has some
static bool route_take_format(const char *value, struct route *route)
{
    static const char *const names[] = {
        [FORMAT_TEXT] = "text", [FORMAT_JSON] = "json", [FORMAT_HTML] = "html"};
    const struct query *query = route_query_of(route);
    for (enum format format = FORMAT_TEXT; value != NULL && format <= FORMAT_HTML; format++) {
        if (strcmp(value, names[format]) == 0 && (query->formats & 1U << format) != 0) {
            route->format = format;
            return true;
        }
    }
    return error_set(&route->error, "format: expected %s", query->expected_format);
}

// warn = "200" / "429" / "503"
static bool route_take_warn(const char *value, struct route *route)
{
    static const struct {
        const char *text;
        unsigned status;
    } statuses[] = {{"200", 200}, {"429", 429}, {"503", 503}};
    for (size_t i = 0; value != NULL && i < sizeof statuses / sizeof *statuses; i++) {
        if (strcmp(value, statuses[i].text) == 0) {
            route->warn_status = statuses[i].status;
            return true;
        }
    }
    return error_set(&route->error, "warn: expected 429, 503 or 200");
}

// exclude = name *( "," name )
static bool route_take_exclude(const char *value, struct route *route)
{
    words_split(&route->exclude, value != NULL ? value : "", ",");
    return route->exclude.count <= EXCLUDE_MAX ||
           error_set(&route->error, "exclude: expected at most %d names", EXCLUDE_MAX);
}

// param = name "=" value, whose names checks decide
static bool route_take_param(const char *name, const char *value, struct route *route)
{
    if (words_have(&route->param_names, name))
        return error_set(&route->error, "%.40s is given a second time", name);
    if (route->param_names.count == PARAMS_MAX)
        return error_set(&route->error, "more than %d parameters in the query", PARAMS_MAX);
    value = value != NULL ? value : "";
    words_add(&route->param_names, name, strlen(name));
    words_add(&route->param_values, value, strlen(value));
    return true;
}

bool route_refuse_key(const struct route *route, const char *key, struct error *error)
{
    char clean[64];
    struct text text = text_in(clean, sizeof clean);
    text_add_foreign(&text, key, strlen(key));
    return error_set(error, "unknown parameter '%s' in the query, expected %s", clean,
                     route_query_of(route)->expected);
}

// item = "verbose" / "history" / "exclude=" exclude / "format=" format / "warn=" warn / param
//        / cache-buster
static bool route_take_query_item(const UriQueryListA *item, struct route *route)
{
    if (reserved_cache_buster(item->key))
        return true;
    enum reserved key = reserved_key(item->key);
    const struct query *query = route_query_of(route);
    if (key == RESERVED_COUNT ? !query->params : (query->keys & 1U << key) == 0)
        return route_refuse_key(route, item->key, &route->error);
    switch (key) {
    case RESERVED_VERBOSE:
        route->verbose = true;
        return true;
    case RESERVED_HISTORY:
        route->history = true;
        return true;
    case RESERVED_EXCLUDE:
        return route_take_exclude(item->value, route);
    case RESERVED_FORMAT:
        return route_take_format(item->value, route);
    case RESERVED_WARN:
        return route_take_warn(item->value, route);
    case RESERVED_LIVEZ:
    case RESERVED_METRICS:
    case RESERVED_STATUS:
    case RESERVED_NONE:
    case RESERVED_COUNT:
        break;
    }
    return route_take_param(item->key, item->value, route);
}

// query = item *( "&" item ), percent-encoded
static bool route_take_query(const UriTextRangeA *query, struct route *route)
{
    UriQueryListA *items;
    int count;
    if (query->first == NULL || query->first == query->afterLast)
        return true;
    if (memmem(query->first, (size_t)(query->afterLast - query->first), "%00", 3) != NULL)
        return error_set(&route->error, "a NUL character (%%00) cannot be part of a query");
    if (uriDissectQueryMallocA(&items, &count, query->first, query->afterLast) != URI_SUCCESS)
        return error_set(&route->error, "the query is not NAME=VALUE&...");
    bool taken = true;
    for (const UriQueryListA *item = items; item != NULL && taken; item = item->next)
        taken = route_take_query_item(item, route);
    uriFreeQueryListA(items);
    return taken;
}

// target = path [ "?" query ]
void route_parse(const char *target, struct route *route)
{
    UriUriA uri;
    const char *at;
    *route = (struct route){.kind = ROUTE_NOWHERE, .warn_status = 200};
    if (strncmp(target, "//", 2) == 0)
        return; // would parse as an authority
    if (uriParseSingleUriA(&uri, target, &at) != URI_SUCCESS) {
        route->kind = ROUTE_BAD;
        (void)error_set(&route->error, "the request's target is no valid URL");
        return;
    }
    route->kind = route_take_path(&uri, route);
    if (!route_take_query(&uri.query, route))
        route->kind = ROUTE_BAD;
    uriFreeUriMembersA(&uri);
}

void route_clear(struct route *route)
{
    words_free(&route->exclude);
    words_free(&route->param_names);
    words_free(&route->param_values);
}
