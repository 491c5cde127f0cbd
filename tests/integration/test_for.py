"""Rules that end in `for`: a warning until the rule has held for so long, on every surface; then a
failure. test_streaks.c has the rest."""

import faults
import sql
from exposition import Metrics
from health import parse_document
from program import Program
from servers import wait_until
from test_reload import reload

LAG = "SELECT lag FROM app.lag"
PENDING = "lag 45 > 30 for "
# Each result is a new one, with no wait for a cache to be over.
KEYS = {"endpoints": "replica", "cache": "0s"}


def lasting(length, **keys):
    return sql.check(LAG, param="most = 30", fail=f"lag > $most for {length}", **{**KEYS, **keys})


def told(adapter, name, query=""):
    """What JSON has of the check, and its limit."""
    body = adapter.get(f"/replica{query}", Accept="application/health+json").body
    [check] = parse_document(body)["checks"][name]
    [value] = [value for value in check["values"] if value["name"] == "lag"]
    return check, value["limits"][0]


def held(adapter, name):
    return told(adapter, name)[1].get("heldSeconds")


def test_it_warns_until_it_has_held_for_so_long_and_goes_on_through_a_reload(
    adapter, mariadb, build_dir
):
    checks = {"soon": lasting("1s"), "late": lasting("24h")}
    table = "CREATE TABLE app.lag AS SELECT 45 AS lag"
    back = ("REVOKE SELECT ON app.lag FROM probe@'%'", "DROP TABLE app.lag")
    with faults.changed(mariadb, table, *back):
        mariadb.sql("GRANT SELECT ON app.lag TO probe@'%'")
        a = adapter(mariadb.url(), checks=checks)
        a.wait_status("/replica", 503)
        line = a.shown("/replica")
        assert line["soon"].verdict == "failed" and line["soon"].detail.startswith(PENDING)
        assert " of " not in line["soon"].detail
        assert line["late"].verdict == "warn" and line["late"].detail.endswith(" of 86400 s")
        changes = [(change["from"], change["to"]) for change in a.transitions("soon")]
        assert changes == [("unknown", "warn"), ("warn", "fail")]
        assert a.transitions("soon")[0]["reason"] == f"{PENDING}0 s of 1 s"
        assert Metrics(a.get("/metrics").body).value(
            "dbhealthd_check_verdict", check="late", verdict="warn"
        )
        assert "fails &gt; 30 for 24h" in a.get("/", Accept="text/html").body

        wait_until(lambda: held(a, "late") > 1, "it has held for a second")
        before = held(a, "late")
        reload(a, late=lasting("24h", description="New, the rule apart."))
        check, limit = told(a, "late")
        assert check["description"] == "New, the rule apart."
        assert limit["forSeconds"] == 86400 and limit["heldSeconds"] >= before
        # A value of the request's own has no past.
        assert a.status_of("/replica/late?most=40") == 503
        assert "forSeconds" not in told(a, "late", "?most=40")[1]

        ended = Program(build_dir).run("check", "--checks", a.checks, DATABASE_URL=mariadb.url())
        assert ended.row("soon") == ("warn", f"{PENDING}0 s of 1 s")
        assert ended.status == 0

        mariadb.sql("UPDATE app.lag SET lag = 30")
        assert a.status_of("/replica") == 200
        assert held(a, "soon") is None
