"""From what is known to the page: one HTML file with its style and plots in it."""

import base64
import hashlib
from datetime import UTC, datetime
from importlib.resources import files

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from monitoring.page import content as content_module
from monitoring.page import plots
from monitoring.page.content import NOTHING_KNOWN, Content
from monitoring.status.overview import ago

HERE = files("monitoring.page")
STYLE = HERE.joinpath("style.css").read_text()
TEMPLATE = HERE.joinpath("page.html").read_text()

PICTURES = ("ranking", "segments", "newcomers", "places", "learning", "versions", "data")
"""What a training draws of its version."""


def style_hash() -> str:
    """What the Content-Security-Policy names, so that a browser takes this style and no other."""
    digest = hashlib.sha256(STYLE.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"


def render(content: Content, unreadable_since: datetime | None = None) -> str:
    """The page; `unreadable_since`: the database has not answered since then."""
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    environment.filters |= {"moment": _moment, "ago": lambda time: ago(time, content.at)}
    return environment.from_string(TEMPLATE).render(
        style=Markup(STYLE),  # noqa: S704 -- a file of ours
        content=content,
        headline=content_module.headline(content),
        troubles=content_module.troubles(content),
        last_release=content_module.last_release(content),
        last_experiment=content_module.last_experiment(content),
        happenings=content_module.happenings(content),
        plots=_plots(content),
        pictures=PICTURES,
        unreadable_since=unreadable_since,
    )


def _plots(content: Content) -> list[tuple[str, str, Markup]]:
    """Title, what it shows, and the drawing; those with something to draw."""
    figures = content.figures or NOTHING_KNOWN
    difference = content.experiments[0].difference if content.experiments else ""
    drawn = [
        (
            "Quality online",
            "answers that led to watching, by version",
            plots.online_quality(content.quality),
        ),
        (
            "Quality offline",
            "NDCG@20 on what was held out, with 95 % intervals",
            plots.offline_quality(content.versions),
        ),
        (
            "Newest training",
            "95 % intervals of all that was tried, on what was held out",
            plots.algorithms(content.versions[0] if content.versions else None),
        ),
        (
            "Experiment",
            f"{difference}, with the interval at all looks",
            plots.lift(content.looks),
        ),
        (
            "Answers",
            "a second, by where the list came from",
            plots.lines(figures.answers_by_reason, "a second"),
        ),
        (
            "Latency",
            "of the slots' answers: median and 99th percentile",
            plots.lines(figures.latency, "ms", scale=1000),
        ),
    ]
    return [(title, shows, Markup(svg)) for title, shows, svg in drawn if svg]  # noqa: S704 -- drawn here


def _moment(time: datetime) -> str:
    return f"{time.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
