"""`make up JENKINS=on` asks for what Jenkins needs before it starts anything."""

import os
import socket
import subprocess
from contextlib import contextmanager
from functools import partial
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

ROOT = Path(__file__).parents[3]
SOURCES = "source compose/up/say.sh; source compose/up/check_jenkins.sh"


def checked(seconds=30, **environment):
    return subprocess.run(
        ["bash", "-c", f"{SOURCES}; ANSWER_SECONDS={seconds}; check_jenkins"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "REPOSITORY_URL": "", "TMPDIR": "/tmp", **environment},  # noqa: S108
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


class Silent(SimpleHTTPRequestHandler):
    """Prints nothing of what it answers."""

    def log_message(self, *_):
        pass


class Locked(Silent):
    """Wants a password."""

    def do_GET(self):
        self.send_response(HTTPStatus.UNAUTHORIZED)
        self.send_header("WWW-Authenticate", 'Basic realm="here"')
        self.end_headers()


@contextmanager
def served(handler):
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def test_without_jenkins_nothing_is_asked_for():
    assert checked().returncode == 0


def test_without_a_repository_it_is_said_how_to_name_one():
    done = checked(JENKINS="on")
    assert done.returncode == 1
    assert "REPOSITORY_URL is ''" in done.stderr
    assert "make up JENKINS=on REPOSITORY_URL=" in done.stderr


def test_a_repository_that_does_not_answer_is_named():
    done = checked(JENKINS="on", REPOSITORY_URL="http://127.0.0.1:1/marquee.git")
    assert done.returncode == 1
    assert "can be cloned from http://127.0.0.1:1/marquee.git" in done.stderr


def test_a_repository_that_never_answers_is_given_up():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        done = checked(1, JENKINS="on", REPOSITORY_URL=f"http://127.0.0.1:{port}/marquee.git")
    assert done.returncode == 1
    assert "within 1 seconds" in done.stderr


@pytest.mark.parametrize(("branch", "status"), [("main", 0), ("other", 1)])
def test_the_branch_that_the_jobs_build_has_to_be_there(tmp_path, branch, status):
    git = ("git", "-c", "user.name=x", "-c", "user.email=x@example.org")
    for command in (
        ("init", "--quiet", f"--initial-branch={branch}"),
        ("commit", "--quiet", "--allow-empty", "--message=one"),
        ("update-server-info",),
    ):
        subprocess.run([*git, *command], cwd=tmp_path, check=True)
    with served(partial(Silent, directory=tmp_path / ".git")) as url:
        done = checked(JENKINS="on", REPOSITORY_URL=url)
    assert (done.returncode, "no branch main" in done.stderr) == (status, bool(status))


def test_nobody_is_asked_for_a_password():
    with served(Locked) as url:
        done = checked(JENKINS="on", REPOSITORY_URL=url)
    assert done.returncode == 1
    assert "terminal prompts disabled" in done.stderr


def test_ssh_asks_for_no_password_either(tmp_path):
    ssh = tmp_path / "ssh"
    ssh.write_text('#!/bin/sh\necho "asked with: $*" >&2\nexit 255\n')
    ssh.chmod(0o755)
    path = f"{tmp_path}:{os.environ['PATH']}"
    done = checked(JENKINS="on", REPOSITORY_URL="ssh://git@host/m", PATH=path)
    assert done.returncode == 1
    assert "asked with: -o BatchMode=yes" in done.stderr


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
