"""A whole backup is noted in the database, where alerts and people look for it."""

import psycopg
import pytest

from compose.backup.worker import record


def test_a_whole_backup_is_noted_with_its_size(conninfo, tmp_path):
    (tmp_path / "database.dump").write_bytes(b"x" * 100)
    record(conninfo("backup"), tmp_path)
    with psycopg.connect(conninfo("analyst")) as people:
        assert people.execute("SELECT directory, bytes FROM backup").fetchall() == [
            (str(tmp_path), 100)
        ]


def test_the_worker_cannot_take_a_note_back(conninfo, tmp_path):
    record(conninfo("backup"), tmp_path)
    with (
        psycopg.connect(conninfo("backup")) as worker,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        worker.execute("DELETE FROM backup")
