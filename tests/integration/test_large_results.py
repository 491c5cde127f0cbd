"""A check whose query gives more than anyone wants is the check's mistake: not ready, never dead,
and it costs the adapter a bounded amount of memory."""

import cgroups
import pytest
import sql

CONTAINER = 32 << 20  # As in k8s/base.
LARGE = "SELECT REPEAT('x', 3000000)"  # As much as a prober has room for.
HUGE = "SELECT REPEAT('x', 40000000)"  # More than fits into the container.


def test_a_large_result_is_not_the_servers_fault(adapter, server, generous):
    """Even if the check tolerates nothing. The rest of its batch gets a connection of its own."""
    checks = {
        "alive": sql.check(HUGE, endpoints="healthz"),
        "accepting": sql.check(HUGE),
        "later": sql.check(),
    }
    a = adapter(server.url(), checks=checks, DBHEALTH_CACHE="0s")
    for _ in range(3):
        assert a.status_of("/healthz") == 200
        shown = a.shown("/readyz")
        assert (shown["accepting"].fails, shown["accepting"].code) == (True, "too_large")
        assert shown["later"].verdict == "ok"
    for check in ("alive", "accepting"):
        [line] = a.transitions(check)
        assert (line["to"], line["outcome"], line["stage"]) == ("unknown", "too_large", "run")
    assert not a.messages("prober failed")


def test_a_large_result_is_an_answer(adapter, postgres):
    """Its check is run no more often than another, so nobody can have it run again and again."""
    counted = sql.Counter(postgres)
    with counted:
        huge = f"SELECT REPEAT('x', 2000000), ({counted.taking()})"
        check = sql.check(huge, writes="yes", cache="1h")
        a = adapter(postgres.url(), checks={"huge": check}, DBHEALTH_CACHE="0s")
        for _ in range(3):
            assert a.shown("/readyz")["huge"].code == "too_large"
        assert counted.value() == 1


def test_large_results_fit_into_a_small_container(small_container, adapter, server, generous):
    """Three probers at once, where a process too large would take all of them with it."""
    checks = {
        "alive": sql.alive(HUGE),
        "accepting": sql.check(LARGE),
        "seldom": sql.check(LARGE, prober="background"),
    }
    a = adapter(server.url(), checks=checks, preexec=small_container.join, DBHEALTH_CACHE="0s")
    for _ in range(5):
        waiting = [a.get_later(path) for path in ("/healthz", "/readyz")]
        assert [answer().status for answer in waiting] == [200, 503]
    assert {line.code for line in a.shown("/readyz").values()} == {"too_large"}
    print(f"at most {small_container.most_memory() / 1e6:.1f} MB")
    assert small_container.killed() == 0


@pytest.fixture
def small_container(sanitized):
    if sanitized:
        pytest.skip("a sanitized program needs more")
    try:
        with cgroups.Cgroup(memory=CONTAINER) as group:
            yield group
    except cgroups.Unavailable as reason:
        pytest.skip(str(reason))
