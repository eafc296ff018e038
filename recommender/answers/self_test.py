"""Whether a model version answers as it must, asked before it answers anybody."""

from collections.abc import Iterator

import numpy as np

from recommender.activity.recent import Recent
from recommender.answers.ranking import answer
from recommender.errors import UnfitModelError
from trainer.versions.contents import ANSWER_LENGTH, ModelVersion

SAMPLE = 50
STRANGER = 0
"""No user has this id: a user id is 1 or more."""


def self_test(model: ModelVersion) -> None:
    """Answer some known users, a stranger, and a stranger with one rating.

    Raises:
        UnfitModelError: a list is too short, repeats itself, or holds a movie already seen.
    """
    for user_id, recent in _questions(model):
        movies = _answered(user_id, model, recent)
        seen = {model.movies[item] for item in model.user(user_id).seen} | recent.keys()
        if len(movies) < min(ANSWER_LENGTH, len(model.movies) - len(seen)):
            raise UnfitModelError(f"{model.name}: only {len(movies)} movies for user {user_id}")
        if len(set(movies)) < len(movies):
            raise UnfitModelError(f"{model.name}: a movie twice for user {user_id}")
        if repeated := seen.intersection(movies):
            raise UnfitModelError(f"{model.name}: user {user_id} has seen {min(repeated)}")


def _answered(user_id: int, model: ModelVersion, recent: Recent) -> list[str]:
    try:
        return answer(user_id, model, recent).movie_ids
    except Exception as error:  # whatever it is, a user must not be the first to meet it
        raise UnfitModelError(f"{model.name}: no answer for user {user_id}: {error!r}") from error


def _questions(model: ModelVersion) -> Iterator[tuple[int, Recent]]:
    users = model.contents.users
    for row in np.linspace(0, len(users) - 1, num=min(SAMPLE, len(users)), dtype=int):
        yield int(users[row]), {}
    yield STRANGER, {}
    yield STRANGER, dict.fromkeys(model.movies[:1], 1.0)
