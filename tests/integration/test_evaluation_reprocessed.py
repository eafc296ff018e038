"""Lines that were refused and land later, at offsets that evaluation has passed, are judged too."""

import random
from collections import Counter
from datetime import timedelta

import psycopg
import pytest

from ingest.landing.admission_rules import AdmissionRules
from ingest.lines.grammar import rating_scale
from ingest.rejects.reprocessing import reprocess
from monitoring.evaluation.evaluation_pass import run_pass
from monitoring.evaluation.results import too_late
from monitoring.evaluation.windows import Terms
from tests.integration.played_stream import (
    MINUTE,
    NOW,
    Answer,
    PlayedStream,
    Watched,
    at,
    credits_by_hand,
    minutes_credited,
)

TERMS = Terms(width=10 * MINUTE, horizon=30 * MINUTE, lateness=60 * MINUTE)
MOVIE, OTHER = "up+2009", "heat+1995"


@pytest.fixture
def owner(conninfo):
    with psycopg.connect(conninfo("marquee"), autocommit=True) as connection:
        yield connection


@pytest.fixture
def evaluation(conninfo):
    with psycopg.connect(conninfo("evaluation"), autocommit=True) as connection:
        yield connection


@pytest.fixture
def stream(owner):
    return PlayedStream(owner)


@pytest.fixture
def take_refused(conninfo):
    """Reprocess whatever was refused."""

    def take():
        with psycopg.connect(conninfo("retention"), autocommit=True) as retention:
            admission = AdmissionRules(retention, rating_scale(1, 5, 1), timedelta(minutes=5))
            return sum(
                part.rows.count.total()
                for part in reprocess(retention, lambda: admission.newest(NOW))
            )

    return take


def judge(evaluation, terms=TERMS):
    return run_pass(evaluation, terms, NOW, lambda: False)


def hit_rate(owner):
    return owner.execute(
        "SELECT value FROM online_metric WHERE metric = 'hit_rate' AND window_start = %s"
        " AND model_version = 'v1' AND reason = 'all' AND segment = 'all'",
        (at(0),),
    ).fetchone()[0]


def test_what_was_refused_first_is_credited_once_it_lands(owner, evaluation, stream, take_refused):
    answer = Answer(0, 1, (MOVIE,))
    stream.store(answer)
    stream.land(Watched(1, 2, OTHER))
    stream.refuse(Watched(5, 1, MOVIE))
    stream.refuse(Watched(6, 1, MOVIE))
    stream.pass_by(45)
    judge(evaluation)
    assert hit_rate(owner) == 0
    assert take_refused() == 2
    judge(evaluation)
    assert hit_rate(owner) == 1
    judge(evaluation)
    assert minutes_credited(owner) == {answer.id: 2}


def test_what_lands_before_evaluation_comes_there_is_credited_with_the_lines_around_it(
    owner, evaluation, stream, take_refused
):
    answer = Answer(0, 1, (MOVIE,))
    stream.store(answer)
    stream.pass_by(1)
    judge(evaluation)
    stream.refuse(Watched(5, 1, MOVIE))
    stream.pass_by(45)
    assert take_refused() == 1
    judge(evaluation)
    judge(evaluation)
    assert minutes_credited(owner) == {answer.id: 1}


def test_a_late_receipt_takes_what_was_refused_first_and_what_was_not(
    owner, evaluation, stream, take_refused
):
    stream.store(Answer(0, 9, (MOVIE,)))
    stream.land(Watched(20, 1, MOVIE))
    stream.refuse(Watched(5, 1, MOVIE))
    stream.land(Watched(21, 1, MOVIE))
    stream.pass_by(45)
    judge(evaluation)
    assert take_refused() == 1
    judge(evaluation)
    late = Answer(2, 1, (MOVIE,))
    stream.store(late)
    judge(evaluation)
    assert minutes_credited(owner) == {late.id: 3}


def test_a_late_receipt_beside_what_was_refused_first_takes_each_event_once(
    owner, evaluation, stream, take_refused
):
    first, late = Answer(0, 1, (MOVIE,)), Answer(2, 1, (MOVIE,))
    lines = [Watched(4, 1, MOVIE), Watched(5, 1, MOVIE), Watched(6, 1, MOVIE)]
    stream.store(first)
    stream.land(lines[0])
    stream.refuse(lines[1])
    stream.land(lines[2])
    stream.pass_by(45)
    judge(evaluation)
    assert take_refused() == 1
    stream.store(late)
    judge(evaluation)
    assert minutes_credited(owner) == {late.id: 3}


@pytest.mark.parametrize("seed", range(3))
def test_in_whatever_order_all_comes_each_event_is_credited_once_and_as_by_hand(
    owner, evaluation, stream, take_refused, seed
):
    terms = Terms(TERMS.width, TERMS.horizon, timedelta(hours=10))
    dice = random.Random(seed)
    answers, lines = [], []
    stream.store(Answer(0, 9, (OTHER,)))
    for _ in range(60):
        minute, user = dice.uniform(0, 60), dice.choice([1, 2])
        if dice.random() < 0.4:
            answers.append(Answer(minute, user, dice.choice([(MOVIE,), (OTHER, MOVIE)])))
            stream.store(answers[-1])
        else:
            lines.append(Watched(minute, user, dice.choice([MOVIE, OTHER])))
            dice.choice([stream.land, stream.refuse])(lines[-1])
        if dice.random() < 0.2:
            take_refused()
        if dice.random() < 0.2:
            stream.pass_by(100)
            judge(evaluation, terms)
    take_refused()
    stream.pass_by(100)
    judge(evaluation, terms)
    judge(evaluation, terms)
    expected = Counter()
    for (answer, _movie), (minutes, *_) in credits_by_hand(answers, lines, 30).items():
        expected[answer] += minutes
    assert minutes_credited(owner) == expected


def test_what_lands_after_its_window_closed_is_counted_as_too_late(
    owner, evaluation, stream, take_refused
):
    stream.store(Answer(0, 1, (MOVIE,)))
    stream.refuse(Watched(5, 1, MOVIE))
    stream.pass_by(101)
    judge(evaluation)
    assert take_refused() == 1
    judge(evaluation)
    assert hit_rate(owner) == 0
    assert too_late(owner)["watch"] == 1
