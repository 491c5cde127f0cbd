"""Reloading: on SIGHUP and when files change, all or nothing, while requests go on."""

import re
import shutil
import signal
import subprocess
import threading

import faults
import pytest
import sql
from adapter import AS_SHIPPED, check_lines
from program import Program
from raw_http import connect, kubelet, read_answer
from servers import wait_until
from volume import Volume

CHECKS = {
    "alive": sql.alive(),
    "accepting": sql.check(endpoints="readyz"),
    "spare": sql.check(endpoints="readyz replica"),
}
ENDS = ("reloaded", "reload refused", "reload found no change")


def results(adapter):
    """The log's lines about reloads, in order."""
    return [line for line in adapter.lines() if line["msg"] in ENDS]


def hang_up(adapter):
    """SIGHUP; gives the lines that this, and what was changed just before, brought."""
    before = len(results(adapter))
    adapter.signal(signal.SIGHUP)
    wait_until(lambda: len(results(adapter)) > before, "it reloads")
    return results(adapter)[before:]


def reload(adapter, **checks):
    """Writes these check files, removes those that are None, and reloads."""
    for name, text in checks.items():
        if text is None:
            (adapter.checks / f"{name}.sql").unlink()
        else:
            adapter.write_check(name, text)
    return hang_up(adapter)


def wait_for(adapter, message, count=1):
    wait_until(lambda: len(adapter.messages(message)) >= count, f"{message} {count} times")


def without_time(line):
    return {key: value for key, value in line.items() if key not in ("time", "level")}


def counts(adapter):
    """Reloads by what they came to."""
    family = r'^dbhealthd_config_reloads_total\{result="(\w+)"\} (\d+)$'
    body = adapter.get("/metrics").body
    return {name: int(count) for name, count in re.findall(family, body, re.MULTILINE)}


def gauge(adapter, name):
    return float(re.search(rf"^dbhealthd_{name} (\S+)$", adapter.get("/metrics").body, re.M)[1])


@pytest.fixture
def a(adapter, mariadb):
    """A running adapter with CHECKS."""
    return adapter(mariadb.url(), checks=CHECKS)


@pytest.fixture
def runs(mariadb):
    with sql.Counter(mariadb) as counter:
        yield counter


# What is taken


def test_checks_and_endpoints_come_change_and_go_with_one_line(a):
    assert a.status_of("/replica") == 200
    [line] = reload(a, extra=sql.check(endpoints="primary"), spare=None, accepting="SELECT 0 AS n")
    assert without_time(line) == {
        **{"msg": "reloaded", "added": "extra", "changed": "accepting", "removed": "spare"},
        **{"checks": "3", "problems": "0"},
    }
    assert (a.status_of("/primary"), a.status_of("/replica")) == (200, 404)
    assert a.get("/readyz").body == "[-]accepting failed: n is 0\nreadyz check failed\n"
    assert counts(a) == {"success": 1, "unchanged": 0, "failure": 0}


def test_without_a_change_it_says_so(a):
    assert a.statuses() == (200, 200, 200, 200)
    log = len(a.lines())
    for _ in range(3):
        assert [line["msg"] for line in hang_up(a)] == ["reload found no change"]
    assert counts(a) == {"success": 0, "unchanged": 3, "failure": 0}
    assert len(a.lines()) == log + 3


def test_it_warns_of_names_that_nothing_has(adapter, mariadb):
    a = adapter(mariadb.url(), checks=CHECKS, DBHEALTH_DISABLE="spare")
    for change in ({"spare": None}, {"accepting": "SELECT 2"}, {"new": "-- x"}, {"new": None}):
        reload(a, **change)
    lines = a.lines()
    ends = [line["msg"] for line in lines if line["msg"] in ENDS]
    doubts = [line["warning"] for line in lines if line["msg"] == "configuration is doubtful"]
    assert set(ends) == set(ENDS)
    assert len(doubts) == len(ends) - ends.count("reload refused")
    assert doubts[0].startswith("DBHEALTH_DISABLE: there is no 'spare'; expected ")


