"""The first trainings: they come by themselves, until a version has passed the gate.

A version made of too little is asked for again each time that twice as much has landed, so
a young stream is trained on often and a grown one by the schedule alone.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

import psycopg
import structlog

from trainer.records import newest_version
from trainer.versions.manifest import Manifest

LOOK_SECONDS = 5.0
POURING = 1.05
"""While more than this times as much has landed at each look, a history is still coming in."""
GROWN = 2.0
"""So many times what the last training saw make another one worth it."""

LOG = structlog.get_logger()


@dataclass(frozen=True)
class Landed:
    """How much of the stream is in the tables, and whether there is anything to learn from."""

    lines: int
    learnable: bool


def keep_training(conninfo: str, ask: Callable[[str], int]) -> None:
    """Ask for trainings until a version has passed the gate; a database that is away passes."""
    before, trained = None, None
    while True:
        try:
            with psycopg.connect(conninfo, autocommit=True) as connection:
                newest = newest_version(connection)
                if newest and has_passed(newest):
                    return
                now = _landed(connection)
                if trained is None and newest:
                    trained = _lines_of(newest, connection)
            if is_due(now, before, trained):
                ask(conninfo)
                trained = now.lines
            before = now
        except psycopg.OperationalError as error:
            LOG.warning("not looked for a first training", why=str(error))
        time.sleep(LOOK_SECONDS)


def has_passed(version: Manifest) -> bool:
    """Whether the gate accepted it; popularity, where nothing could be judged, does not count."""
    return version.gate["verdict"] == "accepted" and version.algorithm != "popularity"


def is_due(now: Landed, before: Landed | None, trained: int | None) -> bool:
    """Whether to train: there is something to learn from, and it no longer pours in.

    Args:
        now: what has landed.
        before: the same at the look before; None at the first look.
        trained: how many lines the last training saw or was asked for at; None before any.
    """
    if before is None or not now.learnable or now.lines > POURING * before.lines:
        return False
    return trained is None or now.lines >= GROWN * trained


def _landed(connection: psycopg.Connection) -> Landed:
    row = connection.execute(
        "SELECT coalesce(sum(next_offset - first_offset), 0)::bigint,"
        " EXISTS (SELECT FROM rating) OR EXISTS (SELECT FROM viewing) FROM stream_offset"
    ).fetchone()
    return Landed(*row) if row else Landed(0, learnable=False)


def _lines_of(version: Manifest, connection: psycopg.Connection) -> int:
    """How many lines a version saw."""
    firsts: dict[str, int] = dict(
        connection.execute("SELECT log_partition::text, first_offset FROM stream_offset").fetchall()
    )
    return sum(end - firsts.get(number, 0) for number, end in version.data["offsets"].items())
