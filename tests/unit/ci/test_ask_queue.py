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
