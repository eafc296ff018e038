from pathlib import Path

import pytest
from pydantic import ValidationError

from trainer.algorithms.registry import ALGORITHMS
from trainer.settings import NAMES, Settings

ROOT = Path(__file__).parents[3]


def settings():
    return Settings(database_user="trainer", database_passfile=Path("/nowhere"))


def test_every_algorithm_is_tried_by_default():
    assert settings().algorithms == tuple(ALGORITHMS) == NAMES


def test_every_algorithm_is_tried_where_compose_is_told_of_none(monkeypatch):
    assert "ALGORITHMS: ${ALGORITHMS:-}" in (ROOT / "compose/trainer.yml").read_text()
    monkeypatch.setenv("ALGORITHMS", "")
    assert settings().algorithms == NAMES


def test_algorithms_are_given_by_name(monkeypatch):
    monkeypatch.setenv("ALGORITHMS", "ease,svd")
    assert settings().algorithms == ("ease", "svd")


def test_an_algorithm_that_there_is_not_is_refused(monkeypatch):
    monkeypatch.setenv("ALGORITHMS", "ease,oracle")
    with pytest.raises(ValidationError, match="there is no oracle; there are popularity, ease"):
        settings()
