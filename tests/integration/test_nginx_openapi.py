"""The description of the API against the API: what schemathesis thinks of, Nginx and slots."""

import pytest
import schemathesis
from hypothesis import HealthCheck, settings

from tests.integration.serving import ROOT, Slots, nginx
from tests.unit.recommender.versions import publish

VERSION = "20260101-000000-ease"
schema = schemathesis.openapi.from_path(ROOT / "recommender" / "openapi.yaml")


@pytest.fixture(scope="module")
def door(tmp_path_factory):
    folder = tmp_path_factory.mktemp("openapi")
    slots = Slots(folder)
    publish(slots.models, VERSION, top={7: range(20, 60)})
    blue, green = slots.start("blue", VERSION), slots.start("green", VERSION)
    with nginx(folder, slots.state, blue.port, green.port) as door:
        yield door
    slots.end()


@schema.parametrize()
@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_answer_is_as_described(case, door):
    case.call_and_validate(base_url=f"http://127.0.0.1:{door.port}")


@pytest.mark.parametrize("accept", ["text/plain", "application/json"])
def test_both_forms_of_an_answer_are_as_described(door, accept):
    operation = schema["/recommend/{user_id}"]["GET"]
    for count in (1, 20, 100):
        case = operation.Case(
            path_parameters={"user_id": 7}, query={"n": count}, headers={"Accept": accept}
        )
        response = case.call_and_validate(base_url=f"http://127.0.0.1:{door.port}")
        assert response.headers["content-type"][0].startswith(accept)
