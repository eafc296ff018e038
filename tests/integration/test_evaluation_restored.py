"""Evaluation goes on after a restore: what it reckoned with before the backup is not new to it."""

from contextlib import contextmanager

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from compose.backup.database import dump, restore, snapshot
from monitoring.evaluation.evaluation_pass import run_pass
from monitoring.evaluation.results import too_late
from monitoring.evaluation.windows import Terms
from tests.integration.played_stream import (
    MINUTE,
    NOW,
    Answer,
    PlayedStream,
    Watched,
    minutes_credited,
)
from tests.stores import OWNER, as_role, database

TERMS = Terms(width=10 * MINUTE, horizon=30 * MINUTE, lateness=60 * MINUTE)
LONG_IN_USE = 2**40
"""So many transactions ago was the server young that the backup is of."""


@pytest.fixture
def stream(owner):
    return PlayedStream(owner)


@pytest.fixture
def back_up(owner, conninfo, tmp_path):
    """Dump the database as one of a server that has been in use for long."""

    def take():
        owner.execute("UPDATE receipt SET stored_in = stored_in + %s", (LONG_IN_USE,))
        owner.execute(
            "UPDATE evaluation_progress SET receipts_seen = (SELECT format('%%s:%%s:', seen, seen)"
            " FROM (SELECT pg_snapshot_xmax(receipts_seen::pg_snapshot)::text::bigint + %s AS seen)"
            " AS shifted)",
            (LONG_IN_USE,),
        )
        with snapshot(conninfo("backup")) as seen:
            dump(conninfo("backup"), seen.identity, tmp_path / "dump")
        return tmp_path / "dump"

    return take


@contextmanager
def restored(source):
    """Sessions of the owner and of evaluation in a new database that was restored from a dump."""
    with database("restored") as name:
        restore(make_conninfo(OWNER, dbname=name), source)
        with (
            psycopg.connect(as_role(name, "marquee"), autocommit=True) as owner,
            psycopg.connect(as_role(name, "evaluation"), autocommit=True) as evaluation,
        ):
            yield owner, evaluation


def judge(evaluation):
    return run_pass(evaluation, TERMS, NOW, lambda: False)


def test_what_was_credited_before_the_backup_is_not_credited_again(evaluation, stream, back_up):
    answer = Answer(0, 1, ("a",))
    stream.store(answer)
    stream.land(Watched(4, 1, "a"), Watched(5, 1, "a"))
    stream.pass_by(45)
    judge(evaluation)
    with restored(back_up()) as (owner, after):
        judge(after)
        judge(after)
        assert minutes_credited(owner) == {answer.id: 2}


def test_a_receipt_stored_between_the_last_pass_and_the_backup_is_taken_up_once(
    evaluation, stream, back_up
):
    first, late = Answer(0, 1, ("a",)), Answer(3, 1, ("a",))
    stream.store(first)
    stream.land(Watched(2, 1, "a"), Watched(4, 1, "a"), Watched(5, 1, "a"))
    stream.pass_by(45)
    judge(evaluation)
    stream.store(late)
    with restored(back_up()) as (owner, after):
        judge(after)
        judge(after)
        assert minutes_credited(owner) == {first.id: 1, late.id: 2}


def test_a_receipt_that_comes_after_the_restore_is_taken_up_once(evaluation, stream, back_up):
    first, late = Answer(0, 1, ("a",)), Answer(3, 1, ("a",))
    stream.store(first)
    stream.land(Watched(2, 1, "a"), Watched(4, 1, "a"), Watched(5, 1, "a"))
    stream.pass_by(45)
    judge(evaluation)
    with restored(back_up()) as (owner, after):
        PlayedStream(owner).store(late)
        judge(after)
        judge(after)
        assert minutes_credited(owner) == {first.id: 1, late.id: 2}


def test_what_was_judged_in_time_before_the_backup_is_not_too_late_after_it(
    evaluation, stream, back_up
):
    stream.store(Answer(0, 1, ("a",)))
    stream.pass_by(105)
    judge(evaluation)
    with restored(back_up()) as (owner, after):
        judge(after)
        judge(after)
        assert not any(too_late(owner).values())


def test_a_restored_database_that_evaluation_never_saw_is_judged_from_its_first_answer(
    stream, back_up
):
    answer = Answer(0, 1, ("a",))
    stream.store(answer)
    stream.land(Watched(4, 1, "a"))
    stream.pass_by(45)
    with restored(back_up()) as (owner, after):
        judge(after)
        judge(after)
        assert minutes_credited(owner) == {answer.id: 1}
