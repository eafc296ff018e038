"""A command of any service, asked while the database is away, says so in one line."""

import os
import subprocess
import sys
from pathlib import Path
from uuid import UUID

import pytest

from tests.ports import free_port

COMMANDS = [
    ("ingest", "audit"),
    ("ingest", "rejects"),
    ("ingest", "retain", "pass", "--dry-run"),
    ("trainer", "retrain"),
    ("trainer", "collect", "--dry-run"),
    ("recommender", "explain", str(UUID(int=7))),
    ("monitoring", "evaluate", "pass"),
    ("monitoring", "experiments"),
    ("ci", "release"),
    ("ci", "rollback"),
    ("ci", "code", "newest"),
    ("ci", "experiment-stop"),
    ("compose.backup", "take"),
    ("compose.migrate",),
    ("compose.migrate", "roles"),
    ("compose.migrate", "rotate", "ingest"),
]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_it_says_that_the_database_does_not_answer(command: tuple[str, ...], tmp_path: Path):
    verifiers = tmp_path / "role-verifiers"
    verifiers.write_text("{}")
    said = subprocess.run(
        [sys.executable, "-m", *command],
        env=os.environ
        | {
            "DATABASE_HOST": "127.0.0.1",
            "DATABASE_PORT": str(free_port()),
            "DATABASE_USER": "somebody",
            "DATABASE_PASSFILE": str(tmp_path / "passfile"),
            "ROLE_VERIFIERS_FILE": str(verifiers),
            "SLOT": "blue",
            "MODELS_DIR": str(tmp_path),
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert said.returncode == 1, said.stderr
    assert said.stderr.startswith("the database does not answer: connection failed")
    assert len(said.stderr.splitlines()) == 1
