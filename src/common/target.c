// See target.h. uriparser takes the URL apart; what is here decides which parts are welcome.
// Errors give positions instead of quotations: in a URL with an unescaped '/', '?' or '@' in its
// password, pieces of the password turn up as port, path or parameter name.
#include "common/target.h"

#include "common/digest.h"
#include "common/memory.h"
#include "common/secret.h"
#include "common/text.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <uriparser/Uri.h>

// Where a parameter of the query goes.
enum destination { TO_LIBRARY, TO_HOST, TO_PORT, TO_USER, TO_PASSWORD, TO_DATABASE, TO_SOCKET };

struct parameter_rule {
    enum engine engine;
    const char *name;
    enum destination destination;
};

// libpq: https://www.postgresql.org/docs/15/libpq-connect.html#LIBPQ-PARAMKEYWORDS, without those
// that name several servers, files of defaults (service, passfile) or the encoding, which is ours.
// MySQL: the URI-like strings of MySQL Shell, whose names the command-line client shares.
static const struct parameter_rule rules[] = {
    {ENGINE_POSTGRES, "host", TO_HOST},
    {ENGINE_POSTGRES, "port", TO_PORT},
    {ENGINE_POSTGRES, "user", TO_USER},
    {ENGINE_POSTGRES, "password", TO_PASSWORD},
    {ENGINE_POSTGRES, "dbname", TO_DATABASE},
    {ENGINE_POSTGRES, "sslmode", TO_LIBRARY},
    {ENGINE_POSTGRES, "sslrootcert", TO_LIBRARY},
    {ENGINE_POSTGRES, "sslcert", TO_LIBRARY},
    {ENGINE_POSTGRES, "sslkey", TO_LIBRARY},
    {ENGINE_POSTGRES, "sslpassword", TO_LIBRARY},
    {ENGINE_POSTGRES, "sslcrl", TO_LIBRARY},
    {ENGINE_POSTGRES, "sslcrldir", TO_LIBRARY},
    {ENGINE_POSTGRES, "sslsni", TO_LIBRARY},
    {ENGINE_POSTGRES, "ssl_min_protocol_version", TO_LIBRARY},
    {ENGINE_POSTGRES, "ssl_max_protocol_version", TO_LIBRARY},
    {ENGINE_POSTGRES, "channel_binding", TO_LIBRARY},
    {ENGINE_POSTGRES, "gssencmode", TO_LIBRARY},
    {ENGINE_POSTGRES, "krbsrvname", TO_LIBRARY},
    {ENGINE_POSTGRES, "requirepeer", TO_LIBRARY},
    {ENGINE_POSTGRES, "application_name", TO_LIBRARY},
    {ENGINE_POSTGRES, "options", TO_LIBRARY},
    {ENGINE_POSTGRES, "connect_timeout", TO_LIBRARY},
    {ENGINE_POSTGRES, "tcp_user_timeout", TO_LIBRARY},
    {ENGINE_POSTGRES, "target_session_attrs", TO_LIBRARY},
    {ENGINE_MYSQL, "socket", TO_SOCKET},
    {ENGINE_MYSQL, "ssl-mode", TO_LIBRARY},
    {ENGINE_MYSQL, "ssl-ca", TO_LIBRARY},
    {ENGINE_MYSQL, "ssl-capath", TO_LIBRARY},
    {ENGINE_MYSQL, "ssl-cert", TO_LIBRARY},
    {ENGINE_MYSQL, "ssl-key", TO_LIBRARY},
    {ENGINE_MYSQL, "ssl-crl", TO_LIBRARY},
    {ENGINE_MYSQL, "ssl-cipher", TO_LIBRARY},
    {ENGINE_MYSQL, "tls-version", TO_LIBRARY},
    {ENGINE_MYSQL, "server-public-key-path", TO_LIBRARY},
};

enum { POSTGRES_PORT = 5432, MYSQL_PORT = 3306 };

struct scheme {
    const char *name;
    enum engine engine;
    uint16_t port;
    const char *database; // when the URL names none
};

