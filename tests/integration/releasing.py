"""A stage for releases: a real database and volume, with slots that can be made to fail."""

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import psycopg
import pytest

from ci.release.environment import Environment
from ci.release.slots import slot_client
from ci.settings import Settings

V1, V2, V3 = "20260101-000000-ease", "20260102-000000-ease", "20260103-000000-ease"
EVERYONE = frozenset(range(1000))


@dataclass
class PlayedSlot:
    """A slot that obeys its file on the state volume, unless told not to."""

    path: Path
    refuses: set[str] = field(default_factory=set)
    failing: set[str] = field(default_factory=set)
    damaged: set[str] = field(default_factory=set)
    lists: dict[str, str] = field(default_factory=dict)
    """What everybody gets from a version; twenty movies of its own unless told."""
    requests: int = 0
    errors: int = 0
    replayed: int = 0
    started_at: float = 0.0
    """Unix time; long ago unless it is started anew."""

    def told(self) -> dict[str, Any]:
        return json.loads(self.path.read_text()) if self.path.exists() else {}

    def version(self) -> str | None:
        return self.told().get("model_version")

    def readyz(self) -> tuple[int, str]:
        version, beside = self.version(), self.told().get("interleaved", {}).get("model_version")
        ready = version is not None and version not in self.refuses
        said = {"slot": self.path.stem, "model_version": version, "ready": ready}
        if version in self.damaged:
            said |= {"model_version": "the one before", "refused": version}
        elif beside in self.damaged:
            said |= {"refused": beside}
        else:
            said |= {"interleaved_with": beside}
        return 200 if ready else 503, json.dumps(said)

    def recommend(self) -> tuple[int, str]:
        self.replayed += 1
        usual = ",".join(f"movie+{number}" for number in range(20))
        return 200, self.lists.get(self.version() or "", usual)

    def log(self) -> tuple[int, str]:
        return 200, f'{{"event": "loaded", "version": "{self.version()}"}}\n'

    def metrics(self) -> tuple[int, str]:
        """Each look finds twenty more answers."""
        self.requests += 20
        self.errors += 20 if self.version() in self.failing else 0
        return 200, (
            f'marquee_requests_total{{status="200",reason="model"}} {self.requests - self.errors}\n'
            f'marquee_requests_total{{status="500",reason="model"}} {self.errors}\n'
            f'marquee_request_seconds_bucket{{le="0.01"}} {self.requests}\n'
            f'marquee_request_seconds_bucket{{le="+Inf"}} {self.requests}\n'
            f"process_start_time_seconds {self.started_at}\n"
        )


class IdleSlot(PlayedSlot):
    """A slot that nobody asks."""

    def metrics(self) -> tuple[int, str]:
        return 200, ""


class UnreadableSlot(PlayedSlot):
    """A slot that answers people, but whose metrics fail."""

    def metrics(self) -> tuple[int, str]:
        return 500, "out of order"


def serving(slots: dict[str, PlayedSlot]) -> AbstractContextManager[str]:
    """Both slots, as they are played."""

    def answer(slot: str, page: str) -> tuple[int, bytes]:
        status, text = getattr(slots[slot], page)()
        return status, text.encode()

    return answering(answer)


@contextmanager
def answering(answer: Callable[[str, str], tuple[int, bytes]]) -> Iterator[str]:
    """One server for both slots, by slot and page; the URL has a place for the slot's name."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            _, slot, page, *_user = self.path.split("/")
            status, content = answer(slot, page)
            self.send_response(status)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/{{slot}}"
    server.shutdown()
    thread.join()
    server.server_close()


@dataclass
class Stage:
    """All that a release plays on."""

    environment: Environment
    state: Path
    slots: dict[str, PlayedSlot]
    owner: psycopg.Connection
    said: list[str]

    def steps(self) -> list[tuple[str, int, str | None]]:
        rows = self.owner.execute(
            "SELECT step, share, live_version FROM deployment ORDER BY step_id"
        )
        return rows.fetchall()

    def train(self, version: str, verdict: str = "accepted", reason: str = "better") -> None:
        self.owner.execute(
            "INSERT INTO model_version (version, algorithm, git_commit, data_hash, interactions,"
            " users, movies, figures, manifest, verdict, reason)"
            " VALUES (%s, 'ease', 'c', 'd', 1, 1, 1, '{}', '{}', %s, %s)",
            (version, verdict, reason),
        )
        directory = self.environment.settings.models_directory / "versions" / version
        directory.mkdir(parents=True)
        (directory / "popular.txt").write_text(f"popular of {version}\n")

    def answered(self, *users: int) -> None:
        """People who got an answer a moment ago."""
        self.owner.cursor().executemany(
            "INSERT INTO receipt (receipt_id, time, user_id, movie_ids, model_version, slot,"
            " bucket, arm, reason, latency_ms)"
            " VALUES (gen_random_uuid(), now(), %s, '{}', 'v', 'blue', 1, 'control', 'model', 1)",
            [(user,) for user in users],
        )

    def now(self) -> datetime:
        return datetime.now(UTC)

    def popular(self) -> str:
        return (self.state / "popular/list.txt").read_text()


@pytest.fixture
def stage(conninfo, tmp_path) -> Iterator[Stage]:
    slots = {
        slot: PlayedSlot(tmp_path / "state/slots" / f"{slot}.json") for slot in ("blue", "green")
    }
    with (
        serving(slots) as url,
        psycopg.connect(conninfo("releaser"), autocommit=True) as connection,
        psycopg.connect(conninfo("marquee"), autocommit=True) as owner,
        slot_client() as client,
    ):
        settings = Settings(
            database_user="releaser",
            database_passfile=tmp_path / "password",
            state_directory=tmp_path / "state",
            models_directory=tmp_path / "models",
            slot_url=url,
            release_steps="10,500,1000",
            release_watch_seconds=0.2,
            evaluation_horizon=timedelta(seconds=0.3),
            release_patience=timedelta(seconds=0.6),
            release_ready_seconds=1.5,
        )
        said: list[str] = []
        environment = Environment(
            connection, client, settings, said.append, lambda: None, judges_quality=False
        )
        stage = Stage(environment, tmp_path / "state", slots, owner, said)
        for version in (V1, V2, V3):
            stage.train(version)
        yield stage
