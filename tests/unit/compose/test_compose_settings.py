"""What Compose reads is what `make up` remembers, or a second start would differ."""

import re
import shlex

import pytest

from tests.unit.compose.shell import CHECKOUT, bash

COMPOSE_FILES = [CHECKOUT / "docker-compose.yml", *sorted((CHECKOUT / "compose").glob("*.yml"))]
OF_THE_HOST = {"DOCKER_GROUP"}


def defaults():
    """The default of every remembered setting."""
    text = (CHECKOUT / "compose/up/settings.sh").read_text()
    body = re.search(r"^SETTINGS=\((.*?)^\)", text, re.MULTILINE | re.DOTALL)[1]
    return dict(word.split("=", 1) for word in shlex.split(body))


@pytest.mark.parametrize("path", COMPOSE_FILES, ids=lambda path: path.name)
def test_a_compose_file_has_the_defaults_that_make_up_remembers(path):
    used = dict(re.findall(r"\$\{([A-Z_]+):?-([^}]*)\}", path.read_text()))
    used = {name: default for name, default in used.items() if name not in OF_THE_HOST}
    assert used == {name: default for name, default in defaults().items() if name in used}


WRITE = "source compose/up/say.sh; source compose/up/settings.sh; read_settings; write_settings"


def shown(env_file):
    """The whole of what Compose would start, given this `.env`."""
    done = bash(f"docker compose --env-file {env_file} --profile '*' config")
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("people", ["SIMULATOR=on", "SIMULATOR=off"])
def test_compose_by_itself_starts_what_make_up_would(tmp_path, people):
    alone, remembered = tmp_path / "alone", tmp_path / "remembered"
    alone.write_text(people)
    environment = dict([people.split("=")], MARQUEE_ENV_FILE=str(remembered))
    done = bash(WRITE, environment=environment)
    assert done.returncode == 0, done.stderr
    assert shown(remembered) == shown(alone)
    assert ("RATING_STEP: 0.5" in shown(alone).replace('"', "")) == (people == "SIMULATOR=on")
