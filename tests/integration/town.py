"""A town whose people judge releases: real slots, a real Nginx and database, and who lives there.

People ask at the one door, and watch what they like of the first movies that they are shown;
evaluation makes its own passes.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from random import Random
from threading import Event

import psycopg

from ci.release.environment import Environment
from ci.release.rollout import release
from ci.release.slots import slot_client
from ci.settings import Settings
from ci.slots.state import Slot, send_to_green
from monitoring.experiments.experiment_pass import look_at_all
from tests.integration.serving import Slots, get, nginx
from tests.unit.recommender.versions import publish
from tests.waiting import meanwhile

LIVE = "20260101-000000-ease"
MOVIES = tuple(f"movie+{number}+1999" for number in range(400))
GROUPS = 10
"""People of one group like the same movies."""
LOOKED_AT = 3
"""So many movies of a list are looked at."""
WATCHES = 0.7
KNOWN = """
INSERT INTO model_version (version, algorithm, git_commit, data_hash, interactions, users, movies,
                           figures, manifest, verdict, reason)
VALUES (%s, 'ease', 'c', 'd', 1, 1, 1, '{}', '{}', 'accepted', 'better')
"""
IS_LIVE = """
INSERT INTO deployment (action, step, version, slot, share, live_version, live_slot, reason)
VALUES ('release', 'promote', %(version)s, 'blue', 1000, %(version)s, 'blue', 'the first')
"""
ASKED = """
INSERT INTO recommendation_request VALUES (%s, %s, 'door', %s, %s, NULL, 5, 0, %s)
"""
WATCHED = "INSERT INTO watch VALUES (%s + interval '1 ms', %s, %s, 1, 0, %s)"
LANDED = """
INSERT INTO stream_offset VALUES ('log', 0, 0, %(next)s)
ON CONFLICT (topic, log_partition) DO UPDATE SET next_offset = %(next)s
"""


class LocalSettings(Settings):
    """The slots are processes on ports of this machine."""

    ports: dict[str, int]

    def url(self, slot: Slot) -> str:
        """Where `slot` listens."""
        return f"http://127.0.0.1:{self.ports[slot]}"


@dataclass
class Town:
    """A door with two slots behind it, both on the live version, and so many people."""

    settings: LocalSettings
    door: int
    conninfo: Callable[[str], str]
    people: int
    random: Random
    slots: Slots

    def train(self, version: str, movies: list[str]) -> None:
        """Make a version that gives everybody the live one's places in these movies."""
        publish(self.settings.models_directory, version, movies=movies, top=_lists_of(self.people))
        with psycopg.connect(self.conninfo("marquee")) as owner:
            owner.execute(KNOWN, (version,))

    def train_shuffled(self, version: str) -> None:
        """Make a version that answers as fast and as personally as the live one, and badly."""
        self.train(version, self.random.sample(MOVIES, len(MOVIES)))

    def release(self, version: str, **settings: object) -> None:
        """Release a version, by other settings than the town's where some are given."""
        of_release = self.settings.model_copy(update=settings)
        with (
            psycopg.connect(self.conninfo("releaser"), autocommit=True) as connection,
            slot_client() as client,
        ):
            environment = Environment(
                connection, client, of_release, lambda _words: None, lambda: None
            )
            release(environment, version)

    @contextmanager
    def lived_in(self, rate: float = 0, visits_a_look: int = 50) -> Iterator[None]:
        """People come and go, `rate` a second (0: one after the other), and evaluation looks."""
        with meanwhile(lambda over: self._live(over, rate, visits_a_look)):
            yield

    def _live(self, over: Event, rate: float, visits_a_look: int) -> None:
        with (
            psycopg.connect(self.conninfo("marquee"), autocommit=True) as owner,
            psycopg.connect(self.conninfo("evaluation"), autocommit=True) as evaluation,
        ):
            begun = time.monotonic()
            for visit in count():
                if rate and over.wait(max(0.0, begun + visit / rate - time.monotonic())):
                    return
                if over.is_set():
                    return
                self._visit(owner, visit)
                if visit % visits_a_look == visits_a_look - 1:
                    now = datetime.now(UTC)
                    list(look_at_all(evaluation, now, now))

    def _visit(self, owner: psycopg.Connection, visit: int) -> None:
        user = visit % self.people + 1
        status, body = get(self.door, f"/recommend/{user}")
        shown = body.strip().split(",") if status == 200 else []
        now = datetime.now(UTC)
        with owner.transaction():
            owner.execute(ASKED, (now, user, status, shown, 2 * visit))
            liked = {MOVIES[item] for item in _liked_by(user)} & set(shown[:LOOKED_AT])
            if liked and self.random.random() < WATCHES:
                owner.execute(WATCHED, (now, user, min(liked), 2 * visit + 1))
            owner.execute(LANDED, {"next": 2 * visit + 2})


@contextmanager
def town(
    folder: Path,
    conninfo: Callable[[str], str],
    people: int,
    seed: int = 0,
    **settings: object,
) -> Iterator[Town]:
    """A town whose releases go by these settings; `conninfo` logs in as the role it is given."""
    slots = Slots(folder, conninfo("recommender"))
    try:
        publish(slots.models, LIVE, movies=MOVIES, top=_lists_of(people))
        ports = {name: slots.start(name, LIVE).port for name in ("blue", "green")}
        send_to_green(slots.state, ())
        with psycopg.connect(conninfo("marquee")) as owner:
            owner.execute(KNOWN, (LIVE,))
            owner.execute(IS_LIVE, {"version": LIVE})
        of_releases = LocalSettings(
            database_user="releaser",
            database_passfile=folder / "passfile",
            state_directory=slots.state,
            models_directory=slots.models,
            ports=ports,
        ).model_copy(update=settings)
        with nginx(folder, slots.state, ports["blue"], ports["green"]) as door:
            yield Town(of_releases, door.port, conninfo, people, Random(seed), slots)
    finally:
        slots.end()


def _liked_by(user: int) -> range:
    """Places of the movies that somebody likes; the live version shows everybody theirs."""
    first = user % GROUPS * 40
    return range(first, first + 20)


def _lists_of(people: int) -> dict[int, range]:
    return {user: _liked_by(user) for user in range(1, people + 1)}
