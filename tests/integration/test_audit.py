from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from typer.testing import CliRunner

from ingest.__main__ import app
from ingest.audit.audit import audit
from ingest.landing.admission_rules import AdmissionRules
from ingest.landing.transaction import Landing, connect
from ingest.lines.grammar import (
    ONE_TO_FIVE,
    AccountCreated,
    Rated,
    Requested,
    Watched,
    format_line,
)
from ingest.lines.slices import Slice
from ingest.offsets import store_first_offsets
from tests.stores import service_environment

NOW = datetime.now(UTC)
EVENTS = [
    Watched(NOW, 1, "up+2009", 1),
    Watched(NOW, 1, "up+2009", 2),
    Watched(NOW, 1, "up+2009", 3),
    Rated(NOW, 1, "up+2009", 4.0),
    Requested(NOW, 1, "host:8082", 200, ("up+2009",), None, 12),
    AccountCreated(NOW, 2),
]
LINES = [*map(format_line, EVENTS), b"no line of ours", b"neither"]


@pytest.fixture
def database(conninfo):
    """Two Kafka partitions, from offsets 100 and 0, with lines of every kind."""
    with connect(conninfo("ingest")) as connection:
        landing = Landing(
            connection, "topic", AdmissionRules(connection, ONE_TO_FIVE, timedelta(minutes=5))
        )
        store_first_offsets(connection, "topic", {0: 100, 1: 0})
        landing.land(landing.prepare([Slice(0, 100, LINES), Slice(1, 0, LINES)], NOW), NOW)
    return conninfo


def balanced(database) -> list[bool]:
    with psycopg.connect(database("retention"), autocommit=True) as connection:
        return [partition.balanced for partition in audit(connection, datetime.now(UTC))]


def with_fault(database, *statements: str) -> list[bool]:
    with psycopg.connect(database("marquee"), autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement)
    return balanced(database)


def test_what_landed_balances(database):
    assert balanced(database) == [True, True]


def test_each_term_is_counted(database):
    with psycopg.connect(database("retention"), autocommit=True) as connection:
        first, _second = audit(connection, NOW)
    assert (first.consumed, first.watches, first.ratings) == (8, 3, 1)
    assert (first.requests, first.accounts, first.rejects, first.dropped) == (1, 1, 2, 0)


@pytest.mark.parametrize("table", ["watch", "rating", "recommendation_request", "account"])
def test_a_deleted_row_is_found(database, table):
    fault = f"DELETE FROM {table} WHERE (log_partition, log_offset) IN (SELECT log_partition, min(log_offset) FROM {table} WHERE log_partition = 0 GROUP BY 1)"  # noqa: E501 -- one statement
    assert with_fault(database, fault) == [False, True]


def test_a_doubled_row_is_found(database):
    fault = "INSERT INTO watch SELECT * FROM watch WHERE log_partition = 1 AND log_offset = 0"
    assert with_fault(database, fault) == [True, False]


def test_a_row_doubled_in_place_of_another_is_found(database):
    assert with_fault(
        database,
        "DELETE FROM watch WHERE log_partition = 1 AND log_offset = 0",
        "INSERT INTO watch SELECT * FROM watch WHERE log_partition = 1 AND log_offset = 1",
    ) == [True, False]


def test_a_moved_offset_is_found(database):
    fault = "UPDATE stream_offset SET next_offset = next_offset + 1 WHERE log_partition = 0"
    assert with_fault(database, fault) == [False, True]


def test_both_offsets_moved_alike_are_found(database):
    fault = (
        "UPDATE stream_offset SET first_offset = first_offset + 1,"
        " next_offset = next_offset + 1 WHERE log_partition = 0"
    )
    assert with_fault(database, fault) == [False, True]


def test_a_removed_reject_is_found(database):
    fault = "DELETE FROM reject WHERE log_partition = 0 AND log_offset = 106"
    assert with_fault(database, fault) == [False, True]


def test_rows_of_a_partition_that_was_never_consumed_are_found(database):
    fault = "INSERT INTO account VALUES (now(), 1, 7, 0)"
    assert with_fault(database, fault) == [True, True, False]


def incremental(database) -> list[tuple[int, int, bool]]:
    """For each partition from which offset it was audited, how many lines, and the verdict."""
    with psycopg.connect(database("retention"), autocommit=True) as connection:
        return [
            (partition.first_offset, partition.consumed, partition.balanced)
            for partition in audit(connection, datetime.now(UTC), "incremental")
        ]


def land_more(database) -> None:
    with connect(database("ingest")) as connection:
        landing = Landing(
            connection, "topic", AdmissionRules(connection, ONE_TO_FIVE, timedelta(minutes=5))
        )
        landing.land(landing.prepare([Slice(0, 108, LINES)], NOW), NOW)


def test_an_incremental_audit_counts_what_came_since_a_balanced_one(database):
    balanced(database)
    land_more(database)
    assert incremental(database) == [(108, 8, True), (8, 0, True)]


def test_an_incremental_audit_without_one_before_counts_all(database):
    assert incremental(database) == [(100, 8, True), (0, 8, True)]


def test_an_incremental_audit_counts_again_what_did_not_balance(database):
    balanced(database)
    land_more(database)
    with_fault(database, "DELETE FROM rating WHERE log_offset = 111")
    assert incremental(database) == incremental(database) == [(108, 8, False), (8, 0, True)]


def test_an_incremental_audit_finds_an_offset_that_was_moved_back(database):
    balanced(database)
    with psycopg.connect(database("marquee")) as connection:
        connection.execute("UPDATE stream_offset SET next_offset = 5 WHERE log_partition = 1")
    assert incremental(database)[1] == (8, -3, False)


def test_every_audit_is_kept(database):
    balanced(database)
    balanced(database)
    with psycopg.connect(database("analyst")) as connection:
        assert connection.execute(
            "SELECT count(DISTINCT audited_at), count(*), bool_and(balanced) FROM ingest_audit"
        ).fetchone() == (2, 4, True)


@pytest.fixture
def environment(database, monkeypatch, tmp_path):
    for name, value in service_environment(database("ingest"), tmp_path).items():
        monkeypatch.setenv(name, value)
    return database


@pytest.mark.usefixtures("environment")
def test_the_command_shows_a_table():
    shown = CliRunner().invoke(app, ["audit"])
    assert shown.exit_code == 0
    assert shown.stdout.splitlines()[1].split()[:5] == ["0", "full", "100", "8", "3"]


def test_the_command_fails_where_it_does_not_balance(environment):
    with_fault(environment, "DELETE FROM rating")
    assert CliRunner().invoke(app, ["audit"]).exit_code == 1
