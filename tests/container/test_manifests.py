"""Every kustomization is rendered, with and without each component, and judged by the rules."""

import copy
import re
import shutil

import pytest
from conftest import REPOSITORY
from manifests import OVERLAY_RULES, RULES, asks, judge

ENGINES = ("postgres", "mysql", "mariadb")
ROLES = {"primary": "/sole-primary", "standby": "/readyz"}  # And what readiness asks.
LIVENESS = ("database-liveness", "database-liveness-http")
COMPONENTS = (*LIVENESS, "classic-sidecar", "alerts", "pod-monitor", "dashboard")
COMPONENTS += ("network-policy",)
CHOSEN = (
    *((), ("classic-sidecar",), ("network-policy",)),
    ("database-liveness", "alerts", "pod-monitor"),
    ("database-liveness", *COMPONENTS[2:]),
    ("database-liveness-http", *COMPONENTS[2:]),
)


@pytest.fixture
def render(kustomize, tmp_path):
    """render(engine, components...) renders an overlay with these components and no others, by
    taking the comment sign from a line of it, or deleting a line, as a user would."""

    def edit(engine, *components):
        shutil.copytree(REPOSITORY / "k8s", tmp_path / "k8s")
        folder = tmp_path / "k8s" / "overlays" / engine
        file = folder / "kustomization.yaml"
        lines = []
        for line in file.read_text().splitlines():
            match = re.fullmatch(r"  (# )?- \.\./\.\./components/([a-z-]+)( #.*)?", line)
            if match is None:
                lines.append(line)
            elif match[2] in components:
                lines.append(line.replace("# - ", "- ", 1))
        if not components:
            lines.remove("components:")
        file.write_text("\n".join(lines))
        return kustomize(folder)

    return edit


def test_no_kustomization_is_left_out():
    root = REPOSITORY / "k8s"
    found = {str(path.parent.relative_to(root)) for path in root.glob("**/kustomization.yaml")}
    overlays = (*ENGINES, "postgres-pair", *(f"postgres-pair/{role}" for role in ROLES))
    components = (*COMPONENTS, "adapter")  # That one is test_beside.py's.
    known = {"base", *(f"overlays/{o}" for o in overlays), *(f"components/{c}" for c in components)}
    assert found == known


def test_base(kustomize):
    broken = judge(kustomize(REPOSITORY / "k8s" / "base"), RULES)
    assert broken == []


@pytest.mark.parametrize("engine", ENGINES)
def test_overlay_as_it_is(kustomize, engine):
    objects = kustomize(REPOSITORY / "k8s" / "overlays" / engine)
    assert judge(objects, RULES + OVERLAY_RULES) == []
    assert database(objects)["livenessProbe"]
    assert engine in database(objects)["image"]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("components", CHOSEN, ids=lambda names: "+".join(names) or "none")
def test_overlay_with_components(render, engine, components):
    objects = render(engine, *components)
    classic = "classic-sidecar" in components
    assert judge(objects, RULES + OVERLAY_RULES, classic) == []
    liveness = database(objects).get("livenessProbe", {})
    assert ("exec" in liveness) == ("database-liveness" in components)
    assert ("httpGet" in liveness) == ("database-liveness-http" in components)
    kinds = {found["kind"] for found in objects}
    assert ("PrometheusRule" in kinds) == ("alerts" in components)
    assert ("PodMonitor" in kinds) == ("pod-monitor" in components)
    assert ("NetworkPolicy" in kinds) == ("network-policy" in components)


