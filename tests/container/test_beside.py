"""components/adapter beside databases that others have made: rendered onto each in foreign/, and
judged by the rules. What it says nothing of stays as it was."""

import copy
import re
import shutil

import pytest
import yaml
from conftest import REPOSITORY
from manifests import PROBES, Manifest, judge_beside
from pods import HERE

COMPONENT = REPOSITORY / "k8s" / "components" / "adapter"
FOREIGN = {  # The three values of each: URL, Secret, container.
    "postgresql": ("postgres://probe@127.0.0.1:5432/shop", "shop-probe", "postgresql"),
    "mysql": ("mysql://probe@127.0.0.1:3306/", "mysql-probe", "mysql-server"),
    "galera": ("mariadb://probe@127.0.0.1:3306/", "ledger-probe", "mariadb"),
}


def set_values(folder, *values):
    """As the component's remarks say: each value is on one line, which has its number."""
    for number, value in enumerate(values, 1):
        [(file, line)] = [
            (file, line)
            for file in folder.iterdir()
            for line in file.read_text().splitlines()
            if re.search(rf" # {number}: ", line)
        ]
        changed = re.sub(r"([=:] ?)\S+ #", rf"\g<1>{value} #", line, count=1)
        assert value in changed
        file.write_text(file.read_text().replace(line, changed))


@pytest.fixture
def beside(kustomize, tmp_path):
    """beside(name, change) puts the adapter beside a foreign object, which change may change first;
    gives the object as it was, and all that is rendered."""

    def render(name, change=lambda found: None):
        found = yaml.safe_load((HERE / "foreign" / f"{name}.yaml").read_text())
        change(found)
        (tmp_path / "database.yaml").write_text(yaml.safe_dump(found))
        shutil.copytree(COMPONENT, tmp_path / "adapter")
        set_values(tmp_path / "adapter", *FOREIGN[name])
        files = {"resources": ["database.yaml"], "components": ["adapter"]}
        (tmp_path / "kustomization.yaml").write_text(yaml.safe_dump(files))
        return found, kustomize(tmp_path)

    return render


def make_deployment(found):
    found["kind"] = "Deployment"
    for key in ("serviceName", "volumeClaimTemplates", "podManagementPolicy", "updateStrategy"):
        found["spec"].pop(key, None)


def without_ours(found, database):
    """An object without what the component adds or replaces. Containers start together, so their
    order says nothing; kustomize puts first what it changes."""
    found = copy.deepcopy(found)
    pod = found["spec"]["template"]["spec"]
    pod["containers"].sort(key=lambda container: container["name"])
    for key, names in (
        ("initContainers", ("adapter", "adapter-ask")),
        ("volumes", ("adapter-secret", "adapter-ask")),
    ):
        rest = [one for one in pod.pop(key, []) if one["name"] not in names]
        if rest:
            pod[key] = rest
    [container] = [one for one in pod["containers"] if one["name"] == database]
    for probe in PROBES:
        container.pop(probe, None)
    mounts = container["volumeMounts"]
    container["volumeMounts"] = [one for one in mounts if one["name"] != "adapter-ask"]
    return found


@pytest.mark.parametrize("change", [lambda found: None, make_deployment], ids=["as it is", "other"])
@pytest.mark.parametrize("name", FOREIGN)
def test_foreign(beside, name, change):
    url, secret, container = FOREIGN[name]
    before, objects = beside(name, change)
    assert judge_beside(objects, container) == []
    assert [found["kind"] for found in objects] == [before["kind"]]
    manifest = Manifest(objects, container)
    assert without_ours(manifest.set, container) == without_ours(before, container)
    assert manifest.variables(manifest.adapter)["DATABASE_URL"] == url
    assert secret in [v.get("secret", {}).get("secretName") for v in manifest.volumes.values()]


def test_what_has_no_label_stays_as_it_is(beside):
    before, objects = beside("mysql", lambda found: found["metadata"]["labels"].pop("adapter"))
    assert objects == [before]


def test_the_component_is_as_the_overlays_are(beside, kustomize):
    """Numbers stand twice, here and with their reasons there; they are the same."""
    _, objects = beside("postgresql")
    ours = Manifest(objects, "postgresql")
    theirs = Manifest(kustomize(REPOSITORY / "k8s" / "overlays" / "postgres"))
    for name in PROBES:
        assert ours.database[name] == theirs.database[name]
        assert ours.adapter.get(name) == theirs.adapter.get(name)
    for key in ("image", "resources", "ports", "restartPolicy"):
        assert ours.adapter[key] == theirs.adapter[key]


FAULTS = (  # The rule that must find it, and what is spoilt.
    ("database's liveness runs", lambda m: m.container("adapter-ask").pop("args")),
    ("database's readiness:", lambda m: m.database["readinessProbe"].pop("httpGet")),
    ("probes of another kind", lambda m: m.database["startupProbe"].update(exec={})),
    ("adapter's place", lambda m: m.adapter.pop("restartPolicy")),
    ("own security", lambda m: m.adapter["securityContext"].pop("runAsNonRoot")),
    ("own volumes", lambda m: m.volumes["adapter-ask"]["emptyDir"].pop("medium")),
    ("adapter can read", lambda m: m.volumes["adapter-secret"]["secret"].update(defaultMode=0o400)),
    ("URL's password", lambda m: m.adapter["env"][0].update(value="m://u:p@127.0.0.1")),
)


@pytest.mark.parametrize("rule, spoil", FAULTS, ids=[rule for rule, _ in FAULTS])
def test_a_fault_is_found(beside, rule, spoil):
    _, objects = beside("mysql")
    spoil(Manifest(objects, "mysql-server"))
    broken = judge_beside(objects, "mysql-server")
    assert any(sentence.startswith(rule) for sentence in broken), broken
