"""When a training comes by itself."""

import pytest

from trainer.first_trainings import Landed, is_due


@pytest.mark.parametrize(
    ("before", "now", "due"),
    [
        (None, Landed(100, learnable=True), False),
        (Landed(100, learnable=False), Landed(100, learnable=False), False),
        (Landed(50, learnable=True), Landed(100, learnable=True), False),
        (Landed(100, learnable=True), Landed(100, learnable=True), True),
        (Landed(100, learnable=True), Landed(104, learnable=True), True),
    ],
    ids=["first look", "nothing to learn from", "pours in", "still", "trickles in"],
)
def test_the_first_comes_when_there_is_something_that_no_longer_pours_in(before, now, due):
    assert is_due(now, before, trained=None) == due


@pytest.mark.parametrize(("trained", "due"), [(100, False), (51, False), (50, True), (0, True)])
def test_another_comes_when_twice_as_much_has_landed(trained, due):
    landed = Landed(100, learnable=True)
    assert is_due(landed, landed, trained) == due
