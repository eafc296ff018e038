"""A version that is slipped into a running stack: it passed offline, and is bad."""

from pathlib import Path

from tests.end_to_end.conftest import Stack

SPOILING = Path(__file__).with_name("spoiled_version.py")


def slip_in(stack: Stack, kind: str) -> str:
    """Publish a version that is spoiled in one of the kinds of `spoiled_version`; its name."""
    command = ("exec", "-T", "trainer", "python", "-", kind)
    return stack.compose(*command, given=SPOILING.read_text()).strip().splitlines()[-1]
