"""What the page says of a document: each state, values, times and the past.

The documents are made up, but each is as the schema has it."""

import copy

import pytest
from canned import Canned
from made_up import ago, an_hour, check, document, limit, prober, row, value
from servers import wait_until

NOW = "document.dispatchEvent(new Event('visibilitychange'))"  # Don't wait for the next turn.
VERDICTS = ("fail", "unknown", "warn", "pass", "skipped")
LOOKS = [(dark, width) for dark in (False, True) for width in (1280, 1000, 800, 360)]


@pytest.fixture
def show(browser):
    """show(document) shows it on the page, and gives the browser."""
    with Canned(an_hour()) as canned:

        def show_document(told):
            canned.document = told
            browser.show(canned.url)
            return browser

        show_document.canned = canned
        yield show_document


def one(verdict="pass", **members):
    """A document with one check, `lag`."""
    return document({"lag": check(verdict=verdict, **members)})


# The whole in a word

CASES = [  # healthz's check, readyz's, another's, and what is said.
    ("pass", "pass", "pass", "pass", "Ready"),
    ("pass", "pass", "skipped", "pass", "Ready"),
    ("warn", "pass", "pass", "warn", "Ready, with warnings"),
    ("pass", "pass", "unknown", "warn", "Ready, with warnings"),
    ("pass", "pass", "fail", "warn", "Ready, but not all is well"),
    ("pass", "fail", "pass", "fail", "Not ready"),
    ("pass", "unknown", "pass", "unknown", "Not known to be ready"),
    ("unknown", "fail", "pass", "fail", "Not ready"),
    ("pass", "skipped", "pass", "fail", "Not ready: no check says so"),
    ("fail", "pass", "pass", "fail", "Down"),
]


@pytest.mark.parametrize("alive, accepting, lag, look, words", CASES)
def test_it_says_in_a_word_how_things_are(show, alive, accepting, lag, look, words):
    checks = {
        "alive": check("healthz", verdict=alive),
        "accepting": check("readyz", verdict=accepting),
        "lag": check("replica", verdict=lag),
    }
    browser = show(document(checks))
    assert browser.text("h1") == words
    assert browser.title == f"{words} - dbhealthd - {show.canned.host}"
    assert browser.attribute(".hero", "class") == f"hero {look}"
    assert browser.attribute("h1 use", "href") == f"#icon-{look}"
    assert "svg" in browser.attribute("#tab-icon", "href")


def test_draining_and_having_no_check_are_not_ready(show):
    browser = show(document({"accepting": check()}, draining=True))
    assert browser.text("h1") == "Draining"
    assert browser.texts("#endpoint-readyz") == ["/readyz drains 503"]
    assert "The adapter is draining: readiness fails until" in browser.text(".notice")
    browser = show(document({}))
    assert browser.text("h1") == "Not ready: no check says so"
    assert browser.text(".summary") == "There is no check."
    assert browser.texts("#endpoint-readyz") == ["/readyz no check 503"]


def test_a_drain_says_for_how_long(show):
    """And whether its file was there at the start, for nobody may remember."""
    for since, span, early in ((ago(hours=1), "1 h", False), (ago(hours=52), "2 d 4 h", True)):
        told = document({"accepting": check()}, draining=True)
        told["adapter"]["drainingSince"] = since
        browser = show(told)
        notice = browser.text(".notice")
        assert f"It has been so for {span}." in notice
        assert ("was there when it started" in notice) is early
        assert f"yes, for {span}" in browser.texts("dd")


@pytest.mark.parametrize("verdict", VERDICTS)
def test_each_verdict_is_a_word_and_a_form(show, verdict):
    browser = show(one(verdict, endpoints="readyz", runs=[(None, 50), (verdict, 10)]))
    assert browser.attribute("#check-lag", "class") == f"check {verdict}"
    assert browser.text("#check-lag .since").startswith(f"{verdict} for 10 min, since ")
    assert browser.attribute("#check-lag h3 use", "href") == f"#icon-{verdict}"
    hour = browser.attribute("#check-lag .hour", "aria-label")
    words = [f"10 {verdict}", "50 no result"]
    assert hour == "Last hour, by minute: " + ", ".join(words)
    titles = browser.texts("#check-lag .hour title")
    assert titles == ["14:09:26 to 14:59:26: no result", f"14:59:26 to 15:09:26: {verdict}"]


