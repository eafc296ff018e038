"""The Jenkinsfile asks for nothing that a person could not ask make for."""

import re
from pathlib import Path

import pytest

from ci.pipeline import steps

ROOT = Path(__file__).parents[3]
STEPS = steps((ROOT / "ci/Jenkinsfile").read_text())


def test_there_are_steps():
    assert STEPS


@pytest.mark.parametrize("step", STEPS)
def test_a_step_is_one_make_target_that_exists(step):
    make, target = step.split(" ")
    assert make == "make"
    assert re.search(rf"^{re.escape(target)}:", (ROOT / "Makefile").read_text(), re.MULTILINE)
