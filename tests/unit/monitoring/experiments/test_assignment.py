"""Which buckets an experiment draws."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.experiments.assignment import BUCKETS, challenger_buckets, draw_order

SALTS, SEEDS, SHARES = st.text(max_size=20), st.integers(0, 2**63 - 1), st.integers(1, BUCKETS - 1)


@given(SALTS, SEEDS)
def test_a_draw_orders_every_bucket_once(salt, seed):
    assert sorted(draw_order(salt, seed)) == list(range(BUCKETS))


@given(SALTS, SEEDS, SHARES)
def test_the_same_salt_and_seed_draw_the_same_buckets(salt, seed, share):
    assert len(challenger_buckets(salt, seed, share)) == share
    assert challenger_buckets(salt, seed, share) == challenger_buckets(salt, seed, share)


@given(SALTS, SEEDS, SHARES, SHARES)
def test_whoever_is_with_the_challenger_stays_there_while_its_share_grows(salt, seed, one, two):
    small, large = sorted((one, two))
    assert challenger_buckets(salt, seed, small) <= challenger_buckets(salt, seed, large)


def test_a_draw_does_not_change_between_releases_of_this_code():
    assert draw_order("ease against als", 7)[:5] == (735, 397, 908, 44, 693)


def test_two_experiments_are_independent():
    """Of 400 and 300 buckets, 120 are in both on average, with a spread of 7.1."""
    common = [
        len(challenger_buckets("a", seed, 400) & challenger_buckets("b", seed, 300))
        for seed in range(200)
    ]
    assert abs(sum(common) / len(common) - 120) < 4 * 7.1 / 200**0.5
    assert max(abs(count - 120) for count in common) < 5 * 7.1


def test_each_bucket_is_drawn_equally_often():
    counts = [0] * BUCKETS
    for seed in range(400):
        for bucket in challenger_buckets("a", seed, 500):
            counts[bucket] += 1
    assert all(abs(count - 200) < 5 * 10 for count in counts)


@pytest.mark.parametrize("share", [-1, 0, 1000, 1001])
def test_a_share_that_leaves_an_arm_empty_is_refused(share):
    with pytest.raises(ValueError, match="1 to 999 of 1000"):
        challenger_buckets("a", 1, share)