def test_what_did_not_change_keeps_its_result_and_its_period(adapter, mariadb, runs):
    def counted(**keys):
        return sql.check(runs.taking(), writes="yes", cache="60s", **keys)

    a = adapter(mariadb.url(), checks={"asked": counted(), "alive": sql.alive()})
    a.write_check("hourly", counted(endpoints="none", every="1h"))
    hang_up(a)
    wait_until(lambda: runs.value() == 1, "the periodic check runs at once")
    assert a.status_of("/readyz") == 200
    assert runs.value() == 2
    before = a.get("/metrics").body
    for number in range(5):
        reload(a, alive=sql.alive(description=f"Number {number}."))
        assert a.statuses() == (200, 200, 200, 200)
    assert runs.value() == 2
    assert [change["check"] for change in a.transitions()].count("asked") == 1
    for name in ("asked", "hourly"):
        family = f'dbhealthd_check_outcomes_total{{check="{name}",outcome="ok"}} 1\n'
        assert family in before and family in a.get("/metrics").body


def test_a_changed_check_is_run_anew_and_its_answer_awaited(a, mariadb):
    """However long the cache: a readiness that was well never says 503, nor an old result."""
    for number in range(20):
        reload(a, accepting=sql.check(f"SELECT {number} AS n", cache="60s", warn="n >= 0"))
        answer = a.get("/readyz?verbose")
        assert answer.status == 200
        assert f"[+]accepting warn: n {number} >= 0\n" in answer.body


def test_probers_that_are_still_needed_keep_process_and_connection(adapter, mariadb):
    a = adapter(mariadb.url(), checks=CHECKS, DBHEALTH_KEEP="main", DBHEALTH_CACHE="0s")
    a.write_check("spare", sql.check(endpoints="readyz", prober="other"))
    hang_up(a)
    assert a.statuses() == (200, 200, 200, 200)
    before = set(a.probers())
    assert len(before) == 3
    logins = sql.logins(mariadb)
    reload(a, accepting=sql.check("SELECT 2", endpoints="readyz"))
    assert a.status_of("/readyz?exclude=spare") == 200
    assert set(a.probers()) == before
    assert sql.logins(mariadb) == logins
    reload(a, spare=None)
    wait_until(lambda: len(a.probers()) == 2, "the third prober ends")
    assert set(a.probers()) < before
    assert a.statuses() == (200, 200, 200, 200)
    assert not a.messages("prober failed")
    assert "prober-other" not in a.get("/livez?verbose").body


def test_another_url_is_another_server(adapter, mariadb, mysql, tmp_path):
    """Nothing that was known of the one is said of the other, and no connection to it is kept."""
    url = tmp_path / "url"
    url.write_text(mariadb.url())
    version = sql.check("SELECT VERSION() LIKE '%MariaDB%'", endpoints="readyz", every="1h")
    a = adapter(
        checks={"version": version, "alive": sql.alive()},
        DATABASE_URL_FILE=str(url),
        DBHEALTH_KEEP="main,background,liveness",
    )
    assert a.status_of("/readyz") == 200
    url.write_text(mysql.url())
    wait_for(a, "reloaded")
    [line] = a.messages("reloaded")
    assert f":{mysql.port}/" in line["target"] and "changed" not in line
    assert mysql.url().split("@")[0].rpartition(":")[2] not in a.log_text()
    assert a.get("/readyz").body.startswith("[-]version failed: ")
    wait_until(lambda: not mariadb_sessions(mariadb), "its connections are closed")


def mariadb_sessions(server):
    return [session for session in server.sessions() if session["user"] == "probe"]


# What is refused

