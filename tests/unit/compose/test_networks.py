"""Networks by purpose: who meets whom, who gets out, and whose address is nobody else's."""

import json
from functools import cache
from ipaddress import ip_address, ip_network

import pytest

from tests.unit.compose.shell import bash

SLOTS = ("recommender-blue", "recommender-green")
WITHOUT_NETWORK = {"secrets"}
OUT = {"ingest", "retention", "trainer", "alertmanager", "jenkins"}
"""Whoever may have business elsewhere: a broker, a metadata API, a repository, Slack."""


@cache
def stack():
    """Everything that Compose would start where nothing is set."""
    done = bash("docker compose --env-file /dev/null --profile '*' config --format json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def networks(service):
    """The networks of a service, each with what it says of its place there."""
    return {name: place or {} for name, place in stack()["services"][service]["networks"].items()}


def members(network):
    services = stack()["services"].keys() - WITHOUT_NETWORK
    return {service for service in services if network in networks(service)}


def fixed_addresses(network):
    places = (networks(service)[network] for service in members(network))
    return [place["ipv4_address"] for place in places if "ipv4_address" in place]


@pytest.mark.parametrize(("network", "fixed"), [("published", 1), ("answers", len(SLOTS))])
def test_no_free_address_that_is_given_out_is_a_fixed_one(network, fixed):
    config = stack()["networks"][network]["ipam"]["config"][0]
    given_out, subnet = ip_network(config["ip_range"]), ip_network(config["subnet"])
    assert given_out.subnet_of(subnet)
    assert len(fixed_addresses(network)) == fixed
    for address in map(ip_address, fixed_addresses(network)):
        assert address in subnet
        assert address not in given_out


def test_a_slot_has_no_way_out_and_meets_only_who_asks_it_and_its_database():
    assert all(networks(slot).keys() == {"answers"} for slot in SLOTS)
    assert members("answers") == {*SLOTS, "nginx", "postgres", "prometheus", "releaser"}
    assert stack()["networks"]["answers"]["internal"]


def test_the_broker_meets_only_who_writes_or_reads_the_stream_or_its_figures():
    assert networks("kafka").keys() == {"stream", "readers", "figures"}
    assert members("stream") == {"kafka", "migrate", "simulator"}
    assert members("readers") == {"kafka", "ingest"}
    assert stack()["networks"]["readers"]["internal"]
    assert members("figures") == {"kafka", "prometheus"}
    assert stack()["networks"]["figures"]["internal"]


@pytest.mark.parametrize(
    ("network", "address"), [("stream", "KAFKA_ADDRESS"), ("readers", "KAFKA_READERS_ADDRESS")]
)
def test_the_broker_listens_to_who_writes_and_to_who_reads_on_a_network_each(network, address):
    (alias,) = networks("kafka")[network]["aliases"]
    assert stack()["services"]["kafka"]["environment"][address] == alias
    elsewhere = networks("kafka").keys() - {network}
    assert not any(alias in networks("kafka")[other].get("aliases", []) for other in elsewhere)


def test_simulated_people_write_to_our_own_broker_whatever_ingest_reads():
    settings = {"KAFKA_SERVERS": "broker.example:9092"}
    asked = "docker compose --env-file /dev/null config --format json"
    services = json.loads(bash(asked, environment=settings).stdout)["services"]
    assert services["ingest"]["environment"]["KAFKA_SERVERS"] == "broker.example:9092"
    assert services["simulator"]["environment"]["KAFKA_SERVERS"] == "kafka:19093"


def test_only_who_has_business_elsewhere_has_a_way_out():
    assert members("outside") == OUT
    assert stack()["networks"]["inside"]["internal"]
    for network in ("published", "stream"):
        options = stack()["networks"][network]["driver_opts"]
        assert options == {"com.docker.network.bridge.enable_ip_masquerade": "false"}


def test_what_is_published_has_a_network_that_is_not_internal():
    published = {name for name, service in stack()["services"].items() if "ports" in service}
    for service in published:
        assert any(not stack()["networks"][name].get("internal") for name in networks(service))


@pytest.mark.parametrize("service", ["evaluation", "nginx-exporter", "postgres-exporter"])
def test_who_asks_at_a_scrape_tells_within_it_that_whom_it_asks_is_stopped(service):
    """Without a way out the engine looks up the name of who is stopped for ten seconds."""
    assert stack()["services"][service]["dns_opt"] == ["timeout:1", "attempts:1"]
