"""Each command that a README's code block shows is typed by a test, or not for a stated reason."""

import ast
import re
from pathlib import Path

import pytest

from tests.shown_commands import (
    CHECKOUT,
    NOT_RUN,
    RUN_BY_ITSELF,
    RUN_ELSEWHERE,
    commands_of,
    form,
    inline_commands,
    shown_commands,
    typed_as_they_stand,
)
from tests.unit.compose.test_compose_settings import defaults

SHOWN = shown_commands()


def literal_calls(path: Path, name: str) -> set[str]:
    """The first argument of each call of a function or method of this name; it is written out."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call):
            called = getattr(node.func, "attr", getattr(node.func, "id", ""))
            first = node.args[0] if node.args else None
            if called == name and isinstance(first, ast.Constant) and isinstance(first.value, str):
                found.add(first.value)
    return found


def words(node: ast.expr) -> str:
    """What is written out of an argument: all of a text, or how a text with values in it begins."""
    if isinstance(node, ast.JoinedStr):
        node = node.values[0]
    return str(node.value) if isinstance(node, ast.Constant) else ""


def made(path: Path) -> set[str]:
    """The forms of the commands that calls of `stack.make` give."""
    calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    given = [call.args for call in calls if getattr(call.func, "attr", "") == "make"]
    return {form(" ".join(["make", *map(words, arguments)])) for arguments in given}


TESTS = sorted((CHECKOUT / "tests/end_to_end").glob("test_*.py"))
TYPED = {command for path in TESTS for command in literal_calls(path, "typed")}
MADE = {command for path in TESTS for command in made(path)}
ACCOUNTED_FOR = MADE | {
    form(command)
    for command in {*TYPED, *NOT_RUN, *RUN_ELSEWHERE, *RUN_BY_ITSELF, *typed_as_they_stand()}
}


def is_accounted_for(command: str) -> bool:
    """Whether a test types a command, perhaps with other values, or it is said why none does.

    Settings are left out of account: test_shown_settings.py reads those that are shown. Where only
    a target is named, it is one that some command is of.
    """
    parts = form(command).split(" ")
    parts = [part for part in parts if part.removesuffix("=") not in defaults()]
    without_settings = " ".join(parts)
    targets = [f"make {part}" for part in parts[1:]]
    return without_settings in ACCOUNTED_FOR or (
        parts[0] == "make"
        and not any("=" in part for part in parts)
        and all(any(known.startswith(target) for known in ACCOUNTED_FOR) for target in targets)
    )


@pytest.mark.parametrize("command", sorted(SHOWN))
def test_a_command_that_is_shown_is_typed_by_a_test(command):
    where = ", ".join(SHOWN[command])
    assert command in TYPED | MADE | NOT_RUN.keys() | RUN_ELSEWHERE.keys(), (
        f"{where} shows `{command}` and no test of tests/end_to_end types it:"
        " see test_9_shown_commands.py, or NOT_RUN in tests/shown_commands.py"
    )


@pytest.mark.parametrize("command", sorted(inline_commands()))
def test_a_command_in_a_sentence_is_typed_by_a_test_too(command):
    assert is_accounted_for(command), (
        f"a document says `{command}` in a sentence and no test of tests/end_to_end types it:"
        " see test_9_shown_commands.py, or NOT_RUN in tests/shown_commands.py"
    )


@pytest.mark.parametrize("command", sorted(TYPED | NOT_RUN.keys() | RUN_ELSEWHERE.keys()))
def test_what_is_said_of_a_command_is_said_of_one_that_is_there(command):
    there = SHOWN.keys() | inline_commands()
    assert form(command) in set(map(form, there))


def test_few_are_left_out():
    assert len(NOT_RUN) <= 10
    assert not set(map(form, NOT_RUN)) & (set(map(form, TYPED)) | MADE)


def test_what_an_alert_fills_in_is_filled_in():
    left = [command for command in inline_commands() if re.search(r"[{}]|<\w+>", command)]
    assert left == [], "see ALERTED"


@pytest.mark.parametrize(
    ("command", "accounted_for"),
    [
        ("make retrain", True),
        ("make up RATE=7", True),
        ("make release VERSION=other", True),
        ("make release SHARE=7", False),
        ("make release QUALITY=skip", True),
        ("make new-target", False),
        ("make images release-code", True),
        ("curl localhost:8082/status", True),
        ("docker compose down --volumes < x", False),
        ("tests/run.sh everything-else", False),
    ],
)
def test_a_command_that_nothing_runs_would_be_found(command, accounted_for):
    assert is_accounted_for(command) == accounted_for


@pytest.mark.parametrize("command", sorted(RUN_ELSEWHERE))
def test_a_file_that_is_said_to_run_a_command_does(command):
    file, words = RUN_ELSEWHERE[command]
    assert words in (CHECKOUT / file).read_text()


def test_comments_continuations_and_drawings_are_told_from_commands():
    text = "```\nmake up A=1 \\\n  B=2   # comment\n\ncurl 'x#y'\n```\n\n```\na ──▶ b\n```\n"
    assert list(commands_of(text)) == ["make up A=1    B=2", "curl 'x#y'"]
