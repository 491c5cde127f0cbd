// See inquiry.h. The text is a line for each thing: "instance ID", "each", "authorities FILE",
// "place https HOST PORT".
#include "common/inquiry.h"

#include "common/text.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <uriparser/Uri.h>

static const char expected_place[] = "expected [https://]HOST:PORT";

// --- where

static bool inquiry_take_part(const UriTextRangeA *range, char *part, size_t capacity)
{
    size_t length = range->first != NULL ? (size_t)(range->afterLast - range->first) : 0;
    if (length == 0 || length >= capacity)
        return false;
    memcpy(part, range->first, length);
    part[length] = '\0';
    return true;
}

static bool inquiry_take_port(const char *text, uint16_t *port)
{
    size_t length = strlen(text);
    unsigned long number = strtoul(text, NULL, 10);
    *port = (uint16_t)number;
    return length <= 5 && strspn(text, "0123456789") == length && number > 0 &&
           number <= UINT16_MAX;
}

// Letters, digits, dots and signs of a name, or what an address is made of: nothing that needs
// decoding.
static bool inquiry_is_host(const char *host)
{
    return host[strspn(host, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_."
                             ":")] == '\0';
}

static bool inquiry_take_uri(const UriUriA *uri, struct place *place)
{
    char port[8];
    bool root =
        uri->pathHead == NULL ||
        (uri->pathHead->next == NULL && uri->pathHead->text.first == uri->pathHead->text.afterLast);
    return root && uri->userInfo.first == NULL && uri->query.first == NULL &&
           uri->fragment.first == NULL &&
           inquiry_take_part(&uri->hostText, place->host, sizeof place->host) &&
           inquiry_take_part(&uri->portText, port, sizeof port) &&
           inquiry_take_port(port, &place->port) && inquiry_is_host(place->host);
}

bool place_parse(const char *text, struct place *place, struct error *error)
{
    static const char plain[] = "http://", secure[] = "https://";
    char url[sizeof secure + PLACE_HOST_MAX + 16];
    bool is_plain = strncasecmp(text, plain, strlen(plain)) == 0;
    *place = (struct place){.tls = strncasecmp(text, secure, strlen(secure)) == 0};
    struct text whole = text_in(url, sizeof url);
    text_addf(&whole, "%s%s", is_plain || place->tls ? "" : plain, text);
    UriUriA uri;
    if (whole.cut || uriParseSingleUriA(&uri, url, NULL) != URI_SUCCESS)
        return error_set(error, "'%.80s': %s", text, expected_place);
    bool taken = inquiry_take_uri(&uri, place);
    uriFreeUriMembersA(&uri);
    return taken || error_set(error, "'%.80s': %s", text, expected_place);
}

// --- the whole

bool inquiry_write(const struct inquiry *inquiry, char *text)
{
    struct text lines = text_in(text, INQUIRY_TEXT_MAX);
    text_addf(&lines, "instance %s\n", inquiry->instance);
    text_add(&lines, inquiry->each ? "each\n" : "");
    if (inquiry->authorities[0] != '\0')
        text_addf(&lines, "authorities %s\n", inquiry->authorities);
    for (size_t i = 0; i < inquiry->count; i++) {
        const struct place *place = &inquiry->places[i];
        text_addf(&lines, "place %s %s %u\n", place->tls ? "https" : "http", place->host,
                  (unsigned)place->port);
    }
    return !lines.cut && strchr(inquiry->authorities, '\n') == NULL;
}

static bool inquiry_copy(char *to, size_t capacity, const char *from)
{
    size_t length = strlen(from);
    if (length == 0 || length >= capacity)
        return false;
    memcpy(to, from, length + 1);
    return true;
}

// place = scheme " " host " " port
static bool inquiry_read_place(char *words, struct inquiry *inquiry)
{
    char *rest = NULL;
    const char *scheme = strtok_r(words, " ", &rest);
    const char *host = strtok_r(NULL, " ", &rest);
    if (inquiry->count == INQUIRY_PLACES_MAX || host == NULL || rest == NULL)
        return false;
    struct place *place = &inquiry->places[inquiry->count++];
    place->tls = strcmp(scheme, "https") == 0;
    return (place->tls || strcmp(scheme, "http") == 0) &&
           inquiry_copy(place->host, sizeof place->host, host) && inquiry_is_host(host) &&
           inquiry_take_port(rest, &place->port);
}

static bool inquiry_read_line(char *line, struct inquiry *inquiry)
{
    char *value = strchr(line, ' ');
    if (value == NULL)
        return inquiry->each = strcmp(line, "each") == 0;
    *value++ = '\0';
    if (strcmp(line, "instance") == 0)
        return strlen(value) == INSTANCE_LENGTH &&
               inquiry_copy(inquiry->instance, sizeof inquiry->instance, value);
    if (strcmp(line, "authorities") == 0)
        return inquiry_copy(inquiry->authorities, sizeof inquiry->authorities, value);
    return strcmp(line, "place") == 0 && inquiry_read_place(value, inquiry);
}

bool inquiry_read(const char *text, struct inquiry *inquiry)
{
    char copy[INQUIRY_TEXT_MAX];
    *inquiry = (struct inquiry){.count = 0};
    if (!inquiry_copy(copy, sizeof copy, text))
        return false;
    char *rest = NULL;
    for (char *line = strtok_r(copy, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest)) {
        if (!inquiry_read_line(line, inquiry))
            return false;
    }
    return inquiry->count > 0 && inquiry->instance[0] != '\0';
}
