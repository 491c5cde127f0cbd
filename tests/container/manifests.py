"""The rules that every rendered manifest is judged by. A rule is a row: what it is about, and what
that must be: a value, or a function of the value that is true. `seen(objects)` gathers values."""

import re
from pathlib import Path
from urllib.parse import urlsplit

REPOSITORY = Path(__file__).resolve().parents[2]
ADAPTER_PORT = 8080
SAFE_TO_EVICT = "cluster-autoscaler.kubernetes.io/safe-to-evict-local-volumes"
DEADLINE = 0.9  # Seconds, within which the adapter answers.
KINDS = {  # No Secret: those are the user's.
    *("StatefulSet", "Service", "PodDisruptionBudget", "ConfigMap"),
    *("PrometheusRule", "PodMonitor", "NetworkPolicy"),
}
RESTRICTED_VOLUMES = {
    *("configMap", "csi", "downwardAPI", "emptyDir", "ephemeral"),
    *("persistentVolumeClaim", "projected", "secret"),
}


def asks(path):
    """A probe's httpGet: the adapter, by number, since a port's name is the other container's."""
    return {"path": path, "port": ADAPTER_PORT}


PROBES = ("startupProbe", "livenessProbe", "readinessProbe")
ASK = "dbhealthd-ask"  # The program that an exec probe runs.


def at_least(number):
    return lambda value: value >= number


def at_most(number):
    return lambda value: value <= number


def between(least, most):
    return lambda value: least <= value <= most


def subset(allowed):
    return lambda value: set(value) <= set(allowed)


def if_there(expected):
    """For what a component adds."""
    return lambda value: value is None or _agrees(value, expected)


def _agrees(value, expected):
    return expected(value) if callable(expected) else value == expected


# In `base` alone there is no engine, so only the first table applies.
RULES = (
    ("kinds", subset(KINDS)),
    ("adapter's place", "as ordered"),
    ("other init containers", subset({"ask", "clone"})),
    ("adapter's startup", asks("/livez")),
    ("adapter's liveness", asks("/livez")),
    ("adapter's readiness", None),
    ("adapter's end by its own probes in s", {5}),
    ("adapter's memory limit", "32Mi"),
    ("adapter's cpu request in m", between(20, 50)),
    ("adapter's root is read-only", True),
    ("cpu limits", []),
    ("database's startup", asks("/startupz")),
    ("database's startup budget in s", at_least(3600)),
    ("database's readiness", asks("/readyz")),
    ("database's readiness forgives", at_least(1)),
    ("database's readiness after a freeze in s", at_most(5)),
    ("database's liveness by HTTP", if_there(asks("/healthz"))),
    ("database's liveness by HTTP, budget in s", if_there(at_least(400))),
    ("database's liveness by exec, budget in s", if_there(between(45, 90))),
    ("database's liveness by exec, timeout in s", if_there(at_least(8))),  # Above the program's 5.
    ("database's liveness runs what is there", if_there(True)),
    ("database's end by its liveness in s", if_there(between(30, 90))),
    ("probes' timeouts in s", [3]),
    ("probes of another kind", []),
    ("replacing Pods", "Parallel"),
    ("governing Service is headless", True),
    ("governing Service names Pods that aren't ready", True),
    ("other Services name Pods that aren't ready", False),
    ("selectors that select the Pods", True),
    ("Services' target ports are there", True),
    ("evicting Pods that aren't ready", "AlwaysAllow"),
    ("volumes that keep a node from being removed", []),
    ("disruptions", {"maxUnavailable": 1}),
    ("drain file is shared and an emptyDir", True),
    ("drain file is made by preStop", True),
    ("drain file is removed by postStart", True),
    ("preStop leaves time to end, in s", at_least(60)),
    ("adapter's drain outlasts the database, in s", if_there(at_least(0))),
    ("runs as non-root", True),
    ("users", lambda users: 0 not in users and None not in users),
    ("seccomp", "RuntimeDefault"),
    ("privilege escalation", [False]),
    ("capabilities", [{"drop": ["ALL"]}]),
    ("privileged", []),
    ("host's namespaces and ports", []),
    ("kinds of volumes", subset(RESTRICTED_VOLUMES)),
    ("service account's token", False),
    ("secrets' modes for others", [0]),
    ("passwords in variables", []),
    ("password file is in a Secret", True),
    ("policies that don't let the Pods be asked", []),
    ("alerts on containers that aren't there", []),
    ("PodMonitor's port is there", True),
    ("PodMonitor asks for", subset({"/metrics"})),
    ("PodMonitor's time to spare in s", if_there(at_least(3))),  # Beyond the adapter's 0.9 s.
)
OVERLAY_RULES = (
    ("URL's address", "127.0.0.1"),  # A name may be a socket, or ::1, to which nothing is granted.
    ("URL's password", None),
    ("URL's user", "probe"),
    ("init script creates that user", True),
    ("init script reads the password from the Secret", True),
    ("grants that the init script lacks", []),
    ("data folder is a volume", True),
    ("memory that processes share is enough", True),
    ("checks are the overlay's own", True),
)


