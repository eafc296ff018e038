"""The releaser as a process: asked from outside, killed, stopped."""

import json
import signal
import time

import psycopg
import pytest

from ci.slots.state import Slot, sent_to_green
from compose.service.assignment import assigned_version, assignment_file, read_assignment
from tests.integration.losing import losing_acknowledgement
from tests.integration.releaser import ACCEPTED, Releaser, ended
from tests.integration.releasing import EVERYONE, V1, V2, V3
from tests.ports import free_port
from tests.waiting import eventually


def test_a_release_and_a_rollback_are_asked_for_and_followed_to_their_end(releaser):
    with releaser.working():
        status, lines = releaser.ask("release", "--version", V1)
        assert (status, lines.splitlines()[-1][9:]) == (0, "promote: live, the first")
        status, lines = releaser.ask("release")
        assert (status, lines.splitlines()[-1][9:]) == (0, f"promote: live in place of {V1}")
        assert (
            f'marquee_live_version{{model_version="{V2}",slot="green"}} 1.0' in releaser.metrics()
        )
        status, lines = releaser.ask("release")
        assert (status, lines[9:]) == (0, f"{V2} is live already; nothing was changed\n")
        assert releaser.ask("rollback")[0] == 0
        status, lines = releaser.ask("rollback")
        assert (status, lines[9:]) == (1, "refused: there is no previous version to go back to\n")
        assert 'marquee_releases_total{outcome="promoted"} 2.0' in releaser.metrics()
        assert 'marquee_releases_total{outcome="refused"} 1.0' in releaser.metrics()


def test_a_release_that_asks_no_people_is_recorded_as_such(releaser):
    with releaser.working():
        releaser.ask("release", "--version", V1)
        status, lines = releaser.ask("release", "--quality", "skip")
    words = f"promote: live in place of {V1}; people were not asked (QUALITY=skip)"
    assert (status, lines.splitlines()[-1][9:]) == (0, words)
    assert releaser.owner.execute("SELECT count(*) FROM experiment").fetchone() == (0,)


def test_lists_are_interleaved_from_the_command_until_somebody_stops_it(releaser):
    def beside():
        told = [read_assignment(assignment_file(releaser.state, slot)) for slot in Slot]
        return [each.interleaved and each.interleaved.version for each in told]

    with releaser.working():
        releaser.ask("release", "--version", V1)
        status, lines = releaser.ask("experiment", V1, "--kind", "interleaving")
        assert (status, lines[9:30]) == (1, f"refused: {V1}"[:21])
        status, lines = releaser.ask("experiment", V2, "--kind", "interleaving", "--share", "300")
        assert (status, beside()) == (0, [V2, V2]), lines
        assert "300 of 1000 buckets of people get lists with movies of" in lines
        status, lines = releaser.ask("experiment-stop")
        assert (status, beside()) == (0, [None, None]), lines


def test_an_experiment_ends_without_a_person_when_its_slots_are_started_anew(releaser):
    ended = "SELECT end_reason FROM experiment WHERE ended_at IS NOT NULL"
    with releaser.working():
        releaser.ask("release", "--version", V1)
        status, lines = releaser.ask("experiment", V2, "--share", "300")
        assert (status, len(sent_to_green(releaser.state))) == (0, 300), lines
        (releaser.state / "metrics").write_text(f"process_start_time_seconds {time.time()}\n")
        eventually(lambda: releaser.owner.execute(ended).rowcount, 120, "the experiment ends")
        eventually(lambda: not sent_to_green(releaser.state), 120, "all people are back")
    ((why,),) = releaser.owner.execute(ended).fetchall()
    assert "was started anew at" in why


def test_a_rollback_during_a_release_stops_it(releaser):
    with releaser.working():
        releaser.ask("release", "--version", V1)
    with releaser.working(RELEASE_WATCH_SECONDS="60"):
        asked = releaser.start("release")
        eventually(releaser.shifted)
        status, lines = releaser.ask("rollback")
        stopped, why = ended(asked)
    assert (stopped, why.splitlines()[-1][9:]) == (1, "failed: a rollback was asked for (job 3)")
    assert (status, lines[9:]) == (0, f"the release of {V2} was stopped; live as before: {V1}\n")
    assert sent_to_green(releaser.state) == frozenset()


def test_a_release_of_another_version_supersedes_the_one_under_way(releaser):
    with releaser.working():
        releaser.ask("release", "--version", V1)
        releaser.ask("release", "--version", V2)
        releaser.ask("rollback")
    with releaser.working(RELEASE_WATCH_SECONDS="60"):
        stopped = releaser.start("release", "--version", V2)
        eventually(releaser.shifted)
        same = releaser.start("release", "--version", V2)
        eventually(lambda: releaser.waiting("release"))
        assert releaser.shifted(), "the same version once more supersedes nothing"
        same.kill()
        same.communicate()
        releaser.owner.execute(
            "UPDATE procrastinate_jobs SET args = %s WHERE status = 'todo'",
            (json.dumps({"version": V1}),),
        )
        status, lines = ended(stopped)
        assert status == 1
        assert f"superseded by the release of {V1}" in lines
        eventually(lambda: not releaser.waiting("release"))
    assert sent_to_green(releaser.state) == frozenset()


