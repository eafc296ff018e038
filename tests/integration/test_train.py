"""Trainings against a real database, from rows to a version that can be read."""

from datetime import UTC, datetime, timedelta

import numpy as np
import psycopg
import pytest

from tests.stores import service_environment
from trainer.data.snapshot import take_snapshot
from trainer.errors import NoDataError, TrainingRunningError
from trainer.records import live_version, newest_version, training_lock
from trainer.reproduction import reproduce
from trainer.settings import NAMES, Settings
from trainer.training import train
from trainer.versions.directory import version_names
from trainer.versions.reader import read_version
from trainer.versions.writer import version_name

TODAY = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
USERS, MOVIES, TASTES = 80, 60, 4
QUICK = ("popularity", "ease")
"""Each algorithm has tests of its own; here a training is what is tested."""


def ratings(users=USERS):
    """People of four tastes, who each like the movies of one and some that everybody likes."""
    random = np.random.default_rng(1)
    for user in range(1, users + 1):
        taste = user % TASTES
        own = [movie for movie in range(MOVIES) if movie % TASTES == taste]
        chosen = random.permutation(
            [*random.permutation(own)[:10], *random.permutation(MOVIES)[:8]]
        )
        for place, movie in enumerate(dict.fromkeys(int(movie) for movie in chosen)):
            value = 5 if movie % TASTES == taste else 2
            yield TODAY + timedelta(minutes=place), user, f"movie+{movie:02}+1999", value


