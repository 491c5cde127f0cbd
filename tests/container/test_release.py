"""What src/release/make makes of the image: the list of what is in it, and the same image again."""

import hashlib
import json
import subprocess
import tarfile

import pytest
from conftest import REPOSITORY
from pods import ADAPTER_IMAGE, HERE, podman

pytestmark = pytest.mark.timeout(300)  # For two builds.

DAY = 1234567890  # As SOURCE_DATE_EPOCH.
AGAIN = f"{ADAPTER_IMAGE}-again"


@pytest.fixture(scope="module")
def built_twice(works, tmp_path_factory):
    """Two images that have nothing in common but the packages they are built with."""
    again = tmp_path_factory.mktemp("again") / "Dockerfile"
    _, _, rest = (REPOSITORY / "Dockerfile").read_text().partition("FROM tools AS build\n")
    again.write_text(f"FROM localhost/dbhealth-tests/tools AS build\n{rest}")
    images = []
    for name in ("one", "two"):
        image = f"{AGAIN}-{name}"
        options = ["--no-cache", "--network=none", "--timestamp", DAY, "--file", again]
        command = [HERE / "build", image, *options, "--build-arg", "VERSION=1.2.3"]
        result = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
        assert result.returncode == 0, result.stdout + result.stderr
        images.append(image)
    yield images
    podman("rmi", "--force", *images)


@pytest.fixture(scope="module")
def archive(built_twice, tmp_path_factory):
    path = tmp_path_factory.mktemp("archive") / "image.tar"
    podman("save", "--format", "docker-archive", "--output", path, built_twice[0])
    return path


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
    command = [REPOSITORY / "src/release/sbom", archive]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def test_the_same_image_again(built_twice):
    one, two = (json.loads(podman("image", "inspect", image))[0] for image in built_twice)
    assert one["RootFS"] == two["RootFS"]
    assert one["Created"] == two["Created"] and one["Created"].startswith("2009-02-13T23:31:30")


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


def test_packages_have_what_scanners_go_by(listed):
    described = [r for r in listed["relationships"] if r["relationshipType"] == "DESCRIBES"]
    image, *packages = listed["packages"]
    assert [relation["relatedSpdxElement"] for relation in described] == [image["SPDXID"]]
    assert (image["name"], image["versionInfo"]) == ("dbhealthd", "1.2.3")
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
