"""The learning curve of what was chosen: how good it is, learned from some of the people, and all.

Parts of the people, each within the next, are learned from; the same people are judged each time
on validation, by folding in what is known of them. Where the curve still rises, more people of
the same kind would help; where it is flat, another recipe might.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trainer.data.interactions import Interactions, Liked
from trainer.data.split import Split, split_each_user
from trainer.errors import UnsuitableDataError
from trainer.evaluation.metrics import Figure, judge_ranking, judged_rows, mean_figure
from trainer.selection.choice import SEED, Selection
from trainer.selection.newcomers import FoldedIn
from trainer.selection.trials import Recipe

SHARES = (1 / 16, 1 / 4)
"""Of the people; all of them were learned from when the recipe was tried. Of MovieLens both take
1 to 4 s, 13 s where trees were chosen, beside other work."""
JUDGED = 1_000
"""People who are judged, at most."""
LARGEST = 250_000
"""Interactions; of more, the fits take longer than a picture is worth."""


@dataclass(frozen=True)
class Point:
    """One point of the curve."""

    interactions: int
    """That were learned from."""
    ndcg20: Figure


def learning_curve(selection: Selection, liked: Liked) -> list[Point]:
    """The points, the fewest interactions first; none of too many, or where nobody was judged.

    Args:
        selection: whose chosen recipe it is of, and what it was chosen on.
        liked: a held-out movie that was liked is relevant.
    """
    chosen = selection.trials[0]
    if not len(chosen.ndcg) or len(selection.split.training) > LARGEST:
        return []
    split = split_each_user(selection.split.training, liked)
    drawn = np.sort(_random().permutation(len(chosen.ndcg))[:JUDGED])
    rows = judged_rows(split, liked)[drawn]
    points = [_point(chosen.recipe, part, split, liked, rows) for part in _parts(split.training)]
    whole = Point(len(split.training), mean_figure(chosen.ndcg[drawn], _random()))
    return [*(point for point in points if point), whole]


def _parts(known: Interactions) -> list[Interactions]:
    """What each share of the people did."""
    order = _random().permutation(len(known.users)) / len(known.users)
    return [known.only(order[known.rows()] < share) for share in SHARES]


def _point(
    recipe: Recipe, part: Interactions, split: Split, liked: Liked, rows: NDArray[np.int32]
) -> Point | None:
    """None where the recipe can't be fitted to so little."""
    try:
        model = recipe.fit(part)
    except UnsuitableDataError:
        return None
    judged = judge_ranking(FoldedIn(model, split.training), split, liked, rows)
    return Point(len(part), mean_figure(judged.ndcg, _random()))


def _random() -> np.random.Generator:
    return np.random.default_rng(SEED)
