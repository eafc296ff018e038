"""Refused lines move in bounded transactions: whatever stops that, none is lost or doubled."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest

from ingest.audit.audit import audit
from ingest.checkpoint import OffsetRange
from ingest.lines.grammar import AccountCreated, format_line
from ingest.rejects.reprocessing import LINES_A_TRANSACTION, runs
from tests.integration.ingesting import now
from tests.stores import service_environment
from tests.waiting import eventually

REFUSED = 4 * LINES_A_TRANSACTION
OVER_LONG = 10


@pytest.fixture
def owner(conninfo) -> Iterator[psycopg.Connection]:
    """The owner's session on a database where only lines were landed that were refused."""
    with psycopg.connect(conninfo("marquee"), autocommit=True) as connection:
        line = format_line(AccountCreated(now(), 1)).replace(b",1,", b",%d,")
        before, after = line.split(b"%d")
        connection.execute(
            "INSERT INTO reject SELECT now(), 'bad_time',"
            " %s::bytea || (place + 1)::text::bytea || %s::bytea, 0, place"
            " FROM generate_series(0, %s - 1) AS place",
            (before, after, REFUSED),
        )
        connection.execute(
            "INSERT INTO reject SELECT now(), 'over_long', 'x', 0, %s + place"
            " FROM generate_series(0, %s - 1) AS place",
            (REFUSED, OVER_LONG),
        )
        connection.execute(
            "INSERT INTO stream_offset (topic, log_partition, first_offset, next_offset)"
            " VALUES ('topic', 0, 0, %s)",
            (REFUSED + OVER_LONG,),
        )
        yield connection


@contextmanager
def reprocessing(environment: dict[str, str]) -> Iterator[subprocess.Popen]:
    command = [sys.executable, "-m", "ingest", "reprocess"]
    with subprocess.Popen(
        command, env=os.environ | environment, stdout=subprocess.PIPE, text=True
    ) as process:
        yield process


def rows(owner: psycopg.Connection, table: str) -> int:
    return owner.execute(f"SELECT count(*) FROM {table}").fetchone()[0]


def balanced(conninfo) -> bool:
    with psycopg.connect(conninfo("retention"), autocommit=True) as connection:
        return all(partition.balanced for partition in audit(connection, now()))


def test_killed_in_the_middle_of_a_transaction_each_line_was_moved_or_was_not(
    owner, conninfo, tmp_path
):
    environment = service_environment(conninfo("retention"), tmp_path)
    with reprocessing(environment) as process:
        eventually(lambda: rows(owner, "account"), 60)
        with psycopg.connect(conninfo("marquee")) as holding:
            holding.execute("LOCK TABLE account IN EXCLUSIVE MODE")
            eventually(lambda: copy_waits(owner), 60)
            process.send_signal(signal.SIGKILL)
            process.wait()
    eventually(lambda: not sessions(owner), 60)
    moved = rows(owner, "account")
    assert 0 < moved < REFUSED
    assert moved % LINES_A_TRANSACTION == 0
    assert moved + rows(owner, "reject") == REFUSED + OVER_LONG
    assert balanced(conninfo)

    with reprocessing(environment) as process:
        said, _ = process.communicate()
    assert process.returncode == 0
    assert (
        said.splitlines()[-1]
        == f"{REFUSED - moved:,} lines moved: {{'account': {REFUSED - moved}}}"
    )
    assert rows(owner, "account") == REFUSED
    assert owner.execute("SELECT DISTINCT reason FROM reject").fetchall() == [("over_long",)]
    assert owner.execute("SELECT count(DISTINCT user_id) FROM account").fetchone() == (REFUSED,)
    assert balanced(conninfo)


def copy_waits(owner: psycopg.Connection) -> int:
    """Sessions whose COPY waits for a lock: their transaction has deleted what it copies."""
    return owner.execute(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        " AND query LIKE 'COPY account%' AND wait_event_type = 'Lock'"
    ).fetchone()[0]


def sessions(owner: psycopg.Connection) -> int:
    return owner.execute(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        " AND usename = 'retention'"
    ).fetchone()[0]


def test_two_at_once_move_each_line_once(owner, conninfo, tmp_path):
    environment = service_environment(conninfo("retention"), tmp_path)
    with reprocessing(environment) as one, reprocessing(environment) as other:
        said = [process.communicate()[0].splitlines()[-1] for process in (one, other)]
    assert [one.returncode, other.returncode] == [0, 0]
    assert sum(int(line.split()[0].replace(",", "")) for line in said) == REFUSED
    assert rows(owner, "account") == REFUSED
    assert balanced(conninfo)


def test_offsets_that_follow_one_another_are_caught_up_in_one_go():
    places = [(0, 4), (0, 5), (0, 6), (0, 8), (1, 9), (1, 10)]
    assert runs(places) == [OffsetRange(0, 4, 7), OffsetRange(0, 8, 9), OffsetRange(1, 9, 11)]
    assert runs([]) == []
