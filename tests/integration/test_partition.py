"""Three servers of a cluster, each with its adapter on a host of its own: failover, a botched one,
and a network that parts them. The servers' own replication goes another way, which nothing parts."""

import itertools

import pytest
import servers
from adapter import check_lines
from haproxy import BEGINNING, HAProxy
from network import Mesh, Names, under_names
from servers import wait_until

PORT = 8080
COUNT = 3
NAME = "db-peers"
LIMIT = 60
FORWARDED = itertools.count(6000)  # Ports to the servers, on hosts of our own.
ONLY_POSTGRES = pytest.mark.parametrize("cluster", ("postgres",), indirect=True)
CONFIG = BEGINNING + """
backend primary
    option httpchk GET /sole-primary
    default-server check inter 200ms fall 2 rise 2 on-marked-down shutdown-sessions
{servers}
"""


@pytest.fixture(scope="module")
def mesh():
    """The last host is a balancer's."""
    with Mesh(COUNT + 1) as mesh:
        yield mesh


@pytest.fixture
def network(mesh):
    yield mesh
    mesh.heal()


def url_on(host, server):
    port = next(FORWARDED)
    host.forward(port, server)
    return server.url(host="127.0.0.1", port=port)


class Cluster:
    """Servers, the first of which is the primary, and their adapters."""

    def __init__(self, mesh, nodes, adapters):
        self.mesh, self.nodes, self.adapters = mesh, nodes, adapters
        self._asked = range(COUNT)

    def only(self, *numbers):
        """Asks these alone from now on."""
        self._asked = numbers

    def statuses(self, path):
        return [
            self.mesh.hosts[number].run(lambda: self.adapters[number].status_of(path))
            for number in self._asked
        ]

    def wait(self, path, *statuses):
        wait_until(lambda: self.statuses(path) == [*statuses], f"{path}: {statuses}", LIMIT)

    def shown(self, number, path="/sole-primary"):
        get = self.adapters[number].get
        return check_lines(self.mesh.hosts[number].run(lambda: get(f"{path}?verbose").body))


@pytest.fixture(params=("postgres", "mariadb"))
def cluster(request, network, new, start_adapter):
    """cluster(...) starts one; options are the adapters'."""
    kind = {"postgres": servers.Postgres, "mariadb": servers.MariaDB}[request.param]
    def start(**options):
        primary = new(kind)
        nodes = [primary]
        for _ in range(COUNT - 1):
            nodes.append(primary.new_replica())
            request.addfinalizer(nodes[-1].close)
        everybody = ", ".join(f"{address}:{PORT}" for address in network.addresses[:COUNT])
        adapters = [
            adapter_on(host, node, DBHEALTH_PEERS=everybody, **options)
            for host, node in zip(network.hosts, nodes)
        ]
        return Cluster(network, nodes, adapters)

    def adapter_on(host, node, **options):
        settings = {"DBHEALTH_CACHE": "100ms", "DBHEALTH_TIMEOUT": "2s", **options}
        url = url_on(host, node)
        a = start_adapter(url, arguments=("--listen", f":{PORT}"), under=host.under, **settings)
        request.addfinalizer(a.end)
        return a.wait_serving()

    return start


def balancer(network, folder, log_on_failure, request):
    lines = (
        f"    server s{number} {address}:{PORT}"
        for number, address in enumerate(network.addresses[:COUNT])
    )
    config = CONFIG.format(socket=HAProxy.socket_in(folder), servers="\n".join(lines))
    proxy = HAProxy(folder, config, under=network.hosts[COUNT].under)
    log_on_failure("HAProxy", proxy.log)
    request.addfinalizer(proxy.end)
    return proxy.start()