BAD = {  # What is written beside a good change, and what is said of it.
    "key": ({"spare": "-- nonsense: 1\nSELECT 1"}, r"/spare\.sql:1:4: unknown key 'nonsense'"),
    "rule": ({"new": "-- fail: lag >\nSELECT 1"}, r"/new\.sql:1:\d+: fail: expected"),
    "empty": ({"spare": ""}, r"/spare\.sql:1:1: no SQL statement"),
    "name": ({"Not_A_Name": "SELECT 1"}, r"/Not_A_Name\.sql:1:1: expected a name"),
    "own-name": ({"configuration": "SELECT 1"}, r"this name is the adapter's own"),
}


@pytest.mark.parametrize("files, problem", BAD.values(), ids=BAD)
def test_a_bad_set_keeps_the_running_one(a, files, problem):
    assert a.statuses() == (200, 200, 200, 200)
    before = a.get("/readyz?verbose").body
    [line] = reload(a, accepting="SELECT 0", **files)[:1]
    assert line["msg"] == "reload refused" and line["level"] == "error"
    assert re.search(problem, line["problem"])
    assert a.get("/readyz?verbose").body == before
    livez = a.get("/livez?verbose")
    assert livez.status == 200
    assert "[+]configuration warn: the latest reload was refused; the log names the" in livez.body
    assert '"output": "the latest reload was refused' in a.get("/status").body
    assert counts(a)["failure"] >= 1 and counts(a)["success"] == 0
    assert gauge(a, "config_last_reload_successful") == gauge(a, "config_problems") == 0
    for name in files:
        (a.checks / f"{name}.sql").unlink()
    assert "reloaded" in [line["msg"] for line in hang_up(a)]
    assert a.status_of("/readyz/accepting") == 503
    assert "[+]configuration ok\n" in a.get("/livez?verbose").body
    assert gauge(a, "config_last_reload_successful") == 1


def test_every_problem_of_a_refused_set_is_told(a):
    lines = reload(a, one="-- x", two="-- y", three="SELECT 1")
    assert [line["msg"] for line in lines[:2]] == ["reload refused"] * 2
    assert ["one.sql" in lines[0]["problem"], "two.sql" in lines[1]["problem"]] == [True, True]


def test_a_folder_that_is_emptied_or_gone_keeps_what_ran(a):
    kept = a.folder / "kept"
    shutil.copytree(a.checks, kept)
    for path in a.checks.iterdir():
        path.unlink()
    assert "no .sql file in folder" in hang_up(a)[0]["problem"]
    a.checks.rmdir()
    wait_until(lambda: "cannot read folder" in results(a)[-1]["problem"], "it sees that")
    assert a.statuses() == (200, 200, 200, 200)
    shutil.copytree(kept, a.checks)
    wait_until(lambda: results(a)[-1]["msg"] == "reload found no change", "it is seen again")
    a.write_check("late", sql.check(endpoints="late"))
    a.wait_status("/late", 200)


def test_of_a_broken_start_what_is_no_worse_is_taken(adapter, mariadb):
    broken = {"one": "-- x", "two": "-- y"}
    a = adapter(mariadb.url(), checks={**CHECKS, **broken})
    assert "[+]configuration warn: it is wrong" in a.get("/livez?verbose").body
    assert reload(a, two="-- still\n-- y")[0]["msg"] == "reloaded"
    assert reload(a, spare="-- z")[0]["msg"] == "reload refused"
    assert reload(a, spare=CHECKS["spare"], one="SELECT 1")[0]["problems"] == "1"
    assert reload(a, two=None)[0]["problems"] == "0"
    assert a.get("/readyz").body == "ok"
    assert "[+]configuration ok\n" in a.get("/livez?verbose").body


def test_a_url_that_comes_late_is_taken(adapter, mariadb, tmp_path):
    a = adapter(checks=CHECKS, DATABASE_URL_FILE=str(tmp_path / "url"))
    assert (a.status_of("/readyz"), a.status_of("/livez")) == (503, 200)
    (tmp_path / "url").write_text(mariadb.url())
    a.wait_status("/readyz", 200)
    (tmp_path / "url").write_text("nonsense")
    wait_for(a, "reload refused")
    assert "DATABASE_URL_FILE: the scheme is unknown" in results(a)[-1]["problem"]