def test_two_impatient_rollbacks_go_back_once(releaser):
    with releaser.working():
        for version in (V1, V2):
            releaser.ask("release", "--version", version)
    first = releaser.start("rollback")
    eventually(lambda: releaser.waiting("rollback"))
    status, lines = releaser.ask("rollback")
    assert (status, lines) == (1, "a rollback is waiting already\n")
    with releaser.working():
        assert ended(first)[0] == 0
    assert releaser.last_step() == ("promote", f"live in place of {V2}")


def test_a_plan_is_printed_and_nothing_is_done(releaser):
    status, lines = releaser.ask("release", "--plan", "--version", V1)
    assert status == 0
    assert lines.startswith(f"release of {V1} in blue, the first: 7 steps\n")
    assert releaser.last_step() is None
    assert not releaser.state.exists()
    status, lines = releaser.ask("release", "--plan", "--version", "none")
    assert (status, lines) == (1, "would be refused: there is no version none\n")


def test_a_release_whose_releaser_is_killed_is_put_back_by_the_next_one(releaser):
    with releaser.working():
        releaser.ask("release", "--version", V1)
    with releaser.working(RELEASE_WATCH_SECONDS="60"):
        asked = releaser.start("release")
        eventually(releaser.shifted)
    assert len(sent_to_green(releaser.state)) == 10
    with releaser.working():
        eventually(lambda: not sent_to_green(releaser.state))
        eventually(
            lambda: releaser.last_step() == ("abort", "the releaser died after the step shift")
        )
        status, lines = ended(asked)
        assert status == 1
        assert lines.endswith(
            "the releaser died after the step shift; undone, traffic is where it was\n"
        )
        assert releaser.ask("release")[0] == 0
    assert len(sent_to_green(releaser.state)) == 1000


@pytest.mark.parametrize(
    ("step", "status", "version", "last"),
    [
        ("shift", 1, V1, ("abort", "the session with the database was lost after the step shift")),
        ("promote", 0, V2, ("promote", f"live in place of {V1}")),
    ],
)
def test_what_the_database_has_is_what_counts_where_its_acknowledgement_is_lost(
    releaser, step, status, version, last
):
    with releaser.working():
        releaser.ask("release", "--version", V1)
    where = releaser.environment
    with (
        losing_acknowledgement(where["DATABASE_HOST"], int(where["DATABASE_PORT"]), step) as port,
        releaser.working(DATABASE_HOST="127.0.0.1", DATABASE_PORT=str(port)),
    ):
        assert releaser.ask("release", "--version", V2)[0] == status
    assert releaser.last_step() == last
    live = Slot.GREEN if version == V2 else Slot.BLUE
    assert sent_to_green(releaser.state) == (EVERYONE if live is Slot.GREEN else frozenset())
    assert assigned_version(assignment_file(releaser.state, live)) == version
    ends = "SELECT count(*) FROM deployment WHERE version = %s AND step IN ('promote', 'abort')"
    assert releaser.owner.execute(ends, (V2,)).fetchone() == (1,)


def test_a_releaser_that_is_stopped_puts_traffic_back_within_ten_seconds(releaser):
    with releaser.working():
        releaser.ask("release", "--version", V1)
    with releaser.working(RELEASE_WATCH_SECONDS="60") as worker:
        asked = releaser.start("release")
        eventually(releaser.shifted)
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(10) == 0
    assert sent_to_green(releaser.state) == frozenset()
    assert releaser.last_step() == ("abort", "the releaser was told to stop")
    status, lines = ended(asked)
    assert (status, lines.splitlines()[-1][9:]) == (1, "failed: the releaser was told to stop")


def test_where_nothing_else_schedules_the_releaser_releases_by_itself_what_is_new(releaser):
    with releaser.working(SCHEDULE="internal", RELEASE_CRON="* * * * * */2"):
        eventually(lambda: (releaser.last_step() or ("", ""))[0] == "promote")
        steps = releaser.owner.execute("SELECT count(*) FROM deployment").fetchone()
        said = "SELECT message FROM job_log WHERE message LIKE 'nothing new%'"
        eventually(lambda: releaser.owner.execute(said).fetchone())
    assert releaser.owner.execute("SELECT count(*) FROM deployment").fetchone() == steps


def test_a_release_by_schedule_leaves_one_that_is_judged_alone_and_says_so(releaser):
    with releaser.working():
        releaser.ask("release", "--version", V1)
    for_long = {"EVALUATION_HORIZON": "PT1H", "RELEASE_PATIENCE": "PT1H"}
    with releaser.working(SCHEDULE="internal", RELEASE_CRON="* * * * * */2", **for_long):
        judged = "SELECT FROM experiment WHERE ended_at IS NULL"
        eventually(lambda: releaser.owner.execute(judged).rowcount, 120, "people judge it")
        begun = "SELECT max(line_id) FROM job_log"
        (line,) = releaser.owner.execute(begun).fetchone()
        left = "SELECT FROM job_log WHERE line_id > %s AND message LIKE %s"
        words = (line, "%is left alone%")
        eventually(lambda: releaser.owner.execute(left, words).rowcount, 120, "left alone")
        assert releaser.owner.execute(judged).rowcount == 1


