"""What of a Docker configuration Jenkins's helper gets: the login to its registry alone."""

import io
import json
import os
import stat

import pytest

from ci.helper.__main__ import use_login
from compose.secrets.__main__ import main
from compose.secrets.inventory import HELPER_UID, REGISTRY
from compose.secrets.registry_login import registry_login

MINE, OTHERS = {"auth": "bWU6c2VjcmV0"}, {"auth": "bWU6b3RoZXI="}


def test_the_login_to_one_registry_is_taken_and_no_other():
    told = {"auths": {"town:5000": MINE, "elsewhere": OTHERS}, "HttpHeaders": {"X-Meta": "y"}}
    assert json.loads(registry_login("town:5000", json.dumps(told))) == {
        "auths": {"town:5000": MINE}
    }


@pytest.mark.parametrize(
    ("registry", "configuration"),
    [
        ("town:5000", ""),
        ("town:5000", "{}"),
        ("town:5000", json.dumps({"auths": {"elsewhere": OTHERS}})),
        ("town:5000", json.dumps({"auths": {"elsewhere": {}}, "credsStore": "pass"})),
        ("", json.dumps({"auths": {"elsewhere": OTHERS}, "credsStore": "pass"})),
    ],
)
def test_without_a_login_to_it_there_is_none(registry, configuration):
    assert registry_login(registry, configuration) == "{}"


@pytest.mark.parametrize(
    ("configuration", "why"),
    [
        ({"auths": {"town:5000": {}}, "credsStore": "pass"}, "is kept by docker-credential-pass"),
        ({"credHelpers": {"town:5000": "ecr-login"}}, "is kept by docker-credential-ecr-login"),
        (["a"], "cannot be read"),
        ({"auths": [1]}, "cannot be read"),
    ],
)
def test_a_password_that_is_not_in_it_is_said(configuration, why):
    with pytest.raises(ValueError, match=why):
        registry_login("town:5000", json.dumps(configuration))


def test_what_is_no_configuration_is_said_without_a_word_of_it():
    with pytest.raises(ValueError, match="cannot be read") as said:
        registry_login("town:5000", '{"auths": secret')
    assert "secret" not in str(said.value)


@pytest.mark.skipif(os.getuid() != 0, reason="gives files to other user ids")
def test_the_helper_alone_reads_it_and_it_goes_when_the_registry_does(
    tmp_path, monkeypatch, capsys
):
    login = tmp_path / REGISTRY
    for registry, kept in (("town:5000", {"auths": {"town:5000": MINE}}), ("", {})):
        monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps({"auths": {"town:5000": MINE}})))
        assert main(["login", registry], tmp_path, tmp_path) == 0
        assert json.loads(login.read_text()) == kept
        assert (login.stat().st_uid, stat.S_IMODE(login.stat().st_mode)) == (HELPER_UID, 0o400)
    assert capsys.readouterr() == ("", "")


def test_docker_reads_it_as_it_is_when_it_runs(tmp_path):
    login = tmp_path / "registry"
    for text in ("{}", '{"auths": {}}'):
        login.write_text(text)
        use_login(login, tmp_path)
        assert (tmp_path / ".docker/config.json").read_text() == text
