from pathlib import Path

import pytest

from ci.errors import PipelineError
from ci.pipeline import steps

CI = Path(__file__).parents[3] / "ci"
JENKINSFILE = CI / "Jenkinsfile"
NIGHTLY = CI / "pipelines/nightly.Jenkinsfile"


def test_the_pipeline_of_a_commit_checks_then_builds_then_deploys():
    assert steps(JENKINSFILE.read_text()) == [
        "make lint",
        "make test-unit",
        "make test-integration",
        "make images",
        "make release-code",
    ]


def test_the_pipeline_of_a_night_trains_then_releases():
    assert steps(NIGHTLY.read_text()) == ["make retrain", "make release"]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("sh 'make lint'", ["make lint"]),
        ('sh "make lint"', ["make lint"]),
        ("sh('make lint')", ["make lint"]),
        ("steps { sh 'make a' }\nsteps { sh 'make b' }", ["make a", "make b"]),
        ("// sh 'make lint'\n", []),
        ("/* sh 'make lint'\n sh 'make b' */", []),
        ("echo 'then sh runs'", []),
        ("echo 'http://host' // no step\nsh 'make lint'", ["make lint"]),
        ("finish 'quickly'", []),
        ("", []),
    ],
)
def test_shell_steps_are_found_and_nothing_else(source, expected):
    assert steps(source) == expected


@pytest.mark.parametrize(
    "source",
    [
        "sh(script: 'make lint')",
        'sh "make ${target}"',
        "sh '''make lint\nmake test'''",
        "sh command",
    ],
)
def test_a_step_that_cannot_be_read_is_an_error_not_a_gap(source):
    with pytest.raises(PipelineError, match="line 2"):
        steps(f"pipeline {{\n{source}\n}}")
