"""Nginx's own answers as Prometheus sees them: the real Nginx tells, the real mtail counts."""

import subprocess
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from socket import AF_INET, SOCK_DGRAM, create_server, socket
from threading import Thread

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.integration.serving import ask, eventually, get, nginx
from tests.ports import free_port

PROGRAMS = Path("monitoring/exporters")
COUNTED = "marquee_nginx_"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\na\n"
UNAVAILABLE = b"HTTP/1.1 503 Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


@contextmanager
def slot(answer, seconds=0.0):
    """Something that answers every request with these bytes, after so many seconds."""
    listener = create_server(("127.0.0.1", 0))

    def serve():
        while True:
            try:
                connection, _address = listener.accept()
            except OSError:
                return
            with connection:
                connection.recv(4096)
                time.sleep(seconds)
                connection.sendall(answer)

    thread = Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.close()


@contextmanager
def mtail(told):
    """Count what comes to this port; the port that Prometheus asks."""
    asked = free_port()
    command = [
        "mtail", f"--progs={PROGRAMS}", f"--logs=udp://127.0.0.1:{told}", f"--port={asked}",
        "--address=127.0.0.1", "--logtostderr", "--emit_prog_label=false",
    ]  # fmt: skip
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        eventually(lambda: counts(asked))
        yield asked
        process.kill()


def counts(port):
    """What mtail counts, by its name without what all have in common."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
            page = answer.read().decode()
    except OSError:
        return {}
    return {
        sample.name.removeprefix(COUNTED).removesuffix("_total"): sample.value
        for family in text_string_to_metric_families(page)
        for sample in family.samples
        if sample.name.startswith(COUNTED)
    }


@contextmanager
def door(tmp_path, answer, seconds=0.0, popular="a,b\n"):
    """A running Nginx in front of two slots that answer so."""
    state = tmp_path / "state"
    (state / "popular").mkdir(parents=True)
    if popular:
        (state / "popular" / "list.txt").write_text(popular)
    with (
        slot(answer, seconds) as blue,
        slot(answer, seconds) as green,
        nginx(tmp_path, state, blue, green) as running,
    ):
        yield running


NOTHING = {"own_lists": 0, "over_share_lists": 0, "failed_answers": 0, "late_answers": 0}


def test_lists_of_slots_and_refused_requests_are_not_counted(tmp_path):
    with door(tmp_path, OK) as running, mtail(running.mtail) as asked:
        for path in ("/recommend/7", "/recommend/x", "/nothing", "/status"):
            get(running.port, path)
        assert counts(asked) == NOTHING


def test_each_list_of_nginx_is_counted_once(tmp_path):
    with door(tmp_path, UNAVAILABLE) as running, mtail(running.mtail) as asked:
        for user in range(1, 31):
            assert get(running.port, f"/recommend/{user}") == (200, "a,b\n")
        eventually(lambda: counts(asked) == NOTHING | {"own_lists": 30})


def test_one_that_was_asked_for_under_a_condition_is_counted_too(tmp_path):
    with door(tmp_path, UNAVAILABLE) as running, mtail(running.mtail) as asked:
        for condition in ({"If-None-Match": "*"}, {"If-Match": '"x"'}):
            assert ask(running.port, "/recommend/7", headers=condition)[0] == 200
        eventually(lambda: counts(asked) == NOTHING | {"own_lists": 2})


def test_an_answer_without_a_list_is_a_failure(tmp_path):
    with door(tmp_path, UNAVAILABLE, popular=None) as running, mtail(running.mtail) as asked:
        for _ in range(3):
            assert get(running.port, "/recommend/7")[0] == 503
        eventually(lambda: counts(asked) == NOTHING | {"failed_answers": 3})


def test_nobody_waits_for_mtail(tmp_path):
    with door(tmp_path, UNAVAILABLE) as running:
        assert [get(running.port, "/recommend/7")[0] for _ in range(20)] == [200] * 20


@pytest.mark.parametrize(
    ("line", "late"),
    [
        ("outcome= late=1 tries=0.650", 1),
        ("outcome=own_list late=1 tries=0.221, 0.480", 1),
        ("outcome= late=1 tries=0.003", 0),  # the caller took the time
        ("outcome=failed late=1 tries=0.700", 0),  # is a failure, and counted as such
        ("outcome= late=1 tries=-", 0),
    ],
)
def test_an_answer_is_late_when_the_slots_had_the_time(line, late):
    told = free_port()
    with mtail(told) as asked, socket(AF_INET, SOCK_DGRAM) as client:
        for text in (line, "outcome=over_share late= tries=-"):
            client.sendto(f"<190>Nov 26 16:36:24 answers: {text}\n".encode(), ("127.0.0.1", told))
        eventually(lambda: counts(asked)["over_share_lists"] == 1)
        assert counts(asked)["late_answers"] == late
