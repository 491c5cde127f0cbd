"""A real HAProxy, with the documented configuration, before a primary and its replica, or two nodes
of a Galera cluster: SQL gets to the right one whatever becomes of them."""

import contextlib
import functools
import os
import re
import signal
import subprocess
import threading

import pytest
from documents import FRONT_PAGE, KUBERNETES, blocks
from haproxy import PROGRAM, HAProxy, bare_config
from servers import Galera, MariaDB, MySQL, Postgres, free_port, wait_until

pytestmark = pytest.mark.timeout(120)  # The first test of an engine starts two servers too.

LIMIT = 30  # For what takes many steps: HAProxy's checks, the adapter's, a server's start.
MOST_QUERIES = 5000  # Far more than any test takes.


def documented_config(kind=None):
    """For one primary, or with those backends instead that are for a kind of its own."""
    text, cluster, agents = blocks("haproxy", [KUBERNETES])
    if not kind:
        return text
    backends = {"cluster": cluster, "agents": agents}[kind]
    for section in re.split(r"\n\n", backends.strip()):
        name = section.splitlines()[0]
        text = put(text, {rf"(?ms)^{name}\n.*?(?:\n(?=\n)|\Z)": escaped(section) + "\n"})
    return re.sub(r".* server db3 .*\n", "", text)


def escaped(replacement):
    """A backslash in it is none to put()."""
    return replacement.replace("\\", r"\\")


# A primary and its replica. A test that exchanges the roles says so to the pair.


class Pair:
    kind = None  # Of the documented configuration.

    def __init__(self, server):
        self._server = server
        self._servers = contextlib.ExitStack()

    def start(self):
        """Makes two new servers, in place of any that it had."""
        self.close()
        self.primary = self._servers.enter_context(self._server())
        self._write("CREATE TABLE app.writes (id int)")
        self.replica = self._servers.enter_context(self._second())
        self.names = {"db1": self.primary, "db2": self.replica}

    def close(self):
        self._servers.close()

    def exchange_roles(self):
        self.primary, self.replica = self.replica, self.primary

    def is_well(self):
        """Whether what the primary writes gets to the replica."""
        with contextlib.suppress(self.primary.driver().Error, TimeoutError):
            self._write("INSERT INTO app.writes VALUES (0)")
            wait_until(lambda: self.replica.caught_up(self.primary), "the replica catches up")
            return True
        return False

    def _second(self):
        return self.primary.new_replica()

    def _write(self, statement):
        with contextlib.closing(self.primary.connect("app")) as connection:
            connection.cursor().execute(statement)
            connection.commit()


class Cluster(Pair):
    """Two nodes, both of which take writes: the primary is the one that writers shall get to."""

    kind = "cluster"

    def __init__(self):
        super().__init__(Galera)

    def _second(self):
        return self.primary.new_member()


def of(kind):
    group = pytest.mark.xdist_group(f"haproxy-{kind.engine}")
    return pytest.param(kind, id=kind.engine, marks=group)


@pytest.fixture(scope="module", params=map(of, (Postgres, MariaDB, MySQL)))
def pair_of_all(request):
    pair = Pair(request.param)
    try:
        pair.start()
        yield pair
    finally:
        pair.close()


@pytest.fixture
def pair(pair_of_all):
    """The same for all tests of an engine, but anew after one that left it broken."""
    if not pair_of_all.is_well():
        pair_of_all.start()
    return pair_of_all


only_postgres = pytest.mark.parametrize("pair_of_all", [of(Postgres)], indirect=True)


# HAProxy before them


def put(text, changes):
    """The text with each pattern replaced, which must be there."""
    for pattern, replacement in changes.items():
        assert re.search(pattern, text), f"no {pattern} in the configuration"
        text = re.sub(pattern, replacement, text)
    return text


