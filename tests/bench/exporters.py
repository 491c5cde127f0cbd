"""Debian's Prometheus exporters for the shared servers: each is a Subject in a block, to scrape."""

import contextlib
import urllib.request

import yaml
from servers import PASSWORDS, wait_until

LISTEN = "--web.listen-address=127.0.0.1:{port}"
QUERY = {
    "name": "accepting",
    "help": "As the adapter's check.",
    "values": ["one"],
    "query": "SELECT 1 AS one",
}


def scrape(program):
    """One scrape; its text."""
    url = f"http://127.0.0.1:{program.port}{program.path}"
    with urllib.request.urlopen(url, timeout=30) as answer:
        return answer.read().decode()


@contextlib.contextmanager
def _exporter(bench, name, command, path, sign, **environment):
    """sign is in a scrape's text once it sees the server."""
    program = f"/usr/bin/prometheus-{name.replace('_', '-')}"
    with bench.program(name, [program, *command], environment=environment) as exporter:
        exporter.path = path
        wait_until(lambda: sign in scrape(exporter), f"{name} sees the server")
        yield exporter


def postgres_exporter(bench):
    source = bench.server("postgres").url(sslmode="disable").replace("postgres:", "postgresql:")
    return _exporter(
        bench, "postgres_exporter", [LISTEN], "/metrics", "pg_up 1", DATA_SOURCE_NAME=source
    )


def mysqld_exporter(bench):
    server = bench.server("mariadb")
    login = {
        "user": "probe",
        "password": PASSWORDS["probe"],
        "host": server.host,
        "port": server.port,
    }
    config = bench.folder("mysqld_exporter")
    config.write_text("\n".join(["[client]", *(f"{key}={login[key]}" for key in login)]))
    words = [f"--config.my-cnf={config}", LISTEN]
    return _exporter(bench, "mysqld_exporter", words, "/metrics", "mysql_up 1")


def sql_exporter(bench):
    """It asks in the background, each second here, and a scrape shows what it has."""
    config = bench.folder("sql_exporter")
    job = {
        "name": "bench",
        "interval": "1s",
        "connections": [bench.server("postgres").url(sslmode="disable")],
        "queries": [QUERY],
    }
    config.write_text(yaml.safe_dump({"jobs": [job]}))
    words = [f"-config.file={config}", "-web.listen-address=127.0.0.1:{port}"]
    return _exporter(bench, "sql_exporter", words, "/metrics", "sql_accepting")


def blackbox_exporter(bench):
    """It connects to the database's port and knows no more of it."""
    server = bench.server("postgres")
    config = bench.folder("blackbox_exporter")
    config.write_text(yaml.safe_dump({"modules": {"tcp": {"prober": "tcp"}}}))
    path = f"/probe?module=tcp&target={server.host}:{server.port}"
    words = [f"--config.file={config}", LISTEN]
    return _exporter(bench, "blackbox_exporter", words, path, "probe_success 1")


ALL = {
    "postgres_exporter": postgres_exporter,
    "sql_exporter": sql_exporter,
    "blackbox_exporter": blackbox_exporter,
    "mysqld_exporter": mysqld_exporter,
}
