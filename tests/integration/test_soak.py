"""A soak: faults of all three engines come and go while clients ask, and every answer is right.

Each engine has a server, an adapter and an injector, which brings one fault after the other about
in an order from the seed. The clients write down what they are answered and when. A phase is the
time in which it is known what the answers must be; what falls between two phases is only held to
what always holds: every request is answered, /livez is well, and /healthz fails for nothing that a
restart can't cure.

    tests/soak [SECONDS] [SEED]     20 minutes, unless told; a minute is part of tests/run
"""

import contextlib
import os
import random
import signal
import threading
import time
from dataclasses import dataclass

import faults
import processes
import pytest
import servers
import sql
from adapter import ENDPOINTS
from test_verdicts import FAULTS, WELL

SECONDS = float(os.environ.get("DBHEALTH_SOAK_SECONDS", "45"))
SEED = int(os.environ.get("DBHEALTH_SOAK_SEED", random.randrange(1_000_000)))
ENGINES = ("postgres", "mariadb", "mysql")
CLIENTS = 51
PAUSE = 0.3  # Of a client between two requests.
PATIENCE = 60  # For a state to show, on a machine that does much else.
SPEED = {"DBHEALTH_CACHE": "200ms", "DBHEALTH_TIMEOUT": "2500ms", "DBHEALTH_DEADLINE": "3s"}
YOUNG = 5  # Seconds after its start in which /startupz fails of what the adapter does not know.
GROWTH_KB = 700
# Sessions are cut off without a word when these begin, or the server is down before it is well.
CUTS = ("shutting-down", "recovering", "offline-mode")

pytestmark = [
    pytest.mark.timeout(SECONDS + 300),
    pytest.mark.skipif(SECONDS == 0, reason="DBHEALTH_SOAK_SECONDS is 0"),
]


@dataclass(frozen=True)
class Answer:
    asked: float
    answered: float
    path: str
    status: object  # What went wrong, if there was none.
    body: str


@dataclass
class Phase:
    """From began to ended the endpoints must say this."""

    name: str
    statuses: tuple
    began: float
    ended: float = float("inf")

    def covers(self, answer):
        return self.began <= answer.asked and answer.answered <= self.ended