def test_a_release_that_jenkins_asks_for_leaves_one_that_a_person_began_alone(releaser, conninfo):
    with releaser.working():
        releaser.ask("release", "--version", V1)
    for_long = {"EVALUATION_HORIZON": "PT1H", "RELEASE_PATIENCE": "PT1H"}
    judged = "SELECT FROM experiment WHERE ended_at IS NULL"
    with (
        releaser.working(**for_long),
        psycopg.connect(conninfo("scheduler"), autocommit=True) as jenkins,
    ):
        asked = releaser.start("release", "--version", V2)
        eventually(lambda: releaser.owner.execute(judged).rowcount, 120, "people judge it")
        releaser.owner.execute(ACCEPTED, (V3,))
        (job,) = jenkins.execute("SELECT ask_for('release')").fetchone()
        status = "SELECT asked_job_status(%s)"
        eventually(lambda: jenkins.execute(status, (job,)).fetchone() == ("cancelled",), 120)
        ((said,),) = jenkins.execute("SELECT said FROM asked_job_lines(%s, 0)", (job,)).fetchall()
        assert said.endswith("is left alone by the one that was due")
        assert releaser.owner.execute(judged).rowcount == 1
        releaser.ask("rollback")
        ended(asked)


def test_a_release_that_jenkins_asks_for_is_done_where_none_is_under_way(releaser, conninfo):
    with (
        releaser.working(),
        psycopg.connect(conninfo("scheduler"), autocommit=True) as jenkins,
    ):
        (job,) = jenkins.execute("SELECT ask_for('release')").fetchone()
        status = "SELECT asked_job_status(%s)"
        eventually(lambda: jenkins.execute(status, (job,)).fetchone() == ("succeeded",), 120)
    assert releaser.last_step() == ("promote", "live, the first")


NIGHTLY = {"RELEASE_CRON": "30 3 * * *"}


def make_popularity(releaser, version, verdict="accepted"):
    statement = "UPDATE model_version SET algorithm = 'popularity', verdict = %s WHERE version = %s"
    releaser.owner.execute(statement, (verdict, version))


def test_the_first_release_comes_by_itself(releaser):
    with releaser.working(**NIGHTLY):
        eventually(lambda: releaser.last_step() == ("promote", "live, the first"))
    assert assigned_version(assignment_file(releaser.state, Slot.BLUE)) == V2


def test_popularity_that_nobody_could_judge_is_replaced_by_the_first_that_was(releaser):
    make_popularity(releaser, V1)
    make_popularity(releaser, V2, "refused")
    with releaser.working(**NIGHTLY):
        eventually(lambda: releaser.last_step() == ("promote", "live, the first"))
        releaser.owner.execute(
            "UPDATE model_version SET algorithm = 'ease', verdict = 'accepted' WHERE version = %s",
            (V2,),
        )
        eventually(
            lambda: (
                releaser.last_step()
                == ("promote", f"live in place of {V1}; people were not asked (QUALITY=skip)")
            )
        )


def test_a_first_release_that_was_killed_comes_again(releaser):
    releaser.owner.execute(
        "INSERT INTO deployment (action, step, version, slot, share, reason)"
        " VALUES ('release', 'start', %s, 'blue', 0, 'the first release')",
        (V2,),
    )
    with releaser.working(**NIGHTLY):
        eventually(lambda: releaser.last_step() == ("promote", "live, the first"))


def test_what_is_popular_so_far_is_answered_while_nothing_is_live(releaser):
    make_popularity(releaser, V1, "refused")
    make_popularity(releaser, V2, "refused")
    releaser.owner.cursor().executemany(
        "INSERT INTO rating (time, user_id, movie_id, rating, log_partition, log_offset)"
        " VALUES (now(), %s, %s, 4, 0, %s)",
        [(1, "heat+1995", 0), (2, "alien+1979", 1), (3, "alien+1979", 2)],
    )
    popular = releaser.state / "popular"
    with releaser.working(**NIGHTLY):
        eventually((popular / "live/2.json").is_file)
        assert (popular / "list.txt").read_text() == "alien+1979,heat+1995\n"
        assert (popular / "live/1.txt").read_text() == "alien+1979\n"
        assert '"model_version":null' in (popular / "live/2.json").read_text()
        make_popularity(releaser, V1)
        eventually(lambda: releaser.last_step() == ("promote", "live, the first"))
    assert (popular / "list.txt").read_text() == "heat+1995\n"


def test_without_a_database_the_command_says_so_in_one_line(releaser):
    status, lines = Releaser(
        releaser.environment | {"DATABASE_PORT": str(free_port())},
        releaser.owner,
        releaser.state,
        releaser.log,
    ).ask("release")
    assert status == 1
    assert "the database does not answer" in lines
    assert "Traceback" not in lines
