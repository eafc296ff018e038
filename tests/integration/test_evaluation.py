"""Online evaluation on a real database: who gets the credit, which figures follow, when."""

import math
import multiprocessing
import os
import random
import signal
from datetime import timedelta

import psycopg
import pytest

from monitoring.evaluation.evaluation_pass import run_pass
from monitoring.evaluation.results import latest_figures, too_late
from monitoring.evaluation.segments import HEAVY_MOVIES
from monitoring.evaluation.windows import Terms
from tests.integration.played_stream import (
    MINUTE,
    NOW,
    Answer,
    Asked,
    PlayedStream,
    Rated,
    Watched,
    at,
    credits_by_hand,
    segment_by_hand,
)

HORIZON, LATENESS = 30, 60
TERMS = Terms(width=10 * MINUTE, horizon=HORIZON * MINUTE, lateness=LATENESS * MINUTE)
OVER = 235
"""A minute by which all that the tests play can be judged."""


@pytest.fixture
def stream(owner):
    return PlayedStream(owner)


def judge(evaluation, terms=TERMS):
    return run_pass(evaluation, terms, NOW, lambda: False)


def figures(owner, version="v1", reason="all", segment="all", window=0):
    return dict(
        owner.execute(
            "SELECT metric, value FROM online_metric WHERE window_start = %s"
            " AND model_version = %s AND reason = %s AND segment = %s",
            (at(window), version, reason, segment),
        ).fetchall()
    )


def credited(owner):
    return {
        (receipt, movie): (minutes, ratings, total)
        for receipt, movie, minutes, ratings, total in owner.execute(
            "SELECT receipt_id, movie_id, minutes, ratings, rating_sum FROM answer_credit"
            " WHERE minutes <> 0 OR ratings <> 0"
        )
    }


def lease(owner):
    return owner.execute("SELECT held_from FROM retention_lease").fetchone()[0]


def every_figure(owner):
    rows = owner.execute(
        "SELECT window_start, model_version, arm, reason, segment, metric, value, low, high,"
        " variance, samples, people FROM online_metric ORDER BY 1, 2, 3, 4, 5, 6"
    )
    return {row[:6]: row[6:] for row in rows}


def same(one, other):
    """Equal but for the last digits, which depend on the order of a sum."""
    assert rounded(one) == rounded(other)


def rounded(found):
    return {
        key: [None if value is None else float(f"{value:.10g}") for value in values]
        for key, values in found.items()
    }


def test_an_answer_counts_for_what_its_user_watched_and_rated_of_it_within_the_horizon(
    owner, evaluation, stream
):
    stream.store(Answer(0, 1, ("a", "b")), Answer(5, 2, ("a", "b")))
    stream.land(Watched(10, 1, "a"), Watched(11, 1, "a"), Rated(12, 1, "b", 4))
    stream.pass_by(40)
    judge(evaluation)
    assert figures(owner) == {
        "answers": 2,
        "hit_rate": 0.5,
        "minutes_per_answer": 1,
        "ndcg": 0.5,
        "rating_mean": 4,
        "personalised_share": 1,
        "empty_share": 0,
    }


@pytest.mark.parametrize(
    "watched",
    [Watched(0, 1, "a"), Watched(31, 1, "a"), Watched(10, 2, "a"), Watched(10, 1, "c")],
    ids=["before the answer", "after the horizon", "another user", "not recommended"],
)
def test_watching_that_did_not_follow_an_answer_does_not_count(owner, evaluation, stream, watched):
    stream.store(Answer(0, 3, ("z",)), Answer(1, 1, ("a", "b"), "judged"))
    stream.land(watched)
    stream.pass_by(45)
    judge(evaluation)
    assert figures(owner, "judged")["hit_rate"] == 0


def test_what_somebody_watches_is_credited_to_the_latest_answer_that_showed_it(
    owner, evaluation, stream
):
    first, second, other = Answer(0, 1, ("a", "b")), Answer(5, 1, ("a",)), Answer(7, 1, ("c",))
    stream.store(first, second, other)
    stream.land(Watched(3, 1, "a"), Watched(8, 1, "a"), Watched(9, 1, "b"))
    stream.pass_by(20)
    judge(evaluation)
    assert credited(owner) == {
        (first.id, "a"): (1, 0, 0),
        (first.id, "b"): (1, 0, 0),
        (second.id, "a"): (1, 0, 0),
    }


