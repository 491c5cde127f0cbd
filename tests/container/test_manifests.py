"""Every kustomization is rendered, with and without each component, and judged by the rules."""

import copy
import re
import shutil

import pytest
from conftest import REPOSITORY
from manifests import OVERLAY_RULES, RULES, judge

ENGINES = ("postgres", "mysql", "mariadb")
COMPONENTS = ("database-liveness", "classic-sidecar", "alerts", "pod-monitor")


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
    known = {"base", *(f"overlays/{e}" for e in ENGINES), *(f"components/{c}" for c in COMPONENTS)}
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
@pytest.mark.parametrize(
    "components",
    [(), ("classic-sidecar",), ("database-liveness", "alerts", "pod-monitor"), COMPONENTS],
    ids=lambda names: "+".join(names) or "none",
)
def test_overlay_with_components(render, engine, components):
    objects = render(engine, *components)
    classic = "classic-sidecar" in components
    assert judge(objects, RULES + OVERLAY_RULES, classic) == []
    assert ("livenessProbe" in database(objects)) == ("database-liveness" in components)
    kinds = {found["kind"] for found in objects}
    assert ("PrometheusRule" in kinds) == ("alerts" in components)
    assert ("PodMonitor" in kinds) == ("pod-monitor" in components)


def test_the_adapter_s_image_is_this_version(kustomize):
    project = (REPOSITORY / "CMakeLists.txt").read_text()
    version = re.search(r"^project\(dbhealthd VERSION (\S+)", project, re.MULTILINE)[1]
    objects = kustomize(REPOSITORY / "k8s" / "base")
    containers = pod(objects)["initContainers"]
    assert [container["image"] for container in containers] == [f"dbhealthd:{version}"]


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
        "database's liveness budget",
        lambda o: database(o)["livenessProbe"].update(failureThreshold=3),
    ),
    (
        "database's liveness:",
        lambda o: database(o)["livenessProbe"]["httpGet"].update(path="/readyz"),
    ),
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