class Balancer:
    """HAProxy before a pair, as applications see it, and the adapters that it asks."""

    port_of_checks, text, kind = 8080, None, None  # The text is the documented one, unless told.

    def __init__(self, pair, adapters, folder, changes):
        self.pair = pair
        self.adapters = adapters
        self.writes, self.reads = free_port(), free_port()
        self.proxy = HAProxy(folder, put(self._config(folder), changes))

    def _config(self, folder):
        """Its intervals are shorter, for tests are in a hurry, and its limits
        are longer, for nothing here is about a slow machine."""
        servers = {
            rf"{name} 10\.0\.0\.\d:\d+(.*) check port {self.port_of_checks}": (
                rf"{name} {server.host}:{server.port}\1 check port {self.adapters[server].port}"
            )
            for name, server in self.pair.names.items()
        }
        return put(
            self.text or documented_config(self.kind or self.pair.kind),
            {
                r"(bind) \*?:5000": rf"\1 127.0.0.1:{self.writes}",
                r"(bind) \*?:5001": rf"\1 127.0.0.1:{self.reads}",
                r"/run/haproxy/admin\.sock": str(HAProxy.socket_in(folder)),
                r"\b((?:down)?inter) \d+s": r"\1 200ms",
                r"\b(timeout (?:check|connect)) \d+s": r"\1 20s",
                **servers,
            },
        )

    def wait_for(self, **backends):
        """Waits until each backend has these servers."""
        for backend, servers in backends.items():
            wait_until(lambda: self._up(backend) == set(servers), f"{backend}: {servers}", LIMIT)

    def wait_roles(self):
        """Waits until HAProxy knows what the servers are."""
        self.wait_for(primary=[self.pair.primary], replicas=[self.pair.replica])

    def sessions(self, backend, server):
        return self.proxy.sessions(backend, self.name(server))

    def name(self, server):
        [name] = [name for name, named in self.pair.names.items() if named is server]
        return name

    def write(self):
        """Writes a row; gives the server that took it."""
        with self.writer() as session:
            session.run("INSERT INTO app.writes VALUES (1)")
            return session.server()

    def read(self):
        """Gives the server that answers a reader."""
        with self.reader() as session:
            return session.server()

    def refuses_writers(self):
        try:
            self.writer().close()
        except self.pair.primary.driver().OperationalError:
            return True
        return False

    def writer(self):
        return Session(self.pair, self.writes)

    def reader(self):
        return Session(self.pair, self.reads)

    def _up(self, backend):
        return {self.pair.names[name] for name in self.proxy.up(backend)}


class Session:
    """An application's connection through HAProxy."""

    def __init__(self, pair, port):
        self.pair = pair
        self.connection = pair.primary.connect("app", port=port)
        postgres = pair.primary.engine == "postgres"
        self._where = "SELECT inet_server_port()" if postgres else "SELECT @@port"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.connection.close()

    def run(self, statement):
        """Runs it in a transaction of its own; gives the first row, if there are any."""
        cursor = self.connection.cursor()
        cursor.execute(statement)
        row = cursor.fetchone() if cursor.description else None
        self.connection.commit()
        return row

    def server(self):
        """The server that it got to."""
        [port] = self.run(self._where)
        [found] = [server for server in self.pair.names.values() if server.port == port]
        return found

    def is_cut(self):
        """Whether it has been ended; if not, it waits for the server's answer."""
        try:
            self.server()
        except self.pair.primary.driver().Error:
            return True
        return False


class Readers:
    """In a block a thread reads, each time over a new connection. served are the servers that it
    got to, errors what went wrong."""

    def __init__(self, balancer):
        self.served, self.errors = [], []
        self._balancer = balancer
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._read, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._ended.set()
        self._thread.join()

    def wait_served(self, server):
        """Waits until queries that begin from now on get to that server."""
        before = len(self.served) + 1
        served = self.served
        wait_until(lambda: server in served[before:] or self.errors, "readers get there", LIMIT)

    def _read(self):
        while not self._ended.is_set() and len(self.served) < MOST_QUERIES:
            try:
                self.served.append(self._balancer.read())
            except Exception as error:
                self.errors.append(error)
                return


@pytest.fixture
def balance(balance_before, pair):
    """balance() starts an adapter beside each server of the pair and HAProxy before them. changes
    are made to its configuration: patterns and what stands there instead."""
    return functools.partial(balance_before, pair)


@pytest.fixture
def balance_before(adapter, tmp_path, log_on_failure, request):
    def start(pair, changes=None, kind=Balancer, **options):
        adapters = {server: adapter_of(server, **options) for server in pair.names.values()}
        balancer = kind(pair, adapters, tmp_path, changes or {})
        log_on_failure("HAProxy", balancer.proxy.log)
        balancer.proxy.start()
        request.addfinalizer(balancer.proxy.end)
        return balancer

    def adapter_of(server, **options):
        file = drain_file(tmp_path, server)
        settings = {"DBHEALTH_CACHE": "100ms", "DBHEALTH_DRAIN_FILE": str(file), **options}
        return adapter(server.url(), **settings)

    return start


