"""Ends a slot that has long not answered itself, so that the engine starts it anew.

Nginx passes such a slot by, and nothing else would put an end to it.
"""

from contextlib import closing
from http.client import HTTPConnection, HTTPException
from threading import Event

from compose.service.watchdog import watched

ASK_SECONDS = 5.0
TIMEOUT_SECONDS = 3.0


def watch_own_answers(port: int, over: Event) -> None:
    """Ask this slot for its health again and again; while it does not answer, the time runs.

    Args:
        port: where the slot listens on this host's loopback.
        over: set when the slot is to end anyway.
    """
    with watched() as turned:
        while not over.is_set():
            if answers(port):
                turned()
            over.wait(ASK_SECONDS)


def answers(port: int) -> bool:
    """Whether whoever listens there answers at all, and in time."""
    with closing(HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_SECONDS)) as connection:
        try:
            connection.request("GET", "/healthz")
            connection.getresponse()
        except (OSError, HTTPException):
            return False
    return True
