"""What each user rated or watched since the model was trained, held in bounded memory. No I/O.

What is known is in the order of the stream's time, and the same in whatever order it is noted:
partitions and tables are read one after the other, and after a restart far behind.
"""

from bisect import bisect
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from math import isnan
from types import MappingProxyType
from typing import NamedTuple

Recent = Mapping[str, float]
"""What a user rated or watched since the model was trained: movie id to rating, NaN if unrated."""

NOTHING: Recent = MappingProxyType({})
MOVIES_A_USER = 500
MOVIES_FOR_EACH_USER = 10
"""So many are kept for each user that may be kept, whosever they are; about 150 bytes each."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
HOUR = 3_600_000_000
PARTITION_BITS, OFFSET_BITS = 16, 40

type Moment = int
"""When something was done and where its line stands, in one number: the time in microseconds
since 1970, then the partition, then the offset. Later is greater."""


def moment(time: datetime, partition: int, offset: int) -> Moment:
    """The moment of a line."""
    microseconds = (time - EPOCH) // MICROSECOND
    return ((microseconds << PARTITION_BITS | partition) << OFFSET_BITS) | offset


def _is_before(ends: Mapping[int, int], when: Moment) -> bool:
    """Whether a line stands before the offset that ends its partition; 0 where none is told."""
    partition = (when >> OFFSET_BITS) & ((1 << PARTITION_BITS) - 1)
    return when & ((1 << OFFSET_BITS) - 1) < ends.get(partition, 0)


def _hour(when: Moment) -> int:
    return (when >> PARTITION_BITS + OFFSET_BITS) // HOUR


class Activity(NamedTuple):
    """One user's, in the order of time."""

    recent: Recent
    moments: tuple[Moment, ...]
    """Of each movie: when it was rated last, or else begun to be watched. Ascending."""


NO_ACTIVITY = Activity(NOTHING, ())


class RecentActivity:
    """Recent activity by user, in bounded memory; one thread notes, any thread looks.

    A user's mapping is never changed, only replaced, so whoever looks sees a whole one; what
    was rated, or watched and never rated, last stands last.
    """

    def __init__(self, users_limit: int) -> None:
        self._users_limit = users_limit
        self._by_user: dict[int, Activity] = {}
        self._users_by_hour: dict[int, dict[int, None]] = {}
        """Of their last activity."""
        self._movies = 0

    def __len__(self) -> int:
        return len(self._by_user)

    def of(self, user_id: int) -> Recent:
        """Movie id to rating, NaN if only watched; empty for somebody who did nothing lately."""
        return self._by_user.get(user_id, NO_ACTIVITY).recent

    def note(self, user_id: int, movie_id: str, rating: float, when: Moment) -> bool:
        """Add a rating, or a watched movie as NaN, which never hides a rating.

        Returns:
            Whether nothing was known of this user and this movie.
        """
        before = self._by_user.get(user_id, NO_ACTIVITY)
        is_new = movie_id not in before.recent
        if is_new or _counts_instead(rating, when, *_known(before, movie_id)):
            self._replace(user_id, before, _with(before, movie_id, rating, when))
            self._forget_longest_inactive()
        return is_new

    def forget(self, ends: Mapping[int, int]) -> None:
        """Forget what stands before these offsets, by partition: a model was trained on it."""
        for user_id, activity in list(self._by_user.items()):
            if any(_is_before(ends, when) for when in activity.moments):
                pairs = zip(activity.recent.items(), activity.moments, strict=True)
                left = [pair for pair in pairs if not _is_before(ends, pair[1])]
                recent = dict(movie for movie, _when in left)
                moments = tuple(when for _movie, when in left)
                self._replace(user_id, activity, Activity(recent, moments))

    def _replace(self, user_id: int, before: Activity, after: Activity) -> None:
        self._movies += len(after.moments) - len(before.moments)
        if before.moments:
            hour = _hour(before.moments[-1])
            del self._users_by_hour[hour][user_id]
            if not self._users_by_hour[hour]:
                del self._users_by_hour[hour]
        if after.moments:
            self._users_by_hour.setdefault(_hour(after.moments[-1]), {})[user_id] = None
            self._by_user[user_id] = after
        else:
            self._by_user.pop(user_id, None)

    def _forget_longest_inactive(self) -> None:
        """By the hour of their last activity."""
        while (
            len(self._by_user) > self._users_limit
            or self._movies > self._users_limit * MOVIES_FOR_EACH_USER
        ):
            user_id = next(iter(self._users_by_hour[min(self._users_by_hour)]))
            self._replace(user_id, self._by_user[user_id], NO_ACTIVITY)


def _known(activity: Activity, movie_id: str) -> tuple[float, Moment]:
    place = list(activity.recent).index(movie_id)
    return activity.recent[movie_id], activity.moments[place]


def _counts_instead(rating: float, when: Moment, known: float, known_when: Moment) -> bool:
    """Whether a rating counts instead of a known one: the last, or else the first watching."""
    if isnan(rating):
        return isnan(known) and when < known_when
    return isnan(known) or when > known_when


def _with(activity: Activity, movie_id: str, rating: float, when: Moment) -> Activity:
    """With this rating at its place, instead of one there may be; the oldest go if too many."""
    movies, moments = list(activity.recent.items()), list(activity.moments)
    if movie_id in activity.recent:
        place = list(activity.recent).index(movie_id)
        del movies[place], moments[place]
    place = bisect(moments, when)
    movies.insert(place, (movie_id, rating))
    moments.insert(place, when)
    return Activity(dict(movies[-MOVIES_A_USER:]), tuple(moments[-MOVIES_A_USER:]))
