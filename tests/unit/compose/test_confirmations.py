"""What deletes or replaces data asks first: any other answer, or none, changes nothing."""

import pytest

from tests.unit.compose.shell import bash

FOUND = """
COMPOSE_PROJECT_NAME=town
source compose/up/say.sh; source compose/restore/replace_data.sh
docker() { echo "town_${5##*_}"; }
"""
ASKED = {
    "restore": f"{FOUND}confirm_replacement; echo went on",
    # the function alone: what the script does with the engine is another matter
    "down": "source compose/up/say.sh; docker() { echo postgres; }\n"
    "eval \"$(sed -n '/^confirm_data_loss/,/^}/p' compose/down.sh)\"\n"
    "confirm_data_loss; echo went on",
}
NO = {"restore": "nothing was replaced or stopped", "down": "nothing was deleted or stopped"}
YES = {"restore": "replace", "down": "gone"}


@pytest.mark.parametrize("command", ASKED)
@pytest.mark.parametrize("answer", ["", "\\n", "y\\n", "no"])
def test_another_answer_and_nobody_there_are_taken_for_no_and_said_so(command, answer):
    done = bash(f"exec < <(printf '{answer}')\n{ASKED[command]}")
    assert done.returncode == 1
    assert NO[command] in done.stderr
    assert "went on" not in done.stdout


@pytest.mark.parametrize("command", ASKED)
def test_the_word_that_is_asked_for_is_taken_for_yes(command):
    done = bash(f"exec < <(echo {YES[command]})\n{ASKED[command]}")
    assert done.returncode == 0, done.stderr
    assert "went on" in done.stdout
