import numpy as np
import pytest

from trainer.data.interactions import Interactions

TASTES = 4


def people_with_tastes(users=120, movies=60, seed=1):
    """Each likes the movies of one taste out of four, and met a few of the others."""
    random = np.random.default_rng(seed)
    rows = []
    for user in range(users):
        own = random.permutation(np.arange(user % TASTES, movies, TASTES))[:10]
        met = random.permutation(np.union1d(own, random.permutation(movies)[:8]))
        rows.extend((user, movie, 5 if movie % TASTES == user % TASTES else 2) for movie in met)
    user_ids, codes, ratings = np.array(rows).T
    return Interactions.assemble(
        user_ids * 10,
        [f"movie+{code:02}+1999" for code in range(movies)],
        codes.astype(np.int32),
        ratings.astype(np.float32),
        np.arange(len(rows)),
    )


@pytest.fixture(scope="session")
def interactions():
    return people_with_tastes()
