"""Whether both slots can be read: a slot that says nothing must not pass for a healthy one."""

from collections.abc import Iterator

from monitoring.apis import value
from monitoring.errors import UnansweredError

SLOTS = ("blue", "green")


def unread(prometheus_url: str) -> Iterator[str]:
    """What cannot be read just now, in words; nothing where both slots are."""
    try:
        for slot in SLOTS:
            up = value(prometheus_url, f'up{{job="recommender",slot="{slot}"}}')
            if up is None:
                yield f"there are no metrics of recommender-{slot}"
            elif not up:
                yield f"the metrics of recommender-{slot} cannot be read"
    except UnansweredError as error:
        yield f"whether the slots are well is unknown: {error}"
