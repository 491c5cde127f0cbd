// dbhealthd-server, as which dbhealthd appears: the command line. Without a command it serves, and
// only what keeps it from that ends it here, with status 2.
#include "common/sandbox.h"
#include "server/command/command.h"
#include "server/serve.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

static int main_print_help(int argc, char **argv);
static int main_print_settings(int argc, char **argv);
static int main_print_version(int argc, char **argv);

struct command {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *usage; // NULL: stands with another
    const char *meaning;
};

static const struct command commands[] = {
    {"check", command_check, "check [NAME...]", "run checks once; --format json, --watch"},
    {"lint", command_lint, "lint PATH...", "judge check files, without a server; --format json"},
    {"get", command_get, "get PATH", "ask a running adapter: get /livez; --timeout 2s"},
    {"wait", command_wait, "wait [ENDPOINT]", "until it passes; --timeout 60s"},
    {"drain", command_drain, "drain ACTION",
     "on, off or status: balancers look away; --timeout 5s"},
    {"grants", command_grants, "grants", "the SQL that makes the probe user"},
    {"install", command_install, "install FOLDER", "put dbhealthd-ask there, for exec probes"},
    {"--settings", main_print_settings, "--settings", "the flags, each a variable, too"},
    {"--version", main_print_version, "--version, --help", "the version, this"},
    {"--help", main_print_help, NULL, NULL},
};

static int main_print_help(int argc, char **argv)
{
    (void)argc, (void)argv;
    printf("dbhealthd [FLAG VALUE]...   serve the health of one database server over HTTP\n");
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        if (commands[i].usage != NULL)
            printf("dbhealthd %-17s %s\n", commands[i].usage, commands[i].meaning);
    }
    printf("DATABASE_URL  postgres://USER:PASSWORD@HOST:PORT/DATABASE, mysql://, mariadb://\n");
    printf("or DATABASE_URL_FILE; the password of DATABASE_PASSWORD_FILE wins over the URL's\n");
    return STATUS_WELL;
}

static int main_print_settings(int argc, char **argv)
{
    (void)argc, (void)argv;
    struct setting_row row;
    printf("dbhealthd --listen :8080    or DBHEALTH_LISTEN=:8080; the others likewise\n");
    for (size_t i = 0; settings_row(i, &row); i++)
        printf("  --%-14s %-8s %s\n", row.flag, row.default_text, row.meaning);
    return STATUS_WELL;
}

static int main_print_version(int argc, char **argv)
{
    (void)argc, (void)argv;
    printf("dbhealthd %s\n", DBHEALTH_VERSION);
    return STATUS_WELL;
}

static int main_run_server(int argc, char **argv)
{
    struct command_line line;
    if (!command_line_load(&line, argc, argv, NULL, 0, 0, 0))
        return STATUS_USAGE;
    return serve(&line.settings);
}

// What a command found is worth nothing if it cannot be read.
static int main_run_command(const struct command *command, int argc, char **argv)
{
    int status = command->run(argc, argv);
    if (fflush(stdout) == 0 && !ferror(stdout))
        return status;
    return command_refuse("cannot write to stdout: %s", strerror(errno));
}

int main(int argc, char **argv)
{
    (void)prctl(PR_SET_DUMPABLE, 0); // a certificate's key is in it, and probers have the same user
    sandbox_forbid_rings();
    for (size_t i = 0; argc > 1 && i < sizeof commands / sizeof *commands; i++) {
        if (strcmp(argv[1], commands[i].name) == 0)
            return main_run_command(&commands[i], argc - 1, argv + 1);
    }
    return main_run_server(argc, argv);
}
