"""Two versions' lists made into one, so that whoever reads it compares both; pure.

Two captains take turns: in each round a coin says who picks first, and each picks its best
movie that nobody has picked yet. When a movie is watched, its captain's version gets the
credit, so neither has an advantage but by its picks. A movie that is in both versions' lists
belongs to both: who got to pick it says nothing about them.

Source: Radlinski, Kurup and Joachims, How Does Clickthrough Data Reflect Retrieval Quality?,
CIKM 2008.
"""

from collections.abc import Hashable, Iterable, Sequence
from hashlib import blake2b
from typing import Literal

Origin = Literal["control", "challenger", "both"]
"""Which version would have shown a movie."""
LETTERS: dict[Origin, str] = {"control": "A", "challenger": "B", "both": "="}
"""How a receipt says it."""
COIN_BYTES = 16
"""A coin a bit: more than the rounds of a list of 100."""


def team_draft[Movie: Hashable](
    control: Sequence[Movie], challenger: Sequence[Movie], length: int, coins: int
) -> dict[Movie, Origin]:
    """The movies of one list of at most `length`, best first, and which version each is of.

    `coins` are the coins of all rounds, a bit each, the lowest first: 1 lets the challenger
    pick first. When one version has no movie left, the other fills the list.
    """
    in_both = set(control[:length]).intersection(challenger[:length])
    picks: dict[Movie, Origin] = {}
    captains: tuple[Origin, Origin] = ("control", "challenger")
    left = {"control": iter(control[:length]), "challenger": iter(challenger[:length])}
    before = -1
    while before < len(picks) < length:
        before = len(picks)
        for captain in reversed(captains) if coins & 1 else captains:
            best = next((movie for movie in left[captain] if movie not in picks), None)
            if best is not None and len(picks) < length:
                picks[best] = "both" if best in in_both else captain
        coins >>= 1
    return picks


def coins_of(receipt_id: bytes) -> int:
    """The coins of one answer to one person, by the id of its receipt: tossed again, the same."""
    return int.from_bytes(blake2b(receipt_id, digest_size=COIN_BYTES).digest())


def letters_of(origins: Iterable[Origin]) -> str:
    """Whose each movie of a list is, a letter each."""
    return "".join(LETTERS[origin] for origin in origins)
