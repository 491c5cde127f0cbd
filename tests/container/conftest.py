"""Fixtures for the image and the manifests. Containers, images and kubectl come from the cache that
tests/install fills; nothing here reaches the network."""

import fcntl
import os
import subprocess
import tarfile
from pathlib import Path

import pytest
import yaml
from pods import ADAPTER_IMAGE, HERE, Pod, podman, require_podman

REPOSITORY = HERE.parent.parent
KUBECTL = Path(os.environ.get("DBHEALTH_TEST_CACHE", "/var/cache/dbhealth-tests"), "kubectl")


@pytest.fixture(scope="session")
def works():
    """Podman runs containers here."""
    require_podman()


@pytest.fixture(scope="session")
def image(works, tmp_path_factory):
    """The image, built from the Dockerfile as it stands and without a network, by the worker that
    comes first: the other finds each of its layers."""
    build = [HERE / "build", ADAPTER_IMAGE, "--network=none", "--build-arg", "VERSION=for-a-test"]
    with (tmp_path_factory.getbasetemp().parent / "image").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        podman("image", "prune", "--force", "--filter", "until=24h")
        result = subprocess.run(build, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    return ADAPTER_IMAGE


@pytest.fixture(scope="session")
def image_files(image, tmp_path_factory):
    """What is in the image, as tarfile.TarInfo by path."""
    archive = tmp_path_factory.mktemp("image") / "files.tar"
    container = podman("create", "--no-healthcheck", image)
    try:
        podman("export", "--output", archive, container)
    finally:
        podman("rm", container)
    with tarfile.open(archive) as files:
        return {f"/{member.name}".rstrip("/"): member for member in files}


@pytest.fixture(scope="session")
def kustomize():
    """kustomize(folder) renders a kustomization to a list of objects."""
    assert KUBECTL.exists(), f"no {KUBECTL}; tests/install all puts it there"

    def render(folder):
        command = [KUBECTL, "kustomize", folder]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        assert result.returncode == 0, result.stderr
        return list(yaml.safe_load_all(result.stdout))

    return render


@pytest.fixture(scope="module")
def new_pod(image, kustomize, tmp_path_factory):
    """new_pod(engine) makes the Pod of that engine's overlay; use it in a with statement."""

    def make(engine):
        objects = kustomize(REPOSITORY / "k8s" / "overlays" / engine)
        stateful_set = next(o for o in objects if o["kind"] == "StatefulSet")
        config_maps = {o["metadata"]["name"]: o for o in objects if o["kind"] == "ConfigMap"}
        return Pod(stateful_set, config_maps, tmp_path_factory.mktemp(engine))

    return make
