"""People of an experiment, counted once from a stream of two partitions, and looks at it."""

from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from monitoring.evaluation.credits import take_up
from monitoring.evaluation.progress import begin
from monitoring.evaluation.windows import Terms
from monitoring.experiments.assignment import challenger_buckets
from monitoring.experiments.experiment_pass import look_at_all
from monitoring.experiments.gate import rule
from monitoring.page.database import read_content

NOW = datetime.now(UTC).replace(microsecond=0)
MINUTE = timedelta(minutes=1)
START = NOW - timedelta(hours=3)
PEOPLE = range(1, 401)


class Stream:
    """What lands, each line with its own offset; minutes count from the experiment's start."""

    def __init__(self, owner):
        self.owner = owner
        self.next_offset = {0: 0, 1: 0}
        for partition in self.next_offset:
            owner.execute(
                "INSERT INTO stream_offset VALUES ('log', %s, 0, 0, %s)", (partition, NOW)
            )

    def request(self, minute, user, movies=("a", "b"), status=200, partition=0):
        self._add(
            "INSERT INTO recommendation_request VALUES (%s, %s, 'x', %s, %s, NULL, 5, %s, %s)",
            partition,
            (START + minute * MINUTE, user, status, list(movies)),
        )

    def watch(self, minute, user, movie="a", partition=0):
        self._add(
            "INSERT INTO watch VALUES (%s, %s, %s, 1, %s, %s)",
            partition,
            (START + minute * MINUTE, user, movie),
        )

    def refuse(self, partition=0):
        """A line that ingest cannot read yet: it keeps its bytes and its offset, which is given."""
        self.next_offset[partition] += 1
        return self.next_offset[partition] - 1

    @contextmanager
    def reprocessed(self, offset, partition=0):
        """As `reprocess` lands what was refused: what is added goes to its old offset."""
        end, self.next_offset[partition] = self.next_offset[partition], offset
        yield
        self.next_offset[partition] = end
        self.owner.execute("UPDATE stream_offset SET next_offset = %s", (end,))
        self.owner.execute(
            "INSERT INTO reprocessed_lines VALUES (%s, %s, %s)", (partition, offset, offset + 1)
        )

    def _add(self, statement, partition, values):
        self.owner.execute(statement, (*values, partition, self.next_offset[partition]))
        self.next_offset[partition] += 1
        self.owner.execute(
            "UPDATE stream_offset SET next_offset = %s WHERE log_partition = %s",
            (self.next_offset[partition], partition),
        )


@pytest.fixture
def stream(owner):
    owner.execute(
        "INSERT INTO experiment (name, control, challenger, challenger_slot, salt, seed, horizon,"
        " margin, largest_sample, started_at)"
        " VALUES ('bolder', 'v1', 'v2', 'green', 'bolder', 1, '30 minutes', 0.02, 2000, %s)",
        (START,),
    )
    share_of(owner, 1, 500, 0)
    return Stream(owner)


def share_of(owner, stratum, share, minute):
    owner.execute(
        "INSERT INTO experiment_stratum SELECT experiment_id, %s, %s, %s, %s FROM experiment",
        (stratum, share, sorted(challenger_buckets("bolder", 1, share)), START + minute * MINUTE),
    )


def look(evaluation, minute):
    """What the experiment says when all before this minute has landed."""
    landed = START + minute * MINUTE
    ((_, verdict),) = look_at_all(evaluation, landed, landed + 10 * MINUTE)
    return verdict


def people(owner, *columns):
    found = owner.execute(
        f"SELECT user_id, {', '.join(columns)} FROM experiment_person ORDER BY user_id"
    ).fetchall()
    return {user: rest[0] if len(columns) == 1 else rest for user, *rest in found}


def arms(owner, share=500):
    buckets = sorted(challenger_buckets("bolder", 1, share))
    found = owner.execute(
        "SELECT user_id, bucket_of(user_id) = ANY (%s) FROM generate_series(1, 400) AS user_id",
        (buckets,),
    ).fetchall()
    return {user: "challenger" if drawn else "control" for user, drawn in found}


