import logging

import pytest
from kafka.errors import (
    KafkaConnectionError,
    KafkaTimeoutError,
    SaslAuthenticationFailedError,
    TopicAuthorizationFailedError,
)

from ingest.errors import RefusedError
from ingest.kafka.broker import KafkaSettings, refusals_raised


def test_a_plain_broker_is_sent_no_credentials():
    options = KafkaSettings(kafka_user="someone").client_options()
    assert not [name for name in options if name.startswith(("ssl", "sasl"))]


def test_a_broker_behind_tls_is_sent_name_and_password(tmp_path):
    (tmp_path / "password").write_text("open sesame\n")
    (tmp_path / "ca.pem").write_text("-----BEGIN CERTIFICATE-----")
    (tmp_path / "certificate.pem").touch()
    options = KafkaSettings(
        kafka_security="SASL_SSL",
        kafka_sasl_mechanism="SCRAM-SHA-512",
        kafka_user="reader",
        kafka_password_file=tmp_path / "password",
        kafka_ca_file=tmp_path / "ca.pem",
        kafka_certificate_file=tmp_path / "certificate.pem",
    ).client_options()
    assert options["security_protocol"] == "SASL_SSL"
    assert options["sasl_mechanism"] == "SCRAM-SHA-512"
    assert options["sasl_plain_password"] == "open sesame"  # noqa: S105 -- of nobody
    assert options["ssl_cafile"] == str(tmp_path / "ca.pem")
    assert options["ssl_certfile"] is None


def give_up_after(error: Exception) -> None:
    """As kafka-python does it."""
    logging.getLogger("kafka.net").error("Connection failed: %s", error)
    raise KafkaTimeoutError("Unable to bootstrap")


@pytest.mark.parametrize(
    "logged",
    [
        SaslAuthenticationFailedError("Invalid username or password"),
        KafkaConnectionError("Handshake failed: [SSL: CERTIFICATE_VERIFY_FAILED]"),
        KafkaConnectionError("[SSL: TLSV13_ALERT_CERTIFICATE_REQUIRED]"),
        KafkaConnectionError("[SSL: TLSV1_ALERT_UNKNOWN_CA]"),
    ],
)
def test_a_refusal_that_was_only_logged_is_raised_where_the_client_gives_up(logged):
    with pytest.raises(RefusedError) as raised, refusals_raised():
        give_up_after(logged)
    assert str(raised.value).endswith(str(logged))


def test_a_missing_right_is_a_refusal():
    with pytest.raises(RefusedError), refusals_raised():
        raise TopicAuthorizationFailedError("movielog")


def test_a_broker_that_is_away_is_none():
    with pytest.raises(KafkaTimeoutError), refusals_raised():
        give_up_after(KafkaConnectionError("connection refused"))