def drain_file(folder, server):
    return folder / f"drain-{server.name}"


def test_the_front_page_shows_a_part_of_it():
    [part] = blocks("haproxy", [FRONT_PAGE])
    section = documented_config().partition("\nbackend primary\n")[2].partition("\n\n")[0]
    assert part.splitlines()[0] == "backend primary"
    assert set(part.splitlines()[1:]) <= set(section.splitlines())


@pytest.mark.parametrize("kind", (None, "cluster", "agents"))
def test_the_documented_configuration_has_no_fault(tmp_path, kind):
    (tmp_path / "haproxy.cfg").write_text(documented_config(kind))
    command = (PROGRAM, "-c", "-dW", "-f", tmp_path / "haproxy.cfg")
    ended = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT, check=False)
    assert ended.returncode == 0, ended.stderr


# Roles that move


def test_sql_follows_the_role_when_the_primary_stops(balance, pair):
    lb = balance()
    old, new = pair.primary, pair.replica
    lb.wait_roles()
    assert (lb.write(), lb.read()) == (old, new)
    with lb.reader() as reader:
        old.stop()
        lb.wait_for(primary=[], replicas=[], any=[new])
        assert lb.refuses_writers()
        assert lb.read() == new
        new.promote()
        lb.wait_for(primary=[new], replicas=[])
        assert (lb.write(), lb.read()) == (new, new)
        assert reader.server() == new  # It began with a replica, which went on.
    old.start()
    lb.wait_for(primary=[old, new])
    assert lb.refuses_writers()
    old.follow(new)
    pair.exchange_roles()
    lb.wait_roles()
    assert (lb.write(), lb.read()) == (new, old)


def test_sql_follows_the_role_when_it_is_given_away(balance, pair):
    """The old primary runs on all the time, and a writer's session would too, if HAProxy didn't cut
    it; but that Postgres has to start again to become a replica."""
    lb = balance()
    old, new = pair.primary, pair.replica
    lb.wait_roles()
    with lb.writer() as writer:
        assert writer.server() == old
        new.promote()
        lb.wait_for(primary=[old, new])
        assert lb.refuses_writers()
        assert writer.server() == old
        old.follow(new)
        pair.exchange_roles()
        lb.wait_roles()
        wait_until(lambda: lb.sessions("primary", old) == 0, "the session is cut")
        assert writer.is_cut()
    assert (lb.write(), lb.read()) == (new, old)


@only_postgres
def test_writers_of_a_frozen_primary_are_cut(balance, pair):
    lb = balance(DBHEALTH_TIMEOUT="1s")
    lb.wait_roles()
    with lb.writer() as writer:
        assert writer.server() == pair.primary
        pair.primary.pause_all()
        lb.wait_for(primary=[])
        wait_until(lambda: lb.sessions("primary", pair.primary) == 0, "the session is cut")
        assert writer.is_cut()
    pair.primary.resume()
    lb.wait_roles()
    assert lb.write() == pair.primary


@only_postgres
def test_nobody_writes_before_haproxy_has_asked(balance, pair):
    """For until then it takes all servers for up."""
    lb = balance()
    lb.wait_roles()
    lb.proxy.end()
    for adapter in lb.adapters.values():
        os.kill(adapter.server, signal.SIGSTOP)
    lb.proxy.start()
    assert lb.proxy.unchecked("primary") == pair.names.keys()
    assert lb.refuses_writers()
    for adapter in lb.adapters.values():
        os.kill(adapter.server, signal.SIGCONT)
    lb.wait_roles()
    assert lb.write() == pair.primary


def test_the_primary_may_have_its_share_of_the_readers(balance, pair):
    lb = balance({"GET /replica": "GET /read-only"})
    lb.wait_for(primary=[pair.primary], replicas=[pair.primary, pair.replica])
    with lb.reader() as first, lb.reader() as second:
        assert {first.server(), second.server()} == {pair.primary, pair.replica}


# A cluster whose every member takes writes


