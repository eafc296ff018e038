"""What `make certificate` writes: releases that it played itself, on real slots and Nginx."""

import pytest

from tests.benchmarks.certificate import played
from tests.integration.real_releases import VERSIONS, real_stage

V1, V2, _V3 = VERSIONS


@pytest.fixture
def stage(tmp_path, conninfo):
    with real_stage(tmp_path, conninfo("releaser"), conninfo("recommender")) as stage:
        yield stage


def test_releases_under_load_are_played_and_certified(stage):
    certified = played(stage, 2, rate=20, patience=60)
    assert certified["versions"] == [V1, V2, V1]
    assert certified["failed"] == 0
    assert certified["failing_swaps_share_at_most"] == 1
    assert certified["failing_requests_share_at_most"] == 3 / certified["requests"]
    kinds = certified["on_kept_alive_connections"], certified["on_new_connections"]
    assert sum(kind["requests"] for kind in kinds) == certified["requests"]
    assert all(kind["requests"] > 0 and not kind["failures"] for kind in kinds)
    assert 0 < certified["receipts"] <= certified["requests"]
    assert {gate["evidence"] for gate in certified["gates"]} == {"live", "replayed"}
    assert (certified["certificates"], certified["certificates_changed"]) == (3, [])
