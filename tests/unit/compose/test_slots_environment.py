"""`make up` leaves a slot the code it runs, and gives it today's environment: older code starts."""

import pytest

from tests.unit.compose.test_networks import SLOTS, stack

EVER_NEEDED = {
    *("DATABASE_HOST", "DATABASE_USER", "KAFKA_TOPIC", "SLOT"),
    "DATABASE_PASSWORD_FILE",  # until passwords were read anew at each connection
    "DATABASE_PASSFILE",
}
"""Whatever a released recommender does not start without; none is taken out."""


@pytest.mark.parametrize("slot", SLOTS)
def test_a_slot_is_told_what_the_code_of_any_release_asks_for(slot):
    environment = stack()["services"][slot]["environment"]
    assert environment.keys() >= EVER_NEEDED


@pytest.mark.parametrize("slot", SLOTS)
def test_both_passwords_of_a_slot_are_its_own_role_s(slot):
    environment = stack()["services"][slot]["environment"]
    named = {environment[name] for name in ("DATABASE_PASSWORD_FILE", "DATABASE_PASSFILE")}
    assert named == {"/run/secrets/recommender", "/run/secrets/recommender.pgpass"}
