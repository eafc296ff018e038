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
INLINE = re.compile(r"(?<!`)`((?:docker|SELECT|python -m|make|curl|tests/run\.sh) [^`\n]+)`(?!`)")
DRAWN = frozenset("─│▶▲◀▼")
ASSIGNED = re.compile(r"\s([A-Z_]+)=")
COMMENT = re.compile(r"\s+#\s.*")

NOT_RUN = {
    "make reproduce VERSION=the-version-it-names": (
        "it fits the live version again, which takes as long as a training; its command is run"
        " on a version of their own by the trainer's integration tests"
    ),
    (
        "make up SIMULATOR=off KAFKA_SERVERS=broker.example:9092 KAFKA_TOPIC=movielog24"
        " RATING_MAX=10"
    ): (
        "it would point the stack under test at a stream that is not there; test_shown_settings.py"
        " gives it to what make up reads"
    ),
    "make up JENKINS=on SCHEDULE=jenkins REPOSITORY_URL=https://<host>/<project>.git": (
        "Jenkins's image is in a registry only, which not every host reaches;"
        " test_shown_settings.py gives it to what make up reads"
    ),
    "make bench ONLY=": "three to six minutes for each part, and figures are for people to judge",
    "make drill": "two hours; it is run by hand",
    "make drill SOAK=2h": "two hours; it is run by hand",
    "make drill HOUR=60m": "an hour, or half of one; it is run by hand",
    "make lock": "it asks a package index for newer versions, and changes what is pinned",
    "make images TWICE=1": (
        "it builds all images from nothing; test_9_images.py compares two builds of one"
    ),
    "python -m tests.benchmarks.trainer_sparse rare rated crowd watched": "it takes half an hour",
}
"""What no test types, neither of code blocks nor of sentences, each with its reason; ten at most.

One stands for the same command with other values."""

