// A peer: connects, asks and leaves, as often as each line of standard input says, in this one
// process; a line on standard output tells that it is done. Nothing that logs in anew can cost
// less.
#include "database.h"

#include <stdio.h>

int main(void)
{
    char line[32];
    while (fgets(line, sizeof line, stdin) != NULL) {
        unsigned long count = strtoul(line, NULL, 10);
        for (unsigned long i = 0; i < count; i++) {
            struct database *database = database_open();
            database_ask(database);
            database_close(database);
        }
        (void)puts("done");
        (void)fflush(stdout);
    }
    return EXIT_SUCCESS;
}