def test_how_far_up_stood_what_was_watched_is_what_ndcg_says(owner, evaluation, stream):
    stream.store(Answer(0, 1, ("a", "b", "c", "d")))
    stream.land(Watched(1, 1, "b"), Watched(2, 1, "d"))
    stream.pass_by(40)
    judge(evaluation)
    gain = 1 / math.log2(3) + 1 / math.log2(5)
    assert figures(owner)["ndcg"] == pytest.approx(gain / (1 + 1 / math.log2(3)))


def test_versions_reasons_and_segments_are_judged_apart(owner, evaluation, stream):
    stream.land(*(Rated(-60, 2, f"old{n}", 3) for n in range(HEAVY_MOVIES)))
    stream.land(Rated(-50, 3, "old", 3))
    stream.store(
        Answer(0, 1, ("a",), reason="popular"),
        Answer(1, 2, ("a",), reason="model"),
        Answer(2, 3, ("a",), reason="model"),
        Answer(3, 3, ("a",), version="v2"),
    )
    stream.land(Watched(4, 2, "a"))
    stream.pass_by(40)
    judge(evaluation)
    assert figures(owner, reason="model")["hit_rate"] == 0.5
    assert figures(owner, reason="popular")["hit_rate"] == 0
    assert figures(owner, segment="heavy")["hit_rate"] == 1
    assert figures(owner, segment="light")["hit_rate"] == 0
    assert figures(owner, segment="new")["answers"] == 1
    assert figures(owner)["personalised_share"] == pytest.approx(2 / 3)
    assert figures(owner, "v2")["answers"] == 1


def test_coverage_and_concentration_are_of_the_movies_that_the_version_knows(
    owner, evaluation, stream
):
    owner.execute(
        "INSERT INTO model_version (version, algorithm, git_commit, data_hash, interactions,"
        " users, movies, figures, manifest, verdict, reason)"
        " VALUES ('v1', 'ease', 'c', 'd', 1, 1, 4, '{}', '{}', 'accepted', '')"
    )
    stream.store(Answer(0, 1, ("a", "b")), Answer(1, 2, ("a",)))
    stream.pass_by(40)
    judge(evaluation)
    assert figures(owner)["coverage"] == 0.5
    assert figures(owner)["concentration"] == pytest.approx((-3 * 0 - 1 * 0 + 1 * 1 + 3 * 2) / 12)


def test_what_callers_saw_belongs_to_the_version_that_answered_them(owner, evaluation, stream):
    stream.store(Answer(0, 1, ("a",)), Answer(1, 2, ("b",), "v2"), Answer(2, 3, ("a",)))
    stream.land(
        Asked(0, 1, ("a",), milliseconds=10),
        Asked(1.001, 2, ("b",), milliseconds=30),
        Asked(2, 3, (), status=0, milliseconds=600),
        Asked(3, 4, ("popular",), milliseconds=50),
    )
    stream.pass_by(40)
    judge(evaluation)
    assert figures(owner, "v1")["requests"] == 2
    assert figures(owner, "v1")["failed_share"] == 0.5
    assert figures(owner, "v1")["response_ms_p99"] == 600
    assert figures(owner, "v2")["response_ms_p50"] == 30
    assert figures(owner, "none")["requests"] == 1


def test_a_window_waits_until_the_stream_has_landed_past_its_horizon(owner, evaluation, stream):
    stream.store(Answer(0, 1, ("a",)))
    stream.pass_by(39)
    judge(evaluation)
    assert figures(owner) == {}


def test_a_window_waits_for_the_slowest_partition(owner, evaluation, stream):
    stream.store(Answer(0, 1, ("a",)))
    stream.pass_by(60, partition=0)
    stream.pass_by(20, partition=1)
    judge(evaluation)
    assert figures(owner) == {}


