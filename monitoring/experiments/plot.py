"""An experiment as a picture: the interval of each look over time, as SVG."""

import io
from collections.abc import Sequence
from textwrap import fill

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter, date2num
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from monitoring.experiments.summaries import Look, Summary

SIZE = (7.0, 3.6)
"""Inches of 72 points."""
LABEL_WIDTH = 25
"""Letters of a line beside the axis."""
MOST_DOTS = 30
"""Of looks: with more their dots lie on each other."""
COLOUR = "#3b82c4"
STYLE = {
    "svg.fonttype": "none",
    "svg.hashsalt": "marquee",
    "text.parse_math": False,  # a dollar in a name is a dollar
    "font.size": 9,
}


def interval_over_time(summary: Summary, looks: Sequence[Look]) -> str:
    """A whole SVG document; with no look yet it says so in place of lines."""
    with mpl.rc_context(STYLE):  # type: ignore[arg-type]
        figure = Figure(figsize=SIZE, layout="constrained")
        axes = figure.add_subplot()
        axes.set_title(_title(summary))
        axes.set_ylabel(fill(summary.difference, LABEL_WIDTH))
        axes.yaxis.set_major_formatter(PercentFormatter(1.0))
        if looks:
            draw_looks(axes, looks, summary.figure, COLOUR)
            locator = AutoDateLocator()  # type: ignore[no-untyped-call]
            axes.xaxis.set_major_locator(locator)
            axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
        else:
            axes.set_xticks([])
            axes.text(0.5, 0.5, "nothing to see yet", ha="center", transform=axes.transAxes)
        out = io.StringIO()
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
        return out.getvalue()


def draw_looks(axes: Axes, looks: Sequence[Look], figure: str, colour: str) -> None:
    """The value of this figure with its interval, look by look, against no difference."""
    times = date2num([look.looked_at for look in looks])  # type: ignore[no-untyped-call]
    lows, highs = [look.low for look in looks], [look.high for look in looks]
    axes.axhline(0, color="black", linewidth=0.8)
    axes.fill_between(
        times, lows, highs, color=colour, alpha=0.25, linewidth=0, label="interval at all looks"
    )
    line = ".-" if len(looks) <= MOST_DOTS else "-"
    axes.plot(times, [look.value for look in looks], line, color=colour, label=figure)


def _title(summary: Summary) -> str:
    return f"{summary.name}: {summary.verdict or 'not looked at yet'}"
