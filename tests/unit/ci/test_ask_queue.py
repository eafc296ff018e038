"""What a step of Jenkins's cannot tell the job queue is refused before anything is asked."""

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


def make(tmp_path, *words):
    """A step beside a psql that says how often it was called, and fails."""
    psql = tmp_path / "psql"
    psql.write_text(f"#!/bin/sh\necho called >> {tmp_path}/calls\nexit 1\n")
    psql.chmod(0o755)
    done = subprocess.run(
        ["make", *words],
        cwd=ROOT,
        env={"PATH": f"{tmp_path}:{os.environ['PATH']}", "JENKINS_HELPER": "http://helper:8000"},
        capture_output=True,
        text=True,
        check=False,
    )
    said = [line for line in done.stderr.splitlines() if not line.startswith("make: ***")]
    return said, (tmp_path / "calls").exists()


@pytest.mark.parametrize(
    ("words", "job", "named"),
    [
        (("release", "PLAN=1"), "release", "PLAN"),
        (("release", "VERSION=20260101T000000"), "release", "VERSION"),
        (("release", "QUALITY=skip"), "release", "QUALITY"),
        (("retrain", "ALGORITHMS=ease"), "train", "ALGORITHMS"),
    ],
)
def test_what_the_queue_cannot_be_told_is_refused_in_one_line(tmp_path, words, job, named):
    (line,), asked = make(tmp_path, *words)
    assert f"job queue knows {job} by its name alone and cannot be told {named};" in line
    assert not asked


@pytest.mark.parametrize("target", ["retrain", "release"])
def test_a_step_of_the_pipelines_asks_the_queue(tmp_path, target):
    assert make(tmp_path, target) == ([], True)


COMES_LATER = """#!/bin/bash
echo called >> {0}/calls
[ -n "$PGCONNECT_TIMEOUT" ] || exec command sleep 600
[ "$(wc -l < {0}/calls)" -ge {1} ] || {{ echo "connection to server failed" >&2; exit 2; }}
case "${{@: -1}}" in
  *ask_for*) echo 7 ;;
  *asked_job_status*) echo succeeded ;;
esac
"""


def asked_of_a_database_that_answers_at(call, tmp_path):
    """A step beside a psql that is connected from some call on, and a sleep that is none."""
    (tmp_path / "psql").write_text(COMES_LATER.format(tmp_path, call))
    (tmp_path / "sleep").write_text("#!/bin/sh\n")
    for name in ("psql", "sleep"):
        (tmp_path / name).chmod(0o755)
    return subprocess.run(
        ["ci/jenkins/ask_queue.sh", "train"],
        cwd=ROOT,
        env={"PATH": f"{tmp_path}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_database_that_is_being_started_is_waited_for(tmp_path):
    done = asked_of_a_database_that_answers_at(3, tmp_path)
    assert (done.returncode, done.stdout) == (0, "train is job 7\n")


def test_a_database_that_stays_away_is_said_and_nothing_was_asked(tmp_path):
    done = asked_of_a_database_that_answers_at(1000, tmp_path)
    assert done.returncode == 1
    assert "the database did not answer 60 times; nothing was asked of it" in done.stderr
