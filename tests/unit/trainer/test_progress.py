import pytest

from trainer.progress import Progress, seconds_left


@pytest.mark.parametrize(("done", "passed", "left"), [(0.25, 10, 30), (1, 50, 0), (0, 5, 0)])
def test_time_left_goes_by_what_is_done(done, passed, left):
    assert seconds_left(done, passed) == left


def test_steps_never_go_beyond_the_end():
    shares = []
    progress = Progress(2, lambda _, done: shares.append(done))
    for _ in range(3):
        progress.step("on")
    assert shares == [0.5, 1, 1]
