"""A real Prometheus scrapes a running adapter, with the documented configuration and the
shipped rules; a real blackbox exporter probes it."""

import json
import re
import time

import pytest
import sql
import yaml
from documents import KUBERNETES, REPOSITORY, blocks
from exposition import Metrics
from monitoring import Blackbox, Prometheus
from servers import certificates, wait_until

ALERTS = REPOSITORY / "k8s" / "components" / "alerts" / "rules.yaml"
DASHBOARD = REPOSITORY / "k8s" / "components" / "dashboard" / "dbhealthd.json"
INTERVAL = "1s"
CHECKS = {
    "alive": sql.alive(metrics="no"),
    "accepting": sql.check(metrics="no"),
    "limit": sql.check("SELECT 9 AS n", warn="n > 8"),
    "lag": sql.check('SELECT 1.25 AS lag_seconds, 7 AS "an \\ odd ""name"""', endpoints="replica"),
}


@pytest.fixture
def documented_scrape():
    documented = [yaml.safe_load(block) for block in blocks("yaml", [KUBERNETES])]
    [scrape] = [block["scrape_configs"] for block in documented if "scrape_configs" in block]
    return scrape


@pytest.fixture
def prometheus(tmp_path, documented_scrape, log_on_failure):
    """prometheus(adapter) makes one that scrapes it; use it in a with statement."""

    def make(adapter, port=None, **options):
        folder = tmp_path / "prometheus"
        folder.mkdir()
        rules = yaml.safe_load(ALERTS.read_text())["spec"]
        (folder / "rules.yaml").write_text(yaml.safe_dump(rules))
        [job] = documented_scrape
        job.update(options, static_configs=[{"targets": [f"127.0.0.1:{port or adapter.port}"]}])
        times = {"scrape_interval": INTERVAL, "scrape_timeout": INTERVAL}
        config = {
            "global": {**times, "evaluation_interval": INTERVAL},
            "rule_files": ["rules.yaml"],
            "scrape_configs": [job],
        }
        (folder / "log").touch()
        log_on_failure("prometheus", folder / "log")
        return Prometheus(folder, config)

    return make


def test_prometheus_scrapes(adapter, postgres, prometheus):
    a = adapter(postgres.url(), checks=CHECKS)
    with prometheus(a) as p:
        wait_until(lambda: (p.value("sum_over_time(up[1m])") or 0) >= 3, "three good scrapes", 30)
        assert p.value('dbhealthd_check_value{check="lag",column="lag_seconds"}') == 1.25
        assert p.value('dbhealthd_check_value{column="an \\\\ odd \\"name\\""}') == 7
        assert p.value('dbhealthd_endpoint_passing{path="/readyz"}') == 1
        verdicts = {**dict.fromkeys(CHECKS, "pass"), "limit": "warn"}
        found = p.query("dbhealthd_check_verdict == 1")
        assert {labels["check"]: labels["verdict"] for labels, _ in found} == verdicts
        series = Metrics(a.get("/metrics").body).series
        assert p.value("max_over_time(scrape_samples_scraped[1m])") == len(series)
        names = {labels["__name__"] for labels, _ in p.query('{job="dbhealthd"}')}
        assert {name for name, _ in series} <= names
        runs = "rate(dbhealthd_check_duration_seconds_bucket[1m])"
        wait_until(lambda: p.query(f"histogram_quantile(0.9, {runs}) > 0"), "a quantile")
        assert p.value('time() - process_start_time_seconds{job="dbhealthd"} < 600') > 0
        wait_until(lambda: pending(p) == {"DatabaseCheckWarns"}, "one of the rules holds", 30)
        assert {rule["health"] for rule in p.rules()} == {"ok"}


