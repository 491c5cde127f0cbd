"""The status page at / over HTTP: who gets it, its status, its policy, and what is not in it.

What it looks like and does in a browser is tests/browser's business."""

import re
from html.parser import HTMLParser

import health
import pytest
import sql
from adapter import AS_SHIPPED
from servers import wait_until

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
WELL = {
    "alive": sql.alive(description="It answers."),
    "accepting": sql.check(endpoints="readyz"),
    "lag": sql.check(
        "SELECT 4 AS lag_seconds", endpoints="replica", fail="lag_seconds > 30", warn="lag_seconds > 10"
    ),
}
ILL = {**WELL, "denied": sql.check("SELECT no_such_column", endpoints="readyz")}
FILES = {"/page.css": "text/css; charset=utf-8", "/page.js": "text/javascript; charset=utf-8"}
VOID = {"meta", "link", "br"}
REFERRING = {"href", "src", "action", "srcset", "data", "poster", "style", "formaction"}
# Of these an element is of no other document.
LOCAL = re.compile(r"#[a-z-]+|[a-z]+(\?(verbose|history))?|page\.(css|js)|data:,")


class Page(HTMLParser):
    """A document that must be well-formed: each element closed, no id twice, nothing referred to
    that is elsewhere. rows are those of its table, by their names; document is the one within."""

    def __init__(self, text):
        super().__init__()
        self.open, self.ids, self.links = [], set(), []
        self.caption, self.script, self._cells = "", "", []
        self.feed(text)
        self.close()
        assert not self.open, f"never closed: {self.open}"
        for link in self.links:
            assert LOCAL.fullmatch(link), link
        self.rows = {name: (state, words) for name, state, words in self._cells}
        self.document = health.parse_document(self.script)

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        assert len(values) == len(attributes), f"an attribute twice: {attributes}"
        assert not any(name.startswith("on") or name == "style" for name in values), attributes
        if "id" in values and "template" not in self.open:
            assert values["id"] not in self.ids, f"twice: {values['id']}"
            self.ids.add(values["id"])
        self.links += [values[name] for name in REFERRING & values.keys()]
        if tag == "tr" and "main" in self.open:
            self._cells.append(["", "", ""])
            self._cell = -1
        if tag in ("th", "td"):
            self._cell += 1
        if tag not in VOID:
            self.open.append(tag)
        elif tag == "br":
            self.handle_data(" ")

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        self.handle_endtag(tag)

    def handle_endtag(self, tag):
        assert self.open and self.open.pop() == tag, f"</{tag}> ends nothing"

    def handle_data(self, data):
        inside = self.open[-1] if self.open else ""
        if inside == "script":
            self.script += data
        elif inside == "caption" and "template" not in self.open:
            self.caption += data
        elif inside in ("th", "td") and "template" not in self.open:
            self._cells[-1][self._cell] += data


def page_of(adapter):
    answer = adapter.get("/", Accept=BROWSER)
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    return answer, Page(answer.body)


@pytest.fixture
def well(adapter, postgres):
    return adapter(postgres.url(), checks=WELL)


# Who gets what


def test_only_who_accepts_html_gets_it(well):
    for path, headers, kind in (
        ("/", {}, "text/plain"),
        ("/", {"Accept": "*/*"}, "text/plain"),
        ("/", {"Accept": BROWSER}, "text/html"),
        ("/", {"Accept": "text/html"}, "text/html"),
        ("/", {"Accept": "application/health+json"}, "application/health+json"),
        ("/", {"Accept": "application/health+json, text/html"}, "application/health+json"),
        ("/?verbose", {"Accept": BROWSER}, "text/html"),
        ("/?format=html", {}, "text/html"),
        ("/?format=text", {"Accept": BROWSER}, "text/plain"),
        ("/?format=text", {"Accept": "application/health+json"}, "text/plain"),
        ("/?format=json", {"Accept": BROWSER}, "application/health+json"),
        ("/?exclude=accepting", {"Accept": BROWSER}, "text/plain"),
        ("/readyz", {"Accept": BROWSER}, "text/plain"),
        ("/healthz?verbose", {"Accept": BROWSER}, "text/plain"),
    ):
        got = well.get(path, **headers).headers["content-type"]
        assert (path, headers, got.partition(";")[0]) == (path, headers, kind)


