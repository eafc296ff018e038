"""The first releases come by themselves: of which version, and whether people are asked."""

import pytest

from ci.first_releases import Asked, due
from ci.release.rollout import release, rollback
from tests.integration.releasing import V1, V2, V3


@pytest.fixture(autouse=True)
def first_release(stage):
    stage.owner.execute(
        "UPDATE model_version SET algorithm = 'popularity' WHERE version = %s", (V1,)
    )
    release(stage.environment, V1)


def test_popularity_that_came_first_is_replaced_without_asking_people(stage):
    assert due(stage.owner) == Asked(V3, "skip")


def test_popularity_that_somebody_went_back_to_is_replaced_by_what_people_judge(stage):
    release(stage.environment, V2)
    rollback(stage.environment)
    assert due(stage.owner) == Asked(V3, "judge")
