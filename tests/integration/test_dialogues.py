"""What a server that misbehaves in the middle of a conversation, at whatever point of it, does to
the endpoints and to the log: each cell of the table below, by an adapter that saw the server well
before and sees it well after."""

import time

import dialogues
import processes
import pytest
import sql
from adapter import check_lines
from servers import wait_until

WELL = (200, 200)  # healthz, readyz
STATUSES = {
    "ok": WELL,
    "timeout": (503, 503),
    "lost": (503, 503),
    "server_error": (200, 503),
    "tls": (200, 503),
    "denied": (200, 503),
    "too_large": (200, 503),
}
CHECKS = {"alive": "/healthz", "accepting": "/readyz"}
QUICK = {"DBHEALTH_CACHE": "0s", "DBHEALTH_TIMEOUT": "300ms", "DBHEALTH_DEADLINE": "400ms"}
DEADLINE = 0.4
PACE = 0.005  # Seconds between pieces of a flood: what takes all of the CPU is another fault.
TRIALS = 3  # For a machine under load may make a timeout of anything.
LATE = 2  # Seconds after the deadline by which an answer must be there, on a machine under load.

POSTGRES = "trust password md5 scram scram-tls"
MYSQL = "native switch ed25519 sha2-known sha2 sha2-tls sha256"
TLS = "scram-tls sha2-tls"
MYSQL_LOGIN = "greeting switch more key welcome"
RUN = "begin columns rows end"
AFTER_HANDSHAKE = f"auth challenge signature more welcome {RUN}"

# Kinds of dialogue, stages, misdeeds, and what that is. The last row that fits decides; an empty
# cell fits all.
TABLE = (
    ("", "", "stop half", "timeout"),
    ("", "", "flood", "timeout"),
    ("", "", "dribble", "ok"),
    ("", "", "cut cut-half reset", "lost"),
    ("", "", "noise", "server_error"),
    (MYSQL, RUN, "noise", "too_large"),  # It begins as a large packet would.
    (TLS, AFTER_HANDSHAKE, "noise", "lost"),  # TLS ends the connection.
    (TLS, "handshake", "cut cut-half reset noise flood", "tls"),
    (TLS, "tls-answer", "noise flood", "tls"),
    (POSTGRES, "auth challenge", "flood", "server_error"),  # Of noise.
    (MYSQL, MYSQL_LOGIN, "flood", "server_error"),  # Likewise.
    ("", "goodbye", "", "ok"),
)

# Once for each library: the statement's stages are the same whatever the login was, and a run that
# had to be killed is held back for a second.
WITH_RUN = ("scram-tls", "sha2-tls")


def outcome_of(kind, stage, misdeed):
    cell = (kind, stage, misdeed)
    rows = [row for row in TABLE if all(not row[i] or cell[i] in row[i].split() for i in range(3))]
    return rows[-1][3]


def cells():
    for kind, dialogue in dialogues.KINDS.items():
        for stage in dialogue.stages():
            if kind in WITH_RUN or stage not in (*RUN.split(), "goodbye"):
                yield kind, stage


@pytest.mark.parametrize("kind, stage", cells())
def test_misdeeds(adapter, kind, stage):
    with dialogues.Dialogue(kind, PACE) as server:
        a = adapter(server.url(), checks={"alive": sql.alive(), "accepting": sql.check()}, **QUICK)
        wait_well(a)
        descriptors = a.descriptors()
        wrong = {}
        for misdeed in dialogues.DEEDS:
            cell = Cell(a, server, stage, misdeed, outcome_of(kind, stage, misdeed))
            seen = [cell.play()]
            while seen[-1] and len(seen) < TRIALS:
                seen.append(cell.play())
            if seen[-1]:
                wrong[misdeed] = seen
        assert not wrong, wrong
        assert not a.messages("prober failed")
        wait_until(lambda: not processes.zombies(a.pid), "the dead are reaped")
        wait_until(lambda: a.descriptors() <= descriptors, "descriptors are closed")
        assert len(a.probers()) == len(CHECKS)
        a.end()


class Cell:
    """One misdeed, from its beginning to its end."""

    def __init__(self, adapter, server, stage, misdeed, outcome):
        self.adapter = adapter
        self.server = server
        self.misdeed = (stage, misdeed)
        self.outcome = outcome
        in_run = stage in RUN.split()
        self.stage = "run" if in_run else "open"

    def play(self):
        """What was not as it should be; nothing if all was."""
        before = len(self.adapter.transitions())
        self.server.misdeed = self.misdeed
        wrong = self._differs(self._ask)
        self.server.misdeed = None
        wait_well(self.adapter)
        lines = self.adapter.transitions()[before:]
        return wrong or self._unexpected_lines(lines)

    def _differs(self, ask):
        """A machine under load makes a timeout of anything, and `starved` of a timeout."""
        expected = (STATUSES[self.outcome], [self.outcome] * len(CHECKS))
        until = time.monotonic() + 3
        while (seen := ask()) != expected:
            under_load = set(seen[1]) <= {self.outcome, "starved", "timeout"}
            if not under_load or time.monotonic() > until:
                return seen
        return None

    def _ask(self):
        began = time.monotonic()
        seen = ask(self.adapter)
        assert time.monotonic() - began < DEADLINE + LATE, self.misdeed
        return seen

    def _unexpected_lines(self, lines):
        """One line a check for the misdeed, and one for its end."""
        expected = {}
        if self.outcome != "ok":
            expected = {check: [(self.outcome, self.stage), ("ok", "run")] for check in CHECKS}
        if (self.misdeed[1], self.outcome, self.stage) == ("flood", "timeout", "open"):
            for outcomes in expected.values():
                outcomes.insert(1, ("lost", "open"))  # For so the flood ends.
        found = {}
        for line in lines:
            outcomes = found.setdefault(line["check"], [("ok", "run")])
            here = (line["outcome"], line["stage"])
            if here[0] not in ("starved", outcomes[-1][0]):
                outcomes.append(here)
        found = {check: outcomes[1:] for check, outcomes in found.items() if outcomes[1:]}
        return None if found == expected else found


def ask(adapter):
    """Statuses and outcomes, with both endpoints asked at the same time."""
    later = [adapter.get_later(f"{path}?verbose") for path in CHECKS.values()]
    answers = [answer() for answer in later]
    lines = [check_lines(answer.body)[check] for answer, check in zip(answers, CHECKS)]
    return tuple(answer.status for answer in answers), [line.code or "ok" for line in lines]


def wait_well(adapter):
    """A login that waited goes on as soon as it is let."""
    wait_until(lambda: ask(adapter) == (WELL, ["ok"] * len(CHECKS)), "it is well again", limit=20)
