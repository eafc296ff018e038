"""Releases with nothing played: real slots, a real Nginx, a real database, a releaser to kill."""

import multiprocessing
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from multiprocessing.process import BaseProcess
from pathlib import Path

import psycopg

from ci.release import records
from ci.release.environment import Environment
from ci.release.recovery import Recovered, recover
from ci.release.rollout import release, rollback
from ci.release.slots import slot_client
from ci.settings import Settings
from ci.slots.state import Slot
from tests.integration.serving import RunningNginx, Slots, nginx
from tests.unit.recommender.versions import publish
from tests.waiting import eventually

USERS = range(1, 201)
VERSIONS = tuple(f"2026010{day}-000000-ease" for day in (1, 2, 3))
SPAWN = multiprocessing.get_context("spawn")


class LocalSettings(Settings):
    """Slots here differ in their port and not in their name."""

    ports: dict[str, int]

    def url(self, slot: Slot) -> str:
        """Where `slot` listens."""
        return f"http://127.0.0.1:{self.ports[slot]}"


@dataclass(frozen=True)
class RealStage:
    """Both slots behind Nginx, and whoever releases to them."""

    conninfo: str
    settings: LocalSettings
    slots: Slots
    door: RunningNginx

    @property
    def port(self) -> int:
        """Where people ask."""
        return self.door.port

    @contextmanager
    def environment(self) -> Iterator[Environment]:
        """What a releaser works on, held by nobody else."""
        with environment(self.conninfo, self.settings) as made:
            yield made

    def release(self, version: str) -> None:
        """Release a version, in this process."""
        with self.environment() as environment:
            release(environment, version)

    def rollback(self) -> None:
        """Go back, in this process."""
        with self.environment() as environment:
            rollback(environment)

    def recover(self) -> Recovered | None:
        """Do what the next call does first."""
        with self.environment() as environment:
            return recover(environment)

    def live(self) -> str | None:
        """The version that the database says is live."""
        with psycopg.connect(self.conninfo) as connection:
            live = records.deployed(connection).live
        return live.version if live else None

    def begin(self, version: str) -> BaseProcess:
        """A releaser of its own that releases a version."""
        process = SPAWN.Process(target=_release, args=(self.conninfo, self.settings, version))
        process.start()
        return process

    def killed_after(self, step: str, version: str) -> None:
        """Release a version in a process that is killed when it has recorded a step."""
        with psycopg.connect(self.conninfo, autocommit=True) as connection:
            releaser = self.begin(version)
            eventually(lambda: _step_taken(connection, step, version), 120, f"step {step}")
            if releaser.pid and releaser.is_alive():
                os.kill(releaser.pid, signal.SIGKILL)
            releaser.join()


@contextmanager
def environment(conninfo: str, settings: Settings) -> Iterator[Environment]:
    """What a releaser works on; it waits for one that was killed a moment ago."""
    with psycopg.connect(conninfo, autocommit=True) as connection, slot_client() as client:
        eventually(lambda: _lock(connection), 30, "the lock of a releaser that was killed")
        yield Environment(
            connection, client, settings, lambda _words: None, lambda: None, judges_quality=False
        )


@contextmanager
def real_stage(folder: Path, releaser: str, recommender: str) -> Iterator[RealStage]:
    """A stage on which the first version is live.

    Args:
        folder: for all files.
        releaser: connection string of the role that releases.
        recommender: of the role of the slots.
    """
    slots = Slots(folder, recommender)
    for number, version in enumerate(VERSIONS):
        top = dict.fromkeys(USERS, range(number, number + 20))
        publish(slots.models, version, top=top)
    started = {name: slots.start(name) for name in ("blue", "green")}
    ports = {name: slot.port for name, slot in started.items()}
    settings = LocalSettings(
        database_user="releaser",
        database_passfile=folder / "pgpass",
        state_directory=slots.state,
        models_directory=slots.models,
        ports=ports,
        release_steps="100,1000",
        release_watch_seconds=0.5,
        evaluation_horizon=timedelta(seconds=10),
        release_patience=timedelta(seconds=20),
        release_replay_requests=40,
        release_p99_seconds=60,  # a busy machine is no fault of a version's
    )
    try:
        for slot in started.values():
            eventually(lambda slot=slot: slot.readiness(), 60, "a slot that listens")
        with nginx(folder, slots.state, *ports.values()) as door:
            stage = RealStage(releaser, settings, slots, door)
            stage.release(VERSIONS[0])
            yield stage
    finally:
        slots.end()


def _release(conninfo: str, settings: LocalSettings, version: str) -> None:
    with environment(conninfo, settings) as made:
        recover(made)
        release(made, version)


def _lock(connection: psycopg.Connection) -> bool:
    row = connection.execute("SELECT pg_try_advisory_lock(hashtext('marquee release'))").fetchone()
    return row == (True,)


def _step_taken(connection: psycopg.Connection, step: str, version: str) -> bool:
    last = records.last_step(connection)
    if last is None or last.version != version:
        return False
    row = connection.execute(
        "SELECT FROM deployment WHERE version = %s AND step = %s AND step_id >"
        " (SELECT max(step_id) FROM deployment WHERE version = %s AND step = 'start') - 1",
        (version, step, version),
    ).fetchone()
    time.sleep(0.01)
    return row is not None
