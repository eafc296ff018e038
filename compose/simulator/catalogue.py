# ruff: noqa: S311 -- seeded, so that facts stay the same; nothing here is secret
"""What the metadata API knows of movies and users: MovieLens's facts, the rest invented."""

from collections.abc import Mapping
from random import Random
from typing import Any

from compose.simulator.movielens import Movie

ODD_SHARE = 0.05
"""Share of the answers that come with the API's known oddities."""

_OCCUPATIONS = (
    "academic/educator",
    "artist",
    "clerical/admin",
    "college/grad student",
    "executive/managerial",
    "homemaker",
    "K-12 student",
    "programmer",
    "retired",
    "sales",
    "scientist",
    "technician/engineer",
    "unemployed",
    "writer",
)


def runtime(movie: Movie, seed: int) -> int:
    """A movie's length in minutes, always the same for one seed."""
    return round(min(max(Random(f"{seed} runtime {movie.number}").gauss(108, 18), 60), 210))


def describe_movie(movie: Movie, stars: list[float], seed: int) -> dict[str, Any]:
    """A TMDb-like object; its votes are the given stars, doubled to TMDb's scale of ten."""
    random = Random(f"{seed} movie {movie.number}")
    facts: dict[str, Any] = {
        "id": movie.slug,
        "title": movie.title,
        "original_language": "en",
        "adult": False,
        "belongs_to_collection": None,
        "genres": [{"id": _genre_id(genre), "name": genre} for genre in movie.genres],
        "release_date": f"{movie.year}-{random.randint(1, 12):02}-01" if movie.year else None,
        "runtime": runtime(movie, seed),
        "popularity": round(len(stars) ** 0.5 + random.random(), 6),
        "vote_average": round(2 * sum(stars) / len(stars), 1) if stars else 0,
        "vote_count": len(stars),
    }
    return _oddly_written(facts) if random.random() < ODD_SHARE else facts


def describe_user(user_id: int, seed: int) -> dict[str, Any]:
    """A user's invented age, occupation and gender, always the same for one seed."""
    random = Random(f"{seed} user {user_id}")
    facts: dict[str, Any] = {
        "user_id": user_id,
        "age": round(min(max(random.gauss(34, 11), 8), 90)),
        "occupation": random.choice(_OCCUPATIONS),
        "gender": random.choice("MF"),
    }
    return _oddly_written(facts) if random.random() < ODD_SHARE else facts


def _genre_id(genre: str) -> int:
    return sum(genre.encode())


def _oddly_written(facts: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _odd(value) for name, value in facts.items()}


def _odd(value: Any) -> Any:
    if value is None:
        return "null"
    if value == []:
        return {}
    return str(value) if isinstance(value, bool | int | float) else value
