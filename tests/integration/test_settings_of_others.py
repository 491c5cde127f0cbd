"""An audit: every variable that a role, a database or the whole server can have as its default, at
each of its odd values, changes no verdict of the shipped library; on a server that is well and on
one that is not. What does all the same is in EXCEPTIONS, and the documents say so.

Many variables are tried at once. Where a verdict differs, the half of them that makes it differ is
looked for, and so on. In each round every variable has at most one value, and the rounds are the
same each time."""

import contextlib
import itertools
import random
import re
import threading

import pytest
import servers
import test_library_mysql
import test_library_postgres
from documents import CHECKS, REPOSITORY
from program import Program
from servers import wait_until

AT_ONCE = 50
LIMITS = {"DBHEALTH_TIMEOUT": "10s", "DBHEALTH_DEADLINE": "12s"}  # What is held up takes longer.
REFUSE_ALL = "-1"  # As a limit: the check fails.

EXCEPTIONS = {  # By name, what changes a verdict.
    "postgres": {
        "default_transaction_read_only": {"default_transaction_read_only": "on"},
        "track_activities": {"track_activities": "off"},
        "session_preload_libraries": {"session_preload_libraries": "nonesuch"},
        "local_preload_libraries": {"local_preload_libraries": "nonesuch"},
    },
    "mariadb": {},
    "mysql": {
        "max_user_connections": {"max_user_connections": "1"},
        "max_allowed_packet": {"max_allowed_packet": "1024", "net_buffer_length": "1024"},
    },
}


@pytest.mark.timeout(180)
def test_postgres(build_dir):
    with AuditOfPostgres(build_dir) as audit:
        find_out(audit)


@pytest.mark.timeout(180)
@pytest.mark.parametrize("kind", (servers.MariaDB, servers.MySQL))
def test_mysql(build_dir, kind):
    with AuditOfMySql(build_dir, kind) as audit:
        find_out(audit)


def find_out(audit):
    exceptions = EXCEPTIONS[audit.engine]
    pairs = [(name, value) for name, value in audit.odd_values() if name not in exceptions]
    assert len({name for name, _ in pairs}) > 100
    culprits = [pair for batch in rounds(pairs) for pair in audit.culprits(batch)]
    assert not culprits
    for name, values in exceptions.items():
        assert audit.differences(list(values.items())), name


@pytest.mark.parametrize("name", sorted(set(itertools.chain(*EXCEPTIONS.values()))))
def test_an_exception_is_documented(name):
    assert f"`{name}`" in CHECKS.read_text()
    assert name in (REPOSITORY / "src" / "man" / "dbhealthd-check.5").read_text()


def rounds(pairs):
    """Lists of so many pairs at most, in each of which a name has one value."""
    left = random.Random(1).sample(pairs, len(pairs))
    while left:
        taken = {name: value for name, value in reversed(left)}
        batch = list(taken.items())[:AT_ONCE]
        left = [pair for pair in left if pair not in batch]
        yield batch


def odd_numbers(name, low, high):
    """The ends, none, the least there is; of a limit in ms, what is less than any check's and more
    than a busy machine takes to set another, for what is less may end a session before that."""
    least = 2000 if name.endswith("_timeout") else 1
    return [n for n in dict.fromkeys((low, high, 0, least)) if float(low) <= float(n) <= float(high)]


