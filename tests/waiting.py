"""How tests wait: for what will be so, no longer than they say, and what is done meanwhile."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread


def eventually(
    holds: Callable[[], object],
    seconds: float = 60.0,
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


@contextmanager
def meanwhile(work: Callable[[Event], None]) -> Iterator[None]:
    """Have something done in a thread beside a block, at whose end what it is given is set."""
    over = Event()
    thread = Thread(target=work, args=(over,))
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
