"""How tests wait: for what will be so, and no longer than they say."""

import time
from collections.abc import Callable


def eventually(
    holds: Callable[[], object],
    seconds: float = 20.0,
    what: str | Callable[[], object] = "it",
) -> None:
    """Wait until something holds; fail with `what` was awaited if it does not in time.

    Where `what` is called, it tells at the end what is still missing.
    """
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() >= deadline:
            raise AssertionError(f"not within {seconds} s: {what() if callable(what) else what}")
        time.sleep(0.05)
