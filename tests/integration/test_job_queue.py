"""The job queue's tables have what the installed library expects, and are brought forward once."""

import psycopg

from compose.migrate.job_queue import library_migrations, migrate_job_queue


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
