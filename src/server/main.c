// dbhealthd: the command line. Without a command it serves, and only what keeps it from that ends
// it here, with status 2.
#include "server/command.h"
#include "server/serve.h"

#include <stdio.h>
#include <string.h>

static int print_help(int argc, char **argv);
static int print_version(int argc, char **argv);

struct command {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *usage;
    const char *meaning;
};

static const struct command commands[] = {
    {"check", command_check, "check [NAME...]", "run checks once; --format json"},
    {"lint", command_lint, "lint FOLDER...", "judge check files, without a server"},
    {"get", command_get, "get PATH", "ask a running adapter, like: get /livez"},
    {"wait", command_wait, "wait [ENDPOINT]", "until it passes; --timeout 60s"},
    {"grants", command_grants, "grants", "the SQL that makes the probe user"},
    {"--help", print_help, "--help", "this"},
    {"--version", print_version, "--version", "the version"},
};

static int print_help(int argc, char **argv)
{
    (void)argc, (void)argv;
    printf("dbhealthd [FLAG VALUE]...   serve the health of one database server over HTTP\n");
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        printf("dbhealthd %-17s %s\n", commands[i].usage, commands[i].meaning);
    printf("DATABASE_URL  postgres://USER:PASSWORD@HOST:PORT/DATABASE, mysql://, mariadb://,\n"
           "              or DATABASE_URL_FILE; DATABASE_PASSWORD_FILE wins over the URL's\n");
    printf("Settings: a flag, or a variable like DBHEALTH_DRAIN_FILE\n");
    struct setting_row row;
    for (size_t i = 0; settings_row(i, &row); i++)
        printf("  --%-11s %-8s %s\n", row.flag, row.default_text, row.meaning);
    return STATUS_WELL;
}

static int print_version(int argc, char **argv)
{
    (void)argc, (void)argv;
    printf("dbhealthd %s\n", DBHEALTH_VERSION);
    return STATUS_WELL;
}

static int run_server(int argc, char **argv)
{
    struct command_line line;
    if (!command_line_load(&line, argc, argv, NULL, 0, 0, 0))
        return STATUS_USAGE;
    return serve(&line.settings);
}

int main(int argc, char **argv)
{
    for (size_t i = 0; argc > 1 && i < sizeof commands / sizeof *commands; i++) {
        if (strcmp(argv[1], commands[i].name) == 0)
            return commands[i].run(argc - 1, argv + 1);
    }
    return run_server(argc, argv);
}
