"""What others notice while one address asks for the worst that we could find, 64 at once.

Slots with Nginx, the attacker and the others run in containers with addresses of their own
(tests/benchmarks/addresses.py); all share the machine. Every user that the attacker asks for
has done something since the training, so each first answer has to be ranked by trees; there
are more of them than lines are kept.
"""

import json
import re
import signal
import socket
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Thread
from time import monotonic

import psycopg
import typer

from tests.benchmarks.addresses import Container, container, run
from tests.benchmarks.report import Figures
from tests.benchmarks.serving_versions import RERANKED, publish_reranked
from tests.end_to_end import load as constant
from tests.integration.serving import RunningNginx, Slots, get, nginx
from tests.stores import as_role
from tests.waiting import eventually

PORT = 8082
OTHERS, ACTIVE = 610, 25_000
AT_ONCE = 64
LEFT_OVER = 2
"""CPU shares of the attacker, whose processors are its own where it is not on this machine."""
OTHERS_RATE = 100
MODULE = ("python", "-m", "tests.benchmarks.serving_attack")

ASK = f"local user = math.random({OTHERS + 1}, {OTHERS + ACTIVE})\n"
ACCEPT = "Accept: " + "application/json;q=0.5," * 340 + "x\\r\\n"
SCRIPTS = {
    "ranking": f"""
request = function()
  {ASK} return "GET /recommend/" .. user .. " HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n"
end
""",
    "in_full": f"""
request = function()
  {ASK} return "GET /recommend/" .. user
    .. "?n=100 HTTP/1.1\\r\\nHost: x\\r\\nAccept: application/json\\r\\n\\r\\n"
end
""",
    "accept": f"""
local lines = string.rep("{ACCEPT}", 3)
request = function()
  {ASK} return "GET /recommend/" .. user .. " HTTP/1.1\\r\\nHost: x\\r\\n" .. lines .. "\\r\\n"
end
""",
}
"""What wrk sends."""
KINDS = (*SCRIPTS, "hanging_up")

commands = typer.Typer()


def attacked(database: str, seconds: int) -> Figures:
    """The others' 99th percentile, alone and beside each kind of attack, and who answered them."""
    owner = as_role(database, "marquee")
    load_activity(owner)
    with container(*MODULE, "serve", database) as server:
        server.await_line("ready")
        figures: Figures = {}
        for kind in ("nothing", *KINDS):
            p99_ms, failed = beside(kind, server, seconds)
            figures[f"others_p99_ms_beside_{kind}"] = (p99_ms, "ms")
            figures[f"others_failed_beside_{kind}"] = (float(failed), "")
        lists = json.loads(server.stop().splitlines()[-1])
    for kind, by in lists.items():
        own = by.get("nginx", 0) + by.get("share", 0)
        figures[f"others_lists_by_nginx_beside_{kind}"] = (own, "")
    return figures


def beside(kind: str, server: Container, seconds: int) -> tuple[float, int]:
    """The others' 99th percentile in milliseconds and failures, beside an attack."""
    attack = (*MODULE, "hurt", kind, server.address, str(seconds + 5))
    with container(*attack, cpu_shares=LEFT_OVER):
        said = run(*MODULE, "ask", kind, server.address, str(seconds))
    outcome = json.loads(said.splitlines()[-1])
    return outcome["p99_ms"], outcome["failed"]


def load_activity(owner: str) -> None:
    """Three ratings of each active user, landed."""
    now = datetime.now(UTC)
    copy = "COPY rating (time, user_id, movie_id, rating, log_partition, log_offset) FROM STDIN"
    with psycopg.connect(owner) as connection:
        with connection.cursor().copy(copy) as rows:
            for offset in range(3 * ACTIVE):
                movie = f"a+movie+of+usual+length+{offset * 7 % 9_000}+1999"
                rows.write_row((now, OTHERS + 1 + offset // 3, movie, 4.0, 0, offset))
        connection.execute(
            "INSERT INTO stream_offset (topic, log_partition, first_offset, next_offset)"
            " VALUES ('movielog', 0, 0, %s)",
            (3 * ACTIVE,),
        )


@commands.command()
def serve(database: str) -> None:
    """Two slots behind Nginx until told to stop; then, whose lists the others got."""
    stop = Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        slots = Slots(folder, as_role(database, "recommender"))
        publish_reranked(slots.models, OTHERS + ACTIVE)
        blue, green = (slots.start(each, RERANKED).port for each in ("blue", "green"))
        for port in (blue, green):
            eventually(lambda port=port: knows_the_active(port), 120)
        split = slots.state / "split" / "live"
        split.mkdir(parents=True)
        for bucket in range(0, 1000, 2):
            (split / f"{bucket:03}").touch()
        public = {"listen 8082": f"listen 0.0.0.0:{PORT}"}
        with nginx(folder, slots.state, blue, green, public) as door:
            say("ready")
            stop.wait()
        slots.end()
        say(json.dumps(lists_of_others(door)))


def lists_of_others(door: RunningNginx) -> dict[str, Counter[str]]:
    """How many of their answers were whose lists, beside each kind of attack."""
    lists: dict[str, Counter[str]] = defaultdict(Counter)
    for line in door.requests():
        if beside := re.search(r"\?beside=(\w+)", str(line["request"])):
            lists[beside[1]][str(line["list"])] += 1
    return lists


def knows_the_active(port: int) -> bool:
    """Whether a slot has read what everybody did."""
    return f"marquee_activity_users {float(ACTIVE)}" in get(port, "/metrics")[1]


@commands.command()
def ask(kind: str, host: str, seconds: int) -> None:
    """Ask as people do, at a constant rate, one in ten of them active; Nginx's log tells `kind`."""
    users = [
        OTHERS + 1 + number if number % 10 == 0 else number % OTHERS + 1 for number in range(200)
    ]
    asked = constant.Load(
        host=host,
        port=PORT,
        rate=OTHERS_RATE,
        connections=32,
        user_ids=users,
        path=f"/recommend/{{}}?beside={kind}",
    )
    outcome = constant.send(asked, seconds)
    say(json.dumps({"p99_ms": outcome.percentile(0.99) * 1000, "failed": outcome.failed}))


@commands.command()
def hurt(kind: str, host: str, seconds: int) -> None:
    """Ask for the worst, 64 at once; `nothing` does nothing."""
    if kind in SCRIPTS:
        script = Path(tempfile.mkdtemp()) / "ask.lua"
        script.write_text(SCRIPTS[kind])
        options = ["-t1", f"-c{AT_ONCE}", f"-d{seconds}s", "-s", str(script)]
        subprocess.run(["wrk", *options, f"http://{host}:{PORT}/"], check=True)
    elif kind == "hanging_up":
        threads = [Thread(target=hang_up, args=(n, host, seconds)) for n in range(AT_ONCE)]
        for thread in threads:
            thread.start()


def hang_up(first: int, host: str, seconds: int) -> None:
    """Ask on a connection of its own, hang up at once, and go on."""
    end, user = monotonic() + seconds, first
    while monotonic() < end:
        user = (user + AT_ONCE) % ACTIVE
        request = f"GET /recommend/{OTHERS + 1 + user} HTTP/1.1\r\nHost: x\r\n\r\n"
        with socket.create_connection((host, PORT)) as connection:
            connection.sendall(request.encode())


def say(line: str) -> None:
    """To whoever started this container."""
    print(line, file=sys.stdout, flush=True)  # noqa: T201 -- what it is for


if __name__ == "__main__":
    commands()
