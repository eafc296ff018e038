"""The files on the secrets volume: each for one reader, and all of a password in step."""

import io
import json
import os
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compose.secrets.__main__ import main
from compose.secrets.files import GIVEN, VERIFIERS, passfile
from compose.secrets.inventory import PASSFILE_READERS, ROLE_UIDS, SECRETS
from compose.secrets.scram import scram_verifier, verifies

pytestmark = pytest.mark.skipif(os.getuid() != 0, reason="gives files to other user ids")


@pytest.fixture
def volume(tmp_path: Path) -> Path:
    """A secrets volume as the first start leaves it."""
    assert main(["make"], tmp_path, tmp_path) == 0
    return tmp_path


def contents(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir()}


def test_every_file_is_readable_by_its_one_reader_alone(volume):
    for path in volume.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == (0o444 if path.name == GIVEN else 0o400)
    for secret in SECRETS:
        assert (volume / secret.name).stat().st_uid == secret.uid
    for reader, uid in PASSFILE_READERS.values():
        assert (volume / f"{reader}.pgpass").stat().st_uid == uid


def test_a_second_run_changes_nothing(volume):
    before = contents(volume)
    assert main(["make"], volume, volume) == 0
    assert contents(volume) == before


def test_each_roles_verifier_verifies_its_password(volume):
    verifiers = json.loads((volume / VERIFIERS).read_text())
    assert verifiers.keys() == ROLE_UIDS.keys()
    for role, verifier in verifiers.items():
        assert verifies(verifier, (volume / role).read_text())


@pytest.mark.parametrize("name", ["ingest", "postgres"])
def test_a_password_that_is_set_reaches_passfile_and_verifier(volume, monkeypatch, name, tmp_path):
    given_password = tmp_path / "given"
    given_password.write_text("open: sesame\\\n")
    with given_password.open() as file:
        monkeypatch.setattr("sys.stdin", file)
        assert main(["set", name], volume, volume) == 0
    reader, _uid = PASSFILE_READERS[name]
    assert (volume / f"{reader}.pgpass").read_text() == "*:*:*:*:open\\: sesame\\\\\n"
    if name in ROLE_UIDS:
        assert verifies(json.loads((volume / VERIFIERS).read_text())[name], "open: sesame\\")


def set_secret(volume, monkeypatch, name, text):
    monkeypatch.setattr("sys.stdin", io.StringIO(text))
    assert main(["set", name], volume, volume) == 0


def addresses_given(volume):
    return json.loads((volume / GIVEN).read_text())


def test_everybody_may_know_which_addresses_were_given_and_none_of_them(volume, monkeypatch):
    assert addresses_given(volume) == {"slack": False, "watchdog": False}
    set_secret(volume, monkeypatch, "slack", "http://slack.example/T/B/X\n")
    assert addresses_given(volume) == {"slack": True, "watchdog": False}
    set_secret(volume, monkeypatch, "slack", "")
    assert addresses_given(volume) == {"slack": False, "watchdog": False}


def test_what_is_set_first_of_all_has_the_others_beside_it(tmp_path, monkeypatch):
    volume, settings = tmp_path / "volume", tmp_path / "settings"
    volume.mkdir()
    settings.write_text("NGINX_PORT='9000'\n")
    with settings.open() as file:
        monkeypatch.setattr("sys.stdin", file)
        assert main(["set", "settings"], volume, tmp_path) == 0
    assert (volume / "settings").read_text() == "NGINX_PORT='9000'"
    assert {secret.name for secret in SECRETS} <= contents(volume).keys()


def test_a_lost_password_is_made_anew_and_the_others_stay(volume):
    before = contents(volume)
    (volume / "trainer").unlink()
    assert main(["make"], volume, volume) == 0
    changed = {name for name, text in contents(volume).items() if before[name] != text}
    assert changed == {"trainer", "trainer.pgpass", VERIFIERS}


@pytest.mark.parametrize("arguments", [[], ["show"], ["show", "nobody"], ["set", "role-verifiers"]])
def test_what_is_not_understood_is_said_in_one_line(tmp_path, capsys, arguments):
    assert main(arguments, tmp_path, tmp_path) == 2
    assert capsys.readouterr().err.count("\n") == 1


@given(st.text(min_size=1), st.binary(min_size=16, max_size=16))
def test_a_verifier_verifies_its_password_and_no_other(password, salt):
    verifier = scram_verifier(password, salt, iterations=1)
    assert verifies(verifier, password)
    assert not verifies(verifier, password + "x")


def test_what_is_no_verifier_verifies_nothing():
    assert not verifies("for this server only", "for this server only")


def test_a_passfile_has_one_line():
    assert passfile("a:b\\c") == "*:*:*:*:a\\:b\\\\c\n"
