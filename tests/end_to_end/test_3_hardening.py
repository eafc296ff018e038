"""Least rights, bounded use, nothing published that need not be, no secret where others look."""

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from tests.engine import docker

SERVICES = [
    "kafka",
    "postgres",
    "ingest",
    "retention",
    "trainer",
    "recommender-blue",
    "recommender-green",
    "nginx",
    "evaluation",
    "releaser",
    "prometheus",
    "alertmanager",
    "node-exporter",
    "nginx-exporter",
    "postgres-exporter",
    "process-exporter",
    "mtail",
    "simulator",
]
SECRETS = [
    "postgres",
    "ingest",
    "retention",
    "trainer",
    "recommender",
    "evaluation",
    "releaser",
    "exporter",
]


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_runs_with_least_rights_and_bounded_use(stack, service):
    container = stack.container(service)
    host = container["HostConfig"]
    assert host["CapDrop"] == ["ALL"]
    assert not host["CapAdd"]
    assert not host["Privileged"]
    assert host["ReadonlyRootfs"]
    seen_by_all = ["label=disable"] if host["PidMode"] == "host" else []  # the engine adds it
    assert host["SecurityOpt"] == ["no-new-privileges:true", *seen_by_all]
    assert host["MemorySwap"] == host["Memory"] > 0
    assert host["PidsLimit"] > 0
    assert host["Init"]
    assert host["LogConfig"]["Config"] == {"max-size": "10m", "max-file": "3"}
    assert container["Config"]["User"] not in ("", "root", "0", "0:0")
    assert container["State"]["Health"]["Status"] == "healthy"
    assert (host["PidMode"] == "host") is (service == "process-exporter")


@pytest.mark.parametrize("service", SERVICES)
def test_no_service_has_the_engines_socket(stack, service):
    sources = [mount["Source"] for mount in stack.container(service)["Mounts"]]
    assert not any("docker.sock" in source for source in sources)


@pytest.mark.parametrize("service", [name for name in SERVICES if name != "nginx"])
def test_only_nginx_is_published_beyond_the_loopback(stack, service):
    bindings = stack.container(service)["HostConfig"]["PortBindings"] or {}
    hosts = {binding["HostIp"] for ports in bindings.values() for binding in ports}
    assert hosts <= {"127.0.0.1"}


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_is_in_no_environment_log_or_image(stack, name):
    secret = stack.password(name)
    assert len(secret) >= 24
    for service in SERVICES:
        assert secret not in str(stack.container(service))
        image = stack.container(service)["Config"]["Image"]
        assert secret not in docker("history", "--no-trunc", image)
    assert secret not in stack.compose("logs", "--no-color")


def test_a_service_reads_its_own_secrets_and_no_others(stack):
    read = stack.compose(
        "exec",
        "-T",
        "ingest",
        "sh",
        "-c",
        "cat /run/secrets/ingest > /dev/null && for f in /run/secrets/*; do"
        " cat $f > /dev/null 2>&1 && echo $f; done; true",
    )
    own = [
        "given.json",
        "ingest",
        "ingest.pgpass",
        "kafka",
        "kafka-ca",
        "kafka-certificate",
        "kafka-key",
    ]
    assert read.split() == [f"/run/secrets/{name}" for name in own]


def test_starting_it_again_recreates_nothing(stack):
    before = {service: stack.container(service)["Id"] for service in SERVICES}
    started = {service: stack.container(service)["State"]["StartedAt"] for service in SERVICES}
    stack.compose("up", "--detach", "--no-build")
    assert {service: stack.container(service)["Id"] for service in SERVICES} == before
    assert {s: stack.container(s)["State"]["StartedAt"] for s in SERVICES} == started


def test_data_checksums_are_on(stack):
    assert stack.sql("SHOW data_checksums") == [("on",)]


def test_analyst_can_only_read(stack):
    psql = ("exec", "-T", "postgres", "psql", "--host=/tmp", "--username=analyst", "marquee")
    assert "(1 row)" in stack.compose(*psql, "--command=SELECT count(*) FROM rating")
    assert "DELETE" not in stack.compose(*psql, "--command=DELETE FROM rating", check=False)


@pytest.mark.parametrize("database", ["postgres", "template1"])
def test_people_come_to_no_other_database_of_the_server(stack, database):
    analyst = stack.conninfo("analyst", stack.password("analyst"))
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        psycopg.connect(make_conninfo(analyst, dbname=database))


def test_each_role_has_a_bound_on_its_sessions(stack):
    unbound = "SELECT rolname FROM pg_roles WHERE rolcanlogin AND rolconnlimit < 0"
    assert stack.sql(unbound) == [("marquee",)]
