"""An experiment as a picture: the interval of each look over time, as SVG."""

import io
from collections.abc import Sequence

import matplotlib as mpl
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter, date2num
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from monitoring.experiments.telling import Point, Summary

SIZE = (7.0, 3.6)
"""Inches of 72 points."""
COLOUR = "#3b82c4"
STYLE = {"svg.fonttype": "none", "svg.hashsalt": "marquee", "font.size": 9}


def interval_over_time(summary: Summary, points: Sequence[Point]) -> str:
    """A whole SVG document; with no look yet it says so in place of lines."""
    with mpl.rc_context(STYLE):  # type: ignore[arg-type]
        figure = Figure(figsize=SIZE, layout="constrained")
        axes = figure.add_subplot()
        axes.set_title(_title(summary))
        axes.set_ylabel("more people who watched\nsomething recommended")
        axes.yaxis.set_major_formatter(PercentFormatter(1.0))
        axes.axhline(0, color="black", linewidth=0.8)
        if points:
            times = date2num([point.looked_at for point in points])  # type: ignore[no-untyped-call]
            lows, highs = [point.low for point in points], [point.high for point in points]
            axes.fill_between(times, lows, highs, color=COLOUR, alpha=0.25, linewidth=0)
            axes.plot(times, [point.value for point in points], ".-", color=COLOUR)
            locator = AutoDateLocator()  # type: ignore[no-untyped-call]
            axes.xaxis.set_major_locator(locator)
            axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
        else:
            axes.set_xticks([])
            axes.text(0.5, 0.5, "nothing to see yet", ha="center", transform=axes.transAxes)
        out = io.StringIO()
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
        return out.getvalue()


def _title(summary: Summary) -> str:
    return f"{summary.name}: {summary.verdict or 'not looked at yet'}"
