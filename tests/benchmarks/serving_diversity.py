"""What more diversity costs: NDCG@20 on MovieLens small against how alike a list's movies are.

Each user's latest fifth is held out; lists are of the model that ranks best there with the
trainer's own first configuration. Movies are alike as far as they share genres (Jaccard).
"""

from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from compose.simulator.movielens import Movie, read_movies, read_ratings
from recommender.answers.diversity import rerank
from trainer.algorithms.registry import ALGORITHMS
from trainer.data.interactions import Interactions, Scale
from trainer.data.split import Split, split_each_user
from trainer.evaluation.top_lists import rank
from trainer.versions.contents import LIST_LENGTH, TopLists
from trainer.versions.item_models.item_model import ItemModel, Items

ALGORITHM = "recency_transitions"
STRENGTHS = (0.0, 0.25, 0.5, 0.75, 0.9)
SCALE = Scale(0.5, 5.0)
DEPTH = 20


def diversity() -> dict[str, tuple[float, str]]:
    """NDCG@20, genres shared within a list, and movies in all lists together, by strength."""
    movies = read_movies(files("compose.simulator") / "movielens")
    split = split_each_user(interactions(movies), SCALE.liked)
    algorithm = ALGORITHMS[ALGORITHM]
    fitted = algorithm.fit(split.training, algorithm.candidates(SCALE)[0])
    rows = np.arange(len(split.training.users), dtype=np.int32)
    pieces = [lists for _rows, lists in rank(fitted, split.training, rows, LIST_LENGTH)]
    genres = genre_matrix(movies, split.training.movies)
    figures: dict[str, tuple[float, str]] = {}
    for strength in STRENGTHS:
        lists = reranked(fitted.item_model, pieces, strength)
        name = f"diversity_{strength:g}"
        figures[f"{name}_ndcg20"] = (ndcg(lists, split), "")
        figures[f"{name}_genres_shared"] = (shared(lists, genres), "")
        figures[f"{name}_movies_listed"] = (len(np.unique(np.concatenate(lists))), "")
    return figures


def interactions(movies: list[Movie]) -> Interactions:
    """All ratings, as the trainer reads them."""
    ratings = read_ratings(files("compose.simulator") / "movielens", movies)
    users, codes, stars, times = (np.array(column) for column in zip(*ratings, strict=True))
    return Interactions.assemble(
        users,
        [movie.slug for movie in movies],
        codes.astype(np.int32),
        stars.astype(np.float32),
        times * 1_000_000,
    )


def reranked(model: ItemModel, pieces: list[TopLists], strength: float) -> list[Items]:
    """The first 20 of each user, reranked."""
    return [
        rerank(model, items[items >= 0], scores[items >= 0], strength, DEPTH)[0]
        for piece in pieces
        for items, scores in zip(piece.items, piece.scores, strict=True)
    ]


def ndcg(lists: list[Items], split: Split) -> float:
    """Binary, over the users who liked (4 or more) something that was held out."""
    liked = split.relevant(SCALE.liked)
    discounts = 1 / np.log2(np.arange(2, DEPTH + 2))
    gains = []
    for row, listed in enumerate(lists):
        wanted = liked.items[liked.indptr[row] : liked.indptr[row + 1]]
        if len(wanted):
            hits = np.isin(listed, wanted)
            gains.append(hits @ discounts[: len(hits)] / discounts[: len(wanted)].sum())
    return float(np.mean(gains))


def genre_matrix(movies: list[Movie], order: tuple[str, ...]) -> NDArray[np.bool_]:
    """bool [items, genres]."""
    by_slug = {movie.slug: movie.genres for movie in movies}
    names = sorted({genre for movie in movies for genre in movie.genres})
    return np.array([[name in by_slug[slug] for name in names] for slug in order])


def shared(lists: list[Items], genres: NDArray[np.bool_]) -> float:
    """The mean Jaccard similarity of two movies' genres in one list."""
    means = []
    for listed in lists:
        own = genres[listed].astype(np.float64)
        both = own @ own.T
        either = own.sum(axis=1)[:, None] + own.sum(axis=1) - both
        alike = both / np.maximum(either, 1)
        means.append(alike[np.triu_indices(len(listed), 1)].mean())
    return float(np.mean(means))