@pytest.mark.parametrize("engine", ENGINES)
def test_checks_of_one_s_own_restart_nothing(kustomize, tmp_path, engine):
    """As the overlay's comment has it: the adapter's volume gets them, and the Pod is the same
    whatever is in them."""
    templates = []
    for text in ("-- fail: n > 1\nSELECT 1 AS n", "-- fial: n > 1\nSELECT 1 AS n"):
        folder = tmp_path / str(len(templates)) / "k8s" / "overlays" / engine
        shutil.copytree(REPOSITORY / "k8s", folder.parents[1])
        file = folder / "kustomization.yaml"
        before, begin, rest = file.read_text().partition("  # - name: checks\n")
        own, end, after = rest.partition("  #     disableNameSuffixHash: true\n")
        file.write_text(before + re.sub("^  # ", "  ", begin + own + end, flags=re.M) + after)
        (folder / "lag.sql").write_text(text)
        objects = kustomize(folder)
        maps = [o for o in objects if o["kind"] == "ConfigMap" and "lag.sql" in o["data"]]
        assert [found["metadata"]["name"] for found in maps] == [f"{engine}-checks"]
        assert judge(objects, RULES + OVERLAY_RULES) == []
        templates.append(pod(objects))
    assert templates[0] == templates[1]


@pytest.mark.parametrize("role", ROLES)
def test_pair(kustomize, role):
    """The Services of each role select its own Pods alone, and writers get who is
    /sole-primary."""
    objects = [
        found
        for found in kustomize(REPOSITORY / "k8s" / "overlays" / "postgres-pair")
        if found["metadata"]["labels"].get("app.kubernetes.io/component") == role
    ]
    rules = dict(RULES + OVERLAY_RULES) | {"database's readiness": asks(ROLES[role])}
    assert judge(objects, rules.items()) == []
    services = [found["spec"] for found in objects if found["kind"] == "Service"]
    assert len(services) == 2
    for selecting in (*services, kind(objects, "PodDisruptionBudget")["selector"]):
        labels = selecting.get("selector") or selecting["matchLabels"]
        assert labels["app.kubernetes.io/component"] == role


def test_standbys_find_the_primary(kustomize):
    """By a Service that is there and names its Pod before it is ready, with the server's own image
    and a password that both know."""
    objects = kustomize(REPOSITORY / "k8s" / "overlays" / "postgres-pair")
    sets = {o["metadata"]["name"]: o["spec"] for o in objects if o["kind"] == "StatefulSet"}
    services = {o["metadata"]["name"]: o["spec"] for o in objects if o["kind"] == "Service"}
    primary, standby = (sets[f"{role}-postgres-db"]["template"]["spec"] for role in ROLES)
    [clone] = [one for one in standby["initContainers"] if one["name"] == "clone"]
    values = {one["name"]: one["value"] for one in clone["env"]}
    assert services[values["PRIMARY"]]["publishNotReadyAddresses"]
    assert services[values["PRIMARY"]]["selector"]["app.kubernetes.io/component"] == "primary"
    assert clone["image"] == standby["containers"][0]["image"] == primary["containers"][0]["image"]
    assert {"name": "PGDATA", "value": values["PGDATA"]} in standby["containers"][0]["env"]
    secrets = [
        [one["secret"] for one in spec["volumes"] if one["name"] == "replication-secret"]
        for spec in (primary, standby)
    ]
    assert secrets[0] == secrets[1]


def test_adapters_of_a_pair_find_each_other(kustomize):
    """By a Service that names every Pod, ready or not, and that the adapters' settings name."""
    objects = kustomize(REPOSITORY / "k8s" / "overlays" / "postgres-pair")
    services = {o["metadata"]["name"]: o["spec"] for o in objects if o["kind"] == "Service"}
    settings = [o["data"] for o in objects if "DATABASE_URL" in o.get("data", {})]
    [place] = {data["DBHEALTH_PEERS"] for data in settings}
    name, _, port = place.partition(":")
    peers = services[name]
    assert peers["publishNotReadyAddresses"] and peers["clusterIP"] == "None"
    assert [one["targetPort"] for one in peers["ports"]] == [int(port)]
    sets = [o["spec"]["template"]["metadata"] for o in objects if o["kind"] == "StatefulSet"]
    assert len(sets) == len(settings) == 2
    assert all(peers["selector"].items() <= found["labels"].items() for found in sets)


