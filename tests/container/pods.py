"""A Pod of the manifests, played by podman: its containers share localhost, and have the users,
limits, variables, mounts and commands of the StatefulSet. The databases are Debian's in place of
the official images, started by ./entrypoint."""

import contextlib
import ctypes
import http.client
import itertools
import json
import os
import shutil
import socket
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
from servers import wait_until

HERE = Path(__file__).resolve().parent
BASE_IMAGE = "docker.io/library/debian:trixie-slim"
ADAPTER_IMAGE = "localhost/dbhealth-tests/dbhealthd"
PASSWORDS = {"admin-secret": "admin-secret\n", "probe-secret": r"it's a \ secret" + "\n"}
# Where the official images' servers put their sockets, and which belongs to them there.
RUN_FOLDERS = ("/run/mysqld", "/run/postgresql", "/tmp")
CLONE_NEWNET = 0x40000000

_libc = ctypes.CDLL(None, use_errno=True)
_numbers = itertools.count(1)


def podman(*arguments, check=True):
    """Runs podman; gives what it printed, or with check=False the finished process."""
    result = subprocess.run(
        [HERE / "podman", *map(str, arguments)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if not check:
        return result
    if result.returncode != 0:
        raise RuntimeError(f"podman {arguments[0]} failed:\n{result.stdout}{result.stderr}")
    return result.stdout.strip()


@dataclass
class Answer:
    status: int
    body: str
    seconds: float

    @property
    def well(self):
        return self.status == 200


class Pod:
    """A Pod of a StatefulSet. Volumes are folders on the host; Secrets have made-up contents.

    with Pod(stateful_set, config_maps, folder) as pod:
        pod.start("adapter")
    """

    def __init__(self, stateful_set, config_maps, folder):
        self.name = f"dbhealth-test-{os.getpid()}-{next(_numbers)}"
        self.spec = stateful_set["spec"]["template"]["spec"]
        self.config_maps = config_maps
        self.folder = folder
        self.containers = {
            container["name"]: container
            for container in self.spec.get("initContainers", []) + self.spec["containers"]
        }
        self.group = self.spec["securityContext"]["fsGroup"]

    def __enter__(self):
        podman(
            *("pod", "create", "--name", self.name, "--network", "none"),
            *("--infra-image", BASE_IMAGE, "--infra-command", "sleep infinity"),
        )
        self._make_volumes()
        try:
            podman("pod", "start", self.name)
            self._network = os.open(f"/proc/{self._infra_pid()}/ns/net", os.O_RDONLY)
        except BaseException:
            self._remove()
            raise
        return self

    def __exit__(self, *_):
        os.close(self._network)
        self._remove()

    def _remove(self):
        podman("pod", "rm", "--force", "--time", "0", self.name)

    def _infra_pid(self):
        infra = podman("pod", "inspect", "--format", "{{.InfraContainerID}}", self.name)
        return podman("inspect", "--format", "{{.State.Pid}}", infra)

    # Containers, by their name in the manifest

    def start(self, name, **options):
        """Starts a container anew, as the kubelet does: see create_arguments."""
        podman("create", "--replace", *self.create_arguments(name, **options))
        podman("start", self.container(name))

    def run_to_its_end(self, name):
        """An init container."""
        self.start(name)
        assert podman("wait", self.container(name)) == "0", self.log(name)

    def create_arguments(self, name, image=None, command=()):
        """podman create's arguments, by the manifest."""
        container = self.containers[name]
        command = command or container.get("args", [])
        context = container["securityContext"]
        arguments = [
            *("--pod", self.name, "--name", self.container(name), "--no-healthcheck"),
            *("--user", f"{context['runAsUser']}:{context['runAsGroup']}"),
            *("--group-add", self.group, "--memory", _bytes(container["resources"]["limits"])),
            *(f"--cap-drop={capability}" for capability in context["capabilities"]["drop"]),
        ]
        if not context["allowPrivilegeEscalation"]:
            arguments.append("--security-opt=no-new-privileges")
        if context.get("readOnlyRootFilesystem"):
            arguments += ["--read-only", "--read-only-tmpfs=false"]
        arguments += [f"--env={name}={value}" for name, value in self._environment(container)]
        arguments += [f"--volume={volume}" for volume in self._mounts(container)]
        if image:
            arguments += [f"--tmpfs={folder}:mode=1777" for folder in RUN_FOLDERS]
            arguments += [f"--volume={HERE}/entrypoint:/entrypoint:ro", "--entrypoint=/entrypoint"]
        return [*arguments, image or ADAPTER_IMAGE, *command]

    def container(self, name):
        """podman's name of a container."""
        return f"{self.name}-{name}"

    def state(self, name):
        """What podman knows of a container's process: Status, Pid, ExitCode, OOMKilled, ..."""
        return json.loads(podman("inspect", self.container(name)))[0]["State"]

    def pid(self, name):
        """The process id, on the host, of a container's first process."""
        return self.state(name)["Pid"]

    def log(self, name):
        result = podman("logs", self.container(name), check=False)
        return result.stdout + result.stderr

    def execute(self, name, *command, detach=False):
        """Runs a command in a container; gives the finished process."""
        flags = ["--detach"] if detach else []
        return podman("exec", *flags, self.container(name), *command, check=False)

    # The adapter

    def get(self, path, port=8080):
        """Asks on the Pod's localhost."""
        began = time.monotonic()
        connection = http.client.HTTPConnection("127.0.0.1", port)
        connection.sock = self._connect(port)
        with contextlib.closing(connection):
            connection.request("GET", path)
            answer = connection.getresponse()
            body = answer.read().decode()
        return Answer(answer.status, body, time.monotonic() - began)

    def probe(self, name, probe):
        """Asks what the kubelet would: one of a container's probes. One that runs a program there
        is well if that ends with 0."""
        probe = self.containers[name][probe]
        if "httpGet" in probe:
            return self.get(probe["httpGet"]["path"], probe["httpGet"]["port"])
        began = time.monotonic()
        ended = self.execute(name, *probe["exec"]["command"])
        status = {0: 200, 1: 503}[ended.returncode]
        return Answer(status, ended.stdout, time.monotonic() - began)

    def wait_probe(self, name, probe, well=True, limit=30):
        """Waits until a probe answers as expected; gives the answer."""

        def asked():
            with contextlib.suppress(OSError):
                answer = self.probe(name, probe)
                return answer if answer.well == well else None

        return wait_until(asked, f"{name}'s {probe} is {'well' if well else 'not well'}", limit)

    def _connect(self, port):
        """A socket belongs to the network that its thread was in when it was made."""

        def connect():
            if _libc.setns(self._network, CLONE_NEWNET) != 0:
                raise OSError(ctypes.get_errno(), "setns")
            return socket.create_connection(("127.0.0.1", port), 20)

        with ThreadPoolExecutor(1) as thread:
            return thread.submit(connect).result()

    # What the manifest says, for podman

    def _environment(self, container):
        for source in container.get("envFrom", []):
            yield from self.config_maps[source["configMapRef"]["name"]]["data"].items()
        for variable in container.get("env", []):
            yield variable["name"], variable["value"]

    def _mounts(self, container):
        for mount in container["volumeMounts"]:
            mode = "ro" if mount.get("readOnly") else "rw"
            yield f"{self.volume(mount['name'])}:{mount['mountPath']}:{mode}"

    def volume(self, name):
        """The folder on the host that stands for a volume."""
        return self.folder / name

    def _make_volumes(self):
        self.folder.chmod(0o755)
        for volume in [*self.spec["volumes"], {"name": "data"}]:
            folder = self.volume(volume["name"])
            folder.mkdir()
            shutil.chown(folder, group=self.group)
            folder.chmod(0o2777 if "emptyDir" in volume else 0o2775)
            if "secret" in volume:
                self.write_secret(volume["name"], PASSWORDS[volume["name"]])
            if "configMap" in volume:
                self._fill(folder, volume["configMap"])

    def write_secret(self, volume, password):
        """Puts a password into a Secret, as the kubelet does: another file, not in place."""
        new = self.volume(volume) / "new"
        new.write_text(password)
        shutil.chown(new, group=self.group)
        mode = next(v for v in self.spec["volumes"] if v["name"] == volume)["secret"]["defaultMode"]
        new.chmod(mode)
        new.rename(self.volume(volume) / "password")

    def _fill(self, folder, source):
        config_map = self.config_maps.get(source["name"])
        assert config_map or source.get("optional"), f"no ConfigMap {source['name']}"
        for name, text in (config_map or {"data": {}})["data"].items():
            (folder / name).write_text(text)
            (folder / name).chmod(source.get("defaultMode", 0o644))


def _bytes(limits):
    memory = limits["memory"]
    return str(int(memory[:-2]) << {"Mi": 20, "Gi": 30}[memory[-2:]])


def require_podman():
    """Skips the test, saying so, where this kernel or this root can't run a container."""
    flags = ["--rm", "--network=none", "--pull=never"]
    result = podman("run", *flags, BASE_IMAGE, "true", check=False)
    if result.returncode == 0:
        return
    if "image not known" in result.stderr or not shutil.which("podman"):
        pytest.fail(f"run tests/install all first: {result.stderr}")
    pytest.skip(f"left out, for podman runs no container here: {result.stderr.strip()[-300:]}")
