"""What a version is, as it states itself: manifest.json, key by key, and how old ones are read."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from types import MappingProxyType
from typing import Any, Self

from trainer.errors import NewerVersionError

SCHEMA = 3
SCHEMA_OF_EVERYBODY = 2
"""Of versions in which everybody has a list: the code before this one reads them, too."""

Figure = Mapping[str, float]
"""`value` and, where there is a 95 % interval, `low` and `high`."""
Figures = Mapping[str, Any]
"""Figures by name, in groups by name, some in groups of groups.

`algorithms`: by algorithm, what it was on validation and on test; `choice`: how many were judged
on validation, and what the chosen one gained there `over_` each other; `live`: the recipe of the
live version on test; `gains`: of the chosen one on test, `over_` what; `segments`: its NDCG for
some people, or for some movies; `places`: the share of people who liked what stood at each place
of their lists, and who `met` it at all; `calibration`: by algorithm that predicts ratings, what was
`predicted` and given, by tenths of the predictions; `newcomers`: by how many things people did
whom it never met, that of each source, what it gains, and what the order gains; `known_people`:
the same of those whom it was fitted to, on test; `later`: by one cut in time;
`learning`: the NDCG of the chosen one on validation, by how many interactions it learned from;
`lists`: how many `people` have one computed at training, and how many days before the newest
interaction they were active; `judged_users`; `size_mib`.
"""

SOURCES = {
    "0": ["people", "lately", "popular"],
    "1": ["model", "fold_in", "people", "lately", "popular"],
}
"""The order before any was judged."""


def asked_after(sources: Mapping[str, Sequence[str]], number: int) -> Sequence[str]:
    """What is asked after so many things done: as from the largest number on that is no larger."""
    return sources[str(max(int(begin) for begin in sources if int(begin) <= number))]


@dataclass(frozen=True)
class Manifest:
    """What a version is: manifest.json, key by key."""

    version: str
    algorithm: str
    parameters: Mapping[str, Any]
    created_at: str
    """When training ended, ISO 8601, UTC."""
    data: Mapping[str, Any]
    code: Mapping[str, str]
    machine: Mapping[str, Any]
    libraries: Mapping[str, str]
    figures: Figures
    gate: Mapping[str, str]
    """`verdict` (accepted or refused) and `reason`."""
    item_model: str = ""
    """As what its arrays are read back: a name in `item_models.kinds`."""
    held: Mapping[str, float] | None = None
    """How its scores are held towards popularity (see `Holding`); None where they are not."""
    popularity: Mapping[str, float] = field(default_factory=dict)
    """What the popular list was made by; nothing where it counts interactions."""
    sources: Mapping[str, Sequence[str]] = field(default_factory=lambda: SOURCES)
    """Where lists come from: from so many events of somebody on, what is asked, in this order."""
    files: Mapping[str, str] = field(default_factory=dict)
    """sha256 of each file, by name."""
    schema: int = SCHEMA

    @classmethod
    def parse(cls, text: bytes) -> Self:
        """Read manifest.json, be it of an earlier schema.

        Raises:
            NewerVersionError: its schema is later than `SCHEMA`.
            ValueError: it is no manifest.
        """
        content = json.loads(text)
        if not isinstance(content, dict) or not isinstance(content.get("schema"), int):
            raise ValueError("manifest.json states no schema")  # noqa: TRY004 -- wrong in value
        if content["schema"] > SCHEMA:
            raise NewerVersionError(f"schema {content['schema']}, and this code reads {SCHEMA}")
        stated = _of_schema_1(content) if content["schema"] == 1 else content
        content = {**ADDED, **stated}
        if content.keys() != {each.name for each in fields(cls)}:
            raise ValueError("manifest.json has not the keys of its schema")
        return cls(**content)

    def asked_after(self, number: int) -> Sequence[str]:
        """What is asked for a list of somebody who did so many things, in this order."""
        return asked_after(self.sources, number)

    def text(self) -> bytes:
        """UTF-8 of the file `manifest.json`; the inverse of `parse`."""
        return (json.dumps(asdict(self), indent=2, ensure_ascii=False) + "\n").encode()


ADDED: Mapping[str, Any] = {"held": None, "popularity": {}, "sources": SOURCES}
"""What versions did not state at first, and what held of them."""

ITEM_MODELS_OF_SCHEMA_1 = MappingProxyType(
    {
        "popularity": "popularity",
        "ease": "item_weights",
        "als": "als",
        "svd": "factors",
        "svdpp": "implicit_factors",
        "recency_ease": "history",
        "recency_transitions": "history",
        "boosted_trees": "reranked",
    }
)


def _of_schema_1(content: Mapping[str, Any]) -> dict[str, Any]:
    """The same in today's keys: its figures were names put together, all in one mapping."""
    return {
        **content,
        "figures": _nested(content.get("figures", {})),
        "item_model": ITEM_MODELS_OF_SCHEMA_1.get(content.get("algorithm", ""), ""),
        "schema": SCHEMA,
    }


def _nested(flat: Mapping[str, Figure]) -> dict[str, Any]:
    nested: dict[str, Any] = {}
    for name, figure in flat.items():
        *groups, last = _place(name)
        inner = nested
        for group in groups:
            inner = inner.setdefault(group, {})
        inner[last] = figure
    return nested


def _place(name: str) -> tuple[str, ...]:
    """Where a figure of schema 1 stands today."""
    for prefix, group in (
        ("ndcg20_gain_", "gains"),
        ("segment_ndcg20_", "segments"),
        ("later_ndcg20", "later"),
    ):
        if name.startswith(prefix):
            return group, name.removeprefix(prefix).removeprefix("_") or "chosen"
    if name == "ndcg20_live":
        return "live", "ndcg20"
    return next(_of_algorithm(name), (name,))


def _of_algorithm(name: str) -> Iterator[tuple[str, ...]]:
    for algorithm in sorted(ITEM_MODELS_OF_SCHEMA_1, key=len, reverse=True):
        if name.endswith(f"_{algorithm}"):
            yield "algorithms", algorithm, name.removesuffix(f"_{algorithm}")
