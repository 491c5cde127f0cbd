// dbhealthd grants: the SQL that makes the probe user of the database URL with the least privileges
// that the enabled checks need. What a check needs stands in its file.
#include "server/command/command.h"

#include "common/target.h"
#include "common/target_load.h"
#include "server/config/config.h"

#include <stdio.h>
#include <string.h>

// In quotes, each of them within doubled.
static void command_grants_print_quoted(const char *text, char quote)
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
static const char *command_grants_user_of(const struct target *target)
{
    bool administrator = strcmp(target->user, "postgres") == 0 || strcmp(target->user, "root") == 0;
    return administrator ? "probe" : target->user;
}

// Where the server sees the probe come from. From another machine nobody here knows.
static const char *command_grants_origin_of(const struct target *target)
{
    if (target->socket != NULL)
        return "localhost";
    if (strcmp(target->host, "::1") == 0)
        return "::1";
    bool loopback = strncmp(target->host, "127.", 4) == 0 || strcmp(target->host, "localhost") == 0;
    return loopback ? "127.0.0.1" : "%";
}

// The user as SQL names it.
static void command_grants_print_user(const struct target *target)
{
    if (target->engine == ENGINE_POSTGRES) {
        command_grants_print_quoted(command_grants_user_of(target), '"');
        return;
    }
    command_grants_print_quoted(command_grants_user_of(target),
                                '`'); // in which no backslash means anything
    printf("@'%s'", command_grants_origin_of(target));
}

// Lines of PgBouncer's own files, for it makes no users by command.
static void command_grants_print_console(const struct target *target)
{
    printf("; In the auth_file:\n");
    command_grants_print_quoted(command_grants_user_of(target), '"');
    printf(
        " \"...\"\n; In pgbouncer.ini, with those that are there; then RELOAD:\nstats_users = %s\n",
        command_grants_user_of(target));
}

static void command_grants_print_login(const struct target *target)
{
    printf("-- Run as %s.\nCREATE %s ", target->engine == ENGINE_POSTGRES ? "a superuser" : "root",
           target->engine == ENGINE_POSTGRES ? "ROLE" : "USER");
    command_grants_print_user(target);
    if (target->engine == ENGINE_MYSQL) {
        printf(" IDENTIFIED BY '...';\n");
        return;
    }
    printf(" LOGIN NOSUPERUSER PASSWORD '...';\nGRANT CONNECT ON DATABASE ");
    command_grants_print_quoted(target->database, '"');
    printf(" TO ");
    command_grants_print_user(target);
    printf(";\n");
}

// A statement of a check's file, in which $user stands for the probe user. MySQL's clients would
// end the statement that makes a procedure at the first semicolon in its body.
static void command_grants_print_statement(const struct target *target, const char *statement)
{
    static const char variable[] = "$user";
    size_t length = strlen(statement);
    length -= length > 0 && statement[length - 1] == ';';
    bool nested = target->engine == ENGINE_MYSQL && memchr(statement, ';', length) != NULL;
    const char *end = statement + length;
    const char *next;
    if (nested)
        printf("DELIMITER //\n");
    while ((next = strstr(statement, variable)) != NULL) {
        printf("%.*s", (int)(next - statement), statement);
        command_grants_print_user(target);
        statement = next + sizeof variable - 1;
    }
    printf("%.*s%s\n", (int)(end - statement), statement, nested ? "//\nDELIMITER ;" : ";");
}

// Each statement once, with the first check that needs it.
static void command_grants_print_needs(const struct target *target, const struct config *config)
{
    struct words printed = {0};
    for (size_t i = 0; i < config->check_count; i++) {
        const struct check *check = config->checks[i];
        bool named = false;
        for (size_t j = 0; j < check->grants.count; j++) {
            const char *statement = check->grants.items[j];
            if (words_have(&printed, statement))
                continue;
            if (!named)
                printf("-- for %s:\n", check->name);
            named = true;
            command_grants_print_statement(target, statement);
            words_add(&printed, statement, strlen(statement));
        }
    }
    words_free(&printed);
}

static int command_grants_print_all(struct settings *settings)
{
    struct target target;
    struct error error;
    bool loaded = target_load(&target, &error);
    struct config *config = config_load(settings);
    for (size_t i = 0; i < config->problems.count; i++)
        (void)command_refuse("%s", config->problems.items[i]);
    if (loaded) {
        if (config->console)
            command_grants_print_console(&target);
        else
            command_grants_print_login(&target);
        command_grants_print_needs(&target, config);
    }
    bool well = config->problems.count == 0;
    target_wipe(&target);
    config_release(config);
    return well ? STATUS_WELL : STATUS_USAGE;
}

int command_grants(int argc, char **argv)
{
    struct command_line line;
    if (!command_line_load(&line, argc, argv, NULL, 0, 0, 0))
        return STATUS_USAGE;
    int status = command_grants_print_all(&line.settings);
    command_line_clear(&line);
    return status;
}
