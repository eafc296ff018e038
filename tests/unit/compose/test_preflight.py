"""What `make up` finds out about the host before it changes anything."""

import re
import socket

import pytest

from tests.unit.compose.shell import CHECKOUT, bash

HOST = """
source compose/up/say.sh; source compose/up/check_ports.sh; source compose/up/check_subnet.sh
source compose/up/check_database.sh
COMPOSE_PROJECT_NAME=marquee GRAFANA=auto JENKINS=off COMPOSE_PROFILES=${COMPOSE_PROFILES-}
NGINX_PORT=${NGINX_PORT-1} STATUS_PORT=8 PROMETHEUS_PORT=2 ALERTMANAGER_PORT=3 POSTGRES_PORT=4
KAFKA_PORT=5
GRAFANA_PORT=${GRAFANA_PORT-6} JENKINS_PORT=7
SUBNET_PREFIX=172.31.250 SUBNET_PREFIX_ASKED=
SLOTS_SUBNET_PREFIX=${SLOTS-172.31.249} SLOTS_SUBNET_PREFIX_ASKED=
docker() { false; }
"""
"""One without an engine."""
PUBLISHED = re.compile(r"[\":]\$\{([A-Z_]+_PORT):-[0-9]+\}:[0-9]+\"")


@pytest.fixture
def taken_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield str(listener.getsockname()[1])


@pytest.mark.parametrize(("name", "profiles"), [("NGINX_PORT", ""), ("GRAFANA_PORT", "grafana")])
def test_a_taken_port_is_named_with_what_moves_it(taken_port, name, profiles):
    done = bash(f"{HOST}check_ports", environment={name: taken_port, "COMPOSE_PROFILES": profiles})
    assert done.returncode == 1
    assert f"port {taken_port} is taken" in done.stderr
    assert f"make up {name}=<free port>" in done.stderr


def test_a_port_that_this_stack_itself_publishes_is_not_taken(taken_port):
    ours = f"docker() {{ echo '127.0.0.1:{taken_port}->9090/tcp'; }}"
    done = bash(f"{HOST}{ours}\ncheck_ports", environment={"NGINX_PORT": taken_port})
    assert done.returncode == 0, done.stderr


def test_every_port_that_compose_publishes_is_looked_at():
    done = bash(f"{HOST}JENKINS=on GRAFANA=on; used_ports")
    files = (CHECKOUT / "compose").glob("*.yml")
    published = {name for file in files for name in PUBLISHED.findall(file.read_text())}
    assert set(done.stdout.split()) == published


def test_two_equal_ports_are_refused():
    done = bash(f"{HOST}check_ports", environment={"NGINX_PORT": "4"})
    assert done.returncode == 1
    assert "NGINX_PORT and POSTGRES_PORT are both 4" in done.stderr


def routes(tmp_path, *lines):
    """The kernel's table, with a default route and these; addresses are little-endian."""
    head = "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT"
    default = "eth0\t00000000\t0100000A\t0003\t0\t0\t0\t00000000\t0\t0\t0"
    file = tmp_path / "route"
    file.write_text("\n".join([head, default, *lines, ""]))
    return {"MARQUEE_ROUTES": str(file)}


ALL_172 = "tun0\t000010AC\t00000000\t0001\t0\t0\t0\t0000F0FF\t0\t0\t0"  # 172.16.0.0/12
ONE = "br-x\t00FA1FAC\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0"  # 172.31.250.0/24
WITHIN = "br-x\t80FA1FAC\t00000000\t0001\t0\t0\t0\tC0FFFFFF\t0\t0\t0"  # 172.31.250.128/26
BESIDE = "br-x\t00F91FAC\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0"  # 172.31.249.0/24


@pytest.mark.parametrize(
    ("lines", "chosen"),
    [
        ([], "172.31.250"),
        ([BESIDE], "172.31.250"),
        ([ONE], "172.31.249"),
        ([WITHIN, BESIDE], "172.31.248"),
        ([ALL_172], "10.231.0"),
    ],
)
def test_a_subnet_that_is_in_use_is_replaced_by_a_free_one(tmp_path, lines, chosen):
    done = bash(
        f"{HOST}choose_subnet SUBNET_PREFIX published; echo $SUBNET_PREFIX",
        environment=routes(tmp_path, *lines),
    )
    assert done.stdout.split()[-1] == chosen
    assert (chosen == "172.31.250") == ("is in use" not in done.stdout)


def test_one_that_was_asked_for_is_not_replaced_but_named(tmp_path):
    script = f"{HOST}SUBNET_PREFIX_ASKED=172.31.250; choose_subnet SUBNET_PREFIX published"
    done = bash(script, environment=routes(tmp_path, ONE))
    assert done.returncode == 1
    assert "make up SUBNET_PREFIX=172.31.249" in done.stderr


ENGINE = """
docker() {
  case "$*" in
    "network ls"*) echo one two ;;
    "network inspect --format"*) printf '172.31.250.0/24\\nfd00::/64\\n\\n' ;;
    "network inspect marquee_published"*) if [ -n "${OWN-}" ]; then echo "$OWN"; fi ;;
  esac
}
"""


def test_a_network_of_the_engine_is_in_use_too(tmp_path):
    script = f"{HOST}{ENGINE}choose_subnet SUBNET_PREFIX published; echo $SUBNET_PREFIX"
    done = bash(script, environment=routes(tmp_path))
    assert done.stdout.split()[-1] == "172.31.249", done.stderr


def test_a_stack_that_has_a_network_keeps_it(tmp_path):
    script = f"{HOST}{ENGINE}choose_subnet SUBNET_PREFIX published; echo $SUBNET_PREFIX"
    done = bash(script, environment={"OWN": "10.231.7.0/24", **routes(tmp_path, ONE)})
    assert done.stdout == "10.231.7\n", done.stderr


def test_a_stack_that_has_a_network_is_told_how_to_move(tmp_path):
    script = f"{HOST}{ENGINE}SUBNET_PREFIX_ASKED=10.1.1; choose_subnet SUBNET_PREFIX published"
    done = bash(script, environment={"OWN": "10.231.7.0/24", **routes(tmp_path)})
    assert done.returncode == 1
    assert "make down" in done.stderr


@pytest.mark.parametrize(
    ("lines", "slots", "chosen"),
    [
        ([], "172.31.249", "172.31.250 172.31.249"),
        ([], "172.31.250", "172.31.250 172.31.249"),
        ([ONE], "172.31.249", "172.31.249 172.31.248"),
        ([BESIDE], "172.31.249", "172.31.250 172.31.248"),
    ],
)
def test_the_slots_get_a_subnet_that_is_not_the_others(tmp_path, lines, slots, chosen):
    script = f"{HOST}choose_subnets; echo $SUBNET_PREFIX $SLOTS_SUBNET_PREFIX"
    done = bash(script, environment={"SLOTS": slots, **routes(tmp_path, *lines)})
    assert done.stdout.splitlines()[-1] == chosen, done.stderr


@pytest.mark.parametrize(("revision", "status"), [("0001", 0), ("9999", 1), ("", 0)])
def test_code_older_than_the_database_is_refused(revision, status):
    done = bash(f"{HOST}docker() {{ echo {revision}; }}; check_database")
    assert done.returncode == status
    assert ("older than the code that ran here last" in done.stderr) == bool(status)
