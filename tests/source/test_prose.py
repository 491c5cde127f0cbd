"""The documents as text: links lead somewhere, lines end, and what src/README.md names is there."""

import os
import re
from pathlib import Path

import pytest
import test_rooms

REPOSITORY = Path(__file__).parents[2]
SOURCE = REPOSITORY / "src"
DOCUMENTS = [*REPOSITORY.glob("*.md"), *sorted(REPOSITORY.glob("[!.]*/**/*.md"))]
FRONT_PAGE_LINES = 200
PROSE_COLUMNS = 160
MANUAL_COLUMNS = 80
FENCED = re.compile(r"^ *```.*?^ *```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)\s]+)\)|(?:src|srcset|href)=\"([^\"]+)\"")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def each(test):
    ids = [str(document.relative_to(REPOSITORY)) for document in DOCUMENTS]
    return pytest.mark.parametrize("document", DOCUMENTS, ids=ids)(test)


def prose_of(text):
    return FENCED.sub("", text)


def prose(document):
    return prose_of(document.read_text())


def anchors(document):
    """What a link may name behind a #, as GitHub makes it of headings."""
    headings = HEADING.findall(prose(document))
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@each
def test_links_lead_to_something(document):
    links = [link or other for link, other in LINK.findall(prose(document))]
    for link in links:
        if re.match(r"https?:", link):
            continue
        path, _, anchor = link.partition("#")
        target = document.parent / path if path else document
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


@pytest.mark.parametrize("page", sorted((SOURCE / "man").glob("*.[0-9]")), ids=lambda p: p.name)
def test_lines_of_manuals_end_where_mandoc_wants_it(page):
    """Where it is installed, mandoc looks at the rest."""
    lines = page.read_text().splitlines()
    assert [line for line in lines if not line.startswith(".") and len(line) > MANUAL_COLUMNS] == []


def test_the_front_page_is_one():
    assert len((REPOSITORY / "README.md").read_text().splitlines()) <= FRONT_PAGE_LINES


@each
def test_lines_are_not_too_long(document):
    """Rows of tables can't be broken; what stands in fences is as it is."""
    lines = [line for line in prose(document).splitlines() if not line.startswith("|")]
    assert [line for line in lines if len(line) > PROSE_COLUMNS] == []


# src/README.md


@pytest.fixture(scope="module")
def guide():
    return (SOURCE / "README.md").read_text()


def test_the_guide_has_each_room_and_what_it_sees(guide):
    section = guide.partition("\n## Rooms\n")[2].partition("\n## ")[0]
    rows = [re.split(r" *\| *", line.strip("| ")) for line in section.splitlines() if "|" in line]
    rooms = {row[0].strip("`"): set(row[2].split()) if len(row) > 2 else set() for row in rows[2:]}
    may_see = {
        room: {seen.removeprefix("server/") for seen in seen_rooms}
        for room, seen_rooms in test_rooms.MAY_SEE.items()
    }
    assert rooms == may_see


def test_the_guide_names_files_that_are_there(guide):
    """In backquotes, seen from src or from the top; names in capitals stand for any."""
    names = re.findall(r"`([a-z_./-]+/[a-z_./-]*|[a-z_]+\.[ch])`", prose_of(guide))
    assert len(names) > 40
    missing = [n for n in names if not any((top / n).exists() for top in (SOURCE, REPOSITORY))]
    files = {path.name for path in SOURCE.glob("**/*.[ch]")}
    assert [name for name in missing if name not in files] == []


def test_the_guide_names_functions_that_there_are(guide):
    sources = "\n".join(path.read_text() for path in SOURCE.glob("**/*.c"))
    names = set(re.findall(r"`(\w+)\(\)`", guide)) | set(re.findall(r"`(\w+_\w+)`", guide))
    assert len(names) > 20
    assert [name for name in names if not re.search(rf"\b{name}\(", sources)] == []


def test_the_guide_names_each_folder_of_tests(guide):
    folders = {path.name for path in (REPOSITORY / "tests").iterdir() if any(path.glob("[!_.]*"))}
    assert folders <= set(re.findall(r"`tests/([a-z-]+)`", guide))


# The manual


def test_the_manual_has_each_path_and_each_key_of_the_query():
    folder, manual = SOURCE / "server/check", (SOURCE / "man/dbhealthd.8").read_text()
    reserved = re.findall(r'\[RESERVED_\w+\] = "(\w+)"', (folder / "reserved.c").read_text())
    builtin = re.findall(r'^    \{"(\w+)", ', (folder / "endpoint.c").read_text(), re.MULTILINE)
    described = re.findall(r"^\.It (?:Pa /|Cm )(\w+)", manual, re.MULTILINE)
    assert len(reserved) > 6 and len(builtin) == 3
    assert set(reserved) - {"none"} | set(builtin) <= set(described)


def test_the_manual_has_each_name_of_other_tools():
    aliases = (SOURCE / "server/check/alias.c").read_text()
    names = re.findall(r'\{"([a-z-]+)", "[a-z_]+"\}', aliases)
    section = (SOURCE / "man/dbhealthd.8").read_text().partition("\n.Ss Names of other tools\n")[2]
    assert len(names) > 8
    assert set(names) <= set(re.findall(r"[\w-]+", section.partition("\n.Ss ")[0]))


@pytest.mark.parametrize("engine", ["POSTGRES", "MYSQL"])
def test_the_manual_has_each_parameter_of_the_url(engine):
    target, manual = (SOURCE / "common/target.c"), (SOURCE / "man/dbhealthd.8").read_text()
    taken = re.findall(rf'\{{ENGINE_{engine}, "([a-z_-]+)", TO_', target.read_text())
    section = manual.partition("\n.Ss The URL\n")[2].partition("\n.S")[0]
    postgres, mysql = section.partition(" MySQL and MariaDB it takes\n")[::2]
    described = re.findall(r"(?<!=)\b[a-z][a-z_-]+", postgres if engine == "POSTGRES" else mysql)
    assert len(taken) > 8
    assert set(taken) <= set(described)


# k8s/README.md


def test_operations_name_each_component_and_overlay():
    folder = REPOSITORY / "k8s"
    text = (folder / "README.md").read_text()
    named = set(re.findall(r"`([a-z/-]+)`", text))
    assert {path.name for path in (folder / "components").iterdir()} <= named
    assert {f"overlays/{path.name}" for path in (folder / "overlays").iterdir()} <= named


# src/CHANGELOG.md


def test_the_newest_change_is_of_this_version():
    """And has a day, as src/release/make wants it. A Debian changelog has short lines."""
    (version,) = re.findall(
        r"^project\(dbhealthd VERSION (\S+) ", (REPOSITORY / "CMakeLists.txt").read_text(), re.MULTILINE
    )
    changes = (SOURCE / "CHANGELOG.md").read_text()
    newest = re.search(r"^## (\S+), (\d{4}-\d\d-\d\d)\n\n- ", changes, re.MULTILINE)
    assert newest and newest[1] == version
    assert max(map(len, changes.splitlines())) <= 76


def test_the_workflow_runs_what_is_there():
    text = (REPOSITORY / ".github/workflows/release.yml").read_text()
    called = re.findall(r"(?:run: |\$\()((?:src|tests)/\S+?)[ )\n]", text)
    assert len(called) >= 4
    for script in called:
        assert os.access(REPOSITORY / script, os.X_OK), script