def test_a_silent_partition_is_not_waited_for(owner, evaluation, stream):
    stream.store(Answer(0, 1, ("a",)))
    stream.pass_by(60, partition=0)
    stream.pass_by(20, partition=1, landed_at=NOW - 31 * MINUTE)
    judge(evaluation)
    assert figures(owner)["answers"] == 1


def test_a_pass_catches_up_over_empty_windows(evaluation, stream):
    stream.store(Answer(0, 1, ("a",)), Answer(55, 1, ("a",)))
    stream.pass_by(101)
    done = judge(evaluation)
    assert [one.window.start for one in done.judgements] == [at(0), at(50)]
    assert done.judged_until == at(70)


def test_a_second_pass_with_nothing_new_judges_nothing(evaluation, stream):
    stream.store(Answer(0, 1, ("a",)))
    stream.pass_by(40)
    judge(evaluation)
    assert judge(evaluation).judgements == []


def test_the_first_pass_without_an_answer_holds_what_may_be_answered_from_now_on(owner, evaluation):
    judge(evaluation)
    assert NOW - 10 * MINUTE < lease(owner) + HORIZON * MINUTE <= NOW


def test_a_late_event_has_its_window_judged_again(owner, evaluation, stream):
    stream.store(Answer(0, 1, ("a",)))
    stream.pass_by(40)
    judge(evaluation)
    stream.land(Watched(5, 1, "a"))
    assert [one.window.start for one in judge(evaluation).judgements] == [at(0)]
    assert figures(owner)["hit_rate"] == 1


def test_a_late_receipt_takes_what_is_its_own_from_the_answer_that_had_it(
    owner, evaluation, stream
):
    first, late = Answer(0, 1, ("a",), "v1"), Answer(3, 1, ("b", "a"), "v2")
    stream.store(first)
    stream.land(Watched(2, 1, "a"), Watched(4, 1, "a"), Rated(5, 1, "b", 5))
    stream.pass_by(40)
    judge(evaluation)
    stream.store(late)
    judge(evaluation)
    assert credited(owner) == {
        (first.id, "a"): (1, 0, 0),
        (late.id, "a"): (1, 0, 0),
        (late.id, "b"): (0, 1, 5),
    }
    assert figures(owner, "v2")["hit_rate"] == 1


def test_a_late_receipt_in_a_window_that_was_passed_over_as_empty_is_judged(
    owner, evaluation, stream
):
    stream.store(Answer(0, 1, ("a",)))
    stream.pass_by(80)
    judge(evaluation)
    stream.store(Answer(25, 2, ("a",)))
    judge(evaluation)
    assert figures(owner, window=20)["answers"] == 1


def test_a_late_request_line_has_its_window_judged_again(owner, evaluation, stream):
    stream.store(Answer(0, 1, ("a",)))
    stream.pass_by(40)
    judge(evaluation)
    stream.land(Asked(0, 1, ("a",), milliseconds=10))
    judge(evaluation)
    assert figures(owner)["requests"] == 1


def test_a_late_first_movie_makes_nobody_new_of_somebody_known(owner, evaluation, stream):
    stream.store(Answer(5, 1, ("a",)))
    stream.pass_by(45)
    judge(evaluation)
    assert figures(owner, segment="new")["answers"] == 1
    stream.land(Watched(1, 1, "z"))
    judge(evaluation)
    assert figures(owner, segment="new") == {}
    assert figures(owner, segment="light")["answers"] == 1


def test_a_receipt_whose_transaction_ended_after_younger_ones_is_not_missed(
    owner, evaluation, stream, conninfo
):
    stream.store(Answer(0, 1, ("a",)))
    with psycopg.connect(conninfo("marquee")) as slow:
        PlayedStream(slow).store(Answer(2, 2, ("a",)))
        stream.store(Answer(3, 3, ("a",)))
        stream.land(Watched(4, 2, "a"))
        stream.pass_by(40)
        judge(evaluation)
        slow.commit()
    judge(evaluation)
    assert figures(owner)["answers"] == 3
    assert figures(owner)["hit_rate"] == pytest.approx(1 / 3)