RUN_ELSEWHERE = {
    "make up": ("tests/run/everything.sh", "make up"),
    "make up BACKUP_DIRECTORY=/mnt/other/marquee": (
        "tests/run/upgrade.sh",
        'make up STATUS_PORT="$STATUS_PORT" BACKUP_DIRECTORY="$BACKUP_DIRECTORY"',
    ),
    "make up BACKUP=skip": ("tests/unit/compose/test_way_back.py", "BACKUP=skip"),
    "make lint": ("ci/Jenkinsfile", "make lint"),
    "make test-unit": ("ci/Jenkinsfile", "make test-unit"),
    "make test-integration": ("ci/Jenkinsfile", "make test-integration"),
    "make images": ("ci/Jenkinsfile", "make images"),
    "make status WATCH=1": ("tests/end_to_end/test_9_terminal.py", "make status WATCH=1"),
    "make release-code": ("ci/Jenkinsfile", "make release-code"),
    "make release-code PLAN=1": (
        "tests/end_to_end/test_5_release.py",
        'stack.make("release-code", "PLAN=1")',
    ),
    'make test-unit ARGS="-k fold_in"': (
        "tests/end_to_end/test_9_the_pipelines.py",
        "ARGS=--collect-only --quiet",
    ),
    'make test-integration ARGS="tests/integration/test_release.py -x"': (
        "tests/end_to_end/test_9_the_pipelines.py",
        "ARGS=--collect-only --quiet",
    ),
    "make certificate SWAPS=100 REQUEST_RATE=300": (
        "tests/end_to_end/test_9_the_pipelines.py",
        '"SWAPS=1", "REQUEST_RATE=20"',
    ),
    "make retrain": ("tests/run/stack.sh", "make retrain release"),
    "make release": ("tests/run/stack.sh", "make retrain release"),
    "make release QUALITY=skip": ("tests/run/upgrade.sh", "make release QUALITY=skip"),
    "make release VERSION=name": ("tests/drill/experiments.py", '"release", f"VERSION={bad}"'),
    "make rollback": ("tests/end_to_end/test_5_release.py", '("rollback",)'),
    "make prune DELETE=1": (
        "tests/end_to_end/test_9_prune.py",
        'stack.make("prune", SPARE_THE_CACHE, "DELETE=1")',
    ),
    "make restore FROM=/path/to/marquee-20260131-020000": (
        "tests/end_to_end/second_stack.py",
        '"make", "restore", f"FROM={backup}"',
    ),
    "make down": ("tests/end_to_end/second_stack.py", '"make", "down"'),
    "make down DATA=gone": ("tests/end_to_end/second_stack.py", '"make", "down", "DATA=gone"'),
    "make drill YES=1": ("tests/end_to_end/test_9_drill.py", '"drill", "YES=1"'),
    "install --directory --mode=700 /var/backups/marquee-volumes": (
        "tests/run/upgrade.sh",
        'install --directory --mode=700 "$COPIES"',
    ),
    "docker compose stop": (
        "tests/run/upgrade.sh",
        "in_checkout docker compose stop",
    ),
    (
        "for volume in $(docker volume ls --quiet --filter"
        " label=com.docker.compose.project=marquee); do docker run --rm --network none"
        ' --volume "$volume:/from:ro" --volume /var/backups/marquee-volumes:/to'
        ' --entrypoint tar marquee/secrets --create --file "/to/$volume.tar" --directory'
        " /from .; done"
    ): (
        "tests/run/upgrade.sh",
        '--create --file "/to/$volume.tar" --directory /from .',
    ),
    "docker compose start": (
        "tests/run/upgrade.sh",
        "in_checkout docker compose start",
    ),
    "docker compose down": (
        "tests/run/upgrade.sh",
        "in_checkout docker compose down",
    ),
    "git checkout 92314c9": (
        "tests/run/upgrade.sh",
        'check_out "$UPGRADE_FROM"',
    ),
    (
        "for volume in $(docker volume ls --quiet --filter"
        " label=com.docker.compose.project=marquee); do docker run --rm --network none"
        ' --volume "$volume:/to" --volume /var/backups/marquee-volumes:/from:ro'
        ' --entrypoint sh marquee/secrets -c "find /to -mindepth 1 -delete; if [ -e'
        " /from/$volume.tar ]; then tar --extract --file /from/$volume.tar --directory"
        ' /to; fi"; done'
    ): (
        "tests/run/upgrade.sh",
        "tar --extract --file /from/$volume.tar --directory /to",
    ),
    "docker image rm marquee/recommender:blue marquee/recommender:green": (
        "tests/run/upgrade.sh",
        'docker image rm "$UPGRADED_PREFIX/recommender:blue" "$UPGRADED_PREFIX/recommender:green"',
    ),
    "tests/run.sh experiments": ("tests/run/checks.sh", "experiments"),
    "tests/run.sh upgrade": ("tests/run/checks.sh", "upgrade"),
    "tests/run.sh way-back": ("tests/run/checks.sh", "way_back"),
    "tests/run.sh whole-disk": ("tests/run/checks.sh", "whole_disk"),
    "docker compose run --rm ingest python -m ingest accept-loss 'why'": (
        "tests/integration/test_ingest.py",
        '["accept-loss", "the broker was full"]',
    ),
    "docker compose run --rm ingest python -m ingest accept-truncation 'why'": (
        "tests/integration/test_ingest_truncation.py",
        '["accept-truncation", "the power was cut"]',
    ),
    "docker compose restart postgres": (
        "tests/end_to_end/test_9_lost_secrets.py",
        'stack.compose("restart", "postgres")',
    ),
    "docker compose exec evaluation python -m monitoring gate VERSION": (
        "tests/integration/test_gate_command.py",
        '["gate", version]',
    ),
    "docker compose exec recommender-blue python -m recommender explain RECEIPT_ID": (
        "tests/end_to_end/test_7_following_an_answer.py",
        '("python", "-m", "recommender", "explain", str(receipt_id))',
    ),
}
"""Which file runs it, or the same with other values, and in which words."""

RUN_BY_ITSELF = {"make test", "make test-end-to-end"}
"""Who types the others was started by one of these."""

ALERTED = {
    "<name>": "slack",
    "<service>": "ingest",
    "<slot>": "blue",
    "<worker>": "retention",
}
"""What the message of an alert names, and OPERATIONS.md leaves to be filled in."""


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


def typed_as_they_stand() -> set[str]:
    """Commands in sentences that a test types without knowing them: they only look, or start."""
    others = inline_commands() - NOT_RUN.keys() - RUN_ELSEWHERE.keys() - shown_commands().keys()
    looks = ("docker", "SELECT", "python -m")
    return {command for command in others if command.startswith(looks) and " < " not in command}


def form(command: str) -> str:
    """A command of make or curl without the values in it: with others it is the same one.

    `make release VERSION=name` is `make release VERSION=`, and so with the names in any order.
    """
    words = command.split(" ")
    if words[0] == "curl":
        return "curl"
    if words[0] != "make":
        return command
    values = ASSIGNED.findall(command)
    targets = [word for word in words[1:] if re.fullmatch(r"[a-z-]+", word)]
    return " ".join(["make", *targets, *sorted(f"{name}=" for name in values)])


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
