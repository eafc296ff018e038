"""The owner's password changes on a server of its own: killed or twice at once, all fits again."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from compose.migrate.rotation import rotate, rotate_by_name
from compose.secrets.__main__ import main
from compose.secrets.files import passfile
from compose.service.command_line import run as run_commands
from tests.end_to_end.test_9_secrets import data, server

__all__ = ["data"]

pytestmark = pytest.mark.skipif(os.getuid() != 0, reason="gives files to other user ids")

OWNER = "postgres"
SESSIONS = 8


class KilledError(BaseException):
    """Nobody catches it, as nobody does SIGKILL."""


@pytest.fixture
def volume(tmp_path: Path) -> Path:
    """A secrets volume as the first start leaves it."""
    assert main(["make"], tmp_path, tmp_path) == 0
    return tmp_path


def password(volume: Path) -> str:
    return (volume / OWNER).read_text()


def lets_in(conninfo: str, password: str) -> bool:
    try:
        psycopg.connect(make_conninfo(conninfo, password=password)).close()
    except psycopg.OperationalError:
        return False
    return True


def connect(conninfo: str, volume: Path) -> psycopg.Connection:
    return psycopg.connect(make_conninfo(conninfo, password=password(volume)), autocommit=True)


def renaming_until(number: int) -> Callable[[Path, Path], Path]:
    calls, rename = count(), Path.rename

    def rename_or_die(path: Path, target: Path) -> Path:
        if next(calls) == number:
            raise KilledError
        return rename(path, target)

    return rename_or_die


def test_a_rotation_that_was_killed_is_made_good_by_the_next_start(data, volume, monkeypatch):
    """A server takes the volume's password where that is another than when it started last."""
    for renames in (0, 1):
        with (
            server(data, password(volume)) as conninfo,
            connect(conninfo, volume) as session,
            monkeypatch.context() as killing,
        ):
            killing.setattr(Path, "rename", renaming_until(renames))
            with pytest.raises(KilledError):
                rotate(session, volume, OWNER)
        with server(data, password(volume)) as conninfo:
            assert lets_in(conninfo, password(volume))
        assert main(["make"], volume, volume) == 0
        assert (volume / "migrate.pgpass").read_text() == passfile(password(volume))


def test_rotations_at_once_wait_for_each_other(data, volume):
    before = password(volume)
    with server(data, before) as conninfo:
        sessions = [connect(conninfo, volume) for _ in range(SESSIONS)]
        with ThreadPoolExecutor(SESSIONS) as pool:
            list(pool.map(lambda session: rotate(session, volume, OWNER), sessions))
        for session in sessions:
            session.close()
        assert lets_in(conninfo, password(volume))
        assert not lets_in(conninfo, before)
    assert (volume / "migrate.pgpass").read_text() == passfile(password(volume))
    assert list(volume.glob(".*")) == []


def test_an_owner_who_is_not_let_in_is_told_so_in_one_line(data):
    with server(data, "the-first") as conninfo:
        lost = make_conninfo(conninfo, password="lost")  # noqa: S106
        with pytest.raises(SystemExit) as ended:
            run_commands(lambda: rotate_by_name(lost, "ingest"))
    assert "password authentication failed" in ended.value.code
    assert "\n" not in ended.value.code
