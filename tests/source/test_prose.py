"""The documents as text: every link leads to something."""

import re
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
DOCUMENTS = [*REPOSITORY.glob("*.md"), *sorted(REPOSITORY.glob("[!.]*/**/*.md"))]
FENCED = re.compile(r"^ *```.*?^ *```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)\s]+)\)|(?:src|srcset|href)=\"([^\"]+)\"")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def each(test):
    ids = [str(document.relative_to(REPOSITORY)) for document in DOCUMENTS]
    return pytest.mark.parametrize("document", DOCUMENTS, ids=ids)(test)


def prose(document):
    return FENCED.sub("", document.read_text())


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