# Requests under way


def test_a_request_ends_in_the_configuration_that_it_began_with(adapter, mariadb):
    slow = sql.check(sql.sleep(mariadb, 1), endpoints="readyz slow", prober="slow")
    a = adapter(mariadb.url(), checks={**CHECKS, "slow": slow})
    answer = a.get_later("/slow?verbose")
    wait_until(lambda: sql.sleeping(mariadb), "the slow check runs")
    reload(a, slow=None)
    assert a.status_of("/slow") == 404
    assert "slow" not in check_lines(a.get("/readyz?verbose").body)
    assert answer().body == "[+]slow ok\nslow check passed\n"
    wait_until(lambda: len(a.probers()) == 1, "the prober that no check needs ends")


def test_an_answer_of_the_configuration_before_is_not_given_again(adapter, mariadb):
    slow = sql.check(sql.sleep(mariadb, 0.5), endpoints="slow")
    a = adapter(mariadb.url(), checks={**CHECKS, "slow": slow})
    answer = a.get_later("/slow?verbose")
    wait_until(lambda: sql.sleeping(mariadb), "the slow check runs")
    reload(a, slow=sql.check("SELECT 1 AS one", endpoints="slow", fail="one == 1"))
    assert answer().body == "[+]slow ok\nslow check passed\n"
    assert "[-]slow failed: one 1 == 1" in a.get("/slow?verbose").body


def test_a_request_that_has_not_been_reached_is_answered_too(adapter, mariadb):
    """Its check is gone while it waits behind another."""
    slow = sql.check(sql.sleep(mariadb, 1), endpoints="slow")
    a = adapter(mariadb.url(), checks={**CHECKS, "slow": slow})
    with connect(a.port) as first, connect(a.port) as second:
        first.sendall(kubelet("/slow"))
        wait_until(lambda: sql.sleeping(mariadb), "the slow check runs")
        second.sendall(kubelet("/replica?verbose"))
        assert a.status_of("/livez") == 200  # So the one before has been read.
        reload(a, spare=None, slow=None)
        assert [a.status_of(path) for path in ("/slow", "/replica")] == [404, 404]
        assert read_answer(second).body == "[+]spare ok\nreplica check passed\n"
        assert read_answer(first).status == 200
    assert a.statuses() == (200, 200, 200, 200)


def test_a_reload_under_load_loses_no_request_and_mixes_nothing(adapter, mariadb):
    """Clients ask all the time; the checks of one set and of the other are never in one answer."""
    sets = [
        {f"{name}-{i}": sql.check(endpoints="readyz", cache="0s") for i in range(3)}
        for name in ("odd", "even")
    ]
    a = adapter(mariadb.url(), checks=sets[0])
    wanted = [set(checks) for checks in sets]
    stop, faults, answered = threading.Event(), [], []

    def ask():
        while not stop.is_set():
            try:
                with connect(a.port) as client:
                    for _ in range(20):
                        client.sendall(b"GET /readyz?verbose HTTP/1.1\r\nHost: h\r\n\r\n")
                        answer = read_answer(client)
                        shown = set(check_lines(answer.body))
                        answered.append(answer.status)
                        if answer.status != 200 or shown not in wanted:
                            faults.append(answer.body)
            except Exception as error:
                faults.append(repr(error))

    threads = [threading.Thread(target=ask) for _ in range(20)]
    for thread in threads:
        thread.start()
    for number in range(100):
        old, new = sets[number % 2], sets[1 - number % 2]
        texts = {**dict.fromkeys(old), **new}
        assert "reloaded" in [line["msg"] for line in reload(a, **texts)]
    stop.set()
    for thread in threads:
        thread.join()
    assert not faults
    assert len(answered) > 500
    assert len(a.messages("reloaded")) >= 100


