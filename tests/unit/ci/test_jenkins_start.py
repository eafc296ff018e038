"""Jenkins does not start with a password, a repository or a time that is not there."""

import os
import subprocess
from pathlib import Path

import pytest

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


@pytest.mark.parametrize("url", ["", "/srv/marquee", "file:///srv/marquee", "marquee", "http://"])
def test_a_repository_that_jenkins_cannot_take_is_refused(url):
    code, said = outcome("check_repository", REPOSITORY_URL=url)
    assert (code, f"'{url}'" in said) == (1, True)


@pytest.mark.parametrize("url", ["git://host/marquee", "https://host/m.git", "ssh://git@host/m"])
def test_a_repository_that_jenkins_can_take_is_taken(url):
    assert outcome("check_repository", REPOSITORY_URL=url) == (0, "")


@pytest.mark.parametrize(
    ("crons", "code"),
    [
        ({}, 0),
        ({"POLL_CRON": ""}, 1),
        ({"POLL_CRON": "H/2"}, 1),
        ({"CERTIFICATE_CRON": "weekly"}, 1),
        ({"DRILL_CRON": "H 6 * * 7"}, 0),
        ({"DRILL_CRON": "weekly"}, 1),
    ],
)
def test_a_time_has_five_fields_and_only_drills_may_have_none(crons, code):
    usual = {"POLL_CRON": "H/2 * * * *", "BUILD_CRON": "0 3 * * *", "CERTIFICATE_CRON": "0 5 * * 7"}
    assert outcome("check_crons", **{**usual, "DRILL_CRON": "", **crons})[0] == code
