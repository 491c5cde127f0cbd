"""The shipped alert rules, on made-up series: which of them fire in which situation, and what they
say then. A situation lists all that must fire; every other rule must be silent."""

import re
import subprocess
from pathlib import Path

import pytest
import yaml

REPOSITORY = Path(__file__).resolve().parents[2]
RULES = REPOSITORY / "k8s" / "components" / "alerts" / "rules.yaml"
STEP = 15  # s, between scrapes.
LENGTH = 8 * 60  # Scrapes: two hours.
POD = {"namespace": "shop", "pod": "db-0"}
TARGET = {**POD, "container": "adapter", "instance": "10.0.0.7:8080", "job": "shop/db"}
STATE = {**POD, "container": "database", "instance": "10.0.0.1:8080", "job": "kube-state-metrics"}
ANNOTATIONS = {"summary", "description", "runbook_url"}
OPERATIONS = "k8s/README.md"
WELL = {  # What a Pod with two checks gives: {metric with its own labels: value each time}.
    "up": 1,
    'dbhealthd_endpoint_passing{path="/healthz"}': 1,
    'dbhealthd_endpoint_passing{path="/readyz"}': 1,
    'dbhealthd_endpoint_passing{path="/replica"}': 0,
    'dbhealthd_check_verdict{check="accepting",verdict="fail"}': 0,
    'dbhealthd_check_verdict{check="connections",verdict="fail"}': 0,
    'dbhealthd_check_verdict{check="connections",verdict="warn"}': 0,
    'dbhealthd_check_verdict{check="connections",verdict="unknown"}': 0,
    'dbhealthd_check_verdict{check="replica",verdict="fail"}': 0,
    'dbhealthd_check_verdict{check="replica",verdict="skipped"}': 1,
    'dbhealthd_check_outcomes_total{check="accepting",outcome="starved"}': 0,
    'dbhealthd_prober_crashes_total{prober="main"}': 0,
    "dbhealthd_config_problems": 0,
    "dbhealthd_log_lines_dropped_total": 0,
    "process_start_time_seconds": 1000,
    "kube_pod_container_status_ready": 1,
    "kube_pod_container_status_restarts_total": 0,
}


def passing(path, value):
    return {f'dbhealthd_endpoint_passing{{path="{path}"}}': value}


def verdict(check, name, value=1):
    return {f'dbhealthd_check_verdict{{check="{check}",verdict="{name}"}}': value}


