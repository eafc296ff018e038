"""The running stack, as a person or a program meets it: HTTP, SQL, docker compose."""

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from tests.engine import docker
from tests.waiting import eventually

CHECKOUT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Answer:
    """What came back over HTTP."""

    status: int
    body: str
    headers: dict[str, str]


@dataclass(frozen=True)
class Stack:
    """The stack under test, as `make up` started it; its settings are in the environment."""

    nginx_port: int
    _passwords: dict[str, str] = field(default_factory=dict)

    def compose(self, *arguments: str, check: bool = True, given: str | None = None) -> str:
        """Run docker compose; its standard output."""
        done = subprocess.run(
            ["docker", "compose", *arguments],
            cwd=CHECKOUT,
            input=given,
            stdin=subprocess.DEVNULL if given is None else None,
            capture_output=True,
            text=True,
            check=False,
        )
        assert not check or done.returncode == 0, done.stderr
        return done.stdout

    def make(self, target: str, *settings: str) -> subprocess.CompletedProcess[str]:
        """Run a make target as a person would, with settings as NAME=value."""
        return subprocess.run(
            ["make", target, *settings], cwd=CHECKOUT, capture_output=True, text=True, check=False
        )

    def container(self, service: str) -> dict[str, Any]:
        """What the engine says of a service's container."""
        labels = {"project": os.environ["COMPOSE_PROJECT_NAME"], "service": service}
        filters = [f"--filter=label=com.docker.compose.{k}={v}" for k, v in labels.items()]
        name = docker("ps", "--all", "--quiet", *filters).strip()
        return json.loads(docker("inspect", name))[0]

    def is_healthy(self, service: str) -> bool:
        """What the engine's last health check found."""
        return self.container(service)["State"]["Health"]["Status"] == "healthy"

    def kill(self, *services: str) -> None:
        """SIGKILL the containers of these services."""
        self.compose("kill", "--signal", "SIGKILL", *services)

    def start(self, *services: str) -> None:
        """Start stopped services and wait until they are healthy."""
        self.compose("start", *services)
        for service in services:
            eventually(lambda service=service: self.is_healthy(service), 60, f"healthy: {service}")

    def get(self, path: str, method: str = "GET") -> Answer:
        """One request to Nginx on a connection of its own."""
        connection = HTTPConnection("127.0.0.1", self.nginx_port, timeout=5)
        try:
            connection.request(method, path)
            response = connection.getresponse()
            return Answer(response.status, response.read().decode(), dict(response.getheaders()))
        finally:
            connection.close()

    def recommend(self, user_id: int) -> list[str]:
        """The movies recommended to a user."""
        answer = self.get(f"/recommend/{user_id}")
        assert answer.status == 200, answer
        return answer.body.strip().split(",")

    def sql(self, query: str) -> list[tuple[Any, ...]]:
        """Rows, as the role analyst sees them."""
        with self._connected("analyst", "analyst") as connection:
            return connection.execute(query.encode()).fetchall()

    def sql_as_owner(self, statement: str) -> None:
        """Change rows as nobody but a test may."""
        with self._connected("marquee", "postgres") as connection:
            connection.execute(statement.encode())

    def conninfo(self, user: str, password: str) -> str:
        """How somebody on this host logs in to the database."""
        return make_conninfo(
            host="127.0.0.1",
            port=os.environ["POSTGRES_PORT"],
            dbname="marquee",
            user=user,
            password=password,
        )

    @contextmanager
    def _connected(self, user: str, secret: str) -> Iterator[psycopg.Connection]:
        """A session; a password that was changed meanwhile is looked up again."""
        try:
            connection = psycopg.connect(self.conninfo(user, self.password(secret)))
        except psycopg.OperationalError:
            self._passwords.pop(secret, None)
            connection = psycopg.connect(self.conninfo(user, self.password(secret)))
        with connection:
            yield connection

    def password(self, name: str) -> str:
        """A password, as `make password` showed it when it was first asked for."""
        return self._passwords.get(name) or self._passwords.setdefault(name, self.secret(name))

    def secret(self, name: str) -> str:
        """A password, as `make password` shows it now."""
        return self.compose("run", "--rm", "--no-deps", "-T", "secrets", "show", name).strip()


@pytest.fixture(scope="session")
def stack() -> Stack:
    """The stack that tests/run.sh started."""
    return Stack(nginx_port=int(os.environ["NGINX_PORT"]))
