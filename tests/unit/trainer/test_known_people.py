"""How those are judged whom the model was fitted to, by how much is known of them."""

import numpy as np

from trainer.algorithms.ease import Ease
from trainer.data.interactions import Liked, Scale
from trainer.data.split import split_each_user
from trainer.evaluation.metrics import judge_ranking
from trainer.selection import known_people
from trainer.selection.known_people import judge_known_people
from trainer.selection.trials import Recipe

SCALE = Scale(1, 5)
EASE = Recipe("ease", Ease().candidates(SCALE)[0])


def test_everybody_on_the_test_part_is_judged_once_by_what_is_known_of_them(interactions):
    split = split_each_user(interactions, SCALE.liked)
    ranking = judge_ranking(EASE.fit(split.training), split, SCALE.liked)
    found = judge_known_people(EASE, ranking, split, SCALE.liked)
    assert sum(map(len, found.values())) == len(ranking.rows)
    done = np.diff(split.training.indptr)[ranking.rows]
    assert {number: len(each) for number, each in found.items()} == {10: int((done >= 10).sum())}
    assert found[10].gain("model", ["popular"]).low > 0


def test_where_nobody_is_on_the_test_part_nobody_is_judged(interactions):
    split = split_each_user(interactions, liked=Liked(6))
    ranking = judge_ranking(EASE.fit(split.training), split, Liked(6))
    assert judge_known_people(EASE, ranking, split, Liked(6)) == {}


def test_of_many_who_did_as_much_some_are_drawn(interactions, monkeypatch):
    monkeypatch.setattr(known_people, "ASKED", 7)
    split = split_each_user(interactions, SCALE.liked)
    ranking = judge_ranking(EASE.fit(split.training), split, SCALE.liked)
    found = judge_known_people(EASE, ranking, split, SCALE.liked)
    assert [len(each) for each in found.values()] == [7]
