"""Jenkins does not start with a password, a repository or a time that is not there."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.unit.compose.test_allowed_settings import CASES

ROOT = Path(__file__).parents[3]


def outcome(check, **environment):
    """How a check of start.sh ends, and what it says."""
    done = subprocess.run(
        ["bash", "-c", f"source ci/jenkins/start.sh; {check}"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stderr


@pytest.mark.parametrize(
    ("content", "reason"),
    [("", "is empty"), ("secret\n", "line end"), ("${readFile:/run}", "a name instead of")],
)
def test_a_password_that_is_none_is_refused(tmp_path, content, reason):
    file = tmp_path / "jenkins"
    file.write_text(content)
    code, said = outcome(f"check_password {file}")
    assert (code, reason in said, len(said.splitlines())) == (1, True, 1)


def test_a_password_that_is_not_there_is_refused(tmp_path):
    assert outcome(f"check_password {tmp_path / 'none'}")[0] == 1


def test_a_password_as_secrets_writes_it_is_taken(tmp_path):
    file = tmp_path / "jenkins"
    file.write_text("s3cret-}$x")
    assert outcome(f"check_password {file}") == (0, "")


@pytest.mark.parametrize("url", ["", *CASES["REPOSITORY_URL"][1]])
def test_a_repository_that_jenkins_cannot_take_is_refused_and_no_password_shown(url):
    code, said = outcome("check_repository", REPOSITORY_URL=url)
    assert (code, len(said.splitlines())) == (1, 1)
    assert "REPOSITORY_URL is" in said
    assert "s3cret" not in said


@pytest.mark.parametrize("url", CASES["REPOSITORY_URL"][0])
def test_a_repository_that_make_up_takes_is_taken(url):
    assert outcome("check_repository", REPOSITORY_URL=url) == (0, "")


CRONS = {"POLL_CRON": "H/2 * * * *", "BUILD_CRON": "0 3 * * *", "CERTIFICATE_CRON": "0 5 * * 7"}
NAMES = [*CRONS, "DRILL_CRON"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("cron", CASES["JENKINS_BUILD_CRON"][0])
def test_a_time_that_make_up_takes_is_taken(name, cron):
    assert outcome("check_crons", **{**CRONS, name: cron}) == (0, "")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("cron", CASES["JENKINS_BUILD_CRON"][1])
def test_a_time_that_make_up_refuses_is_refused(name, cron):
    code, said = outcome("check_crons", **{**CRONS, name: cron})
    assert (code, f"{name} is '{cron}'" in said, len(said.splitlines())) == (1, True, 1)


@pytest.mark.parametrize("name", NAMES)
def test_only_drills_may_have_no_time(name):
    code, _ = outcome("check_crons", **{**CRONS, name: ""})
    assert code == (0 if name == "DRILL_CRON" else 1)
