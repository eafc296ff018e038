"""What each user rated or watched since the model was trained, held in bounded memory. No I/O."""

from collections import OrderedDict
from collections.abc import Mapping
from math import isnan
from types import MappingProxyType

Recent = Mapping[str, float]
"""What a user rated or watched since the model was trained: movie id to rating, NaN if unrated."""

NOTHING: Recent = MappingProxyType({})
MOVIES_A_USER = 500


class RecentActivity:
    """Recent activity by user, in bounded memory; one thread notes, any thread looks.

    A user's mapping is never changed, only replaced, so whoever looks sees a whole one; what
    was rated, or watched and never rated, last stands last.
    """

    def __init__(self, users_limit: int) -> None:
        self._users_limit = users_limit
        self._by_user: OrderedDict[int, Recent] = OrderedDict()

    def __len__(self) -> int:
        return len(self._by_user)

    def of(self, user_id: int) -> Recent:
        """Movie id to rating, NaN if only watched; empty for somebody who did nothing lately."""
        return self._by_user.get(user_id, NOTHING)

    def note(self, user_id: int, movie_id: str, rating: float) -> bool:
        """Add a rating, or a watched movie as NaN, which never hides a rating.

        Returns:
            Whether nothing was known of this user and this movie.
        """
        before = self._by_user.get(user_id, NOTHING)
        if movie_id not in before or not isnan(rating):
            recent = {movie: known for movie, known in before.items() if movie != movie_id}
            recent[movie_id] = rating
            if len(recent) > MOVIES_A_USER:
                del recent[next(iter(recent))]
            self._by_user[user_id] = recent
        self._by_user.move_to_end(user_id)
        if len(self._by_user) > self._users_limit:
            self._by_user.popitem(last=False)
        return movie_id not in before
