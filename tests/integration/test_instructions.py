"""What a cached answer costs, in instructions of our program and its libraries: a number that no
busy machine moves, so that a regression shows here without a clock. tests/bench measures time."""

import re

import pytest
from raw_http import connect, exchange, kubelet, read_answer
from servers import wait_until

REQUESTS = 400
KEPT = b"GET /readyz HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: a\r\nAccept: */*\r\n\r\n"
# A quarter above what it took when last measured. Lower them when it gets cheaper.
MOST = {"kept connection": 25_500, "connection per request": 19_500}


def ask_kept(port):
    with connect(port) as client:
        for _ in range(REQUESTS):
            client.sendall(KEPT)
            assert read_answer(client).status == 200


def ask_fresh(port):
    for _ in range(REQUESTS):
        assert b"200 OK" in exchange(port, kubelet("/readyz"))


def test_instructions_of_a_cached_answer(start_adapter, postgres, sanitized, tmp_path):
    """The difference between runs that differ in nothing but the requests."""
    if sanitized:
        pytest.skip("a sanitizer's instructions are not the program's")
    loads = {"once": [ask_kept], "kept": [ask_kept, ask_kept], "fresh": [ask_kept, ask_fresh]}
    adapters = {name: counted(start_adapter, postgres, tmp_path / name) for name in loads}
    for name, adapter in adapters.items():
        adapter.wait_serving().wait_status("/readyz", 200)
        for ask in loads[name]:
            ask(adapter.port)
        adapter.end()
    count = {name: instructions(tmp_path / name) for name in loads}
    cost = {
        "kept connection": (count["kept"] - count["once"]) // REQUESTS,
        "connection per request": (count["fresh"] - count["once"]) // REQUESTS,
    }
    print(cost)
    assert all(cost[mode] <= most for mode, most in MOST.items()), cost


def counted(start_adapter, postgres, file):
    command = ("valgrind", "--quiet", "--tool=callgrind", f"--callgrind-out-file={file}")
    return start_adapter(postgres.url(), under=command, DBHEALTH_CACHE="1h")


def instructions(file):
    """How many callgrind counted in all."""
    wait_until(file.exists, "callgrind writes its counts")
    return int(re.search(r"^totals: (\d+)", file.read_text(), re.MULTILINE)[1])
