"""The status page at / over HTTP: who gets it, its status, its policy, and what is not in it.

What it looks like and does in a browser is tests/browser's business."""

import base64
import hashlib
import re
from html.parser import HTMLParser

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
VOID = {"meta", "link", "wbr"}
REFERRING = {"href", "src", "action", "srcset", "data", "poster", "style", "formaction"}
# Of these an element is of no other document.
LOCAL = re.compile(r"(#[a-z-]+[a-z0-9-]*|[a-z-]+(\?verbose)?|data:image/svg\+xml,.*)")


class Page(HTMLParser):
    """A document that must be well-formed: each element closed, no id twice, nothing referred to
    that is not there. text is what is to be read, by the ids of the elements that it is in."""

    def __init__(self, text):
        super().__init__()
        self.open, self.ids, self.links, self.labels = [], set(), [], []
        self.raw = {"style": "", "script": ""}
        self.text = ""
        self.feed(text)
        self.close()
        assert not self.open, f"never closed: {self.open}"
        for link in self.links:
            assert LOCAL.fullmatch(link), link
            assert not link.startswith("#") or link[1:] in self.ids, f"nothing is at {link}"

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        assert len(values) == len(attributes), f"an attribute twice: {attributes}"
        assert not any(name.startswith("on") or name == "style" for name in values), attributes
        if "id" in values:
            assert values["id"] not in self.ids, f"twice: {values['id']}"
            self.ids.add(values["id"])
        self.links += [values[name] for name in REFERRING & values.keys()]
        self.labels += [values["aria-label"]] if "aria-label" in values else []
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        self.handle_endtag(tag)

    def handle_endtag(self, tag):
        assert self.open and self.open.pop() == tag, f"</{tag}> ends nothing"

    def handle_data(self, data):
        if self.open and self.open[-1] in self.raw:
            self.raw[self.open[-1]] += data
        else:
            self.text += data


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
    assert "Draining" in page_of(a)[1].text
    drain.unlink()
    assert statuses(a) == [200] * 4
    assert statuses(adapter(postgres.url(), checks=ILL)) == [503] * 4


def test_what_fails_elsewhere_leaves_it_at_200(adapter, postgres):
    checks = {**WELL, "lag": sql.check("SELECT 45 AS n", endpoints="replica", fail="n > 30")}
    answer, page = page_of(adapter(postgres.url(), checks=checks))
    assert answer.status == 200
    assert "Ready, but not all is well" in page.text


def test_slow_checks_elsewhere_are_not_in_readyz_way(adapter, postgres):
    """All run on one prober, and by their names the slow ones would come first; together they take
    longer than any request waits."""
    slow = sql.check("SELECT pg_sleep(9) IS NOT NULL", endpoints="replica", timeout="2s")
    checks = {**WELL, "a-slow": slow, "ab-slow": slow}
    a = adapter(postgres.url(), checks=checks, DBHEALTH_TIMEOUT="2s", DBHEALTH_DEADLINE="3s")
    answer, page = page_of(a)
    assert answer.status == 200
    assert "at this moment" in page.text, "some checks were not waited for"


def test_other_methods_are_405(well):
    answer = well.get("/", "POST", Accept=BROWSER)
    assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD, OPTIONS")


def test_head_has_the_headers_of_get_and_no_body(well):
    head = well.get("/", "HEAD", Accept=BROWSER)
    assert (head.body, head.rest) == ("", b"")
    assert head.headers["content-type"] == "text/html; charset=utf-8"
    assert int(head.headers["content-length"]) > 10_000


# Headers and content


