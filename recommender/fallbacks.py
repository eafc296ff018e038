"""What fills up lists when the model has too little to say: kept current, replaced whole."""

from datetime import datetime

from recommender.lately import PopularLately
from recommender.ranking import NO_FALLBACK, Fallback


class CurrentFallbacks:
    """One thread refreshes; the one that answers looks."""

    def __init__(self, lately: PopularLately) -> None:
        self._lately = lately
        self._current = NO_FALLBACK

    def of(self, user_id: int) -> Fallback:
        """What fills up this user's list; the same object while nothing changed."""
        del user_id
        return self._current

    def refresh(self, now: datetime) -> None:
        """Take in what became popular."""
        self._lately.refresh(now)
        if self._lately.movies != self._current.lately:
            self._current = Fallback(lately=self._lately.movies)
