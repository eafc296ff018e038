import numpy as np
import pytest

from trainer.gate import Evidence, Rules, ShuffledModel, Verdict, checked, judge

RULES = Rules(minimum_users=30, tolerance=0.1)
USERS = 200


def random():
    return np.random.default_rng(7)


def ndcg(mean, users=USERS):
    return np.clip(random().normal(mean, 0.05, size=users), 0, 1)


def ask(candidate, popularity=0.1, live=None, users=USERS):
    evidence = Evidence(
        ndcg(candidate, users), ndcg(popularity, users), None if live is None else ndcg(live, users)
    )
    return judge(evidence, RULES, random())


def test_better_than_popularity_and_than_live_is_accepted():
    verdict = ask(0.3, popularity=0.1, live=0.2)
    assert verdict.accepted
    assert "better than popularity and not worse than the live model" in verdict.reason


def test_no_better_than_popularity_is_refused():
    verdict = ask(0.1, popularity=0.1, live=0.1)
    assert verdict == Verdict(
        accepted=False, reason="not better than popularity: NDCG@20 +0.0000 (+0.0000 to +0.0000)"
    )


def test_worse_than_live_is_refused():
    verdict = ask(0.2, popularity=0.1, live=0.3)
    assert not verdict.accepted
    assert "may be worse than the live model" in verdict.reason


def test_as_good_as_live_is_accepted():
    assert ask(0.2, popularity=0.1, live=0.2).accepted


def test_a_first_version_as_good_as_popularity_is_accepted():
    assert ask(0.1, popularity=0.1).accepted


def test_a_first_version_worse_than_popularity_is_refused():
    assert not ask(0.05, popularity=0.1).accepted


@pytest.mark.parametrize("users", [0, 1, 29])
def test_too_few_users_are_neither_pass_nor_fail(users):
    verdict = ask(0.9, popularity=0.1, users=users)
    assert not verdict.accepted
    assert verdict.reason == (
        f"too little to judge by: {users} users have a liked movie held out, and 30 are needed"
    )


def test_an_uncertain_comparison_with_live_is_refused():
    even, odd = np.array([0.9, 0.1] * 20), np.array([0.1, 0.9] * 20)
    evidence = Evidence(candidate=even, popularity=np.zeros(40), live=odd)
    assert "may be worse" in judge(evidence, RULES, random()).reason


def test_a_gate_that_accepts_shuffled_movies_refuses_everything():
    good = Verdict(accepted=True, reason="fine")
    verdict = checked(good, on_shuffled=good)
    assert not verdict.accepted
    assert "accepts shuffled movies" in verdict.reason


def test_a_gate_that_refuses_shuffled_movies_is_believed():
    good = Verdict(accepted=True, reason="fine")
    assert checked(good, on_shuffled=Verdict(accepted=False, reason="worse")) == good


class Model:
    item_model = None

    def score(self, rows):
        return np.tile(np.array([0.1, 0.2, 0.3], np.float32), (len(rows), 1))


def test_a_shuffled_model_gives_each_movie_the_score_of_another():
    shuffled = ShuffledModel(Model(), np.array([2, 0, 1]))
    assert shuffled.score(np.array([0], np.int32)).tolist() == [pytest.approx([0.3, 0.1, 0.2])]
