"""A real Prometheus and Alertmanager for tests, with the shipped configuration, and who is told."""

import json
import signal
import subprocess
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

from tests.ports import free_port
from tests.waiting import eventually

MONITORING = Path("monitoring")
SECONDS_TO_START = 30
EACH_SECOND = {
    "scrape_interval: 15s": "scrape_interval: 1s",
    "scrape_timeout: 10s": "scrape_timeout: 1s",
    "scrape_interval: 5s": "scrape_interval: 1s",
    "scrape_timeout: 5s": "scrape_timeout: 1s",
    "evaluation_interval: 5s": "evaluation_interval: 1s",
}


class Server(ThreadingHTTPServer):
    """One that does not wait for connections on which nobody asks."""

    daemon_threads = True


class Quiet(BaseHTTPRequestHandler):
    """Logs nothing: every scrape would be a line."""

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""


@contextmanager
def serving(handler: type[BaseHTTPRequestHandler]) -> Iterator[int]:
    """An HTTP server on the loopback; its port."""
    server = Server(("127.0.0.1", 0), handler)
    thread = Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@dataclass(frozen=True)
class Running:
    """A process that answers on a port of the loopback."""

    port: int
    process: subprocess.Popen[bytes]

    def freeze(self) -> None:
        """Let it stand still: its port takes connections, and nobody answers."""
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        self.process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """End it at once."""
        self.process.kill()

    def is_ready(self) -> bool:
        """Whether it says so."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/-/ready", timeout=1):
                return True
        except OSError:
            return False

    def ask(self, query: str) -> list[dict[str, str]]:
        """The labels of all that a query finds, where it is a Prometheus."""
        encoded = urllib.parse.urlencode({"query": query})
        address = f"http://127.0.0.1:{self.port}/api/v1/query?{encoded}"
        with urllib.request.urlopen(address, timeout=10) as answer:
            found: list[dict[str, Any]] = json.loads(answer.read())["data"]["result"]
        return [sample["metric"] for sample in found]


@contextmanager
def alertmanager(
    folder: Path, addresses: Mapping[str, str], changed: Mapping[str, str]
) -> Iterator[Running]:
    """An Alertmanager that tells these addresses (`slack`, `watchdog`), whatever is set.

    `changed`: what else its file says, and how.
    """
    given = {}
    for name, address in addresses.items():
        (folder / name).write_text(address)
        given[f"/run/secrets/{name}"] = str(folder / name)
    config = folder / "alertmanager.yml"
    configure(MONITORING / "alertmanager/alertmanager.yml", config, {**given, **changed})
    port = free_port()
    with _running(
        port,
        "prometheus-alertmanager",
        f"--config.file={config}",
        f"--storage.path={folder}/alertmanager",
        f"--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=",
    ) as found:
        yield found


@contextmanager
def prometheus(
    folder: Path, alertmanager_port: int, targets: Mapping[str, str]
) -> Iterator[Running]:
    """A Prometheus that does everything each second and tells this Alertmanager.

    `targets`: who of those that it scrapes is elsewhere, and where; the others are nowhere.
    """
    rules = str((MONITORING / "prometheus/rules").resolve())
    changed = {
        **EACH_SECOND,
        **targets,
        "targets: [alertmanager:9093]": f"targets: ['127.0.0.1:{alertmanager_port}']",
        "rules/*.yml": f"{rules}/*.yml",
    }
    config = folder / "prometheus.yml"
    configure(MONITORING / "prometheus/prometheus.yml", config, changed)
    port = free_port()
    with _running(
        port,
        "prometheus",
        f"--config.file={config}",
        f"--storage.tsdb.path={folder}/prometheus",
        f"--web.listen-address=127.0.0.1:{port}",
        "--rules.alert.resend-delay=1s",
    ) as found:
        yield found


@contextmanager
def _running(port: int, *command: str) -> Iterator[Running]:
    quiet = subprocess.DEVNULL
    with subprocess.Popen(command, stdout=quiet, stderr=quiet) as process:
        found = Running(port, process)
        try:
            eventually(found.is_ready, SECONDS_TO_START, f"{command[0]} on port {port}")
            yield found
        finally:
            process.kill()


def configure(source: Path, target: Path, replacements: Mapping[str, str]) -> None:
    """Write the shipped file with only what must differ here replaced."""
    text = source.read_text()
    for shipped, here in replacements.items():
        assert shipped in text, f"{source} no longer holds {shipped!r}"
        text = text.replace(shipped, here)
    target.write_text(text)
