"""No service can take more of the host than it is given, and none leaves zombies."""

import pytest

from tests.unit.compose.test_networks import stack


@pytest.mark.parametrize("service", sorted(stack()["services"]))
def test_memory_swap_processes_and_logs_of_a_service_are_bounded(service):
    bounds = stack()["services"][service]
    assert int(bounds["memswap_limit"]) == int(bounds["mem_limit"]) > 0  # it swaps nothing
    assert 0 < bounds["pids_limit"] <= 512
    assert bounds["init"]
    assert bounds["logging"]["options"] == {"max-size": "10m", "max-file": "3"}
