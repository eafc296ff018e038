"""Addresses of the stack's network: the slots' own are given to nobody else."""

import re
from ipaddress import ip_address, ip_network
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[3]


def with_defaults(path: Path) -> dict:
    """A Compose file as it is read where nothing is set."""
    return yaml.safe_load(re.sub(r"\$\{[A-Z_]+:?-([^}]*)\}", r"\1", path.read_text()))


def fixed_addresses() -> list[str]:
    services = with_defaults(ROOT / "compose/serving.yml")["services"].values()
    networks = [service.get("networks", {}) for service in services]
    return [
        settings["ipv4_address"]
        for of_service in networks
        if isinstance(of_service, dict)
        for settings in of_service.values()
        if settings and "ipv4_address" in settings
    ]


def test_no_free_address_that_is_given_out_is_a_slots_fixed_one():
    config = with_defaults(ROOT / "docker-compose.yml")["networks"]["default"]["ipam"]["config"][0]
    given_out, subnet = ip_network(config["ip_range"]), ip_network(config["subnet"])
    assert given_out.subnet_of(subnet)
    assert len(fixed_addresses()) == 2
    for address in map(ip_address, fixed_addresses()):
        assert address in subnet
        assert address not in given_out
