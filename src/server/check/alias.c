// See alias.h. The names are Patroni's, of before and after it renamed its master, and plain words
// that people give to probes.
#include "server/check/alias.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct alias {
    const char *name, *meant;
};

static const struct alias endpoints[] = {
    {"leader", "primary"},    {"master", "primary"},   {"read-write", "primary"},
    {"secondary", "replica"}, {"standby", "replica"},  {"health", "readyz"},
    {"readiness", "readyz"},  {"liveness", "healthz"}, {NULL, NULL},
};

static const struct alias params[] = {
    {"lag", "max_lag_bytes"}, // Patroni's
    {NULL, NULL},
};

static const char *alias_find(const struct alias *aliases, const char *name)
{
    while (aliases->name != NULL && strcmp(aliases->name, name) != 0)
        aliases++;
    return aliases->meant;
}

const char *alias_of_endpoint(const char *name)
{
    return alias_find(endpoints, name);
}

const char *alias_of_param(const char *name)
{
    return alias_find(params, name);
}

// unit = [ "B" / "kB" / "MB" / "GB" / "TB" ], whatever the case; 0 if it is none
static long double alias_unit(const char *text)
{
    static const struct {
        const char *name;
        long double bytes;
    } units[] = {
        {"", 1},           {"B", 1}, {"kB", 1ULL << 10}, {"MB", 1ULL << 20}, {"GB", 1ULL << 30},
        {"TB", 1ULL << 40}};
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (strcasecmp(units[i].name, text) == 0)
            return units[i].bytes;
    }
    return 0;
}

// bytes = 1*digit [ "." 1*digit ] *blank unit
bool alias_parse_bytes(const char *text, char number[ALIAS_NUMBER_MAX])
{
    static const char digits[] = "0123456789";
    size_t whole = strspn(text, digits), length = whole;
    if (text[whole] == '.') {
        size_t fraction = strspn(text + whole + 1, digits);
        length = fraction > 0 ? whole + 1 + fraction : 0;
    }
    const char *unit = text + length + strspn(text + length, " ");
    long double bytes = strtold(text, NULL) * alias_unit(unit);
    if (whole == 0 || length == 0 || alias_unit(unit) <= 0 || bytes > (long double)(1ULL << 60))
        return false;
    (void)snprintf(number, ALIAS_NUMBER_MAX, "%.0Lf", bytes);
    return true;
}
