"""Jenkins's helper, asked by the client that the pipelines use: real HTTP and real processes."""

import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from signal import SIGKILL
from threading import Thread

import pytest

from ci.helper.runner import Runner
from ci.helper.server import Helper, server
from ci.helper.verbs import VERBS, Verb
from ci.pipeline import steps
from tests.waiting import eventually

ROOT = Path(__file__).parents[3]
TOKEN = "for this helper only"  # noqa: S105 -- it lives as long as a test
RESULT = "mkdir -p build && echo found > build/result.xml && ln -s /etc/passwd build/link.xml"
CHANGED = 1_700_000_000
AGE = f"touch --date @{CHANGED} build/result.xml"
TIDIES = "trap 'sleep 1; touch $ENDED' EXIT; touch $BEGUN; sleep 300; true"
WAITS = "sleep 300 & trap 'touch $ENDED; kill $!' EXIT; touch $BEGUN; wait $!"


def shell(script: str, **how) -> Verb:
    return Verb(("bash", "-c", script), **how)


@dataclass(frozen=True)
class Agent:
    """A commit that is checked out, and how a step asks the helper from there."""

    checkout: Path
    environment: dict[str, str]
    folder: Path

    def start(self, verb: str, **environment: str) -> subprocess.Popen[str]:
        """Ask, as a step does, in a process group of its own."""
        return subprocess.Popen(
            ["ci/jenkins/ask_helper.sh", verb],
            cwd=self.checkout,
            env=self.environment | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def ask(self, verb: str, **environment: str) -> tuple[int, str, str]:
        """Ask and wait: how it ended, and what it printed on both streams."""
        with self.start(verb, **environment) as asked:
            out, err = asked.communicate(timeout=60)
        return asked.returncode, out, err

    def make(self, *words: str) -> tuple[int, str, str]:
        """Run a make target as a step does."""
        command = ("make", f"--file={ROOT / 'Makefile'}", *words)
        done = subprocess.run(
            command,
            cwd=self.checkout,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout, done.stderr

    def has(self, name: str) -> bool:
        """Whether a verb has left such a file."""
        return (self.folder / name).exists()


@pytest.fixture
def checkout(tmp_path) -> Path:
    """A repository with one commit, in which the client is."""
    folder = tmp_path / "workspace"
    (folder / "ci/jenkins").mkdir(parents=True)
    client = folder / "ci/jenkins/ask_helper.sh"
    client.write_bytes((ROOT / "ci/jenkins/ask_helper.sh").read_bytes())
    client.chmod(0o755)
    (folder / "file.txt").write_text("of the commit\n")
    git = ("git", "-c", "user.name=x", "-c", "user.email=x@example.org")
    for command in (("init", "--quiet"), ("add", "."), ("commit", "--quiet", "--message=one")):
        subprocess.run([*git, *command], cwd=folder, check=True)
    return folder


@pytest.fixture
def agent(tmp_path, checkout, monkeypatch) -> Iterator[Agent]:
    """Beside a helper whose verbs are the test's own."""
    folder, token = tmp_path / "helper", tmp_path / "token"
    (folder / "build").mkdir(parents=True)
    token.write_text(TOKEN)
    monkeypatch.setenv("BEGUN", str(folder / "begun"))
    monkeypatch.setenv("ENDED", str(folder / "ended"))
    verbs = {
        "well": shell("echo one; echo two >&2; printf three"),
        "ill": shell("echo no; exit 3"),
        "killed": shell("kill -9 $$"),
        "tree": shell('cat "$MARQUEE_SOURCE/file.txt"; ls -A "$MARQUEE_SOURCE"', takes_tree=True),
        "result": shell(RESULT, results=("result.xml", "link.xml", "none.xml")),
        "old": shell(f"{RESULT}; {AGE}", results=("result.xml",)),
        "leaves": shell("ls -A build"),
        "waits": shell(WAITS),
        "tidies": shell(f"({TIDIES}); true"),
        "outlives": shell("touch $BEGUN; sleep 2; touch $ENDED", outlives_caller=True),
        "drill": shell("touch $BEGUN"),
        "release-code": shell("touch $BEGUN"),
        "forges": shell("echo exit 0; exit 4"),
        "forgets": shell("sleep 300 & echo begun"),
    }
    known = Helper(verbs, Runner(folder), folder, lambda: sha256(TOKEN.encode()).hexdigest())
    with server(known, ("127.0.0.1", 0)) as listening:
        Thread(target=listening.serve_forever, daemon=True).start()
        environment = {
            "PATH": os.environ["PATH"],
            "JENKINS_HELPER": f"http://127.0.0.1:{listening.server_port}",
            "HELPER_TOKEN": str(token),
        }
        yield Agent(checkout, environment, folder)
        listening.shutdown()


def test_what_a_verb_prints_is_printed_and_its_status_passed_on(agent):
    assert agent.ask("well") == (0, "one\ntwo\nthree\n", "")
    assert agent.ask("ill") == (3, "no\n", "")
    assert agent.ask("killed")[0] == 137


def test_what_a_verb_prints_cannot_pass_for_its_status(agent):
    assert agent.ask("forges") == (4, "exit 0\n", "")


def test_what_a_verb_left_running_ends_with_it(agent):
    assert agent.ask("forgets") == (0, "begun\n", "")


def test_a_verb_gets_the_commit_and_nothing_else_of_the_workspace(agent):
    (agent.checkout / "not-committed").write_text("")
    code, out, _ = agent.ask("tree")
    assert (code, out.split("\n")[:3]) == (0, ["of the commit", "ci", "file.txt"])


def test_the_named_results_come_back_and_no_link(agent):
    assert agent.ask("result")[0] == 0
    build = agent.checkout / "build"
    assert [path.name for path in build.iterdir()] == ["result.xml"]
    assert (build / "result.xml").read_text() == "found\n"


def test_a_result_is_as_old_as_it_was_where_it_came_to_be(agent):
    assert agent.ask("old")[0] == 0
    assert (agent.checkout / "build/result.xml").stat().st_mtime == CHANGED


@pytest.mark.parametrize("verb", ["ill", "no such verb"])
@pytest.mark.parametrize("builds", [("7", "8"), ("", "")])
def test_what_an_earlier_build_brought_is_gone_before_another_asks(agent, verb, builds):
    before, now = builds
    agent.ask("result", BUILD_NUMBER=before)
    assert (agent.checkout / "build/result.xml").exists()
    assert agent.ask(verb, BUILD_NUMBER=now)[0] != 0
    assert not (agent.checkout / "build/result.xml").exists()


def test_what_an_earlier_step_of_the_same_build_brought_stays(agent):
    agent.ask("result", BUILD_NUMBER="7")
    agent.ask("well", BUILD_NUMBER="7")
    assert (agent.checkout / "build/result.xml").exists()


def test_nothing_that_a_run_left_is_there_for_the_next_one(agent):
    agent.ask("result")
    assert agent.ask("leaves") == (0, "", "")


@pytest.mark.parametrize("verb", ["sh", "", "well/ill", "well?x=1", "well%20ill"])
def test_anything_else_is_refused_in_one_line(agent, verb):
    code, out, err = agent.ask(verb)
    assert (code, out, len(err.splitlines())) == (1, "", 1)
    assert "there is no verb" in err
    assert "there are: well, ill" in err


def test_whoever_has_no_token_or_another_one_is_refused_in_one_line(agent, tmp_path):
    other = tmp_path / "other"
    for token in ("", "another"):
        other.write_text(token)
        code, out, err = agent.ask("well", HELPER_TOKEN=str(other))
        assert (code, out) == (1, "")
        assert err == "make: the helper says: the token is missing or another one\n"


def test_a_helper_that_is_not_there_is_an_error(agent):
    code, _, err = agent.ask("well", JENKINS_HELPER="http://127.0.0.1:1")
    assert code == 1
    assert "the helper was gone before the end" in err


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("release-code", "PLAN=1"), "PLAN"),
        (("release-code", "IMAGE=host:5000/recommender"), "IMAGE"),
        (("release-code", "OVERLAP=0.2"), "OVERLAP"),
        (("drill",), "make drill YES=1"),
        (("drill", "YES=0"), "make drill YES=1"),
        (("drill", "YES=1", "FAULTS=kafka"), "FAULTS"),
    ],
)
def test_what_the_helper_cannot_be_told_is_refused_in_one_line_and_not_asked(agent, words, named):
    code, out, err = agent.make(*words)
    refusal, *rest = [line for line in err.splitlines() if not line.startswith("make: ***")]
    assert (code, out, rest) == (2, "", [])
    assert named in refusal
    assert not agent.has("begun")


