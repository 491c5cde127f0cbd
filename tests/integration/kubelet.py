"""The kubelet's HTTP probe, imitated: what pkg/probe/http does with a connection, and when.

    probe(port, "/readyz")  # SUCCESS, FAILURE or LATE

One connection a probe, one second for all of it, at most 10 KiB of the body; then it closes,
whatever else there may be. An answer whose body stalls it takes for neither success nor failure, so
one whose head comes without its body fails the test."""

import socket
import time
from concurrent.futures import ThreadPoolExecutor

from raw_http import kubelet

SUCCESS, FAILURE, LATE = "success", "failure", "late"
PATIENCE = 1.0  # Seconds: the default of a probe's timeoutSeconds.
BODY_MOST = 10 * 1024
PIECE = 1 << 20


def probe(port, path):
    """What it takes the endpoint for."""
    deadline = time.monotonic() + PATIENCE
    try:
        with socket.create_connection(("127.0.0.1", port), PATIENCE) as client:
            client.sendall(kubelet(path))
            client.settimeout(max(deadline - time.monotonic(), 0.001))
            received = client.recv(PIECE)
    except TimeoutError:
        return LATE
    return SUCCESS if 200 <= status_of_whole(received, path) < 400 else FAILURE


def probe_all(port, paths):
    """Probes all at once, as it does with the containers of its machine: a result each."""
    with ThreadPoolExecutor(len(paths)) as threads:
        return dict(zip(paths, threads.map(lambda path: probe(port, path), paths)))


def status_of_whole(received, path):
    """The status of an answer of which all that it reads must be there."""
    head, end, body = received.partition(b"\r\n\r\n")
    assert end, f"{path}: a piece of a head: {received!r}"
    lines = head.decode().lower().split("\r\n")
    [length] = [int(line.partition(":")[2]) for line in lines if line.startswith("content-length:")]
    assert "connection: close" in lines, head
    assert len(body) >= min(length, BODY_MOST), f"{path}: {len(body)} of {length} bytes came"
    assert lines[0].startswith("http/1.1 "), head
    return int(lines[0].split()[1])
