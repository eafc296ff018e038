"""What the READMEs tell people to type, and what of that no test types."""

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
INLINE = re.compile(r"(?<!`)`((?:docker|SELECT|python -m) [^`\n]+)`(?!`)")
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

ALERTED = {
    "{{ $labels.name }}": "slack",
    "{{ $labels.owner }}": "ingest",
    "{{ $labels.service }}": "ingest",
    "{{ $labels.slot }}": "blue",
    "{{ $labels.worker }}": "retention",
}
"""What an alert fills into the command that it tells people to type."""

INLINE_NOT_TYPED = {
    "docker compose restart postgres": "test_9_lost_secrets.py restarts PostgreSQL",
    "docker compose run --rm -T secrets set kafka < password-file": (
        "test_8_secure_broker.py gives a broker of its own its password"
    ),
    "docker compose run --rm -T secrets set slack < FILE": "its code block is typed with a file",
    "docker compose run --rm -T secrets set slack < file": "its code block is typed with a file",
    "docker compose run --rm ingest python -m ingest accept-loss 'why'": (
        "nothing was lost; test_ingest.py has what was"
    ),
    "docker compose run --rm ingest python -m ingest accept-truncation 'why'": (
        "no log went back; test_ingest_truncation.py and make drill have one that did"
    ),
    "python -m monitoring dashboards monitoring/grafana/dashboards": (
        "it needs the tests' image; test_dashboards.py holds the files against what it writes"
    ),
    "python -m tests.benchmarks.trainer_scale measure 10000000": "it takes ten minutes",
    "python -m tests.benchmarks.trainer_sparse rare rated crowd": "it takes half an hour",
}
"""Commands in sentences and tables that test_9_shown_commands.py does not type, and why."""


def shown_commands() -> dict[str, list[str]]:
    """Each command that a code block shows, without its comment, and the documents that do."""
    shown: dict[str, list[str]] = {}
    for path in DOCUMENTS:
        for command in commands_of(path.read_text()):
            shown.setdefault(command, []).append(str(path.relative_to(CHECKOUT)))
    return shown


def inline_commands() -> set[str]:
    """Each command in the documents' sentences and tables, as an alert would fill it in."""
    return {
        filled(command)
        for path in DOCUMENTS
        for command in INLINE.findall(FENCED.sub("", path.read_text()).replace("\\|", "|"))
    }


def filled(command: str) -> str:
    """A command with what an alert would fill in."""
    for label, value in ALERTED.items():
        command = command.replace(label, value)
    return command


def commands_of(text: str) -> Iterator[str]:
    """The lines of a document's code blocks; a block with arrows or boxes is a drawing."""
    for block in FENCED.findall(text):
        if not DRAWN & set(block):
            lines = block.replace("\\\n", " ").splitlines()
            yield from (command for line in lines if (command := COMMENT.sub("", line).strip()))
