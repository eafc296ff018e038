"""A way to the database on which one acknowledgement is lost, as where a connection breaks."""

import select
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Event, Thread

from tests.waiting import meanwhile

PIECE = 1 << 16


@contextmanager
def losing_acknowledgement(host: str, port: int, parameter: str) -> Iterator[int]:
    """The port of a way to a database; what answers this parameter first is lost with its session.

    The database has done by then what it was asked, and has committed it.
    """
    bound = len(parameter).to_bytes(4) + parameter.encode()  # as a message Bind holds it
    lost = Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(0.1)

        def accept(over: Event) -> None:
            while not over.is_set():
                try:
                    client, _ = listening.accept()
                except TimeoutError:
                    continue
                server = socket.create_connection((host, port))
                Thread(target=carry, args=(client, server, bound, lost, over), daemon=True).start()

        with meanwhile(accept):
            yield listening.getsockname()[1]
    assert lost.is_set(), f"nobody sent {parameter}"


def carry(
    client: socket.socket, server: socket.socket, bound: bytes, lost: Event, over: Event
) -> None:
    """Pass on what either says, until one ends or the acknowledgement comes that is to be lost."""
    to_be_lost = False
    with client, server, suppress(OSError):  # either may go in the middle of a word
        while not over.is_set():
            for one in select.select([client, server], [], [], 0.1)[0]:
                piece = one.recv(PIECE)
                if not piece or (one is server and to_be_lost):
                    return
                if one is client and bound in piece and not lost.is_set():
                    to_be_lost = True
                    lost.set()
                (server if one is client else client).sendall(piece)
