"""A broker that lets in whoever has a password or a certificate, over TLS only.

It also listens in plain text, for what a test itself asks and publishes.
"""

import subprocess
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.drill.containers import IMAGE_PREFIX, await_kafka
from tests.engine import docker
from tests.ports import free_port

USER, PASSWORD = "marquee", "only for this test"

PROPERTIES = """
principal.builder.class=\\
  org.apache.kafka.common.security.authenticator.DefaultKafkaPrincipalBuilder
authorizer.class.name=
listeners=INSIDE://:19093,OUTSIDE://:9092,PASSWORD://:9094,CERTIFICATE://:9095,\\
  CONTROLLER://localhost:9093
listener.security.protocol.map=INSIDE:PLAINTEXT,OUTSIDE:PLAINTEXT,CONTROLLER:PLAINTEXT,\\
  PASSWORD:SASL_SSL,CERTIFICATE:SSL
advertised.listeners=INSIDE://kafka:19093,OUTSIDE://localhost:{plain},\\
  PASSWORD://localhost:{password},CERTIFICATE://localhost:{certificate}
listener.name.password.sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512
listener.name.password.plain.sasl.jaas.config=\\
  org.apache.kafka.common.security.plain.PlainLoginModule required user_{user}="{secret}";
listener.name.password.scram-sha-256.sasl.jaas.config=\\
  org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.password.scram-sha-512.sasl.jaas.config=\\
  org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.certificate.ssl.client.auth=required
ssl.keystore.type=PEM
ssl.keystore.certificate.chain={chain}
ssl.keystore.key={key}
ssl.truststore.type=PEM
ssl.truststore.certificates={authority}
"""

START = """
set -eu
export CLASSPATH='/opt/kafka/libs/*'
{ cat /etc/marquee/server.properties; printf '%s\\n' "$PROPERTIES"; } > /tmp/server.properties
java -Xmx128m kafka.tools.StorageTool format --cluster-id TWFycXVlZUNsdXN0ZXJJZA \\
  --config /tmp/server.properties \\
  --add-scram "SCRAM-SHA-256=[name=$USER,password=$PASSWORD]" \\
  --add-scram "SCRAM-SHA-512=[name=$USER,password=$PASSWORD]"
exec java -Xmx384m -XX:+UseSerialGC kafka.Kafka /tmp/server.properties
"""


@dataclass(frozen=True)
class SecureBroker:
    """Where each listener is, and the folder of the authority's and the clients' files."""

    plain: str
    password: str
    certificate: str
    folder: Path


@contextmanager
def secure_kafka(folder: Path) -> Iterator[SecureBroker]:
    """A broker of its own, with a private authority whose files are in `folder`."""
    for name in ("authority", "stranger"):
        make_authority(folder, name)
    for name in ("broker", "client"):
        make_certificate(folder, name)
    plain, password, certificate = free_port(), free_port(), free_port()
    properties = PROPERTIES.format(
        plain=plain,
        password=password,
        certificate=certificate,
        user=USER,
        secret=PASSWORD,
        chain=one_line(folder / "broker.pem"),
        key=one_line(folder / "broker.key"),
        authority=one_line(folder / "authority.pem"),
    )
    container = f"drill-{uuid.uuid4().hex[:8]}"
    ports = {plain: 9092, password: 9094, certificate: 9095}
    docker(
        *("run", "--detach", "--name", container, "--hostname", "kafka"),
        *(f"--publish=127.0.0.1:{outside}:{inside}" for outside, inside in ports.items()),
        *("--env", f"PROPERTIES={properties}", "--env", f"USER={USER}"),
        *("--env", f"PASSWORD={PASSWORD}", "--entrypoint", "sh"),
        *(f"{IMAGE_PREFIX}/kafka", "-c", START),
    )
    try:
        await_kafka(f"localhost:{plain}")
        yield SecureBroker(*(f"localhost:{port}" for port in ports), folder=folder)
    finally:
        docker("rm", "--force", "--volumes", container)


def make_authority(folder: Path, name: str) -> None:
    """A key and a certificate that signs itself."""
    openssl(
        *("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={name}"),
        *("-keyout", f"{folder}/{name}.key", "-out", f"{folder}/{name}.pem"),
    )


def make_certificate(folder: Path, name: str) -> None:
    """A key and a certificate for `localhost`, signed by the authority."""
    openssl(
        *("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={name}"),
        *("-CA", f"{folder}/authority.pem", "-CAkey", f"{folder}/authority.key"),
        *("-addext", "subjectAltName=DNS:localhost"),
        *("-keyout", f"{folder}/{name}.key", "-out", f"{folder}/{name}.pem"),
    )


def openssl(*arguments: str) -> None:
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)


def one_line(file: Path) -> str:
    """A file as the value of a Java property."""
    return file.read_text().replace("\n", "\\n")
