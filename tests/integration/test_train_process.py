"""A training in a process of its own, ended in every way it can end."""

import multiprocessing
import os

import psycopg
import pytest

from tests.stores import service_environment
from trainer.errors import DatabaseError, NoDataError, TrainingDiedError
from trainer.process import train_beside
from trainer.settings import Settings
from trainer.versions.directory import version_names
from trainer.versions.reader import read_version


@pytest.fixture
def settings(conninfo, tmp_path):
    who = service_environment(conninfo("trainer"), tmp_path)
    return Settings(
        **{name.lower(): value for name, value in who.items()},
        models_directory=tmp_path / "models",
        algorithms=("popularity", "ease"),
    )


@pytest.fixture
def ratings(conninfo):
    with psycopg.connect(conninfo("ingest")) as connection:
        connection.execute(
            "INSERT INTO rating (time, user_id, movie_id, rating, log_partition, log_offset)"
            " SELECT date_trunc('day', now()), place % 50, 'movie+' || place % 70, 5, 0, place"
            " FROM generate_series(1, 1000) AS place"
        )


def never():
    return False


def ignore(*_):
    pass


def kill_it(*_):
    for process in multiprocessing.active_children():
        process.kill()


@pytest.mark.usefixtures("ratings")
def test_its_version_can_be_read(settings):
    manifest = train_beside(settings, ignore, never)
    assert read_version(settings.versions_directory / manifest.version).manifest == manifest


@pytest.mark.usefixtures("ratings")
def test_its_steps_are_told_here(settings):
    told = []
    train_beside(settings, lambda message, _: told.append((os.getpid(), message)), never)
    assert (os.getpid(), "nothing is live") in told


def test_its_error_is_raised_here(settings):
    with pytest.raises(NoDataError, match="no rating and no viewing yet"):
        train_beside(settings, ignore, never)


@pytest.mark.usefixtures("ratings")
def test_that_it_was_killed_is_said(settings):
    with pytest.raises(TrainingDiedError, match="signal 9, perhaps for want of memory"):
        train_beside(settings, kill_it, never)
    assert version_names(settings.versions_directory) == []


def test_why_the_database_would_not_is_said(settings):
    unreachable = settings.model_copy(update={"database_name": "nowhere"})
    with pytest.raises(DatabaseError, match=r'^PostgreSQL would not: .*"nowhere"'):
        train_beside(unreachable, ignore, never)


def test_that_it_failed_is_said(settings, capfd):
    nonsense = settings.model_copy(update={"rating_max": "nonsense"})
    with pytest.raises(TrainingDiedError, match="status 1; its log says why"):
        train_beside(nonsense, ignore, never)
    assert "TypeError" in capfd.readouterr().err


@pytest.mark.usefixtures("ratings")
def test_it_is_given_up_when_asked_to_stop(settings):
    assert train_beside(settings, ignore, lambda: True) is None
    assert multiprocessing.active_children() == []
    assert version_names(settings.versions_directory) == []


@pytest.mark.usefixtures("ratings")
def test_after_a_kill_the_next_training_starts_clean(settings):
    with pytest.raises(TrainingDiedError):
        train_beside(settings, kill_it, never)
    train_beside(settings, ignore, never)
    assert len(version_names(settings.versions_directory)) == 1
