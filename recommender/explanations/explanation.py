"""Why an answer was what it was: from a receipt to the model, its data and its code.

What a receipt does not hold is worked out again: from the version's own files, and from the
rows that had landed by the time of the answer. What is gone by now is said to be gone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from math import nan
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import psycopg
from psycopg.rows import namedtuple_row
from psycopg.types.json import Jsonb

from recommender.activity.recent import Recent
from recommender.answers.ranking import highest_scored, history, items_of
from recommender.answers.team_draft import LETTERS
from recommender.errors import NoReceiptError
from recommender.slot import offsets_trained_on
from trainer.errors import VersionError
from trainer.versions.contents import ModelVersion, UserRecord
from trainer.versions.item_models.item_model import Items, Ratings, Scores
from trainer.versions.reader import read_version

NEAR_ITS_TIME = timedelta(minutes=1)
"""A receipt's id tells its time; a receipt is looked for there, not in every partition."""
CAUSES_TOLD = 3
PERSONAL = ("model", "fold_in")
"""Reasons of lists that were ranked for the user."""

RECEIPT = """
SELECT * FROM receipt WHERE receipt_id = %(id)s AND time BETWEEN %(from)s AND %(to)s
"""
MANIFEST = "SELECT manifest FROM model_version WHERE version = %s"
DONE_SINCE = files("recommender.explanations").joinpath("done_since.sql").read_bytes()


@dataclass(frozen=True)
class Cause:
    """What one of the user's own movies did to the score of a recommended one."""

    movie_id: str
    rating: float
    """As the user gave it; NaN: watched, not rated."""
    contribution: float
    """To the score, on the model's own scale."""


@dataclass(frozen=True)
class Recommended:
    """One movie of the answer, and why it is there."""

    movie_id: str
    score: float | None
    """What the model makes of it for this user; None where it cannot be told any more."""
    causes: Sequence[Cause] = ()
    """The user's movies that spoke for it the most, strongest first."""
    others: float = 0.0
    """What all other movies of the user's contributed."""
    note: str = ""
    """Why it is there, where none of the user's movies led to it."""


@dataclass(frozen=True)
class LeftOut:
    """A movie that would have been in the answer, and why it is not."""

    movie_id: str
    why: str


@dataclass(frozen=True)
class Explanation:
    """All that can be told of an answer."""

    receipt: Mapping[str, Any]
    """The row of the table `receipt`, by column."""
    manifest: Mapping[str, Any] | None
    """Of the model version, as it was published; None if no record of it is left."""
    recommended: Sequence[Recommended]
    left_out: Sequence[LeftOut] = ()
    exact: str = ""
    """How far the contributions can be taken at their word."""
    gone: Sequence[str] = ()
    """What cannot be told any more, and why."""


def explain(connection: psycopg.Connection, receipt_id: UUID, versions: Path) -> Explanation:
    """Find out what can be found out about an answer.

    Args:
        connection: to PostgreSQL, as the role `recommender`.
        receipt_id: names the answer.
        versions: the directory that holds all model versions.

    Raises:
        NoReceiptError: there is no such receipt, or it is gone by its time to live.
    """
    receipt = find_receipt(connection, receipt_id)
    parts = [_explain_part(connection, part, versions) for part in parts_of(receipt)]
    return put_together(receipt, parts)


def parts_of(receipt: dict[str, Any]) -> list[dict[str, Any]]:
    """The receipt by version: of an interleaved list, the challenger's own movies are a part."""
    if not receipt["interleaved_with"]:
        return [receipt]
    drafted = list(zip(receipt["movie_ids"], receipt["origins"], strict=True))
    of_challenger = LETTERS["challenger"]
    control = [movie for movie, letter in drafted if letter != of_challenger]
    challenger = [movie for movie, letter in drafted if letter == of_challenger]
    theirs = {"model_version": receipt["interleaved_with"], "movie_ids": challenger}
    return [receipt | {"movie_ids": control}, *([receipt | theirs] if challenger else [])]


def put_together(receipt: Mapping[str, Any], parts: Sequence[Explanation]) -> Explanation:
    """One explanation of all parts, each movie as its own version has it."""
    if len(parts) == 1:
        return replace(parts[0], receipt=receipt)
    by_movie = {movie.movie_id: movie for part in parts for movie in part.recommended}
    return Explanation(
        receipt,
        parts[0].manifest,
        [by_movie[movie] for movie in receipt["movie_ids"]],
        list(dict.fromkeys(left for part in parts for left in part.left_out)),
        "; ".join(dict.fromkeys(part.exact for part in parts if part.exact)),
        list(dict.fromkeys(gone for part in parts for gone in part.gone)),
    )


def _explain_part(
    connection: psycopg.Connection, receipt: Mapping[str, Any], versions: Path
) -> Explanation:
    row = connection.execute(MANIFEST, (receipt["model_version"],)).fetchone()
    manifest = None if row is None else row[0]
    gone = [] if manifest else [f"no record of version {receipt['model_version']} is left"]
    try:
        model = read_version(versions / receipt["model_version"])
    except VersionError as error:
        gone.append(f"{error}: which movies led to which cannot be told")
        listed = [Recommended(movie, None) for movie in receipt["movie_ids"]]
        return Explanation(receipt, manifest, listed, gone=gone)
    trained_on = offsets_trained_on(model)
    recent = done_since(connection, receipt["user_id"], trained_on, receipt["time"])
    return explain_by_model(receipt, manifest, model, recent, gone)


