"""What Compose reads is what `make up` remembers, or a second start would differ."""

import re
import shlex
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
COMPOSE_FILES = [ROOT / "docker-compose.yml", *sorted((ROOT / "compose").glob("*.yml"))]
DECLARED = [
    (ROOT / "compose/up/settings.sh", "SETTINGS"),
    (ROOT / "compose/up/build_images.sh", "IMAGE_SETTINGS"),
]
OF_THE_HOST = {"DOCKER_GROUP", "GRAFANA_IMAGE", "JENKINS_IMAGE"}
"""Used with a registry only, where Compose's own defaults serve."""


def defaults():
    """The default of every remembered setting."""
    found = {}
    for path, array in DECLARED:
        body = re.search(rf"^{array}=\((.*?)^\)", path.read_text(), re.MULTILINE | re.DOTALL)[1]
        found |= dict(word.split("=", 1) for word in shlex.split(body))
    return found


@pytest.mark.parametrize("path", COMPOSE_FILES, ids=lambda path: path.name)
def test_a_compose_file_has_the_defaults_that_make_up_remembers(path):
    used = dict(re.findall(r"\$\{([A-Z_]+):?-([^}]*)\}", path.read_text()))
    used = {name: default for name, default in used.items() if name not in OF_THE_HOST}
    assert used == {name: default for name, default in defaults().items() if name in used}
