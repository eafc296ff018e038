"""The gate tests itself: a release of shuffled movies is stopped by people, an equal one is not.

Real slots behind a real Nginx, a real database and evaluation's own passes; people ask at the
one door, and watch what they like of the first movies that they are shown.
"""

import os
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from random import Random

import psycopg
import pytest

from ci.errors import AbortedError
from ci.release import records
from ci.release.environment import Environment
from ci.release.rollout import release
from ci.release.slots import slot_client
from ci.settings import Settings
from ci.slots.state import Slot, send_to_green
from monitoring.experiments.experiment_pass import look_at_all
from tests.integration.serving import Slots, get, nginx
from tests.unit.recommender.versions import publish

ROUNDS = range(int(os.environ.get("DRILL_ROUNDS", "1")))
LIVE, TRIED = "20260101-000000-ease", "20260102-000000-ease"
MOVIES = tuple(f"movie+{number}+1999" for number in range(400))
GROUPS = 10
"""People of one group like the same movies."""
PEOPLE = 600
LOOKED_AT = 3
"""So many movies of a list are looked at."""
WATCHES = 0.7
LISTS = {user: range(user % GROUPS * 40, user % GROUPS * 40 + 20) for user in range(1, PEOPLE + 1)}


class LocalSettings(Settings):
    """The slots are processes on ports of this machine."""

    ports: dict[str, int]

    def url(self, slot: Slot) -> str:
        return f"http://127.0.0.1:{self.ports[slot]}"


@dataclass
class Town:
    """A door with two slots behind it, both on the live version, and who lives there."""

    folder: Path
    settings: LocalSettings
    door: int
    conninfo: object
    random: Random

    def release(self, patience: timedelta) -> None:
        settings = self.settings.model_copy(update={"release_patience": patience})
        with (
            psycopg.connect(self.conninfo("releaser"), autocommit=True) as connection,
            slot_client() as client,
        ):
            release(
                Environment(connection, client, settings, lambda _words: None, lambda: None), TRIED
            )

    @contextmanager
    def lived_in(self):
        """People come and go, one after the other, and evaluation makes its passes."""
        over = threading.Event()
        thread = threading.Thread(target=self._live, args=(over,))
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def _live(self, over: threading.Event) -> None:
        with (
            psycopg.connect(self.conninfo("marquee"), autocommit=True) as owner,
            psycopg.connect(self.conninfo("evaluation"), autocommit=True) as evaluation,
        ):
            for visit in count():
                if over.is_set():
                    return
                self._visit(owner, visit)
                if visit % 50 == 49:
                    now = datetime.now(UTC)
                    list(look_at_all(evaluation, now, now))

    def _visit(self, owner: psycopg.Connection, visit: int) -> None:
        user = visit % PEOPLE + 1
        status, body = get(self.door, f"/recommend/{user}")
        shown = body.strip().split(",") if status == 200 else []
        now = datetime.now(UTC)
        with owner.transaction():
            owner.execute(
                "INSERT INTO recommendation_request"
                " VALUES (%s, %s, 'door', %s, %s, NULL, 5, 0, %s)",
                (now, user, status, shown, 2 * visit),
            )
            liked = {MOVIES[item] for item in LISTS[user]} & set(shown[:LOOKED_AT])
            if liked and self.random.random() < WATCHES:
                owner.execute(
                    "INSERT INTO watch VALUES (%s, %s, %s, 1, 0, %s)",
                    (now + timedelta(milliseconds=1), user, min(liked), 2 * visit + 1),
                )
            owner.execute(
                "INSERT INTO stream_offset VALUES ('log', 0, 0, %(next)s) ON CONFLICT (topic,"
                " log_partition) DO UPDATE SET next_offset = %(next)s",
                {"next": 2 * visit + 2},
            )


@pytest.fixture(params=ROUNDS)
def town(request, conninfo, tmp_path):
    slots = Slots(tmp_path, conninfo("recommender"))
    publish(slots.models, LIVE, movies=MOVIES, top=LISTS)
    blue, green = slots.start("blue", LIVE), slots.start("green", LIVE)
    send_to_green(slots.state, ())
    with psycopg.connect(conninfo("marquee")) as owner:
        for version in (LIVE, TRIED):
            owner.execute(
                "INSERT INTO model_version (version, algorithm, git_commit, data_hash,"
                " interactions, users, movies, figures, manifest, verdict, reason)"
                " VALUES (%s, 'ease', 'c', 'd', 1, 1, 1, '{}', '{}', 'accepted', 'better')",
                (version,),
            )
        owner.execute(
            "INSERT INTO deployment (action, step, version, slot, share, live_version, live_slot,"
            " reason) VALUES ('release', 'promote', %(v)s, 'blue', 1000, %(v)s, 'blue', 'first')",
            {"v": LIVE},
        )
    settings = LocalSettings(
        database_user="releaser",
        database_passfile=tmp_path / "passfile",
        state_directory=slots.state,
        models_directory=slots.models,
        release_steps="500,1000",
        release_judge_share=500,
        release_watch_seconds=0.2,
        release_replay_requests=0,  # people alone are to tell
        evaluation_horizon=timedelta(seconds=1),
        ports={"blue": blue.port, "green": green.port},
    )
    with nginx(tmp_path, slots.state, blue.port, green.port) as door:
        yield Town(tmp_path, settings, door.port, conninfo, Random(request.param))
    slots.end()


def test_a_version_with_its_movies_shuffled_is_stopped_without_a_person(town, conninfo):
    """It answers as fast and as personally as the live one; only people can tell."""
    shuffled = list(MOVIES)
    town.random.shuffle(shuffled)
    publish(town.settings.models_directory, TRIED, movies=shuffled, top=LISTS)
    with town.lived_in(), pytest.raises(AbortedError, match="the gate says stop"):
        town.release(patience=timedelta(minutes=4))
    with psycopg.connect(conninfo("analyst")) as connection:
        assert records.deployed(connection).live.version == LIVE
        verdict, words = connection.execute(
            "SELECT verdict, reason FROM experiment_verdict"
        ).fetchone() or ("", "")
    assert verdict == "worse"
    assert words.startswith("people are worse off with the challenger: between -")


def test_a_version_that_is_equal_is_not_stopped(town, conninfo):
    publish(town.settings.models_directory, TRIED, movies=MOVIES, top=LISTS)
    with town.lived_in():
        town.release(patience=timedelta(seconds=8))
    with psycopg.connect(conninfo("analyst")) as connection:
        assert records.deployed(connection).live.version == TRIED
