"""How long a rollback takes: from the command to the last answer of the version that was left."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from psycopg.conninfo import conninfo_to_dict

from ci.worker import QUEUE, register
from compose.service.jobs import job_app, work
from tests.benchmarks.release_swaps import Swap, asked
from tests.benchmarks.report import Figures
from tests.end_to_end.load import MOVIES_IN_A_LIST
from tests.integration.real_releases import SPAWN, LocalSettings, RealStage
from tests.integration.serving import ROOT
from tests.stores import service_environment
from tests.waiting import eventually

JSON = {"Accept": "application/json"}


@dataclass
class LastAnswers:
    """When each version answered last; it accepts whole lists, as `Load.accepts`."""

    at: dict[str, float] = field(default_factory=dict)

    def __call__(self, body: bytes) -> bool:
        """Note whose list it is."""
        told = json.loads(body)
        self.at[str(told["model_version"])] = time.monotonic()
        return len(told["movies"]) == MOVIES_IN_A_LIST


def rollbacks(stage: RealStage, swap: Swap, rate: float, times: int, folder: Path) -> Figures:
    """Rollbacks by the command and the releaser's own queue, the left slot still loaded."""
    seconds, failed = [], 0
    for _ in range(times):
        last = LastAnswers()
        with asked(stage.port, rate, last, JSON) as answered, working(stage, folder):
            swap()
            left = str(stage.live())
            began = time.monotonic()
            ask_for_rollback(stage, folder)
        assert stage.live() != left
        seconds.append(last.at[left] - began)
        failed += answered.failed
    return {"rollback_s": (max(seconds), "s"), "rollback_failed": (failed, "")}


def ask_for_rollback(stage: RealStage, folder: Path) -> None:
    """What `make rollback` runs in the releaser's container."""
    subprocess.run(
        [sys.executable, "-m", "ci", "rollback"],
        cwd=ROOT,
        env={**os.environ, **service_environment(stage.conninfo, folder)},
        check=True,
        stdout=subprocess.DEVNULL,
    )


@contextmanager
def working(stage: RealStage, folder: Path) -> Iterator[None]:
    """A releaser that waits for work, in a process of its own."""
    where = conninfo_to_dict(stage.conninfo)
    service_environment(stage.conninfo, folder)
    settings = stage.settings.model_copy(
        update={
            "database_host": where["host"],
            "database_port": int(str(where["port"])),
            "database_name": where["dbname"],
            "heartbeat_file": folder / "heartbeat",
            "schedule": "jenkins",  # nothing by itself
        }
    )
    releaser = SPAWN.Process(target=_work, args=(settings,))
    releaser.start()
    try:
        with psycopg.connect(stage.conninfo, autocommit=True) as connection:
            eventually(lambda: _listens(connection), 60, "a releaser that waits for work")
        yield
    finally:
        releaser.terminate()
        releaser.join()


def _listens(connection: psycopg.Connection) -> bool:
    row = connection.execute("SELECT EXISTS (SELECT FROM procrastinate_workers)").fetchone()
    return row == (True,)


def _work(settings: LocalSettings) -> None:
    app = job_app(settings.conninfo())
    register(app, settings)
    work(app, QUEUE, settings.heartbeat_file)
