"""What a pass of evaluation reads: what is new and what may still change, and nothing older."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import psycopg
import pytest

from monitoring.evaluation.evaluation_pass import run_pass
from monitoring.evaluation.judgement import judge_window
from monitoring.evaluation.windows import Terms, Window
from tests.integration.played_stream import MINUTE, NOW, Answer, Asked, PlayedStream, Watched, at

TERMS = Terms(width=10 * MINUTE, horizon=30 * MINUTE, lateness=60 * MINUTE)
A_DAY = 1440
"""Minutes."""
DAYS = range(2, 12)
"""So many days ago, people were answered and watched, too."""
ANSWERS = """
INSERT INTO receipt (receipt_id, time, user_id, movie_ids, model_version, slot, bucket, arm,
                     reason, latency_ms)
SELECT gen_random_uuid(), %(day)s + n * interval '1 second', hashint4(n),
       array_fill('a movie of some length'::text, ARRAY[20]), 'v1', 'blue', 0, 'control', 'model', 1
FROM generate_series(0, 86399) AS n
"""
BY_LANDING = ("log_offset", "stored_in")
"""Rows found by when they landed have any time; a small index of each day says where they are."""


@pytest.fixture
def stream(owner):
    """A stream with ten days behind it, all of them judged and closed."""
    stream = PlayedStream(owner)
    for day in DAYS:
        minute = -day * A_DAY
        stream.store(*(Answer(minute, user, ("a", "b")) for user in range(20)))
        stream.land(*(Watched(minute + 1, user, "a") for user in range(20)))
        stream.land(*(Asked(minute, user, ("a", "b")) for user in range(20)))
    stream.pass_by(0)
    return stream


@contextmanager
def explained(
    conninfo: str, owner: psycopg.Connection
) -> Iterator[tuple[psycopg.Connection, list[dict]]]:
    """A connection, and the plan of each of its statements as it was run."""
    database = psycopg.conninfo.conninfo_to_dict(conninfo)["dbname"]
    for setting, value in {
        "session_preload_libraries": "auto_explain",
        "auto_explain.log_min_duration": "0",
        "auto_explain.log_analyze": "on",
        "auto_explain.log_buffers": "on",
        "auto_explain.log_format": "json",
        "auto_explain.log_level": "notice",
    }.items():
        owner.execute(f"ALTER DATABASE {database} SET {setting} = '{value}'".encode())
    plans: list[dict] = []
    with psycopg.connect(conninfo, autocommit=True) as connection:
        connection.add_notice_handler(
            lambda notice: plans.append(json.loads(notice.message_primary.partition("plan:")[2]))
        )
        yield connection, plans


def scans(plan: dict) -> Iterator[dict]:
    """The nodes of a plan that were run and read a table."""
    if "Relation Name" in plan and plan.get("Actual Loops"):
        yield plan
    for below in plan.get("Plans", ()):
        yield from scans(below)


def by_landing(scan: dict) -> bool:
    words = f"{scan.get('Recheck Cond')} {scan.get('Filter')}"
    return any(column in words for column in BY_LANDING)


def is_older(relation: str, bound) -> bool:
    """Whether a table is a partition of a day that was over before `bound`."""
    day = relation.rpartition("_")[2].partition("t")[0]
    return day.isdigit() and day < f"{bound - timedelta(days=1):%Y%m%d}"


def test_a_pass_reads_no_day_that_is_over_but_by_where_its_rows_landed(conninfo, owner, stream):
    with psycopg.connect(conninfo("evaluation"), autocommit=True) as evaluation:
        run_pass(evaluation, TERMS, NOW, lambda: False)
    stream.store(*(Answer(1, user, ("a", "b")) for user in range(20)))
    stream.land(*(Watched(3, user, "a") for user in range(20)))
    stream.pass_by(45)
    with explained(conninfo("evaluation"), owner) as (evaluation, plans):
        run_pass(evaluation, TERMS, NOW, lambda: False)
        stream.store(Answer(2, 7, ("a",)))  # late: somebody has watched what it shows
        run_pass(evaluation, TERMS, NOW, lambda: False)
    read = [(plan["Query Text"], scan) for plan in plans for scan in scans(plan["Plan"])]
    assert any("Gives answers that arrived late" in query for query, _scan in read)
    older = {
        (query.partition("\n")[0], scan["Relation Name"])
        for query, scan in read
        if is_older(scan["Relation Name"], at(0)) and not by_landing(scan)
    }
    assert older == set()


def test_a_window_is_judged_from_its_own_part_of_the_day(conninfo, owner):
    day = at(0).replace(hour=0) - timedelta(days=1)
    owner.execute(ANSWERS, {"day": day})
    owner.execute("VACUUM (ANALYZE) receipt")
    partition = f"receipt_{day:%Y%m%d}t000000"
    (blocks,) = owner.execute(
        "SELECT relpages FROM pg_class WHERE relname = %s", (partition,)
    ).fetchone() or (0,)
    window = Window(day + timedelta(hours=12), day + timedelta(hours=12, minutes=10))
    with explained(conninfo("evaluation"), owner) as (evaluation, plans):
        judge_window(evaluation, window)
    read = [
        scan["Shared Hit Blocks"] + scan["Shared Read Blocks"] - blocks_below(scan)
        for plan in plans
        for scan in scans(plan["Plan"])
        if scan["Relation Name"] == partition
    ]
    assert read
    assert max(read) < blocks / 50


def blocks_below(scan: dict) -> int:
    """Blocks that a scan's subqueries read of other tables."""
    return sum(
        below["Shared Hit Blocks"] + below["Shared Read Blocks"]
        for below in scan.get("Plans", ())
        if below.get("Parent Relationship") == "SubPlan"
    )