class Audit:
    """names: of the library's checks. A subclass gives engine, odd_values(), applied(batch), a
    block in which sessions begin with these values, and views(): what is looked at."""

    def __init__(self, build_dir):
        self.program = Program(build_dir)
        self.stack = contextlib.ExitStack()

    def __exit__(self, *exception):
        return self.stack.__exit__(*exception)

    def culprits(self, batch):
        """Those of a batch that change a verdict; more than one where they do it together. They do
        it again: what a busy machine has done they do not."""
        differences = self.differences(batch) and self.differences(batch)
        if not differences or len(batch) == 1:
            return [(*batch[0], differences)] if differences else []
        half = len(batch) // 2
        found = self.culprits(batch[:half]) + self.culprits(batch[half:])
        return found or [(batch, differences)]

    def differences(self, batch):
        with self.applied(batch):
            seen = self.seen()
        return {key: (seen[key], self.usual[key]) for key in seen if seen[key] != self.usual[key]}

    def seen(self):
        """Verdict, and what it is about, by view and check."""
        return {
            (view, name): self.row(ended, name)
            for view, ended in self.views()
            for name in self.names
        }

    @staticmethod
    def row(ended, name):
        verdict, said = ended.row(name)
        return verdict, re.split(r"[ :]", said)[0]

    def check(self, server, **limits):
        library = test_library_postgres if self.engine == "postgres" else test_library_mysql
        variables = {"DATABASE_URL": library.url_of(server), **self.optional, **LIMITS, **limits}
        return self.program.run("check", **variables)


# Postgres

PG_WORDS = {  # Of settings that take some words, and no others.
    "DateStyle": ("SQL, DMY", "German"),
    "TimeZone": ("Pacific/Kiritimati", "-12"),
    "client_encoding": ("LATIN1", "SQL_ASCII"),
    "default_text_search_config": ("pg_catalog.german",),
    "lc_messages": ("C",),
    "lc_monetary": ("C",),
    "lc_numeric": ("C",),
    "lc_time": ("C",),
    "restrict_nonsystem_relation_kind": ("view", "view, foreign-table"),
    "timezone_abbreviations": ("India",),
    "wal_consistency_checking": ("all",),
}
PG_SICK = {
    "MAX_CONNECTIONS_RATIO": "0",
    "MAX_TRANSACTION_SECONDS": "0.001",
    "MAX_LOCK_WAIT_SECONDS": "0",
    "WARN_UNARCHIVED_BYTES": REFUSE_ALL,
    "MAX_RETAINED_BYTES": "0",
    "MIN_STANDBYS": "9",
    "MAX_WRAPAROUND_RATIO": REFUSE_ALL,
    "MAX_LAG_SECONDS": REFUSE_ALL,
}
PG_SICK_STANDBY = {"MAX_LAG_SECONDS": REFUSE_ALL, "MAX_CONNECTIONS_RATIO": "0"}


