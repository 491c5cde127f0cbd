// Targets of requests: what leads somewhere is made of names, comes back the same when it is
// written as a target, and is the same with a host before it (RFC 9112, section 3.2.2); what is bad
// is told.
//
// A request of a few KiB makes no more of itself than it is worth.
//
// Input: a request's target.
#include "fuzz.h"

#include "server/answer/route.h"
#include "server/check/reserved.h"
#include "server/report/page.h"

#include <stdlib.h>
#include <string.h>

enum { NAMES_MOST = 64 };

static void must_be_sound(const struct route *route)
{
    bool none = route->check[0] == '\0';
    MUST(route->param_names.count == route->param_values.count);
    MUST(route->param_names.count <= NAMES_MOST);
    MUST(route->exclude.count <= NAMES_MOST || route->kind == ROUTE_BAD);
    for (size_t i = 0; i < route->param_names.count; i++) {
        MUST(reserved_key(route->param_names.items[i]) == RESERVED_COUNT);
        MUST(!reserved_cache_buster(route->param_names.items[i]));
        for (size_t j = 0; j < i; j++)
            MUST(strcmp(route->param_names.items[i], route->param_names.items[j]) != 0);
    }
    switch (route->kind) {
    case ROUTE_ENDPOINT:
        MUST(is_name(route->endpoint) && (none || is_name(route->check)));
        MUST(reserved_path(route->endpoint) == RESERVED_COUNT);
        return;
    case ROUTE_LIVEZ:
        MUST(strcmp(route->endpoint, "livez") == 0 && none);
        return;
    case ROUTE_STATUS:
        MUST(strcmp(route->endpoint, "status") == 0 && none);
        return;
    case ROUTE_METRICS:
        MUST(strcmp(route->endpoint, "metrics") == 0 && none);
        return;
    case ROUTE_FILE:
        MUST(page_file(route->endpoint) != NULL && none);
        return;
    case ROUTE_BAD:
        must_be_told(&route->error);
        return;
    case ROUTE_NOWHERE:
        return;
    }
    abort();
}

static void must_be_the_same(const struct route *a, const struct route *b)
{
    MUST(a->kind == b->kind);
    if (a->kind == ROUTE_NOWHERE || a->kind == ROUTE_BAD)
        return;
    MUST_EQUAL(a->endpoint, b->endpoint);
    MUST_EQUAL(a->check, b->check);
    MUST(a->verbose == b->verbose && a->history == b->history && a->format == b->format &&
         a->root == b->root && a->warn_status == b->warn_status);
    MUST(same_words(&a->exclude, &b->exclude));
    MUST(same_words(&a->param_names, &b->param_names));
    MUST(same_words(&a->param_values, &b->param_values));
}

static void parse_same(const char *target, const struct route *route)
{
    struct route other;
    route_parse(target, &other);
    must_be_the_same(route, &other);
    route_clear(&other);
}

static void must_come_back(const struct route *route)
{
    static const char *const formats[] = {
        [FORMAT_TEXT] = "text", [FORMAT_JSON] = "json", [FORMAT_HTML] = "html"};
    struct written target = {0};
    write_format(&target, "/%s", route->root ? "" : route->endpoint);
    if (route->check[0] != '\0')
        write_format(&target, "/%s", route->check);
    write_format(&target, route->kind == ROUTE_ENDPOINT ? "?exclude=" : "?");
    if (route->warn_status != 200)
        write_format(&target, "&warn=%u", route->warn_status);
    if (route->format != FORMAT_UNSAID)
        write_format(&target, "&format=%s", formats[route->format]);
    write_format(&target, route->verbose ? "&verbose" : "");
    write_format(&target, route->history ? "&history" : "");
    for (size_t i = 0; i < route->exclude.count; i++) {
        write_format(&target, "&exclude=");
        write_escaped(&target, route->exclude.items[i]);
    }
    for (size_t i = 0; i < route->param_names.count; i++) {
        write_format(&target, "&");
        write_escaped(&target, route->param_names.items[i]);
        write_format(&target, "=");
        write_escaped(&target, route->param_values.items[i]);
    }
    parse_same(target.bytes, route);
    free(target.bytes);
}

static void must_be_the_same_with_a_host(const struct route *route, const char *path)
{
    struct written target = {0};
    write_format(&target, "http://127.0.0.1:8080%s", path);
    parse_same(target.bytes, route);
    free(target.bytes);
}

// A host may contain what it likes, for nobody looks at it.
static const char *after_the_host(const char *target)
{
    const char *host = target + strcspn(target, "/?#");
    bool is_absolute = host > target && host[-1] == ':' && strncmp(host, "//", 2) == 0;
    return is_absolute ? host + 2 + strcspn(host + 2, "/?#") : target;
}

// Would end what is a name or a value in the middle. A fragment is nothing to us.
static bool has_nul(const char *target)
{
    const char *path = after_the_host(target);
    return memmem(path, strcspn(path, "#"), "%00", 3) != NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct input input = input_of(bytes, length);
    struct route route;
    char *target = take_rest(&input);
    route_parse(target, &route);
    must_be_sound(&route);
    if (route.kind != ROUTE_BAD && route.kind != ROUTE_NOWHERE) {
        MUST(!has_nul(target));
        must_come_back(&route);
    }
    if (target[0] == '/' && target[1] != '/')
        must_be_the_same_with_a_host(&route, target);
    route_clear(&route);
    free(target);
    return 0;
}
