"""Documents that no adapter has sent: any state, and an hour of a server's life."""

import datetime
import random

NOW = datetime.datetime(2026, 3, 14, 15, 9, 26, 535000, datetime.timezone.utc)
STATUSES = {"unknown": "warn", "skipped": "pass"}
OUTCOMES = {"pass": "ok", "warn": "ok", "fail": "failed"}  # Else that of the verdict's name.


def ago(**length):
    then = (NOW - datetime.timedelta(**length)).isoformat(timespec="milliseconds")
    return then.replace("+00:00", "Z")


def limit(effect, comparison, value):
    return {"effect": effect, "comparison": comparison, "value": value}


def value(name, seen, *limits):
    unit = next((unit for unit in ("seconds", "bytes", "ratio") if name.endswith(unit)), None)
    told = {"name": name, "observedValue": seen, "observedUnit": unit, "limits": list(limits)}
    return {key: part for key, part in told.items() if part not in (None, [])}


def row(verdict, labels, *values):
    """One of a check that looks at each; labels by their names."""
    named = [{"name": name, "value": label} for name, label in labels.items()]
    return {"verdict": verdict, "labels": named, "values": list(values)}


def history(runs, took):
    """runs are pairs of a verdict, None if there was no result, and how many minutes, the oldest
    first; a result each minute."""
    chance = random.Random(took)
    told = {"results": [], "minutes": []}
    left = 60
    for verdict, count in runs:
        start = ago(minutes=left)
        left -= count
        told["minutes"].append({"start": start, "minutes": count, "verdict": verdict})
        if verdict:
            told["results"].append(
                {
                    "verdict": verdict,
                    "outcome": OUTCOMES.get(verdict, verdict),
                    "count": count,
                    "first": start,
                    "latest": ago(minutes=left + 1),
                    "durationsSeconds": [
                        round(took * chance.lognormvariate(0, 0.25), 6) for _ in range(count)
                    ],
                }
            )
    assert left == 0, "an hour has 60 minutes"
    return told


def check(
    endpoints="readyz", description=None, *, verdict="pass", runs=None, took=0.003, **members
):
    """A check with this verdict, since the last of the runs. A member that is None is left out."""
    runs = runs or [(verdict, 60)]
    told = {
        "componentType": "datastore",
        "description": description,
        "endpoints": endpoints.split(),
        "status": STATUSES.get(verdict, verdict),
        "verdict": verdict,
        "since": ago(minutes=runs[-1][1] if len(runs) > 1 else 300),
        "changed": len(runs) > 1,
        "outcome": OUTCOMES.get(verdict, verdict),
        "sentence": "the server answered",
        "time": ago(seconds=1),
        "ageSeconds": 1,
        "durationSeconds": took,
        "nextRun": ago(seconds=-1),
        "prober": "main",
        "timeoutSeconds": 0.8,
        "cacheSeconds": 2,
        "values": [],
        "history": history(runs, took),
        **members,
    }
    return {key: part for key, part in told.items() if part is not None}


def verdict_of(checks, endpoint, draining):
    """As document.c has it."""
    verdicts = {told["verdict"] for told in checks.values() if endpoint in told["endpoints"]}
    drains = draining and endpoint not in ("healthz", "startupz")
    order = ("fail", "unknown", "warn", "pass")
    worst = next((verdict for verdict in order if verdict in verdicts), "skipped")
    if worst == "skipped" and endpoint in ("healthz", "startupz"):
        return "pass"
    return "fail" if drains else worst


def path(endpoint, verdict):
    passing = ("pass", "warn", *(["unknown"] if endpoint in ("healthz", "startupz") else []))
    return {"verdict": verdict, "httpStatus": 200 if verdict in passing else 503}


def prober(status="pass", logins=9000):
    output = {"pass": {}}.get(status, {"output": "it is not well"})
    return {"status": status, **output, "logins": logins, "starts": 1, "kills": 0, "crashes": 0}