def test_people_who_watch_more_with_the_challenger_are_better_off(owner, evaluation, stream):
    """All of the challenger's watch something recommended, every other one of control's."""
    arm = arms(owner)
    for user in PEOPLE:
        stream.request(1, user, partition=user % 2)
        if arm[user] == "challenger" or user % 3:
            stream.watch(3, user, partition=(user + 1) % 2)
    verdict = look(evaluation, 60)
    assert verdict.word == "better"
    assert people(owner, "arm") == arm
    assert set(people(owner, "state").values()) == {"counted"}
    assert owner.execute(
        "SELECT verdict, people, share, low > 0, reason FROM experiment_verdict"
    ).fetchall() == [("better", 400, 500, True, verdict.reason)]


def test_the_status_page_reads_the_newest_experiment_with_the_interval_at_each_look(
    evaluation, stream
):
    for user in PEOPLE:
        stream.request(1, user)
        stream.watch(3, user)
    look(evaluation, 60)
    content = read_content(evaluation, None, datetime.now(UTC))
    assert content.experiments[0].people == 400
    (shown,) = content.looks
    assert shown.low <= shown.value <= shown.high


def test_a_person_counts_once_and_what_comes_later_changes_nothing(owner, evaluation, stream):
    stream.request(1, 7)
    stream.watch(3, 7)
    look(evaluation, 40)
    before = people(owner, "state", "requests", "watched", "minutes")
    assert before == {7: ["counted", 1, 1, 1]}
    stream.request(45, 7)
    stream.watch(46, 7)
    look(evaluation, 90)
    look(evaluation, 90)
    assert people(owner, "state", "requests", "watched", "minutes") == before
    assert owner.execute("SELECT count(*) FROM experiment_look").fetchone() == (2,)
    assert owner.execute("SELECT count(*) FROM experiment_movie").fetchone() == (0,)


def test_what_counts_is_what_was_recommended_and_in_time(owner, evaluation, stream):
    """Three people: recommended and in time, not recommended, and past the horizon."""
    for user, minute, movie in ((1, 30, "a"), (2, 3, "other"), (3, 31, "a")):
        stream.request(1, user)
        stream.watch(minute, user, movie)
    look(evaluation, 60)
    assert people(owner, "watched") == {1: 1, 2: 0, 3: 0}


def test_a_minute_watched_before_it_was_recommended_does_not_count(owner, evaluation, stream):
    stream.request(1, 7, ["b"])
    stream.watch(2, 7, "a")
    stream.request(3, 7, ["a"])
    look(evaluation, 60)
    assert people(owner, "watched", "minutes", "requests") == {7: [0, 0, 2]}


def test_of_a_movie_only_minutes_after_it_was_recommended_count(owner, evaluation, stream):
    stream.request(1, 7, ["b"])
    for minute in range(2, 12):
        stream.watch(minute, 7, "a")
    look(evaluation, 8)
    stream.request(20, 7, ["a"], partition=1)
    stream.watch(20, 7, "a")
    look(evaluation, 21)
    stream.watch(22, 7, "a")
    look(evaluation, 60)
    assert people(owner, "watched", "minutes") == {7: [1, 2]}


def test_nginxs_own_list_and_failures_belong_to_the_arm_that_was_assigned(
    owner, evaluation, stream
):
    """No slot left a receipt of them; the request line says what the caller got."""
    stream.request(1, 7, [], status=0)
    stream.request(2, 7, ["popular"])
    stream.request(3, 7, [])
    stream.watch(4, 7, "popular")
    look(evaluation, 60)
    assert people(owner, "requests", "failed", "empty", "receipts", "watched") == {
        7: [3, 1, 1, 0, 1]
    }


def test_minutes_that_land_before_the_request_they_follow_count(owner, evaluation, stream):
    """The partition with the request is behind, and so is what has landed of all."""
    stream.watch(2, 7, partition=1)
    look(evaluation, 0)
    stream.request(1, 7, partition=0)
    look(evaluation, 60)
    assert people(owner, "watched") == {7: 1}


def test_an_earlier_request_in_the_other_partition_moves_the_beginning(owner, evaluation, stream):
    stream.request(5, 7, partition=0)
    stream.request(1, 7, partition=1)
    look(evaluation, 10)
    assert people(owner, "entered_at", "requests") == {7: [START + MINUTE, 2]}


def test_whoever_changes_arms_with_the_share_is_cut_and_a_stratum_begins(owner, evaluation, stream):
    first, then = arms(owner), arms(owner, 800)
    for user in PEOPLE:
        stream.request(1, user)
    share_of(owner, 2, 800, 10)
    stream.request(12, 1000)
    look(evaluation, 60)
    states = people(owner, "state")
    moved = {user for user in PEOPLE if first[user] != then[user]}
    assert {user for user, state in states.items() if state == "cut"} == moved
    assert people(owner, "stratum")[1000] == 2
    assert len(moved) > 50