def load(conninfo, rows, rolled_up=((0, 650), (1, 690))):
    with psycopg.connect(conninfo("ingest")) as connection:
        with connection.cursor().copy(
            "COPY rating (time, user_id, movie_id, rating, log_partition, log_offset) FROM STDIN"
        ) as copy:
            for offset, row in enumerate(rows):
                copy.write_row((*row, offset % 2, offset // 2))
        connection.execute(
            "INSERT INTO stream_offset (topic, log_partition, first_offset, next_offset)"
            " VALUES ('movielog', 0, 0, 700), ('movielog', 1, 0, 690)"
        )
    with psycopg.connect(conninfo("retention")) as connection:
        connection.cursor().executemany("INSERT INTO viewing_progress VALUES (%s, %s)", rolled_up)


@pytest.fixture
def settings(conninfo, tmp_path):
    who = service_environment(conninfo("trainer"), tmp_path)
    return Settings(
        **{name.lower(): value for name, value in who.items()},
        models_directory=tmp_path / "models",
        scratch_directory=tmp_path / "scratch",
        algorithms=QUICK,
    )


def few(users, movies):
    """As a stream of somebody's own begins: so many people have rated so many movies each."""
    for user in range(1, users + 1):
        for movie in range(movies):
            yield TODAY + timedelta(minutes=movie), user, f"movie+{movie:02}+1999", 1 + movie % 5


class Clock:
    """Every look at it is a second later."""

    def __init__(self):
        self.now = datetime(2025, 1, 31, 3, tzinfo=UTC)

    def __call__(self):
        self.now += timedelta(seconds=1)
        return self.now


def quietly(*_):
    pass


@pytest.mark.parametrize(("users", "movies"), [(1, 1), (1, 5), (3, 1), (5, 30)])
def test_where_too_few_people_could_judge_popularity_is_accepted(
    conninfo, trainer, settings, users, movies
):
    load(conninfo, few(users, movies))
    settings = settings.model_copy(update={"algorithms": NAMES})
    first = train(trainer, settings, Clock(), quietly)
    assert (first.algorithm, first.gate["verdict"]) == ("popularity", "accepted")
    assert "no comparison with itself" in first.gate["reason"]
    assert read_version(settings.versions_directory / first.version)


def go_live(conninfo, version):
    with psycopg.connect(conninfo("releaser")) as connection:
        connection.execute(
            "INSERT INTO deployment"
            " (action, step, version, slot, share, live_version, live_slot, reason)"
            " VALUES ('release', 'promote', %(live)s, 'blue', 1000, %(live)s, 'blue', '')",
            {"live": version},
        )


def test_a_training_publishes_a_version_that_can_be_read(conninfo, trainer, settings):
    load(conninfo, ratings())
    manifest = train(trainer, settings, Clock(), quietly)
    version = read_version(settings.versions_directory / manifest.version)
    assert version.name.endswith(version.manifest.algorithm)
    assert len(version.movies) == MOVIES
    liked = [version.movies[item] for item in version.user(1).top_items[:3]]
    assert {int(movie[6:8]) % TASTES for movie in liked} == {1}
    assert not set(version.user(1).top_items) & set(version.user(1).seen)
    assert {"ranking.svg", "places.svg", "data.svg"} <= version.manifest.files.keys()


def test_a_training_records_its_version(conninfo, trainer, settings):
    load(conninfo, ratings())
    manifest = train(trainer, settings, Clock(), quietly)
    row = trainer.execute(
        "SELECT version, algorithm, users, movies, verdict, figures, manifest FROM model_version"
    ).fetchone()
    assert row[:5] == (manifest.version, manifest.algorithm, USERS, MOVIES, "accepted")
    figures = row[5]["algorithms"]
    assert figures["ease"]["ndcg20"]["value"] > figures["popularity"]["ndcg20"]["value"]
    assert row[6]["data"]["offsets"] == {"0": 650, "1": 690}
    assert newest_version(trainer) == manifest


def test_what_is_not_rolled_up_at_all_is_followed_from_the_beginning(conninfo, trainer):
    load(conninfo, ratings(users=5), rolled_up=())
    assert take_snapshot(trainer, 10).summary()["offsets"] == {"0": 0, "1": 0}


def test_a_second_training_makes_a_second_version(conninfo, trainer, settings):
    load(conninfo, ratings())
    clock = Clock()
    names = [train(trainer, settings, clock, quietly).version for _ in range(2)]
    assert version_names(settings.versions_directory) == names
    assert trainer.execute("SELECT count(*) FROM model_version").fetchone() == (2,)


def test_the_same_data_gives_the_same_numbers_by_every_algorithm(conninfo, trainer, settings):
    settings = settings.model_copy(update={"algorithms": NAMES})
    load(conninfo, ratings())
    clock = Clock()
    first, second = (train(trainer, settings, clock, quietly) for _ in range(2))
    beside_others = "versions.svg"  # shows the first one beside the second
    assert {**first.files, beside_others: ""} == {**second.files, beside_others: ""}
    assert first.figures == second.figures


def test_a_version_is_judged_beside_the_live_one(conninfo, trainer, settings):
    load(conninfo, ratings())
    clock = Clock()
    first = train(trainer, settings, clock, quietly)
    go_live(conninfo, first.version)
    second = train(trainer, settings, clock, quietly)
    assert live_version(trainer).version == first.version
    assert second.figures["gains"]["over_live"] == {"value": 0, "low": 0, "high": 0}
    assert second.gate["verdict"] == "accepted"


def test_a_version_tells_of_its_data_against_the_one_before(conninfo, trainer, settings):
    load(conninfo, ratings())
    clock = Clock()
    first = train(trainer, settings, clock, quietly).data["report"]
    second = train(trainer, settings, clock, quietly).data["report"]
    assert "drift" not in first
    assert (second["drift"], second["users_unseen"], second["alarms"]) == (0, 0, [])


def test_a_version_is_made_again_from_its_pinned_data(conninfo, trainer, settings):
    load(conninfo, ratings())
    manifest = train(trainer, settings, Clock(), quietly)
    comparison = reproduce(settings, manifest.version, quietly)
    assert comparison.told() == ("reproduced: bit-equal, the same type of CPU, the same code")


def test_a_version_whose_answers_can_be_asked_about_keeps_its_lists(conninfo, trainer, settings):
    load(conninfo, ratings())
    keeping_one = settings.model_copy(update={"keep_versions": 1})
    clock = Clock()
    first = train(trainer, keeping_one, clock, quietly)
    with psycopg.connect(conninfo("recommender")) as connection:
        connection.execute(
            "INSERT INTO receipt (receipt_id, time, user_id, movie_ids, model_version, slot,"
            " bucket, arm, reason, latency_ms)"
            " VALUES (gen_random_uuid(), now(), 1, '{}', %s, 'blue', 0, 'control', 'model', 1)",
            (first.version,),
        )
    train(trainer, keeping_one, clock, quietly)
    left = {path.name for path in (settings.versions_directory / first.version).iterdir()}
    assert "top_items.npy" in left
    assert "popular.npy" not in left


def test_nothing_to_train_on_is_said_clearly(trainer, settings):
    with pytest.raises(NoDataError, match="there is no rating and no viewing yet"):
        train(trainer, settings, Clock(), quietly)


def test_too_few_people_to_judge_by_is_a_refusal_with_its_reason(conninfo, trainer, settings):
    load(conninfo, ratings())
    clock = Clock()
    go_live(conninfo, train(trainer, settings, clock, quietly).version)
    demanding = settings.model_copy(update={"gate_minimum_users": USERS + 1})
    manifest = train(trainer, demanding, clock, quietly)
    assert manifest.gate["verdict"] == "refused"
    assert "too little to judge by" in manifest.gate["reason"]


def test_a_single_rating_is_trained_on(conninfo, trainer, settings):
    load(conninfo, [(TODAY, 1, "movie+1999", 5)])
    manifest = train(trainer, settings, Clock(), quietly)
    assert "0 users have a liked movie held out" in manifest.gate["reason"]


def test_two_trainings_at_once_are_impossible(conninfo, trainer, settings):
    load(conninfo, ratings())
    with (
        psycopg.connect(conninfo("trainer"), autocommit=True) as other,
        training_lock(other),
        pytest.raises(TrainingRunningError),
    ):
        train(trainer, settings, Clock(), quietly)


def test_a_version_that_cannot_be_recorded_is_not_left(conninfo, trainer, settings):
    load(conninfo, ratings())
    clock = Clock()
    first = train(trainer, settings, clock, quietly)
    trainer.execute(
        "INSERT INTO model_version (version, algorithm, created_at, git_commit, data_hash,"
        " interactions, users, movies, figures, manifest, verdict, reason)"
        " VALUES (%s, '', '2000-01-01', '', '', 0, 0, 0, '{}', '{}', '', '')",
        (version_name(clock.now + timedelta(seconds=1), first.algorithm),),
    )
    with pytest.raises(psycopg.errors.UniqueViolation):
        train(trainer, settings, clock, quietly)
    assert version_names(settings.versions_directory) == [first.version]


def test_nothing_is_made_again_while_a_training_runs(conninfo, trainer, settings):
    load(conninfo, ratings())
    manifest = train(trainer, settings, Clock(), quietly)
    with (
        psycopg.connect(conninfo("trainer"), autocommit=True) as other,
        training_lock(other),
        pytest.raises(TrainingRunningError),
    ):
        reproduce(settings, manifest.version, quietly)


def test_what_a_setting_leaves_out_is_told(conninfo, trainer, settings):
    load(conninfo, few(users=3, movies=1))
    told = []
    train(trainer, settings, Clock(), lambda line, _: told.append(line))
    assert any("not tried, as ALGORITHMS does not name it: " in line for line in told)


def test_old_versions_that_cannot_be_removed_do_not_fail_a_training(
    conninfo, trainer, settings, tmp_path
):
    load(conninfo, ratings())
    keeping_one = settings.model_copy(
        update={"keep_versions": 1, "state_directory": tmp_path / "state"}
    )
    told, clock = [], Clock()
    first = train(trainer, keeping_one, clock, quietly)
    slots = tmp_path / "state" / "slots"
    slots.mkdir(parents=True)
    (slots / "blue.json").write_text("[]")
    second = train(trainer, keeping_one, clock, lambda line, _: told.append(line))
    assert newest_version(trainer) == second
    assert version_names(settings.versions_directory) == [first.version, second.version]
    assert told[-1].startswith(
        "the version is published, but old ones could not be removed: blue.json names no"
    )


def test_what_a_killed_training_left_is_gone_after_the_next(conninfo, trainer, settings):
    load(conninfo, ratings())
    left = settings.versions_directory / ".tmp-20250131-020000-ease"
    left.mkdir(parents=True)
    (left / "movies.txt").write_text("alien+1979\n")
    train(trainer, settings, Clock(), quietly)
    assert not left.exists()


def test_old_versions_go_but_never_what_is_deployed(conninfo, trainer, settings):
    load(conninfo, ratings())
    keeping_one = settings.model_copy(update={"keep_versions": 1})
    clock = Clock()
    first = train(trainer, keeping_one, clock, quietly)
    go_live(conninfo, first.version)
    train(trainer, keeping_one, clock, quietly)
    third = train(trainer, keeping_one, clock, quietly)
    assert version_names(settings.versions_directory) == [first.version, third.version]


def test_progress_ends_at_one_and_never_goes_back(conninfo, trainer, settings):
    load(conninfo, ratings())
    shares = []
    train(trainer, settings, Clock(), lambda _, done: shares.append(done))
    assert shares == sorted(shares)
    assert shares[-1] == 1


def test_the_latest_of_several_ratings_counts(conninfo, trainer):
    load(
        conninfo,
        [
            (TODAY + timedelta(hours=2), 1, "alien+1979", 4),
            (TODAY + timedelta(hours=1), 1, "alien+1979", 1),
        ],
    )
    interactions = take_snapshot(trainer, 10).interactions
    assert interactions.ratings.tolist() == [4]


def test_at_the_same_time_the_rating_later_in_the_stream_counts(conninfo, trainer):
    load(conninfo, [(TODAY, 1, "alien+1979", 5), (TODAY, 1, "alien+1979", 2)])
    assert take_snapshot(trainer, 10).interactions.ratings.tolist() == [2]


def add_viewing(conninfo, user, movie, minutes, day=TODAY):
    with psycopg.connect(conninfo("retention")) as connection:
        connection.execute(
            "INSERT INTO viewing VALUES (%s, %s, %s, %s, %s, %s, %s)",
            (day, user, movie, minutes, minutes, day, day + timedelta(hours=3)),
        )


def test_a_long_enough_viewing_counts_without_a_rating(conninfo, trainer):
    add_viewing(conninfo, 1, "alien+1979", 9)
    add_viewing(conninfo, 1, "brazil+1985", 10)
    interactions = take_snapshot(trainer, 10).interactions
    assert interactions.movies == ("brazil+1985",)
    assert np.isnan(interactions.ratings).all()


def test_where_everybody_watches_and_nobody_rates_a_model_is_trained(conninfo, trainer, settings):
    with psycopg.connect(conninfo("retention")) as connection:
        connection.cursor().executemany(
            "INSERT INTO viewing VALUES (%s, %s, %s, %s, %s, %s, %s)",
            [
                (TODAY.date(), user, movie, 60, 59, time, time + timedelta(minutes=1))
                for time, user, movie, value in ratings()
                if value == 5
            ],
        )
    manifest = train(trainer, settings, Clock(), quietly)
    assert (manifest.algorithm, manifest.gate["verdict"]) == ("ease", "accepted")
    assert manifest.data["report"]["viewings_liked"]
    assert manifest.figures["gains"]["over_popularity"]["low"] > 0


def test_viewings_of_several_days_are_summed(conninfo, trainer):
    add_viewing(conninfo, 1, "alien+1979", 6)
    add_viewing(conninfo, 1, "alien+1979", 6, TODAY + timedelta(days=1))
    assert len(take_snapshot(trainer, 10).interactions) == 1


def test_a_movie_watched_and_rated_is_one_interaction_at_the_rating(conninfo, trainer):
    load(conninfo, [(TODAY + timedelta(hours=1), 1, "alien+1979", 4)])
    add_viewing(conninfo, 1, "alien+1979", 100)
    interactions = take_snapshot(trainer, 10).interactions
    assert interactions.ratings.tolist() == [4]
    at = (TODAY + timedelta(hours=1)).timestamp() * 1e6
    assert interactions.times.tolist() == [at]


def test_a_training_leaves_the_connection_able_to_write(conninfo, trainer):
    load(conninfo, ratings(users=5))
    take_snapshot(trainer, 10)
    assert trainer.execute("SHOW transaction_read_only").fetchone() == ("off",)


def test_the_data_hash_tells_data_apart(conninfo, trainer):
    load(conninfo, [(TODAY, 1, "alien+1979", 4)])
    first = take_snapshot(trainer, 10).summary()["hash"]
    assert take_snapshot(trainer, 10).summary()["hash"] == first
    add_viewing(conninfo, 1, "brazil+1985", 100)
    assert take_snapshot(trainer, 10).summary()["hash"] != first


def test_years_and_genres_come_from_the_catalogue_or_else_from_the_id(conninfo, trainer):
    load(conninfo, [(TODAY, 1, movie, 4) for movie in ("alien+1979", "brazil+1985", "heat")])
    with psycopg.connect(conninfo("retention")) as connection:
        connection.execute(
            "INSERT INTO movie (movie_id, release_date, genres)"
            " VALUES ('alien+1979', '1980-05-25', '{Horror}'), ('brazil+1985', NULL, NULL)"
        )
    catalogue = take_snapshot(trainer, 10).interactions.catalogue
    assert catalogue.years.tolist() == [1980, 1985, 0]
    assert catalogue.genres.tolist() == [[True], [False], [False]]
