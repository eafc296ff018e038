"""The steps of Jenkins's pipelines, in order, from a container laid out as Jenkins's own.

Its user, workspace, environment, networks and secrets are Jenkins's, and there is no terminal.
Shorter than there: the certificate plays one release, the drill one fault. What `make test` has
run already, as the same steps, is run once more only where EVERY_STEP is set (`make drill`).
Last of all files: it builds this stack's images anew.
"""

import json
import os
import re
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ci.pipeline import steps
from tests.end_to_end.conftest import CHECKOUT, Stack
from tests.end_to_end.test_9_drill import settled
from tests.engine import docker
from tests.waiting import eventually

PREFIX, PROJECT = os.environ["IMAGE_PREFIX"], os.environ["COMPOSE_PROJECT_NAME"]
SHORTER = ("ARGS=--collect-only --quiet", "SWAPS=1", "REQUEST_RATE=20", "FAULTS=releaser")
HOME = "/var/jenkins_home"
WORKSPACE = f"{HOME}/workspace/commit"
OF_A_BUILD = {
    "BUILD_NUMBER": "7",
    "EXECUTOR_NUMBER": "0",
    "GIT_BRANCH": "origin/main",
    "HOME": HOME,
    "JENKINS_HOME": HOME,
    "JOB_NAME": "commit",
    "WORKSPACE": WORKSPACE,
}
"""What Jenkins adds for each build; the rest is what compose gives its container."""
CHECK_OUT = """
cp --recursive /src/. .
git init --quiet && git add . && git -c user.name=x -c user.email=x@example.org commit -qm one
"""
PIPELINES = (
    "ci/Jenkinsfile",
    *("ci/pipelines/nightly.Jenkinsfile", "ci/pipelines/certificate.Jenkinsfile"),
    "ci/pipelines/drill.Jenkinsfile",
)
STEPS = [step for path in PIPELINES for step in steps((CHECKOUT / path).read_text())]
RUN_ALREADY = {
    *("make lint", "make test-unit", "make test-integration"),
    *("make retrain", "make release", "make drill YES=1"),
}
"""By `make test`, on this host."""
PLAYED = [step for step in STEPS if "EVERY_STEP" in os.environ or step not in RUN_ALREADY]
KEPT = ("postgres", "kafka", "nginx")


def played(step: str) -> Any:
    """A step, skipped where it was run already."""
    reason = "make test has run it already; from here in make drill"
    return pytest.param(step, marks=pytest.mark.skipif(step not in PLAYED, reason=reason))


@dataclass(frozen=True)
class Agent:
    """The container in which steps run."""

    name: str

    def run(self, script: str) -> subprocess.CompletedProcess[str]:
        """Run a script as Jenkins runs a step's."""
        return subprocess.run(
            ["docker", "exec", "--workdir", WORKSPACE, self.name, "sh", "-xe", "-c", script],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    def read(self, path: str) -> str:
        """What is in a file of the workspace."""
        return self.run(f"cat {path}").stdout

    def commit(self) -> str:
        """Which commit is checked out."""
        return self.run("git rev-parse HEAD").stdout.strip()


@contextmanager
def helper() -> Iterator[None]:
    """Jenkins's helper, as compose describes it, with what makes its verbs shorter."""
    name = f"helper-{uuid.uuid4().hex[:8]}"
    group = str(Path("/var/run/docker.sock").stat().st_gid)
    run = ("docker", "compose", "--profile", "jenkins", "run", "--detach", "--no-deps")
    given = [word for setting in SHORTER for word in ("--env", setting)]
    subprocess.run(
        [*run, "--use-aliases", "--name", name, *given, "helper"],
        cwd=CHECKOUT,
        env=os.environ | {"DOCKER_GROUP": group},
        check=True,
        capture_output=True,
    )
    health = ("inspect", "--format", "{{.State.Health.Status}}", name)
    try:
        eventually(lambda: docker(*health) == "healthy\n", 60, "the helper")
        yield
    finally:
        docker("rm", "--force", name)


@contextmanager
def container_like_jenkins(stack: Stack) -> Iterator[Agent]:
    """A container that has of this stack what compose gives Jenkins's, and nothing else."""
    config = json.loads(stack.compose("--profile", "*", "config", "--format", "json"))
    jenkins = config["services"]["jenkins"]
    environment = jenkins["environment"] | OF_A_BUILD
    first, *others = (f"{PROJECT}_{name}" for name in sorted(jenkins["networks"]))
    created = docker(
        *("create", "--init", "--user", jenkins["user"], "--network", first, "--cap-drop", "ALL"),
        *("--volume", f"{PROJECT}_secrets:/run/secrets:ro"),
        *("--tmpfs", f"{HOME}:uid=1000,gid=1000,exec"),
        *(word for name in environment for word in ("--env", f"{name}={environment[name]}")),
        *(f"{PREFIX}/tests", "sleep", "infinity"),
    ).strip()
    try:
        for network in others:
            docker("network", "connect", network, created)
        docker("start", created)
        docker("exec", created, "mkdir", "--parents", WORKSPACE)
        yield Agent(created)
    finally:
        docker("rm", "--force", created)


@pytest.fixture(scope="module")
def agent(stack) -> Iterator[Agent]:
    """Such a container, with a commit checked out, beside a helper."""
    with helper(), container_like_jenkins(stack) as made:
        done = made.run(CHECK_OUT)
        assert done.returncode == 0, done.stderr
        yield made


def went_well(stack: Stack, agent: Agent, step: str, said: str) -> bool:
    """Whether what a step asked for did, as is written where it was done."""
    if step == "make certificate":
        return json.loads(agent.read("build/certificate.json"))["failed"] == 0
    if step in {"make retrain", "make release"}:
        job = re.findall(r" is job (\d+)", said)[0]
        ended = stack.sql(f"SELECT status::text FROM procrastinate_jobs WHERE id = {job}")
        left_one_alone = step == "make release" and ended == [("cancelled",)]
        return ended == [("succeeded",)] or left_one_alone
    return True


def test_the_agent_has_no_engine(agent):
    assert agent.run("docker version").returncode != 0
    assert agent.run("test -e /var/run/docker.sock").returncode != 0


@pytest.mark.timeout(900)
@pytest.mark.parametrize("step", [played(step) for step in STEPS])
def test_a_step_ends_as_what_it_asked_for_and_starts_nothing_else_anew(stack, agent, step):
    eventually(lambda: settled(stack), 200, "a stack that is well")
    before = {service: stack.container(service)["Id"] for service in KEPT}
    done = agent.run(step)
    said = done.stdout + done.stderr
    assert (done.returncode == 0) == went_well(stack, agent, step, said), said
    assert {service: stack.container(service)["Id"] for service in KEPT} == before


@pytest.mark.usefixtures("agent")
def test_how_each_step_ended_was_told_to_the_database(stack):
    asked = {step.split()[1] for step in PLAYED} - {"retrain", "release"}
    assert asked
    assert asked <= {step for (step,) in stack.sql("SELECT step FROM pipeline_step")}


def test_what_jenkins_archives_is_in_the_workspace_and_names_the_code(agent):
    assert agent.commit()[:12] in agent.read("build/images.txt")
    assert json.loads(agent.read("build/certificate.json"))["commit"] == agent.commit()


@pytest.mark.skipif("make drill YES=1" not in PLAYED, reason="no drill was played from here")
def test_a_drill_by_the_helper_names_the_code_that_the_helper_is_of(agent):
    drill = json.loads(agent.read("build/drill.json"))
    assert re.fullmatch("[0-9a-f]{40}(-dirty)?", drill["commit"])
