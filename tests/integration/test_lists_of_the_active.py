"""People who were not active before a training: no list is computed for them, and none missed."""

import json
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from tests.integration.serving import get
from tests.stores import service_environment
from tests.waiting import eventually
from trainer.reproduction import reproduce
from trainer.settings import Settings
from trainer.training import train
from trainer.versions.reader import read_version

TODAY = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
MOVIES, TASTES = 40, 4
ACTIVE, LATELY_AWAY = range(1, 41), range(41, 61)


def ratings():
    """People of four tastes rated nine of ten movies of theirs, and one of each other.

    Some did it early, some twelve hours later.
    """
    for user in (*ACTIVE, *LATELY_AWAY):
        begun = TODAY + timedelta(hours=12 if user in ACTIVE else 0)
        own = [movie for movie in range(MOVIES) if movie % TASTES == user % TASTES]
        del own[user % len(own)]
        others = [(user % TASTES + step) % TASTES for step in range(1, TASTES)]
        for minute, movie in enumerate([*others, *own]):
            value = 5 if movie in own else 2
            yield begun + timedelta(minutes=minute), user, f"movie+{movie:02}+1999", value


@pytest.fixture
def loaded(conninfo):
    """All of these ratings are in the database."""
    with psycopg.connect(conninfo("ingest")) as connection:
        with connection.cursor().copy(
            "COPY rating (time, user_id, movie_id, rating, log_partition, log_offset) FROM STDIN"
        ) as copy:
            for offset, row in enumerate(ratings()):
                copy.write_row((*row, 0, offset))
        connection.execute(
            "INSERT INTO stream_offset (topic, log_partition, first_offset, next_offset)"
            " VALUES ('movielog', 0, 0, 720)"
        )
    with psycopg.connect(conninfo("retention")) as connection:
        connection.execute("INSERT INTO viewing_progress VALUES (0, 720)")


@pytest.fixture
def settings(conninfo, tmp_path, slots):
    folder = tmp_path / "trainer"
    folder.mkdir()
    return Settings(
        **{
            name.lower(): value
            for name, value in service_environment(conninfo("trainer"), folder).items()
        },
        models_directory=slots.models,
        scratch_directory=tmp_path / "scratch",
        algorithms=("popularity", "ease"),
        lists_active_days=0.25,
    )


@pytest.mark.usefixtures("loaded")
def test_who_was_not_active_has_no_list_and_gets_a_personal_one_when_they_come(
    trainer, settings, slots
):
    manifest = train(trainer, settings, lambda: datetime.now(UTC), lambda *_: None)
    version = read_version(settings.versions_directory / manifest.version)
    slot = slots.start("blue", manifest.version)
    answers = {user: asked(slot, user) for user in (1, 41, 42, 60)}

    assert manifest.figures["lists"]["people"]["value"] == len(ACTIVE)
    assert version.contents.top.items.shape == (len(ACTIVE), 100)
    assert [answer["reason"] for answer in answers.values()] == ["model", *["fold_in"] * 3]
    for user, answer in answers.items():
        listed = [movie["movie_id"] for movie in answer["movies"]]
        seen = {version.movies[item] for item in version.user(user).seen}
        assert int(listed[0][6:8]) % TASTES == user % TASTES  # the one of their taste they missed
        assert not seen & set(listed)


@pytest.mark.usefixtures("loaded")
def test_a_receipt_of_such_a_list_is_explained_by_what_they_had_done(trainer, settings, slots):
    manifest = train(trainer, settings, lambda: datetime.now(UTC), lambda *_: None)
    answer = asked(slots.start("blue", manifest.version), 41)
    eventually(lambda: slots.explain(answer["receipt_id"]).returncode == 0)
    said = slots.explain(answer["receipt_id"]).stdout

    first = answer["movies"][0]
    assert "reason   fold_in: scored then" in said
    assert f"  1 {first['movie_id']} ({first['score']:.3f}): movie+" in said


@pytest.mark.usefixtures("loaded")
def test_such_a_version_is_made_again_from_its_pinned_data(trainer, settings):
    manifest = train(trainer, settings, lambda: datetime.now(UTC), lambda *_: None)
    everybody = settings.model_copy(update={"lists_active_days": 90})
    assert reproduce(everybody, manifest.version, lambda _: None).reproduced


def asked(slot, user):
    return json.loads(get(slot.port, f"/recommend/{user}", Accept="application/json")[1])
