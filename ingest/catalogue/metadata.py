"""Reads the answers of the metadata API, however a deployment happens to write them. Pure.

Numbers may come as strings, null as "null", an empty collection as {}. What cannot be read
is unknown (None).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

SMALLEST_INT, LARGEST_INT = -(2**31), 2**31 - 1
OLDEST = 150
NOT_STORABLE = re.compile("[\0\ud800-\udfff]")
"""What JSON can hold and PostgreSQL cannot: a zero, and halves of a character that stand alone."""
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


@dataclass(frozen=True)
class MovieDescription:
    """What the API says of a movie; runtime in minutes."""

    title: str | None
    release_date: date | None
    runtime: int | None
    genres: list[str] | None


@dataclass(frozen=True)
class UserDescription:
    """What the API says of a user; age in years."""

    age: int | None
    gender: str | None
    occupation: str | None


def by_id(answer: object, id_field: str) -> dict[str, Mapping[str, Any]]:
    """The objects of an answer by their ids, whether it holds one, a list, or `not found`."""
    found = answer if isinstance(answer, list) else [answer]
    objects = [one for one in found if isinstance(one, dict) and id_field in one]
    return {str(one[id_field]): one for one in objects}


def movie_description(answer: Mapping[str, Any]) -> MovieDescription:
    """Read what was said of a movie."""
    return MovieDescription(
        title=_text(answer.get("title")),
        release_date=_date(answer.get("release_date")),
        runtime=_whole(answer.get("runtime"), 0, LARGEST_INT),
        genres=_names(answer.get("genres")),
    )


def user_description(answer: Mapping[str, Any]) -> UserDescription:
    """Read what was said of a user."""
    return UserDescription(
        age=_whole(answer.get("age"), 0, OLDEST),
        gender=_text(answer.get("gender")),
        occupation=_text(answer.get("occupation")),
    )


def _text(value: object) -> str | None:
    if not isinstance(value, str) or value in ("", "null"):
        return None
    return NOT_STORABLE.sub(REPLACEMENT, value)


def _whole(value: object, lowest: int, highest: int) -> int | None:
    try:
        number = int(float(str(value)))
    except (ValueError, OverflowError):
        return None
    return number if lowest <= number <= highest else None


def _date(value: object) -> date | None:
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        return None


def _names(value: object) -> list[str] | None:
    """Genres are `["drama"]` or `[{"name": "drama"}]`."""
    if not isinstance(value, list):
        return None
    names = (_text(one.get("name") if isinstance(one, dict) else one) for one in value)
    return [name for name in names if name]
