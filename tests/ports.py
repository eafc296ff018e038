"""Ports for servers that tests start themselves."""

import random
import socket
from contextlib import suppress

NOT_EPHEMERAL = range(20_000, 32_000)
"""Where no kernel takes the near end of a connection from: it could be any that seems free."""


def free_port() -> int:
    """A port of the loopback that nobody listens on now."""
    while True:
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", random.choice(NOT_EPHEMERAL)))
            return int(probe.getsockname()[1])
