"""The status page's plots: drawn by Matplotlib, as SVG that takes the page's own colours.

The page is made anew every few seconds, its data seldom changes: what was drawn is kept.
"""

import io
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from xml.etree import ElementTree as ET

import matplotlib as mpl
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter, date2num
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from monitoring.experiments.plot import draw_looks
from monitoring.experiments.summaries import Look
from monitoring.page.content import Quality, Series, Version

ET.register_namespace("", "http://www.w3.org/2000/svg")
ET.register_namespace("xlink", "http://www.w3.org/1999/xlink")

COLOURS = ("#3b82c4", "#c2702e", "#3f9a5f", "#a05ab5", "#b8860b", "#7a8a99")
"""Each has a contrast of 3 at least to the light page and to the dark one."""
STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",  # text stays text
    "svg.hashsalt": "marquee",  # the same data gives the same bytes
    "text.parse_math": False,  # a dollar is a dollar
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.prop_cycle": cycler(color=COLOURS),
    "legend.frameon": False,
    "path.simplify": True,
}
WIDE_NAME = 24
"""Letters: three longer ones beside each other are wider than a plot."""
MOST_LOOKS = 100
"""Of an experiment: with more two of them share a pixel or two."""
WIDTH, HEIGHT = 6.4, 2.4
"""Inches of 72 points."""


@lru_cache(maxsize=8)
def lines(series: tuple[Series, ...], unit: str, scale: float = 1.0) -> str:
    """A plot of some series over time; empty where there is nothing to draw."""
    if not series:
        return ""
    with mpl.rc_context(STYLE):
        figure, axes = _axes(unit)
        for line in series:
            values = [value * scale for value in line.values]
            times = date2num(line.times)  # type: ignore[no-untyped-call]
            alone = "." if len(times) == 1 else ""  # one point is no line
            axes.plot(times, values, marker=alone, label=line.label, linewidth=1.4)
        axes.set_ylim(bottom=0)
        return _finished(figure, axes)


def online_quality(windows: Sequence[Quality], live: str | None = None) -> str:
    """The share of answers that led to watching, window by window, a line for each version.

    Of many the newest are drawn, and the one that is live.
    """
    versions = list(dict.fromkeys(window.model_version for window in windows))
    drawn = [version for version in versions[: -len(COLOURS)] if version == live]
    drawn += versions[-len(COLOURS) :][len(drawn) :]
    found = []
    for version in drawn:
        own = [window for window in windows if window.model_version == version]
        times = tuple(window.window_end for window in own)
        found.append(Series(version, times, tuple(window.value for window in own)))
    return lines(tuple(found), "% of answers", scale=100)


@lru_cache(maxsize=2)
def offline_quality(versions: tuple[Version, ...]) -> str:
    """NDCG@20 of each version with its 95 % interval, oldest first."""
    judged = [version for version in reversed(versions) if version.ndcg is not None]
    if not judged:
        return ""
    with mpl.rc_context(STYLE):
        figure, axes = _axes("NDCG@20")
        for place, version in enumerate(judged):
            low, high = version.ndcg_low, version.ndcg_high
            if low is not None and high is not None:
                axes.plot([place, place], [low, high], color=COLOURS[0], linewidth=1.4)
        axes.plot([version.ndcg or 0 for version in judged], "o", color=COLOURS[0])
        axes.set_xticks(range(len(judged)), [_moment(version.created_at) for version in judged])
        axes.set_ylim(bottom=0)
        return _as_svg(figure)


def algorithms(version: Version | None) -> str:
    """The interval of each algorithm's NDCG@20 at one training, the best on top."""
    if version is None or not version.judged:
        return ""
    with mpl.rc_context(STYLE):
        figure, axes = _axes("")
        for place, (low, high) in enumerate(zip(version.lows, version.highs, strict=True)):
            axes.plot([low, high], [place, place], color=COLOURS[0], linewidth=5)
        axes.set_yticks(range(len(version.judged)), version.judged)
        axes.set_xlim(left=0)
        axes.set_xlabel("NDCG@20")
        return _as_svg(figure)


def experiment(looks: Sequence[Look], figure: str) -> str:
    """What an experiment says, look by look, by the figure's name; empty before the first."""
    if not looks:
        return ""
    with mpl.rc_context(STYLE):
        drawn, axes = _axes("more for the challenger")
        axes.yaxis.set_major_formatter(PercentFormatter(1.0))
        draw_looks(axes, thinned(looks), figure, COLOURS[0])
        return _finished(drawn, axes)


def thinned(looks: Sequence[Look]) -> list[Look]:
    """Each so many of the looks, the first and the last of them among these."""
    *before, last = looks
    return [*before[:: -(-len(looks) // MOST_LOOKS)], last]


def _axes(unit: str) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(WIDTH, HEIGHT), layout="constrained")
    axes = figure.add_subplot()
    axes.set_ylabel(unit)
    axes.grid(axis="y", linewidth=0.3)
    return figure, axes


def _finished(figure: Figure, axes: Axes) -> str:
    locator = AutoDateLocator(minticks=3, maxticks=8)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
    _handles, names = axes.get_legend_handles_labels()
    figure.legend(loc="outside upper left", ncols=columns(names))
    return _as_svg(figure)


def columns(names: Sequence[str]) -> int:
    """How many names stand beside each other above a plot."""
    return 3 if max(map(len, names)) <= WIDE_NAME else 2


def _moment(time: datetime) -> str:
    return f"{time.astimezone(UTC):%d %b\n%H:%M}"  # in two lines eight fit beside each other


def _as_svg(figure: Figure) -> str:
    out = io.StringIO()
    figure.savefig(out, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    return in_page(out.getvalue())


def in_page(svg: str) -> str:
    """An SVG document as an element of a page: no style or font of its own, black as its colour.

    A Content-Security-Policy without `unsafe-inline` forbids style attributes, not the
    attributes that say the same.
    """
    root = ET.fromstring(svg)  # noqa: S314 -- Matplotlib's, made just now
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag.rpartition("}")[2] in {"metadata", "style"}:
                parent.remove(child)
    named = set(re.findall(r"#([\w-]+)", svg))
    for element in root.iter():
        if element.get("id") not in named:
            element.attrib.pop("id", None)
        for name in {"d", "x", "y"} & element.attrib.keys():
            element.set(name, rounded(element.attrib[name]))
        element.attrib |= _attributes(element.attrib.pop("style", ""))
        element.attrib.pop("font-family", None)  # the page's, not a list of nine at each word
        for name in ("fill", "stroke"):
            if element.get(name) == "#000000":
                element.set(name, "currentColor")
    root.attrib |= {"class": "plot", "fill": "currentColor", "aria-hidden": "true"}
    for name in ("width", "height", "version"):
        root.attrib.pop(name, None)
    return re.sub(r"\n\s*", "\n", ET.tostring(root, encoding="unicode"))


def rounded(geometry: str) -> str:
    """A path or a place to a tenth of a pixel, without spaces that it does not need.

    >>> rounded("M 70.546568 141.79976  L 457.0 0  z ")
    'M70.5 141.8L457 0z'
    """
    numbers = re.sub(r"-?\d+\.\d+", lambda at: f"{round(float(at[0]), 1) + 0.0:.7g}", geometry)
    return re.sub(r"\s*([A-Za-z])\s*", r"\1", numbers).strip()


def _attributes(style: str) -> dict[str, str]:
    found = {}
    for declaration in filter(None, map(str.strip, style.split(";"))):
        name, _, value = declaration.partition(":")
        if name == "font":
            found["font-size"] = value.split()[0]
        else:
            found[name.strip()] = value.strip()
    return found