def test_the_guide_s_patch(kustomize, tmp_path):
    """Spread over nodes and a class of storage, as k8s/README.md has them."""
    shutil.copytree(REPOSITORY / "k8s", tmp_path / "k8s")
    folder = tmp_path / "k8s" / "overlays" / "postgres"
    [patch] = re.findall(
        r"^```yaml\n(apiVersion: apps/v1\n.*?)^```",
        (REPOSITORY / "k8s" / "README.md").read_text(),
        re.MULTILINE | re.DOTALL,
    )
    (folder / "mine.yaml").write_text(patch)
    file = folder / "kustomization.yaml"
    file.write_text(file.read_text().replace("\npatches:\n", "\npatches:\n  - path: mine.yaml\n"))
    objects = kustomize(folder)
    assert judge(objects, RULES + OVERLAY_RULES) == []
    [spread] = pod(objects)["topologySpreadConstraints"]
    labels = kind(objects, "StatefulSet")["template"]["metadata"]["labels"]
    assert spread["labelSelector"]["matchLabels"].items() <= labels.items()
    [claim] = kind(objects, "StatefulSet")["volumeClaimTemplates"]
    assert claim["spec"]["storageClassName"] == "fast"


def test_the_adapter_s_image_is_this_version(kustomize):
    project = (REPOSITORY / "CMakeLists.txt").read_text()
    version = re.search(r"^project\(dbhealthd VERSION (\S+)", project, re.MULTILINE)[1]
    objects = kustomize(REPOSITORY / "k8s" / "overlays" / "postgres")
    containers = pod(objects)["initContainers"]
    assert [container["image"] for container in containers] == [f"dbhealthd:{version}"] * 2


# The rules themselves: each fault is found by the rule that is meant for it.

FAULTS = (  # what is spoilt, by the rule that must find it
    ("adapter's startup", lambda o: adapter(o)["startupProbe"]["httpGet"].update(path="/readyz")),
    ("adapter's startup: None", lambda o: adapter(o).pop("startupProbe")),
    ("adapter's place", lambda o: adapter(o).pop("restartPolicy")),
    ("adapter's cpu request", lambda o: adapter(o)["resources"]["requests"].update(cpu="100m")),
    ("cpu limits", lambda o: adapter(o)["resources"]["limits"].update(cpu="50m")),
    (
        "database's startup budget",
        lambda o: database(o)["startupProbe"].update(failureThreshold=30),
    ),
    (
        "database's liveness by exec, budget",
        lambda o: database(o)["livenessProbe"].update(failureThreshold=2),
    ),
    (
        "database's liveness by exec, timeout",
        lambda o: database(o)["livenessProbe"].pop("timeoutSeconds"),
    ),
    (
        "database's liveness runs what is there",
        lambda o: pod(o)["initContainers"][1].update(args=["install", "/run/elsewhere"]),
    ),
    (
        "database's liveness runs what is there",
        lambda o: database(o)["livenessProbe"]["exec"].update(command=["pg_isready"]),
    ),
    (
        "database's end by its liveness",
        lambda o: database(o)["livenessProbe"].pop("terminationGracePeriodSeconds"),
    ),
    (
        "database's readiness after a freeze",
        lambda o: database(o)["readinessProbe"].update(periodSeconds=5),
    ),
    (
        "database's readiness forgives",
        lambda o: database(o)["readinessProbe"].update(failureThreshold=1),
    ),
    (
        "adapter's end by its own probes",
        lambda o: adapter(o)["livenessProbe"].pop("terminationGracePeriodSeconds"),
    ),
    (
        "volumes that keep a node",
        lambda o: kind(o, "StatefulSet")["template"]["metadata"].pop("annotations"),
    ),
    ("memory that processes share", lambda o: database(o)["volumeMounts"].pop(1)),
    ("checks are the overlay's own", lambda o: volume(o, "checks")["configMap"].update(name="x")),
    (
        "database's readiness:",
        lambda o: database(o)["readinessProbe"]["httpGet"].update(port="health"),
    ),
    ("probes' timeouts", lambda o: database(o)["readinessProbe"].pop("timeoutSeconds")),
    ("capabilities", lambda o: database(o)["securityContext"].pop("capabilities")),
    ("users", lambda o: adapter(o)["securityContext"].update(runAsUser=0)),
    (
        "drain file is removed",
        lambda o: database(o)["lifecycle"]["postStart"]["exec"].update(command=[]),
    ),
    ("preStop leaves time", lambda o: pod(o).update(terminationGracePeriodSeconds=30)),
    ("evicting Pods", lambda o: kind(o, "PodDisruptionBudget").pop("unhealthyPodEvictionPolicy")),
    ("replacing Pods", lambda o: kind(o, "StatefulSet").update(podManagementPolicy="OrderedReady")),
    (
        "selectors",
        lambda o: kind(o, "PodDisruptionBudget")["selector"].update(matchLabels={"a": "b"}),
    ),
    ("kinds:", lambda o: o.append({"kind": "Secret"})),
    ("passwords", lambda o: database(o)["env"].append({"name": "MYSQL_PASSWORD", "value": "x"})),
)