def rises(by, each):
    """A counter that goes up by so much at every so many-th scrape."""
    return " ".join(str(by * (i // each)) for i in range(LENGTH))


def falls(before, after, at):
    """A value that changes at this minute."""
    scrapes = at * 60 // STEP
    return f"{before}+0x{scrapes - 1} {after}+0x{LENGTH - scrapes}"


NOT_READY = passing("/readyz", 0)
DOWN = {**passing("/healthz", 0), **NOT_READY}
UNSEEN = {
    **dict.fromkeys(WELL),
    "kube_pod_container_status_ready": 0,
    'up{namespace="shop",pod="db-0",container="exporter"}': 1,
}
OTHER = 'namespace="shop",pod="web-0",container="web"'
OTHERS = {
    f"up{{{OTHER}}}": 0,
    f"kube_pod_container_status_ready{{{OTHER}}}": 0,
    f"kube_pod_container_status_restarts_total{{{OTHER}}}": rises(1, 4),
    f"process_start_time_seconds{{{OTHER}}}": rises(60, 4),
}
SITUATIONS = {  # name: (what differs from WELL, {minute: alerts that fire, with labels of theirs}).
    "all is well": ({}, {0: [], 4: [], 60: [], 119: []}),
    "down": (DOWN, {0: [], **dict.fromkeys((2, 20), [("DatabaseDown", {"path": "/healthz"})])}),
    "down for half a minute": (
        {
            'dbhealthd_endpoint_passing{path="/healthz"}': "1 1 0 0 1+0x100",
            'dbhealthd_endpoint_passing{path="/readyz"}': "1 1 0 0 1+0x100",
        },
        {1: [], 2: [], 10: []},
    ),
    "not ready": (
        {**NOT_READY, **verdict("accepting", "fail")},
        {4: [], 6: [("DatabaseNotReady", {"path": "/readyz"})]},
    ),
    "not ready, and a limit is reached": (
        {**NOT_READY, **verdict("connections", "fail")},
        {15: [("DatabaseNotReady", {"path": "/readyz"})]},
    ),
    "two primaries": (
        {"dbhealthd_peers_primaries": 1, **passing("/primary", 1)},
        {0: [], 2: [("DatabaseHasTwoPrimaries", {})]},
    ),
    "a failover": (
        {"dbhealthd_peers_primaries": "0 0 1 1 0+0x100", **passing("/primary", 1)},
        {1: [], 2: []},
    ),
    "a replica beside its primary": (
        {
            "dbhealthd_peers_primaries": 1,
            **passing("/primary", 0),
            **verdict("other-primary", "fail"),
        },
        {20: []},
    ),
    "no metrics": (
        {**dict.fromkeys(WELL), "up": 0, "kube_pod_container_status_ready": 1},
        {4: [], 6: [("DatabaseUnseen", TARGET)]},
    ),
    "a Pod that was never started": (UNSEEN, {4: [], 6: [("DatabaseUnseen", STATE)]}),
    "a Pod that isn't ready, and its adapter says why": (
        {**NOT_READY, "kube_pod_container_status_ready": 0},
        {6: [("DatabaseNotReady", {"path": "/readyz"})]},
    ),
    "troubles of others": (OTHERS, {20: [], 60: []}),
    "a limit is reached": (
        verdict("connections", "fail"),
        {9: [], 11: [("DatabaseCheckFails", {"check": "connections", "verdict": "fail"})]},
    ),
    "a limit is near": (
        verdict("connections", "warn"),
        {29: [], 31: [("DatabaseCheckWarns", {"check": "connections", "verdict": "warn"})]},
    ),
    "a replica lags": (
        verdict("replica", "fail"),
        {4: [], 6: [("DatabaseReplicaLags", {"check": "replica", "verdict": "fail"})]},
    ),
    "a replica of MariaDB lags": (
        verdict("replica-mariadb", "fail"),
        {15: [("DatabaseReplicaLags", {"check": "replica-mariadb", "verdict": "fail"})]},
    ),
    "a check can't be told": (
        verdict("connections", "unknown"),
        {4: [], 6: [("DatabaseCheckUnknown", {"check": "connections", "verdict": "unknown"})]},
    ),
    "starved once a minute": (
        {'dbhealthd_check_outcomes_total{check="accepting",outcome="starved"}': rises(1, 4)},
        {20: [("DatabaseAdapterStarved", POD)]},
    ),
    "starved twice an hour": (
        {'dbhealthd_check_outcomes_total{check="accepting",outcome="starved"}': rises(1, 120)},
        {20: [], 60: [], 119: []},
    ),
    "timeouts are no starvation": (
        {'dbhealthd_check_outcomes_total{check="accepting",outcome="timeout"}': rises(1, 1)},
        {20: []},
    ),
    "a prober crashes": (
        {'dbhealthd_prober_crashes_total{prober="main"}': rises(1, 16)},
        {40: [("DatabaseAdapterCrashes", POD)]},
    ),
    "the adapter crashes": (
        {"process_start_time_seconds": rises(240, 16)},
        {40: [("DatabaseAdapterCrashes", POD)]},
    ),
    "the adapter was replaced": (
        {"process_start_time_seconds": falls(1000, 3000, at=10)},
        {20: []},
    ),
    "faulty settings": (
        {"dbhealthd_config_problems": 2},
        {4: [], 6: [("DatabaseAdapterMisconfigured", {})]},
    ),
    "nobody reads the log": (
        {"dbhealthd_log_lines_dropped_total": falls(0, 5, at=10)},
        {9: [], 20: [("DatabaseAdapterLogUnread", {})], 100: []},
    ),
    "restarted": (
        {"kube_pod_container_status_restarts_total": falls(0, 1, at=10)},
        {9: [], 12: [("DatabaseRestarted", STATE)], 40: []},
    ),
}


@pytest.fixture(scope="session")
def groups():
    return yaml.safe_load(RULES.read_text())["spec"]["groups"]


@pytest.fixture(scope="session")
def rules(groups):
    return {rule["alert"]: rule for group in groups for rule in group["rules"]}


@pytest.fixture
def promtool(groups, tmp_path):
    """promtool(words...) runs it beside rules.yaml, the rules as Prometheus itself reads them."""
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump({"groups": groups}))

    def run(*words, **files):
        for name, content in files.items():
            (tmp_path / f"{name}.yaml").write_text(yaml.safe_dump(content))
        ended = subprocess.run(
            ["promtool", *words],
            cwd=tmp_path,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=50,
            check=False,
        )
        assert ended.returncode == 0, ended.stdout + ended.stderr
        return ended.stdout

    return run


def test_the_rules_are_rules(promtool, rules):
    assert f"{len(rules)} rules found" in promtool("check", "rules", "rules.yaml")


def test_every_rule_fires_in_a_situation_and_none_when_all_is_well(rules):
    fired = {alert for _, times in SITUATIONS.values() for at in times.values() for alert, _ in at}
    assert fired == rules.keys()


def test_every_rule_says_how_bad_it_is_and_what_to_do(rules):
    for rule in rules.values():
        assert rule["labels"].keys() == {"severity"}
        assert rule["labels"]["severity"] in ("critical", "warning")
        assert rule["annotations"].keys() == ANNOTATIONS
        texts = (rule["annotations"]["summary"], rule["annotations"]["description"])
        assert all(text.endswith(".") for text in texts)
        assert len(rule["annotations"]["description"]) > len(rule["annotations"]["summary"])


def test_every_link_leads_to_a_section_that_says_what_to_do(rules):
    """In a document of ours, by an address that is the project's in all places."""
    text = (REPOSITORY / OPERATIONS).read_text()
    sections = dict(re.findall(r"^### (Database\w+)\n\n(.*?)(?=^#)", text, re.MULTILINE | re.DOTALL))
    home = re.search(r'HOMEPAGE_URL "(.+)"', (REPOSITORY / "CMakeLists.txt").read_text())[1]
    for name, rule in rules.items():
        assert rule["annotations"]["runbook_url"] == f"{home}/{OPERATIONS}#{name.lower()}"
        assert len(sections[name]) > 100
    assert sections.keys() == rules.keys()


def test_rules_use_metrics_that_there_are(rules):
    """By the manual page's list of metrics, which another test holds to the code."""
    manual = (REPOSITORY / "src/man/dbhealthd.8").read_text()
    known = set(re.findall(r"^\.It Cm ((?:dbhealthd|process)_\w+)", manual, re.MULTILINE))
    used = {
        name
        for rule in rules.values()
        for name in re.findall(r"\b(?:dbhealthd|process)_\w+", str(rule))
    }
    assert used and used <= known


@pytest.mark.parametrize("name", SITUATIONS)
def test_situation(promtool, rules, name):
    differs, times = SITUATIONS[name]
    series = {**WELL, **differs}
    inputs = [
        {"series": with_target(metric), "values": every_time(value)}
        for metric, value in series.items()
        if value is not None
    ]
    expected = [
        {"eval_time": f"{minute}m", "alertname": alert, "exp_alerts": firing(rules[alert], found)}
        for minute, fired in times.items()
        for alert in rules
        for found in [[labels for other, labels in fired if other == alert]]
    ]
    case = {"interval": f"{STEP}s", "input_series": inputs, "alert_rule_test": expected}
    test = {
        "rule_files": ["rules.yaml"],
        "evaluation_interval": f"{STEP}s",
        "tests": [{"name": name, **case}],
    }
    promtool("test", "rules", "situation.yaml", situation=test)


def with_target(metric):
    """A metric whose container stands there already belongs to others."""
    if "container=" in metric:
        return metric
    name, _, own = metric.rstrip("}").partition("{")
    target = STATE if name.startswith("kube_") else TARGET
    labels = ",".join(f'{label}="{value}"' for label, value in target.items())
    return f"{name}{{{labels}{',' if own else ''}{own}}}"


def every_time(value):
    return value if isinstance(value, str) else f"{value}+0x{LENGTH}"


def firing(rule, found):
    """Own labels of a metric stand beside the target's; a sum has only those it is by."""
    alerts = []
    for own in found:
        labels = own if own in (POD, STATE) else {**TARGET, **own}
        texts = {key: rendered(text, labels) for key, text in rule["annotations"].items()}
        alerts.append({"exp_labels": {**labels, **rule["labels"]}, "exp_annotations": texts})
    return alerts


def rendered(text, labels):
    """A label that the alert doesn't have is an error here, where Prometheus would leave a gap."""
    return re.sub(r"\{\{ \$labels\.(\w+) \}\}", lambda match: labels[match[1]], text)
