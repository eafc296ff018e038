"""How tests wait: for what will be so, and no longer than they say."""

import time
from collections.abc import Callable


def eventually(holds: Callable[[], object], seconds: float = 20.0, what: str = "it") -> None:
    """Wait until something holds; fail with `what` was awaited if it does not in time."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.05)