static const struct scheme schemes[] = {
    {"postgres", ENGINE_POSTGRES, POSTGRES_PORT, "postgres"},
    {"postgresql", ENGINE_POSTGRES, POSTGRES_PORT, "postgres"},
    {"mysql", ENGINE_MYSQL, MYSQL_PORT, NULL},
    {"mariadb", ENGINE_MYSQL, MYSQL_PORT, NULL},
};

static const char secret_sign[] = "***"; // in the place of a secret

static const char expected_url[] =
    "expected postgres://, mysql:// or mariadb:// and USER:PASSWORD@HOST:PORT/DATABASE";

const char *engine_name(enum engine engine)
{
    static const char *const names[] = {
        [ENGINE_POSTGRES] = "postgres", [ENGINE_MYSQL] = "mysql", [ENGINE_PEERS] = "peers"};
    return names[engine];
}

static void target_replace(char **string, char *with)
{
    secret_wipe(string);
    *string = with;
}

void target_wipe(struct target *target)
{
    secret_wipe(&target->host);
    secret_wipe(&target->socket);
    secret_wipe(&target->user);
    secret_wipe(&target->password);
    secret_wipe(&target->database);
    secret_wipe(&target->password_file);
    for (size_t i = 0; i < target->parameter_count; i++)
        secret_wipe(&target->parameters[i].value);
    *target = (struct target){0};
}

// A part of the URL, percent-decoded. False if a %00 hides in it.
static bool target_decode_range(const char *first, size_t length, char **decoded)
{
    *decoded = memory_copy(first, length);
    for (const char *at = *decoded; (at = strchr(at, '%')) != NULL; at++) {
        if (at[1] == '0' && at[2] == '0') {
            secret_wipe(decoded);
            return false;
        }
    }
    (void)uriUnescapeInPlaceA(*decoded);
    return true;
}

static bool target_decode_part(const UriTextRangeA *part, char **decoded, struct error *error)
{
    char *text;
    if (!target_decode_range(part->first, (size_t)(part->afterLast - part->first), &text))
        return error_set(error, "a NUL character (%%00) cannot be part of a URL");
    target_replace(decoded, text);
    return true;
}

static bool target_is_given(const UriTextRangeA *part)
{
    return part->first != NULL && part->afterLast > part->first;
}

// port = 1*digit, from 1 to 65535
static bool target_parse_port(const char *text, uint16_t *port, struct error *error)
{
    char *end;
    errno = 0;
    unsigned long number = strtoul(text, &end, 10);
    bool sound = text[0] >= '0' && text[0] <= '9' && *end == '\0' && errno == 0;
    if (!sound || number == 0 || number > UINT16_MAX)
        return error_set(error, "the port is not a number from 1 to 65535");
    *port = (uint16_t)number;
    return true;
}

// Looked up before the rest is parsed: the engine decides which checks there are, and a URL that is
// wrong further on must not change that.
static const struct scheme *target_find_scheme(const char *url)
{
    size_t length = strcspn(url, ":");
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++) {
        const char *name = schemes[i].name;
        if (strlen(name) == length && strncasecmp(name, url, length) == 0)
            return &schemes[i];
    }
    return NULL;
}

// user-info = user [ ":" password ]; the first ':' ends the user.
static bool target_take_user_info(struct target *target, const UriTextRangeA *part,
                                  struct error *error)
{
    if (!target_is_given(part))
        return true;
    size_t length = (size_t)(part->afterLast - part->first);
    const char *colon = memchr(part->first, ':', length);
    UriTextRangeA user = {part->first, colon != NULL ? colon : part->afterLast};
    if (!target_decode_part(&user, &target->user, error))
        return false;
    if (colon == NULL)
        return true;
    UriTextRangeA password = {colon + 1, part->afterLast};
    return target_decode_part(&password, &target->password, error);
}

// path = [ "/" [ database ] ]
static bool target_take_path(struct target *target, const UriUriA *uri, struct error *error)
{
    const UriPathSegmentA *segment = uri->pathHead;
    if (segment == NULL || (segment->next == NULL && !target_is_given(&segment->text)))
        return true;
    if (segment->next != NULL)
        return error_set(error, "more than one '/' after the host: a '/' within the database's "
                                "name or the password is written %%2F");
    return target_decode_part(&segment->text, &target->database, error);
}

