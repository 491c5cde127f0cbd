"""How each engine says what the integration tests need: check files, and objects in the server."""

POSTGRES_COUNTER = (
    "CREATE SEQUENCE app.runs",
    "GRANT USAGE ON SCHEMA app TO probe",
    "GRANT USAGE ON SEQUENCE app.runs TO probe",
)
MYSQL_COUNTER = (
    "CREATE TABLE app.runs (id int AUTO_INCREMENT PRIMARY KEY)",
    "CREATE FUNCTION app.count_run() RETURNS int MODIFIES SQL DATA"
    " BEGIN INSERT INTO app.runs VALUES (); RETURN 1; END",
    "GRANT EXECUTE ON FUNCTION app.count_run TO probe@'%'",
)


def check(statement="SELECT 1", **keys):
    """The text of a check file."""
    return "".join(f"-- {key}: {value}\n" for key, value in keys.items()) + statement


def alive(statement="SELECT 1", **keys):
    """A check as the shipped liveness check."""
    return check(statement, endpoints="healthz startupz", tolerate="answered", **keys)


def sleep(server, seconds):
    """A statement that takes so long and then gives something true."""
    if server.engine == "postgres":
        return f"SELECT pg_sleep({seconds}) IS NOT NULL"
    # SLEEP alone swallows its interruption; a second row then sees it.
    return f"SELECT SLEEP({seconds}) = 0 FROM (SELECT 1 UNION SELECT 2) AS two LIMIT 1"


class Counter:
    """An object in the server that counts: a check with `statement`, which needs `writes: yes`, adds
    one by each run. In a block it exists."""

    def __init__(self, server):
        self.server = server
        self.postgres = server.engine == "postgres"
        self.statement = "SELECT nextval('app.runs')" if self.postgres else "SELECT app.count_run()"

    def __enter__(self):
        for statement in POSTGRES_COUNTER if self.postgres else MYSQL_COUNTER:
            self.server.sql(statement)
        return self

    def __exit__(self, *_):
        if self.postgres:
            self.server.sql("DROP SEQUENCE app.runs")
        else:
            self.server.sql("DROP FUNCTION app.count_run")
            self.server.sql("DROP TABLE app.runs")

    def value(self):
        """How many runs there were."""
        if self.postgres:
            return self.server.value("SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM app.runs")
        return self.server.value("SELECT count(*) FROM app.runs")
