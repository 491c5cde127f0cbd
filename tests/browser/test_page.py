"""The status page in Chromium: what it looks like in each state, and what it does.

DBHEALTH_SCREENSHOTS names a folder to leave a picture of each state in."""

import contextlib
import signal

import processes
import pytest
import sql
from adapter import AS_SHIPPED
from selenium.webdriver.common.keys import Keys
from servers import wait_until

WELL = {
    "alive": sql.alive(description="It answers."),
    "accepting": sql.check(endpoints="readyz"),
    "lag": sql.check(
        "SELECT 4 AS lag_seconds", endpoints="replica", fail="lag_seconds > 30", warn="lag_seconds > 9"
    ),
}
ILL = {
    **WELL,
    "accepting": sql.check("SELECT 0 AS well", endpoints="readyz"),
    "denied": sql.check("SELECT * FROM pg_authid", endpoints="readyz"),
    "lag": WELL["lag"].replace("4 AS", "45 AS"),
}
FORTY = {
    f"check-{i:02}": sql.check(
        f"SELECT {i} AS used, {i * 99999} AS used_bytes",
        description="One of forty, with words enough to fill more than a line on a narrow screen.",
        endpoints="readyz" if i % 3 else "a-group-with-a-long-name",
        fail="used > 36",
        warn="used > 30",
    )
    for i in range(39)
}
LOOKS = [(dark, width) for dark in (False, True) for width in (1280, 800, 360)]
NOW = "document.dispatchEvent(new Event('visibilitychange'))"  # Don't wait for the next turn.


def page(adapter):
    return f"http://127.0.0.1:{adapter.port}/"


# Looks


def ask(adapter, times=3):
    for _ in range(times):
        adapter.get("/metrics")


@contextlib.contextmanager
def healthy(start, postgres):
    yield start(postgres.url(), DBHEALTH_CACHE="0s")


@contextlib.contextmanager
def warning(start, postgres):
    yield start(postgres.url(), WARN_CONNECTIONS_RATIO="0.001")


@contextlib.contextmanager
def failing(start, postgres):
    yield start(postgres.url(), checks=ILL, DBHEALTH_CACHE="0s")


@contextlib.contextmanager
def hung(start, postgres):
    adapter = start(postgres.url(), DBHEALTH_CACHE="0s", **AS_SHIPPED)
    ask(adapter)
    with postgres.paused():
        adapter.wait_status("/healthz", 503)
        yield adapter


@contextlib.contextmanager
def unknown(start, postgres):
    yield start(postgres.url(), checks={**WELL, "broken": "-- fail: lag >\nSELECT 1"})


@contextlib.contextmanager
def own_fault(start, postgres):
    yield start("nonsense://")


@contextlib.contextmanager
def draining(start, postgres):
    yield start(postgres.url(), DBHEALTH_DRAIN_FILE="/")


@contextlib.contextmanager
def forty(start, postgres):
    yield start(postgres.url(), checks={"alive": sql.alive(), **FORTY})


STATES = {
    healthy: "Ready",
    warning: "Ready, with warnings",
    failing: "Not ready",
    hung: "Down",
    unknown: "Not known to be ready",
    own_fault: "Not known to be ready",
    draining: "Draining",
    forty: "Not ready",
}


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.__name__)
def test_each_state_in_each_look(browser, adapter, postgres, state):
    with state(adapter, postgres) as a:
        ask(a)
        browser.show(page(a))
        for dark, width in LOOKS:
            browser.look(dark=dark, width=width)
            name = f"{state.__name__}-{'dark' if dark else 'light'}-{width}"
            browser.screenshot(name)
            assert browser.text("h1") == STATES[state], name
            assert not browser.is_too_wide(), name
            assert browser.faint_words() == [], name


def test_opened_details_fit_too(browser, adapter, postgres):
    a = adapter(postgres.url(), checks={"alive": sql.alive(), **FORTY})
    browser.show(page(a))
    browser.run("for (const e of document.querySelectorAll('details')) e.open = true")
    for width in (1280, 360):
        browser.look(width=width)
        browser.screenshot(f"details-{width}")
        assert not browser.is_too_wide()
        assert browser.faint_words() == []


def test_what_is_opened_moves_nothing_beside_it(browser, adapter, postgres):
    browser.show(page(adapter(postgres.url(), checks=ILL)))
    for width in (1280, 1100, 800, 360):
        browser.look(width=width)
        before = places(browser)
        browser.one("#summary-lag").click()
        assert places(browser) == before
        browser.one("#summary-lag").click()


def places(browser):
    """Where the parts of a check's row begin."""
    return browser.run(
        "return [...document.querySelectorAll('#check-lag > :not(details)')].map((part) => {"
        "const box = part.getBoundingClientRect(); return [box.left, box.top + scrollY]; })"
    )


# Live


@pytest.fixture
def shown(browser, adapter, postgres):
    """The page of an adapter whose checks are well."""
    a = adapter(postgres.url(), checks=WELL)
    browser.show(page(a))
    assert browser.text("h1") == "Ready"
    return a


def change(adapter):
    adapter.write_check("accepting", ILL["accepting"])
    adapter.wait_status("/readyz", 503)


def test_it_is_fetched_anew_by_itself(browser, shown):
    browser.run("window.before = true")
    change(shown)
    browser.wait_text("h1", "Not ready")
    assert browser.run("return window.before"), "the page was not loaded anew"
    browser.wait_text("#check-accepting .since", "fail for")
    assert browser.title.startswith("Not ready - dbhealthd - 127.0.0.1:")
    assert browser.run("return document.getElementById('said').textContent").startswith("Not ready")