static const struct parameter_rule *target_find_rule(enum engine engine, const char *name)
{
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        if (rules[i].engine == engine && strcmp(rules[i].name, name) == 0)
            return &rules[i];
    }
    return NULL;
}

static bool target_refuse_parameter(enum engine engine, unsigned number, struct error *error)
{
    char names[sizeof error->text] = "";
    struct text text = text_in(names, sizeof names);
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        if (rules[i].engine == engine)
            text_addf(&text, "%s%s", text.length > 0 ? " " : "", rules[i].name);
    }
    return error_set(error, "parameter %u after the '?' is unknown, expected one of: %s", number,
                     names);
}

static bool target_add_parameter(struct target *target, const char *name, const char *value,
                                 struct error *error)
{
    if (target_parameter(target, name) != NULL || target->parameter_count == TARGET_PARAMETERS_MAX)
        return error_set(error, "parameter %s is given twice", name);
    target->parameters[target->parameter_count++] =
        (struct target_parameter){.name = name, .value = memory_string(value)};
    return true;
}

static bool target_take_parameter(struct target *target, const struct parameter_rule *rule,
                                  const char *value, struct error *error)
{
    switch (rule->destination) {
    case TO_LIBRARY:
        return target_add_parameter(target, rule->name, value, error);
    case TO_HOST:
        target_replace(&target->host, memory_string(value));
        return true;
    case TO_PORT:
        return target_parse_port(value, &target->port, error);
    case TO_USER:
        target_replace(&target->user, memory_string(value));
        return true;
    case TO_PASSWORD:
        target_replace(&target->password, memory_string(value));
        return true;
    case TO_DATABASE:
        target_replace(&target->database, memory_string(value));
        return true;
    case TO_SOCKET:
        target_replace(&target->socket, memory_string(value));
        return true;
    }
    abort();
}

// items = name "=" value *( "&" name "=" value ), each a name of the table of rules
static bool target_take_query_items(struct target *target, const UriQueryListA *item,
                                    struct error *error)
{
    for (unsigned number = 1; item != NULL; item = item->next, number++) {
        const struct parameter_rule *rule = target_find_rule(target->engine, item->key);
        if (rule == NULL)
            return target_refuse_parameter(target->engine, number, error);
        if (item->value == NULL)
            return error_set(error, "parameter %s has no value", rule->name);
        if (!target_take_parameter(target, rule, item->value, error))
            return false;
    }
    return true;
}

// query = items, percent-encoded
static bool target_take_query(struct target *target, const UriTextRangeA *part, struct error *error)
{
    UriQueryListA *items;
    int count;
    char *checked = NULL;
    if (!target_is_given(part))
        return true;
    if (!target_decode_part(part, &checked, error))
        return false;
    secret_wipe(&checked);
    if (uriDissectQueryMallocExA(&items, &count, part->first, part->afterLast, URI_FALSE,
                                 URI_BR_DONT_TOUCH) != URI_SUCCESS)
        return error_set(error, "what follows the '?' is not NAME=VALUE&...");
    bool taken = target_take_query_items(target, items, error);
    for (UriQueryListA *item = items; item != NULL; item = item->next) {
        if (item->value != NULL)
            explicit_bzero((void *)(uintptr_t)item->value, strlen(item->value));
    }
    uriFreeQueryListA(items);
    return taken;
}

static void target_drop_empty(char **string)
{
    if (*string != NULL && (*string)[0] == '\0')
        secret_wipe(string);
}

// To libpq a comma begins another host, or another socket's folder.
static bool target_is_one_host(const char *text, struct error *error)
{
    return strchr(text, ',') == NULL ||
           error_set(error, "several hosts: one adapter serves one server, expected one host");
}

