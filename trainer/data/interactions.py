"""Who met which movie, when, and what they thought of it: what every algorithm learns from."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Self
from zlib import crc32

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from trainer.data.people import DemographicGroups


@dataclass(frozen=True)
class Liked:
    """What counts as a like: what a list is to find, and what trees learn to find."""

    rating: float
    """From this rating on."""
    viewings: bool = False
    """Whether what was watched and not rated counts, too; see `trainer.data.likes`."""

    def __call__(self, ratings: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Bool [interactions]: which are likes, by their ratings; NaN for a viewing."""
        likes: NDArray[np.bool_] = ratings >= self.rating
        return likes | np.isnan(ratings) if self.viewings else likes


@dataclass(frozen=True)
class Scale:
    """The stream's rating scale, and what ratings on it, and viewings without one, mean."""

    lowest: float
    highest: float
    viewings_liked: bool = False
    """Whether a viewing without a rating is a like."""

    @property
    def midpoint(self) -> float:
        """Above it a rating speaks for a movie: half of the highest (2.5 of 5, 5 of 10)."""
        return self.highest / 2

    @property
    def liked(self) -> Liked:
        """Movies worth recommending: rated four fifths of the highest (4 of 5) or better."""
        return Liked(self.highest * 0.8, self.viewings_liked)

    @property
    def watched_preference(self) -> float:
        """How much a viewing speaks for a movie, as a rating's distance above the midpoint.

        It speaks as 3.5 of 5 does; where viewings are likes, as the least of these.
        """
        if self.viewings_liked:
            return self.liked.rating - self.midpoint
        return 0.4 * (self.highest - self.midpoint)


@dataclass(frozen=True)
class Catalogue:
    """What is known of the movies themselves."""

    years: NDArray[np.int16]
    """int16 [movies]: the year of release; 0 where it is not known."""
    genres: NDArray[np.bool_]
    """bool [movies, genres]."""

    @classmethod
    def assemble(
        cls, movies: Sequence[str], described: Mapping[str, tuple[int | None, Sequence[str]]]
    ) -> Self:
        """Take year and genres of each movie, in their order, from a mapping by movie id."""
        known = [described.get(movie, (None, ())) for movie in movies]
        names = sorted({name for _, genres in known for name in genres})
        return cls(
            np.array([year or 0 for year, _ in known], np.int16),
            np.array([[name in genres for name in names] for _, genres in known], np.bool_).reshape(
                len(movies), len(names)
            ),
        )

    @classmethod
    def unknown(cls, movies: int) -> Self:
        """Nothing is known of any."""
        return cls(np.zeros(movies, np.int16), np.zeros((movies, 0), np.bool_))


