"""A release asks people: a real database, evaluation's own passes, played slots and people."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Event

import psycopg
import pytest

from ci.errors import AbortedError
from ci.release import records
from ci.release.plan import Placement
from ci.release.recovery import recover
from ci.release.rollout import release
from ci.slots.state import Slot, green_buckets, send_to_green, sent_to_green
from monitoring.experiments.experiment_pass import look_at_all
from tests.integration.releasing import V1, V2
from tests.waiting import meanwhile

PEOPLE = 400
HALF = 500
SOON = timedelta(seconds=0.5)
LONG = timedelta(minutes=2)
"""Nobody waits so long: what is waited for comes before."""
LANDED = """
INSERT INTO recommendation_request
SELECT started_at + interval '1 ms', user_id, 'door', 200, ARRAY['a'], NULL, 5, 0, user_id
FROM experiment, generate_series(1, %s) AS user_id
"""
WATCHED = """
INSERT INTO watch
SELECT started_at + interval '2 ms', user_id, 'a', 1, 0, 1000 + user_id
FROM experiment
JOIN experiment_stratum AS share USING (experiment_id)
CROSS JOIN generate_series(1, %s) AS user_id
WHERE CASE WHEN bucket_of(user_id) = ANY (share.buckets) THEN {challenger} ELSE {control} END
"""


@pytest.fixture(autouse=True)
def first_release(stage):
    release(stage.environment, V1)


def asking(stage, **settings):
    """The stage's releaser, which asks people now."""
    of_judging = {
        "release_judge_share": HALF,
        "evaluation_horizon": SOON,
        "release_patience": LONG,
    }
    asked = stage.environment.settings.model_copy(update=of_judging | settings)
    return replace(stage.environment, settings=asked, judges_quality=True)


@contextmanager
def people(conninfo, control: str, challenger: str) -> Iterator[None]:
    """As soon as people are asked all of them are answered, and some watch; evaluation looks.

    `control` and `challenger` are SQL conditions on `user_id`: who of them watches.
    """

    def live(over: Event) -> None:
        with (
            psycopg.connect(conninfo("marquee"), autocommit=True) as owner,
            psycopg.connect(conninfo("evaluation"), autocommit=True) as evaluation,
        ):
            while not (over.wait(0.1) or owner.execute("SELECT FROM experiment").rowcount):
                pass
            owner.execute(LANDED, (PEOPLE,))
            owner.execute(WATCHED.format(control=control, challenger=challenger), (PEOPLE,))
            owner.execute("INSERT INTO stream_offset VALUES ('log', 0, 0, 2000)")
            while not over.wait(0.1):
                now = datetime.now(UTC)
                list(look_at_all(evaluation, now, now))

    with meanwhile(live):
        yield


def ended(stage) -> list[tuple[str, str]]:
    return stage.owner.execute(
        "SELECT name, split_part(end_reason, ':', 1) FROM experiment WHERE ended_at IS NOT NULL"
    ).fetchall()


def test_a_version_that_people_do_not_watch_is_stopped(stage, conninfo):
    with (
        people(conninfo, control="mod(user_id, 3) > 0", challenger="mod(user_id, 30) = 0"),
        pytest.raises(AbortedError, match="the gate says stop: people are worse off"),
    ):
        release(asking(stage), V2)
    assert sent_to_green(stage.state) == frozenset()
    assert records.deployed(stage.owner).live == Placement(Slot.BLUE, V1)
    assert ended(stage) == [(f"release of {V2}", "given up")]


def test_a_version_that_people_watch_more_goes_on_and_says_how_much(stage, conninfo):
    with people(conninfo, control="mod(user_id, 3) = 0", challenger="mod(user_id, 30) > 0"):
        release(asking(stage), V2)
    assert records.deployed(stage.owner).live == Placement(Slot.GREEN, V2)
    (words,) = [words for words in stage.said if "quality: " in words]
    assert words.startswith("watch: quality: people are better off with the challenger: between +")
    assert ended(stage) == [(f"release of {V2}", "the release goes on")]