class AuditOfPostgres(Audit):
    """A primary, with a slot that nobody uses, and its standby. What is set for all roles also
    concerns applications, one of which waits for another's lock on the sick primary."""

    engine = "postgres"
    names = test_library_postgres.NAMES
    optional = test_library_postgres.OPTIONAL

    def __enter__(self):
        settings = test_library_postgres.SETTINGS
        hba = ("host replication all 127.0.0.1/32 trust",)
        primary = servers.Postgres(settings=settings, hba=hba)
        self.primary = self.stack.enter_context(primary)
        test_library_postgres.make_user(self.program.command[-1].parent, primary)
        self.standby = self.stack.enter_context(primary.new_replica())
        self.admins = [self.stack.enter_context(closing_admin(s)) for s in (primary, self.standby)]
        primary.sql("SELECT pg_create_physical_replication_slot('spare', true)")
        primary.sql("CREATE TABLE app.locked (); GRANT ALL ON app.locked TO app")
        test_library_postgres.switch_wal(primary)
        test_library_postgres.commit(primary)
        self.wait_for_standby()
        limits = self.sql("SELECT name FROM pg_settings WHERE name ~ '_timeout$|^default_.*_only$'")
        self.leisure = " ".join(f"-c {name}=0" for (name,) in limits if self.takes(name, 0))
        self.usual = self.seen()
        return self

    def sql(self, text, admin=0):
        """As somebody whose session has begun before."""
        cursor = self.admins[admin].cursor()
        cursor.execute(text)
        return cursor.fetchall() if cursor.description else []

    def odd_values(self):
        settings = self.sql(
            "SELECT name, vartype, min_val, max_val, enumvals FROM pg_settings"
            " WHERE context IN ('user', 'superuser')"
        )
        for name, kind, low, high, words in settings:
            if kind == "bool":
                values = ("on", "off")
            elif kind in ("integer", "real"):
                values = odd_numbers(name, low, high)
            else:
                values = words or PG_WORDS.get(name, ("", "nonsense"))
            yield from ((name, value) for value in values if self.takes(name, value))

    def takes(self, name, value):
        with contextlib.suppress(self.primary.driver().Error):
            self.sql(f"ALTER ROLE ALL SET {name} = '{value}'")
            self.sql(f"ALTER ROLE ALL RESET {name}")
            return True
        return False

    @contextlib.contextmanager
    def applied(self, batch):
        for name, value in batch:
            self.sql(f"ALTER ROLE ALL SET {name} = '{value}'")
        self.wait_for_standby()
        try:
            yield
        finally:
            self.sql("ALTER ROLE ALL RESET ALL")
            self.wait_for_standby()

    def wait_for_standby(self):
        [(written,)] = self.sql("SELECT pg_current_wal_lsn()")
        shown = f"SELECT pg_last_wal_replay_lsn() >= '{written}'"
        wait_until(lambda: self.sql(shown, admin=1) == [(True,)], "the standby has it")

    def views(self):
        yield "primary", self.check(self.primary)
        yield "standby", self.check(self.standby)
        yield "sick standby", self.check(self.standby, **PG_SICK_STANDBY)
        with self.waiting_application():
            yield "sick primary", self.check(self.primary, **PG_SICK)

    @contextlib.contextmanager
    def waiting_application(self):
        lock = "LOCK TABLE app.locked"
        try:
            holder, waiter = (self.primary.connect("app", options=self.leisure) for _ in "12")
        except self.primary.driver().OperationalError:  # Nobody can log in.
            yield
            return
        with contextlib.closing(waiter):
            with contextlib.closing(holder):
                holder.cursor().execute(lock)
                waiting = threading.Thread(target=lambda: waiter.cursor().execute(lock))
                waiting.start()
                count = "SELECT count(*) FROM pg_locks WHERE NOT granted"
                wait_until(lambda: self.sql(count) == [(1,)], "somebody waits")
                yield
            waiting.join()


def closing_admin(server):
    return contextlib.closing(server._admin())


# MySQL and MariaDB

NO_DEFAULTS = ("server_id", "sql_slave_skip_counter", "sql_log_bin")  # Of the server itself.
MY_MODES = (
    "ANSI,ORACLE,POSTGRESQL,MSSQL,DB2,MAXDB,TRADITIONAL,ONLY_FULL_GROUP_BY,PIPES_AS_CONCAT,"
    "ANSI_QUOTES,IGNORE_SPACE,REAL_AS_FLOAT,NO_BACKSLASH_ESCAPES,NO_UNSIGNED_SUBTRACTION,"
    "HIGH_NOT_PRECEDENCE,PAD_CHAR_TO_FULL_LENGTH,EMPTY_STRING_IS_NULL,ALLOW_INVALID_DATES,"
    "NO_AUTO_VALUE_ON_ZERO,TIME_TRUNCATE_FRACTIONAL,TIME_ROUND_FRACTIONAL,SIMULTANEOUS_ASSIGNMENT,"
).split(",")
CHARACTER_SETS = ("latin1", "ucs2", "utf8mb3")
COLLATIONS = ("latin1_german2_ci", "utf8mb4_bin", "utf16_bin")
ENGINES = ("MyISAM", "MEMORY")
MY_WORDS = {
    "sql_mode": MY_MODES,
    "time_zone": ("+12:00", "-12:00"),
    "lc_messages": ("de_DE", "ja_JP"),
    "lc_time_names": ("de_DE", "ar_AE"),
    "session_track_system_variables": ("*", ""),
    "system_versioning_asof": ("2020-01-01 00:00:00",),
    **dict.fromkeys(("character_set_client", "character_set_results"), CHARACTER_SETS),
    **dict.fromkeys(("character_set_connection", "character_set_server"), CHARACTER_SETS),
    **dict.fromkeys(("collation_connection", "collation_server", "collation_database"), COLLATIONS),
    **dict.fromkeys(("default_storage_engine", "default_tmp_storage_engine"), ENGINES),
}
MY_SICK = {
    "MAX_CONNECTIONS_RATIO": "0",
    "MAX_TRANSACTION_SECONDS": REFUSE_ALL,
    "MAX_LOCK_WAIT_SECONDS": REFUSE_ALL,
    "MAX_HISTORY": REFUSE_ALL,
    "WARN_BINLOG_SECONDS": "999999999",
    "MAX_LAG_SECONDS": REFUSE_ALL,
}
MOST_WORDS = 16  # Of a variable of MySQL whose words are numbered.


