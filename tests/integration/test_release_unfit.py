"""A version that the slots' code does not fit is refused before anybody gets it; real slots."""

import hashlib
import json

import psycopg
import pytest

from ci.errors import AbortedError
from tests.end_to_end.load import Load, under
from tests.integration.real_releases import USERS, VERSIONS, real_stage

V1, V2, _V3 = VERSIONS


@pytest.fixture
def stage(tmp_path, conninfo):
    with real_stage(tmp_path, conninfo("releaser"), conninfo("recommender")) as stage:
        yield stage


def rewrite_manifest(stage, version, **changes):
    """State something else of a version, whole and with its hash, as other code would."""
    directory = stage.slots.models / "versions" / version
    manifest = directory / "manifest.json"
    text = json.dumps(json.loads(manifest.read_text()) | changes).encode()
    for file, content in (
        (manifest, text),
        (directory / "manifest.sha256", f"{hashlib.sha256(text).hexdigest()}  x\n".encode()),
    ):
        file.chmod(0o644)
        file.write_bytes(content)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"schema": 1_000}, "schema 1000"),
        ({"item_model": "of_next_year"}, "newer than this code"),
        ({"files": {}}, "version"),
    ],
    ids=["a later schema", "an algorithm that this code lacks", "files that it does not name"],
)
def test_a_version_that_does_not_fit_the_code_gets_nobody(stage, changes, words):
    rewrite_manifest(stage, V2, **changes)
    asked = Load(stage.port, rate=30, connections=2, user_ids=USERS, patience=60)
    with under(asked) as outcome, pytest.raises(AbortedError, match="newer than its code"):
        stage.release(V2)
    assert not outcome.failures
    assert stage.live() == V1
    with psycopg.connect(stage.conninfo) as connection:
        steps = connection.execute("SELECT step FROM deployment WHERE version = %s", (V2,))
        assert [step for (step,) in steps] == ["start", "place", "abort"]
        ((log,),) = connection.execute("SELECT log FROM rejected_candidate").fetchall()
    assert any(words in line for line in log), log