def test_text_is_that_of_readyz(adapter, postgres):
    a = adapter(postgres.url(), checks=ILL)
    assert a.get("/").body == a.get("/readyz").body
    assert a.get("/?verbose").body == a.get("/readyz?verbose").body


def test_the_page_takes_no_words_on_checks(well):
    for query in ("exclude=accepting", "lag_seconds=5"):
        answer = well.get(f"/?format=html&{query}")
        assert (answer.status, answer.headers["content-type"]) == (400, "text/plain; charset=utf-8")
    assert well.get("/readyz?format=html", Accept=BROWSER).status == 400


# Status


def statuses(adapter):
    """The page's, by each method, and readyz's."""
    methods = ("GET", "HEAD", "OPTIONS")
    page = [adapter.get("/", method, Accept=BROWSER).status for method in methods]
    return [*page, adapter.status_of("/readyz")]


def test_the_status_is_that_of_readyz(adapter, postgres, tmp_path):
    drain = tmp_path / "drain"
    a = adapter(postgres.url(), checks=WELL, DBHEALTH_DRAIN_FILE=str(drain))
    assert statuses(a) == [200] * 4
    drain.touch()
    assert statuses(a) == [503] * 4
    assert page_of(a)[1].rows["adapter"][0] == "draining"
    drain.unlink()
    assert statuses(a) == [200] * 4
    assert statuses(adapter(postgres.url(), checks=ILL)) == [503] * 4


def test_what_fails_elsewhere_leaves_it_at_200(adapter, postgres):
    checks = {**WELL, "lag": sql.check("SELECT 45 AS n", endpoints="replica", fail="n > 30")}
    answer, page = page_of(adapter(postgres.url(), checks=checks))
    assert answer.status == 200
    assert page.rows["/replica"][0] == "503"
    assert page.rows["lag"][0].startswith("fail since ")


def test_slow_checks_elsewhere_are_not_in_readyz_way(adapter, postgres):
    """All run on one prober, and by their names the slow ones would come first; together they take
    longer than any request waits."""
    slow = sql.check("SELECT pg_sleep(9) IS NOT NULL", endpoints="replica", timeout="2s")
    checks = {**WELL, "a-slow": slow, "ab-slow": slow}
    a = adapter(postgres.url(), checks=checks, DBHEALTH_TIMEOUT="2s", DBHEALTH_DEADLINE="3s")
    answer, page = page_of(a)
    assert answer.status == 200
    states = [state for state, _ in page.rows.values()]
    assert any("at this moment" in state for state in states), "some were not waited for"


def test_other_methods_are_405(well):
    answer = well.get("/", "POST", Accept=BROWSER)
    assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD, OPTIONS")


def test_head_has_the_headers_of_get_and_no_body(well):
    head = well.get("/", "HEAD", Accept=BROWSER)
    assert (head.body, head.rest) == ("", b"")
    assert head.headers["content-type"] == "text/html; charset=utf-8"
    assert int(head.headers["content-length"]) > 10_000


# Headers and content


