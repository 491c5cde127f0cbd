// See database.h: Connector/C.
#include "database.h"

#include <mysql.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

struct database {
    MYSQL *connection;
    bool limited; // the session has been told its limits
};

static void fail(MYSQL *connection)
{
    (void)fprintf(stderr, "%s\n", mysql_error(connection));
    exit(EXIT_FAILURE);
}

static void query(MYSQL *connection, const char *sql)
{
    if (mysql_real_query(connection, sql, strlen(sql)) != 0)
        fail(connection);
}

struct database *database_open(void)
{
    struct database *database = malloc(sizeof *database);
    MYSQL *connection = mysql_init(NULL);
    unsigned port = (unsigned)strtoul(setting("DATABASE_PORT"), NULL, 10);
    if (database == NULL || connection == NULL)
        abort();
    (void)mysql_options(connection, MYSQL_SET_CHARSET_NAME, "utf8mb4");
    if (mysql_real_connect(connection, setting("DATABASE_HOST"), setting("DATABASE_USER"),
                           setting("DATABASE_PASSWORD"), NULL, port, NULL, 0) == NULL)
        fail(connection);
    *database = (struct database){.connection = connection};
    return database;
}

// As src/prober/mysql.c sends them, once in a session.
static void limit(MYSQL *connection)
{
    bool is_mariadb = strstr(mysql_get_server_info(connection), "MariaDB") != NULL;
    query(connection, "SET SESSION TRANSACTION READ ONLY");
    query(connection, is_mariadb ? "SET SESSION autocommit = 1, lock_wait_timeout = 1, "
                                   "innodb_lock_wait_timeout = 1, max_statement_time = 0.700"
                                 : "SET SESSION autocommit = 1, lock_wait_timeout = 1, "
                                   "innodb_lock_wait_timeout = 1, max_execution_time = 700");
}

void database_ask(struct database *database)
{
    MYSQL *connection = database->connection;
    if (!database->limited)
        limit(connection);
    database->limited = true;
    query(connection, "SELECT 1");
    MYSQL_RES *rows = mysql_use_result(connection);
    while (mysql_fetch_row(rows) != NULL)
        ;
    mysql_free_result(rows);
}

void database_close(struct database *database)
{
    mysql_close(database->connection);
    free(database);
}
