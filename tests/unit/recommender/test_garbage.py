import gc
import weakref
from collections.abc import Iterator

import pytest

from recommender.garbage import set_aside_what_stays


class Node:
    """Something that can be part of a cycle."""

    def __init__(self) -> None:
        self.other: Node | None = None


@pytest.fixture(autouse=True)
def _unfrozen() -> Iterator[None]:
    """Other tests meet a collector as they know it."""
    yield
    gc.unfreeze()


def test_what_stays_is_not_walked_by_the_next_collection() -> None:
    kept = [[number] for number in range(50_000)]

    set_aside_what_stays()

    walked = gc.get_objects()
    assert len(walked) < len(kept) / 10


def test_what_was_set_aside_is_freed_when_it_goes() -> None:
    kept = Node()
    gone = weakref.ref(kept)
    set_aside_what_stays()

    del kept

    assert gone() is None


def test_a_new_cycle_is_freed() -> None:
    one, two = Node(), Node()
    one.other, two.other = two, one
    gone = weakref.ref(one)

    del one, two
    set_aside_what_stays()

    assert gone() is None
