"""What a version's figures and data look like, as pictures in its directory."""

import re
from collections.abc import Iterator, Mapping
from io import BytesIO
from textwrap import fill
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from trainer.data.interactions import Interactions
from trainer.versions.manifest import Figures

STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",  # text stays text
    "svg.hashsalt": "marquee",  # the same input gives the same bytes
}
WIDTH, HEIGHT = 5.0, 3.5
"""Inches of 72 points: as wide as a phone, on which a letter is then as large as it is drawn."""
LABEL_WIDTH = 42
"""Letters of a line below an axis."""
DARK = b"""
<style>@media (prefers-color-scheme: dark) {
:root { color-scheme: dark; filter: invert(1) hue-rotate(180deg); } }</style>
"""
"""Who likes it dark gets light on dark, in the same colours."""
FIXED = re.compile(rb' (?:width|height)="[0-9.]+pt"')
"""How large a picture would be anywhere."""
Stated = Mapping[str, float]
"""A figure as a manifest states it."""
TOO_FEW_JUDGED = "too few people were judged"
NO_LEARNING_CURVE = "no learning curve: too much to learn from for further fits, or nobody judged"


def plots(
    figures: Figures, interactions: Interactions, versions: Mapping[str, Stated]
) -> dict[str, bytes]:
    """SVG files by name; the same input gives the same bytes.

    Args:
        figures: the version's.
        interactions: what it learned from.
        versions: NDCG@20 of those before it and of itself, by name, oldest first.
    """
    drawn = {
        "ranking.svg": _ranking(figures),
        "segments.svg": _segments(figures),
        "newcomers.svg": _newcomers(figures),
        "places.svg": _places(figures),
        "calibration.svg": _calibration(figures),
        "learning.svg": _learning(figures),
        "versions.svg": _versions(versions),
        "data.svg": _data(interactions),
    }
    return {name: _picture(figure) for name, figure in drawn.items()}


def _ranking(figures: Figures) -> Figure:
    found = {
        name: its["ndcg20"]
        for name, its in reversed(figures.get("algorithms", {}).items())
        if "ndcg20" in its
    }
    return _bars(found, "NDCG@20 on held-out data, with 95 % intervals")


def _segments(figures: Figures) -> Figure:
    found = {name.replace("_", " "): its for name, its in figures.get("segments", {}).items()}
    return _bars(found, "NDCG@20 of some people, and for some movies, with 95 % intervals")


def _bars(found: Mapping[str, Stated], what: str) -> Figure:
    picture = Figure(figsize=(WIDTH, 1.5 + 0.4 * len(found)), layout="constrained")
    axes = picture.subplots()
    values, errors = _values_and_errors(found)
    axes.barh(list(found), values, xerr=errors)
    axes.set_xlabel(fill(what, LABEL_WIDTH))
    if not found:
        _say(axes, TOO_FEW_JUDGED)
    return picture


def _newcomers(figures: Figures) -> Figure:
    """What people are served whom it never met, over what is popular, by what they did before."""
    picture, axes = _plain("things done before asking", "NDCG@20 over what is popular")
    found = {
        number: its["gain"]
        for number, its in figures.get("newcomers", {}).items()
        if its["people_judged"]["value"] > 1
    }
    _with_intervals(axes, found)
    if not found:
        _say(axes, TOO_FEW_JUDGED)
    axes.axhline(0, color="grey", linewidth=0.8)
    return picture


def _places(figures: Figures) -> Figure:
    """Whether a higher place means a better chance: how many liked, or met, what stood there."""
    picture, axes = _plain("place in the list", "share of people")
    places = figures.get("places", {})
    if not places:
        _say(axes, TOO_FEW_JUDGED)
    for name, label in (("met", "watched or rated the movie there"), ("value", "liked it")):
        shown = [int(place) for place, figure in places.items() if name in figure]
        axes.plot(shown, [places[str(place)][name] for place in shown], ".-", label=label)
    axes.set_ylim(bottom=0)
    axes.legend()
    return picture


