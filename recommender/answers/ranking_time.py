"""How much of a slot's time ranking may take, in all and for one caller.

A list that is kept ready takes microseconds to answer with, one that has to be ranked tens of
milliseconds, and both wait in one queue. So that those who are quickly answered need not wait
for many who are not, ranking has a share of the time, and each caller a share of that: whoever
comes when it is used up gets a list that needs none.
"""

from collections import OrderedDict
from collections.abc import Callable

SHARE_OF_ALL = 0.8
SHARE_OF_A_CALLER = 0.4
AT_ONCE_SECONDS = 0.1
"""What may be spent beyond a share before it has to be made up for."""
CALLERS_KEPT = 10_000
"""The longest quiet are forgotten first: what they spent has leaked away."""


class LeakyBucket:
    """Time that was spent, of which a share of the time that passes leaks away.

    J. S. Turner, "New Directions in Communications (or Which Way to the Information Age?)",
    IEEE Communications Magazine, 1986.
    """

    def __init__(self, share: float) -> None:
        self._share = share
        self._spent = 0.0
        self._at = 0.0

    def has_room(self, now: float) -> bool:
        """Whether more may be spent at this time, in seconds."""
        return self._level(now) < AT_ONCE_SECONDS

    def spend(self, seconds: float, now: float) -> None:
        """Add what was spent until now."""
        self._spent, self._at = self._level(now) + seconds, now

    def _level(self, now: float) -> float:
        return max(0.0, self._spent - self._share * (now - self._at))


class RankingTime:
    """The shares of all and of each caller; used by the one thread that answers."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """`clock` tells seconds and only goes forward."""
        self.clock = clock
        self._of_all = LeakyBucket(SHARE_OF_ALL)
        self._of_callers: OrderedDict[str, LeakyBucket] = OrderedDict()

    def has_room(self, caller: str) -> bool:
        """Whether a list may be ranked for this caller; an unknown one is held to no share."""
        now = self.clock()
        if not self._of_all.has_room(now):
            return False
        bucket = self._of_callers.get(caller)
        return bucket is None or bucket.has_room(now)

    def spend_since(self, started: float, caller: str) -> None:
        """Add what ranking for this caller took, begun at `started` by the clock."""
        now = self.clock()
        self._of_all.spend(now - started, now)
        if caller:
            bucket = self._of_callers.setdefault(caller, LeakyBucket(SHARE_OF_A_CALLER))
            bucket.spend(now - started, now)
            self._of_callers.move_to_end(caller)
            if len(self._of_callers) > CALLERS_KEPT:
                self._of_callers.popitem(last=False)
