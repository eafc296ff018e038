from ingest.broker import KafkaSettings


def test_a_plain_broker_is_sent_no_credentials():
    options = KafkaSettings(kafka_user="someone").client_options()
    assert not [name for name in options if name.startswith(("ssl", "sasl"))]


def test_a_broker_behind_tls_is_sent_name_and_password(tmp_path):
    (tmp_path / "password").write_text("open sesame\n")
    options = KafkaSettings(
        kafka_security="SASL_SSL",
        kafka_sasl_mechanism="SCRAM-SHA-512",
        kafka_user="reader",
        kafka_password_file=tmp_path / "password",
        kafka_ca_file=tmp_path / "ca.pem",
    ).client_options()
    assert options["security_protocol"] == "SASL_SSL"
    assert options["sasl_mechanism"] == "SCRAM-SHA-512"
    assert options["sasl_plain_password"] == "open sesame"  # noqa: S105 -- of nobody
    assert options["ssl_cafile"] == str(tmp_path / "ca.pem")
