"""What calls itself pure is held to it: the import contract names each such module."""

import ast
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PACKAGES = ("ingest", "trainer", "recommender", "monitoring", "ci", "compose")
SAYS_SO = re.compile(r"\b(?:[Pp]ure|[Nn]o I/O)\b")


def held() -> set[str]:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    (pure,) = (one for one in contracts["contracts"] if "calls itself pure" in one["name"])
    return set(pure["source_modules"])


def pure_modules():
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            told = ast.get_docstring(ast.parse(path.read_text())) or ""
            if path.name != "__init__.py" and SAYS_SO.search(told):
                yield path.relative_to(ROOT).with_suffix("").parts


@pytest.mark.parametrize("parts", list(pure_modules()), ids=".".join)
def test_a_module_that_calls_itself_pure_is_named_by_the_contract(parts):
    rooms = {".".join(parts[:depth]) for depth in range(1, len(parts) + 1)}
    assert rooms & held(), "see pyproject.toml, 'what calls itself pure imports no client library'"