def test_headers(well):
    answer, _ = page_of(well)
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert int(answer.headers["age"]) >= 0
    assert int(answer.headers["content-length"]) == len(answer.body.encode())
    assert answer.headers["content-security-policy"] == (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    assert "content-security-policy" not in well.get("/").headers


def test_the_document_within_is_that_of_status(well):
    page = page_of(well)[1]
    told = health.parse_document(well.get("/status?history").body)
    assert told["checks"].keys() == page.document["checks"].keys()
    for name, [check] in told["checks"].items():
        assert check.keys() == page.document["checks"][name][0].keys()
    assert told.keys() == page.document.keys()
    assert "history" in page.document["checks"]["lag"][0]


def test_the_table_of_a_server_that_is_well(well, postgres):
    page = page_of(well)[1]
    version = postgres.value("SHOW server_version").split()[0]
    assert page.caption.strip() == "readyz check passed"
    assert page.rows["/healthz"] == page.rows["/replica"] == ("200", "")
    assert page.rows["server"] == ("replica", f"postgres {version}")
    assert page.rows["accepting"][0].startswith("pass since ")
    assert page.rows["lag"][1] == "lag_seconds 4, fails > 30 lag_seconds 4, warns > 10"
    assert page.rows["alive"][1] == "It answers."
    assert page.rows["prober main"][0] == "pass"
    assert re.fullmatch(r"logins \d+, starts 1, kills 0, crashes 0", page.rows["prober main"][1])


def test_no_word_of_the_server_is_in_it(adapter, postgres):
    a = adapter(postgres.url(), checks=ILL)
    answer, page = page_of(a)
    assert answer.status == 503
    assert page.rows["denied"][1].startswith("missing: ")
    assert "no_such_column" in a.transitions("denied")[0]["message"]
    assert "no_such_column" not in answer.body


def test_hostile_strings_stay_text(adapter, postgres):
    hostile = '<script>alert("1")</script>'
    check = sql.check(
        'SELECT 1 AS "<b>&"', endpoints="readyz", description=hostile, fail='"<b>&" > 0'
    )
    answer, page = page_of(adapter(postgres.url(), checks={"hostile": check}))
    assert page.document["checks"]["hostile"][0]["description"] == hostile
    assert page.rows["hostile"][1] == f"<b>& 1 > 0 {hostile} <b>& 1, fails > 0"
    assert "<script>alert" not in answer.body


def test_without_any_check(adapter, postgres):
    answer, page = page_of(adapter(postgres.url(), checks=WELL, DBHEALTH_DISABLE=",".join(WELL)))
    assert answer.status == 503
    assert page.caption.strip() == "readyz check failed"
    assert page.document["checks"] == {}


def test_our_own_fault_is_called_so(adapter):
    answer, page = page_of(adapter("nonsense://", checks=WELL))
    assert answer.status == 503
    words = "not the server's fault: the adapter's log names the place"
    assert words in page.rows["accepting"][1]
    assert page.rows["configuration"][0] == "warn"
    assert "nonsense" not in answer.body


def test_a_server_that_hangs(adapter, new_postgres):
    server = new_postgres()
    a = adapter(server.url(), checks=WELL, DBHEALTH_CACHE="0s", **AS_SHIPPED)
    a.wait_status("/readyz", 200)
    with server.paused():
        wait_until(lambda: page_of(a)[1].rows["/healthz"][0] == "503", "the page says so")
        answer, page = page_of(a)
        assert answer.status == 503
        assert "timeout: the server gave no answer in time" in page.rows["alive"][1]
    wait_until(lambda: page_of(a)[1].rows["/readyz"][0] == "200", "the page says that it is over")


def test_the_past_outlives_a_reload(adapter, postgres):
    a = adapter(postgres.url(), checks=WELL)
    page_of(a)
    a.write_check("accepting", sql.check("SELECT 0", endpoints="readyz"))
    wait_until(lambda: a.messages("reloaded"), "the change is taken")
    wait_until(lambda: page_of(a)[1].rows["/readyz"][0] == "503", "the verdict changes")
    document = page_of(a)[1].document
    [accepting] = document["checks"]["accepting"]
    assert accepting["changed"]
    assert [run["verdict"] for run in accepting["history"]["results"]] == ["pass", "fail"]
    assert accepting["history"]["minutes"][-1]["verdict"] == "fail"
    assert document["configuration"]["reloads"] == 1
    assert document["configuration"]["refusedReloads"] == 0


def test_answers_are_counted_as_those_of_readyz(well):
    page_of(well)
    assert 'requests_total{path="/readyz",code="200"} 1\n' in well.get("/metrics").body


# The files that it loads


@pytest.mark.parametrize("path", FILES)
def test_its_files(well, path):
    answer = well.get(path, Accept="*/*")
    assert (answer.status, answer.headers["content-type"]) == (200, FILES[path])
    assert answer.body == (health.SCHEMA.parent / "page" / path[1:]).read_text()
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "age" not in answer.headers
    head = well.get(path, "HEAD")
    assert (head.status, head.body) == (200, "")
    assert head.headers["content-length"] == answer.headers["content-length"]
    assert well.get(path, "POST").status == 405


def test_what_is_no_file_of_it(well):
    for path in ("/page.html", "/page", "/page.css/alive", "/readyz/page.css", "/PAGE.css"):
        assert well.get(path, Accept=BROWSER).status == 404, path
    assert well.get("/page.css?nonsense=1").status == 400


def test_its_files_run_no_check(adapter, closed_port):
    a = adapter(f"postgres://probe:x@127.0.0.1:{closed_port}/postgres", checks=WELL)
    assert a.get("/page.js").status == 200
    assert a.transitions() == []