@pytest.fixture
def cluster():
    nodes = Cluster()
    try:
        nodes.start()
        yield nodes
    finally:
        nodes.close()


@pytest.mark.xdist_group("galera")
def test_a_cluster_has_one_writer_and_many_readers(balance_before, cluster):
    lb = balance_before(cluster)
    first, second = cluster.primary, cluster.replica
    both = [first, second]
    lb.wait_for(primary=both, replicas=both, any=both)
    assert {lb.write() for _ in range(4)} == {first}
    with lb.reader() as one, lb.reader() as other:
        assert {one.server(), other.server()} == set(both)
    with lb.writer() as writer:
        assert writer.server() == first
        with contextlib.closing(first.connect("root", unix_socket=str(first.socket))) as backup:
            backup.cursor().execute("FLUSH TABLES WITH READ LOCK")
            lb.wait_for(primary=[second], replicas=[second], any=[second])
            wait_until(lambda: lb.sessions("primary", first) == 0, "the session is cut")
            assert writer.is_cut()
            assert (lb.write(), lb.read()) == (second, second)
            held = lb.writer()
        lb.wait_for(primary=both, replicas=both)
    wait_until(lambda: lb.sessions("primary", second) == 0, "the writer comes back")
    assert held.is_cut() and lb.write() == first
    held.close()
    first.kill9()  # Half is no quorum.
    lb.wait_for(primary=[], replicas=[], any=[])
    assert lb.refuses_writers()


# Draining


def test_a_drained_replica_is_left_by_its_readers_and_loses_none(balance, pair, tmp_path):
    lb = balance()
    primary, replica = pair.primary, pair.replica
    file = drain_file(tmp_path, replica)
    lb.wait_roles()
    with Readers(lb) as readers:
        readers.wait_served(replica)
        with lb.reader() as reader:
            assert reader.server() == replica
            file.touch()
            lb.wait_for(primary=[primary], replicas=[])
            readers.wait_served(primary)
            assert reader.server() == replica  # What it has begun it may finish.
        wait_until(lambda: lb.sessions("replicas", replica) == 0, "the last reader has left")
        replica.stop()
        readers.wait_served(primary)
        replica.start()
        file.unlink()
        lb.wait_roles()
        readers.wait_served(replica)
    assert not readers.errors
    assert set(readers.served) == {primary, replica}


@only_postgres
def test_an_adapter_that_ends_takes_its_replica_out_first(balance, pair):
    """As when a Pod is deleted: SIGTERM to the adapter, then to the server."""
    lb = balance(DBHEALTH_DRAIN="1h")
    primary, replica = pair.primary, pair.replica
    lb.wait_roles()
    with Readers(lb) as readers:
        readers.wait_served(replica)
        lb.adapters[replica].signal(signal.SIGTERM)
        lb.wait_for(primary=[primary], replicas=[])
        wait_until(lambda: lb.sessions("replicas", replica) == 0, "the last reader has left")
        replica.stop()
        assert lb.adapters[replica].wait() == 0
        readers.wait_served(primary)
    assert not readers.errors
    replica.start()


def test_writers_of_a_drained_primary_are_cut(balance, pair, tmp_path):
    lb = balance()
    lb.wait_roles()
    with lb.writer() as writer:
        assert writer.server() == pair.primary
        drain_file(tmp_path, pair.primary).touch()
        lb.wait_for(primary=[])
        wait_until(lambda: lb.sessions("primary", pair.primary) == 0, "the session is cut")
        assert writer.is_cut()
    assert lb.refuses_writers()


# Agent checks


class AgentBalancer(Balancer):
    kind = "agents"

    def _config(self, folder):
        ports = {
            rf"( server {name} .*) agent-port 8081": rf"\1 agent-port {adapter.agent_port}"
            for name, server in self.pair.names.items()
            for adapter in [self.adapters[server]]
        }
        return put(super()._config(folder), ports)

    def wait_states(self, **backends):
        """Waits until the primary and the replica are in these states in each backend, by the word
        of their agents."""
        names = (self.name(self.pair.primary), self.name(self.pair.replica))
        for backend, states in backends.items():
            wanted = dict(zip(names, states.split()))
            wait_until(
                lambda: self.proxy.states(backend) == wanted, f"{backend}: {wanted}", LIMIT
            )

    def weight(self, server):
        return self.proxy.weight("replicas", self.name(server))

    def downs(self, server):
        """How often it went down or into maintenance in each backend."""
        name = self.name(server)
        return [self.proxy.downs(backend, name) for backend in ("primary", "replicas")]


