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


def hand_login(tmp_path, engine_ends_with=0, **environment):
    """Hand it to a stand-in for the engine, which keeps what it is given."""
    engine = tmp_path / "docker"
    engine.write_text(
        f'#!/bin/sh\necho "$*" > {tmp_path}/asked\ncat > {tmp_path}/given\n'
        f"exit {engine_ends_with}\n"
    )
    engine.chmod(0o755)
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", f"{SOURCES}; IMAGE_REGISTRY=town:5000; hand_login"],
        cwd=ROOT,
        env={"PATH": f"{tmp_path}:{os.environ['PATH']}", "HOME": str(tmp_path), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def handed(tmp_path, **environment):
    """What the login is read from."""
    done = hand_login(tmp_path, **environment)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert (tmp_path / "asked").read_text().split()[-3:] == ["secrets", "login", "town:5000"]
    return (tmp_path / "given").read_text()


def test_the_login_is_read_where_docker_keeps_it(tmp_path):
    for folder in (".docker", "elsewhere"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "config.json").write_text(folder)
    assert handed(tmp_path) == ".docker"
    assert handed(tmp_path, DOCKER_CONFIG=str(tmp_path / "elsewhere")) == "elsewhere"
    assert handed(tmp_path, DOCKER_CONFIG=str(tmp_path / "nowhere")) == ""


def test_a_login_that_cannot_be_had_is_said_and_jenkins_starts(tmp_path):
    done = hand_login(tmp_path, engine_ends_with=1)
    assert done.returncode == 0
    assert "Jenkins's helper got no login to town:5000" in done.stdout