def document(checks, *, draining=False, wrong=None, probers=None, server=None):
    """That of /status?history, of checks by name."""
    own = [name for told in checks.values() for name in told["endpoints"]]
    names = dict.fromkeys(["healthz", "startupz", "readyz", *own])
    paths = {name: path(name, verdict_of(checks, name, draining)) for name in names}
    passing = {
        name: "pass" if told["httpStatus"] == 200 else "fail" for name, told in paths.items()
    }
    postgres = {"engine": "postgres", "flavor": "postgres", "version": "17.6", "roles": ["primary"]}
    return {
        "status": passing["readyz"],
        "releaseId": "0.1.0",
        "description": "status",
        "time": ago(),
        "server": server or postgres,
        "adapter": {
            "version": "0.1.0",
            "since": ago(hours=5),
            "draining": draining,
            "deadlineSeconds": 0.9,
            "sandbox": {"seccomp": "on", "landlock": "on: files"},
            "probers": probers or {"main": prober(), "liveness": prober(), "background": prober()},
        },
        "configuration": {
            "status": "warn" if wrong else "pass",
            **({"output": wrong} if wrong else {}),
            "time": ago(hours=2),
            "mistakes": 1 if wrong else 0,
            "reloads": 1,
            "refusedReloads": 0,
        },
        "endpoints": passing,
        "paths": {f"/{name}": told for name, told in paths.items()},
        "checks": {name: [told] for name, told in checks.items()},
    }


def an_hour():
    """A primary with a standby that has fallen behind, and connections that run short."""
    skipped = {"verdict": "skipped", "sentence": "not meant for this server", "took": 0.0008}
    checks = {
        "accepting": check(
            description="The server lets the probe user in and runs its queries.", took=0.006
        ),
        "alive": check(
            "healthz startupz",
            "The server answers. Whatever it answers counts, for a restart would not change it.",
            took=0.005,
        ),
        "archiving": check("capacity", "WAL gets into the archive.", **skipped),
        "connections": check(
            "capacity",
            "Ordinary users still find free connections.",
            verdict="warn",
            runs=[("pass", 22), ("warn", 6), ("pass", 9), ("fail", 3), ("warn", 20)],
            reason="used_ratio 0.871 > 0.8",
            values=[
                value("used_ratio", 0.871, limit("fail", ">", 0.95), limit("warn", ">", 0.8)),
                value("used_connections", 87),
                value("usable_connections", 100),
            ],
            took=0.004,
        ),
        "lock-waits": check(
            "capacity",
            "No session waits long for a lock, and not many do.",
            runs=[("pass", 41), ("warn", 2), ("pass", 17)],
            values=[
                value("longest_wait_seconds", 2, limit("fail", ">", 300), limit("warn", ">", 30)),
                value("waiting_sessions", 1, limit("warn", ">", 10)),
            ],
            took=0.0031,
        ),
        "oldest-transaction": check(
            "capacity",
            "No transaction is open for so long that it keeps vacuum from its work.",
            values=[
                value(
                    "oldest_transaction_seconds",
                    1260,
                    limit("fail", ">", 21600),
                    limit("warn", ">", 3600),
                ),
                value("held_back_transactions", 48211, limit("warn", ">", 100000000)),
            ],
            took=0.0023,
        ),
        "primary": check(
            "primary", "This server believes that it is the primary, and takes writes.", took=0.0029
        ),
        "replica": check(
            "replica",
            "This standby streams, and what it shows is at most max_lag_seconds old.",
            **skipped,
        ),
        "slots": check(
            "capacity",
            "No replication slot holds back much WAL, and none is lost.",
            values=[
                value(
                    "retained_bytes",
                    1503238553,
                    limit("fail", ">", 10737418240),
                    limit("warn", ">", 2147483648),
                ),
                value("lost_slots", 0, limit("fail", ">", 0)),
            ],
            took=0.0011,
        ),
        "standbys": check(
            "capacity",
            "The standbys of this server are there and follow closely.",
            verdict="fail",
            runs=[("pass", 43), ("warn", 9), ("fail", 8)],
            sentence="a rule of the check holds",
            advice="look at the check's file and the values it saw",
            reason="lag_seconds 348.2 > 300",
            values=[
                value("standbys", 2, limit("fail", "<", 1)),
                value("lag_seconds", 348.2, limit("fail", ">", 300), limit("warn", ">", 30)),
            ],
            took=0.0019,
        ),
        "wraparound": check(
            "capacity",
            "Vacuum keeps transaction ids from running out.",
            values=[
                value(
                    "transaction_ids_used_ratio",
                    0.0834,
                    limit("fail", ">", 0.8),
                    limit("warn", ">", 0.5),
                )
            ],
            took=0.0004,
        ),
    }
    return document(checks)
