"""Knows every movie and user met in the stream, and asks the metadata API about them.

The API is optional and rate limited: one run asks a bounded number of questions, about
those never asked about first.
"""

import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from http.client import HTTPException
from importlib.resources import files
from itertools import accumulate
from typing import Any

import psycopg

from ingest.catalogue.metadata import (
    MovieDescription,
    UserDescription,
    by_id,
    movie_description,
    user_description,
)
from ingest.checkpoint import OffsetRange, walk
from ingest.errors import MetadataError, TooManyIdsError

DISCOVER = files("ingest.catalogue").joinpath("discover.sql").read_bytes()
IDS_AT_ONCE = 200
QUESTIONS_A_RUN = 20
SECONDS_BETWEEN_QUESTIONS = 0.2
TIMEOUT_SECONDS = 5
LONGEST_QUESTION = 4_000
"""Bytes of ids in one question: with the rest of its line, half of what most servers take."""
MOST_ANSWER_BYTES = 8 * 2**20
NOT_FOUND, TOO_LONG = 404, 414

type Ask = Callable[[str], object]
"""Asks the API for a path below its root; the answer, as JSON was read."""


def discover(connection: psycopg.Connection) -> None:
    """Add the movies and users in what landed since the last time, each line looked at once."""

    def add(landed: OffsetRange) -> None:
        connection.execute(DISCOVER, asdict(landed))

    walk(connection, "catalogue_progress", add)


def ask_api(root: str) -> Ask:
    """Ask the API at this address."""

    def ask(path: str) -> object:
        try:
            with urllib.request.urlopen(  # noqa: S310 -- the address is the operator's setting
                f"{root}/{path}", timeout=TIMEOUT_SECONDS
            ) as answer:
                return read_json(answer.read(MOST_ANSWER_BYTES + 1))
        except urllib.error.HTTPError as error:
            error.close()
            if error.code == NOT_FOUND:
                return None
            refused = TooManyIdsError if error.code == TOO_LONG else MetadataError
            raise refused(f"{path[:100]}: {error}") from error
        except (OSError, ValueError, HTTPException) as error:
            raise MetadataError(f"{path[:100]}: {error}") from error

    return ask


def read_json(text: bytes) -> object:
    """What an answer says.

    Raises:
        ValueError: it is no JSON, too long, or nested too deeply to be an answer.
    """
    if len(text) > MOST_ANSWER_BYTES:
        raise ValueError(f"more than {MOST_ANSWER_BYTES:,} bytes were answered")
    try:
        return json.loads(text)
    except RecursionError as error:
        raise ValueError("the answer is nested too deeply") from error


@dataclass(frozen=True)
class Resource:
    """One resource of thing the API knows, and where it is kept here."""

    path: str
    id_field: str
    unasked: str
    write: str
    read: Callable[[Mapping[str, Any]], MovieDescription | UserDescription]


RESOURCES = (
    Resource(
        "movie",
        "id",
        "SELECT movie_id FROM movie WHERE described_at IS NULL ORDER BY first_seen, movie_id"
        " LIMIT %s",
        "UPDATE movie SET title = %(title)s, release_date = %(release_date)s,"
        " runtime = %(runtime)s, genres = %(genres)s, described_at = %(now)s"
        " WHERE movie_id = %(id)s",
        movie_description,
    ),
    Resource(
        "user",
        "user_id",
        "SELECT user_id::text FROM app_user WHERE described_at IS NULL ORDER BY first_seen,"
        " app_user.user_id LIMIT %s",
        "UPDATE app_user SET age = %(age)s, gender = %(gender)s, occupation = %(occupation)s,"
        " described_at = %(now)s WHERE user_id = %(id)s::bigint",
        user_description,
    ),
)


def describe(connection: psycopg.Connection, ask: Ask, now: datetime) -> None:
    """Ask about movies and users that were never asked about, the longest known first.

    Raises:
        MetadataError: the API is away or answers no JSON; what was learnt before is kept.
    """
    for resource in RESOURCES:
        _describe_all(connection, resource, ask, now)


def _describe_all(
    connection: psycopg.Connection, resource: Resource, ask: Ask, now: datetime
) -> None:
    at_once = IDS_AT_ONCE
    for _ in range(QUESTIONS_A_RUN):
        unasked = connection.execute(resource.unasked, (at_once,)).fetchall()
        ids = fitting([row[0] for row in unasked])
        if not ids:
            return
        # a pause inside PostgreSQL ends when the connection is told to cancel
        connection.execute("SELECT pg_sleep(%s)", (SECONDS_BETWEEN_QUESTIONS,))
        try:
            answer = ask(f"{resource.path}/{quoted(ids)}")
        except TooManyIdsError:
            answer = None  # of one id alone it knows nothing: its address does not get shorter
            at_once = max(1, len(ids) // 2)
        else:
            if len(ids) > 1 and not isinstance(answer, list):
                at_once = 1  # an older API, which takes one id at a time
        if len(ids) == 1 or isinstance(answer, list):
            _write(connection, resource, ids, answer, now)


def fitting(ids: Sequence[str]) -> Sequence[str]:
    """As many of the first ids as one question holds; one in any case."""
    lengths = accumulate(len(quoted([one])) + 1 for one in ids)
    return ids[: max(1, sum(length <= LONGEST_QUESTION for length in lengths))]


def quoted(ids: Sequence[str]) -> str:
    """Ids as they stand in a question."""
    return urllib.parse.quote(",".join(ids), safe="+,")


def _write(
    connection: psycopg.Connection,
    resource: Resource,
    ids: Sequence[str],
    answer: object,
    now: datetime,
) -> None:
    said = by_id(answer, resource.id_field)
    rows = [asdict(resource.read(said.get(one, {}))) | {"id": one, "now": now} for one in ids]
    with connection.transaction(), connection.cursor() as cursor:
        cursor.executemany(resource.write, rows)
