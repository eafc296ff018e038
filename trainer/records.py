"""What training reads and writes in PostgreSQL beside its data: locks, versions, deployments."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from trainer.errors import NewerVersionError, TrainingRunningError
from trainer.versions.manifest import Manifest

LOCK = 0x7472_6169_6E
"""Number of the advisory lock that a training holds: the word "train" in ASCII."""


@contextmanager
def training_lock(connection: psycopg.Connection) -> Iterator[None]:
    """Be the only one that changes the models volume while the connection lasts.

    Raises:
        TrainingRunningError: a training, a reproduction or a removal is running.
    """
    if connection.execute("SELECT pg_try_advisory_lock(%s)", (LOCK,)).fetchone() != (True,):
        raise TrainingRunningError(
            "a training, a reproduction or a removal of old versions is running;"
            " try again when it has ended"
        )
    try:
        yield
    finally:
        if not connection.closed:  # a connection that was lost has let go of it
            connection.execute("SELECT pg_advisory_unlock(%s)", (LOCK,))


@dataclass(frozen=True)
class LiveVersion:
    """The version that is live, and what it was made by."""

    version: str
    algorithm: str
    parameters: dict[str, Any]
    held: dict[str, float] | None
    popularity: dict[str, float] | None


def live_version(connection: psycopg.Connection) -> LiveVersion | None:
    """The version that answers now, or None when nothing is live."""
    row = connection.execute(
        "SELECT version, algorithm, manifest -> 'parameters', nullif(manifest -> 'held', 'null'),"
        " manifest -> 'popularity' FROM model_version"
        " WHERE version = (SELECT live_version FROM deployment ORDER BY step_id DESC LIMIT 1)"
    ).fetchone()
    return LiveVersion(*row) if row else None


def deployed_versions(connection: psycopg.Connection) -> set[str]:
    """Every version that was among the last three live ones, or was last placed in a slot.

    Three: after a rollback, the next one goes to the version before.
    """
    rows = connection.execute(
        "(SELECT live_version FROM deployment WHERE live_version IS NOT NULL"
        " GROUP BY live_version ORDER BY max(step_id) DESC LIMIT 3)"
        " UNION (SELECT DISTINCT ON (slot) version FROM deployment ORDER BY slot, step_id DESC)"
    ).fetchall()
    return {row[0] for row in rows}


def answering_versions(connection: psycopg.Connection) -> set[str]:
    """Every version that a receipt within retention names."""
    rows = connection.execute("SELECT DISTINCT model_version FROM receipt").fetchall()
    return {row[0] for row in rows}


def record_version(connection: psycopg.Connection, manifest: Manifest) -> None:
    """Make a published version known to whoever releases, shows or judges versions."""
    content = json.loads(manifest.text())
    connection.execute(
        "INSERT INTO model_version (version, algorithm, created_at, git_commit, data_hash,"
        " interactions, users, movies, figures, manifest, verdict, reason)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        (
            manifest.version,
            manifest.algorithm,
            datetime.fromisoformat(manifest.created_at),
            manifest.code["git_commit"],
            *(manifest.data[key] for key in ("hash", "interactions", "users", "movies")),
            Jsonb(content["figures"]),
            Jsonb(content),
            manifest.gate["verdict"],
            manifest.gate["reason"],
        ),
    )


def newest_version(connection: psycopg.Connection) -> Manifest | None:
    """The manifest of the version that was trained last.

    None where there is none, or none that this code can read: a newer one wrote it.
    """
    row = connection.execute(
        "SELECT manifest FROM model_version ORDER BY created_at DESC LIMIT 1"
    ).fetchone()
    try:
        return Manifest.parse(json.dumps(row[0]).encode()) if row else None
    except (NewerVersionError, ValueError):
        return None