def test_windows_close_and_the_lease_moves_when_the_lateness_is_over(owner, evaluation, stream):
    stream.store(Answer(0, 1, ("a",)), Answer(15, 1, ("a",)))
    stream.pass_by(10 + HORIZON + LATENESS)
    done = judge(evaluation)
    assert done.closed_until == at(10)
    assert lease(owner) == at(10 - HORIZON)


def test_what_comes_too_late_is_counted_and_changes_nothing(owner, evaluation, stream):
    stream.store(Answer(0, 1, ("a",)))
    stream.land(Asked(0, 1, ("a",)))
    stream.pass_by(10 + HORIZON + LATENESS)
    judge(evaluation)
    before = every_figure(owner)
    stream.store(Answer(1, 2, ("a",)))
    stream.land(Watched(5, 1, "a"), Watched(6, 1, "a"), Rated(7, 1, "a", 3), Asked(2, 2, ("a",)))
    judge(evaluation)
    assert every_figure(owner) == before
    assert too_late(owner) == {
        "rating": 1,
        "receipt": 1,
        "recommendation_request": 1,
        "watch": 2,
    }


def test_history_from_before_the_first_answer_is_not_late(owner, evaluation, stream):
    judge(evaluation)
    stream.land(Watched(-100, 1, "a"), Rated(-90, 1, "a", 3), Asked(-80, 1))
    judge(evaluation)
    assert not any(too_late(owner).values())


def test_other_windows_leave_what_was_judged_and_judge_the_rest_anew(owner, evaluation, stream):
    later = Answer(25, 2, ("a",))
    stream.store(Answer(0, 1, ("a",)), later)
    stream.land(Watched(26, 2, "a"), Watched(57, 2, "a"))
    stream.pass_by(50)
    judge(evaluation)
    stream.pass_by(130)
    judge(evaluation, Terms(width=5 * MINUTE, horizon=40 * MINUTE, lateness=LATENESS * MINUTE))
    starts = owner.execute("SELECT DISTINCT window_start, window_end FROM online_metric ORDER BY 1")
    assert starts.fetchall() == [(at(0), at(10)), (at(25), at(30))]
    assert figures(owner, window=25)["minutes_per_answer"] == 2
    assert not any(too_late(owner).values())


def test_an_evaluation_that_was_there_before_goes_on_at_its_lease(owner, evaluation, stream):
    owner.execute("INSERT INTO retention_lease VALUES ('evaluation', '', %s)", (at(20),))
    stream.store(Answer(0, 1, ("a",)), Answer(25, 1, ("a",)))
    stream.pass_by(80)
    done = judge(evaluation)
    assert [one.window.start for one in done.judgements] == [at(20)]


def test_two_passes_at_once_judge_each_window_once(conninfo, evaluation, stream):
    stream.store(Answer(0, 1, ("a",)))
    stream.pass_by(40)
    judge(evaluation)
    with psycopg.connect(conninfo("evaluation"), autocommit=True) as second:
        assert judge(second).judgements == []


def test_a_pass_that_is_told_to_stop_begins_no_window(evaluation, stream):
    stream.store(Answer(0, 1, ("a",)))
    stream.pass_by(40)
    assert run_pass(evaluation, TERMS, NOW, lambda: True).judgements == []


def test_the_newest_figures_are_read_back_as_they_were_written(evaluation, stream):
    stream.store(Answer(0, 1, ("a",)), Answer(1, 2, ("a",)))
    stream.pass_by(40)
    done = judge(evaluation)
    written = {(f.group, f.metric): f for f in done.judgements[0].figures}
    assert {(f.group, f.metric): f for f in latest_figures(evaluation)} == written