def test_the_end_cuts_short_and_nobody_enters_after_it(owner, evaluation, stream):
    stream.request(1, 7)
    stream.request(15, 8)
    stream.request(50, 9)
    owner.execute("UPDATE experiment SET ended_at = %s", (START + 40 * MINUTE,))
    look(evaluation, 20)
    look(evaluation, 60)
    assert people(owner, "state") == {7: "counted", 8: "cut"}
    assert list(look_at_all(evaluation, START + 70 * MINUTE, NOW)) == []


def test_what_they_watched_in_the_week_before_is_known_of_them(owner, evaluation, stream):
    day = START.replace(hour=0, minute=0, second=0)
    for movie, since in (("x", -2 * MINUTE), ("y", -1 * MINUTE), ("z", MINUTE)):
        owner.execute(
            "INSERT INTO viewing VALUES (%s, 7, %s, 1, 1, %s, %s)",
            (day, movie, START + since, START + since),
        )
    stream.request(1, 7)
    stream.request(1, 8)
    look(evaluation, 60)
    assert people(owner, "movies_before") == {7: 2, 8: 0}


@pytest.mark.usefixtures("stream")
def test_without_anybody_there_is_no_verdict(owner, evaluation):
    assert look(evaluation, 60).word == "wait"
    assert owner.execute("SELECT verdict, low FROM experiment_verdict").fetchone() == ("wait", None)


def test_rows_are_kept_for_those_whose_time_is_not_over(owner, evaluation, stream):
    lease = "SELECT held_from FROM retention_lease WHERE owner = 'experiments'"
    stream.request(5, 7)
    look(evaluation, 10)
    assert owner.execute(lease).fetchone() == (START + 5 * MINUTE,)
    owner.execute("UPDATE experiment SET ended_at = %s", (START + 20 * MINUTE,))
    look(evaluation, 60)
    list(look_at_all(evaluation, START + 60 * MINUTE, NOW))
    assert owner.execute(lease).fetchone() is None


def watch_with_the_challenger_early_with_control_late(owner, stream):
    """The first 300 decide for the challenger; who comes five minutes on watches with control."""
    arm = arms(owner)
    for user in PEOPLE:
        early, of_challenger = user <= 300, arm[user] == "challenger"
        stream.request(1 if early else 5, user)
        if (of_challenger or user % 3) if early else not of_challenger:
            stream.watch(7, user)


def test_what_was_decided_when_it_ended_is_told_whatever_those_counted_later_did(
    owner, evaluation, stream
):
    """Who came late is counted after the end."""
    watch_with_the_challenger_early_with_control_late(owner, stream)
    decided = look(evaluation, 32)
    assert rule_on(owner, "v2").reason == decided.reason
    owner.execute("UPDATE experiment SET ended_at = %s", (START + 43 * MINUTE,))
    later = look(evaluation, 50)
    assert (decided.word, later) == ("better", decided)
    told = owner.execute("SELECT verdict, reason, people FROM experiment_verdict").fetchall()
    assert told == [("better", decided.reason, 300)]


def test_what_was_decided_is_told_though_people_are_counted_before_it_ends(
    owner, evaluation, stream
):
    """The releaser ends what is decided a moment later."""
    watch_with_the_challenger_early_with_control_late(owner, stream)
    decided = look(evaluation, 32)
    assert look(evaluation, 50) == decided
    assert rule_on(owner, "v2").decision == "go"
    owner.execute("UPDATE experiment SET ended_at = now()")
    list(look_at_all(evaluation, NOW, NOW))
    assert owner.execute("SELECT verdict, people FROM experiment_verdict").fetchall() == [
        ("better", 300)
    ]


def test_harm_stops_what_was_better_already(owner, evaluation, stream):
    """Those who came first watched more with the challenger; then it failed everybody."""
    arm = arms(owner)
    for user in PEOPLE:
        stream.request(1, user)
        if arm[user] == "challenger" or user % 3:
            stream.watch(3, user)
    assert look(evaluation, 40).word == "better"
    for user in range(401, 801):
        stream.request(42, user, [], status=500 if arm_of(owner, user) == "challenger" else 200)
    assert look(evaluation, 80).word == "stop"
    assert look(evaluation, 90).word == "stop"
    assert owner.execute("SELECT verdict FROM experiment_verdict").fetchall() == [("stop",)]