AGENT = {"kind": AgentBalancer, "DBHEALTH_AGENT_LISTEN": "127.0.0.1:0"}


@only_postgres
def test_by_agent_checks_roles_move_and_nobody_is_down_for_a_role(balance, pair):
    lb = balance(**AGENT)
    old, new = pair.primary, pair.replica
    lb.wait_states(primary="UP MAINT", replicas="MAINT UP")
    assert (lb.write(), lb.read()) == (old, new)
    with lb.writer() as writer:
        assert writer.server() == old
        new.promote()
        lb.wait_states(primary="UP UP", replicas="MAINT MAINT")
        assert lb.refuses_writers()  # Two believe it.
        old.follow(new)
        pair.exchange_roles()
        lb.wait_states(primary="UP MAINT", replicas="MAINT UP")
        assert writer.is_cut()
    assert (lb.write(), lb.read()) == (new, old)
    # What ran all the time has entered maintenance once in each; the other one started anew.
    assert lb.downs(new) == [1, 1]
    assert f"/{lb.name(new)} is DOWN" not in lb.proxy.log.read_text()


@only_postgres
def test_by_agent_checks_a_replica_that_lags_gets_less_and_one_cut_off_nothing(balance, pair):
    lb = balance(MAX_LAG_SECONDS="3600", **AGENT)
    primary, replica = pair.primary, pair.replica
    lb.wait_states(replicas="MAINT UP")
    wait_until(lambda: lb.weight(replica) == 100, "it has its full weight", LIMIT)
    replica.pause_replay()
    primary.sql("SELECT txid_current()")  # Its commit is what the replica lacks.
    wait_until(lambda: 0 < lb.weight(replica) <= 50, "it gets half of it", LIMIT)
    replica.resume_replay()
    wait_until(lambda: lb.weight(replica) == 100, "it has its full weight again", LIMIT)
    replica.stop_receiver()
    lb.wait_states(replicas="MAINT DOWN")
    reason = "replica: wal_receivers 0 <3C> 1"  # HAProxy writes < so.
    assert f"agent : down ({reason})" in lb.proxy.log.read_text()
    assert lb.read() == primary
    replica.start_receiver()
    lb.wait_states(replicas="MAINT UP")


@only_postgres
def test_by_agent_checks_a_drain_loses_nobody(balance, pair, tmp_path):
    lb = balance(**AGENT)
    primary, replica = pair.primary, pair.replica
    lb.wait_states(primary="UP MAINT", replicas="MAINT UP")
    downs = lb.downs(primary), lb.downs(replica)
    with Readers(lb) as readers, lb.writer() as writer:
        readers.wait_served(replica)
        with lb.reader() as reader:
            assert reader.server() == replica
            drain_file(tmp_path, replica).touch()
            lb.wait_states(primary="UP MAINT", replicas="MAINT DRAIN")
            readers.wait_served(primary)
            assert reader.server() == replica  # What it has begun it may finish.
        wait_until(lambda: lb.sessions("replicas", replica) == 0, "the last reader has left")
        drain_file(tmp_path, replica).unlink()
        lb.wait_states(replicas="MAINT UP")
        readers.wait_served(replica)
        drain_file(tmp_path, primary).touch()
        lb.wait_states(primary="DRAIN MAINT")
        assert lb.refuses_writers()
        assert writer.server() == primary  # Unlike by health checks.
        drain_file(tmp_path, primary).unlink()
        lb.wait_states(primary="UP MAINT")
    assert not readers.errors
    assert (lb.downs(primary), lb.downs(replica)) == downs


# A configuration that was written for Patroni