class Subject:
    """A server, its adapter, and what was injected and answered."""

    def __init__(self, engine, server, adapter, seed):
        self.engine = engine
        self.server = server
        self.adapter = adapter
        self.random = random.Random(f"{seed} {engine}")
        self.phases = []
        self.deadly = []  # (from, to): a fault that a restart can cure may show.
        self.answers = []
        self.baseline = None
        self.problem = None
        self.at_rest = threading.Event()
        self.old_at = time.monotonic() + YOUNG  # The adapter is up by now.

    # Injecting

    def run(self, faultless, unasked):
        """The injector. A server dies with the thread that started it, so this one lives until
        nobody asks any more."""
        self._inject(faultless)
        self.at_rest.set()
        unasked.wait()

    def _inject(self, over):
        """Faults, one after the other, until told; then all is well."""
        try:
            self._settle("well", WELL)
            rounds = 0
            while not over.is_set():
                for fault in self.random.sample(self._faults(), len(self._faults())):
                    if over.is_set():
                        break
                    fault()
                    self._settle("well", WELL)
                    over.wait(self.random.uniform(0.2, 1.0))
                rounds += 1
                if rounds == 1:
                    self.baseline = self._sizes()
            self._end_phase()
        except Exception as problem:  # For the main thread to tell.
            self.problem = problem

    def _faults(self):
        rows = {
            name: fault
            for name, fault in FAULTS.items()
            if self.engine in fault.codes and not (fault.options or fault.settings)
        }
        injections = [lambda n=n, f=f: self._fault(n, f) for n, f in sorted(rows.items())]
        return [*injections, self._kill_probers, self._stall_adapter]

    def _fault(self, name, fault):
        self._end_phase()
        began = time.monotonic()
        with contextlib.ExitStack() as stack:
            stack.enter_context(fault.inject(self.server))
            self._settle(name, fault.statuses)
            time.sleep(self.random.uniform(0.1, 1.5))  # The fault lasts.
            self._end_phase()
        self._await(WELL, f"it is well after {name}")
        if fault.statuses[0] != 200 or name in CUTS:
            self.deadly.append((began, time.monotonic()))

    def _kill_probers(self):
        """Our own fault: readiness may blink, nothing else."""
        self._end_phase()
        for pid in self.adapter.probers():
            processes.kill(pid)

    def _stall_adapter(self):
        """Our own lack of CPU, as far as a test can bring it about."""
        self._end_phase()
        stopped = [self.adapter.server, self.adapter.pid]
        for pid in stopped:
            processes.send(pid, signal.SIGSTOP)
        time.sleep(self.random.uniform(0.2, 1.2))
        for pid in stopped:
            processes.send(pid, signal.SIGCONT)

    def _settle(self, name, statuses):
        self._await(statuses, f"{name} shows")
        self.phases.append(Phase(name, statuses, time.monotonic()))

    def _end_phase(self):
        if self.phases:
            self.phases[-1].ended = min(self.phases[-1].ended, time.monotonic())

    def _await(self, statuses, what):
        servers.wait_until(
            lambda: self.adapter.statuses() == statuses, f"{self.engine}: {what}", PATIENCE
        )

    # Asking

    def ask(self, over, seed):
        """One client."""
        choice = random.Random(seed)
        while not over.wait(choice.uniform(0, 2 * PAUSE)):
            path = choice.choice(ENDPOINTS)
            asked = time.monotonic()
            try:
                answer = self.adapter.get(f"{path}?verbose")
                status, body = answer.status, answer.body
            except Exception as problem:
                status, body = repr(problem), ""
            self.answers.append(Answer(asked, time.monotonic(), path, status, body))

    # Judging

    def wrong(self):
        """The answers that an oracle would not have given, as text."""
        return [self._tell(answer) for answer in self.answers if not self._is_right(answer)]

    def _is_right(self, answer):
        if answer.status not in (200, 503):
            return False
        expected = self._expected(answer)
        if expected is not None:
            return answer.status == expected or self._is_our_own(answer)
        if answer.path == "/livez":
            return answer.status == 200
        deadly = any(a <= answer.answered and answer.asked <= b for a, b in self.deadly)
        return answer.status == 200 or deadly or answer.path == "/readyz"

    def _expected(self, answer):
        for phase in self.phases:
            if phase.covers(answer):
                return phase.statuses[ENDPOINTS.index(answer.path)]
        return None

    def _is_our_own(self, answer):
        """Short of CPU, the adapter says so; it fails no liveness for that."""
        if "unknown: " not in answer.body:
            return False
        fails = answer.path == "/readyz"
        if answer.path == "/startupz" and answer.asked < self.old_at:
            fails = answer.status == 503  # Either, as long as the adapter may be young.
        return fails == (answer.status == 503)

    def _tell(self, answer):
        begun = [p for p in self.phases if p.began <= answer.answered]
        now = [p.name for p in begun if answer.asked <= p.ended]
        about = now or ["after", *[p.name for p in begun][-1:]]
        took = f"{answer.answered - answer.asked:.1f} s"
        return f"{self.engine} {about}: {answer.path} {answer.status} in {took}\n{answer.body}"

    def _sizes(self):
        servers.wait_until(lambda: not processes.zombies(self.adapter.pid), "the dead are reaped")
        return self.adapter.descriptors(), self.adapter.own_memory()

    def growth(self):
        """By how many descriptors and kB the adapter grew after each fault had been once."""
        before, after = self.baseline, self._sizes()
        return after[0] - before[0], after[1] - before[1]


@pytest.fixture
def subjects(new_postgres, new_mariadb, new_mysql, adapter):
    makers = dict(zip(ENGINES, (new_postgres, new_mariadb, new_mysql)))

    def subject(engine):
        server = makers[engine](max_connections=12)
        faults.prepare(server)
        statement = sql.knob(server)  # What faults of statements work on.
        checks = {"alive": sql.alive(statement), "accepting": sql.check(statement)}
        return Subject(engine, server, adapter(server.url(), checks=checks, **SPEED), SEED)

    return [subject(engine) for engine in ENGINES]


def test_every_answer_is_right_while_faults_come_and_go(subjects, sanitized):
    print(f"seed {SEED}, {SECONDS:.0f} s")
    faultless, over, unasked = threading.Event(), threading.Event(), threading.Event()
    injectors = [threading.Thread(target=s.run, args=(faultless, unasked)) for s in subjects]
    clients = [
        threading.Thread(target=subjects[n % len(subjects)].ask, args=(over, f"{SEED} {n}"))
        for n in range(CLIENTS)
    ]
    for thread in injectors + clients:
        thread.start()
    faultless.wait(SECONDS)
    faultless.set()
    for subject in subjects:
        subject.at_rest.wait()
    over.set()
    for thread in clients:
        thread.join()
    unasked.set()
    for thread in injectors:
        thread.join()
    for subject in subjects:
        if subject.problem:
            raise subject.problem
        wrong = subject.wrong()
        first = "\n".join(wrong[:9])
        assert not wrong, f"seed {SEED}: {len(wrong)} of {len(subject.answers)}:\n{first}"
        assert len(subject.answers) > CLIENTS
        if subject.baseline:
            descriptors, kilobytes = subject.growth()
            assert descriptors <= 2, subject.engine
            assert sanitized or kilobytes < GROWTH_KB, f"{subject.engine}: {kilobytes} kB"
        print(subject.engine, len(subject.answers), "answers,", len(subject.phases), "phases")