def test_nothing_is_said_while_nothing_changes(browser, shown):
    before = browser.text("main .server time")
    wait_until(
        lambda: browser.run(NOW) or browser.text("main .server time") != before,
        "it is fetched anew in another second",
        pause=0.05,
    )
    assert browser.run("return document.getElementById('said').textContent") == ""


def test_what_is_opened_and_the_focus_stay(browser, shown):
    browser.one("#summary-lag").click()
    assert browser.focused() == "summary-lag"
    change(shown)
    browser.run(NOW)
    browser.wait_text("h1", "Not ready")
    assert browser.focused() == "summary-lag"
    opened = browser.all("details[open]")
    assert [details.get_attribute("id") for details in opened] == ["details-lag"]


def test_selected_text_stays(browser, shown):
    browser.run("document.getSelection().selectAllChildren(document.querySelector('h1'))")
    change(shown)
    browser.run(NOW)
    browser.wait_text("#live", "Waits while text is selected")
    assert browser.text("h1") == "Ready"
    browser.run("document.getSelection().removeAllRanges()")
    browser.run(NOW)
    browser.wait_text("h1", "Not ready")


def test_it_can_be_paused(browser, shown):
    browser.one("#pause").click()
    assert browser.text("#live") == "Paused"
    change(shown)
    browser.run(NOW)
    assert browser.text("h1") == "Ready"
    browser.one("#pause").click()
    browser.wait_text("h1", "Not ready")
    assert browser.text("#live") == "Live"


def test_an_adapter_that_is_gone_is_told_and_comes_back(browser, adapter, postgres, shown):
    port = shown.port
    shown.end()
    browser.run(NOW)
    browser.wait_text("#lost", "The adapter cannot be reached since ")
    assert browser.title.startswith("Unreachable - ")
    assert browser.run("return document.getElementById('main').className") == "stale"
    adapter(postgres.url(), checks=WELL, arguments=("--listen", f"127.0.0.1:{port}"))
    browser.run(NOW)
    browser.wait_text("#live", "Live")
    assert not browser.one("#lost").is_displayed()
    assert browser.title.startswith("Ready - ")


def test_an_adapter_that_hangs_is_told(browser, adapter, postgres):
    a = adapter(postgres.url(), checks=WELL, **AS_SHIPPED)
    browser.show(page(a))
    processes.send(a.server, signal.SIGSTOP)
    browser.run(NOW)
    browser.wait_text("#lost", "The adapter cannot be reached since ")
    processes.send(a.server, signal.SIGCONT)
    browser.run(NOW)
    browser.wait_text("#live", "Live")


# Without


def test_without_javascript(browser, adapter, postgres):
    """What matters, as a table, and nothing to press."""
    a = adapter(postgres.url(), checks=ILL)
    browser.javascript(False)
    browser.show(page(a))
    assert "Reload the page to see what is new." in browser.text("body")
    rows = dict(row.split(" ", 1) for row in browser.texts("main tr"))
    assert rows["/readyz"] == "503"
    assert rows["denied"].startswith("fail since ")
    assert "server_error: the server answered with an error; the adapter's log" in rows["denied"]
    assert rows["lag"].endswith("lag_seconds 45, fails > 30 lag_seconds 45, warns > 9")
    assert rows["server"].startswith("replica postgres ")
    assert not browser.one("#pause").is_displayed()
    assert not browser.one("#lost").is_displayed()
    for dark, width in LOOKS:
        browser.look(dark=dark, width=width)
        browser.screenshot(f"plain-{'dark' if dark else 'light'}-{width}")
        assert not browser.is_too_wide()
        assert browser.faint_words() == []


# Keyboard and screen reader


def test_the_keyboard_reaches_all_there_is_to_do(browser, adapter, postgres):
    a = adapter(postgres.url(), checks=ILL)
    browser.show(page(a))
    wanted = [e.get_attribute("id") for e in browser.all("button, a[href], summary")]
    reached = []
    for _ in wanted:
        browser.press(Keys.TAB)
        reached.append(browser.focused())
        outline = browser.run("return getComputedStyle(document.activeElement).outlineStyle")
        assert outline != "none", f"{reached[-1]} has the focus, and does not show it"
    assert reached == wanted
    browser.run("document.getElementById('summary-lag').focus()")
    browser.press(Keys.ENTER)
    assert browser.one("#details-lag table").is_displayed()
    browser.run("document.getElementById('pause').focus()")
    browser.press(Keys.SPACE)
    assert browser.text("#live") == "Paused"


NAMED = {"link", "button", "heading", "image", "region", "DisclosureTriangle", "columnheader"}


def test_a_screen_reader_is_told_what_everything_is(browser, adapter, postgres):
    browser.show(page(adapter(postgres.url(), checks=ILL)))
    tree = browser.accessibility_tree()
    assert [role for role, name in tree if role in NAMED and not name.strip()] == []
    roles = {role for role, _ in tree}
    assert {"main", "heading", "list", "listitem", "region", "table", "button"} <= roles
    assert ("region", "Failing 3") in tree
    assert ("heading", "Not ready") in tree
    assert ("link", "/readyz fails 503") in tree
    assert ("image", "Last hour, by minute: 1 fail, 59 no result") in tree


# The policy


def test_no_foreign_script_or_style_runs(browser, shown):
    browser.run(
        "const script = document.createElement('script'); script.textContent = 'window.evil = 1';"
        "document.body.append(script); document.body.setAttribute('style', 'display: none');"
    )
    assert browser.run("return window.evil === undefined")
    assert browser.one("h1").is_displayed()
    refused = browser.complaints()
    assert len(refused) == 2
    assert all("Content Security Policy" in complaint for complaint in refused)