PATRONI = """\
global
    maxconn 100
    stats socket /run/haproxy/admin.sock mode 660 level admin
    log stdout format raw daemon

defaults
    log global
    mode tcp
    retries 2
    timeout client 30m
    timeout connect 4s
    timeout server 30m
    timeout check 5s

listen primary
    bind *:5000
    option httpchk OPTIONS /master
    http-check expect status 200
    default-server inter 3s fall 3 rise 2 on-marked-down shutdown-sessions
    server db1 10.0.0.1:5432 maxconn 100 check port 8008
    server db2 10.0.0.2:5432 maxconn 100 check port 8008

listen replicas
    bind *:5001
    balance roundrobin
    option httpchk GET /replica?lag=10MB
    http-check expect status 200
    default-server inter 3s fall 3 rise 2
    server db1 10.0.0.1:5432 maxconn 100 check port 8008
    server db2 10.0.0.2:5432 maxconn 100 check port 8008

backend leader
    option httpchk HEAD /leader HTTP/1.1\\r\\nHost:\\ patroni
    server db1 10.0.0.1:5432 check port 8008
    server db2 10.0.0.2:5432 check port 8008

backend writers
    option httpchk
    http-check send meth GET uri /read-write ver HTTP/1.1 hdr Host patroni
    server db1 10.0.0.1:5432 check port 8008
    server db2 10.0.0.2:5432 check port 8008

backend readers
    option httpchk OPTIONS /read-only
    server db1 10.0.0.1:5432 check port 8008
    server db2 10.0.0.2:5432 check port 8008

backend any
    option httpchk GET /health
    server db1 10.0.0.1:5432 check port 8008
    server db2 10.0.0.2:5432 check port 8008
"""


def patroni():
    """HAProxy 3 has forgotten how one once gave a Host."""
    told = subprocess.run([PROGRAM, "-v"], capture_output=True, text=True, check=True).stdout
    knows = int(re.search(r"version (\d+)", told)[1]) < 3
    return PATRONI if knows else PATRONI.replace(" HTTP/1.1\\r\\nHost:\\ patroni", "")


class PatroniBalancer(Balancer):
    """Before adapters in the place of Patroni's API."""

    port_of_checks, text = 8008, patroni()

    def wait_roles(self):
        primary, replica = [self.pair.primary], [self.pair.replica]
        self.wait_for(primary=primary, leader=primary, writers=primary, replicas=replica)
        self.wait_for(readers=primary + replica, any=primary + replica)


@only_postgres
def test_what_was_written_for_patroni_works_unchanged(balance, pair):
    lb = balance(kind=PatroniBalancer, MAX_LAG_SECONDS="3600")
    old, new = pair.primary, pair.replica
    lb.wait_roles()
    assert (lb.write(), lb.read()) == (old, new)
    new.pause_replay()
    old.sql("SELECT pg_logical_emit_message(false, 'a', repeat('a', 11 * 1024 * 1024))")
    old.sql("SELECT pg_switch_wal()")
    lb.wait_for(replicas=[], readers=[old, new])
    assert lb.adapters[new].status_of("/standby?lag=1GB") == 200
    assert lb.adapters[new].status_of("/secondary?lag=10+MB") == 503
    new.resume_replay()
    lb.wait_roles()
    with lb.writer() as writer:
        assert writer.server() == old
        old.stop()
        lb.wait_for(primary=[], leader=[], writers=[], replicas=[], any=[new])
        assert lb.refuses_writers() and writer.is_cut()
    new.promote()
    lb.wait_for(primary=[new], leader=[new], writers=[new], replicas=[], readers=[new])
    assert lb.write() == new
    old.start()
    old.follow(new)
    pair.exchange_roles()
    lb.wait_roles()
    assert (lb.write(), lb.read()) == (new, old)


# The simplest configuration

def test_httpchk_without_more_asks_for_readiness(
    adapter, postgres, tmp_path, log_on_failure, request
):
    """By OPTIONS / HTTP/1.0, without a Host."""
    file = tmp_path / "drain"
    a = adapter(postgres.url(), DBHEALTH_DRAIN_FILE=str(file))
    port = free_port()
    proxy = HAProxy(tmp_path, bare_config(tmp_path, port, postgres, a))
    log_on_failure("HAProxy", proxy.log)
    proxy.start()
    request.addfinalizer(proxy.end)
    wait_until(lambda: not proxy.unchecked("database"), "HAProxy has asked")
    assert proxy.up("database") == {"db"}
    postgres.connect("app", port=port).close()
    file.touch()
    wait_until(lambda: not proxy.up("database"), "HAProxy takes it out")
    assert "code: 503" in proxy.log.read_text()
    file.unlink()
    wait_until(lambda: proxy.up("database"), "HAProxy takes it in")