// A host that is a path is a socket, as for libpq; no host is the loopback address.
static bool target_settle_host(struct target *target, struct error *error)
{
    target_drop_empty(&target->host);
    target_drop_empty(&target->socket);
    if (target->host != NULL && target->host[0] == '/') {
        target_replace(&target->socket, target->host);
        target->host = NULL;
    }
    if (target->socket != NULL) {
        secret_wipe(&target->host);
        return target->engine != ENGINE_POSTGRES || target_is_one_host(target->socket, error);
    }
    if (target->host == NULL)
        target->host = memory_string("127.0.0.1");
    return target_is_one_host(target->host, error);
}

// url = scheme "://" [ user-info "@" ] [ host ] [ ":" port ] path [ "?" query ]
static bool target_take_uri(struct target *target, const UriUriA *uri, const struct scheme *scheme,
                            struct error *error)
{
    if (uri->hostText.first == NULL || uri->fragment.first != NULL)
        return error_set(error, "no '//' or a '#': %s; a '#' in the password is written %%23",
                         expected_url);
    bool taken = target_take_user_info(target, &uri->userInfo, error) &&
                 (!target_is_given(&uri->hostText) ||
                  target_decode_part(&uri->hostText, &target->host, error)) &&
                 target_take_path(target, uri, error) &&
                 target_take_query(target, &uri->query, error);
    if (!taken)
        return false;
    if (target_is_given(&uri->portText)) {
        char port[8] = "";
        size_t length = (size_t)(uri->portText.afterLast - uri->portText.first);
        if (length < sizeof port) // else it is too long for one, and "" is none either
            memcpy(port, uri->portText.first, length);
        if (!target_parse_port(port, &target->port, error))
            return false;
    }
    if (target->user == NULL || target->user[0] == '\0')
        return target_expect_url(error, "no user");
    target_drop_empty(&target->database);
    if (target->database == NULL && scheme->database != NULL)
        target->database = memory_string(scheme->database);
    return target_settle_host(target, error);
}

bool target_expect_url(struct error *error, const char *problem)
{
    return error_set(error, "%s, %s", problem, expected_url);
}

void target_set_loopback(struct target *target)
{
    target_replace(&target->host, memory_string("127.0.0.1"));
    target->port = target->engine == ENGINE_POSTGRES ? POSTGRES_PORT : MYSQL_PORT;
}

bool target_parse(struct target *target, const char *url, struct error *error)
{
    assert(url != NULL);
    *target = (struct target){0};
    const struct scheme *scheme = target_find_scheme(url);
    if (scheme == NULL)
        return target_expect_url(error, "the scheme is unknown");
    target->engine = scheme->engine;
    target->port = scheme->port;
    UriUriA uri;
    const char *at = NULL;
    if (uriParseSingleUriA(&uri, url, &at) != URI_SUCCESS) {
        size_t position = at != NULL ? (size_t)(at - url) + 1 : 1;
        return error_set(error,
                         "not a URL from character %zu on, %s; characters with a meaning in URLs "
                         "are written as %%XX in user and password",
                         position, expected_url);
    }
    bool taken = target_take_uri(target, &uri, scheme, error);
    uriFreeUriMembersA(&uri);
    return taken;
}

// Whether a parameter is part of what the user shows for itself.
static bool target_is_own(const char *name)
{
    static const char *const own[] = {"sslcert", "sslkey", "sslpassword", "ssl-cert", "ssl-key"};
    for (size_t i = 0; i < sizeof own / sizeof *own; i++) {
        if (strcmp(own[i], name) == 0)
            return true;
    }
    return false;
}

bool target_is_console(const struct target *target)
{
    return target->engine == ENGINE_POSTGRES && target->database != NULL &&
           strcmp(target->database, "pgbouncer") == 0;
}

uint64_t target_digest(const struct target *target)
{
    const char *const parts[] = {target->host, target->socket, target->database};
    uint64_t digest = digest_add(DIGEST_EMPTY, &target->engine, sizeof target->engine);
    digest = digest_add(digest, &target->port, sizeof target->port);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        digest = digest_add_string(digest, parts[i]);
    for (size_t i = 0; i < target->parameter_count; i++) {
        const struct target_parameter *parameter = &target->parameters[i];
        if (target_is_own(parameter->name))
            continue;
        digest = digest_add_string(digest, parameter->name);
        digest = digest_add_string(digest, parameter->value);
    }
    return digest;
}