def _calibration(figures: Figures) -> Figure:
    """Whether who is predicted more gives more; where nobody predicts, whether places mean more."""
    found = figures.get("calibration", {})
    if not found:
        return _places(figures)
    picture, axes = _plain("rating predicted, by tenths", "rating given, with 95 % intervals")
    for algorithm, groups in found.items():
        given, errors = _values_and_errors(groups)
        predicted = [group["predicted"] for group in groups.values()]
        axes.errorbar(predicted, given, yerr=errors, fmt=".-", capsize=3, label=algorithm)
    axes.axline((predicted[0], predicted[0]), slope=1, color="grey", linewidth=0.8)
    axes.legend()
    return picture


def _learning(figures: Figures) -> Figure:
    """Whether more to learn from would help: the curve still rises, or is flat."""
    picture, axes = _plain("interactions learned from", "NDCG@20 on validation")
    found = {int(number): its for number, its in figures.get("learning", {}).items()}
    if found:
        _with_intervals(axes, found)
        axes.set_xscale("log")
        axes.set_xticks(list(found), [f"{number:,}" for number in found])
        axes.minorticks_off()
        axes.set_ylim(bottom=0)
    else:
        _say(axes, NO_LEARNING_CURVE)
    return picture


def _versions(versions: Mapping[str, Stated]) -> Figure:
    """Its figure above those of the versions before."""
    named = {"-\n".join(name.rsplit("-", 1)): its for name, its in versions.items()}
    return _bars(named, "NDCG@20 of each on its own held-out data, with 95 % intervals")


def _with_intervals(axes: Axes, found: Mapping[Any, Stated]) -> None:
    values, errors = _values_and_errors(found)
    axes.errorbar(list(found), values, yerr=errors, fmt="o", capsize=3)


def _values_and_errors(
    found: Mapping[Any, Stated],
) -> tuple[NDArray[np.float64], list[NDArray[np.float64]]]:
    """The values, and how far their intervals reach below and above."""
    values, lows, highs = (
        np.array([figure[name] for figure in found.values()]) for name in ("value", "low", "high")
    )
    return values, [values - lows, highs - values]


def _say(axes: Axes, why: str) -> None:
    axes.text(0.5, 0.6, why, ha="center", va="center", wrap=True, transform=axes.transAxes)


def _plain(across: str, up: str) -> tuple[Figure, Axes]:
    picture = Figure(figsize=(WIDTH, HEIGHT), layout="constrained")
    axes = picture.subplots()
    axes.set(xlabel=across, ylabel=up)
    return picture, axes


def _data(interactions: Interactions) -> Figure:
    picture = Figure(figsize=(WIDTH, 2 * HEIGHT), layout="constrained")
    upper, lower = picture.subplots(2, 1)
    for name, counts in _per_what(interactions):
        upper.loglog(np.arange(1, len(counts) + 1), counts, label=name)
    upper.set(xlabel="rank", ylabel="interactions")
    upper.legend()
    rated = interactions.ratings[~np.isnan(interactions.ratings)]
    values, numbers = np.unique(rated, return_counts=True)
    lower.bar([f"{value:g}" for value in values], numbers)
    lower.set(xlabel="rating", ylabel="how often")
    return picture


def _per_what(interactions: Interactions) -> Iterator[tuple[str, NDArray[np.int64]]]:
    for name, counts in (
        ("a user", np.diff(interactions.indptr)),
        ("a movie", interactions.counts()),
    ):
        yield name, np.sort(counts[counts > 0])[::-1]


def _picture(figure: Figure) -> bytes:
    file = BytesIO()
    with mpl.rc_context(STYLE):
        figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None})
    return _fitting(file.getvalue())


def _fitting(picture: bytes) -> bytes:
    """As large as its window, and as dark."""
    return FIXED.sub(b"", picture, count=2).replace(b"<defs>", DARK + b"<defs>", 1)
