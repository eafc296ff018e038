"""Turns the MovieLens set into what a stream would carry: slugs, recent times, a part kept back."""

import csv
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from importlib.resources.abc import Traversable
from itertools import groupby
from typing import NamedTuple

HISTORY = timedelta(days=90)
HELD_OUT_SHARE = 0.2

_YEAR_AT_END = re.compile(r"\((?P<year>\d{4})(?:[-\u2013]\d{0,4})?\)$")
_ALTERNATE_TITLE = re.compile(r"\s*\([^)]*\)")
_ARTICLE_AT_END = re.compile(
    r"^(?P<rest>.*), "
    r"(?P<article>the|a|an|la|le|les|l'|lo|los|las|el|il|i|un|une|das|der|die|den|det)$"
)
_NOT_IN_A_SLUG = re.compile(r"[^a-z0-9.*_+\- ]")


class Movie(NamedTuple):
    """A movie under its MovieLens number and under the slug that the stream calls it by."""

    number: int
    slug: str
    title: str
    year: int | None
    genres: tuple[str, ...]


class Rating(NamedTuple):
    """Stars (0.5 to 5 by halves) that a user gave a movie, and when (seconds since 1970, UTC).

    The movie is named by its place in what `read_movies` returns, counted from 0.
    """

    user_id: int
    movie: int
    stars: float
    timestamp: int


def read_movies(folder: Traversable) -> list[Movie]:
    """Read movies.csv, in the order of MovieLens numbers, each slug once.

    Raises:
        OSError: the file cannot be read.
    """
    rows = sorted(_rows(folder / "movies.csv"), key=lambda row: int(row["movieId"]))
    taken: Counter[str] = Counter()
    return [_movie(row, taken) for row in rows]


def read_ratings(folder: Traversable, movies: Sequence[Movie]) -> list[Rating]:
    """Read ratings.csv, ordered by time, then user, then movie.

    Raises:
        OSError: the file cannot be read.
    """
    place = {movie.number: place for place, movie in enumerate(movies)}
    ratings = [
        Rating(
            int(row["userId"]),
            place[int(row["movieId"])],
            float(row["rating"]),
            int(row["timestamp"]),
        )
        for row in _rows(folder / "ratings.csv")
    ]
    return sorted(ratings, key=lambda rating: (rating.timestamp, rating.user_id, rating.movie))


def slug(title: str) -> str:
    """A movie's stream id: ASCII, lower case, `+` for spaces, no comma, the year at the end.

    The article that MovieLens moves behind a comma goes back to the front, and alternative
    titles in parentheses are left out, as real streams have it: `the+godfather+1972`.
    """
    name, year = _name_and_year(title)
    article_first = _ARTICLE_AT_END.sub(r"\g<article> \g<rest>", name.casefold())
    letters = unicodedata.normalize("NFKD", article_first).encode("ascii", "ignore").decode()
    words = _NOT_IN_A_SLUG.sub("", letters).split()
    return "+".join([*words, *([year] if year else [])])


def split_by_user(ratings: Iterable[Rating]) -> tuple[list[Rating], list[Rating]]:
    """Part the ratings into those that are sent and those held out; both keep their order.

    Held out are the latest max(1, floor(0.2 n)) of each user's n, by (timestamp, movie).
    """
    ratings = list(ratings)
    by_user = sorted(ratings, key=lambda rating: (rating.user_id, rating.timestamp, rating.movie))
    held_out: set[Rating] = set()
    for _, group in groupby(by_user, key=lambda rating: rating.user_id):
        rows = list(group)
        held_out.update(rows[-max(1, int(HELD_OUT_SHARE * len(rows))) :])
    return [r for r in ratings if r not in held_out], [r for r in ratings if r in held_out]


def recent_times(timestamps: Sequence[int], now: datetime) -> list[datetime]:
    """Map ascending timestamps into the 90 days before `now`, strictly ascending.

    The first becomes `now` less 90 days, the last almost `now`. Equal seconds, of which the set
    has many, become microseconds apart, so that their order survives the way through the stream.
    """
    first, last = timestamps[0], timestamps[-1]
    longest_tie = max(Counter(timestamps).values())
    longest, span = HISTORY - timedelta(microseconds=longest_tie), max(1, last - first)
    return [
        now - HISTORY + longest * ((timestamp - first) / span) + timedelta(microseconds=place)
        for timestamp, group in groupby(timestamps)
        for place, _ in enumerate(group)
    ]


def _rows(file: Traversable) -> Iterator[dict[str, str]]:
    yield from csv.DictReader(file.read_text(encoding="utf-8").splitlines())


def _movie(row: dict[str, str], taken: Counter[str]) -> Movie:
    number, title = int(row["movieId"]), row["title"].strip()
    name = slug(title)
    taken[name] += 1
    year = _name_and_year(title)[1]
    return Movie(
        number,
        name if taken[name] == 1 else f"{name}+{number}",
        title,
        int(year) if year else None,
        tuple(genre for genre in row["genres"].split("|") if genre != "(no genres listed)"),
    )


def _name_and_year(title: str) -> tuple[str, str | None]:
    year = _YEAR_AT_END.search(title)
    name = (title[: year.start()] if year else title).strip()
    return _ALTERNATE_TITLE.sub("", name).strip() or name, year["year"] if year else None
