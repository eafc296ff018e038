"""Migrations that land side by side must follow one another."""

import re
from pathlib import Path

VERSIONS = Path("compose/migrate/versions")


def test_each_migration_follows_the_one_before_it():
    said = [
        re.findall(r'^(?:down_)?revision = (?:"(\d+)"|None)$', file.read_text(), re.MULTILINE)
        for file in sorted(VERSIONS.glob("*.py"))
    ]
    numbers = [f"{number:04}" for number in range(1, len(said) + 1)]
    assert said == [
        [number, before] for number, before in zip(numbers, ["", *numbers], strict=False)
    ]