STATES = [  # Verdicts of an endpoint's checks, and what is said of it.
    ([], "no check 503"),
    (["pass"], "passes 200"),
    (["pass", "warn"], "passes, warns 200"),
    (["unknown", "warn"], "unknown 503"),
    (["fail", "unknown"], "fails 503"),
    (["skipped"], "not its role 503"),
]


@pytest.mark.parametrize("verdicts, words", STATES)
def test_what_is_said_of_an_endpoint(show, verdicts, words):
    checks = {name: check("readyz healthz", verdict=told) for name, told in zip("ab", verdicts)}
    browser = show(document(checks))
    assert browser.texts("#endpoint-readyz") == [f"/readyz {words}"]
    if "unknown" in verdicts and "fail" not in verdicts:
        assert browser.texts("#endpoint-healthz") == ["/healthz passes, unknown 200"]


def test_the_server_and_its_role(show):
    servers = {
        "Postgres 17.6 · primary · as of 15:09:26 UTC": None,
        "MariaDB 11.8.3 · primary and replica · as of 15:09:26 UTC": {
            "engine": "mysql",
            "flavor": "mariadb",
            "version": "11.8.3",
            "roles": ["primary", "replica"],
        },
        "MySQL or MariaDB, which has let no probe in yet · as of 15:09:26 UTC": {
            "engine": "mysql",
            "roles": [],
        },
        "No known server · as of 15:09:26 UTC": {"roles": []},
    }
    for words, server in servers.items():
        assert show(document({}, server=server)).text(".server") == words


def test_what_is_wrong_with_the_adapter(show):
    assert show(one()).all(".notice") == []
    probers = {"main": prober("warn"), "liveness": prober("warn"), "odd": prober("fail")}
    browser = show(document({"lag": check()}, wrong="it is wrong", probers=probers))
    assert browser.text("h1") == "Ready, with warnings"
    assert browser.texts(".notice") == [
        "The adapter's configuration: it is wrong.",
        "Not the server's fault: a prober crashes or cannot be started, so /livez fails. "
        "It is odd.",
        "The server has not answered the login of main, liveness.",
    ]
    assert "read at 13:09:26; reloads since the start: 1, refused: 0" in browser.text(".adapter")
    assert browser.texts(".adapter tbody tr")[0].split() == (
        "main login unanswered 9000 1 0 0".split()
    )


# Which checks, and in which order


def test_the_worst_come_first(show):
    checks = {f"check-{i:02}": check(verdict=VERDICTS[4 - i % 5]) for i in range(40)}
    browser = show(document(checks))
    assert browser.texts("h2 .count") == ["8"] * 5
    names = [f"check-{4 - rank + 5 * i:02}" for rank in range(5) for i in range(8)]
    assert browser.texts("h3") == names
    assert browser.attribute(".summary a", "href").endswith("#check-check-04")


def test_names_beyond_eight_are_counted(show):
    checks = {f"check-{i:02}": check(verdict="fail") for i in range(40)}
    assert show(document(checks)).text(".summary").endswith(", check-07 and 32 more.")


def test_one_cause_of_several_failures_is_told_once(show):
    refused = {
        "outcome": "refused",
        "sentence": "nothing listens at the server's address",
        "advice": "start the server",
    }
    checks = {name: check(verdict="fail", **refused) for name in ("a", "b")} | {"c": check()}
    browser = show(document(checks))
    assert browser.text(".cause") == (
        "refused nothing listens at the server's address. What to do: start the server."
    )
    checks["b"]["outcome"] = "timeout"
    assert show(document(checks)).all(".cause") == []
    del checks["b"]
    assert show(document(checks)).all(".cause") == []


# A check


