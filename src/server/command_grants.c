// dbhealthd grants: the SQL that makes the probe user of the database URL with the least privileges.
#include "server/command.h"

#include "common/target.h"

#include <stdio.h>
#include <string.h>

// In quotes, each of them within doubled.
static void print_quoted(const char *text, char quote)
{
    putchar(quote);
    for (; *text != '\0'; text++) {
        if (*text == quote)
            putchar(quote);
        putchar(*text);
    }
    putchar(quote);
}

// A URL that names an administrator does not get its user made anew, but another one proposed.
static const char *user_of(const struct target *target)
{
    bool administrator = strcmp(target->user, "postgres") == 0 || strcmp(target->user, "root") == 0;
    return administrator ? "probe" : target->user;
}

static void print_postgres(const struct target *target)
{
    printf("-- The shipped checks need a login and nothing more. Run as a superuser.\n"
           "CREATE ROLE ");
    print_quoted(user_of(target), '"');
    printf(" LOGIN NOSUPERUSER NOINHERIT PASSWORD '...';\nGRANT CONNECT ON DATABASE ");
    print_quoted(target->database, '"');
    printf(" TO ");
    print_quoted(user_of(target), '"');
    printf(";\n");
}

// Where the server sees the probe come from. From another machine nobody here knows.
static const char *origin_of(const struct target *target)
{
    if (target->socket != NULL)
        return "localhost";
    if (strcmp(target->host, "::1") == 0)
        return "::1";
    bool loopback = strncmp(target->host, "127.", 4) == 0 || strcmp(target->host, "localhost") == 0;
    return loopback ? "127.0.0.1" : "%";
}

static void print_mysql(const struct target *target)
{
    printf("-- The shipped checks need a login and nothing more. Run as root.\nCREATE USER ");
    print_quoted(user_of(target), '`'); // in which no backslash means anything
    printf("@'%s' IDENTIFIED BY '...';\n", origin_of(target));
}

int command_grants(int argc, char **argv)
{
    struct target target;
    struct error error;
    if (argc > 1)
        return command_refuse("%s: unexpected; see dbhealthd --help", argv[1]);
    bool loaded = target_load(&target, &error);
    if (!loaded)
        (void)command_refuse("%s", error.text);
    else if (target.engine == ENGINE_POSTGRES)
        print_postgres(&target);
    else
        print_mysql(&target);
    target_wipe(&target);
    return loaded ? STATUS_WELL : STATUS_USAGE;
}
