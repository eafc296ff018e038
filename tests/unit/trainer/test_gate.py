from dataclasses import replace

import numpy as np
import pytest
from scipy.sparse import csr_array

from trainer.selection.gate import (
    Comparison,
    Cost,
    GateDecision,
    LeakingModel,
    Rules,
    ShuffledModel,
    checked,
    decide,
    within,
)

RULES = Rules(minimum_users=30, tolerance=0.1)
USERS = 200


def random():
    return np.random.default_rng(7)


def ndcg(mean, users=USERS):
    return np.clip(random().normal(mean, 0.05, size=users), 0, 1)


def comparison(candidate, popularity=0.1, live=None, users=USERS):
    return Comparison(
        ndcg(candidate, users),
        ndcg(popularity, users),
        None if live is None else ndcg(live, users),
        decoys=random().uniform(size=1_000),
        coverage=0.5,
    )


def ask(*means, **more):
    return decide(comparison(*means, **more), RULES, random())


def test_better_than_popularity_and_than_live_is_accepted():
    verdict = ask(0.3, popularity=0.1, live=0.2)
    assert verdict.accepted
    assert "better than popularity and not worse than the live model" in verdict.reason


@pytest.mark.parametrize("live", [None, 0.1])
def test_popularity_itself_is_accepted_and_it_is_said(live):
    verdict = ask(0.1, popularity=0.1, live=live)
    assert verdict.accepted
    assert "as good as popularity, than which nothing is better" in verdict.reason


def unlike(mean):
    """So many judged people's gains: their mean, and noise as large as five of it."""
    noise = random().normal(0, 1, size=USERS)
    return mean + 0.02 * (noise - noise.mean())


@pytest.mark.parametrize("live", [None, 0.1])
def test_what_is_worse_than_popularity_by_a_hair_is_accepted(live):
    popularity = ndcg(0.1)
    by_a_hair = replace(
        comparison(0.1, live=live), candidate=popularity + unlike(-0.001), popularity=popularity
    )
    verdict = decide(by_a_hair, RULES, random())
    assert verdict.accepted
    assert "no worse than popularity beyond noise" in verdict.reason


@pytest.mark.parametrize("live", [None, 0.1])
def test_what_is_worse_than_popularity_beyond_noise_is_refused(live):
    popularity = ndcg(0.1)
    worse = replace(
        comparison(0.1, live=live), candidate=popularity + unlike(-0.009), popularity=popularity
    )
    assert decide(worse, RULES, random()).reason.startswith("worse than popularity: NDCG@20 -0.009")


def test_worse_than_live_is_refused():
    verdict = ask(0.2, popularity=0.1, live=0.3)
    assert not verdict.accepted
    assert "may be worse than the live model" in verdict.reason


def test_as_good_as_live_is_accepted():
    assert ask(0.2, popularity=0.1, live=0.2).accepted


@pytest.mark.parametrize("users", [0, 1, 29])
def test_too_few_users_are_neither_pass_nor_fail(users):
    verdict = ask(0.9, popularity=0.1, users=users)
    assert not verdict.accepted
    assert verdict.reason == (
        f"too little to judge by: {users} users have a liked movie held out, and 30 are needed"
    )


def test_an_uncertain_comparison_with_live_is_refused():
    even, odd = np.array([0.9, 0.1] * 20), np.array([0.1, 0.9] * 20)
    unsure = replace(comparison(0.3), candidate=even, popularity=np.zeros(40), live=odd)
    assert "may be worse" in decide(unsure, RULES, random()).reason


GOOD = GateDecision(accepted=True, reason="fine")
BAD = GateDecision(accepted=False, reason="worse")


def test_a_gate_that_accepts_shuffled_movies_refuses_everything():
    verdict = checked(GOOD, on_shuffled=GOOD, on_leaking=BAD)
    assert not verdict.accepted
    assert "accepts shuffled movies" in verdict.reason


def test_a_gate_that_accepts_a_leaking_model_refuses_everything():
    verdict = checked(GOOD, on_shuffled=BAD, on_leaking=GOOD)
    assert not verdict.accepted
    assert "accepts a leaking model" in verdict.reason


def test_a_gate_that_refuses_both_is_believed():
    assert checked(GOOD, on_shuffled=BAD, on_leaking=BAD) == GOOD


def test_who_ranks_planted_movies_high_has_seen_what_was_held_out():
    knowing = replace(comparison(0.9, live=0.2), decoys=np.full(200, 0.1))
    assert "it has seen what was held out" in decide(knowing, RULES, random()).reason


def test_lists_that_show_too_little_of_the_catalogue_are_refused():
    narrow = replace(comparison(0.3, live=0.2), coverage=0.001)
    assert "show 0.10% of the movies" in decide(narrow, RULES, random()).reason


def test_fresher_popularity_is_accepted_though_it_shows_everybody_the_same_few_movies():
    narrow = replace(comparison(0.1, popularity=0.1, live=0.1), coverage=0.001)
    assert decide(narrow, RULES, random()).accepted


def test_unusual_data_is_refused():
    alarmed = replace(comparison(0.3, live=0.2), alarms=["half is gone"])
    assert decide(alarmed, RULES, random()).reason == "the data is not as usual: half is gone"


@pytest.mark.parametrize(
    ("cost", "reason"),
    [(Cost(2_000, 1), "it takes 2,000 MiB"), (Cost(1, 500), "a new user takes 500 ms")],
)
def test_a_version_beyond_its_budget_is_refused(cost, reason):
    assert within(cost, RULES, GOOD).reason.startswith(reason)


def test_a_version_within_its_budget_keeps_its_verdict():
    assert within(Cost(10, 3), RULES, GOOD) == GOOD
    assert within(Cost(2_000, 3), RULES, BAD) == BAD


class Model:
    item_model = None

    def score(self, rows):
        return np.tile(np.array([0.1, 0.2, 0.3], np.float32), (len(rows), 1))


def test_a_shuffled_model_gives_each_movie_the_score_of_another():
    shuffled = ShuffledModel(Model(), np.array([2, 0, 1]))
    assert shuffled.score(np.array([0], np.int32)).tolist() == [pytest.approx([0.3, 0.1, 0.2])]


def test_a_leaking_model_puts_what_is_held_out_first():
    leaking = LeakingModel(Model(), csr_array(np.array([[1, 0, 0]], np.float32)))
    assert leaking.score(np.array([0], np.int32)).argmax() == 0
