"""What the READMEs' code blocks tell people to type, and what of that no test types."""

import re
from collections.abc import Iterator
from pathlib import Path

CHECKOUT = Path(__file__).parents[1]
DOCUMENTS = sorted(
    path
    for path in CHECKOUT.rglob("*.md")
    if not {"build", "node_modules", ".venv"} & set(path.relative_to(CHECKOUT).parts)
)
FENCED = re.compile(r"^```[a-z]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
DRAWN = frozenset("─│▶▲◀▼")
COMMENT = re.compile(r"\s+#\s.*")

NOT_RUN = {
    "git clone <this repository> marquee && cd marquee": (
        "make test clones the last commit under another name, and starts from there"
    ),
    "make reproduce VERSION=the-version-it-names": (
        "it fits the live version again, which takes as long as a training; its command is run"
        " on a version of their own by the trainer's integration tests"
    ),
    "git pull": "the checkout under test has nothing to pull",
    "git show the-commit-it-names": "the image that tests run in holds the files and no history",
    "make up BACKUP_DIRECTORY=/mnt/other/marquee": "this host has no other disk",
    (
        "make up SIMULATOR=off KAFKA_SERVERS=broker.example:9092 KAFKA_TOPIC=movielog24"
        " RATING_MAX=10"
    ): ("it would point the stack under test at a stream that is not there"),
    "make up JENKINS=on SCHEDULE=jenkins REPOSITORY_URL=https://<host>/<project>.git": (
        "Jenkins's image is in a registry only, which not every host reaches"
    ),
    "make restore FROM=/path/to/marquee-20260131-020000": (
        "it replaces the stack under test; its steps are run beside it by test_9_restore.py"
    ),
    "make prune DELETE=1": (
        "it would delete the build cache of whoever else builds here; test_9_prune.py runs it"
        " with a term that spares that"
    ),
}
"""Each with its reason; ten at most."""

RUN_ELSEWHERE = {
    "make up": ("tests/run/everything.sh", "make up"),
    "make retrain": ("tests/run/stack.sh", "make retrain release"),
    "make release": ("tests/run/stack.sh", "make retrain release"),
    "make rollback": ("tests/end_to_end/test_5_release.py", '("rollback",)'),
    "docker compose exec evaluation python -m monitoring gate VERSION": (
        "tests/integration/test_gate_command.py",
        '["gate", version]',
    ),
    "docker compose exec recommender-blue python -m recommender explain RECEIPT_ID": (
        "tests/end_to_end/test_7_following_an_answer.py",
        '("python", "-m", "recommender", "explain", str(receipt_id))',
    ),
}
"""Which file runs it, and in which words."""


def shown_commands() -> dict[str, list[str]]:
    """Each command that a code block shows, without its comment, and the documents that do."""
    shown: dict[str, list[str]] = {}
    for path in DOCUMENTS:
        for command in commands_of(path.read_text()):
            shown.setdefault(command, []).append(str(path.relative_to(CHECKOUT)))
    return shown


def commands_of(text: str) -> Iterator[str]:
    """The lines of a document's code blocks; a block with arrows or boxes is a drawing."""
    for block in FENCED.findall(text):
        if not DRAWN & set(block):
            lines = block.replace("\\\n", " ").splitlines()
            yield from (command for line in lines if (command := COMMENT.sub("", line).strip()))