def test_why_and_what_to_do(show):
    browser = show(
        one("fail", outcome="timeout", sentence="no answer", reason="for 12.3 s", advice="look")
    )
    assert browser.text("#check-lag .outcome") == "timeout no answer (for 12.3 s)"
    assert browser.text("#check-lag .advice") == "What to do: look"
    browser = show(one("fail", reason="lag 45 > 30"))
    assert browser.text("#check-lag .outcome") == "failed lag 45 > 30"
    assert browser.all("#check-lag .advice") == []
    browser = show(one("warn", reason="lag 15 > 9"))
    assert browser.text("#check-lag .outcome") == "lag 15 > 9"
    assert show(one()).all("#check-lag .outcome") == []


def test_since_when(show):
    lengths = {
        (0, 0, 0, 5): "5 s, since 15:09:21",
        (0, 0, 3, 20): "3 min 20 s, since 15:06:06",
        (0, 4, 0, 10): "4 h, since 11:09:16",
        (0, 13, 5, 0): "13 h 5 min, since 2026-03-14 02:04:26",
        (2, 4, 59, 59): "2 d 4 h, since 2026-03-12 10:09:27",
    }
    for (days, hours, minutes, seconds), words in lengths.items():
        since = ago(days=days, hours=hours, minutes=minutes, seconds=seconds)
        browser = show(one("fail", since=since, changed=True))
        assert browser.text("#check-lag .since") == f"fail for {words}"
    assert show(one()).text("#check-lag .since") == "pass since before 10:09:26"


def test_what_is_of_this_answer_alone_holds_at_this_moment(show):
    dated = ("since", "changed", "time", "ageSeconds", "durationSeconds", "nextRun")
    browser = show(one("unknown", **dict.fromkeys(dated)))
    assert browser.text("#check-lag .since") == "unknown at this moment"
    browser.one("#summary-lag").click()
    assert "Last run" not in browser.text("#details-lag")


VALUES = [  # Of a column, and how it is shown.
    ("used_ratio", 0.95, "0.95"),
    ("lag_seconds", 45.5, "45.5 s"),
    ("lag_seconds", -1, "-1 s"),
    ("lag_seconds", "NaN", "NaN"),
    ("lag_seconds", None, "null"),
    ("lag_seconds", 21600, "6 h"),
    ("retained_bytes", 1023, "1023 B"),
    ("retained_bytes", "9007199254740993", "9\u202f007\u202f199\u202f254\u202f740\u202f993 B"),
    ("retained_bytes", 1536, "1.5 KiB"),
    ("retained_bytes", 10737418240, "10.0 GiB"),
    ("sessions", 10737418240, "10\u202f737\u202f418\u202f240"),
    ("sessions", 1234, "1234"),
    ("sequence", "9007199254740993", "9\u202f007\u202f199\u202f254\u202f740\u202f993"),
    ("share", "NaN", "NaN"),
    ("gone", None, "null"),
    ("missing", True, "true"),
]


def test_a_value_has_the_unit_of_its_name(show):
    rule = limit("fail", ">", 1)
    values = [value(name, 4711, rule) | {"observedValue": seen} for name, seen, _ in VALUES]
    browser = show(one("fail", values=values))
    assert browser.texts("#check-lag .values td:nth-child(2)") == [words for *_, words in VALUES]


def test_so_has_a_limit_and_so_have_all_its_numbers(show):
    rules = (limit("fail", ">", 300), limit("warn", ">", 30))
    values = [value("lag_seconds", 348.2, *rules), value("retained_bytes", 4711)]
    browser = show(one("fail", values=values))
    assert browser.text("#check-lag .values tr") == "lag_seconds\t5 min 48 s\t\t" + (
        "fails > 5 min, warns > 30 s"
    )
    browser.one("#summary-lag").click()
    assert browser.text("#details-lag dl") == "lag_seconds\n348.2 s\nretained_bytes\n4711 B"


