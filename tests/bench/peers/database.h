// The least that a client of a database must do to ask what a prober of dbhealthd asks: the same
// statements in the same order, and nothing told but that it went well. What fails ends the
// program. There is one source for each client library.
#pragma once

#include <stdlib.h>

struct database;

// Connects and logs in as the environment says: DATABASE_HOST (an address), DATABASE_PORT,
// DATABASE_USER, DATABASE_PASSWORD and, for Postgres, DATABASE_SSLMODE.
struct database *database_open(void);

// SELECT 1, with the limits and in the transaction that a check of 800 ms has.
void database_ask(struct database *database);

// Says goodbye.
void database_close(struct database *database);

// Of the environment; not there ends the program.
static inline const char *setting(const char *name)
{
    const char *value = getenv(name);
    if (value == NULL)
        abort();
    return value;
}
