from datetime import UTC, datetime

import psycopg
import pytest

from monitoring.status.overview import RELATIONS, overview

NOW = datetime.now(UTC)


@pytest.fixture
def facts(conninfo):
    def read():
        with psycopg.connect(conninfo("evaluation"), autocommit=True) as connection:
            return {fact.name: fact for fact in overview(connection, NOW)}

    return read


def deploy(owner, minutes_ago, step, share, live):
    owner.execute(
        "INSERT INTO deployment (at, action, step, version, slot, share, live_version, live_slot,"
        " reason) VALUES (%s - make_interval(mins => %s), 'release', %s, 'v2', 'green', %s, %s, %s,"
        " 'asked for')",
        (NOW, minutes_ago, step, share, *live),
    )


def test_an_empty_database_gives_every_fact(facts):
    assert {*RELATIONS, "live model", "last batch", "last audit", "answers judged"} <= set(facts())


def test_a_canary_leaves_the_live_version_the_rest_of_the_buckets(owner, facts):
    deploy(owner, 9, "shift", 100, ("v1", "blue"))
    assert facts()["live model"].text == "v1 in slot blue for 900 of 1,000 buckets, since 9 min ago"


def test_a_version_is_live_since_its_promotion(owner, facts):
    deploy(owner, 9, "watch", 500, ("v1", "blue"))
    deploy(owner, 5, "promote", 1000, ("v2", "green"))
    assert (
        facts()["live model"].text == "v2 in slot green for 1,000 of 1,000 buckets, since 5 min ago"
    )


def test_buckets_that_an_experiment_drew_are_none_of_the_live_versions(owner, facts):
    deploy(owner, 5, "promote", 1000, ("v2", "green"))
    owner.execute(
        "WITH begun AS (INSERT INTO experiment (name, control, challenger, challenger_slot, salt,"
        " seed, horizon, margin, largest_sample) VALUES ('bolder', 'v2', 'v1', 'blue', 's', 1,"
        " '1 day', 0.05, 2000) RETURNING experiment_id)"
        " INSERT INTO experiment_stratum SELECT experiment_id, 1, 300, '{}', now() FROM begun"
    )
    during = facts()["live model"].text
    owner.execute("UPDATE experiment SET ended_at = now(), end_reason = 'asked for'")

    assert "for 700 of 1,000 buckets" in during
    assert "for 1,000 of 1,000 buckets" in facts()["live model"].text


def test_the_last_release_is_told_with_its_outcome(owner, facts):
    deploy(owner, 5, "promote", 1000, ("v2", "green"))
    assert facts()["last release"].text == "release of v2: promote 5 min ago, asked for"


def test_what_is_odd_with_the_newest_training_data_is_told(owner, facts):
    manifest = '{"data": {"report": {"notes": ["no rating above 5 was seen on a scale to 10"]}}}'
    owner.cursor().executemany(
        "INSERT INTO model_version (created_at, version, algorithm, git_commit, data_hash,"
        " interactions, users, movies, figures, manifest, verdict, reason)"
        " VALUES (%s, %s, 'ease', 'c', 'd', 1, 1, 1, '{}', %s, 'refused', '')",
        [("2026-01-01Z", "v1", manifest), ("2026-01-02Z", "v2", "{}")],
    )
    assert "training data" not in facts()
    owner.execute("UPDATE model_version SET created_at = '2026-01-03Z' WHERE version = 'v1'")
    assert facts()["training data"].text == "no rating above 5 was seen on a scale to 10"


@pytest.mark.parametrize("balanced", [True, False])
def test_an_audit_that_does_not_balance_is_not_well(owner, facts, balanced):
    for partition, found in ((0, True), (1, balanced)):
        owner.execute(
            "INSERT INTO ingest_audit VALUES"
            " (%s, %s, 'full', 0, 9, 9, 1, 1, 1, 1, 1, 0, 0, 4, 0, %s)",
            (NOW, partition, found),
        )
    assert facts()["last audit"].well is balanced


def test_rows_of_all_partitions_are_counted(owner, facts):
    for days in (0, 1):
        owner.execute(
            "INSERT INTO watch VALUES (now() - make_interval(days => %s), 1, 'a', 0, 0, 0)", (days,)
        )
    assert facts()["watch"].text == "2 rows"


def test_the_hit_rate_of_the_last_window_is_told(owner, facts):
    owner.execute(
        "INSERT INTO online_metric (window_start, model_version, arm, metric, window_end, value,"
        " samples) VALUES (now(), 'v1', 'control', 'hit_rate', now(), 0.25, 8)"
    )
    assert facts()["hit rate"].text == "25.0% of 8 answers by v1 (control)"


def test_the_watermark_is_told(owner, facts):
    owner.execute(
        "INSERT INTO evaluation_progress (judged_from, width_since, window_width, horizon,"
        " judged_until, closed_until) VALUES (%(now)s, %(now)s, '1 h', '1 h', %(now)s, %(now)s)",
        {"now": NOW},
    )
    assert facts()["answers judged"].text == "up to 0 s ago"


def test_a_relation_too_large_to_count_is_estimated(owner, facts, monkeypatch):
    monkeypatch.setattr("monitoring.status.overview.COUNTED_BYTES", 0)
    owner.execute("INSERT INTO movie (movie_id) VALUES ('a')")
    owner.execute("ANALYZE movie")
    assert facts()["movie"].text == "about 1 rows"
