"""How far a training is, for whoever waits for it."""

from collections.abc import Callable

Tell = Callable[[str, float], None]
"""Is given a line for people and the share of the training that is done."""


class Progress:
    """Counts the steps of a training and tells each as it is done."""

    def __init__(self, steps: int, tell: Tell) -> None:
        self._steps = steps
        self._tell = tell
        self._done = 0

    def step(self, message: str) -> None:
        """One step more is done, and this is what came of it."""
        self._done = min(self._done + 1, self._steps)
        self._tell(message, self._done / self._steps)


def seconds_left(done: float, passed: float) -> float:
    """What is left of a training of which a share is done, if its steps are alike."""
    return passed * (1 - done) / done if done else 0.0
