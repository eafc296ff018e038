"""The usual ways to replace what answers, under the load that our releases are played under.

Containers of the tests' image, driven by Docker Compose: the only one is recreated; a second is
started and the first removed, as docker-rollout does, behind an Nginx that finds them by name.
And an Nginx whose configuration is written anew and reloaded for each swap.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict

from tests.benchmarks.release_swaps import asked
from tests.benchmarks.report import Figures
from tests.engine import docker
from tests.integration.real_releases import USERS, VERSIONS, RealStage
from tests.integration.serving import assign, get
from tests.ports import free_port
from tests.stores import as_role, service_environment
from tests.unit.recommender.versions import publish
from tests.waiting import eventually

COMPOSE_FILE = Path(__file__).with_suffix(".yml")
PROJECT = "marquee-bench-usual-ways"
FILES = Path("/files")
PAUSE_SECONDS = 1.0
"""Between two swaps, so that what one leaves behind is over when the next begins."""

SERVER = """
daemon off; user root; pid {folder}/usual.pid; worker_processes 2;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    {before}
    server {{
        listen {listen};
        location / {{ {target} proxy_http_version 1.1; proxy_set_header Connection ""; }}
    }}
}}
"""


def usual_ways(stage: RealStage, database: str, rate: float, swaps: int, folder: Path) -> Figures:
    """What the same callers notice of as many swaps by each of the usual ways."""
    figures: Figures = {}
    with containers(database) as (one, door):
        figures |= measured("recreated", one, rate, swaps, recreate)
        figures |= measured("scaled", door, rate, swaps, scale_and_remove)
    with reloaded_nginx(stage, folder) as (port, reload):
        figures |= measured("reloaded", port, rate, swaps, reload)
    return figures


def measured(name: str, port: int, rate: float, swaps: int, way: Callable[[], None]) -> Figures:
    """What callers noticed of some swaps."""
    with asked(port, rate) as answered:
        for _ in range(swaps):
            time.sleep(PAUSE_SECONDS)
            way()
    return {
        f"{name}_swaps": (swaps, ""),
        f"{name}_requests": (answered.requests, ""),
        f"{name}_failed": (answered.failed, ""),
        f"{name}_slowest_ms": (answered.slowest_seconds * 1000, "ms"),
    }


@contextmanager
def containers(database: str) -> Iterator[tuple[int, int]]:
    """The only container's port, and that of the Nginx before the one that is replaced."""
    one, door = free_port(), free_port()
    where = conninfo_to_dict(as_role(database, "recommender"))
    os.environ |= {
        "ONE_PORT": str(one),
        "DOOR_PORT": str(door),
        "DATABASE_HOST": str(where["host"]),
        "DATABASE_PORT": str(where["port"]),
        "DATABASE_NAME": database,
        "DATABASE_USER": "recommender",
    }
    try:
        compose("run", "--rm", "files")
        compose("up", "--detach", "--wait", "one", "several", "door")
        for port in (one, door):
            eventually(lambda port=port: answers(port), 60, "an answer")
        yield one, door
    finally:
        compose("--profile", "*", "down", "--volumes", "--timeout", "5")


def compose(*arguments: str) -> str:
    """Drive the project of the usual ways."""
    return docker("compose", "--project-name", PROJECT, "--file", str(COMPOSE_FILE), *arguments)


def answers(port: int) -> bool:
    """Whether somebody is answered."""
    try:
        return get(port, f"/recommend/{USERS[0]}")[0] == 200
    except OSError:
        return False


def recreate() -> None:
    """The only container is replaced by a new one."""
    compose("up", "--detach", "--wait", "--force-recreate", "one")


def scale_and_remove() -> None:
    """A second container is started; when it is healthy, the first is stopped and removed."""
    (old,) = compose("ps", "--quiet", "several").split()
    compose("up", "--detach", "--wait", "--no-recreate", "--scale", "several=2", "several")
    docker("stop", old)
    docker("rm", old)


@contextmanager
def reloaded_nginx(stage: RealStage, folder: Path) -> Iterator[tuple[int, Callable[[], None]]]:
    """The port of an Nginx with one upstream, and what sends everybody to the other slot."""
    port, configuration = free_port(), folder / "usual.conf"
    slots = [slot.port for slot in stage.slots.running[:2]]

    def write() -> None:
        slots.reverse()
        upstream = f"upstream live {{ server 127.0.0.1:{slots[0]}; keepalive 32; }}"
        target = "proxy_pass http://live;"
        listen = f"127.0.0.1:{port}"
        configuration.write_text(
            SERVER.format(folder=folder, before=upstream, listen=listen, target=target)
        )

    def reload() -> None:
        write()
        nginx.send_signal(signal.SIGHUP)

    write()
    nginx = subprocess.Popen(["/usr/sbin/nginx", "-e", "stderr", "-c", str(configuration)])
    try:
        eventually(lambda: answers(port), 60, "an answer")
        yield port, reload
    finally:
        nginx.send_signal(signal.SIGQUIT)
        nginx.wait(timeout=30)


def lay_files(database: str) -> None:
    """What the containers read: a model, which one it is, a password, the door's configuration."""
    publish(FILES / "models", VERSIONS[0], top=dict.fromkeys(USERS, range(20)))
    assign(FILES / "state", "blue", VERSIONS[0])
    service_environment(as_role(database, "recommender"), FILES)
    found = "resolver 127.0.0.11 valid=1s;"
    target = "set $name several; proxy_pass http://$name:8000;"
    conf = SERVER.format(folder="/run", before=found, listen="8080", target=target)
    (FILES / "door.conf").write_text(conf)


if __name__ == "__main__":
    lay_files(sys.argv[1])
