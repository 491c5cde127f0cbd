"""What src/release/make makes of the image: the list of what is in it, and all of it again."""

import hashlib
import json
import os
import subprocess
import tarfile

import pytest
from conftest import REPOSITORY
from pods import HERE, podman

pytestmark = pytest.mark.timeout(300)  # For two builds.

MAKE = REPOSITORY / "src/release/make"
DAY = 1234567890  # As SOURCE_DATE_EPOCH.


def run(*command, cwd=None, **variables):
    result = subprocess.run(
        list(map(str, command)),
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **variables},
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


@pytest.fixture(scope="module")
def version():
    return run(MAKE, "version").strip()


@pytest.fixture(scope="module")
def made_twice(works, version, tmp_path_factory):
    """The folders of two releases that have nothing in common but the packages of their builds. All
    that is known of the lists of images stands beside them, as a registry gets it."""
    again = tmp_path_factory.mktemp("again") / "Dockerfile"
    _, _, rest = (REPOSITORY / "Dockerfile").read_text().partition("FROM tools AS build\n")
    again.write_text(f"FROM localhost/dbhealth-tests/tools AS build\n{rest}")
    options = ["--pull=never", "--network=none", "--file", again]
    platform = f"linux/{run('dpkg', '--print-architecture').strip()}"
    of_the_test = {"PODMAN": str(HERE / "podman"), "PLATFORMS": platform}
    folders = []
    for name in ("one", "two"):
        folder = tmp_path_factory.mktemp(name)
        run(MAKE, "images", folder, *options, **of_the_test, SOURCE_DATE_EPOCH=str(DAY))
        run(MAKE, "sums", folder)
        podman("manifest", "push", "--all", f"localhost/dbhealthd:{version}", f"dir:{folder}/pushed")
        folders.append(folder)
    yield folders
    podman("manifest", "rm", f"localhost/dbhealthd:{version}")
    podman("rmi", "--force", f"localhost/dbhealthd:{version}-{platform.partition('/')[2]}")


@pytest.fixture(scope="module")
def archive(made_twice):
    (archive,) = made_twice[0].glob("*.tar")
    return archive


@pytest.fixture(scope="module")
def contents(archive):
    """The image's regular files."""
    with tarfile.open(archive) as saved:
        (manifest,) = json.load(saved.extractfile("manifest.json"))
        (layer,) = manifest["Layers"]
        with tarfile.open(fileobj=saved.extractfile(layer)) as files:
            return {
                f"./{member.name}": files.extractfile(member).read()
                for member in files
                if member.isfile()
            }


@pytest.fixture(scope="module")
def listed(archive):
    return json.loads(archive.with_suffix(".spdx.json").read_text())


def files_below(folder):
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_the_same_release_again(made_twice, version):
    """Each file of it, and each manifest and layer of what is pushed."""
    one, two = map(files_below, made_twice)
    machine = made_twice[0] / f"dbhealthd-{version}-{run('dpkg', '--print-architecture').strip()}"
    assert {"SHA256SUMS", f"{machine.name}.tar", f"{machine.name}.spdx.json"} <= one.keys()
    assert one.keys() == two.keys()
    assert [name for name in one if one[name] != two[name]] == []
    manifests = json.loads(one["pushed/manifest.json"])["manifests"]
    assert [each["platform"]["os"] for each in manifests] == ["linux"]


def test_the_sums_are_those_of_the_files(made_twice):
    run("sha256sum", "--check", "--strict", "SHA256SUMS", cwd=made_twice[0])


def test_each_file_is_listed(contents, listed):
    sums = {entry["fileName"]: entry["checksums"] for entry in listed["files"]}
    assert sums.keys() == contents.keys()
    for path, data in contents.items():
        values = {entry["algorithm"]: entry["checksumValue"] for entry in sums[path]}
        assert values["SHA256"] == hashlib.sha256(data).hexdigest(), path
        assert values["SHA1"] == hashlib.sha1(data).hexdigest(), path


def test_each_file_is_of_one_package(listed):
    """Debian's by what Debian says; what is ours and what was made for the image is the image's."""
    names = {entry["SPDXID"]: entry["name"] for entry in listed["packages"]}
    names |= {entry["SPDXID"]: entry["fileName"] for entry in listed["files"]}
    holders = {}
    for relation in listed["relationships"]:
        if relation["relationshipType"] == "CONTAINS":
            held = names[relation["relatedSpdxElement"]]
            assert held not in holders, held
            holders[held] = names[relation["spdxElementId"]]
    assert {entry["fileName"] for entry in listed["files"]} <= holders.keys()
    ours = {file for file, holder in holders.items() if holder == "dbhealthd" and "/" in file}
    assert {"./usr/bin/dbhealthd", "./usr/libexec/dbhealthd/dbhealthd-mysql"} <= ours
    assert not [file for file in ours if ".so" in file and "ld.so" not in file]
    (client,) = [file for file in holders if "/libpq.so" in file]
    assert (holders[client], holders["libpq5"]) == ("libpq5", "dbhealthd")
    assert holders["./etc/ssl/certs/ca-certificates.crt"] == "ca-certificates"


def test_packages_have_what_scanners_go_by(listed, version):
    described = [r for r in listed["relationships"] if r["relationshipType"] == "DESCRIBES"]
    image, *packages = listed["packages"]
    assert [relation["relatedSpdxElement"] for relation in described] == [image["SPDXID"]]
    assert (image["name"], image["versionInfo"]) == ("dbhealthd", version)
    assert image["licenseDeclared"] == "Apache-2.0"
    assert listed["spdxVersion"] == "SPDX-2.3"
    assert listed["creationInfo"]["created"] == "2009-02-13T23:31:30Z"
    urls = {p["name"]: p["externalRefs"][0]["referenceLocator"] for p in packages}
    assert len(urls) > 15
    for package in packages:
        version = package["versionInfo"].replace(":", "%3A").replace("+", "%2B")
        start = f"pkg:deb/debian/{package['name'].replace('+', '%2B')}@{version}?arch="
        assert urls[package["name"]].startswith(start)
    assert "&upstream=postgresql-" in urls["libpq5"]
    identifiers = [entry["SPDXID"] for entry in listed["packages"] + listed["files"]]
    assert len(identifiers) == len(set(identifiers))