BESIDE_RULES = (
    ("URL's address", "127.0.0.1"),
    ("URL's password", None),
    ("password file is in a Secret", True),
    ("adapter can read the password", True),
    ("own users", {65532}),
    ("own security", True),
    ("own volumes that keep a node from being removed", []),
)


def judge(objects, rules, classic=False):
    """The rules that the objects break, as sentences."""
    values = seen(objects, classic)
    return [
        f"{name}: {values[name]!r}"
        for name, expected in rules
        if not _agrees(values[name], expected)
    ]


def judge_beside(objects, database):
    """The rules that a database of others breaks beside which the component has put the adapter;
    database is what its container is called."""
    manifest = Manifest(objects, database)
    found = {}
    for part in (_of_database, _of_liveness, _of_probes_beside, _of_url, _of_own_security):
        found |= part(manifest)
    found |= _of_adapter(manifest, classic=False)
    return [
        f"{name}: {found[name]!r}"
        for name, expected in (*(row for row in RULES if row[0] in found), *BESIDE_RULES)
        if not _agrees(found[name], expected)
    ]


def seen(objects, classic):
    """All values that a rule may be about, by name."""
    manifest = Manifest(objects)
    return {
        **_of_adapter(manifest, classic),
        "replacing Pods": Manifest(objects).set["spec"]["podManagementPolicy"],
        **_of_database(manifest),
        **_of_liveness(manifest),
        **_of_probes(manifest),
        **_of_services(manifest),
        **_of_eviction(manifest),
        **_of_policies(manifest),
        **_of_drain(manifest, classic),
        **_of_security(manifest),
        **_of_secrets(manifest),
        **_of_monitoring(manifest),
        **_of_engine(manifest),
    }


class Manifest:
    """The objects, and what the rules ask of them most."""

    def __init__(self, objects, database="database"):
        self.objects = objects
        self.set = self.only("StatefulSet", "Deployment")
        self.template = self.set["spec"]["template"]
        self.pod = self.template["spec"]
        self.labels = self.template["metadata"]["labels"]
        self.before = self.pod.get("initContainers", [])
        self.containers = self.before + self.pod["containers"]
        self.volumes = {volume["name"]: volume for volume in self.pod.get("volumes", [])}
        self.services = self.all("Service")
        self.adapter = self.container("adapter")
        self.database = self.container(database)

    def all(self, kind):
        return [found for found in self.objects if found["kind"] == kind]

    def only(self, *kinds):
        found = [found for kind in kinds for found in self.all(kind)]
        assert len(found) == 1, f"{len(found)} of {kinds}"
        return found[0]

    def container(self, name):
        (found,) = [container for container in self.containers if container["name"] == name]
        return found

    def variables(self, container):
        maps = {o["metadata"]["name"]: o.get("data", {}) for o in self.all("ConfigMap")}
        values = {}
        for source in container.get("envFrom", []):
            values.update(maps.get(source["configMapRef"]["name"], {}))
        for variable in container.get("env", []):
            values[variable["name"]] = variable.get("value")
        return values

    def volume_at(self, container, path):
        """The volume that is mounted where the path lies."""
        for mount in container["volumeMounts"]:
            if path.startswith(mount["mountPath"] + "/"):
                return mount["name"]
        return None


