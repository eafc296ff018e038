"""A slot that long does not answer itself ends; one that answers, however, does not."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from socket import create_server
from threading import Thread

from compose.service.watchdog import HUNG
from recommender.own_answers import answers
from tests.ports import free_port

WATCHING = """
import sys
from threading import Event
from compose.service import watchdog
from recommender import own_answers
watchdog.LOOK_SECONDS, watchdog.LOOKS = 0.05, 40
own_answers.ASK_SECONDS, own_answers.TIMEOUT_SECONDS = 0.02, 0.2
own_answers.watch_own_answers(int(sys.argv[1]), Event())
"""


class Unwell(BaseHTTPRequestHandler):
    """Says that something is wrong, which is an answer."""

    def do_GET(self) -> None:
        self.send_error(500)


@contextmanager
def unwell_slot() -> Iterator[int]:
    with HTTPServer(("127.0.0.1", 0), Unwell) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


def test_whatever_a_slot_says_is_an_answer():
    with unwell_slot() as port:
        assert answers(port)


def test_a_port_where_nobody_listens_does_not_answer():
    assert not answers(free_port())


def test_a_slot_that_takes_connections_and_never_answers_ends():
    with create_server(("127.0.0.1", 0)) as hanging:
        ended = subprocess.run(
            [sys.executable, "-c", WATCHING, str(hanging.getsockname()[1])],
            capture_output=True,
            check=False,
            timeout=120,
        )
    assert ended.returncode == HUNG
