"""The host loses its power and comes back: containers start in whatever order, and go on.

At a boot the engine starts what was running without asking what depends on what, and whoever
comes first takes the first free address. DRILL_ROUNDS: so many boots, each in another order.
"""

import os
from random import Random

import pytest

from monitoring.status.containers import LONG_RUNNING
from tests.end_to_end.test_6_faults import assert_it_goes_on_and_balances
from tests.engine import docker
from tests.waiting import eventually

ROUNDS = int(os.environ.get("DRILL_ROUNDS", "1"))
SERVICES = (*LONG_RUNNING, "simulator")
FIXED = {
    "recommender-blue": ("answers", "SLOTS_SUBNET_PREFIX", 11),
    "recommender-green": ("answers", "SLOTS_SUBNET_PREFIX", 12),
    "mtail": ("published", "SUBNET_PREFIX", 13),
}

pytestmark = pytest.mark.timeout(900)


def reboot(stack, order):
    """Kill everything at once; start each container by itself, in this order."""
    containers = {service: stack.container(service)["Id"] for service in order}
    docker("kill", *containers.values())
    for service in order:
        docker("start", containers[service])


def address(stack, service, network):
    networks = stack.container(service)["NetworkSettings"]["Networks"]
    return networks[f"{os.environ['COMPOSE_PROJECT_NAME']}_{network}"]["IPAddress"]


def unwell(stack, services=SERVICES):
    """Those that the engine does not find healthy."""
    return [service for service in services if not stack.is_healthy(service)]


@pytest.mark.parametrize("boot", range(ROUNDS))
def test_started_in_any_order_all_come_back_by_themselves_and_nothing_is_lost(stack, boot):
    live = stack.sql("SELECT live_version FROM live_now")
    order = Random(boot).sample(SERVICES, len(SERVICES))
    reboot(stack, order)
    eventually(lambda: not unwell(stack), 300, lambda: f"{unwell(stack)} well, after {order}")
    for service, (network, prefix, last) in FIXED.items():
        assert address(stack, service, network) == f"{os.environ[prefix]}.{last}"
    eventually(lambda: len(stack.recommend(42)) == 20, 60, "an answer")
    assert stack.sql("SELECT live_version FROM live_now") == live
    assert_it_goes_on_and_balances(stack)
