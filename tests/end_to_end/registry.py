"""An image registry of the distribution's, on this host's loopback."""

import os
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from tests.engine import docker
from tests.ports import free_port
from tests.waiting import eventually


@contextmanager
def empty_registry() -> Iterator[str]:
    """The address of a registry that holds nothing yet."""
    port, name = free_port(), f"registry-{uuid.uuid4().hex[:8]}"
    docker(
        *("run", "--detach", "--rm", "--name", name, "--publish", f"127.0.0.1:{port}:5000"),
        f"{os.environ['IMAGE_PREFIX']}/registry",
    )
    try:
        eventually(lambda: answers(port), 60, "the registry")
        yield f"127.0.0.1:{port}"
    finally:
        docker("rm", "--force", name)


def answers(port: int) -> bool:
    """Whether a registry listens there."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/v2/", timeout=2) as answer:
            return answer.status == 200
    except OSError:
        return False
