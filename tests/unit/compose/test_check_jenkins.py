"""`make up JENKINS=on` asks for what Jenkins needs before it starts anything."""

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
SOURCES = "source compose/up/say.sh; source compose/up/check_jenkins.sh"


def checked(**environment):
    return subprocess.run(
        ["bash", "-c", f"{SOURCES}; check_jenkins"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "REPOSITORY_URL": "", "TMPDIR": "/tmp", **environment},  # noqa: S108
        capture_output=True,
        text=True,
        check=False,
    )


def test_without_jenkins_nothing_is_asked_for():
    assert checked().returncode == 0


@pytest.mark.parametrize("url", ["", "/srv/marquee", "file:///srv/marquee"])
def test_a_repository_that_jenkins_refuses_is_refused_first(url):
    done = checked(JENKINS="on", REPOSITORY_URL=url)
    assert done.returncode == 1
    assert f"REPOSITORY_URL is '{url}'" in done.stderr
    assert "make up JENKINS=on REPOSITORY_URL=" in done.stderr


def test_a_repository_that_does_not_answer_is_named():
    done = checked(JENKINS="on", REPOSITORY_URL="http://127.0.0.1:1/marquee.git")
    assert done.returncode == 1
    assert "nothing can be cloned from http://127.0.0.1:1/marquee.git" in done.stderr
