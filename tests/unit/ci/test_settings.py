from datetime import timedelta

import pytest
from pydantic import ValidationError

from ci.settings import Settings
from ci.slots.state import Slot
from compose.service.command_line import run


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


@pytest.mark.parametrize(
    ("given", "patience"),
    [
        ({}, timedelta(days=2)),
        ({"EVALUATION_HORIZON": "P3D"}, timedelta(days=6)),
        ({"EVALUATION_HORIZON": "PT3M", "RELEASE_PATIENCE": ""}, timedelta(minutes=6)),
        ({"EVALUATION_HORIZON": "PT3M", "RELEASE_PATIENCE": "PT3M"}, timedelta(minutes=3)),
    ],
)
def test_patience_is_two_horizons_unless_it_is_given(monkeypatch, given, patience):
    assert settings(monkeypatch, **given).release_patience == patience


def test_patience_shorter_than_a_horizon_is_refused_in_one_line(monkeypatch):
    with pytest.raises(SystemExit) as ended:
        run(lambda: settings(monkeypatch, EVALUATION_HORIZON="P1D", RELEASE_PATIENCE="PT1H"))
    assert ended.value.code == (
        "RELEASE_PATIENCE is 'PT1H': 1:00:00 is less than EVALUATION_HORIZON,"
        " 1 day, 0:00:00: nobody would be counted"
    )


def test_each_setting_that_cannot_be_meant_is_named(monkeypatch):
    with pytest.raises(SystemExit) as ended:
        run(lambda: settings(monkeypatch, RELEASE_STEPS="100,10,1000", RELEASE_UNDECIDED="maybe"))
    assert ended.value.code == (
        "RELEASE_STEPS is '100,10,1000': the shares must grow;"
        " RELEASE_UNDECIDED is 'maybe': Input should be 'proceed' or 'abort'"
    )


def test_a_slot_is_reached_by_its_name(monkeypatch):
    assert settings(monkeypatch).url(Slot.GREEN) == "http://recommender-green:8000"
