// See database.h: libpq.
#include "database.h"

#include <libpq-fe.h>
#include <stdbool.h>
#include <stdio.h>

// As src/prober/postgres.c sends them.
static const char *const statements[] = {
    "BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY",
    "SET LOCAL statement_timeout = 700",
    "SET LOCAL lock_timeout = 613",
    "SET LOCAL search_path = pg_catalog",
    "SET LOCAL idle_in_transaction_session_timeout = '10s'",
    "SELECT 1",
    "COMMIT",
};

enum { STATEMENTS = sizeof statements / sizeof *statements };

static PGconn *connection_of(struct database *database)
{
    return (PGconn *)database;
}

static void fail(PGconn *connection)
{
    (void)fprintf(stderr, "%s", PQerrorMessage(connection));
    exit(EXIT_FAILURE);
}

struct database *database_open(void)
{
    const char *const names[] = {"hostaddr", "port",
                                 "user",     "password",
                                 "dbname",   "gssencmode",
                                 "sslmode",  "client_encoding",
                                 "passfile", "connect_timeout",
                                 NULL};
    const char *const values[] = {setting("DATABASE_HOST"),
                                  setting("DATABASE_PORT"),
                                  setting("DATABASE_USER"),
                                  setting("DATABASE_PASSWORD"),
                                  "postgres",
                                  "disable",
                                  setting("DATABASE_SSLMODE"),
                                  "UTF8",
                                  "/nonexistent",
                                  "10",
                                  NULL};
    PGconn *connection = PQconnectdbParams(names, values, 0);
    if (PQstatus(connection) != CONNECTION_OK || PQenterPipelineMode(connection) != 1)
        fail(connection);
    return (struct database *)connection;
}

// The results of one statement, up to the NULL behind them.
static void read_statement(PGconn *connection)
{
    PGresult *result;
    while ((result = PQgetResult(connection)) != NULL) {
        ExecStatusType status = PQresultStatus(result);
        if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
            fail(connection);
        PQclear(result);
    }
}

void database_ask(struct database *database)
{
    PGconn *connection = connection_of(database);
    bool sent = true;
    for (int i = 0; i < STATEMENTS && sent; i++)
        sent = PQsendQueryParams(connection, statements[i], 0, NULL, NULL, NULL, NULL, 0) == 1;
    if (!sent || PQpipelineSync(connection) != 1)
        fail(connection);
    for (int i = 0; i < STATEMENTS; i++)
        read_statement(connection);
    PQclear(PQgetResult(connection)); // the synchronisation point
}

void database_close(struct database *database)
{
    PQfinish(connection_of(database));
}