def test_values_stand_beside_their_limits(show):
    lasting = limit("fail", ">", 0.95) | {"forSeconds": 20, "heldSeconds": 8.5}
    values = [
        value("used_ratio", 0.5, lasting, limit("warn", ">=", 0.8)),
        value("rows", 3, limit("fail", "<", 1)) | {"observedUnit": "rows"},
        value("state", True, limit("fail", "==", False), limit("skip", "==", "off")),
        {"name": "text", "limits": [limit("fail", "!=", "on")]},
        value("mode", "sync", limit("warn", "!=", "sync")),
        value("other", 12345),
    ]
    browser = show(one(values=values))
    rows = browser.texts("#check-lag .values tr")
    assert [row.split(maxsplit=2) for row in rows] == [
        ["used_ratio", "0.5", "fails > 0.95 for 20 s, warns >= 0.8"],
        ["rows", "3", "fails < 1"],
    ]
    used = browser.attribute("#check-lag .gauge .used", "width")
    assert float(used) == pytest.approx(60 * 0.5 / 0.95)
    assert len(browser.all("#check-lag .gauge")) == 1, "what must not be less has none"
    rows = show(one("fail", values=values)).texts("#check-lag .values tr")
    assert rows[2].split(maxsplit=2) == ["state", "true", "fails == false, skipped == off"]
    assert rows[3].split(maxsplit=2) == ["mode", "sync", "warns != sync"]
    browser.one("#summary-lag").click()
    assert "other\n12345" in browser.text("#details-lag dl")


def test_a_rule_that_will_warn_is_told_of_a_check_that_passes(show):
    reason = "lag 45 > 30 for 8 s of 20 s"
    assert show(one(reason=reason)).text("#check-lag .outcome") == reason
    assert show(one()).all("#check-lag .outcome") == []


def test_each_row_is_shown_with_its_name_and_verdict(show):
    markup = "<img src=x onerror=alert(1)>"
    rows = [
        row("fail", {"db": "app", "tab": None}, value("size_bytes", 2**37), value("n", 5)),
        row("pass", {"db": markup}),
        row("warn", {}, value("state", markup)),
    ]
    browser = show(one("fail", rows=rows, rowsLeftOut=50))
    browser.one("#summary-lag").click()
    shown = browser.texts("#details-lag .wide tbody tr")
    assert [words.split(maxsplit=2) for words in shown[:1]] == [
        ["app,", "null", "fail size_bytes 128.0 GiB, n 5"]
    ]
    assert shown[1].startswith(markup) and f"state {markup}" in shown[2]
    assert browser.text("#details-lag .wide caption") == "Rows (53)"
    assert browser.text("#details-lag .wide p") == "... and 50 more."
    assert browser.all("main img") == []
    assert show(one(rows=[], rowsLeftOut=0)).all("#details-lag .wide tr") == []


def test_a_check_may_be_called_as_a_link_is(show):
    checks = {name: check(verdict="fail") for name in ("status", "metrics", "livez")}
    browser = show(document(checks))
    ids = browser.run("return [...document.querySelectorAll('[id]')].map((e) => e.id)")
    assert sorted(ids) == sorted(set(ids))


def test_foreign_strings_stay_text(show):
    markup = "<img src=x onerror=alert(1)></script><script>alert(2)</script>"
    told = one(
        "fail",
        description=markup,
        reason=markup,
        sentence=markup,
        advice=markup,
        values=[value(markup, 1, limit("fail", "==", markup))],
    )
    browser = show(told)
    assert browser.text("#check-lag .description") == markup
    assert markup in browser.text("#check-lag .outcome")
    assert browser.all("main img, main script") == []


# The past


def test_a_checks_history(show):
    told = an_hour()
    browser = show(told)
    name = "#check-connections"
    assert browser.attribute(f"{name} .hour", "aria-label") == (
        "Last hour, by minute: 3 fail, 26 warn, 31 pass"
    )
    assert browser.text(f"{name} .axis") == "1 h ago\n57 of 60 min well\nnow"
    assert browser.attribute(f"{name} .latency svg", "aria-label").startswith(
        "Time of the latest runs (60): 2"
    )
    assert browser.attribute(f"{name} .line", "d").count("L") == 59
    browser.one("#summary-connections").click()
    rows = browser.texts(f"{name} .inside tbody tr")
    assert [row.split()[:3] for row in rows] == [
        ["20×", "warn", "ok"],
        ["3×", "fail", "failed"],
        ["9×", "pass", "ok"],
        ["6×", "warn", "ok"],
        ["22×", "pass", "ok"],
    ]
    assert "14:49:26 to 15:08:26" in rows[0]
    for dark, width in LOOKS:
        browser.look(dark=dark, width=width)
        browser.screenshot(f"history-{'dark' if dark else 'light'}-{width}")
        assert not browser.is_too_wide()
        assert browser.faint_words() == []