def test_prometheus_shows_a_certificate_where_the_details_are(adapter, mariadb, prometheus):
    certificate, key = (str(path) for path in certificates().issue("scraper"))
    authority = str(certificates().ca)
    pair = dict(zip(("CERT", "KEY"), (certificates().certificate, certificates().key)))
    a = adapter(
        mariadb.url(),
        checks=CHECKS,
        arguments=("--listen", "127.0.0.1:0", "--details-listen", "127.0.0.1:0"),
        DBHEALTH_TLS_CLIENT_CA=authority,
        **{f"DBHEALTH_TLS_{name}": str(path) for name, path in pair.items()},
    )
    tls = {"ca_file": authority, "cert_file": certificate, "key_file": key}
    port = int(a.messages("serving details")[0]["port"])
    with prometheus(a, port, scheme="https", tls_config=tls) as p:
        wait_until(lambda: p.value('dbhealthd_endpoint_passing{path="/readyz"}') == 1, "a scrape")


def pending(prometheus):
    return {rule["name"] for rule in prometheus.rules() if rule["state"] != "inactive"}


def test_a_value_ends_when_it_is_not_known_any_more(adapter, new_mariadb, prometheus):
    server = new_mariadb()
    lag = sql.check("SELECT 5 AS lag_seconds", endpoints="replica")
    a = adapter(server.url(), checks={"lag": lag}, DBHEALTH_CACHE="100ms")
    with prometheus(a) as p:
        value = 'dbhealthd_check_value{check="lag"}'
        wait_until(lambda: p.value(value) == 5, "the value is there", 30)
        server.kill9()
        wait_until(lambda: p.value(value) is None, "the series ends")
        assert p.value('dbhealthd_check_verdict{check="lag",verdict="fail"}') == 1
        assert p.value("up") == 1
        refused = 'dbhealthd_check_outcomes_total{check="lag",outcome="refused"}'
        wait_until(lambda: p.value(refused) > 0, "it is counted")


def panels():
    return json.loads(DASHBOARD.read_text())["panels"]


def test_each_panel_of_the_dashboard_shows_something(adapter, postgres, prometheus):
    """With checks that have what the shipped ones tell of standbys, slots and transactions."""
    columns = "2 AS lag_seconds, 3 AS lag_bytes, 0.5 AS used_ratio, 4 AS oldest_transaction_seconds"
    checks = {**CHECKS, "all": sql.check(f"SELECT {columns}"), "bad": sql.check("SELECT 1/0")}
    a = adapter(postgres.url(), checks=checks, DBHEALTH_CACHE="500ms")
    with prometheus(a) as p:
        for panel in panels():
            for target in panel["targets"]:
                query = target["expr"].replace("$__rate_interval", "1m").replace("$instance", ".*")
                assert "$" not in query
                what = f"{panel['title']}: {query} has a value"
                found = wait_until(lambda query=query: p.query(query), what, 30)
                names = re.findall(r"{{(\w+)}}", target["legendFormat"])
                assert all(name in labels for labels, _ in found for name in names), query


def test_the_dashboard_is_well_formed():
    board = json.loads(DASHBOARD.read_text())
    assert [variable["name"] for variable in board["templating"]["list"]] == [
        "datasource",
        "instance",
    ]
    cells = set()
    for panel in panels():
        assert panel["description"] and panel["datasource"]["uid"] == "${datasource}"
        place = panel["gridPos"]
        mine = {
            (place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])
        }
        assert not mine & cells and max(x for x, _ in mine) < 24
        cells |= mine
    assert len({panel["id"] for panel in panels()}) == len(panels())


def test_blackbox_exporter(adapter, mariadb, tmp_path):
    checks = {
        "accepting": sql.check(),
        "lag": sql.check("SELECT 45 AS s", endpoints="replica", fail="s > 30"),
    }
    a = adapter(mariadb.url(), checks=checks)
    with Blackbox(tmp_path) as blackbox:
        for path, success, code in (("/readyz", 1, 200), ("/", 1, 200), ("/replica", 0, 503)):
            text = blackbox.probe(f"http://127.0.0.1:{a.port}{path}")
            assert seen(text, "probe_success") == success
            assert seen(text, "probe_http_status_code") == code
            assert seen(text, "probe_http_redirects") == 0
        began = time.monotonic()
        with mariadb.paused():
            text = blackbox.probe(f"http://127.0.0.1:{a.port}/metrics")
        assert seen(text, "probe_success") == 1
        assert time.monotonic() - began < 20


def seen(text, name):
    return float(re.search(rf"^{name} (\S+)$", text, re.MULTILINE)[1])
