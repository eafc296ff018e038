"""What a release is judged by before and while people get it, and what is kept of that."""

import re
from dataclasses import replace

import psycopg
import pytest

from ci.errors import AbortedError
from ci.release import records
from ci.release.recent_requests import seen_movies
from ci.release.rollout import release, rollback
from ci.slots.state import sent_to_green
from tests.integration.releasing import V1, V2, V3, IdleSlot


def measured(stage, evidence):
    rows = stage.owner.execute(
        "SELECT metric, value, live_value, bound, verdict FROM gate_measurement"
        " WHERE evidence = %s ORDER BY measurement_id",
        (evidence,),
    )
    return {metric: rest for metric, *rest in rows}


def rejected(stage):
    return stage.owner.execute(
        "SELECT version, slot, reason, figures, answers, log FROM rejected_candidate"
    ).fetchall()


def test_recent_requests_are_replayed_against_both_slots_before_a_share_is_shifted(stage):
    release(stage.environment, V1)
    stage.answered(7, 7, 8)
    release(stage.environment, V2)
    assert (stage.slots["green"].replayed, stage.slots["blue"].replayed) == (3, 3)
    steps = [step for step, _share, _live in stage.steps()]
    assert steps[steps.index("replay") - 1] == "ready"
    assert steps[steps.index("replay") + 1] == "shift"
    assert measured(stage, "replayed")["overlap"] == [1.0, None, 0.01, "go"]
    evidence = stage.owner.execute(
        "SELECT step, evidence FROM deployment WHERE evidence IS NOT NULL ORDER BY step_id"
    ).fetchall()
    assert evidence == [("replay", "replayed"), *[("watch", "live")] * 3]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ("", "lists are too short"),
        (",".join(f"other+{number}" for number in range(20)), "only 0.0% of the live lists"),
        (",".join(["heat+1995", *(f"movie+{n}" for n in range(19))]), "has seen"),
    ],
    ids=["empty", "nothing in common", "seen before"],
)
def test_a_version_whose_replayed_lists_are_wrong_gets_nobody(stage, answer, words):
    release(stage.environment, V1)
    stage.answered(*[7] * 20)
    stage.owner.execute(
        "INSERT INTO rating (time, user_id, movie_id, rating, log_partition, log_offset)"
        " VALUES (now() - interval '1 hour', 7, 'heat+1995', 4, 0, 0)"
    )
    stage.slots["green"].lists[V2] = answer
    with pytest.raises(AbortedError, match=words):
        release(stage.environment, V2)
    assert "shift" not in [step for step, _share, _live in stage.steps()[-2:]]
    assert sent_to_green(stage.state) == frozenset()
    ((version, slot, reason, figures, answers, log),) = rejected(stage)
    assert (version, slot) == (V2, "green")
    assert words in reason
    assert "replayed at 0: overlap" in figures
    assert answers[0]["user_id"] == 7
    assert [line.startswith('{"event": "loaded"') for line in log] == [True]


@pytest.mark.parametrize(("minutes", "is_seen"), [(9, False), (10, True)])
def test_a_movie_that_was_left_at_once_may_be_shown_again(stage, minutes, is_seen):
    stage.owner.execute(
        "INSERT INTO viewing VALUES"
        " (date_trunc('day', now()), 7, 'heat+1995', %s, 9,"
        " now() - interval '1 hour', now() - interval '1 hour')",
        (minutes,),
    )
    assert seen_movies(stage.owner, [7]) == ({7: {"heat+1995"}} if is_seen else {})


def test_a_version_that_people_s_requests_speak_against_leaves_its_evidence(stage):
    release(stage.environment, V1)
    stage.slots["green"].failing.add(V2)
    with pytest.raises(AbortedError, match="too many errors"):
        release(stage.environment, V2)
    value, live, bound, verdict = measured(stage, "live")["failed_share"]
    assert (value, live, bound, verdict) == (1.0, 0.0, 0.01, "stop")
    ((version, _slot, reason, figures, _answers, _log),) = rejected(stage)
    assert version == V2
    assert "too many errors" in reason
    assert figures["live at 10: failed_share"] == 1.0


def test_the_story_tells_each_step_with_the_row_that_shows_it(stage, conninfo):
    release(stage.environment, V1)
    stage.slots["green"].failing.add(V2)
    with pytest.raises(AbortedError):
        release(stage.environment, V2)
    release(stage.environment, V3)
    rollback(stage.environment)
    with psycopg.connect(conninfo("analyst")) as analyst:
        told = [row[0] for row in analyst.execute("SELECT sentence FROM story ORDER BY at")]
        evidence = analyst.execute("SELECT count(*) FROM story WHERE evidence <> ''").fetchone()
    assert f"{V1} went live by a release: live, the first." in told
    live = next(words for words in told if words.startswith(f"{V3} went live by a release: "))
    assert re.search(r"The slots answered [1-9]\d* requests meanwhile, 0 failed\.$", live)
    given_up = f"The release of {V2} was given up, {V1} stayed live: too many errors"
    assert any(sentence.startswith(given_up) for sentence in told)
    assert any(sentence.startswith(f"Of {V2} were kept: ") for sentence in told)
    assert told[-1] == f"{V1} went live by a rollback: live in place of {V3}."
    assert evidence == (len(told),)


def test_without_people_the_undecided_release_says_what_replayed_requests_said(stage):
    release(stage.environment, V1)
    stage.answered(7, 8)
    stage.slots["green"] = IdleSlot(stage.slots["green"].path)
    release(stage.environment, V2)
    row = stage.owner.execute(
        "SELECT reason, evidence FROM deployment WHERE step = 'watch' ORDER BY step_id LIMIT 1"
    ).fetchone()
    assert row[1] == "replayed"
    assert "replayed requests spoke for it; goes on (RELEASE_UNDECIDED=proceed)" in row[0]


def test_a_rollback_that_comes_during_the_replay_ends_it(stage):
    release(stage.environment, V1)
    stage.answered(*range(1, 50))

    def stop():
        return "a rollback was asked for" if stage.slots["green"].replayed > 2 else None

    with pytest.raises(AbortedError, match="a rollback was asked for"):
        release(replace(stage.environment, stop_reason=stop), V2)
    assert stage.slots["green"].replayed < 10
    assert records.deployed(stage.owner).live.version == V1
