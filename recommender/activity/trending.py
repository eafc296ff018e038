"""Which movies are trending: each meeting of a user and a movie counts less as it ages."""

from collections.abc import Sequence
from datetime import datetime

from trainer.versions.sources import ENOUGH_PEOPLE, HALF_LIFE

LONGEST_LIST = 200
MOVIES_COUNTED = 100_000
"""Far more than a catalogue has; only damaged movie ids could be so many."""


class Trending:
    """Counts by movie, as of a fixed time: forward decay, so that old counts need no touching.

    One thread counts; any thread reads `movies`, which is replaced and never changed.
    """

    def __init__(self, begun: datetime) -> None:
        self._begun = begun
        self._counts: dict[str, float] = {}
        self.movies: Sequence[str] = ()
        """Movie ids, most popular first, as of the last `refresh`."""

    def count(self, movie_id: str, at: datetime) -> None:
        """Somebody met this movie who had not met it before."""
        weight = 2.0 ** ((at - self._begun) / HALF_LIFE)
        self._counts[movie_id] = self._counts.get(movie_id, 0.0) + weight
        if len(self._counts) > MOVIES_COUNTED:
            self._keep_the_larger_half()

    def refresh(self, now: datetime) -> None:
        """List the movies that enough people met, where a meeting halves with each `HALF_LIFE`."""
        enough = ENOUGH_PEOPLE * 2.0 ** ((now - self._begun) / HALF_LIFE)
        popular = {movie: count for movie, count in self._counts.items() if count >= enough}
        self.movies = sorted(popular, key=popular.__getitem__, reverse=True)[:LONGEST_LIST]

    def _keep_the_larger_half(self) -> None:
        by_count = sorted(self._counts.items(), key=lambda each: each[1], reverse=True)
        self._counts = dict(by_count[: MOVIES_COUNTED // 2])
