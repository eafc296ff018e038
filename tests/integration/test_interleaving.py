"""An interleaved experiment: what people took of each version's movies, by their receipts."""

from datetime import UTC, datetime, timedelta

import pytest

from monitoring.evaluation.credits import take_up
from monitoring.evaluation.progress import begin
from monitoring.evaluation.windows import Terms
from monitoring.experiments.assignment import challenger_buckets
from monitoring.experiments.experiment_pass import look_at_all
from monitoring.experiments.summaries import looks, summaries

NOW = datetime.now(UTC).replace(microsecond=0)
MINUTE = timedelta(minutes=1)
START = NOW - timedelta(hours=3)
PEOPLE = range(1, 601)
MOVIES = ["c", "x", "both"]
"""One that only control would have shown, one only of the challenger's, and one of both."""


class Stream:
    """What lands in one partition, and what slots left; minutes count from the start."""

    def __init__(self, owner):
        self.owner = owner
        self.next_offset = 0
        self.spool = []
        owner.execute("INSERT INTO stream_offset VALUES ('log', 0, 0, 0, %s)", (NOW,))

    def request(self, minute, user, origins="AB=", versions=("v1", "v2"), *, is_late=False):
        time = START + minute * MINUTE
        self._add(
            "INSERT INTO recommendation_request VALUES (%s, %s, 'x', 200, %s, NULL, 5, 0, %s)",
            (time, user, MOVIES),
        )
        receipt = (time - timedelta(milliseconds=5), user, MOVIES, *versions, origins)
        self.spool.append(receipt)
        if not is_late:
            self.drain()

    def drain(self):
        """As a slot does when the database is back: it stores what it kept."""
        self.owner.cursor().executemany(
            "INSERT INTO receipt (receipt_id, time, user_id, movie_ids, model_version,"
            " interleaved_with, origins, slot, bucket, arm, reason, latency_ms) VALUES"
            " (gen_random_uuid(), %s, %s, %s, %s, %s, %s, 'blue', 1, 'interleaved', 'model', 1)",
            self.spool,
        )
        self.spool.clear()

    def watch(self, minute, user, movie):
        self._add(
            "INSERT INTO watch VALUES (%s, %s, %s, 1, 0, %s)",
            (START + minute * MINUTE, user, movie),
        )

    def _add(self, statement, values):
        self.owner.execute(statement, (*values, self.next_offset))
        self.next_offset += 1
        self.owner.execute("UPDATE stream_offset SET next_offset = %s", (self.next_offset,))


@pytest.fixture
def stream(owner):
    owner.execute(
        "INSERT INTO experiment (name, control, challenger, challenger_slot, salt, seed, horizon,"
        " margin, largest_sample, started_at, kind)"
        " VALUES ('mixed', 'v1', 'v2', 'both', 'mixed', 1, '30 minutes', 0.02, 2000, %s,"
        " 'interleaving')",
        (START,),
    )
    owner.execute(
        "INSERT INTO experiment_stratum SELECT experiment_id, 1, 999, %s, %s FROM experiment",
        (sorted(challenger_buckets("mixed", 1, 999)), START),
    )
    return Stream(owner)


def look(evaluation, minute=60):
    """What the experiment says when all before this minute has landed."""
    landed = START + minute * MINUTE
    ((_, verdict),) = look_at_all(evaluation, landed, landed + 10 * MINUTE)
    return verdict


def taken(owner, user=7):
    return owner.execute(
        "SELECT took_control, took_challenger FROM experiment_person WHERE user_id = %s", (user,)
    ).fetchone()


def take_up_what_came(evaluation):
    """What a pass of evaluation does before it looks at experiments."""
    begin(evaluation, Terms(width=10 * MINUTE, horizon=30 * MINUTE, lateness=60 * MINUTE), NOW)
    take_up(evaluation, lambda: False)