def sha256(text):
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def test_headers(well):
    answer, page = page_of(well)
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert int(answer.headers["age"]) >= 0
    assert int(answer.headers["content-length"]) == len(answer.body.encode())
    assert answer.headers["content-security-policy"] == (
        f"default-src 'none'; style-src 'sha256-{sha256(page.raw['style'])}'; "
        f"script-src 'sha256-{sha256(page.raw['script'])}'; connect-src 'self'; img-src data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    assert "content-security-policy" not in well.get("/").headers


def test_what_is_told_of_a_server_that_is_well(well, postgres):
    text = page_of(well)[1].text
    for words in ("Ready", "3 pass", "/healthz", "/replica", "It answers.", "pass since before"):
        assert words in text
    version = postgres.value("SHOW server_version").split()[0]
    assert f"Postgres {version}" in text
    lag = text[text.index("lag_seconds") :]
    assert re.match(r"lag_seconds\s*4\s*fails > 30, warns > 10", lag)


def test_each_engine_and_its_role(adapter, server):
    products = {"postgres": "Postgres", "mariadb": "MariaDB", "mysql": "MySQL"}
    text = page_of(adapter(server.url()))[1].text
    question = "SHOW server_version" if server.engine == "postgres" else "SELECT version()"
    version = re.match(r"[\d.]+", server.value(question))[0]
    assert f"{products[server.engine]} {version}" in text
    assert re.search(r"· primary\s*· as of", text)


def test_charts_have_words(well):
    page_of(well)
    labels = page_of(well)[1].labels
    assert labels.count("Last hour, by minute: 1 pass, 59 no result") >= 2
    assert sum(label.startswith("Time of the latest runs (1): ") for label in labels) >= 2


def test_no_word_of_the_server_is_in_it(adapter, postgres):
    a = adapter(postgres.url(), checks=ILL)
    answer, page = page_of(a)
    assert answer.status == 503
    assert "server_error" in page.text
    assert "no_such_column" in a.transitions("denied")[0]["message"]
    assert "no_such_column" not in answer.body


def test_hostile_strings_stay_text(adapter, postgres):
    hostile = '<script>alert("1")</script>'
    check = sql.check(
        'SELECT 1 AS "<b>&"', endpoints="readyz", description=hostile, fail='"<b>&" > 0'
    )
    answer, page = page_of(adapter(postgres.url(), checks={"hostile": check}))
    assert hostile in page.text
    assert "<b>& 1 > 0" in page.text
    assert "<script>alert" not in answer.body


def test_without_any_check(adapter, postgres):
    answer, page = page_of(adapter(postgres.url(), checks=WELL, DBHEALTH_DISABLE=",".join(WELL)))
    assert answer.status == 503
    assert "Not ready: no check says so" in page.text
    assert "There is no check." in page.text


def test_our_own_fault_is_called_so(adapter):
    answer, page = page_of(adapter("nonsense://", checks=WELL))
    assert answer.status == 503
    assert "Not known to be ready" in page.text
    assert "not the server's fault: the adapter's log names the place" in page.text
    assert "nonsense" not in answer.body


def test_a_server_that_hangs(adapter, new_postgres):
    server = new_postgres()
    a = adapter(server.url(), checks=WELL, DBHEALTH_CACHE="0s", **AS_SHIPPED)
    a.wait_status("/readyz", 200)
    with server.paused():
        wait_until(lambda: "Down" in page_of(a)[1].text, "the page says so")
        answer, page = page_of(a)
        assert answer.status == 503
        assert "timeout the server gave no answer in time" in page.text
    wait_until(lambda: "Ready" in page_of(a)[1].text, "the page says that it is over")


def test_the_past_outlives_a_reload(adapter, postgres):
    a = adapter(postgres.url(), checks=WELL)
    page_of(a)
    a.write_check("accepting", sql.check("SELECT 0", endpoints="readyz"))
    wait_until(lambda: a.messages("reloaded"), "the change is taken")
    wait_until(lambda: "fail for" in page_of(a)[1].text, "the verdict changes")
    assert "Last hour, by minute: 1 fail, 59 no result" in page_of(a)[1].labels
    assert "reloads since the start: 1, refused: 0" in page_of(a)[1].text


def test_answers_are_counted_as_those_of_readyz(well):
    page_of(well)
    assert 'requests_total{path="/readyz",code="200"} 1\n' in well.get("/metrics").body