def _budget(probe):
    return probe["periodSeconds"] * probe["failureThreshold"] if probe else None


def _probe(container, name):
    return container.get(name, {}).get("httpGet")


def _seconds(text):
    """A duration as the adapter reads them."""
    number, unit = re.fullmatch(r"([\d.]+)(ms|s|m|h)", text).groups()
    return float(number) * {"ms": 0.001, "s": 1, "m": 60, "h": 3600}[unit]


def _of_adapter(manifest, classic):
    adapter = manifest.adapter
    native = adapter in manifest.before and adapter.get("restartPolicy") == "Always"
    ordinary = adapter in manifest.pod["containers"] and "restartPolicy" not in adapter
    resources = adapter["resources"]
    return {
        "adapter's place": "as ordered" if (ordinary if classic else native) else "another",
        "adapter's startup": _probe(adapter, "startupProbe"),
        "adapter's liveness": _probe(adapter, "livenessProbe"),
        "adapter's readiness": adapter.get("readinessProbe"),
        "adapter's end by its own probes in s": {
            adapter[name].get("terminationGracePeriodSeconds")
            for name in ("startupProbe", "livenessProbe")
            if name in adapter
        },
        "adapter's memory limit": resources["limits"]["memory"],
        "adapter's cpu request in m": int(resources["requests"]["cpu"].removesuffix("m")),
        "adapter's root is read-only": adapter["securityContext"].get("readOnlyRootFilesystem"),
    }


def _of_database(manifest):
    database = manifest.database
    readiness = database["readinessProbe"]
    cache = _seconds(manifest.variables(manifest.adapter).get("DBHEALTH_CACHE", "2s"))
    return {
        "database's startup": _probe(database, "startupProbe"),
        "database's startup budget in s": _budget(database["startupProbe"]),
        "database's readiness": _probe(database, "readinessProbe"),
        "database's readiness forgives": readiness["failureThreshold"] - 1,
        "database's readiness after a freeze in s": cache + DEADLINE + _budget(readiness),
    }


def _of_liveness(manifest):
    """None is there, or one by HTTP, or one that runs the program in the database's container."""
    probe = manifest.database.get("livenessProbe", {})
    by_exec = probe if "exec" in probe else None
    by_http = probe if probe and not by_exec else None
    return {
        "database's liveness by HTTP": by_http and by_http.get("httpGet"),
        "database's liveness by HTTP, budget in s": _budget(by_http),
        "database's liveness by exec, budget in s": _budget(by_exec),
        "database's liveness by exec, timeout in s": by_exec and by_exec.get("timeoutSeconds", 1),
        "database's liveness runs what is there": by_exec and _is_installed(manifest, by_exec),
        "database's end by its liveness in s": probe.get("terminationGracePeriodSeconds", 0)
        if probe
        else None,
    }


def _is_installed(manifest, probe):
    """The program is in an emptyDir that an init container of the adapter's image puts it into."""
    path = probe["exec"]["command"][0]
    volume = manifest.volume_at(manifest.database, path)
    installers = [
        container
        for container in manifest.before
        if container["image"] == manifest.adapter["image"]
        and container.get("args", [])[:1] == ["install"]
        and manifest.volume_at(container, f"{container['args'][1]}/{ASK}") == volume
    ]
    return (
        path.endswith(f"/{ASK}")
        and len(installers) == 1
        and "emptyDir" in manifest.volumes.get(volume, {})
    )


