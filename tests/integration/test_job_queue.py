"""The job queue's tables: brought forward with the library, and each queue for its own service."""

import psycopg
import pytest
from procrastinate.exceptions import AlreadyEnqueued, ConnectorException

from compose.migrate.job_queue import library_migrations, migrate_job_queue
from compose.service.jobs import defer, job_app


def test_the_queues_tables_have_every_migration_of_the_installed_library(conninfo):
    with psycopg.connect(conninfo("marquee")) as connection:
        known = connection.execute("SELECT name FROM procrastinate_migrations").fetchall()
    assert {name for (name,) in known} == library_migrations().keys()


def test_a_later_library_brings_the_tables_forward_once(conninfo):
    later = library_migrations() | {"99.0": "ALTER TABLE procrastinate_jobs ADD COLUMN x int"}
    with psycopg.connect(conninfo("marquee"), autocommit=True) as connection:
        assert migrate_job_queue(connection, "", later) == ["99.0"]
        assert migrate_job_queue(connection, "", later) == []
        assert connection.execute("SELECT x FROM procrastinate_jobs").fetchall() == []


def test_tables_from_before_a_record_was_kept_are_taken_for_what_they_were_then(conninfo):
    with psycopg.connect(conninfo("marquee"), autocommit=True) as connection:
        connection.execute("DROP TABLE procrastinate_migrations")
        assert migrate_job_queue(connection, "", library_migrations()) == []


def test_a_service_asks_for_jobs_of_its_own_queue_and_of_no_other(conninfo):
    app = job_app(conninfo("trainer"))
    assert defer(app, "train", "train") > 0
    with pytest.raises(ConnectorException) as refused:
        defer(app, "release", "release")
    assert "the queue release is not for trainer" in str(refused.value.__cause__)


def test_a_second_request_for_the_same_job_is_still_told_from_another_failure(conninfo):
    app = job_app(conninfo("trainer"))
    defer(app, "train", "train")
    with pytest.raises(AlreadyEnqueued):
        defer(app, "train", "train")


def test_a_service_ends_no_job_of_another_queue(conninfo):
    defer(job_app(conninfo("releaser")), "release", "release")
    with psycopg.connect(conninfo("trainer"), autocommit=True) as connection:
        for change in (
            "UPDATE procrastinate_jobs SET status = 'cancelled'",
            "DELETE FROM procrastinate_jobs",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege, match="not for trainer"):
                connection.execute(change)
        seen = connection.execute("SELECT queue_name, status::text FROM procrastinate_jobs")
        assert seen.fetchall() == [("release", "todo")]