def test_hundreds_in_flight_are_answered(adapter, mariadb, runs):
    """All that wait for a run while its check is changed a hundred times get their answer."""
    slow = sql.check(runs.taking(0.5), endpoints="readyz", writes="yes", cache="0s")
    a = adapter(mariadb.url(), checks={"slow": slow, "alive": sql.alive()})
    clients = []

    def a_run_is_seen():
        ask()  # What had been asked may have joined a run that ends.
        return sql.sleeping(mariadb)

    def ask():
        clients.append(connect(a.port, 60))
        clients[-1].sendall(kubelet("/readyz?verbose"))

    for number in range(100):
        ask(), ask(), ask()
        if number % 10 == 0:
            wait_until(a_run_is_seen, "one runs")
        reload(a, alive=sql.alive(description=f"Number {number}."))
    for client in clients:
        with client:
            assert b"[+]slow ok\n" in client.recv(65536)


def test_a_frozen_server_gets_no_heap_of_old_statements(adapter, new_mariadb):
    """What waited for its login is forgotten when its check is gone."""
    server = new_mariadb()
    with sql.Counter(server) as runs:
        counted = runs.taking()
        a = adapter(server.url(), checks={"one": sql.check(counted, writes="yes")}, **AS_SHIPPED)
        assert a.status_of("/readyz") == 200
        with server.paused():
            a.wait_status("/readyz", 503)
            for number in range(30):
                reload(a, one=sql.check(counted, writes="yes", description=f"Number {number}."))
                answer = a.get("/readyz")
                assert (answer.status, "timeout" in answer.body) == (503, True)
        a.wait_status("/readyz", 200)
        assert runs.value() <= 4


# Watching


def test_files_are_watched(a):
    """However they are changed: in place, renamed over, and as another folder behind a link."""
    a.write_check("late", sql.check(endpoints="late"))
    a.wait_status("/late", 200)
    new = a.folder / "new"
    new.write_text(sql.check(endpoints="later"))
    new.rename(a.checks / "late.sql")
    a.wait_status("/later", 200)
    (a.checks / "late.sql").unlink()
    a.wait_status("/later", 404)
    assert not a.messages("reload refused")


def test_a_link_to_another_folder_is_seen(adapter, mariadb, tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "check.sql").write_text(sql.check(endpoints=name))
    link, new = tmp_path / "current", tmp_path / "new"
    link.symlink_to("one")
    a = adapter(mariadb.url(), DBHEALTH_CHECKS=str(link))
    assert (a.status_of("/one"), a.status_of("/two")) == (200, 404)
    new.symlink_to("two")
    new.rename(link)
    a.wait_status("/two", 200)
    assert a.status_of("/one") == 404
    (tmp_path / "two" / "more.sql").write_text(sql.check(endpoints="three"))
    a.wait_status("/three", 200)


def test_a_config_map_is_seen(adapter, mariadb, tmp_path):
    """Each version moves a check that must be in exactly one file."""
    volume = Volume(tmp_path / "volume", {"one.sql": sql.check(endpoints="zero")})
    folders = f"library:{volume.folder}"
    a = adapter(mariadb.url(), DBHEALTH_CHECKS=folders)
    assert a.status_of("/zero") == 200
    for number in range(1, 5):
        name = ("one.sql", "two.sql")[number % 2]
        volume.write({name: sql.check(endpoints=f"version-{number}")})
        a.wait_status(f"/version-{number}", 200)
    volume.write({"one.sql": "-- nonsense"})
    wait_for(a, "reload refused")
    assert a.status_of("/version-4") == 200
    assert a.status_of("/readyz") == 200


def test_other_files_are_no_reason_to_reload(a):
    (a.checks / "lag.sql~").write_text("x")
    (a.checks / ".lag.sql.swp").write_text("x")
    (a.checks / "README").write_text("x")
    (a.folder / "other").write_text("x")
    a.write_check("late", sql.check(endpoints="late"))
    a.wait_status("/late", 200)
    assert [line["msg"] for line in results(a)] == ["reloaded"]


