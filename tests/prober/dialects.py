"""How each engine says what the conformance tests need."""

from dataclasses import dataclass

from wire import Column, Type

BOOLEAN, NUMBER, STRING = Type.BOOLEAN, Type.NUMBER, Type.STRING


@dataclass(frozen=True)
class Dialect:
    types: tuple  # (SQL expression, type, text)
    columns: tuple  # (SQL expression, type of the column)
    slow: str  # A statement that takes minutes and obeys the server's limit for statements.
    rows: str  # {count} rows of one number from 1 on.
    kill: str  # Ends the session {id}.
    read_only_code: str
    second_statement_code: str
    listen_everywhere: dict  # Settings of a server.
    tls: dict  # Parameters of the URL, by what they ask for.

    def tls_params(self, want, ca=None):
        return {name: ca if value == "CA" else value for name, value in self.tls[want].items()}


_MYSQL_TYPES = (
    ("1", NUMBER, "1"),
    ("-9223372036854775808", NUMBER, "-9223372036854775808"),
    ("18446744073709551615", NUMBER, "18446744073709551615"),
    ("1.50", NUMBER, "1.50"),
    ("1e300", NUMBER, "1e300"),
    ("TRUE", NUMBER, "1"),
    ("FALSE", NUMBER, "0"),
    ("'text'", STRING, "text"),
    ("''", STRING, ""),
    ("'12'", STRING, "12"),
    ("'grün'", STRING, "grün"),
    ("DATE'2024-02-29'", STRING, "2024-02-29"),
    ("CAST('{}' AS CHAR)", STRING, "{}"),
)

_MYSQL_COLUMNS = (
    ("1", Column.PLAIN),
    ("'text'", Column.PLAIN),
    ("NULL", Column.PLAIN),
    ("DATE'2024-02-29'", Column.DATETIME),
    ("TIMESTAMP'2024-02-29 12:00:00'", Column.DATETIME),
    ("NOW(6)", Column.DATETIME),
    ("TIME'100:00:00'", Column.DURATION),
    ("ST_GeomFromText('POINT(1 1)')", Column.OTHER),
)

_MYSQL_ROWS = (
    "WITH RECURSIVE c (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < {count}) SELECT n FROM c"
)

_MYSQL_TLS = {
    "none": {"ssl-mode": "DISABLED"},
    "require": {"ssl-mode": "REQUIRED"},
    "verify": {"ssl-mode": "VERIFY_IDENTITY", "ssl-ca": "CA"},
    "verify-ca": {"ssl-mode": "VERIFY_CA", "ssl-ca": "CA"},
    "prefer": {"ssl-mode": "PREFERRED"},
    "bad": {"ssl-mode": "sometimes"},
}

POSTGRES = Dialect(
    types=(
        ("1", NUMBER, "1"),
        ("2::int2", NUMBER, "2"),
        ("(-9223372036854775808)::int8", NUMBER, "-9223372036854775808"),
        ("1.50::numeric", NUMBER, "1.50"),
        ("'NaN'::numeric", NUMBER, "NaN"),
        ("1e300::float8", NUMBER, "1e+300"),
        ("1.5::float4", NUMBER, "1.5"),
        ("'NaN'::float8", NUMBER, "NaN"),
        ("'-Infinity'::float8", NUMBER, "-Infinity"),
        ("4294967295::oid", NUMBER, "4294967295"),
        ("true", BOOLEAN, "true"),
        ("1 = 2", BOOLEAN, "false"),
        ("'text'", STRING, "text"),
        ("''", STRING, ""),
        ("'12'::text", STRING, "12"),
        ("'grün'", STRING, "grün"),
        ("DATE '2024-02-29'", STRING, "2024-02-29"),
        ("'0/16B3748'::pg_lsn", STRING, "0/16B3748"),
        ("'{}'::jsonb", STRING, "{}"),
    ),
    columns=(
        ("1", Column.PLAIN),
        ("true", Column.PLAIN),
        ("'text'", Column.PLAIN),
        ("'a'::name", Column.PLAIN),
        ("'a'::varchar", Column.PLAIN),
        ("'a'::char(3)", Column.PLAIN),
        ("""'a'::"char" """, Column.PLAIN),
        ("NULL", Column.PLAIN),
        ("date '2024-02-29'", Column.DATE),
        ("timestamp '2024-02-29'", Column.TIMESTAMP),
        ("now()", Column.TIMESTAMP),
        ("time '12:00'", Column.TIME),
        ("interval '1 day'", Column.INTERVAL),
        ("1::money", Column.MONEY),
        ("pg_lsn '0/0'", Column.LSN),
        ("'5'::xid", Column.XID),
        ("'5'::xid8", Column.PLAIN),
        ("'{}'::json", Column.JSON),
        ("'{}'::jsonb", Column.JSON),
        ("array[1]", Column.ARRAY),
        ("array[now()]", Column.ARRAY),
        ("array['a'::name]", Column.ARRAY),
        ("B'1'", Column.BITS),
        ("'1'::varbit", Column.BITS),
        ("timetz '12:00+02'", Column.OTHER),
        ("inet '::1'", Column.OTHER),
        ("gen_random_uuid()", Column.OTHER),
        ("'pg_class'::regclass", Column.OTHER),
    ),
    slow="SELECT pg_sleep(600)",
    rows="SELECT generate_series(1, {count}) AS n",
    kill="SELECT pg_terminate_backend({id})",
    read_only_code="25006",
    second_statement_code="42601",
    listen_everywhere={"listen_addresses": "127.0.0.1, 127.0.0.2"},
    tls={
        "none": {"sslmode": "disable"},
        "require": {"sslmode": "require"},
        "verify": {"sslmode": "verify-full", "sslrootcert": "CA"},
        "verify-ca": {"sslmode": "verify-ca", "sslrootcert": "CA"},
        "prefer": {"sslmode": "prefer"},
        "bad": {"sslmode": "sometimes"},
    },
)

MARIADB = Dialect(
    types=_MYSQL_TYPES,
    columns=_MYSQL_COLUMNS,
    slow="SELECT SLEEP(600)",
    rows=_MYSQL_ROWS,
    kill="KILL CONNECTION {id}",
    read_only_code="1792",
    second_statement_code="1064",
    listen_everywhere={"bind-address": "0.0.0.0"},
    tls=_MYSQL_TLS,
)

MYSQL = Dialect(
    types=_MYSQL_TYPES,
    columns=_MYSQL_COLUMNS,
    # SLEEP alone swallows its interruption and gives 1; the second row then sees it.
    slow="SELECT SLEEP(600) FROM (SELECT 1 UNION SELECT 2) AS two",
    rows=_MYSQL_ROWS,
    kill="KILL CONNECTION {id}",
    read_only_code="1792",
    second_statement_code="1064",
    listen_everywhere={"bind-address": "0.0.0.0"},
    tls=_MYSQL_TLS,
)

DIALECTS = {"postgres": POSTGRES, "mariadb": MARIADB, "mysql": MYSQL}
