"""Each command that a README's code block shows is typed by a test, or not for a stated reason."""

import ast
from pathlib import Path

import pytest

from tests.shown_commands import (
    CHECKOUT,
    INLINE_NOT_TYPED,
    NOT_RUN,
    RUN_ELSEWHERE,
    commands_of,
    inline_commands,
    shown_commands,
)

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


TESTS = sorted((CHECKOUT / "tests/end_to_end").glob("test_*.py"))
TYPED = {command for path in TESTS for command in literal_calls(path, "typed")}
MADE = {f"make {target}" for path in TESTS for target in literal_calls(path, "make")}


@pytest.mark.parametrize("command", sorted(SHOWN))
def test_a_command_that_is_shown_is_typed_by_a_test(command):
    where = ", ".join(SHOWN[command])
    assert command in TYPED | MADE | NOT_RUN.keys() | RUN_ELSEWHERE.keys(), (
        f"{where} shows `{command}` and no test of tests/end_to_end types it:"
        " see test_9_shown_commands.py, or NOT_RUN in tests/shown_commands.py"
    )


@pytest.mark.parametrize("command", sorted(TYPED | NOT_RUN.keys() | RUN_ELSEWHERE.keys()))
def test_what_is_said_of_a_command_is_said_of_one_that_is_shown(command):
    assert command in SHOWN


def test_few_are_left_out():
    assert len(NOT_RUN) <= 10
    assert not NOT_RUN.keys() & (TYPED | MADE)


@pytest.mark.parametrize("command", sorted(INLINE_NOT_TYPED))
def test_what_is_said_of_a_command_in_a_sentence_is_said_of_one_that_is_there(command):
    assert command in inline_commands()


def test_few_commands_in_sentences_are_left_out():
    assert len(INLINE_NOT_TYPED) <= 10
    assert all("{" not in command for command in inline_commands()), "see ALERTED"


@pytest.mark.parametrize("command", sorted(RUN_ELSEWHERE))
def test_a_file_that_is_said_to_run_a_command_does(command):
    file, words = RUN_ELSEWHERE[command]
    assert words in (CHECKOUT / file).read_text()


def test_comments_continuations_and_drawings_are_told_from_commands():
    text = "```\nmake up A=1 \\\n  B=2   # comment\n\ncurl 'x#y'\n```\n\n```\na ──▶ b\n```\n"
    assert list(commands_of(text)) == ["make up A=1    B=2", "curl 'x#y'"]