def played(seed, number=120):
    """Some people's evening in an order of its own: answers and lines, up to an hour late."""
    dice = random.Random(seed)
    movies = [f"m{n}" for n in range(8)]
    rows = [(0.0, Answer(0, 7, ("m0",)))]
    for _ in range(number):
        minute, user = dice.uniform(0, 120), dice.randrange(1, 7)
        shown = tuple(dice.sample(movies, dice.randrange(0, 5)))
        late = 0 if dice.random() < 0.7 else dice.uniform(0, LATENESS - 1)
        answer = Answer(
            minute, user, shown, dice.choice(["v1", "v2"]), dice.choice(["model", "popular"])
        )
        event = Watched(minute, user, dice.choice(movies))
        rated = Rated(minute, user, dice.choice(movies), dice.randrange(1, 6))
        asked = Asked(minute + 0.01, user, shown, milliseconds=dice.randrange(5, 90))
        rows.append(
            (minute + late, dice.choice([answer, answer, event, event, event, rated, asked]))
        )
    return [row for _, row in sorted(rows, key=lambda pair: pair[0])]


def play(stream, rows, judged=lambda: None):
    """Hand the rows over as they come, with a pass now and then."""
    for number, row in enumerate(rows):
        if isinstance(row, Answer):
            stream.store(row)
        else:
            stream.land(row, partition=number % 2)
        if number % 15 == 14:
            stream.pass_by(minute_reached(rows[: number + 1]))
            stream.pass_by(minute_reached(rows[: number + 1]), partition=1)
            judged()
    for partition in (0, 1):
        stream.pass_by(OVER - 60, partition=partition)
    judged()


def minute_reached(rows):
    return max(0, max(row.minute for row in rows) - 1)


@pytest.mark.parametrize("seed", range(4))
def test_credits_are_those_that_anybody_would_find_by_hand(owner, evaluation, stream, seed):
    rows = played(seed)
    terms = Terms(TERMS.width, TERMS.horizon, timedelta(hours=10))
    play(stream, rows, lambda: judge(evaluation, terms))
    answers = [row for row in rows if isinstance(row, Answer)]
    lines = [row for row in rows if not isinstance(row, Answer)]
    assert credited(owner) == credits_by_hand(answers, lines, HORIZON)
    for segment in ("new", "light", "heavy"):
        expected = sum(segment_by_hand(a, lines, HEAVY_MOVIES) == segment for a in answers)
        counted = owner.execute(
            "SELECT coalesce(sum(value), 0) FROM online_metric WHERE metric = 'answers'"
            " AND segment = %s",
            (segment,),
        ).fetchone()[0]
        assert counted == expected


@pytest.mark.parametrize("seed", range(2))
def test_figures_equal_a_recomputation_over_the_rows_kept(owner, evaluation, stream, seed):
    play(stream, played(seed), lambda: judge(evaluation))
    found = every_figure(owner)
    forget_everything(owner)
    judge(evaluation)
    same(found, every_figure(owner))


def forget_everything(owner):
    """Leave nothing but the rows of the stream and the receipts."""
    owner.execute(
        "TRUNCATE online_metric, evaluation_progress, evaluation_offset, evaluated_lines,"
        " answer_credit, judged_window, person_movie, too_late, retention_lease"
    )


class Killed(psycopg.Connection):
    """A connection whose process is killed at one of its statements."""

    statements_left = 0

    def execute(self, *arguments, **options):
        if Killed.statements_left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        Killed.statements_left -= 1
        return super().execute(*arguments, **options)


def killed_pass(conninfo, statement):
    """One pass in a process of its own, SIGKILLed at its n-th statement; whether it was."""

    def work():
        Killed.statements_left = statement
        with Killed.connect(conninfo, autocommit=True) as connection:
            judge(connection)

    process = multiprocessing.get_context("fork").Process(target=work)
    process.start()
    process.join(60)
    return process.exitcode == -signal.SIGKILL


def test_a_pass_killed_at_any_statement_is_gone_on_with_as_if_it_had_not_been(
    owner, evaluation, conninfo, stream
):
    rows, statement, struck = played(7, 60), 0, 0

    def kill_then_judge():
        nonlocal statement, struck
        for _ in range(12):
            struck += killed_pass(conninfo("evaluation"), statement)
            statement += 1

    play(stream, rows, kill_then_judge)
    judge(evaluation)
    found = every_figure(owner)
    forget_everything(owner)
    judge(evaluation)
    same(found, every_figure(owner))
    assert struck > 12
