from hypothesis import given
from hypothesis import strategies as st

from ci.release.history import Promotion, deployed_after
from ci.release.plan import DeploymentState, Placement
from ci.slots.state import Slot

V1, V2, V3 = (
    Placement(slot, version)
    for slot, version in [(Slot.BLUE, "v1"), (Slot.GREEN, "v2"), (Slot.BLUE, "v3")]
)


def released(*placements: Placement) -> list[Promotion]:
    return [Promotion("release", placement) for placement in placements]


def test_before_the_first_release_nothing_is_live():
    assert deployed_after([]) == DeploymentState()


def test_the_last_release_is_live_and_the_one_before_is_what_a_rollback_returns_to():
    assert deployed_after(released(V1, V2, V3)) == DeploymentState(V3, V2)


def test_after_a_rollback_the_next_one_goes_to_the_version_before():
    history = [*released(V1, V2, V3), Promotion("rollback", V2)]
    assert deployed_after(history) == DeploymentState(V2, V1)


def test_what_was_left_by_a_rollback_is_nothing_to_return_to():
    history = [*released(V1, V2), Promotion("rollback", V1)]
    assert deployed_after(history) == DeploymentState(V1)


def test_a_history_whose_beginning_is_not_known_still_says_what_is_live():
    assert deployed_after([Promotion("rollback", V2)]) == DeploymentState(V2)


def test_other_code_is_nothing_that_a_rollback_of_the_model_returns_to():
    other_code = Placement(V2.slot.other, V2.version)
    history = [*released(V1, V2), Promotion("code release", other_code)]
    assert deployed_after(history) == DeploymentState(other_code, Placement(Slot.GREEN, "v1"))
    history.append(Promotion("code rollback", V2))
    assert deployed_after(history) == DeploymentState(V2, V1)


@given(st.lists(st.sampled_from(["release", "rollback", "code release"]), min_size=1, max_size=30))
def test_live_and_previous_are_always_in_different_slots(actions):
    history: list[Promotion] = []
    for number, action in enumerate(actions):
        before = deployed_after(history)
        if action == "rollback" and before.previous:
            history.append(Promotion("rollback", before.previous))
        elif action == "code release" and before.live:
            other_code = Placement(before.live.slot.other, before.live.version)
            history.append(Promotion(action, other_code))
        else:
            slot = before.live.slot.other if before.live else Slot.BLUE
            history.append(Promotion("release", Placement(slot, f"v{number}")))
        after = deployed_after(history)
        assert after.live == history[-1].live
        assert after.previous is None or after.previous.slot is not after.live.slot
