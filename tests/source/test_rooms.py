"""Who may include whom: a room sees those below it and nothing else. src/README.md says what each is
for."""

import re
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src"

# Each room, and the rooms whose headers it may include.
MAY_SEE = {
    "common": [],
    "client": ["common"],
    "ask": ["client", "common"],
    "prober": ["client", "common"],
    "supervisor": ["common"],
    "server/base": ["common"],
    "server/check": ["server/base", "common"],
    "server/config": ["server/check", "server/base", "common"],
    "server/probing": ["server/config", "server/check", "server/base", "common"],
    "server/report": ["server/config", "server/check", "server/base", "common"],
    "server/answer": ["server/report", "server/probing", "server/config", "server/check"]
    + ["server/base", "common"],
    "server/http": ["server/answer", "server/config", "server/base", "common"],
    "server/agent": ["server/answer", "server/config", "server/base", "common"],
    "server/command": ["server/report", "server/probing", "server/config", "server/check"]
    + ["server/base", "client", "common"],
    "server": ["server/command", "server/http", "server/agent", "server/answer"]
    + ["server/report", "server/probing", "server/config", "server/check", "server/base", "common"],
}
FILES = sorted(SOURCE.glob("**/*.[ch]"))
PROGRAMS = [file for file in FILES if file.suffix == ".c"]
# src/ is an include folder, so that <...> finds its headers too.
INCLUDE = re.compile(r'^ *# *include *(?:"(.+?)"|<((?:ask|client|common|prober|server)/.+?)>)', re.MULTILINE)
STATIC = re.compile(
    r"^static (?:[^;={(]|__attribute__\(\(.*\)\)\s)*?\b(?!__attribute__)(\w+)\(", re.MULTILINE
)
PREFIX = {"mysql": "my", "postgres": "pg"}  # mysql_ and pg... are the libraries'.


def room_of(path):
    return str(Path(path).parent)


def included_by(text):
    return [quoted or bracketed for quoted, bracketed in INCLUDE.findall(text)]


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(SOURCE)))
def test_a_room_sees_what_is_below_it(file):
    room = room_of(file.relative_to(SOURCE))
    for included in included_by(file.read_text()):
        assert room_of(included) in [room, *MAY_SEE[room]], f"{included} is not for {room} to see"


def test_every_form_of_an_include_is_seen():
    text = '#include "a/b.h"\n # include <server/c.h>\n#include<common/d.h>\n#include <stdio.h>\n'
    assert included_by(text) == ["a/b.h", "server/c.h", "common/d.h"]


def test_every_form_of_a_static_function_is_seen():
    text = (
        "static int one(void)\n{\nstatic const char *two(int a)\n{\n"
        "static const struct x *__attribute__((unused))\nthree(void)\n"
        "static const struct x y = {f(1)};\nstatic struct x *const z = g(1);\n"
        "static const int n[] = {\n    h(1),\n"
    )
    assert static_functions(text) == {"one", "two", "three"}


def test_no_circle_between_files():
    """A file and its header are one."""
    sees = {}
    for file in FILES:
        name = str(file.relative_to(SOURCE).with_suffix(""))
        seen = {str(Path(path).with_suffix("")) for path in included_by(file.read_text())}
        sees.setdefault(name, set()).update(seen - {name})
    while leaves := [name for name, seen in sees.items() if not seen & set(sees)]:
        for name in leaves:
            del sees[name]
    assert sees == {}, "each of these is in a circle, or sees one that is"


def static_functions(text):
    return set(STATIC.findall(text))


@pytest.mark.parametrize("file", PROGRAMS, ids=lambda file: str(file.relative_to(SOURCE)))
def test_a_static_function_is_named_after_its_file(file):
    prefix = PREFIX.get(file.stem, file.stem)
    names = static_functions(file.read_text())
    assert [name for name in names if not name.startswith(prefix)] == []


# What decides about a database's life: it gets time and processes through platform.h alone.
HEART = "alarm backoff effort job platform prober refusal scheduler".split()


@pytest.mark.parametrize("name", HEART)
def test_the_heart_has_no_clock_and_no_loop(name):
    sees, todo = set(), [f"server/probing/{name}.c", f"server/probing/{name}.h"]
    while todo:
        path = todo.pop()
        if path in sees or not (SOURCE / path).exists():
            continue
        sees.add(path)
        text = (SOURCE / path).read_text()
        assert "<uv.h>" not in text, f"{name} sees libuv through {path}"
        todo += included_by(text)
    own = "".join((SOURCE / path).read_text() for path in sees if f"/{name}." in path)
    assert "instant_now" not in own
