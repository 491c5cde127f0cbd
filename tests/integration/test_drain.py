"""`dbhealthd drain`, and what is told of a drain: its file, and since when."""

import datetime
import json
import os
import re
import signal

import pytest
import sql
from program import Program
from servers import wait_until

CHECKS = {"alive": sql.alive(), "drain": sql.check("SELECT 1 AS n", fail="n == 1")}
DRAINS = "the adapter drains: /readyz answers 503"
DOES_NOT = "the adapter does not drain: /readyz answers 503"  # There is no check but one left out.


class Drained:
    """An adapter without a database, its drain file, and the command with the same settings."""

    def __init__(self, adapter, build, folder, closed_port, *, file=None, **options):
        self.file = folder / "drain"
        url = f"postgres://probe@127.0.0.1:{closed_port}/"
        file = str(file or self.file)
        self.adapter = adapter(url, checks=CHECKS, DBHEALTH_DRAIN_FILE=file, **options)
        self.listen = f"127.0.0.1:{self.adapter.port}"
        self.program = Program(build)

    def run(self, *words, **environment):
        environment = {"DBHEALTH_DRAIN_FILE": str(self.file), **environment}
        return self.program.run("drain", *words, DBHEALTH_LISTEN=self.listen, **environment)

    def says(self, word):
        """Exit status and lines."""
        ended = self.run(word)
        assert ended.errors == ""
        return ended.status, ended.lines


@pytest.fixture
def drained(adapter, build_dir, tmp_path, closed_port):
    return lambda **options: Drained(adapter, build_dir, tmp_path, closed_port, **options)


@pytest.mark.parametrize("closed", (False, True), ids=("open", "details-closed"))
def test_on_off_and_status(drained, closed):
    details = ("--details-listen", "127.0.0.1:0") if closed else ()
    d = drained(arguments=("--listen", "127.0.0.1:0", *details))
    assert d.says("status") == (1, [f"{d.file} is not there", DOES_NOT])
    assert d.says("off") == (0, [f"{d.file} was not there", DOES_NOT])
    assert d.says("on") == (0, [f"{d.file} is made", DRAINS])
    made = d.file.stat().st_mtime_ns
    assert d.says("on") == (0, [f"{d.file} was there already", DRAINS])
    assert d.file.stat().st_mtime_ns == made
    status, lines = d.says("status")
    assert (status, lines[1]) == (0, DRAINS)
    assert re.fullmatch(rf"{d.file} is there since 20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d.000Z", lines[0])
    assert d.says("off") == (0, [f"{d.file} is removed", DOES_NOT])
    assert not d.file.exists()


WRONG = (  # Words, environment, what is said; the exit status is 2.
    ((), {}, "drain: expected more arguments"),
    (("maybe",), {}, "drain maybe: expected on, off or status"),
    (("on", "off"), {}, "off: unexpected"),
    (("on", "--timeout", "soon"), {}, "--timeout: 'soon' is not a duration"),
    (("on",), {"DBHEALTH_DRAIN_FILE": ""}, "drain on: DBHEALTH_DRAIN_FILE is not set, expected"),
    (("off",), {"DBHEALTH_DRAIN_FILE": ""}, "drain off: DBHEALTH_DRAIN_FILE is not set, expected"),
    (("on",), {"DBHEALTH_DRAIN_FILE": "/nonexistent/x"}, "DBHEALTH_DRAIN_FILE: cannot make"),
    (("off",), {"DBHEALTH_DRAIN_FILE": "/proc"}, "DBHEALTH_DRAIN_FILE: cannot remove /proc"),
    (("status",), {"DBHEALTH_LISTEN": "x"}, "DBHEALTH_LISTEN: 'x': expected"),
)


@pytest.mark.parametrize("words, environment, said", WRONG)
def test_what_is_wrong_is_told(build_dir, words, environment, said):
    ended = Program(build_dir).run("drain", *words, **environment)
    assert (ended.status, ended.errors.count("\n")) == (2, 1)
    assert said in ended.errors


def test_nobody_answers(build_dir, tmp_path, closed_port):
    """The file is made all the same: an adapter that starts heeds it."""
    file = tmp_path / "drain"
    settings = {
        "DBHEALTH_DRAIN_FILE": str(file),
        "DBHEALTH_LISTEN": f"127.0.0.1:{closed_port}",
    }
    ended = Program(build_dir).run("drain", "on", **settings)
    assert (ended.status, ended.lines) == (1, [f"{file} is made"])
    assert ended.errors == "dbhealthd: no adapter answers: Connection refused\n"
    assert file.exists()


def test_an_adapter_that_does_not_heed_it(drained, tmp_path):
    # Nothing is asked without a password: a server that is known to be gone would end the drain.
    unasked = {"DATABASE_PASSWORD_FILE": str(tmp_path / "none")}
    d = drained(file=tmp_path / "another", DBHEALTH_DRAIN="1h", **unasked)
    ended = d.run("on", "--timeout", "1s")
    assert (ended.status, ended.lines[1]) == (1, DOES_NOT)
    assert ended.errors.endswith("does not drain: its DBHEALTH_DRAIN_FILE is another one\n")
    d.adapter.signal(signal.SIGTERM)
    wait_until(lambda: d.adapter.messages("draining"), "it drains")
    ended = d.run("off", "--timeout", "1s")
    assert (ended.status, ended.lines[1]) == (1, DRAINS)
    assert "still drains: SIGTERM has come" in ended.errors


# What is told


def document(adapter):
    return json.loads(adapter.get("/status").body)


def seconds(iso):
    return datetime.datetime.fromisoformat(iso.replace("Z", "+00:00")).timestamp()


def test_a_file_that_is_there_at_the_start(drained, tmp_path):
    """Of yesterday, as it were."""
    file = tmp_path / "drain"
    file.touch()
    made = int(file.stat().st_mtime) - 86400
    os.utime(file, (made, made))
    d = drained()
    [told] = d.adapter.messages("drain file is there")
    assert (told["level"], told["file"], seconds(told["since"])) == ("warn", str(file), made)
    told = document(d.adapter)["adapter"]
    assert told["draining"] and seconds(told["drainingSince"]) == made
    metrics = d.adapter.get("/metrics").body
    assert f"\ndbhealthd_drain_start_timestamp_seconds {made}.000\n" in metrics
    page = d.adapter.get("/", Accept="text/html").body
    assert f"<br>draining since {told['drainingSince']}</td>" in page
    file.unlink()
    assert "drainingSince" not in document(d.adapter)["adapter"]
    assert "dbhealthd_drain_start" not in d.adapter.get("/metrics").body


def test_since_a_signal(drained):
    d = drained(DBHEALTH_DRAIN="1h")
    assert not d.adapter.messages("drain file is there")
    d.adapter.signal(signal.SIGTERM)
    wait_until(lambda: d.adapter.messages("draining"), "it drains")
    told = document(d.adapter)
    began = seconds(told["adapter"]["drainingSince"])
    assert seconds(told["adapter"]["since"]) <= began <= seconds(told["time"])
    d.file.touch()  # Later: the earlier counts.
    assert seconds(document(d.adapter)["adapter"]["drainingSince"]) == began
