"""A server that never stops talking: the prober may never come to an end, which is for dbhealthd to
see to, but it does not grow without limit."""

import dialogues
import pytest

KINDS = ("trust", "scram-tls", "native", "sha2-tls")
LIMIT = 9 * 1024  # KiB: what a prober may have, and what the kernel counts beside it.
PATIENCE = 0.7  # Seconds, in which an unbounded prober has far more.
ENDED = ("server_error", "too_large", "tls", "ok")


@pytest.mark.parametrize("name", KINDS)
def test_floods(start, sanitized, name):
    with dialogues.Dialogue(name) as server:
        scheme = server.kind.scheme
        for stage in server.kind.stages():
            prober = start(scheme, server.url())
            prober.opened().peak()
            before = prober.peak()
            server.misdeed = (stage, "flood")
            outcome = prober.outcome(PATIENCE)
            grown = prober.peak() - before
            server.misdeed = None
            print(f"{name} {stage}: {outcome}, {grown} KiB")
            assert outcome in (*ENDED, None), stage
            assert sanitized or grown < LIMIT, stage
            prober.kill()
