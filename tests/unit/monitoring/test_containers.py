import json

import pytest

from monitoring.errors import ListingError
from monitoring.status.containers import LONG_RUNNING, services


def container(name, state="running", health="healthy", code=0):
    return {"Service": name, "State": state, "Health": health, "ExitCode": code}


def lines(containers):
    return "\n".join(json.dumps(one) for one in containers)


def state_of(name, listing):
    return next((s.state, s.well) for s in services(listing) if s.name == name)


WHOLE = [container(name) for name in LONG_RUNNING]


def test_a_whole_system_is_well():
    assert all(service.well for service in services(lines(WHOLE)))


def test_an_array_reads_like_an_object_a_line():
    assert services(json.dumps(WHOLE)) == services(lines(WHOLE))


def test_a_service_that_should_run_and_is_not_listed_is_absent():
    assert state_of("kafka", lines(WHOLE[1:])) == ("absent", False)


def test_an_unhealthy_service_is_not_well():
    listing = lines([container("ingest", health="unhealthy")])
    assert state_of("ingest", listing) == ("running, unhealthy", False)


def test_a_service_that_is_still_starting_is_not_blamed():
    listing = lines([container("ingest", health="starting")])
    assert state_of("ingest", listing) == ("running, starting", True)


def test_a_long_running_service_that_ended_is_not_well_even_with_exit_status_0():
    listing = lines([container("ingest", "exited", "")])
    assert state_of("ingest", listing) == ("exited (0)", False)


@pytest.mark.parametrize(("code", "well"), [(0, True), (1, False)])
def test_a_one_shot_is_judged_by_its_exit_status(code, well):
    listing = lines([container("migrate", "exited", "", code)])
    assert state_of("migrate", listing) == (f"exited ({code})", well)


def test_a_service_that_restarts_over_and_over_is_not_well():
    assert state_of("ingest", lines([container("ingest", "restarting", "")])) == (
        "restarting",
        False,
    )


def test_the_simulator_may_be_left_out():
    assert "simulator" not in {service.name for service in services(lines(WHOLE))}


@pytest.mark.parametrize("text", ["no json", "{}", "3", '{"Service": "kafka"}'])
def test_another_text_is_refused(text):
    with pytest.raises(ListingError):
        services(text)
