// dbhealthd: the command line. Only what keeps it from serving ends it here, with status 2.
#include "server/serve.h"

#include <stdio.h>
#include <string.h>

enum { EXIT_USAGE = 2 };

static int print_help(void)
{
    printf("dbhealthd serves the health of one Postgres, MySQL or MariaDB server over HTTP.\n"
           "\n"
           "usage: dbhealthd [FLAG VALUE]...\n"
           "\n"
           "  DATABASE_URL            postgres://USER:PASSWORD@HOST:PORT/DATABASE, mysql://, ...\n"
           "  DATABASE_URL_FILE       a file with that URL, instead\n"
           "  DATABASE_PASSWORD_FILE  a file with the password, read at every login\n"
           "\n"
           "  flag          or variable          default  meaning\n");
    settings_print(stdout);
    return 0;
}

int main(int argc, char **argv)
{
    struct settings settings;
    struct error error;
    if (argc == 2 && strcmp(argv[1], "--help") == 0)
        return print_help();
    if (argc == 2 && strcmp(argv[1], "--version") == 0) {
        printf("dbhealthd %s\n", DBHEALTH_VERSION);
        return 0;
    }
    if (!settings_load(&settings, argc, argv, &error)) {
        fprintf(stderr, "dbhealthd: %s\n", error.text);
        settings_clear(&settings);
        return EXIT_USAGE;
    }
    return serve(&settings);
}
