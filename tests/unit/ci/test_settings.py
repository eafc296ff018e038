import pytest
from pydantic import ValidationError

from ci.settings import Settings
from ci.slots.state import Slot


def settings(monkeypatch: pytest.MonkeyPatch, **environment: str) -> Settings:
    given = {"DATABASE_USER": "releaser", "DATABASE_PASSFILE": "/run/secrets/releaser.pgpass"}
    for name, value in (given | environment).items():
        monkeypatch.setenv(name, value)
    return Settings()


def test_a_canary_grows_to_everyone_in_four_steps_by_default(monkeypatch):
    assert settings(monkeypatch).release_steps == (10, 100, 500, 1000)


def test_steps_are_read_from_a_list_with_commas(monkeypatch):
    assert settings(monkeypatch, RELEASE_STEPS="50, 1000").release_steps == (50, 1000)


@pytest.mark.parametrize("steps", ["", "10,100", "500,100,1000", "0,1000", "10,10,1000", "ten"])
def test_steps_that_do_not_grow_to_everyone_are_refused(monkeypatch, steps):
    with pytest.raises(ValidationError):
        settings(monkeypatch, RELEASE_STEPS=steps)


def test_a_slot_is_reached_by_its_name(monkeypatch):
    assert settings(monkeypatch).url(Slot.GREEN) == "http://recommender-green:8000"
