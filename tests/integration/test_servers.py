"""The test servers themselves: whether they do what the other tests count on. When these fail, look
here before looking at dbhealthd."""

import contextlib
import itertools
import socket

import pytest
import servers

REPLICATING = [
    pytest.param(kind, id=kind.engine, marks=pytest.mark.xdist_group(f"pair-{kind.engine}"))
    for kind in (servers.Postgres, servers.MariaDB, servers.MySQL)
]
POSTGRES_SSL_REQUEST = bytes.fromhex("0000000804d2162f")


def query(connection, text="SELECT 1"):
    cursor = connection.cursor()
    cursor.execute(text)
    return cursor.fetchone()[0]


def is_refused(server, **options):
    """Whether a login as probe fails."""
    try:
        server.connect(**options).close()
    except server.driver().OperationalError:
        return True
    return False


def test_each_server_answers(server):
    assert query(server.connect()) == 1
    assert server.url().startswith(f"{server.scheme}://probe:probe-secret@127.0.0.1:")


def test_a_wrong_password_is_refused(server):
    assert is_refused(server, password="wrong")


def test_a_paused_server_accepts_and_says_nothing(server):
    assert says_something(server, limit=5)
    with server.paused():
        assert not says_something(server, limit=0.5)
    assert not is_refused(server)


def says_something(server, limit):
    """Whether the server sends a byte within limit seconds to a client that begins as it should."""
    with socket.create_connection((server.host, server.port), limit) as client:
        if server.engine == "postgres":
            client.sendall(POSTGRES_SSL_REQUEST)
        try:
            return bool(client.recv(1))
        except TimeoutError:
            return False


def test_connections_are_counted_from_outside(server):
    servers.wait_until(lambda: server.connections() == 0, "earlier sessions end")
    connection = server.connect()
    assert server.connections() == 1
    assert [session["user"] for session in server.sessions()] == ["probe"]
    connection.close()
    servers.wait_until(lambda: server.connections() == 0, "the session ends")


def test_a_full_server_refuses_and_the_administrator_gets_in(new_server):
    server = new_server(max_connections=10)  # MariaDB takes no less.
    with server.full() as held:
        servers.wait_until(lambda: server.connections() == len(held), "the rest have left")
        assert is_refused(server)
        assert server.value("SELECT 1") == 1
    servers.wait_until(lambda: server.connections() == 0, "all have left")
    assert not is_refused(server)


def test_a_server_comes_back_after_a_stop_and_after_sigkill(new_server):
    server = new_server()
    server.stop()
    assert is_refused(server)
    server.start()
    server.kill9()
    assert not server.alive()
    server.start()
    assert not is_refused(server)
    server.close()
    assert not server.folder.exists()
    assert server not in servers.running()


def test_tls_is_verified_against_our_authority(server):
    made = servers.certificates()
    assert uses_tls(server, made.ca)
    with pytest.raises(server.driver().OperationalError):
        uses_tls(server, made.other_ca)


