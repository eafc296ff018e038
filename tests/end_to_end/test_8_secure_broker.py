"""A broker that is not ours: ingest is let in, or says in one line why not."""

import json

import pytest

from tests.drill.containers import postgres
from tests.drill.line import Line, line, publish
from tests.drill.secure_broker import PASSWORD, USER, SecureBroker, secure_kafka

LINES = 1_000


@pytest.fixture(scope="module")
def broker(tmp_path_factory):
    """The broker, with a right and a wrong password in files beside its certificates."""
    folder = tmp_path_factory.mktemp("certificates")
    (folder / "password").write_text(PASSWORD)
    (folder / "wrong-password").write_text("open sesame")
    with secure_kafka(folder) as started:
        yield started


@pytest.fixture(scope="module")
def owner():
    """A database server of its own."""
    with postgres() as (conninfo, _container):
        yield conninfo


def by_password(broker: SecureBroker, mechanism: str) -> dict[str, str]:
    return {
        "KAFKA_SERVERS": broker.password,
        "KAFKA_SECURITY": "SASL_SSL",
        "KAFKA_SASL_MECHANISM": mechanism,
        "KAFKA_USER": USER,
        "KAFKA_PASSWORD_FILE": f"{broker.folder}/password",
        "KAFKA_CA_FILE": f"{broker.folder}/authority.pem",
    }


def by_certificate(broker: SecureBroker) -> dict[str, str]:
    return {
        "KAFKA_SERVERS": broker.certificate,
        "KAFKA_SECURITY": "SSL",
        "KAFKA_CA_FILE": f"{broker.folder}/authority.pem",
        "KAFKA_CERTIFICATE_FILE": f"{broker.folder}/client.pem",
        "KAFKA_KEY_FILE": f"{broker.folder}/client.key",
    }


def lands(way: Line, settings: dict[str, str]) -> None:
    publish(way, LINES)
    way.start(**settings)
    way.wait(LINES)
    way.end()
    assert "each landed once" in way.compare()


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"])
def test_lines_land_by_name_and_password_over_tls(broker, owner, mechanism):
    with line(owner, broker.plain) as way:
        lands(way, by_password(broker, mechanism))


def test_lines_land_by_a_client_certificate(broker, owner):
    with line(owner, broker.plain) as way:
        lands(way, by_certificate(broker))


@pytest.mark.parametrize(
    ("settings", "wrong", "said"),
    [
        (by_password, {"KAFKA_PASSWORD_FILE": "wrong-password"}, "Invalid username or password"),
        (by_password, {"KAFKA_CA_FILE": "stranger.pem"}, "CERTIFICATE_VERIFY_FAILED"),
        (
            by_certificate,
            {"KAFKA_CERTIFICATE_FILE": "stranger.pem", "KAFKA_KEY_FILE": "stranger.key"},
            "ALERT",
        ),
    ],
    ids=["password", "authority", "certificate"],
)
def test_what_does_not_fit_stops_ingest_with_one_line_that_says_so(
    broker, owner, settings, wrong, said
):
    chosen = settings(broker, "PLAIN") if settings is by_password else settings(broker)
    chosen |= {name: f"{broker.folder}/{file}" for name, file in wrong.items()}
    with line(owner, broker.plain) as way:
        assert way.start(**chosen).wait(timeout=60) == 1
        logged = [json.loads(text) for text in (way.folder / "log").read_text().splitlines()]
    critical = [entry for entry in logged if entry["level"] == "critical"]
    assert [entry["kind"] for entry in critical] == ["RefusedError"]
    assert said in critical[0]["error"]
