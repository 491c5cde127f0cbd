// See mask.h. A secret is what DATABASE_URL has as one, what is called one, what holds one of
// these, encoded as in a URL or not, and any URL with a password in it. A file's name is none. What
// the server is to understand stays, whatever is in it: a user may be called like his password.
#include "supervisor/mask.h"

#include "common/memory.h"
#include "common/secret.h"
#include "common/target.h"
#include "common/target_load.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>
#include <uriparser/Uri.h>

enum { TELLING_LENGTH = 8 }; // a shorter secret may stand in a value by chance

static const char sign[] = "***";
static const char *const ours[] = {"DBHEALTH_", NULL};

static bool mask_ends_with(const char *name, size_t length, const char *end)
{
    size_t end_length = strlen(end);
    return length >= end_length && strncmp(name + length - end_length, end, end_length) == 0;
}

static bool mask_begins_with_any(const char *name, const char *const *starts)
{
    for (; *starts != NULL; starts++) {
        if (strncmp(name, *starts, strlen(*starts)) == 0)
            return true;
    }
    return false;
}

static bool mask_is_path(const char *value)
{
    return value[0] == '/' && access(value, F_OK) == 0;
}

// The name of "NAME=VALUE" is that of a secret, and the value no file's.
static bool mask_is_called_secret(const char *variable)
{
    static const char *const words[] = {"PASSWORD", "PASSWD", "PGPASS", "_PWD", "SECRET", "TOKEN"};
    size_t length = strcspn(variable, "=");
    if (variable[length] == '\0' || mask_is_path(variable + length + 1) ||
        mask_ends_with(variable, length, "_FILE") || mask_begins_with_any(variable, ours))
        return false;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        const char *at = strcasestr(variable, words[i]);
        if (at != NULL && at < variable + length)
            return true;
    }
    return false;
}

static bool mask_is_understood(const char *variable)
{
    static const char *const starts[] = {"DBHEALTH_", "DATABASE_", "POSTGRES_",
                                         "MYSQL_",    "MARIADB_",  NULL};
    return mask_begins_with_any(variable, starts) ||
           mask_ends_with(variable, strcspn(variable, "="), "_FILE");
}

// scheme "://" [ user ] ":" password "@", with whatever in the password; nobody but an application
// understands it, unless it is ours.
static bool mask_is_url_with_password(const char *variable)
{
    const char *at = strstr(variable, "://");
    at = at != NULL ? strchr(at + strlen("://"), ':') : NULL;
    return at != NULL && strchr(at, '@') != NULL && !mask_begins_with_any(variable, ours) &&
           !mask_ends_with(variable, strcspn(variable, "="), "_FILE");
}

// As it stands, or percent-decoded: one secret is encoded in many ways.
static bool mask_holds(const char *variable, const char *secret)
{
    if (secret == NULL || strlen(secret) < TELLING_LENGTH)
        return false;
    char *decoded = memory_string(strchr(variable, '='));
    (void)uriUnescapeInPlaceA(decoded);
    bool holds = strstr(decoded, secret) != NULL || strstr(strchr(variable, '='), secret) != NULL;
    secret_wipe(&decoded);
    return holds;
}

// What the URL has for a secret, or another variable that is called one.
static bool mask_holds_any(const char *variable, const struct target *target)
{
    if (mask_holds(variable, target->password) ||
        mask_holds(variable, target_parameter(target, "sslpassword")))
        return true;
    for (size_t i = 0; environ[i] != NULL; i++) {
        if (mask_is_called_secret(environ[i]) && mask_holds(variable, strchr(environ[i], '=') + 1))
            return true;
    }
    return false;
}

static char *mask_variable(const char *name, const char *value)
{
    char *variable = memory_new(strlen(name) + strlen(value) + sizeof "=");
    (void)sprintf(variable, "%s=%s", name, value);
    return variable;
}

// In the place of a URL that is wrong: what says the engine, if anything does.
static char *mask_wrong_url(const struct target *target)
{
    static const char *const schemes[] = {[ENGINE_NONE] = "***",
                                          [ENGINE_POSTGRES] = "postgres:***",
                                          [ENGINE_MYSQL] = "mysql:***",
                                          [ENGINE_PEERS] = "***"};
    return memory_string(schemes[target->engine]);
}

static char *mask_any(char *variable, const struct target *target, const char *url)
{
    size_t length = strcspn(variable, "=");
    bool is_url = length == strlen(target_url_variable) &&
                  strncmp(variable, target_url_variable, length) == 0;
    if (variable[length] == '\0' || variable[length + 1] == '\0')
        return variable;
    if (is_url && url != NULL)
        return mask_variable(target_url_variable, url);
    bool secret = mask_is_called_secret(variable) || mask_is_url_with_password(variable) ||
                  (!mask_is_understood(variable) && mask_holds_any(variable, target));
    if (!secret)
        return variable;
    char *name = memory_copy(variable, length);
    char *masked = mask_variable(name, sign);
    free(name);
    return masked;
}

// The URL as the server may see it, and what is wrong with it; NULL for neither.
static char *mask_url(struct target *target, struct error *error, bool *wrong)
{
    const char *url = getenv(target_url_variable);
    *target = (struct target){0};
    *wrong = false;
    if (url == NULL || url[0] == '\0')
        return NULL;
    if (target_parse(target, url, error))
        return target_masked_url(target);
    *wrong = true;
    return mask_wrong_url(target);
}

char **mask_environment(void)
{
    struct target target;
    struct error error;
    bool wrong;
    size_t count = 0;
    (void)unsetenv(target_problem_variable); // nobody's but ours
    char *url = mask_url(&target, &error, &wrong);
    while (environ[count] != NULL)
        count++;
    char **masked = memory_new((count + 2) * sizeof *masked);
    for (size_t i = 0; i < count; i++)
        masked[i] = mask_any(environ[i], &target, url);
    if (wrong)
        masked[count] = mask_variable(target_problem_variable, error.text);
    free(url);
    target_wipe(&target);
    return masked;
}
