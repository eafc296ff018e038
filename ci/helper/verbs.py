"""What the helper can be asked for. A fixed list: whoever asks can say nothing beside the name."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Verb:
    """One thing that the helper does."""

    command: tuple[str, ...]
    """Of this image's own scripts, never of the tree that was sent."""
    takes_tree: bool = False
    """Whether the caller sends a tree, which is built and then runs in containers alone."""
    results: tuple[str, ...] = ()
    """Files in `build` that the caller gets, where they came to be."""
    outlives_caller: bool = False
    """Whether it goes on to its end when nobody listens any more: half of it would hurt."""


SCREENSHOTS = (
    "screenshot-status-full-phone-light.png",
    "screenshot-status-full-phone-dark.png",
    "screenshot-status-full-desk-light.png",
    "screenshot-status-full-desk-dark.png",
)
"""What a browser drew of the status page."""

VERBS = {
    "lint": Verb(("tests/run.sh", "lint"), takes_tree=True),
    "test-unit": Verb(
        ("tests/run.sh", "unit"), takes_tree=True, results=("coverage.xml", "junit-unit.xml")
    ),
    "test-integration": Verb(
        ("tests/run.sh", "integration"),
        takes_tree=True,
        results=("junit-integration.xml", *SCREENSHOTS),
    ),
    "certificate": Verb(
        ("tests/run.sh", "certificate"), takes_tree=True, results=("certificate.json",)
    ),
    "images": Verb(("compose/images.sh",), takes_tree=True, results=("images.txt",)),
    "release-code": Verb(("compose/release_code.sh",), outlives_caller=True),
    "drill": Verb(
        ("env", "YES=1", "compose/drill.sh"), results=("drill.json",), outlives_caller=True
    ),
}
