"""People are in the same arm for Nginx, which sends them there, and for SQL, which counts them."""

import json
import socket
import threading
from contextlib import contextmanager
from random import Random

import psycopg
import pytest

from ci.slots.state import send_to_green
from monitoring.experiments.assignment import challenger_buckets
from tests.integration.serving import nginx

PEOPLE = 100_000
AT_ONCE = 200
"""Requests that are sent before their answers are read."""


@pytest.fixture(scope="module")
def user_ids():
    """Small ones as in MovieLens, and any that fit: of 1 to 18 digits."""
    random = Random(14)
    lengths = [10 ** random.randint(1, 18) for _ in range(2 * PEOPLE)]
    drawn = dict.fromkeys([*range(1, 2001), *(random.randrange(1, below) for below in lengths)])
    return list(drawn)[:PEOPLE]


@contextmanager
def slot(name):
    """Answers every request with its name, on as many connections as come."""
    with socket.create_server(("127.0.0.1", 0), backlog=256) as server:
        threading.Thread(target=_accept, args=(server, name), daemon=True).start()
        yield server.getsockname()[1]


def _accept(server, name):
    answer = f"HTTP/1.1 200 OK\r\nContent-Length: {len(name)}\r\n\r\n{name}".encode()
    while True:
        try:
            connection, _ = server.accept()
        except OSError:
            return
        threading.Thread(target=_serve, args=(connection, answer), daemon=True).start()


def _serve(connection, answer):
    with connection:
        while connection.recv(65536):  # one request at a time, as Nginx sends them
            connection.sendall(answer)


def ask_all(port, user_ids):
    """Ask for everybody on one connection; the bodies are not told apart, the log says all."""
    with socket.create_connection(("127.0.0.1", port)) as connection:
        for start in range(0, len(user_ids), AT_ONCE):
            piece = user_ids[start : start + AT_ONCE]
            requests = (f"GET /recommend/{user} HTTP/1.1\r\nHost: door\r\n\r\n" for user in piece)
            connection.sendall("".join(requests).encode())
            answered = b""
            while answered.count(b"HTTP/1.1 ") < len(piece):
                answered += connection.recv(1 << 20)


def test_nginx_and_sql_put_100_000_people_into_the_same_arm(tmp_path, conninfo, user_ids):
    state = tmp_path / "state"
    state.mkdir()
    drawn = challenger_buckets("ease against popularity", 14, 300)
    send_to_green(state, drawn)
    with slot("blue") as blue, slot("green") as green, nginx(tmp_path, state, blue, green) as door:
        ask_all(door.port, user_ids)
    ports = {f"127.0.0.1:{blue}": "control", f"127.0.0.1:{green}": "challenger"}
    logged = [json.loads(line) for line in door.access_log.read_text().splitlines()]
    by_nginx = {int(one["user"]): (int(one["bucket"]), ports[one["upstream"]]) for one in logged}
    with psycopg.connect(conninfo("evaluation")) as connection:
        by_sql = connection.execute(
            "SELECT user_id, bucket_of(user_id),"
            " CASE WHEN bucket_of(user_id) = ANY (%s) THEN 'challenger' ELSE 'control' END"
            " FROM unnest(%s::bigint[]) AS user_id",
            (sorted(drawn), user_ids),
        ).fetchall()
    assert len(by_nginx) == PEOPLE
    assert {user: (bucket, arm) for user, bucket, arm in by_sql} == by_nginx
    assert len({bucket for bucket, _ in by_nginx.values()}) == 1000