def _of_probes(manifest):
    probes = [
        container[name]
        for container in manifest.containers
        for name in PROBES
        if name in container and container[name] is not _liveness_by_exec(manifest)
    ]
    return {
        "probes' timeouts in s": sorted({probe.get("timeoutSeconds", 1) for probe in probes}),
        "probes of another kind": [probe for probe in probes if "httpGet" not in probe],
    }


def _of_probes_beside(manifest):
    """The probes of the two alone: what others ask is theirs."""
    pair = (manifest.adapter, manifest.database)
    probes = [c[name] for c in pair for name in PROBES if name in c]
    by_http = [probe for probe in probes if probe is not _liveness_by_exec(manifest)]
    handlers = [set(probe) & {"exec", "httpGet", "tcpSocket", "grpc"} for probe in probes]
    return {
        "probes' timeouts in s": sorted({probe.get("timeoutSeconds", 1) for probe in by_http}),
        "probes of another kind": [kinds for kinds in handlers if len(kinds) != 1]
        + [probe for probe in by_http if "httpGet" not in probe],
    }


def _of_url(manifest):
    url = urlsplit(manifest.variables(manifest.adapter).get("DATABASE_URL", ""))
    file = manifest.variables(manifest.adapter).get("DATABASE_PASSWORD_FILE", "")
    secret = manifest.volumes.get(manifest.volume_at(manifest.adapter, file), {}).get("secret")
    return {
        "URL's address": url.hostname,
        "URL's password": url.password,
        "password file is in a Secret": secret is not None,
        "adapter can read the password": secret is not None
        and (secret.get("defaultMode", 0o644) & 0o004 != 0 or "fsGroup" in manifest.pod),
    }


def _of_own_security(manifest):
    """What is added fits into a Pod that is restricted, whatever the Pod itself says."""
    own = [c for c in manifest.before if c["image"] == manifest.adapter["image"]]
    contexts = [container["securityContext"] for container in own]
    return {
        "own users": {context.get("runAsUser") for context in contexts},
        "own security": all(
            context.get("runAsNonRoot")
            and context.get("readOnlyRootFilesystem")
            and context.get("allowPrivilegeEscalation") is False
            and context.get("capabilities") == {"drop": ["ALL"]}
            and context.get("seccompProfile") == {"type": "RuntimeDefault"}
            for context in contexts
        ),
        "own volumes that keep a node from being removed": [
            mount["name"]
            for container in own
            for mount in container["volumeMounts"]
            if _is_local(manifest.volumes[mount["name"]])
        ],
    }


def _liveness_by_exec(manifest):
    probe = manifest.database.get("livenessProbe", {})
    return probe if "exec" in probe else None


def _of_services(manifest):
    budget = manifest.only("PodDisruptionBudget")["spec"]
    governing = [
        service["spec"]
        for service in manifest.services
        if service["metadata"]["name"] == manifest.set["spec"]["serviceName"]
    ]
    others = [s["spec"] for s in manifest.services if s["spec"] not in governing]
    selectors = [service["spec"]["selector"] for service in manifest.services]
    selectors += [s["selector"]["matchLabels"] for s in (budget, manifest.set["spec"])]
    ports = [p for container in manifest.containers for p in container.get("ports", [])]
    known = {port["name"] for port in ports} | {port["containerPort"] for port in ports}
    wanted = {port["targetPort"] for s in manifest.services for port in s["spec"]["ports"]}
    has_engine = "ports" in manifest.database
    return {
        "governing Service is headless": [s.get("clusterIP") for s in governing] == ["None"],
        "governing Service names Pods that aren't ready": all(
            service.get("publishNotReadyAddresses") for service in governing
        ),
        "other Services name Pods that aren't ready": any(
            service.get("publishNotReadyAddresses") for service in others
        ),
        "selectors that select the Pods": all(
            selector and selector.items() <= manifest.labels.items() for selector in selectors
        ),
        "Services' target ports are there": wanted <= known or not has_engine,
    }


