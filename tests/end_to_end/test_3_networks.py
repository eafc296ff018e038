"""From inside a slot its like, Nginx and PostgreSQL answer, and nothing else; few get out."""

import json
import os
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from monitoring.status.containers import LONG_RUNNING
from tests.engine import docker

SLOT = "recommender-blue"
SERVICES = (*LONG_RUNNING, "simulator")
MEETS = {
    "postgres": {5432},
    "nginx": {8082, 8083, 8084},
    "recommender-blue": {8000},
    "recommender-green": {8000},
}
READERS_PORT, FIGURES_PORT = 19092, 9404
KAFKA_PORTS = (9092, 19093, READERS_PORT, FIGURES_PORT)
TRY_AS_INGEST = """
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.errors import KafkaError
def read():
    consumer, partition = KafkaConsumer(bootstrap_servers=SERVERS), TopicPartition(TOPIC, 0)
    consumer.assign([partition])
    consumer.seek_to_beginning(partition)
    return "read" if consumer.poll(timeout_ms=30_000) else "nothing"
def write():
    producer = KafkaProducer(bootstrap_servers=SERVERS, enable_idempotence=False)
    producer.send(TOPIC, b"of ingest").get(timeout=30)
    return "written"
SERVERS, TOPIC = "kafka:{port}", "{topic}"
try:
    print({work}())
except KafkaError as error:
    print(type(error).__name__)
"""
LISTENS = "0A"
"""The state of a socket that listens, in /proc/net/tcp."""
METADATA = "169.254.169.254"
"""Where a cloud tells a machine its own passwords."""
OUT = {"ingest", "retention", "trainer", "alertmanager"}
"""Their business elsewhere: a broker, a metadata API, a repository, Slack."""
TESTS = f"{os.environ['IMAGE_PREFIX']}/tests"
ELSEWHERE = "192.0.2.81"
LINK = """
ip link add marquee-beyond type veth peer name host netns $1
ip address add 192.0.2.80/31 dev marquee-beyond
ip link set marquee-beyond up
nsenter --target $1 --net ip address add 192.0.2.81/31 dev host
nsenter --target $1 --net ip link set host up
"""
RIGHTS = ("--cap-add", "NET_ADMIN", "--cap-add", "SYS_ADMIN")
TRY = """
import json, socket, sys
from concurrent.futures import ThreadPoolExecutor
def answers(place):
    try:
        with socket.create_connection(place, timeout=2):
            return True
    except OSError:
        return False
places = json.load(sys.stdin)
with ThreadPoolExecutor(64) as together:
    print(json.dumps([place for place, yes in zip(places, together.map(answers, places)) if yes]))
"""


def addresses(container):
    networks = container["NetworkSettings"]["Networks"].values()
    return [network["IPAddress"] for network in networks]


def listening(container):
    """The ports on which anything listens in a container, seen from its own network namespace."""
    sockets = docker("exec", container["Id"], "cat", "/proc/net/tcp", "/proc/net/tcp6")
    return {int(port, 16) for port in re.findall(rf":([0-9A-F]{{4}}) \S+ {LISTENS} ", sockets)}


def answering(stack, places):
    """Those of (address, port) that take a connection from inside the slot."""
    asked = json.dumps(list(places))
    found = stack.compose("exec", "-T", SLOT, "python", "-c", TRY, given=asked)
    return {tuple(place) for place in json.loads(found)}


def test_a_slot_reaches_its_like_nginx_and_the_database_and_no_other_port_of_any_service(stack):
    containers = {service: stack.container(service) for service in SERVICES}
    ports = {service: listening(container) for service, container in containers.items()}
    assert all(ports.values()), "something listens in each"
    names = {service: [service, *addresses(containers[service])] for service in SERVICES}
    reached = answering(stack, [(n, p) for s in SERVICES for n in names[s] for p in ports[s]])
    found = {s: {p for n, p in reached if n in names[s]} for s in SERVICES}
    assert {service: ports for service, ports in found.items() if ports} == MEETS


def reached_at_kafka(stack, service):
    """Those of Kafka's ports that take a connection from a service, at whatever address."""
    connect = "timeout 3 bash -c 'exec 3<>/dev/tcp/{}/{}' 2> /dev/null && echo there || :"

    def reached(place: str, port: int) -> bool:
        command = connect.format(place, port)
        return "there" in stack.compose("exec", "-T", service, "bash", "-c", command)

    places = ["kafka", *addresses(stack.container("kafka"))]
    return {port for port in KAFKA_PORTS if any(reached(place, port) for place in places)}


@pytest.mark.parametrize(
    ("service", "ports"),
    [("prometheus", {FIGURES_PORT}), ("ingest", {READERS_PORT, FIGURES_PORT})],
)
def test_nobody_reaches_the_port_for_writing_who_does_not_write(stack, service, ports):
    assert reached_at_kafka(stack, service) == ports


@pytest.mark.parametrize(
    ("work", "said"), [("read", "read"), ("write", "TopicAuthorizationFailedError")]
)
def test_ingest_reads_lines_and_may_write_none(stack, work, said):
    tried = TRY_AS_INGEST.format(work=work, port=READERS_PORT, topic=os.environ["KAFKA_TOPIC"])
    assert stack.compose("exec", "-T", "ingest", "python", "-c", tried).strip() == said


def test_a_slot_does_not_reach_a_clouds_metadata(stack):
    """It fails on a cloud alone; the last test here shows that nothing beyond is reached."""
    assert answering(stack, [(METADATA, 80)]) == set()


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[str]:
    """The address of a server beyond this host, which knows no way back to our networks."""
    serve = ("python", "-m", "http.server", "80")
    container = docker("run", "--detach", "--init", "--network", "none", TESTS, *serve).strip()
    try:
        beyond = docker("inspect", "--format", "{{.State.Pid}}", container).strip()
        as_host = ("--network", "host", "--pid", "host", "--user", "0:0")
        docker("run", "--rm", *as_host, *RIGHTS, TESTS, "sh", "-ec", LINK, "sh", beyond)
        yield ELSEWHERE
    finally:
        docker("rm", "--force", container)


def test_only_who_has_business_elsewhere_gets_there(stack, elsewhere):
    connect = f"timeout 3 bash -c 'exec 3<>/dev/tcp/{elsewhere}/80' 2> /dev/null && echo there || :"

    def gets_there(service: str) -> bool:
        said = docker("exec", stack.container(service)["Id"], "bash", "-c", connect)
        return said.strip() == "there"

    with ThreadPoolExecutor(4) as together:
        got_there = dict(zip(SERVICES, together.map(gets_there, SERVICES), strict=True))
    assert {service for service, there in got_there.items() if there} == OUT