def test_receipts_that_a_slot_stores_after_people_were_counted_are_taken_up(
    owner, evaluation, stream
):
    stream.request(0, 10_000)
    for user in PEOPLE:
        stream.request(1, user, is_late=True)
        stream.watch(3, user, "x")
    take_up_what_came(evaluation)
    assert look(evaluation).word == "wait"
    stream.drain()
    take_up_what_came(evaluation)
    assert look(evaluation, 61).word == "better"
    assert taken(owner) == (0, 1)
    assert owner.execute("SELECT count(*) FROM experiment_person WHERE stale").fetchone() == (0,)


def test_receipts_of_what_is_closed_change_nobody_and_are_counted_as_too_late(
    owner, evaluation, stream
):
    stream.request(0, 10_000)
    stream.request(1, 7, is_late=True)
    stream.watch(3, 7, "x")
    take_up_what_came(evaluation)
    look(evaluation)
    owner.execute(
        "UPDATE evaluation_progress SET closed_until = %(now)s, judged_until = %(now)s",
        {"now": START + 60 * MINUTE},
    )
    stream.drain()
    take_up_what_came(evaluation)
    look(evaluation)
    assert taken(owner) == (0, 0)
    assert owner.execute("SELECT kind, rows FROM too_late").fetchall() == [("receipt", 1)]


def test_people_who_take_more_of_the_challenger_s_movies_prefer_it(owner, evaluation, stream):
    for user in PEOPLE:
        stream.request(1, user)
        stream.watch(3, user, "x" if user % 4 else "c")
    verdict = look(evaluation)
    assert verdict.word == "better"
    (told,) = summaries(evaluation)
    assert (told.kind, told.verdict, told.reason) == ("interleaving", "better", verdict.reason)
    assert 0 < told.low < told.value < told.high
    assert told.value == pytest.approx(0.5, abs=0.03)
    assert told.people == verdict_people(owner)
    assert [seen.value for seen in looks(evaluation, told.experiment_id)] == [told.value]


def verdict_people(owner):
    """Those in the experiment's buckets; the others see plain lists."""
    return owner.execute(
        "SELECT count(*) FROM experiment_person WHERE arm = 'challenger'"
    ).fetchone()[0]


def test_people_who_take_more_of_control_s_are_worse_off(evaluation, stream):
    for user in PEOPLE:
        stream.request(1, user)
        stream.watch(3, user, "c")
    assert look(evaluation).word == "worse"


def test_movies_that_both_would_have_shown_tell_nothing(owner, evaluation, stream):
    for user in PEOPLE:
        stream.request(1, user)
        stream.watch(3, user, "both")
    verdict = look(evaluation)
    assert verdict.word == "wait"
    assert "only one of both" in verdict.reason
    assert taken(owner) == (0, 0)


def test_a_movie_is_credited_by_the_last_list_before_it_was_watched(owner, evaluation, stream):
    stream.request(1, 7, origins="AB=")
    stream.request(5, 7, origins="BAA")
    stream.watch(6, 7, "c")
    stream.request(9, 7, origins="A==")
    look(evaluation)
    assert taken(owner) == (0, 1)


def test_only_lists_of_both_its_versions_credit_and_each_movie_once(owner, evaluation, stream):
    stream.request(1, 7)
    stream.request(2, 7, "BBB", versions=("v1", "v3"))
    stream.request(3, 7, "BBB", versions=("v0", "v2"))
    stream.request(4, 7, None, versions=("v1", None))
    for minute in (5, 6, 7):
        stream.watch(minute, 7, "c")
    stream.watch(8, 7, "x")
    stream.watch(31.5, 7, "both")
    look(evaluation)
    assert taken(owner) == (1, 1)


def test_a_person_is_credited_once_when_their_time_is_over(owner, evaluation, stream):
    stream.request(1, 7)
    stream.watch(3, 7, "x")
    look(evaluation, 20)
    assert taken(owner) == (0, 0)
    look(evaluation, 40)
    stream.request(41, 7)
    stream.watch(42, 7, "c")
    look(evaluation, 90)
    assert taken(owner) == (0, 1)
