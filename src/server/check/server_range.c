// See server_range.h. Versions compare part by part, and only as many parts as the bound
// gives: 14.2 is neither above nor below 14. A part of a server's version that is larger than a
// bound's can be counts as the largest.
#include "server/check/server_range.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { PARTS_MAX = 3, BOUNDS_MAX = 2, PART_MOST = 1000000000 };

static const char *const flavor_names[FLAVOR_COUNT] = {[FLAVOR_POSTGRES] = "postgres",
                                                       [FLAVOR_MYSQL] = "mysql",
                                                       [FLAVOR_MARIADB] = "mariadb",
                                                       [FLAVOR_PGBOUNCER] = "pgbouncer"};

const char *flavor_name(enum flavor flavor)
{
    assert(flavor < FLAVOR_COUNT);
    return flavor_names[flavor];
}

static bool server_range_add_flavor(struct server_range *range, const char *name)
{
    for (unsigned i = 0; i < FLAVOR_COUNT; i++) {
        if (flavor_names[i] != NULL && strcmp(flavor_names[i], name) == 0) {
            range->flavors |= 1U << i;
            return true;
        }
    }
    return false;
}

// flavors = 1*( "postgres" / "mysql" / "mariadb" / "pgbouncer" )
bool range_add_flavors(struct server_range *range, const struct words *words, struct error *error)
{
    for (size_t i = 0; i < words->count; i++) {
        if (!server_range_add_flavor(range, words->items[i]))
            return error_set(error,
                             "'%.40s' is unknown, expected postgres, mysql, mariadb or pgbouncer",
                             words->items[i]);
    }
    return words->count > 0 || error_set(error, "expected postgres, mysql, mariadb or pgbouncer");
}

// version = part *2( "." part ), numbers. Returns how many, and where the rest begins.
static size_t server_range_parse_version(const char *text, unsigned parts[PARTS_MAX],
                                         const char **rest)
{
    size_t count = 0;
    *rest = text;
    while (count < PARTS_MAX && **rest >= '0' && **rest <= '9') {
        char *end;
        unsigned long part = strtoul(*rest, &end, 10);
        parts[count++] = part < PART_MOST ? (unsigned)part : PART_MOST;
        *rest = end + (*end == '.' && end[1] >= '0' && end[1] <= '9');
        if (*rest == end)
            break;
    }
    return count;
}

// bound = operator version, with blanks around each as liked
static bool server_range_add_bound(struct server_range *range, const char *text)
{
    const char *at = text + strspn(text, " \t");
    size_t length = strspn(at, "=!<>");
    struct version_bound bound = {0};
    if (range->bound_count == BOUNDS_MAX || !comparison_from_text(at, length, &bound.comparison))
        return false;
    at += length;
    at += strspn(at, " \t");
    bound.count = server_range_parse_version(at, bound.parts, &at);
    at += strspn(at, " \t");
    range->bounds[range->bound_count++] = bound;
    for (size_t i = 0; i < bound.count; i++) {
        if (bound.parts[i] == PART_MOST)
            return false;
    }
    return bound.count > 0 && *at == '\0';
}

// bounds = bound [ "," bound ]
bool range_add_versions(struct server_range *range, const char *text, struct error *error)
{
    struct words words = {0};
    words_split(&words, text, ",");
    bool sound = words.count > 0;
    for (size_t i = 0; i < words.count && sound; i++)
        sound = server_range_add_bound(range, words.items[i]);
    words_free(&words);
    return sound || error_set(error, "expected one or two bounds, like >= 14 or >= 10.5, < 11");
}

static bool server_range_is_within(const struct version_bound *bound,
                                   const unsigned parts[PARTS_MAX])
{
    int order = 0;
    for (size_t i = 0; i < bound->count && order == 0; i++)
        order = (parts[i] > bound->parts[i]) - (parts[i] < bound->parts[i]);
    return comparison_holds(bound->comparison, order);
}

static bool server_range_has_flavor(const struct server_range *range, enum flavor flavor)
{
    return range->flavors == 0 || (range->flavors >> flavor & 1U) != 0;
}

bool range_has(const struct server_range *range, enum flavor flavor, const char *version)
{
    unsigned parts[PARTS_MAX] = {0};
    const char *rest;
    bool numbered = server_range_parse_version(version, parts, &rest) > 0;
    bool has = server_range_has_flavor(range, flavor);
    for (size_t i = 0; i < range->bound_count; i++)
        has &= numbered && server_range_is_within(&range->bounds[i], parts);
    return has;
}

static void server_range_add_flavors_to(struct text *text, unsigned flavors)
{
    const char *between = "";
    for (unsigned i = 0; i < FLAVOR_COUNT; i++) {
        if (flavor_names[i] == NULL || (flavors >> i & 1U) == 0)
            continue;
        text_addf(text, "%s%s", between, flavor_names[i]);
        between = ", ";
    }
}

static void server_range_add_bound_to(struct text *text, const struct version_bound *bound)
{
    text_addf(text, "%s ", comparison_text(bound->comparison));
    for (size_t i = 0; i < bound->count; i++)
        text_addf(text, "%s%u", i > 0 ? "." : "", bound->parts[i]);
}

void range_explain(const struct server_range *range, enum flavor flavor, const char *version,
                   struct text *text)
{
    text_add(text, "it is for ");
    if (!server_range_has_flavor(range, flavor)) {
        server_range_add_flavors_to(text, range->flavors);
        return;
    }
    text_add(text, "server-version ");
    for (size_t i = 0; i < range->bound_count; i++) {
        text_add(text, i > 0 ? ", " : "");
        server_range_add_bound_to(text, &range->bounds[i]);
    }
    text_add(text, ", and this is ");
    text_add_foreign(text, version, strlen(version));
}