@pytest.mark.parametrize("words", [("release-code",), ("drill", "YES=1")])
def test_a_step_of_the_pipelines_is_asked_of_the_helper(agent, words):
    assert agent.make(*words) == (0, "", "")
    assert agent.has("begun")


@pytest.mark.parametrize("verb", ["waits", "tidies"])
def test_a_caller_that_is_killed_ends_what_runs_and_lets_it_tidy_up(agent, verb):
    asked = agent.start(verb)
    eventually(lambda: agent.has("begun"), 30, "the verb")
    os.killpg(asked.pid, SIGKILL)
    asked.communicate()
    eventually(lambda: agent.has("ended"), 30, "its own end")


def test_what_changes_the_stack_outlives_its_caller(agent):
    asked = agent.start("outlives")
    eventually(lambda: agent.has("begun"), 30, "the verb")
    os.killpg(asked.pid, SIGKILL)
    asked.communicate()
    eventually(lambda: agent.has("ended"), 30, "the end of the verb")


def test_a_second_caller_waits_for_the_first_and_is_told(agent):
    first = agent.start("waits")
    eventually(lambda: agent.has("begun"), 30, "the verb")
    second = agent.start("well")
    assert second.stdout.readline() == "helper: something else runs; this waits for its end\n"
    os.killpg(first.pid, SIGKILL)
    first.communicate()
    out, _ = second.communicate(timeout=60)
    assert (second.returncode, out) == (0, "one\ntwo\nthree\n")


def test_the_helper_knows_what_the_pipelines_ask_for_and_no_more():
    pipelines = [ROOT / "ci/Jenkinsfile", *(ROOT / "ci/pipelines").glob("*.Jenkinsfile")]
    asked = {step.split()[1] for path in pipelines for step in steps(path.read_text())}
    assert set(VERBS) == asked - {"retrain", "release"}


def test_a_verb_runs_a_script_of_the_helpers_own():
    for verb in VERBS.values():
        script = next(word for word in verb.command if "/" in word)
        assert (ROOT / script).is_file()