def test_people_are_judged_by_their_bucket_at_the_share_of_judging(stage, conninfo):
    with people(conninfo, control="mod(user_id, 3) = 0", challenger="mod(user_id, 30) > 0"):
        release(asking(stage), V2)
    buckets, share = stage.owner.execute(
        "SELECT buckets, share FROM experiment_stratum"
    ).fetchone() or ([], 0)
    assert (frozenset(buckets), share) == (green_buckets(Slot.GREEN, V2, HALF), HALF)


def test_a_second_release_of_a_version_asks_other_people(stage):
    """Drawn anew, and what the experiment says of its buckets is what was sent to the slot."""
    sent = []
    for _ in range(2):
        told: list[frozenset[int]] = []

        def note(told: list[frozenset[int]] = told) -> str | None:
            if stage.owner.execute("SELECT FROM experiment WHERE ended_at IS NULL").rowcount:
                told.append(sent_to_green(stage.state))
                return "seen enough"
            return None

        with pytest.raises(AbortedError, match="seen enough"):
            release(replace(asking(stage), stop_reason=note), V2)
        sent += told[:1]
    drawn = stage.owner.execute(
        "SELECT seed, buckets FROM experiment JOIN experiment_stratum USING (experiment_id)"
        " ORDER BY experiment_id"
    ).fetchall()
    assert [frozenset(buckets) for _, buckets in drawn] == sent
    assert [seed for seed, _ in drawn] == [0, 1]
    assert len(sent[0] & sent[1]) < 0.6 * HALF


def test_what_patience_does_not_decide_is_undecided_and_never_better(stage, conninfo):
    with people(conninfo, control="mod(user_id, 3) = 0", challenger="mod(user_id, 3) = 0"):
        release(asking(stage, release_patience=timedelta(seconds=3)), V2)
    (words,) = [words for words in stage.said if "quality: " in words]
    assert words.startswith("watch: undecided: quality: ")
    assert words.endswith("goes on (RELEASE_UNDECIDED=proceed)")


def test_an_undecided_judgement_of_people_says_nothing_of_replayed_requests(stage, conninfo):
    stage.answered(7, 8)
    with people(conninfo, control="mod(user_id, 3) = 0", challenger="mod(user_id, 3) = 0"):
        release(asking(stage, release_patience=timedelta(seconds=3)), V2)
    assert any(words.startswith("replay: ") for words in stage.said)
    (words,) = [words for words in stage.said if "quality: " in words]
    assert words.startswith("watch: undecided: quality: ")
    assert "replayed" not in words


def test_without_evaluation_nothing_is_known_and_that_is_said(stage):
    release(asking(stage, release_patience=SOON), V2)
    (words,) = [words for words in stage.said if "quality: " in words]
    assert "undecided: quality: evaluation has not looked at the experiment yet" in words


def test_undecided_ends_a_release_that_is_told_so(stage):
    undecided = asking(stage, release_patience=SOON, release_undecided="abort")
    with pytest.raises(AbortedError, match="undecided: quality: evaluation has not looked"):
        release(undecided, V2)
    assert sent_to_green(stage.state) == frozenset()


def test_guardrails_are_asked_at_every_poll_while_people_judge(stage):
    def fail_once_judged() -> None:
        if any("people judge it" in words for words in stage.said):
            stage.slots["green"].failing.add(V2)

    environment = replace(asking(stage), stop_reason=fail_once_judged)
    with pytest.raises(AbortedError, match="too many errors"):
        release(environment, V2)


def test_an_experiment_does_not_outlive_the_releaser_that_died_on_it(stage):
    stage.owner.execute(
        "INSERT INTO deployment (action, step, version, slot, share, live_version, live_slot,"
        " reason) VALUES ('release', 'watch', %s, 'green', 500, %s, 'blue', 'half way')",
        (V2, V1),
    )
    stage.owner.execute(
        "INSERT INTO experiment (name, control, challenger, challenger_slot, salt, seed, horizon,"
        " margin, largest_sample) VALUES ('release', %s, %s, 'green', 's', 0, '1 day', 0.05, 1)",
        (V1, V2),
    )
    send_to_green(stage.state, green_buckets(Slot.GREEN, V2, HALF))
    recover(stage.environment)
    assert ended(stage) == [("release", "the releaser died after the step watch")]
    assert sent_to_green(stage.state) == frozenset()