def _of_eviction(manifest):
    budget = manifest.only("PodDisruptionBudget")["spec"]
    annotations = manifest.template["metadata"].get("annotations", {})
    named = annotations.get(SAFE_TO_EVICT, "").split(",")
    local = [name for name, volume in manifest.volumes.items() if _is_local(volume)]
    return {
        "evicting Pods that aren't ready": budget.get("unhealthyPodEvictionPolicy"),
        "disruptions": {k: v for k, v in budget.items() if k in ("maxUnavailable", "minAvailable")},
        "volumes that keep a node from being removed": sorted(set(local) - set(named)),
    }


def _is_local(volume):
    """In the eyes of the autoscaler: what is in it lies on the node's disk."""
    return "emptyDir" in volume and volume["emptyDir"].get("medium") != "Memory"


def _of_policies(manifest):
    """Whoever may ask the adapter and the database, somebody may."""
    ports = {"database", ADAPTER_PORT}
    policies = [policy["spec"] for policy in manifest.all("NetworkPolicy")]
    return {
        "policies that don't let the Pods be asked": [
            policy
            for policy in policies
            if {port["port"] for rule in policy["ingress"] for port in rule["ports"]} != ports
            or not policy["podSelector"]["matchLabels"].items() <= manifest.labels.items()
        ],
    }


def _of_drain(manifest, classic):
    file = manifest.variables(manifest.adapter).get("DBHEALTH_DRAIN_FILE", "")
    names = {manifest.volume_at(c, file) for c in (manifest.adapter, manifest.database)}
    hooks = manifest.database["lifecycle"]
    before_end = " ".join(hooks["preStop"]["exec"]["command"])
    grace = manifest.pod["terminationGracePeriodSeconds"]
    pause = sum(int(seconds) for seconds in re.findall(r"sleep (\d+)", before_end))
    drain = manifest.variables(manifest.adapter).get("DBHEALTH_DRAIN", "10s")
    return {
        "drain file is shared and an emptyDir": len(names) == 1
        and "emptyDir" in manifest.volumes.get(names.pop(), {}),
        "drain file is made by preStop": f"touch {file}" in before_end,
        "drain file is removed by postStart": hooks["postStart"]["exec"]["command"]
        == ["rm", "-f", file],
        "preStop leaves time to end, in s": grace - pause if pause else 0,
        "adapter's drain outlasts the database, in s": _seconds(drain) - grace if classic else None,
    }


def _of_security(manifest):
    contexts = [container["securityContext"] for container in manifest.containers]
    pod = manifest.pod
    host = [name for name in ("hostNetwork", "hostPID", "hostIPC") if name in pod]
    limited = [c["name"] for c in manifest.containers if "cpu" in c["resources"]["limits"]]
    host += [p for c in manifest.containers for p in c.get("ports", []) if "hostPort" in p]
    kinds = {key for volume in pod["volumes"] for key in volume if key != "name"}
    return {
        "kinds": {found["kind"] for found in manifest.objects},
        "other init containers": {c["name"] for c in manifest.before} - {"adapter"},
        "cpu limits": limited,
        "runs as non-root": pod["securityContext"].get("runAsNonRoot"),
        "users": {context.get("runAsUser") for context in contexts},
        "seccomp": pod["securityContext"]["seccompProfile"]["type"],
        "privilege escalation": _distinct(c.get("allowPrivilegeEscalation") for c in contexts),
        "capabilities": _distinct(context.get("capabilities") for context in contexts),
        "privileged": [context for context in contexts if context.get("privileged")],
        "host's namespaces and ports": host,
        "kinds of volumes": kinds,
        "service account's token": pod.get("automountServiceAccountToken"),
    }