@pytest.mark.parametrize("rule, spoil", FAULTS, ids=[name for name, _ in FAULTS])
def test_a_fault_is_found(overlay, rule, spoil):
    objects = copy.deepcopy(overlay)
    spoil(objects)
    broken = judge(objects, RULES + OVERLAY_RULES)
    assert len(broken) == 1 and broken[0].startswith(rule), broken


def test_faults_of_liveness_by_http_are_found(render):
    rendered = render("postgres", "database-liveness-http")
    for rule, spoil in (
        ("by HTTP, budget", lambda probe: probe.update(failureThreshold=30)),
        ("by HTTP:", lambda probe: probe["httpGet"].update(path="/readyz")),
    ):
        objects = copy.deepcopy(rendered)
        spoil(database(objects)["livenessProbe"])
        [broken] = judge(objects, RULES + OVERLAY_RULES)
        assert rule in broken


def test_faults_of_policies_are_found(render):
    rendered = render("postgres", "network-policy")
    for spoil in (
        lambda policy: policy["ingress"].pop(),
        lambda policy: policy["ingress"][1]["ports"][0].update(port="http"),
        lambda policy: policy["podSelector"]["matchLabels"].update(app="another"),
    ):
        objects = copy.deepcopy(rendered)
        spoil(kind(objects, "NetworkPolicy"))
        [broken] = judge(objects, RULES + OVERLAY_RULES)
        assert broken.startswith("policies")


def test_faults_of_monitoring_are_found(render):
    rendered = render("postgres", "alerts", "pod-monitor")
    for rule, key, value in (
        ("PodMonitor's port", "port", "metrics"),
        ("PodMonitor asks for", "path", "/status"),
        ("PodMonitor's time to spare", "scrapeTimeout", "1s"),
    ):
        objects = copy.deepcopy(rendered)
        kind(objects, "PodMonitor")["podMetricsEndpoints"][0][key] = value
        [broken] = judge(objects, RULES + OVERLAY_RULES)
        assert broken.startswith(rule)


@pytest.fixture(scope="module")
def overlay(kustomize):
    return kustomize(REPOSITORY / "k8s" / "overlays" / "postgres")


def kind(objects, name):
    return next(found["spec"] for found in objects if found["kind"] == name)


def pod(objects):
    return kind(objects, "StatefulSet")["template"]["spec"]


def adapter(objects):
    return pod(objects)["initContainers"][0]


def database(objects):
    return pod(objects)["containers"][0]


def volume(objects, name):
    return next(found for found in pod(objects)["volumes"] if found["name"] == name)
