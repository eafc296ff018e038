"""The role that Jenkins has: it asks for jobs, follows them, tells how steps ended, no more."""

import os
import re
import subprocess
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from ci.helper.verbs import VERBS
from compose.service.jobs import defer, job_app, say
from tests.waiting import eventually
from trainer.worker import ask

ROOT = Path(__file__).parents[2]


@pytest.fixture
def scheduler(conninfo):
    with psycopg.connect(conninfo("scheduler"), autocommit=True) as connection:
        yield connection


def jobs(owner):
    return owner.execute(
        "SELECT queue_name, task_name, lock, queueing_lock, args FROM procrastinate_jobs"
        " ORDER BY id"
    ).fetchall()


def test_it_asks_for_the_very_training_that_the_command_asks_for(conninfo, owner, scheduler):
    scheduler.execute("SELECT ask_for('train')")
    owner.execute("UPDATE procrastinate_jobs SET status = 'succeeded'")
    ask(conninfo("trainer"))
    first, second = jobs(owner)
    assert first == second


def test_it_asks_for_the_very_release_that_the_schedule_asks_for(owner, scheduler):
    """That one leaves a release alone which is judged, where a person's supersedes it."""
    scheduler.execute("SELECT ask_for('release')")
    ((queue, task, lock, queueing_lock, arguments),) = jobs(owner)
    assert (queue, task, lock, queueing_lock) == (
        *("release", "scheduled_release", "release", "scheduled_release"),
    )
    (seconds,) = owner.execute("SELECT extract(epoch FROM now())").fetchone()
    assert list(arguments) == ["timestamp"]
    assert 0 <= seconds - arguments["timestamp"] < 600


def test_a_second_request_joins_the_one_that_waits(owner, scheduler):
    asked = [scheduler.execute("SELECT ask_for('train')").fetchone() for _ in range(2)]
    assert asked[0] == asked[1]
    assert len(jobs(owner)) == 1


def test_it_follows_what_can_be_asked_for_and_nothing_else(conninfo, scheduler):
    (job,) = scheduler.execute("SELECT ask_for('release')").fetchone()
    other = defer(job_app(conninfo("backup")), "backup", "backup")
    for job_id, role in ((job, "releaser"), (other, "backup")):
        say(conninfo(role), job_id, "said")
    followed = "SELECT asked_job_status(%s), (SELECT count(*) FROM asked_job_lines(%s, 0))"
    assert scheduler.execute(followed, (job, job)).fetchone() == ("todo", 1)
    assert scheduler.execute(followed, (other, other)).fetchone() == (None, 0)


def test_a_job_that_it_may_not_ask_for_is_refused_with_what_there_is(owner, scheduler):
    with pytest.raises(psycopg.errors.InvalidParameterValue, match="there are: train, release"):
        scheduler.execute("SELECT ask_for('rollback')")
    assert jobs(owner) == []


def test_how_often_a_step_failed_since_it_last_ended_well_is_one_row(owner, scheduler):
    for well in (False, True, False, False):
        scheduler.execute("SELECT step_ended('lint', %s)", (well,))
    scheduler.execute("SELECT step_ended('images', true)")
    rows = owner.execute("SELECT step, failures FROM pipeline_step ORDER BY step").fetchall()
    assert rows == [("images", 0), ("lint", 2)]


def test_it_tells_of_what_the_helper_can_be_asked_for_and_of_nothing_else(scheduler):
    for verb in VERBS:
        scheduler.execute("SELECT step_ended(%s, true)", (verb,))
    with pytest.raises(psycopg.errors.InvalidParameterValue, match="there are: lint, "):
        scheduler.execute("SELECT step_ended('train', true)")


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM procrastinate_jobs",
        "SELECT * FROM job_log",
        "SELECT * FROM rating",
        "SELECT * FROM deployment",
        "SELECT * FROM live_now",
        "SELECT * FROM pipeline_step",
        "INSERT INTO procrastinate_jobs (queue_name, task_name) VALUES ('train', 'train')",
        "INSERT INTO job_log (job_id, message) VALUES (1, 'x')",
        "DELETE FROM procrastinate_jobs",
        "CREATE TABLE t ()",
        "CREATE TEMP TABLE t ()",
        "SELECT lo_create(0)",
        "SELECT pg_advisory_lock(1)",
        "SELECT pg_read_file('/etc/passwd')",
        "SET ROLE releaser",
        "COPY (SELECT 1) TO PROGRAM 'true'",
        "UPDATE procrastinate_jobs SET status = 'cancelled'",
    ],
)
def test_it_may_do_nothing_else(scheduler, statement):
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        scheduler.execute(statement)


def test_it_reads_no_table_or_view_at_all(owner):
    readable = owner.execute(
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace"
        " AND relkind IN ('r', 'p', 'v', 'm', 'S')"
        " AND has_any_column_privilege('scheduler', oid, 'SELECT, INSERT, UPDATE')"
        " AND relkind <> 'S'"
    ).fetchall()
    assert readable == []


def test_nobody_else_asks_by_its_functions(conninfo):
    with (
        psycopg.connect(conninfo("ingest")) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute("SELECT ask_for('release')")


@contextmanager
def asking(conninfo, tmp_path, task):
    """The command that a step of the nightly pipeline runs, in Jenkins's environment."""
    where = conninfo_to_dict(conninfo("scheduler"))
    passfile = tmp_path / "pgpass"
    passfile.write_text(f"*:*:*:*:{where['password']}\n")
    passfile.chmod(0o600)
    libpq = {
        "PGHOST": where["host"],
        "PGPORT": where["port"],
        "PGDATABASE": where["dbname"],
        "PGUSER": where["user"],
        "PGPASSFILE": str(passfile),
    }
    with subprocess.Popen(
        ["ci/jenkins/ask_queue.sh", task],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **libpq},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as command:
        try:
            yield command
        finally:
            command.kill()


@pytest.mark.parametrize(
    ("task", "end"),
    [
        ("train", ("succeeded", 0)),
        ("train", ("failed", 1)),
        ("train", ("cancelled", 1)),
        ("release", ("succeeded", 0)),
        ("release", ("failed", 1)),
        ("release", ("cancelled", 0)),  # it left one under way alone
    ],
)
def test_the_step_prints_what_the_job_says_and_ends_as_it_ends(
    conninfo, owner, tmp_path, task, end
):
    ended, code = end
    with asking(conninfo, tmp_path, task) as command:
        eventually(lambda: jobs(owner), 30, "the job")
        (job,) = owner.execute("SELECT id FROM procrastinate_jobs").fetchone()
        worker = conninfo({"train": "trainer", "release": "releaser"}[task])
        say(worker, job, "half of it")
        say(worker, job, "a report\nof two lines")
        owner.execute("UPDATE procrastinate_jobs SET status = %s", (ended,))
        out, _ = command.communicate(timeout=60)
    told = re.sub(r"^[\d:]{8} ", "", out, flags=re.MULTILINE)
    assert told == f"{task} is job {job}\nhalf of it\na report\nof two lines\n"
    assert command.returncode == code


def test_a_database_that_refuses_is_an_error_of_the_step(conninfo, tmp_path):
    with asking(conninfo, tmp_path, "rollback") as command:
        out, err = command.communicate(timeout=60)
    assert (command.returncode, out) == (1, "")
    assert "there are: train, release" in err