def find_receipt(connection: psycopg.Connection, receipt_id: UUID) -> dict[str, Any]:
    """The row of a receipt, column by column.

    Raises:
        NoReceiptError: there is none.
    """
    told = told_time(receipt_id)
    near = {"id": receipt_id, "from": told - NEAR_ITS_TIME, "to": told + NEAR_ITS_TIME}
    row = connection.cursor(row_factory=namedtuple_row).execute(RECEIPT, near).fetchone()
    if row is None:
        raise NoReceiptError(
            f"there is no receipt {receipt_id}: it would be of {told:%Y-%m-%d %H:%M:%S} UTC; it may"
            " have passed its time to live, or wait in the slot's spool"
        )
    return dict(row._asdict())


def told_time(receipt_id: UUID) -> datetime:
    """The time in a UUIDv7, UTC: its first 48 bits are milliseconds since 1970 (RFC 9562).

    Raises:
        NoReceiptError: it is another kind of UUID.
    """
    if receipt_id.version != 7:  # noqa: PLR2004 -- the version that RFC 9562 gives to time-ordered ids
        raise NoReceiptError(f"{receipt_id} is no receipt's id: those are UUIDs of version 7")
    return datetime.fromtimestamp((receipt_id.int >> 80) / 1000, UTC)


def done_since(
    connection: psycopg.Connection, user_id: int, trained_on: Mapping[int, int], time: datetime
) -> Recent:
    """What the user did after the model's data end and before the answer, the latest last.

    Args:
        connection: to PostgreSQL, as the role `recommender`.
        user_id: who was answered.
        trained_on: for each partition, the first offset that is not in the model's data.
        time: of the answer.
    """
    asked = {"user_id": user_id, "trained_on": Jsonb(trained_on), "time": time}
    return dict(connection.execute(DONE_SINCE, asked).fetchall())


def explain_by_model(
    receipt: Mapping[str, Any],
    manifest: Mapping[str, Any] | None,
    model: ModelVersion,
    recent: Recent,
    gone: Sequence[str] = (),
) -> Explanation:
    """Work out what led to each movie, and which better-placed movies were left out."""
    user = model.user(receipt["user_id"])
    if user.ratings is None:
        gone = [*gone, "this version did not keep the ratings it was trained on"]
    known = own_ratings(user, model, recent)
    own = own_ratings(user, model, {}) if receipt["reason"] == "model" else known
    led = led_to(model, own, receipt["movie_ids"])
    scores = _scores(model, own)
    recommended = [_recommended(movie, model, own, led, scores) for movie in receipt["movie_ids"]]
    ranking = _ranking(receipt["reason"], model, scores)
    left = left_out(receipt["movie_ids"], model, ranking, known, user)
    exactness = model.contents.model.exactness
    if model.contents.held:
        exactness = f"of the evidence, before it is held towards what is popular; {exactness}"
    return Explanation(receipt, manifest, recommended, left, exactness, gone)


def own_ratings(user: UserRecord, model: ModelVersion, recent: Recent) -> dict[int, float]:
    """What the user had rated by item index, NaN where only watched: at training and since."""
    at_training = dict.fromkeys(user.seen.tolist(), nan)
    return at_training | history(user, items_of(model, recent))


def _ranking(reason: str, model: ModelVersion, scores: Scores) -> list[int]:
    """Every item, as it would be ranked if the user might be shown what they know."""
    ranking = (
        highest_scored(model, scores, len(model.movies)) if reason in PERSONAL else model.popular
    )
    items: list[int] = ranking.tolist()
    return items


def left_out(
    movie_ids: Sequence[str],
    model: ModelVersion,
    ranking: Sequence[int],
    known: Mapping[int, float],
    user: UserRecord,
) -> list[LeftOut]:
    """Movies that stood before the last of the answer, but that the user knew by then."""
    at_training, missing = set(user.seen.tolist()), set(movie_ids)
    left = []
    for item in ranking:
        movie = model.movies[item]
        missing.discard(movie)
        if not missing:
            break
        if item in known:
            why = "known at training" if item in at_training else "rated or watched since"
            left.append(LeftOut(movie, why))
    return left


def _scores(model: ModelVersion, own: Mapping[int, float]) -> Scores:
    return model.fold_in(*_as_arrays(own))


def _as_arrays(own: Mapping[int, float]) -> tuple[Items, Ratings]:
    items = np.fromiter(own.keys(), np.int32, len(own))
    return items, np.fromiter(own.values(), np.float32, len(own))


def led_to(
    model: ModelVersion, own: Mapping[int, float], movies: Sequence[str]
) -> dict[str, Scores]:
    """For each movie that the model knows, float32 [own]: what each of the user's own did to it."""
    known = [movie for movie in movies if movie in model.movie_index]
    targets = np.array([model.movie_index[movie] for movie in known], np.int32)
    items, ratings = _as_arrays(own)
    led = model.contents.model.contributions(items, ratings, targets)
    return dict(zip(known, led.T, strict=True))


def _recommended(
    movie: str,
    model: ModelVersion,
    own: Mapping[int, float],
    led: Mapping[str, Scores],
    scores: Scores,
) -> Recommended:
    if movie not in led:
        return Recommended(movie, None, note="the model does not know it")
    contributions, owned = led[movie], list(own.items())
    order = np.argsort(-contributions, kind="stable")[:CAUSES_TOLD]
    causes = [
        Cause(model.movies[owned[row][0]], owned[row][1], float(contributions[row]))
        for row in order.tolist()
        if contributions[row] > 0
    ]
    others = float(contributions.sum()) - sum(cause.contribution for cause in causes)
    note = "" if causes else "none of the user's movies spoke for it: it fills the list up"
    return Recommended(movie, float(scores[model.movie_index[movie]]), causes, others, note)