@dataclass(frozen=True)
class Interactions:
    """A CSR matrix of users and movies; each user's row is in order of time.

    What somebody did at one instant is in an order as good as random, each user's own, which is
    the same in each training. By movie, the last of it, which is held out, would be a movie late
    in the alphabet, and whoever learns what comes after what would learn the alphabet.

    An interaction is a rating or, unrated, a viewing; there is one for each user and movie.
    Parts of a matrix (a split) keep the index maps of the whole.
    """

    users: NDArray[np.int64]
    """int64 [users]: user ids, ascending."""
    movies: tuple[str, ...]
    """Movie ids, ascending by code point."""
    indptr: NDArray[np.int64]
    """int64 [users + 1]: where each user's row starts."""
    items: NDArray[np.int32]
    """int32 [interactions]: index of the movie."""
    ratings: NDArray[np.float32]
    """float32 [interactions]: on the stream's scale; NaN where it was only watched."""
    times: NDArray[np.int64]
    """int64 [interactions]: microseconds since 1970, UTC."""
    described: Catalogue | None = None
    kinds: DemographicGroups | None = None
    """Of which kind the users are, where that was asked for."""

    @property
    def groups(self) -> DemographicGroups:
        """What is known of the users themselves, be it nothing."""
        return self.kinds or DemographicGroups.unknown(len(self.users))

    @property
    def catalogue(self) -> Catalogue:
        """What is known of the movies, be it nothing."""
        return self.described or Catalogue.unknown(len(self.movies))

    @classmethod
    def assemble(
        cls,
        user_ids: NDArray[np.int64],
        movies: Sequence[str],
        codes: NDArray[np.int32],
        ratings: NDArray[np.float32],
        times: NDArray[np.int64],
    ) -> Self:
        """Sort loose interactions into a matrix.

        Args:
            user_ids: int64 [interactions].
            movies: distinct movie ids, in any order.
            codes: int32 [interactions], each a place in `movies`.
            ratings: float32 [interactions], NaN where it was only watched.
            times: int64 [interactions], microseconds since 1970.
        """
        by_name = sorted(range(len(movies)), key=lambda code: movies[code])
        rank = np.empty(len(movies), np.int32)
        rank[by_name] = np.arange(len(movies), dtype=np.int32)
        items = rank[codes]
        names = np.array([crc32(movie.encode()) for movie in movies], np.uint64)
        order = np.argsort(user_ids, kind="stable")
        ascending = user_ids[order]
        first = np.concatenate([[True], ascending[1:] != ascending[:-1]])[: len(order)]
        indptr = np.append(np.flatnonzero(first), len(order)).astype(np.int64)
        for start, end in pairwise(_whole_users(indptr)):
            piece = order[start:end]
            at_once = _mixed(user_ids[piece], names[codes[piece]])
            order[start:end] = piece[
                np.lexsort((items[piece], at_once, times[piece], user_ids[piece]))
            ]
        return cls(
            ascending[first],
            tuple(movies[code] for code in by_name),
            indptr,
            items[order],
            ratings[order],
            times[order],
        )

    def __len__(self) -> int:
        return len(self.items)

    def rows(self) -> NDArray[np.int32]:
        """int32 [interactions]: the user's row of each interaction."""
        return np.repeat(np.arange(len(self.users), dtype=np.int32), np.diff(self.indptr))

    def only(self, kept: NDArray[np.bool_]) -> Self:
        """The interactions where `kept` (bool [interactions]), with the same index maps."""
        before = np.concatenate([[0], np.cumsum(kept)])
        return replace(
            self,
            indptr=before[self.indptr].astype(np.int64),
            items=self.items[kept],
            ratings=self.ratings[kept],
            times=self.times[kept],
        )

    def histories(
        self, rows: NDArray[np.int32]
    ) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float32]]:
        """Some users' interactions, oldest first.

        Args:
            rows: int32 [n].

        Returns:
            int64 [n + 1], where each user's start; int32 items and float32 ratings of all.
        """
        lengths = np.diff(self.indptr)[rows]
        indptr = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        places = np.arange(indptr[-1]) + np.repeat(self.indptr[rows] - indptr[:-1], lengths)
        return indptr, self.items[places], self.ratings[places]

    def matrix(self, values: NDArray[np.float32]) -> sparse.csr_array:
        """float32 [users, movies]: `values` (one for each interaction) in their places."""
        shape = (len(self.users), len(self.movies))
        return sparse.csr_array((values, self.items, self.indptr), shape=shape, copy=True)

    def counts(self) -> NDArray[np.int64]:
        """int64 [movies]: interactions of each movie."""
        return np.bincount(self.items, minlength=len(self.movies)).astype(np.int64)

    def popular(self) -> NDArray[np.int32]:
        """int32 [movies]: every movie, most interactions first, equal ones by index."""
        return np.argsort(-self.counts(), kind="stable").astype(np.int32)

    def hash(self) -> str:
        """sha256 of everything in it, whatever the machine's byte order."""
        digest = hashlib.sha256("\n".join(self.movies).encode())
        for array, kind in (
            (self.users, "<i8"),
            (self.indptr, "<i8"),
            (self.items, "<i4"),
            (self.ratings, "<f4"),
            (self.times, "<i8"),
        ):
            digest.update(np.ascontiguousarray(array, kind))
        digest.update(np.ascontiguousarray(self.catalogue.years, "<i2"))
        digest.update(np.packbits(self.catalogue.genres).tobytes())
        return digest.hexdigest()


SORTED_AT_ONCE = 1_000_000
"""Interactions; sorting a part at a time takes less memory, and reaches less far."""


def _mixed(users: NDArray[np.int64], names: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """uint64 [n]: a number for each user and movie, each bit of which depends on all of both.

    The finalizer of SplitMix64 (Steele, Lea and Flood, 2014), of what differs for each pair.
    """
    mixed = users.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) ^ names
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed = (mixed ^ mixed >> np.uint64(shift)) * np.uint64(factor)
    return mixed ^ mixed >> np.uint64(31)


def _whole_users(indptr: NDArray[np.int64]) -> list[int]:
    """Where to cut rows into parts of about `SORTED_AT_ONCE` interactions, ends included."""
    wanted = np.append(np.arange(0, indptr[-1], SORTED_AT_ONCE), indptr[-1])
    cuts: list[int] = np.unique(indptr[np.searchsorted(indptr, wanted)]).tolist()
    return cuts