def test_what_is_mounted_over_the_folder_is_seen(adapter, mariadb, tmp_path):
    """The kernel tells nobody who watches a folder of that, nor of another host's writing."""
    other = tmp_path / "other"
    other.mkdir()
    (other / "check.sql").write_text(sql.check(endpoints="other"))
    a = adapter(mariadb.url(), checks=CHECKS, under=("unshare", "--mount"))
    assert a.status_of("/other") == 404
    inside = ("nsenter", f"--target={a.pid}", "--mount")
    subprocess.run((*inside, "mount", "--bind", other, a.checks), check=True)
    a.wait_status("/other", 200)
    (other / "late.sql").write_text(sql.check(endpoints="late"))
    a.wait_status("/late", 200)
    subprocess.run((*inside, "umount", a.checks), check=True)
    a.wait_status("/replica", 200)


def test_no_request_waits_for_a_file_system_that_hangs(adapter, mariadb):
    a = adapter(mariadb.url(), checks=CHECKS, DBHEALTH_CACHE="0s")
    with faults.hung(a.checks) as wait:
        wait()
        for _ in range(100):
            assert a.statuses() == (200, 200, 200, 200)
        a.write_check("late", sql.check(endpoints="late"))
    a.wait_status("/late", 200)


@pytest.mark.parametrize("number", (signal.SIGTERM, signal.SIGINT))
def test_nor_does_a_signal(adapter, mariadb, number):
    a = adapter(mariadb.url(), checks=CHECKS, DBHEALTH_CACHE="0s", DBHEALTH_DRAIN="0s")
    with faults.hung(a.checks) as wait:
        wait()
        a.signal(signal.SIGHUP)
        for _ in range(10):
            assert a.statuses() == (200, 200, 200, 200)
        a.signal(number)
        assert a.wait() == 0


def test_a_reload_waits_for_a_file_system_that_hangs_and_the_log_says_so(adapter, mariadb):
    a = adapter(mariadb.url(), checks=CHECKS, DBHEALTH_CACHE="0s")
    with faults.hung(a.checks) as wait:
        a.signal(signal.SIGHUP)
        wait()
        wait_for(a, "files cannot be looked at")
        a.write_check("late", sql.check(endpoints="late"))
        a.signal(signal.SIGHUP)
        assert a.statuses() == (200, 200, 200, 200)
        assert not results(a)
    wait_for(a, "files can be looked at again")
    a.wait_status("/late", 200)
    assert len(a.messages("files cannot be looked at")) == 1


# Nothing is left behind


def test_many_reloads_leave_nothing_behind(adapter, mariadb, sanitized):
    a = adapter(mariadb.url(), checks=CHECKS)
    every = sql.check(endpoints="readyz", every="1h", prober="other")

    def cycle():
        reload(a, spare=every, accepting="SELECT 1")
        reload(a, spare=CHECKS["spare"], accepting=CHECKS["accepting"])
        reload(a, spare="-- x")
        reload(a, spare=None)

    for _ in range(10):
        cycle()
    assert a.statuses() == (200, 200, 200, 200)
    before, descriptors = a.own_memory(), a.descriptors()
    for _ in range(50):
        cycle()
    assert a.statuses() == (200, 200, 200, 200)
    wait_until(lambda: a.descriptors() <= descriptors, "descriptors are as before")
    if not sanitized:
        assert a.own_memory() - before < 500


# Beside it


def test_the_drain_goes_on(adapter, mariadb):
    a = adapter(mariadb.url(), checks=CHECKS, DBHEALTH_DRAIN="1h")
    a.signal(signal.SIGTERM)
    wait_for(a, "draining")
    reload(a, spare=None)
    assert (a.status_of("/healthz"), a.status_of("/readyz")) == (200, 503)


def test_check_reads_the_files_as_they_are(a, mariadb, build_dir):
    """So a set can be judged before the adapter takes it."""
    a.write_check("spare", "-- x")
    ended = Program(build_dir).run(
        "check", DATABASE_URL=mariadb.url(), DBHEALTH_CHECKS=str(a.checks)
    )
    assert ended.status == 2
