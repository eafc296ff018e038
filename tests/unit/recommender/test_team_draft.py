"""One list of two: fair to both, and telling whose each movie is."""

from hypothesis import given
from hypothesis import strategies as st

from recommender.answers.team_draft import team_draft

MOVIES = st.lists(st.sampled_from("abcdefghijklmnopqrstuvwxyz"), unique=True, max_size=26)
COINS = st.integers(0, 2**32 - 1)
TURNED = {"control": "challenger", "challenger": "control", "both": "both"}


def test_each_round_both_pick_their_best_that_nobody_has_picked():
    control_first = team_draft("abc", "xby", 6, coins=0b000)
    assert list(control_first.items()) == [
        ("a", "control"),
        ("x", "challenger"),
        ("b", "both"),
        ("y", "challenger"),
        ("c", "control"),
    ]


def test_a_coin_says_who_picks_first_in_each_round():
    assert list(team_draft("abc", "xyz", 6, coins=0b101)) == ["x", "a", "b", "y", "z", "c"]


@given(MOVIES, MOVIES, st.integers(0, 20), COINS)
def test_the_list_has_movies_of_both_once_and_as_many_as_there_are(one, other, length, coins):
    drafted = team_draft(one, other, length, coins)
    assert len(drafted) == min(length, len({*one[:length], *other[:length]}))
    for movie, origin in drafted.items():
        found = movie in one[:length], movie in other[:length]
        assert found == {
            "control": (True, False),
            "challenger": (False, True),
            "both": (True, True),
        }[origin]  # fmt: skip


@given(MOVIES, COINS)
def test_a_version_against_itself_keeps_its_order_and_belongs_to_both(movies, coins):
    drafted = team_draft(movies, movies, 26, coins)
    assert list(drafted) == movies
    assert set(drafted.values()) <= {"both"}


@given(MOVIES, MOVIES, COINS)
def test_the_two_are_treated_alike(one, other, coins):
    """With the lists and all coins turned round, each movie is the other's."""
    found, turned = team_draft(one, other, 20, coins), team_draft(other, one, 20, ~coins)
    assert list(turned) == list(found)
    assert turned == {movie: TURNED[origin] for movie, origin in found.items()}


@given(st.permutations("abcdefghijklmnopqrst"), st.permutations("ABCDEFGHIJKLMNOPQRST"), COINS)
def test_after_each_round_both_have_as_many_movies(one, other, coins):
    whose = list(team_draft(one, other, 20, coins).values())
    for picks in range(2, 21, 2):
        assert whose[:picks].count("challenger") == picks / 2


@given(MOVIES, COINS)
def test_one_that_has_nothing_leaves_the_list_to_the_other(movies, coins):
    assert list(team_draft(movies, [], 26, coins)) == movies
    assert list(team_draft([], movies, 26, coins)) == movies