class AuditOfMySql(Audit):
    """A primary and its replica."""

    names = sorted(test_library_mysql.shipped())
    optional = {"DBHEALTH_ENABLE": test_library_mysql.OPTIONAL}

    def __init__(self, build_dir, kind):
        super().__init__(build_dir)
        self.kind = kind
        self.engine = kind.engine

    def __enter__(self):
        settings = {"performance-schema": "ON", "binlog-expire-logs-seconds": 604800}
        self.primary = self.stack.enter_context(self.kind(settings=settings))
        test_library_mysql.grant(self.primary, self.program)
        self.replica = self.stack.enter_context(self.primary.new_replica())
        pair = (self.primary, self.replica)
        self.admins = [self.stack.enter_context(closing_admin(server)) for server in pair]
        self.usual = self.seen()
        return self

    def sql(self, text):
        """Gives the primary's rows."""
        for admin in reversed(self.admins):
            cursor = admin.cursor()
            cursor.execute(text)
        return cursor.fetchall()

    def odd_values(self):
        for name, *description in self.variables():
            if name not in NO_DEFAULTS:
                values = MY_WORDS.get(name) or self.values(name, *description)
                yield from ((name, value) for value in values if self.takes(name, value))

    def variables(self):
        """Name, type, least and largest value, and words."""
        if self.engine == "mysql":
            return self.sql(
                "SELECT variable_name, UPPER(data_type), min_value, max_value, ''"
                " FROM performance_schema.variables_metadata WHERE variable_scope = 'SESSION'"
            )
        return self.sql(
            "SELECT LOWER(variable_name), variable_type, numeric_min_value, numeric_max_value,"
            " enum_value_list FROM information_schema.system_variables"
            " WHERE variable_scope = 'SESSION' AND read_only = 'NO'"
        )

    @staticmethod
    def values(name, kind, low, high, words):
        if kind == "BOOLEAN":
            return ("0", "1")
        if re.search("INT|DOUBLE|NUMERIC", kind):
            return [f"{float(n):.0f}" for n in odd_numbers(name, low, high)]
        if kind == "FLAGSET":
            flags = [word for word in words.split(",") if word != "default"]
            return [",".join(f"{flag}={state}" for flag in flags) for state in ("on", "off")]
        if words:
            return words.split(",")
        numbered = kind in ("ENUMERATION", "SET")
        return [str(number) for number in range(MOST_WORDS)] if numbered else ("", "nonsense")

    def takes(self, name, value):
        with contextlib.suppress(self.primary.driver().Error):
            with self.applied([(name, value)]):
                return True
        return False

    @contextlib.contextmanager
    def applied(self, batch):
        before = [(name, self.sql(f"SELECT @@global.{name}")[0][0]) for name, _ in batch]
        self.set(batch)
        try:
            yield
        finally:
            self.set(before)

    def set(self, pairs):
        for name, value in pairs:
            plain = re.fullmatch(r"-?[0-9.]+", str(value))
            literal = "NULL" if value is None else value if plain else f"'{value}'"
            self.sql(f"SET GLOBAL {name} = {literal}")

    def views(self):
        for server in (self.primary, self.replica):
            yield server.name, self.check(server)
            yield f"sick {server.name}", self.check(server, **MY_SICK)
