"""Removing old versions by hand: what cannot be done is one line, not a traceback."""

from pathlib import Path

from typer.testing import CliRunner

from tests.ports import free_port
from trainer.__main__ import app


def test_without_a_database_nothing_is_removed_and_it_says_so(tmp_path: Path) -> None:
    environment = {
        "DATABASE_HOST": "127.0.0.1",
        "DATABASE_PORT": str(free_port()),
        "DATABASE_USER": "trainer",
        "DATABASE_PASSFILE": str(tmp_path / "passfile"),
    }
    said = CliRunner().invoke(app, ["collect"], env=environment)
    assert said.exit_code == 1
    assert said.output.startswith("nothing was removed: ")
    assert "Traceback" not in said.output
