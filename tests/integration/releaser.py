"""The releaser as a process, asked by commands; its slots are played."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from urllib.request import urlopen

import psycopg
import pytest

from ci.slots.state import Slot
from compose.service.assignment import assignment_file, read_assignment
from tests.integration.releasing import V1, V2, answering
from tests.ports import free_port
from tests.stores import service_environment

ACCEPTED = (
    "INSERT INTO model_version (version, algorithm, git_commit, data_hash, interactions,"
    " users, movies, figures, manifest, verdict, reason)"
    " VALUES (%s, 'ease', 'c', 'd', 1, 1, 1, '{}', '{}', 'accepted', 'better')"
)


def obedient_slots(state: Path) -> AbstractContextManager[str]:
    """Slots that are ready at once with whatever their file on the volume says.

    Their metrics are the file `metrics` there; without it they have none.
    """

    def metrics() -> bytes:
        file = state / "metrics"
        return file.read_bytes() if file.exists() else b""

    def answer(slot: str, page: str) -> tuple[int, bytes]:
        told = read_assignment(assignment_file(state, Slot(slot)))
        beside = told.interleaved.version if told and told.interleaved else None
        said = {"slot": slot, "ready": told is not None, "interleaved_with": beside}
        text = json.dumps(said | {"model_version": told.version if told else None})
        return 200, metrics() if page == "metrics" else text.encode()

    return answering(answer)


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    output, _ = process.communicate(timeout=100)
    return process.returncode, output


@dataclass
class Releaser:
    """Starts `python -m ci …` with one environment."""

    environment: dict[str, str]
    owner: psycopg.Connection
    state: Path
    log: Path

    @contextmanager
    def working(self, **settings: str) -> Iterator[subprocess.Popen[str]]:
        with self.log.open("w") as log:
            process = self.start("work", stdout=log, **settings)
        try:
            yield process
        finally:
            process.kill()
            process.wait()

    def start(
        self, *arguments: str, stdout: int | IO[str] = subprocess.PIPE, **settings: str
    ) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "ci", *arguments],
            env=self.environment | settings,
            stdout=stdout,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def ask(self, *arguments: str, **settings: str) -> tuple[int, str]:
        """Ask for something and wait for its end; the exit status and what was printed."""
        process = self.start(*arguments, **settings)
        try:
            return ended(process)
        except subprocess.TimeoutExpired:
            process.kill()
            pytest.fail(
                f"not ended: {process.communicate()[0]}; the worker: {self.log.read_text()}"
            )

    def last_step(self) -> tuple[str, str] | None:
        return self.owner.execute(
            "SELECT step, reason FROM deployment ORDER BY step_id DESC LIMIT 1"
        ).fetchone()

    def shifted(self) -> bool:
        return (self.last_step() or ("", ""))[0] == "shift"

    def waiting(self, task: str) -> bool:
        """Whether a job of this task waits."""
        waiting = "SELECT FROM procrastinate_jobs WHERE task_name = %s AND status = 'todo'"
        return self.owner.execute(waiting, (task,)).fetchone() is not None

    def metrics(self) -> str:
        with urlopen(f"http://127.0.0.1:{self.environment['METRICS_PORT']}/metrics") as answer:
            return answer.read().decode()


@pytest.fixture
def releaser(conninfo, tmp_path) -> Iterator[Releaser]:
    for version in (V1, V2):
        directory = tmp_path / "models/versions" / version
        directory.mkdir(parents=True)
        (directory / "popular.txt").write_text("heat+1995\n")
    with (
        obedient_slots(tmp_path / "state") as url,
        psycopg.connect(conninfo("marquee"), autocommit=True) as owner,
    ):
        owner.cursor().executemany(ACCEPTED, [(V1,), (V2,)])
        environment = os.environ | {
            **service_environment(conninfo("releaser"), tmp_path),
            "HEARTBEAT_FILE": str(tmp_path / "heartbeat"),
            "METRICS_PORT": str(free_port()),
            "STATE_DIRECTORY": str(tmp_path / "state"),
            "MODELS_DIRECTORY": str(tmp_path / "models"),
            "SLOT_URL": url,
            "RELEASE_STEPS": "10,1000",
            "RELEASE_WATCH_SECONDS": "0.2",
            "EVALUATION_HORIZON": "PT0.2S",
            "RELEASE_PATIENCE": "PT0.4S",
            "SCHEDULE": "jenkins",
            "RELEASE_CRON": "",
        }
        yield Releaser(environment, owner, tmp_path / "state", tmp_path / "worker.log")
