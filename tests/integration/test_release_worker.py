"""The releaser as a process: asked from outside, killed, stopped; its slots are played."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import IO
from urllib.request import urlopen

import psycopg
import pytest

from ci.slots.state import Slot, sent_to_green
from compose.service.assignment import assigned_version, assignment_file, read_assignment
from tests.ports import free_port
from tests.stores import service_environment
from tests.waiting import eventually

V1, V2, V3 = "20260101-000000-ease", "20260102-000000-ease", "20260103-000000-ease"
ACCEPTED = (
    "INSERT INTO model_version (version, algorithm, git_commit, data_hash, interactions,"
    " users, movies, figures, manifest, verdict, reason)"
    " VALUES (%s, 'ease', 'c', 'd', 1, 1, 1, '{}', '{}', 'accepted', 'better')"
)


@contextmanager
def obedient_slots(state: Path) -> Iterator[str]:
    """Slots that are ready at once with whatever their file on the volume says.

    Their metrics are the file `metrics` there; without it they have none.
    """

    def metrics() -> bytes:
        file = state / "metrics"
        return file.read_bytes() if file.exists() else b""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            _, slot, page = self.path.split("/")
            told = read_assignment(assignment_file(state, Slot(slot)))
            beside = told.interleaved.version if told and told.interleaved else None
            said = {"slot": slot, "ready": told is not None, "interleaved_with": beside}
            text = json.dumps(said | {"model_version": told.version if told else None})
            self.send_response(200)
            self.end_headers()
            self.wfile.write(metrics() if page == "metrics" else text.encode())

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/{{slot}}"
    server.shutdown()
    thread.join()
    server.server_close()


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    output, _ = process.communicate(timeout=100)
    return process.returncode, output


@dataclass
class Releaser:
    """Starts `python -m ci …` with one environment."""

    environment: dict[str, str]
    owner: psycopg.Connection
    state: Path
    log: Path

    @contextmanager
    def working(self, **settings: str) -> Iterator[subprocess.Popen[str]]:
        with self.log.open("w") as log:
            process = self.start("work", stdout=log, **settings)
        try:
            yield process
        finally:
            process.kill()
            process.wait()

    def start(
        self, *arguments: str, stdout: int | IO[str] = subprocess.PIPE, **settings: str
    ) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "ci", *arguments],
            env=self.environment | settings,
            stdout=stdout,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def ask(self, *arguments: str) -> tuple[int, str]:
        """Ask for something and wait for its end; the exit status and what was printed."""
        process = self.start(*arguments)
        try:
            return ended(process)
        except subprocess.TimeoutExpired:
            process.kill()
            pytest.fail(
                f"not ended: {process.communicate()[0]}; the worker: {self.log.read_text()}"
            )

    def last_step(self) -> tuple[str, str] | None:
        return self.owner.execute(
            "SELECT step, reason FROM deployment ORDER BY step_id DESC LIMIT 1"
        ).fetchone()

    def shifted(self) -> bool:
        return (self.last_step() or ("", ""))[0] == "shift"

    def waiting(self, task: str) -> bool:
        """Whether a job of this task waits."""
        waiting = "SELECT FROM procrastinate_jobs WHERE task_name = %s AND status = 'todo'"
        return self.owner.execute(waiting, (task,)).fetchone() is not None

    def metrics(self) -> str:
        with urlopen(f"http://127.0.0.1:{self.environment['METRICS_PORT']}/metrics") as answer:
            return answer.read().decode()


@pytest.fixture
def releaser(conninfo, tmp_path) -> Iterator[Releaser]:
    for version in (V1, V2):
        directory = tmp_path / "models/versions" / version
        directory.mkdir(parents=True)
        (directory / "popular.txt").write_text("heat+1995\n")
    with (
        obedient_slots(tmp_path / "state") as url,
        psycopg.connect(conninfo("marquee"), autocommit=True) as owner,
    ):
        owner.cursor().executemany(ACCEPTED, [(V1,), (V2,)])
        environment = os.environ | {
            **service_environment(conninfo("releaser"), tmp_path),
            "HEARTBEAT_FILE": str(tmp_path / "heartbeat"),
            "METRICS_PORT": str(free_port()),
            "STATE_DIRECTORY": str(tmp_path / "state"),
            "MODELS_DIRECTORY": str(tmp_path / "models"),
            "SLOT_URL": url,
            "RELEASE_STEPS": "10,1000",
            "RELEASE_WATCH_SECONDS": "0.2",
            "EVALUATION_HORIZON": "PT0.2S",
            "RELEASE_PATIENCE": "PT0.4S",
            "SCHEDULE": "jenkins",
            "RELEASE_CRON": "",
        }
        yield Releaser(environment, owner, tmp_path / "state", tmp_path / "worker.log")


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


IMAGE = ("marquee/recommender:0123456789ab-0123456789ab", "sha256:1")


def code_begun(releaser):
    """A release of code that was begun: its job and the slot that is to be recreated."""
    status, said = releaser.ask("code", "begin", *IMAGE)
    assert status == 0, said
    job, slot = said.split()
    return job, slot


def recreated(releaser, job, slot, outcome):
    """Tell the releaser what became of a slot, as the script does."""
    told = releaser.ask("code", "record", slot, *IMAGE, "--outcome", outcome, "--job", job)
    assert told == (0, "")


def test_a_release_of_code_goes_on_as_slots_are_recreated_and_a_model_waits(releaser):
    with releaser.working():
        releaser.ask("release", "--version", V1)
        job, slot = code_begun(releaser)
        assert slot == "green"
        recreated(releaser, job, slot, "placed")
        status, lines = releaser.ask("code", "follow", job)
        assert (status, lines.splitlines()[-1][9:]) == (
            0,
            f"promote: live with the code of {IMAGE[0]}",
        )
        model = releaser.start("release")
        eventually(lambda: releaser.waiting("release"))
        recreated(releaser, job, "blue", "released")
        status, lines = ended(model)
        assert (status, lines.splitlines()[-1][9:]) == (0, f"promote: live in place of {V1}")


def test_a_rollback_during_a_release_of_code_stops_it_and_the_slot_may_be_taken_back(releaser):
    with releaser.working():
        releaser.ask("release", "--version", V1)
    with releaser.working(RELEASE_WATCH_SECONDS="60"):
        job, slot = code_begun(releaser)
        recreated(releaser, job, slot, "placed")
        eventually(releaser.shifted, 60)
        status, lines = releaser.ask("rollback")
        assert (status, lines.splitlines()[-1][9:]) == (
            0,
            f"the code release of {V1} was stopped; live as before: {V1}",
        )
        assert releaser.ask("code", "follow", job)[0] == 3
        assert releaser.ask("release")[1].splitlines()[-1][9:].startswith("refused: a release of")
        recreated(releaser, job, slot, "taken back")
    assert sent_to_green(releaser.state) == frozenset()


def test_a_rollback_says_so_where_it_was_code_that_went_live_last(releaser):
    with releaser.working():
        releaser.ask("release", "--version", V1)
        job, slot = code_begun(releaser)
        recreated(releaser, job, slot, "placed")
        releaser.ask("code", "follow", job)
        recreated(releaser, job, "blue", "released")
        assert releaser.ask("rollback") == (4, "")
        status, newest = releaser.ask("code", "newest")
        assert (status, newest.split()[1:]) == (0, ["green", "code", "release"])


def test_a_release_of_code_whose_slot_does_not_run_ends_as_given_up(releaser):
    with releaser.working():
        releaser.ask("release", "--version", V1)
        job, slot = code_begun(releaser)
        recreated(releaser, job, slot, "taken back")
        status, lines = releaser.ask("code", "follow", job)
    assert (status, lines.splitlines()[-1][9:]) == (
        3,
        f"abort: green does not run with the code of {IMAGE[0]}",
    )


def test_before_the_first_model_slots_get_code_without_a_release(releaser):
    assert releaser.ask("code", "begin", *IMAGE) == (0, "none\n")
    assert releaser.ask("code", "newest") == (0, "")


def test_slots_that_are_found_with_the_same_code_are_known_to_have_it(releaser):
    one = ("code", "record", "green", *IMAGE, "--outcome", "placed")
    assert releaser.ask(*one) == (0, "")
    for _ in range(2):
        assert releaser.ask("code", "settle", *IMAGE) == (0, "")
    rows = releaser.owner.execute("SELECT slot, outcome FROM code_release").fetchall()
    assert rows == [("green", "placed"), ("blue", "released"), ("green", "released")]


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
