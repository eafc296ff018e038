"""From what is known to the page: one HTML file with its style and plots in it."""

import base64
import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from importlib.resources import files
from urllib.parse import quote

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from monitoring.page import content as content_module
from monitoring.page import plots
from monitoring.page.content import NOTHING_KNOWN, Content, Version
from monitoring.page.happenings import MOST_SHOWN, Happenings, happenings
from monitoring.status.overview import ago

HERE = files("monitoring.page")
STYLE = HERE.joinpath("style.css").read_text()
TEMPLATE = HERE.joinpath("page.html").read_text()

MOST_BYTES = 100_000
"""Of a page."""
PARTS = (1, 2, 4)
"""Of what is listed all, half or a quarter is: the first with which the page is small enough."""
MOST_LETTERS = 400
"""Of a reason: some are the words of an error."""
MOST_EXPLAINED = 8
"""Of releases and versions each, the newest."""
MOST_OLDER_EXPLAINED = 6
"""Of versions that are older and named on the page: it has to stay small."""
PICTURES = (
    "ranking",
    "segments",
    "newcomers",
    "places",
    "calibration",
    "learning",
    "versions",
    "data",
)
"""What a training draws of its version."""
LATER_PICTURES = frozenset({"calibration", "learning"})
"""Of these, those that only versions have whose figures state what is drawn."""


def style_hash() -> str:
    """What the Content-Security-Policy names, so that a browser takes this style and no other."""
    digest = hashlib.sha256(STYLE.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"


def render(
    content: Content,
    unreadable_since: datetime | None = None,
    what_to_do: str = "/status/operations",
) -> str:
    """The page.

    Args:
        content: what it tells.
        unreadable_since: the database has not answered since then.
        what_to_do: the address of a page that tells of each alert what to do.
    """
    drawn = _plots(content)
    for part in PARTS:
        page = _page(content, unreadable_since, what_to_do, drawn, part)
        if len(page.encode()) < MOST_BYTES:
            break
    return page


def _page(
    content: Content,
    unreadable_since: datetime | None,
    what_to_do: str,
    drawn: Sequence[tuple[str, str, Markup]],
    part: int,
) -> str:
    happened = happenings(content, MOST_SHOWN // part)
    most = MOST_EXPLAINED // part
    headline = content_module.headline(content)
    told = {
        "headline": headline,
        "troubles": content_module.troubles(content, unreadable_since),
        "last_release": content_module.last_release(content),
        "last_experiment": content_module.last_experiment(content),
    }
    texts = [*map(str, told.values()), *(happening.text for happening in happened.shown)]
    versions = _explained(content, headline, texts, most)
    places = _places(content, what_to_do) | {each.version: f"#{each.version}" for each in versions}
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    filters: dict[str, Callable[..., object]] = {
        "moment": _moment,
        "clock": _clock,
        "machine": lambda time: f"{time.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "ago": lambda time: ago(time, content.at),
        "linked": linker(places),
        "shortened": shortened,
    }
    environment.filters |= filters
    return environment.from_string(
        TEMPLATE
    ).render(
        told,
        style=Markup(STYLE),  # noqa: S704 -- a file of ours
        content=content,
        happened=happened,
        reach=_reach(happened, known=content.figures is not None),
        releases=content.releases[:most],
        versions=versions,
        alerts_fire=bool(content_module.firing(content)),
        plots=drawn,
        pictures=pictures_of,
        unreadable_since=unreadable_since,
    )


def _places(content: Content, what_to_do: str) -> dict[str, str]:
    """Where each alert leads by its name: to what to do about it."""
    alerts = (content.figures or NOTHING_KNOWN).alerts
    return {alert.rule: f"{what_to_do}#{quote(alert.rule)}" for alert in alerts}


def linker(places: Mapping[str, str]) -> Callable[[str], Markup]:
    """What makes each of these names in a text a link to its place."""
    choice = "|".join(map(re.escape, sorted(places, key=len, reverse=True)))
    named = re.compile(rf"(?<![\w-])({choice})(?![\w-])")

    def linked(text: str) -> Markup:
        text = shortened(text)
        parts = named.split(text) if choice else [text]  # every other one is a name
        link = Markup('<a href="{}">{}</a>')
        return Markup().join(
            link.format(places[part], part) if number % 2 else part
            for number, part in enumerate(parts)
        )

    return linked


def shortened(text: str) -> str:
    """A text with no more letters than a page has room for."""
    return text if len(text) <= MOST_LETTERS else f"{text[:MOST_LETTERS]}…"


def _explained(content: Content, headline: str, texts: Sequence[str], most: int) -> list[Version]:
    """The newest versions, the one of the headline, and others that the page names."""
    text = " ".join(texts)
    older = [each for each in content.versions[most:] if each.version in text]
    live_first = sorted(older, key=lambda version: version.version not in headline)
    return [*content.versions[:most], *live_first[:MOST_OLDER_EXPLAINED]]


def pictures_of(version: Version) -> list[str]:
    """The names of what was drawn of a version."""
    return [
        name for name in PICTURES if name not in LATER_PICTURES or name in version.figure_groups
    ]


def _reach(happened: Happenings, *, known: bool) -> str:
    """How far back the list of what happened goes, and what it leaves out.

    `known`: whether alerts and restarts are.
    """
    since = _clock(happened.complete_since)
    without = "" if known else " Alerts and restarts are not in it: Prometheus does not answer."
    if happened.left_out:
        return (
            f"The list reaches back to {_clock(happened.shown[-1].at)};"
            f" {happened.left_out} more of what happened since {since} are left out.{without}"
        )
    before = " What is older is told without alerts and restarts." if happened.shown else ""
    return f"{'That' if happened.shown else 'Nothing'} is all since {since}.{without or before}"


def _plots(content: Content) -> list[tuple[str, str, Markup]]:
    """Title, what it shows, and the drawing; those with something to draw."""
    figures = content.figures or NOTHING_KNOWN
    tried = content.experiments[0] if content.experiments else None
    drawn = [
        (
            "Quality online",
            "answers that led to watching, by version",
            plots.online_quality(
                content.quality, content.step.live_version if content.step else None
            ),
        ),
        (
            "Quality offline",
            "NDCG@20 on what was held out, with 95 % intervals",
            plots.offline_quality(content.versions[:MOST_EXPLAINED]),
        ),
        (
            "Newest training",
            "95 % intervals of all that was tried, on what was held out",
            plots.algorithms(content.versions[0] if content.versions else None),
        ),
        (
            "Experiment",
            f"{tried.difference}, with the interval at all looks" if tried else "",
            plots.experiment(content.looks, tried.figure) if tried else "",
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
    return f"{time.astimezone(UTC):%Y-%m-%d %H:%M:%S}"


def _clock(time: datetime) -> str:
    return f"{time.astimezone(UTC):%d %b %H:%M}"
