"""A PostgreSQL and a Kafka that may be broken, in containers of their own."""

import os
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg

from tests.drill.line import PATIENCE_SECONDS, administration
from tests.engine import docker
from tests.ports import free_port

IMAGE_PREFIX = os.environ.get("IMAGE_PREFIX", "marquee")


def restart(container: str) -> None:
    docker("kill", container)
    time.sleep(1)
    docker("start", container)


@contextmanager
def postgres(*options: str, folder: str = "/tmp") -> Iterator[tuple[str, str]]:  # noqa: S108 -- in a container of its own
    """A PostgreSQL of its own that may be killed: its conninfo and its container."""
    port, name = free_port(), f"drill-{uuid.uuid4().hex[:8]}"
    start = (
        f"b=/usr/lib/postgresql/17/bin; d={folder}/cluster;"
        " test -s $d/PG_VERSION || { $b/initdb -D $d -U marquee --auth=trust"
        " --encoding=UTF8 --locale=C.UTF-8 > /dev/null &&"
        " echo 'host all all all trust' >> $d/pg_hba.conf; };"
        " exec $b/postgres -D $d -c listen_addresses='*' -c unix_socket_directories=/tmp"
        " -c max_wal_size=64MB -c min_wal_size=32MB"
    )
    docker(
        *("run", "--detach", "--name", name, "--publish", f"127.0.0.1:{port}:5432"),
        *("--user", "999:999", "--entrypoint", "sh", *options),
        *(f"{IMAGE_PREFIX}/postgres", "-c", start),
    )
    try:
        owner = f"host=127.0.0.1 port={port} user=marquee dbname=postgres"
        await_postgres(owner)
        yield owner, name
    finally:
        docker("rm", "--force", "--volumes", name)


@contextmanager
def kafka(start: str = "exec start-kafka") -> Iterator[tuple[str, str]]:
    """A broker of its own that may be killed: its address and its container."""
    port, name = free_port(), f"drill-{uuid.uuid4().hex[:8]}"
    docker(
        *("run", "--detach", "--name", name, "--publish", f"127.0.0.1:{port}:9092"),
        *("--hostname", "kafka", "--env", f"KAFKA_PORT={port}", "--entrypoint", "sh"),
        *(f"{IMAGE_PREFIX}/kafka", "-c", start),
    )
    try:
        servers = f"localhost:{port}"
        await_kafka(servers)
        yield servers, name
    finally:
        docker("rm", "--force", "--volumes", name)


def await_postgres(owner: str) -> None:
    eventually(lambda: psycopg.connect(owner, connect_timeout=2).close(), psycopg.OperationalError)


def await_kafka(servers: str) -> None:
    def ask() -> None:
        with administration(servers) as admin:
            admin.list_topics()

    eventually(ask, Exception)


def eventually(work: Callable[[], None], passing: type[Exception]) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return work()
        except passing:
            if time.monotonic() > until:
                raise
            time.sleep(0.2)