def _distinct(values):
    found = []
    for value in values:
        if value not in found:
            found.append(value)
    return found


def _of_secrets(manifest):
    secrets = {name: v["secret"] for name, v in manifest.volumes.items() if "secret" in v}
    modes = {secret.get("defaultMode", 0o644) & 0o007 for secret in secrets.values()}
    names = [name for container in manifest.containers for name in manifest.variables(container)]
    file = manifest.variables(manifest.adapter).get("DATABASE_PASSWORD_FILE", "")
    return {
        "secrets' modes for others": sorted(modes),
        "passwords in variables": [name for name in names if name.endswith("PASSWORD")],
        "password file is in a Secret": manifest.volume_at(manifest.adapter, file) in secrets,
    }


def _of_monitoring(manifest):
    names = {container["name"] for container in manifest.containers}
    ports = {port["name"] for c in manifest.containers for port in c.get("ports", [])}
    text = str([rule["spec"] for rule in manifest.all("PrometheusRule")])
    monitors = [monitor["spec"] for monitor in manifest.all("PodMonitor")]
    scraped = [endpoint for monitor in monitors for endpoint in monitor["podMetricsEndpoints"]]
    return {
        "alerts on containers that aren't there": sorted(
            set(re.findall(r'container="(\w+)"', text)) - names
        ),
        "PodMonitor's port is there": all(
            endpoint["port"] in ports
            and monitor["selector"]["matchLabels"].items() <= manifest.labels.items()
            for monitor in monitors
            for endpoint in monitor["podMetricsEndpoints"]
        ),
        "PodMonitor asks for": [endpoint["path"] for endpoint in scraped],
        "PodMonitor's time to spare in s": min(
            (_seconds(endpoint["scrapeTimeout"]) - 0.9 for endpoint in scraped), default=None
        ),
    }


def _of_engine(manifest):
    url = urlsplit(manifest.variables(manifest.adapter).get("DATABASE_URL", ""))
    scripts = "\n".join(
        text
        for found in manifest.all("ConfigMap")
        for name, text in found["data"].items()
        if name.startswith("probe-user.")
    )
    data = [m for m in manifest.database["volumeMounts"] if m["name"] == "data"]
    shared = manifest.volume_at(manifest.database, "/dev/shm/any")
    memory = manifest.volumes.get(shared, {}).get("emptyDir", {})
    prefix = manifest.set["metadata"]["name"].removesuffix("db")
    checks = manifest.volumes["checks"]["configMap"]["name"]
    return {
        "URL's address": url.hostname,
        "URL's password": url.password,
        "URL's user": url.username,
        "init script creates that user": bool(
            re.search(rf"^CREATE (ROLE|USER) {url.username}\b", scripts, re.MULTILINE)
        ),
        "init script reads the password from the Secret": "/run/secrets/probe/password" in scripts,
        "grants that the init script lacks": sorted(_grants(url.scheme) - _statements(scripts)),
        "data folder is a volume": len(data) == 1,
        "memory that processes share is enough": memory.get("medium") == "Memory"
        or not url.scheme.startswith("postgres"),
        "checks are the overlay's own": prefix.endswith(checks.removesuffix("checks") or "none"),
    }


def _grants(scheme):
    """What the shipped checks need that are enabled, as their files say it."""
    folder = REPOSITORY / "checks" / ("postgres" if scheme.startswith("postgres") else "mysql")
    user = "probe" if scheme.startswith("postgres") else "probe@'127.0.0.1'"
    headers = [path.read_text() for path in folder.glob("*.sql")]
    enabled = [text for text in headers if not re.search(r"^-- enabled: +no$", text, re.MULTILINE)]
    found = re.findall(r"^-- grants: +(.*)$", "\n".join(enabled), re.MULTILINE)
    return {statement.replace("$user", user) for statement in found}


def _statements(scripts):
    return {line.strip().rstrip(";") for line in scripts.splitlines()}