def test_a_look_is_recorded_whole_or_not_at_all(owner, evaluation, stream):
    """The second metric cannot be written, as when the service is killed between the two."""
    owner.execute("ALTER TABLE experiment_look ADD CHECK (metric <> 'minutes')")
    for user in PEOPLE:
        stream.request(1, user)
    with pytest.raises(psycopg.errors.CheckViolation):
        look(evaluation, 60)
    assert owner.execute("SELECT count(*) FROM experiment_look").fetchone() == (0,)


def arm_of(owner, user):
    row = owner.execute(
        "SELECT bucket_of(%s) = ANY (buckets) FROM experiment_stratum", (user,)
    ).fetchone()
    return "challenger" if row[0] else "control"


def pass_and_look(evaluation, minute):
    """A whole pass: evaluation takes up what came, and then experiments are looked at."""
    begin(evaluation, Terms(width=10 * MINUTE, horizon=30 * MINUTE, lateness=60 * MINUTE), START)
    take_up(evaluation, lambda: False)
    return look(evaluation, minute)


def test_a_line_that_lands_behind_a_later_one_counts_though_its_person_was_counted(
    owner, evaluation, stream
):
    stream.request(1, 7)
    stream.watch(45, 8)
    stream.watch(3, 7)
    look(evaluation, 40)
    assert people(owner, "state", "watched") == {7: ["counted", 0]}
    look(evaluation, 90)
    assert people(owner, "state", "watched", "minutes") == {7: ["counted", 1, 1]}


@pytest.mark.parametrize("minute", [20, 40], ids=["while their time goes on", "after it"])
def test_a_line_that_was_refused_and_reprocessed_counts(owner, evaluation, stream, minute):
    stream.request(1, 7)
    refused = stream.refuse()
    stream.watch(4, 7)
    stream.watch(5, 7)
    pass_and_look(evaluation, minute)
    with stream.reprocessed(refused):
        stream.watch(3, 7)
    pass_and_look(evaluation, minute + 1)
    pass_and_look(evaluation, 60)
    assert people(owner, "state", "requests", "watched", "minutes") == {7: ["counted", 1, 1, 3]}


@pytest.mark.parametrize("minute", [20, 40], ids=["while their time goes on", "after it"])
def test_whose_only_request_was_reprocessed_is_in_the_experiment(owner, evaluation, stream, minute):
    refused = stream.refuse()
    stream.watch(3, 7)
    pass_and_look(evaluation, minute)
    with stream.reprocessed(refused):
        stream.request(1, 7)
    pass_and_look(evaluation, minute + 1)
    pass_and_look(evaluation, 60)
    assert people(owner, "state", "requests", "watched", "minutes") == {7: ["counted", 1, 1, 1]}


def test_a_failure_that_was_reprocessed_is_one_of_a_person_who_was_counted(
    owner, evaluation, stream
):
    stream.request(1, 7)
    stream.watch(3, 7)
    refused = stream.refuse()
    pass_and_look(evaluation, 40)
    with stream.reprocessed(refused):
        stream.request(5, 7, [], status=500)
    pass_and_look(evaluation, 41)
    assert people(owner, "state", "requests", "failed", "watched") == {7: ["counted", 2, 1, 1]}
    assert owner.execute("SELECT count(*) FROM experiment_movie").fetchone() == (0,)


def test_a_reprocessed_line_of_what_is_closed_changes_nobody(owner, evaluation, stream):
    stream.request(1, 7)
    refused = stream.refuse()
    pass_and_look(evaluation, 40)
    owner.execute(
        "UPDATE evaluation_progress SET closed_until = %(end)s, judged_until = %(end)s",
        {"end": START + 60 * MINUTE},
    )
    with stream.reprocessed(refused):
        stream.request(5, 7, [], status=500)
    pass_and_look(evaluation, 60)
    assert people(owner, "requests") == {7: 1}
    assert owner.execute("SELECT kind, rows FROM too_late").fetchall() == [
        ("recommendation_request", 1)
    ]


def rule_on(owner, version):
    owner.execute(
        "INSERT INTO model_version (version, algorithm, git_commit, data_hash, interactions,"
        " users, movies, figures, manifest, verdict, reason)"
        " VALUES (%s, 'ease', 'c', 'd', 1, 1, 1, '{}', '{}', 'accepted', 'better')",
        (version,),
    )
    return rule(owner, version)