def test_a_botched_failover_and_a_partition(
    cluster, network, tmp_path, log_on_failure, request
):
    c = cluster()
    old, new, third = c.nodes
    proxy = balancer(network, tmp_path, log_on_failure, request)

    def up(*names):
        wait_until(lambda: proxy.up("primary") == {*names}, f"{names} are up", LIMIT)

    c.wait("/sole-primary", 200, 503, 503)
    up("s0")

    # The primary is alone on its side. Nothing is known of the others: it goes on, unless told.
    network.part([0], [1, 2])
    wait_until(lambda: c.shown(0)["other-primary"].verdict == "warn", "nobody answers", LIMIT)
    c.wait("/sole-primary", 200, 503, 503)
    c.wait("/sole-primary?min_reachable=0.5", 503, 503, 503)

    # The other side makes one of its own: there is a second primary, which nobody can see.
    new.promote()
    c.wait("/primary", 200, 200, 503)
    c.wait("/sole-primary", 200, 200, 503)
    c.wait("/sole-primary?min_reachable=0.5", 503, 200, 503)

    # It is seen as soon as it can be; and writes stop.
    network.heal()
    c.wait("/sole-primary", 503, 503, 503)
    up()
    assert c.statuses("/primary") == [200, 200, 503]

    # One steps down.
    old.stop()
    c.wait("/sole-primary", 503, 200, 503)
    up("s1")


@ONLY_POSTGRES
def test_a_network_that_loses_one_direction(cluster, network):
    """Neither of the two hears of the other; who is between them sees both."""
    c = cluster()
    c.wait("/sole-primary", 200, 503, 503)
    c.nodes[1].promote()
    c.wait("/sole-primary", 503, 503, 503)
    network.lose(0, 1)
    c.wait("/sole-primary", 200, 200, 503)
    between = c.adapters[2]
    metrics = network.hosts[2].run(lambda: between.get("/metrics").body)
    assert "dbhealthd_peers_primaries 2" in metrics.splitlines()
    c.wait("/sole-primary?min_reachable=0.5", 200, 200, 503)  # Each hears the third.
    network.heal()
    c.wait("/sole-primary", 503, 503, 503)


@ONLY_POSTGRES
def test_servers_and_adapters_that_are_gone(cluster):
    c = cluster()
    c.wait("/sole-primary", 200, 503, 503)
    for adapter in c.adapters[1:]:
        adapter.end()
    c.only(0)
    c.wait("/sole-primary", 200)
    c.wait("/sole-primary?min_reachable=0.5", 503)


@ONLY_POSTGRES
def test_a_failover(cluster):
    c = cluster()
    c.wait("/sole-primary", 200, 503, 503)
    c.adapters[0].end()
    c.nodes[0].stop("immediate")
    c.only(1, 2)
    c.wait("/sole-primary", 503, 503)
    c.nodes[1].promote()
    for query in ("", "?min_reachable=0.5"):
        c.wait(f"/sole-primary{query}", 200, 503)


@ONLY_POSTGRES
def test_names_that_lead_astray(cluster, network, tmp_path, start_adapter, request):
    first = network.hosts[0]
    c = cluster()
    c.wait("/sole-primary", 200, 503, 503)
    c.nodes[1].promote()
    with Names(first, tuple(network.addresses[:COUNT])) as names:
        a = start_adapter(
            url_on(first, c.nodes[0]),
            arguments=("--listen", ":8081"),
            under=under_names(first, tmp_path),
            DBHEALTH_PEERS=f"{NAME}:{PORT}",
            DBHEALTH_CACHE="100ms",
            DBHEALTH_TIMEOUT="4s",
        )
        request.addfinalizer(a.end)
        a.wait_serving()

        def wait(status, words):
            def seen():
                body = first.run(lambda: a.get("/sole-primary?verbose")).body
                line = check_lines(body)["other-primary"]
                return body.endswith(status) and words in line.detail

            wait_until(seen, f"{status}: {words}", LIMIT)

        wait("check failed\n", "rival true == true")
        names.answer = ("10.78.0.99", network.addresses[2])  # A stale one, and a replica.
        wait("check passed\n", "10.78.0.99:8080: problem no adapter answers")
        names.answer = ("10.78.0.99", network.addresses[1])
        wait("check failed\n", f"{network.addresses[1]}:8080: rival true == true")
        names.answer = "none"
        wait("check passed\n", f"{NAME}:8080: problem Name or service not known")
        names.answer = "silent"
        wait("check passed\n", f"{NAME}:8080: problem the name service does not answer")
        names.answer = tuple(f"10.78.1.{number}" for number in range(18))  # Too many to be asked.

        def codes():
            shown = check_lines(first.run(lambda: a.get("/sole-primary?verbose")).body)
            return {shown[check].code for check in ("isolated", "other-primary")}

        wait_until(lambda: codes() == {"config"}, "neither says that nobody is there", LIMIT)


