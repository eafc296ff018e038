"""The database at one moment: what it says then, dumped to a file, and restored from one."""

import os
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import LiteralString

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from compose.backup.errors import IncompleteError

NOT_RESTORED = (
    "procrastinate_jobs",
    "procrastinate_events",
    "procrastinate_workers",
    "procrastinate_periodic_defers",
)
"""Tables whose rows stay behind: what was asked for back then is not asked for again."""
LOCK_WAIT = "60s"
COMPRESSION = "zstd:1"
POLL_SECONDS = 0.1


@dataclass(frozen=True)
class Snapshot:
    """The database as it was at one moment, and the name under which others may read it so."""

    connection: psycopg.Connection
    identity: str

    def revision(self) -> str:
        """The migration that the tables are at."""
        return str(self._value("SELECT version_num FROM alembic_version"))

    def live_version(self) -> str | None:
        """The model version that answers; None before the first release."""
        found = self._value("SELECT live_version FROM deployment ORDER BY step_id DESC LIMIT 1")
        return None if found is None else str(found)

    def lines(self) -> int:
        """Lines of the stream that have landed."""
        found = self._value("SELECT sum(next_offset - first_offset)::bigint FROM stream_offset")
        return int(str(found or 0))

    def model_versions(self) -> frozenset[str]:
        """The versions that are recorded."""
        rows = self.connection.execute("SELECT version FROM model_version").fetchall()
        return frozenset(version for (version,) in rows)

    def _value(self, query: str) -> object:
        row = self.connection.execute(query.encode()).fetchone()
        return row[0] if row else None


@contextmanager
def snapshot(conninfo: str) -> Iterator[Snapshot]:
    """The database as it is now, for as long as the block runs."""
    with psycopg.connect(conninfo) as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        row = connection.execute("SELECT pg_export_snapshot()").fetchone()
        if row is None:
            raise LookupError("PostgreSQL exported no snapshot")
        yield Snapshot(connection, row[0])


def dump(
    conninfo: str, identity: str, target: Path, should_stop: Callable[[], bool] = lambda: False
) -> None:
    """Write the snapshot of this identity to a file; nobody waits for it but who drops tables.

    Raises:
        IncompleteError: pg_dump failed, and why; or it was told to stop.
    """
    left_out = [f"--exclude-table-data={table}" for table in NOT_RESTORED]
    _run(
        [
            *("pg_dump", f"--dbname={conninfo}", f"--snapshot={identity}", f"--file={target}"),
            *("--format=custom", f"--compress={COMPRESSION}", f"--lock-wait-timeout={LOCK_WAIT}"),
            *left_out,
        ],
        should_stop,
    )
    target.chmod(0o600)


def restore(conninfo: str, source: Path) -> None:
    """Put a dump in the place of the database that `conninfo` names, whole or not at all.

    Args:
        conninfo: as the owner, who may make databases.
        source: what `dump` wrote.

    Raises:
        IncompleteError: pg_restore failed, and why; the database is as it was.
    """
    name = str(conninfo_to_dict(conninfo)["dbname"])
    beside = f"{name}_restoring"
    with psycopg.connect(make_conninfo(conninfo, dbname="postgres"), autocommit=True) as server:
        _administer(server, "DROP DATABASE IF EXISTS {} WITH (FORCE)", beside)
        _administer(server, "CREATE DATABASE {} TEMPLATE template0", beside)
        jobs = f"--jobs={os.process_cpu_count() or 1}"
        into = make_conninfo(conninfo, dbname=beside)
        _run(["pg_restore", "--exit-on-error", jobs, f"--dbname={into}", str(source)])
        _follow_receipts_here(into)
        _administer(server, "DROP DATABASE IF EXISTS {} WITH (FORCE)", name)
        _administer(server, "ALTER DATABASE {} RENAME TO {}", beside, name)
    with psycopg.connect(conninfo, autocommit=True) as restored:
        restored.execute("ANALYZE")


def _follow_receipts_here(conninfo: str) -> None:
    """Say by this server's transactions which receipts evaluation has reckoned with.

    The numbers in a dump are those of the server it was taken from: where these are higher,
    evaluation would take every receipt for a new one at each pass.
    """
    with psycopg.connect(conninfo) as restored:
        if restored.execute("SELECT to_regclass('evaluation_progress')").fetchone() == (None,):
            return  # a dump from before receipts were followed
        # before this transaction has a number, so that what it stores is not seen yet
        progress = restored.execute(
            "SELECT receipts_seen, pg_current_snapshot()::text FROM evaluation_progress"
        ).fetchone()
        seen, now = progress or (None, None)
        # writes each row once more; an UPDATE would leave all of them there twice
        restored.execute(
            sql.SQL(
                "ALTER TABLE receipt ALTER COLUMN stored_in TYPE bigint USING CASE"
                " WHEN NOT pg_visible_in_snapshot(stored_in::text::xid8, {}::pg_snapshot)"
                " THEN pg_current_xact_id()::text::bigint END"
            ).format(sql.Literal(seen))
        )
        restored.execute(
            "UPDATE evaluation_progress SET receipts_seen = %s WHERE receipts_seen IS NOT NULL",
            (now,),
        )


def _administer(server: psycopg.Connection, statement: LiteralString, *names: str) -> None:
    server.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


def _run(command: Sequence[str], should_stop: Callable[[], bool] = lambda: False) -> None:
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:  # noqa: S603 -- fixed programs
        said = _said(process, should_stop)
    if process.returncode:
        last = (said.strip().splitlines() or [f"status {process.returncode}"])[-1]
        raise IncompleteError(f"{command[0]}: {last}")


def _said(process: subprocess.Popen[str], should_stop: Callable[[], bool]) -> str:
    while True:
        try:
            return process.communicate(timeout=POLL_SECONDS)[1]
        except subprocess.TimeoutExpired:
            if should_stop():
                process.kill()
                raise IncompleteError("it was told to stop") from None
