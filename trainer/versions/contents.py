"""What a model version holds: arrays by users and items, and what its model learned."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from trainer.versions.item_models.item_model import ItemModel, Items, Ratings, Scores
from trainer.versions.manifest import Manifest
from trainer.versions.popularity_prior import Held

LIST_LENGTH = 100
ANSWER_LENGTH = 20
PADDING = -1

ARRAY_NAMES = ("users", "popular", "top_items", "top_scores", "seen_indptr", "seen_indices")
RATINGS_NAME = "seen_ratings"
"""An array that the first versions did not have."""
POPULARITY_NAME = "popularity_scores"
"""An array that versions have whose scores are held towards it."""
LISTED_NAME = "listed"
"""An array that versions have in which not everybody has a list."""


@dataclass(frozen=True)
class TopLists:
    """The best items of users, computed ahead."""

    items: Items
    """int32 [lists, 100], best first; `PADDING` where there were fewer."""
    scores: Scores
    """float32 [lists, 100]."""

    def pieces(self) -> Iterator[Self]:
        """All of them at once, as they are there."""
        yield self


class Lists(Protocol):
    """Top lists, there or yet to be computed."""

    def pieces(self) -> Iterator[TopLists]:
        """All lists in their users' order, of some users at a time."""
        ...


@dataclass(frozen=True)
class SeenItems:
    """The items that each known user rated or watched, as the two index arrays of a CSR matrix."""

    indptr: NDArray[np.int64]
    """int64 [users + 1]."""
    indices: Items
    """int32 [interactions]."""
    ratings: Ratings | None = None
    """float32 [interactions], NaN where only watched; None in versions that did not keep them."""

    def arrays(self) -> dict[str, NDArray[Any]]:
        """What there is, by the name of its file without `.npy`."""
        kept = {} if self.ratings is None else {RATINGS_NAME: self.ratings}
        return {"seen_indptr": self.indptr, "seen_indices": self.indices, **kept}


@dataclass(frozen=True)
class Contents[Top: Lists = TopLists]:
    """What a version holds beside its manifest; its lists may be computed as they are written."""

    movies: Sequence[str]
    users: NDArray[np.int64]
    """int64 [users], ascending."""
    popular: Items
    """int32 [items]: every item, most popular first."""
    top: Top
    seen: SeenItems
    model: ItemModel
    held: Held | None = None
    """What its scores are held towards; None where they are the model's own."""
    listed: Items | None = None
    """int32 [lists], ascending: the rows of the users whose lists these are; None: everybody's."""

    @property
    def list_count(self) -> int:
        """How many users have a list."""
        return len(self.users) if self.listed is None else len(self.listed)

    def place_of_list(self, row: int) -> int | None:
        """Which of the lists is that of a user's row; None if they have none."""
        return row if self.listed is None else _place(self.listed, row)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Every array but the lists, by the name of its file without `.npy`."""
        return {
            "users": self.users,
            "popular": self.popular,
            **self.seen.arrays(),
            **self.model.arrays(),
            **({POPULARITY_NAME: self.held.popularity} if self.held else {}),
            **({} if self.listed is None else {LISTED_NAME: self.listed}),
        }

    def fold_in(self, items: Items, ratings: Ratings) -> Scores:
        """Score every item for somebody by what they rated; see `ItemModel.fold_in`."""
        scores = self.model.fold_in(items, ratings)
        return self.held(scores[None], self.model)[0] if self.held else scores


def _place(ascending: NDArray[Any], value: int) -> int | None:
    """Where a value stands; None if it is not there."""
    place = int(np.searchsorted(ascending, value))
    return place if place < len(ascending) and ascending[place] == value else None


class UserRecord(NamedTuple):
    """What a version holds of one user."""

    is_known: bool
    """Whether it was trained on them."""
    top_items: Items
    """int32 [n], at most 100: their list, best first."""
    top_scores: Scores
    """float32 [n]."""
    seen: Items
    """int32 [m]: what they had rated or watched at training."""
    ratings: Ratings | None
    """float32 [m], NaN where only watched; None in versions that did not keep them."""
    awaits_list: bool = False
    """Whether the model is asked for them, and has not computed their list yet."""


NO_LIST = np.empty(0, np.int32), np.empty(0, np.float32)
STRANGER = UserRecord(
    is_known=False,
    top_items=NO_LIST[0],
    top_scores=NO_LIST[1],
    seen=np.empty(0, np.int32),
    ratings=np.empty(0, np.float32),
)


@dataclass(frozen=True)
class ModelVersion:
    """A version that was read and found whole; its arrays are mapped, not loaded."""

    manifest: Manifest
    movies: tuple[str, ...]
    """The movie ids; an item index is a place in here."""
    contents: Contents

    @property
    def name(self) -> str:
        """The version's name."""
        return self.manifest.version

    @property
    def popular(self) -> Items:
        """int32 [items]: every item, most popular first."""
        return self.contents.popular

    @cached_property
    def movie_index(self) -> Mapping[str, int]:
        """Item index by movie id."""
        return {movie: index for index, movie in enumerate(self.movies)}

    def user(self, user_id: int) -> UserRecord:
        """What the version holds of a user; an empty record for somebody it was not trained on."""
        row = _place(self.contents.users, user_id)
        if row is None:
            return STRANGER
        seen, place = self.contents.seen, self.contents.place_of_list(row)
        known = slice(*seen.indptr[row : row + 2].tolist())
        done = max(1, known.stop - known.start)  # who is known did something
        asked = "model" in self.manifest.asked_after(done)
        items, scores = NO_LIST if place is None or not asked else self._list(place)
        return UserRecord(
            is_known=True,
            top_items=items,
            top_scores=scores,
            seen=seen.indices[known],
            ratings=None if seen.ratings is None else seen.ratings[known],
            awaits_list=asked and place is None,
        )

    def _list(self, place: int) -> tuple[Items, Scores]:
        """One of the lists, without its padding."""
        top = self.contents.top
        listed = top.items[place] != PADDING
        return top.items[place][listed], top.scores[place][listed]

    def fold_in(self, items: Items, ratings: Ratings) -> Scores:
        """Score every item for somebody by what they rated; see `ItemModel.fold_in`."""
        return self.contents.fold_in(np.asarray(items, np.int32), np.asarray(ratings, np.float32))