void target_describe(const struct target *target, char *bytes, size_t capacity)
{
    struct text text = text_in(bytes, capacity);
    text_add(&text, target->engine == ENGINE_POSTGRES ? "postgres://" : "mysql://");
    if (target->user != NULL)
        text_add_foreign(&text, target->user, strlen(target->user));
    if (target->password != NULL || target->password_file != NULL)
        text_addf(&text, ":%s", secret_sign);
    text_add(&text, "@");
    const char *place = target->socket != NULL ? target->socket : target->host;
    bool brackets = target->socket == NULL && place != NULL && strchr(place, ':') != NULL;
    text_add(&text, brackets ? "[" : "");
    if (place != NULL)
        text_add_foreign(&text, place, strlen(place));
    text_add(&text, brackets ? "]" : "");
    if (target->socket == NULL || target->engine == ENGINE_POSTGRES)
        text_addf(&text, ":%u", target->port);
    text_add(&text, "/");
    if (target->database != NULL)
        text_add_foreign(&text, target->database, strlen(target->database));
}

static void target_add_escaped(struct text *text, const char *part)
{
    for (; *part != '\0'; part++) {
        bool plain = isalnum((unsigned char)*part) || strchr("-._~", *part) != NULL;
        text_addf(text, plain ? "%c" : "%%%02X", (unsigned char)*part);
    }
}

static size_t target_escaped_length(const char *part)
{
    return part != NULL ? 3 * strlen(part) : 0;
}

static size_t target_url_room(const struct target *target)
{
    enum { SIGNS = 64 }; // scheme, "***", port and what stands between the parts
    size_t room = SIGNS + target_escaped_length(target->user) +
                  target_escaped_length(target->host) + target_escaped_length(target->socket) +
                  target_escaped_length(target->database);
    for (size_t i = 0; i < target->parameter_count; i++)
        room += strlen(target->parameters[i].name) + sizeof "?=" + sizeof secret_sign +
                target_escaped_length(target->parameters[i].value);
    return room;
}

// Elsewhere a '?' is escaped.
static void target_write_parameter(struct text *text, const char *name, const char *value)
{
    text_addf(text, "%c%s=", strchr(text->bytes, '?') == NULL ? '?' : '&', name);
    if (strcmp(name, "sslpassword") == 0)
        text_add(text, secret_sign);
    else
        target_add_escaped(text, value);
}

// A socket of MySQL's need not be an absolute path, which would be known for one in the host's
// place.
static void target_write_place(struct text *text, const struct target *target)
{
    bool in_query = target->socket != NULL && target->engine == ENGINE_MYSQL;
    if (!in_query)
        target_add_escaped(text, target->socket != NULL ? target->socket : target->host);
    text_addf(text, ":%u/", target->port);
    if (target->database != NULL)
        target_add_escaped(text, target->database);
    if (in_query)
        target_write_parameter(text, "socket", target->socket);
}

char *target_masked_url(const struct target *target)
{
    size_t room = target_url_room(target);
    char *url = memory_new(room);
    struct text text = text_in(url, room);
    text_add(&text, target->engine == ENGINE_POSTGRES ? "postgres://" : "mysql://");
    target_add_escaped(&text, target->user);
    if (target->password != NULL)
        text_addf(&text, ":%s", secret_sign);
    text_add(&text, "@");
    target_write_place(&text, target);
    for (size_t i = 0; i < target->parameter_count; i++)
        target_write_parameter(&text, target->parameters[i].name, target->parameters[i].value);
    assert(!text.cut);
    return url;
}

const char *target_parameter(const struct target *target, const char *name)
{
    for (size_t i = 0; i < target->parameter_count; i++) {
        if (strcmp(target->parameters[i].name, name) == 0)
            return target->parameters[i].value;
    }
    return NULL;
}
