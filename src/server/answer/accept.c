// See accept.h. The header is read once for each type on offer, and is mostly a few words long: no
// list of its elements is made.
#include "server/answer/accept.h"

#include <assert.h>
#include <ctype.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

enum { QUALITY_MAX = 1000, QUALITY_DIGITS = 3 };

// How closely an element names a type; of several that match it, the closest decides.
enum closeness { CLOSENESS_NONE, CLOSENESS_ANY, CLOSENESS_MAIN_TYPE, CLOSENESS_TYPE };

// What the header says of one type.
struct preference {
    enum closeness closeness;
    unsigned quality; // in thousandths
    size_t place;     // of the element in the header
};

static const char *const types[MEDIA_COUNT] = {[MEDIA_TEXT] = "text/plain",
                                               [MEDIA_HTML] = "text/html",
                                               [MEDIA_HEALTH_JSON] = "application/health+json",
                                               [MEDIA_JSON] = "application/json"};

const char *media_content_type(enum media media)
{
    static const char *const content_types[MEDIA_COUNT] = {
        [MEDIA_TEXT] = "text/plain; charset=utf-8",
        [MEDIA_HTML] = "text/html; charset=utf-8",
        [MEDIA_HEALTH_JSON] = "application/health+json",
        [MEDIA_JSON] = "application/json"};
    assert(media < MEDIA_COUNT);
    return content_types[media];
}

static const char *accept_skip_blanks(const char *at)
{
    return at + strspn(at, " \t");
}

// The length up to one of two separators, or the end; in a quoted string they separate nothing.
static size_t accept_length(const char *text, char separator, char other)
{
    bool quoted = false;
    size_t i = 0;
    for (; text[i] != '\0' && (quoted || (text[i] != separator && text[i] != other)); i++) {
        if (text[i] == '"')
            quoted = !quoted;
        else if (quoted && text[i] == '\\' && text[i + 1] != '\0')
            i++;
    }
    return i;
}

static size_t accept_trim(const char *text, size_t length)
{
    while (length > 0 && (text[length - 1] == ' ' || text[length - 1] == '\t'))
        length--;
    return length;
}

// qvalue = ( "0" [ "." 0*3DIGIT ] ) / ( "1" [ "." 0*3("0") ] )
static bool accept_parse_quality(const char *text, size_t length, unsigned *quality)
{
    if (length == 0 || (text[0] != '0' && text[0] != '1') || (length > 1 && text[1] != '.') ||
        length > 2 + QUALITY_DIGITS)
        return false;
    unsigned value = (unsigned)(text[0] - '0');
    for (size_t i = 2; i < 2 + QUALITY_DIGITS; i++) {
        if (i < length && !isdigit((unsigned char)text[i]))
            return false;
        value = value * 10 + (i < length ? (unsigned)(text[i] - '0') : 0);
    }
    *quality = value;
    return value <= QUALITY_MAX;
}

// parameters = *( OWS ";" OWS [ token "=" ( token / quoted-string ) ] ); false if `q` is no
// quality.
static bool accept_parse_parameters(const char *at, const char *end, unsigned *quality)
{
    *quality = QUALITY_MAX;
    while (at < end) {
        at = accept_skip_blanks(at + 1); // the ';'
        size_t length = accept_length(at, ';', ',');
        bool is_quality = length >= 2 && strncasecmp(at, "q=", 2) == 0;
        if (is_quality && !accept_parse_quality(at + 2, accept_trim(at + 2, length - 2), quality))
            return false;
        at += length;
    }
    return true;
}

// media-range = "*/*" / ( type "/" "*" ) / ( type "/" subtype )
static enum closeness accept_match(const char *range, size_t length, const char *type)
{
    size_t main_type = (size_t)(strchr(type, '/') - type) + 1; // with the '/'
    if (length == 3 && strncmp(range, "*/*", length) == 0)
        return CLOSENESS_ANY;
    if (length == main_type + 1 && strncasecmp(range, type, main_type) == 0 &&
        range[main_type] == '*')
        return CLOSENESS_MAIN_TYPE;
    if (length == strlen(type) && strncasecmp(range, type, length) == 0)
        return CLOSENESS_TYPE;
    return CLOSENESS_NONE;
}

// Accept = [ ( media-range [ parameters ] ) *( OWS "," OWS ( media-range [ parameters ] ) ) ]
static struct preference accept_preference(const char *accept, const char *type)
{
    struct preference preference = {.closeness = CLOSENESS_NONE};
    const char *at = accept;
    while (*at != '\0') {
        at = accept_skip_blanks(at);
        const char *end = at + accept_length(at, ',', ',');
        size_t range = accept_length(at, ';', ',');
        unsigned quality;
        enum closeness closeness = accept_match(at, accept_trim(at, range), type);
        if (closeness > preference.closeness && accept_parse_parameters(at + range, end, &quality))
            preference = (struct preference){
                .closeness = closeness, .quality = quality, .place = (size_t)(at - accept)};
        at = end + (*end == ',');
    }
    return preference;
}

// Of two that are not wanted, the one that is not refused by its name.
static bool accept_is_better(const struct preference *one, const struct preference *other)
{
    if (one->quality != other->quality)
        return one->quality > other->quality;
    if (one->quality == 0)
        return one->closeness < other->closeness;
    if (one->closeness != other->closeness)
        return one->closeness > other->closeness;
    return one->place < other->place;
}

enum media accept_choose(const char *accept, unsigned offered)
{
    enum media best = MEDIA_COUNT;
    struct preference most = {.closeness = CLOSENESS_NONE};
    for (unsigned media = 0; media < MEDIA_COUNT; media++) {
        if ((offered >> media & 1U) == 0)
            continue;
        struct preference preference =
            accept_preference(accept != NULL ? accept : "", types[media]);
        if (best == MEDIA_COUNT || accept_is_better(&preference, &most)) {
            best = (enum media)media;
            most = preference;
        }
    }
    assert(best != MEDIA_COUNT);
    return best;
}
