"""Which buckets of people an experiment tries its challenger on: a random subset, drawn once.

A person's bucket is a constant hash of their id (nginx/buckets.conf, and `bucket_of` in SQL).
It is the draw that makes an experiment random, so two experiments are independent when their
draws are, and no salt has to reach Nginx.
"""

from enum import StrEnum
from hashlib import sha256

BUCKETS = 1000


class ExperimentKind(StrEnum):
    """What people in the challenger's buckets get; all others get what is live."""

    AB = "ab"
    """The challenger's lists."""
    INTERLEAVING = "interleaving"
    """Lists that are drafted from both versions' lists."""

    @property
    def against(self) -> str:
        """What stands between challenger and control in an experiment's name."""
        return "interleaved with" if self is ExperimentKind.INTERLEAVING else "against"


def draw_order(salt: str, seed: int) -> tuple[int, ...]:
    """All buckets in the order in which a growing share of the challenger's takes them.

    The order depends on salt and seed alone, so it can be drawn again from their record, and
    whoever is with the challenger stays there while the share grows.
    """
    return tuple(sorted(range(BUCKETS), key=lambda bucket: _lot(salt, seed, bucket)))


def challenger_buckets(salt: str, seed: int, share: int) -> frozenset[int]:
    """The buckets (0 to 999) that get the challenger at this share of 1,000.

    Raises:
        ValueError: at this share one of the two has nobody.
    """
    if not 0 < share < BUCKETS:
        raise ValueError(f"a share is 1 to {BUCKETS - 1} of {BUCKETS}, not {share}")
    return frozenset(draw_order(salt, seed)[:share])


def _lot(salt: str, seed: int, bucket: int) -> bytes:
    return sha256(f"{salt}/{seed}/{bucket}".encode()).digest()