def uses_tls(server, authority):
    """Logs in over TLS, verifying the server, and asks it whether it sees TLS."""
    if server.engine == "postgres":
        connection = server.connect(sslmode="verify-full", sslrootcert=str(authority))
        return query(connection, "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
    connection = server.connect(ssl={"ca": str(authority)})
    cursor = connection.cursor()
    cursor.execute("SHOW SESSION STATUS LIKE 'Ssl_cipher'")
    return cursor.fetchone()[1]


def test_a_server_without_tls_has_none(new_server):
    server = new_server()
    try:
        assert not uses_tls(server, servers.certificates().ca)
    except server.driver().OperationalError:
        pass


def test_a_paused_backend_holds_its_session_alone(postgres):
    connection = postgres.connect()
    postgres.pause_backend(connection.get_backend_pid())
    assert not is_refused(postgres)
    postgres.resume()
    assert query(connection) == 1


def test_a_recovering_postgres_admits_nobody(new_postgres):
    server = new_postgres(recovering=True)
    mark = server.log_mark()
    assert is_refused(server)
    assert "the database system is not accepting connections" in server.log_since(mark)


def test_hba_lines_can_be_put_before_the_usual_ones(new_postgres):
    server = new_postgres()
    server.set_hba("host all probe all reject")
    assert is_refused(server)
    server.set_hba()
    assert not is_refused(server)


def test_mysql_passwords_are_caching_sha2(mysql):
    plugin = mysql.value("SELECT plugin FROM mysql.user WHERE user = 'probe'")
    assert plugin == "caching_sha2_password"


def test_status_counters_can_be_read(mariadb):
    before = mariadb.status("Com_delete")
    mariadb.sql("DELETE FROM mysql.user WHERE user = 'nobody'")
    assert mariadb.status("Com_delete") == before + 1


def test_pgbouncer_gives_one_server_session_to_all(postgres, new_pgbouncer):
    pool = new_pgbouncer(postgres)
    pids = set()
    for user in ("probe", "app"):
        connection = pool.connect(user)
        connection.autocommit = True
        pids.add(query(connection, "SELECT pg_backend_pid()"))
    assert len(pids) == 1


# A primary and its replica


@pytest.fixture(scope="module", params=REPLICATING)
def pair(request):
    with request.param() as primary:
        primary.sql("CREATE TABLE app.t (n int)")
        with primary.new_replica() as replica:
            yield primary, replica


_numbers = itertools.count(1)


def write(server):
    """Writes a row; gives what the sum of all is then."""
    server.sql(f"INSERT INTO app.t VALUES ({next(_numbers)})")
    return total(server)


def total(server):
    return server.value("SELECT sum(n) FROM app.t")


def wait_caught_up(replica, primary):
    servers.wait_until(lambda: replica.caught_up(primary), "the replica catches up")


def takes_writes(server):
    """Whether it takes them from one who is no administrator."""
    with contextlib.closing(server.connect("app")) as connection:
        try:
            connection.cursor().execute("CREATE TABLE app.takes_writes (n int)")
        except server.driver().Error:
            return False
        connection.cursor().execute("DROP TABLE app.takes_writes")
        return True


def test_a_replica_has_what_the_primary_writes_and_its_users(pair):
    primary, replica = pair
    written = write(primary)
    wait_caught_up(replica, primary)
    assert total(replica) == written
    assert takes_writes(primary) and not takes_writes(replica)
    replica.restart()
    assert not takes_writes(replica)
    written = write(primary)
    wait_caught_up(replica, primary)
    assert total(replica) == written


def test_a_receiver_that_stops_and_starts(pair):
    primary, replica = pair
    replica.stop_receiver()
    before, written = total(replica), write(primary)
    assert (replica.caught_up(primary), total(replica)) == (False, before)
    replica.start_receiver()
    wait_caught_up(replica, primary)
    assert total(replica) == written


def test_a_replay_that_pauses_and_resumes(pair):
    primary, replica = pair
    replica.pause_replay()
    before, written = total(replica), write(primary)
    assert (replica.caught_up(primary), total(replica)) == (False, before)
    replica.resume_replay()
    wait_caught_up(replica, primary)
    assert total(replica) == written


def test_a_promoted_replica_takes_writes_and_the_old_primary_follows_it(pair):
    primary, replica = pair
    replica.pause_replay()
    written = write(primary)
    servers.wait_until(lambda: not replica.has_applied_all(), "the replica receives it")
    replica.promote()
    assert total(replica) == written
    written = write(replica)
    primary.follow(replica)
    assert total(primary) == written
    assert takes_writes(replica) and not takes_writes(primary)
    wait_caught_up(primary, replica)  # That it takes writes was a write.
    primary.promote()
    replica.follow(primary)
    assert takes_writes(primary) and not takes_writes(replica)


def test_a_replica_of_a_server_that_has_one_already(pair):
    primary, _ = pair
    with primary.new_replica(max_connections=40) as second:
        written = write(primary)
        wait_caught_up(second, primary)
        assert total(second) == written


@pytest.mark.xdist_group("pair-postgres")
def test_a_postgres_standby_of_a_standby_through_slots(new_postgres):
    primary = new_postgres()
    primary.sql("CREATE TABLE app.t (n int)")
    with primary.new_replica(slot="one") as replica, replica.new_replica(slot="two") as cascaded:
        slots = "SELECT slot_name, active FROM pg_replication_slots"
        assert (primary.sql(slots), replica.sql(slots)) == ([("one", True)], [("two", True)])
        replica.stop_receiver()
        written = write(primary)
        assert cascaded.is_streaming() and cascaded.caught_up(replica)
        replica.start_receiver()
        wait_caught_up(cascaded, primary)
        assert total(cascaded) == written
        cascaded.stop_receiver()
        cascaded.restart()
        assert not cascaded.is_streaming()
        cascaded.follow(primary)
        assert ("two", True) in primary.sql(slots)
