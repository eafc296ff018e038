"""What fills up lists when the model has too little to say: kept current, replaced whole."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from recommender.activity.trending import Trending
from recommender.answers.demographics import DemographicGroup, People, lists_by_group, read_people
from recommender.answers.ranking import NO_FALLBACK, Fallback
from recommender.connection import KeptConnection
from trainer.versions.contents import ModelVersion

READ_PEOPLE_EVERY = timedelta(minutes=10)


class CurrentFallbacks:
    """One thread refreshes; the one that answers looks."""

    def __init__(self, trending: Trending, connection: KeptConnection) -> None:
        self._trending = trending
        self._connection = connection
        self._model: ModelVersion | None = None
        self._read_at: datetime | None = None
        self._current = Directory({}, {}, ())

    def of(self, user_id: int) -> Fallback:
        """What fills up this user's list; the same object while nothing changed."""
        return self._current.of(user_id)

    def refresh(self, now: datetime, model: ModelVersion | None) -> None:
        """Take in what became popular, and now and then who is like whom.

        Raises:
            psycopg.Error: the people could not be read; what is popular was taken in.
        """
        self._trending.refresh(now)
        if self._trending.movies != self._current.trending:
            self._current = self._current.with_trending(self._trending.movies)
        if model is not None and self._is_due(now, model):
            people = read_people(self._connection.get())
            lists = lists_by_group(people, model)
            self._current = Directory(people, lists, self._trending.movies)
            self._model, self._read_at = model, now

    def _is_due(self, now: datetime, model: ModelVersion) -> bool:
        return (
            self._read_at is None
            or model is not self._model
            or now - self._read_at >= READ_PEOPLE_EVERY
        )


class Directory:
    """Who gets which fallback; never changed, only replaced."""

    def __init__(
        self,
        people: People,
        lists: Mapping[DemographicGroup, Sequence[str]],
        trending: Sequence[str],
    ) -> None:
        self.trending = trending
        self._people = people
        self._lists = lists
        self._of_nobody = Fallback(trending=trending) if trending else NO_FALLBACK
        self._fallbacks = tuple(Fallback(lists[kind], trending) for kind in people)
        self._users, self._places = _sorted_users(people)

    def of(self, user_id: int) -> Fallback:
        """By what is known of the user."""
        place = int(np.searchsorted(self._users, user_id))
        if place < len(self._users) and self._users[place] == user_id:
            return self._fallbacks[int(self._places[place])]
        return self._of_nobody

    def with_trending(self, trending: Sequence[str]) -> "Directory":
        """The same people, and other movies that are trending."""
        return Directory(self._people, self._lists, trending)


def _sorted_users(people: People) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """int64 [users], ascending, and int32 [users]: the place of each one's kind."""
    users = np.concatenate([*people.values(), np.empty(0, np.int64)])
    places = np.repeat(np.arange(len(people), dtype=np.int32), [len(p) for p in people.values()])
    order = np.argsort(users)
    return users[order], places[order]