def test_runs_that_were_none_interrupt_the_line(show):
    told = one()
    [lag] = told["checks"]["lag"]
    lag["history"]["results"] = [
        {
            "verdict": "fail",
            "outcome": "timeout",
            "count": 5,
            "first": ago(minutes=5),
            "latest": ago(minutes=1),
            "durationsSeconds": [0.00004, 0.0012, None, 0.035, None],
        }
    ]
    browser = show(told)
    line = browser.attribute("#check-lag .line", "d")
    assert (line.count("M"), line.count("L"), line.count("h0")) == (2, 1, 2)
    assert browser.text("#check-lag .latency") == "35 ms · max 35 ms"
    browser.one("#summary-lag").click()
    assert "0.04 ms to 35 ms" in browser.text("#details-lag tbody")
    lag["history"]["results"] = []
    browser = show(told)
    assert browser.all("#check-lag .line") == []
    browser.one("#summary-lag").click()
    assert browser.all("#details-lag table") == []


def test_results_before_the_latest_runs_are_counted(show):
    runs = [(VERDICTS[i % 2], 3) for i in range(20)]
    browser = show(one("unknown", runs=runs))
    browser.one("#summary-lag").click()
    assert len(browser.all("#details-lag tbody tr")) == 8
    assert browser.text("#details-lag p") == "... and 36 before these."


# What comes later


def test_the_first_view_needs_no_answer(show):
    """What the page came with is shown at once."""
    show.canned.broken.add("/status")
    browser = show(one("fail"))
    assert browser.text("h1") == "Not ready"
    assert browser.text("#live") == "Live"


def test_an_answer_that_is_no_document_is_told(show):
    """What a proxy says, or an adapter that ends."""
    browser = show(one())
    show.canned.broken.add("/status")
    browser.run(NOW)
    browser.wait_text("#lost", "The adapter cannot be reached since ")
    assert browser.text("h1") == "Ready"
    show.canned.broken.clear()
    browser.run(NOW)
    browser.wait_text("#live", "Live")
    assert not browser.one("#lost").is_displayed()


def test_a_document_of_another_kind_is_told(show):
    """JSON, but without what the page shows."""
    browser = show(one())
    told = copy.deepcopy(one())
    for member in ("adapter", "server", "configuration", "endpoints", "paths"):
        del told[member]
    show.canned.document = told
    browser.run(NOW)
    browser.wait_text("#lost", "The adapter cannot be reached since ")
    assert browser.text("h1") == "Ready"


def test_what_breaks_in_the_page_is_not_the_adapters(show):
    """Templates of another version, which have no place for what is there."""
    browser = show(one())
    browser.run("document.getElementById('template-check').content.querySelector('.icon').remove()")
    show.canned.document = one("fail")
    browser.run(NOW)
    browser.wait_text("#lost", "The answer cannot be shown since ")
    assert any("TypeError" in complaint for complaint in browser.complaints())


def test_news_are_said(show):
    browser = show(one())
    show.canned.document = one("fail")
    browser.run(NOW)
    browser.wait_text("h1", "Not ready")
    said = browser.run("return document.getElementById('said').textContent")
    assert said == "Not ready. 1 fail: lag."


def test_a_check_that_has_gone_takes_its_details_with_it(show):
    browser = show(one())
    browser.one("#summary-lag").click()
    show.canned.document = document({"other": check()})
    browser.run(NOW)
    wait_until(lambda: browser.all("#check-other"), "the other is shown")
    assert browser.all("details[open]") == []
