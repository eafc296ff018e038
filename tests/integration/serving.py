"""Real slots and a real Nginx for tests: processes on free ports, with their files in a folder."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType

from compose.service import assignment
from tests.ports import free_port
from tests.stores import service_environment
from tests.waiting import eventually

ROOT = Path(__file__).resolve().parents[2]
WITHIN_SECONDS = 20.0
NO_DATABASE = "host=127.0.0.1 port=1 dbname=none user=none password=none"


def get(port: int, path: str, **headers: str) -> tuple[int, str]:
    """Status and body of one GET on a connection of its own; no retries."""
    status, _headers, body = ask(port, path, headers=headers)
    return status, body


def ask(
    port: int,
    path: str,
    method: str = "GET",
    headers: Mapping[str, str] = MappingProxyType({}),
    source: str = "127.0.0.1",
) -> tuple[int, dict[str, str], str]:
    """Status, headers and body of one request, from an address of the loopback; no retries."""
    connection = http.client.HTTPConnection("127.0.0.1", port, 60, source_address=(source, 0))
    try:
        connection.request(method, path, headers=dict(headers))
        response = connection.getresponse()
        return response.status, dict(response.getheaders()), response.read().decode()
    finally:
        connection.close()


@dataclass
class RunningSlot:
    """A slot's process group and where it listens."""

    name: str
    port: int
    state: Path
    process: subprocess.Popen[bytes]

    def assign(self, version: str) -> None:
        """Tell the slot which model to answer with, as a release does."""
        assign(self.state, self.name, version)

    def readiness(self) -> dict[str, object]:
        """What /readyz says; nothing while nobody listens."""
        try:
            return dict(json.loads(get(self.port, "/readyz")[1]))
        except OSError:
            return {}

    def answers_with(self, version: str) -> bool:
        """Whether it is ready with this model."""
        return self.readiness().get("model_version") == version

    def freeze(self) -> None:
        """SIGSTOP all of it, and wait until nothing of it runs."""
        os.killpg(self.process.pid, signal.SIGSTOP)
        eventually(lambda: set(_states_of_group(self.process.pid)) == {"T"})

    def thaw(self) -> None:
        """Let it go on."""
        os.killpg(self.process.pid, signal.SIGCONT)

    def stop(self) -> None:
        """Tell it to stop, as an engine does; it must have ended cleanly after 10 s."""
        self.process.terminate()
        assert self.process.wait(timeout=10) == 0

    def kill(self) -> None:
        """SIGKILL all of it at once, as an engine does with a container."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


def assign(state: Path, slot: str, version: str) -> None:
    """Write the file that names a slot's model."""
    assignment.assign(assignment.assignment_file(state, slot), version, datetime.now(UTC))


def _states_of_group(group: int) -> Iterator[str]:
    """The state letter of each process of a group, from /proc."""
    for status in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            state, _parent, its_group = status.read_text().rpartition(")")[2].split()[:3]
            if int(its_group) == group:
                yield state


class Slots:
    """Starts slots that share the models and state folders and one database, if there is one."""

    def __init__(self, folder: Path, conninfo: str = NO_DATABASE, topic: str = "movielog") -> None:
        self.models = folder / "models"
        self.state = folder / "state"
        self.receipts = folder / "receipts"
        self._who = service_environment(conninfo, folder)
        self._topic = topic
        self.running: list[RunningSlot] = []

    def start(self, name: str, version: str | None = None, port: int | None = None) -> RunningSlot:
        """Start a slot, and wait until it answers with `version` if one is given."""
        port = port or free_port()
        process = subprocess.Popen(
            [sys.executable, "-m", "recommender", "serve"],
            cwd=ROOT,
            env={**os.environ, **self._environment(name, port)},
            start_new_session=True,
        )
        slot = RunningSlot(name, port, self.state, process)
        self.running.append(slot)
        if version:
            slot.assign(version)
            eventually(lambda: slot.answers_with(version))
        return slot

    def explain(self, receipt_id: str) -> subprocess.CompletedProcess[str]:
        """Run `explain` as in a slot's container."""
        return subprocess.run(
            [sys.executable, "-m", "recommender", "explain", receipt_id],
            cwd=ROOT,
            env={**os.environ, **self._environment("blue", 0)},
            capture_output=True,
            text=True,
            check=False,
        )

    def _environment(self, name: str, port: int) -> dict[str, str]:
        return {
            "OPENBLAS_NUM_THREADS": "1",
            "SLOT": name,
            "PORT": str(port),
            "MODELS_DIR": str(self.models),
            "STATE_DIR": str(self.state),
            "RECEIPTS_DIR": str(self.receipts / name),
            **self._who,
            "KAFKA_TOPIC": self._topic,
        }

    def end(self) -> None:
        """Kill whatever still runs."""
        for slot in self.running:
            if slot.process.poll() is None:
                slot.kill()


@dataclass(frozen=True)
class RunningNginx:
    """An Nginx with the product's configuration, but for its port, its slots and its folders."""

    port: int
    access_log: Path
    process: subprocess.Popen[bytes]
    mtail: int
    """Where it tells of its own answers; nobody listens there unless a test does."""

    def requests(self) -> list[dict[str, object]]:
        """What it logged; all of it once the process has ended."""
        return [json.loads(line) for line in self.access_log.read_text().splitlines()]


@contextmanager
def nginx(
    folder: Path,
    state: Path,
    blue: int,
    green: int,
    changed: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[RunningNginx]:
    """Run Nginx in front of slots on these ports; `changed`: what else its files say, and how."""
    mtail = free_port()
    configuration = folder / "nginx"
    access_log = folder / "access.log"
    replacements = {
        "/tmp/": f"{folder}/",  # noqa: S108 -- the text that is replaced
        "listen 8082": f"listen 127.0.0.1:{free_port()}",
        "listen 8083": f"listen 127.0.0.1:{free_port()}",
        "listen 8084": f"listen 127.0.0.1:{free_port()}",
        "mtail:5514": f"127.0.0.1:{mtail}",
        "/var/lib/marquee/page": str(folder / "page"),
        "/var/lib/marquee/models": str(folder / "models"),
        "slot-blue:8000": f"127.0.0.1:{blue}",
        "slot-green:8000": f"127.0.0.1:{green}",
        "/var/lib/marquee/state": str(state),
        "/dev/stdout": str(access_log),
        **changed,
    }
    port = int(replacements["listen 8082"].rpartition(":")[2])
    _write_configuration(configuration, replacements)
    command = ["/usr/sbin/nginx", "-e", "stderr", "-c", str(configuration / "nginx.conf")]
    process = subprocess.Popen([*command, "-g", "daemon off; user root;"])
    try:
        eventually(lambda: _listens(port))
        yield RunningNginx(port, access_log, process, mtail)
    finally:
        process.send_signal(signal.SIGQUIT)
        process.wait(timeout=10)


def _write_configuration(target: Path, replacements: dict[str, str]) -> None:
    target.mkdir()
    for file in (ROOT / "nginx").glob("*.conf"):
        text = file.read_text()
        for old, new in replacements.items():
            text = text.replace(old, new)
        (target / file.name).write_text(text)


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
