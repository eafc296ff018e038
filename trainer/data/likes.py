"""What counts as a like in a stream: decided once for each snapshot, by what there is of ratings.

A like is what a list is to find. A rating tells it best. In a stream in which nobody rates, or
next to nobody, ratings judge nobody: there, who watched a movie long enough for a viewing liked
it.
"""

from dataclasses import replace

import numpy as np

from trainer.data.interactions import Interactions, Liked, Scale

FEW = 100
"""Of so few people, a figure's interval is wider than algorithms are apart."""


def decide_likes(interactions: Interactions, scale: Scale) -> Scale:
    """The scale, with a viewing as a like where ratings are too few to judge anything by.

    That is where fewer than `FEW` people can be judged by their ratings, and more was watched
    without a rating than was rated.
    """
    watched = int(np.isnan(interactions.ratings).sum())
    by_ratings = people_to_judge_by(interactions, replace(scale, viewings_liked=False).liked)
    few = by_ratings < FEW and watched > len(interactions) - watched
    return replace(scale, viewings_liked=few)


def people_to_judge_by(interactions: Interactions, liked: Liked) -> int:
    """How many did two things or more and liked one."""
    lengths = np.diff(interactions.indptr)
    several = np.repeat(lengths > 1, lengths)
    likes = interactions.only(several & liked(interactions.ratings))
    return int((np.diff(likes.indptr) > 0).sum())
